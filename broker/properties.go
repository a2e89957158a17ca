package broker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// segmentBytes bounds a log segment, and what retention leaves of a partition: a run at full speed writes some hundred
// MB a second. A topic whose records are all to be read again sets retention.bytes=-1 for itself.
const segmentBytes = 64 << 20

// serverProperties is the configuration of one node, in Kafka's names. extra wins, but for
// listeners, which it adds to.
func serverProperties(n kafkaNode, all []kafkaNode, extra map[string]string) map[string]string {
	voters := make([]string, len(all))
	for i, other := range all {
		voters[i] = fmt.Sprintf("%d@%s", other.id, loopback(other.controllerPort))
	}
	replicas, minISR, threads := "1", "1", "2"
	if len(all) > 1 {
		replicas, minISR, threads = strconv.Itoa(min(len(all), 3)), strconv.Itoa(min(len(all)-1, 2)), "1"
	}
	p := map[string]string{
		"process.roles":             "broker,controller",
		"node.id":                   strconv.Itoa(n.id),
		"controller.quorum.voters":  strings.Join(voters, ","),
		"listeners":                 "PLAINTEXT://" + loopback(n.port) + ",CONTROLLER://" + loopback(n.controllerPort),
		"advertised.listeners":      "PLAINTEXT://" + loopback(n.port),
		"controller.listener.names": "CONTROLLER",
		"log.dirs":                  n.dataPath(),
		"auto.create.topics.enable": "false",
		"num.network.threads":       threads,
		"num.io.threads":            threads,

		"offsets.topic.num.partitions":             "1",
		"offsets.topic.replication.factor":         replicas,
		"transaction.state.log.num.partitions":     "1",
		"transaction.state.log.replication.factor": replicas,
		"transaction.state.log.min.isr":            minISR,
		"default.replication.factor":               replicas,
		"group.initial.rebalance.delay.ms":         "0",
		"log.cleaner.dedupe.buffer.size":           "2097152",

		// The disk stays bounded: what exceeds the retention goes within two seconds, not after five minutes.
		"log.segment.bytes":               strconv.Itoa(segmentBytes),
		"log.retention.bytes":             strconv.Itoa(segmentBytes),
		"log.retention.check.interval.ms": "1000",
		"log.initial.task.delay.ms":       "1000",
		"log.segment.delete.delay.ms":     "1000",
	}
	if len(all) > 1 {
		p["broker.session.timeout.ms"] = "6000"
	}
	own := map[string]string{"listeners": p["listeners"], "advertised.listeners": p["advertised.listeners"]}
	maps.Copy(p, extra)
	for name, listeners := range own { // its own stay: kbench itself connects there
		if more := extra[name]; more != "" {
			p[name] = listeners + "," + more
		}
	}
	return p
}

// checkProperties refuses what can't be set from outside: each node has its own.
func checkProperties(extra map[string]string) error {
	for _, name := range []string{"controller.quorum.voters", "log.dirs", "node.id", "process.roles"} {
		if v, ok := extra[name]; ok {
			return fmt.Errorf("server property %s=%s can't be set: kbench chooses it for each broker", name, v)
		}
	}
	return nil
}

// appendProperties writes properties in order, as Java's Properties.load reads them.
func appendProperties(dst []byte, p map[string]string) []byte {
	for _, k := range slices.Sorted(maps.Keys(p)) {
		dst = append(appendEscaped(dst, k, " :=#!"), '=')
		dst = append(appendEscaped(dst, p[k], ""), '\n')
	}
	return dst
}

// appendEscaped writes one key or value; special characters get a backslash, and so does a space at the beginning.
func appendEscaped(dst []byte, s, special string) []byte {
	for i, r := range s {
		switch {
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\\' || i == 0 && r == ' ' || strings.ContainsRune(special, r):
			dst = append(dst, '\\', byte(r))
		case r < 0x20 || r > 0x7e: // Java reads ISO 8859-1
			for _, u := range utf16.Encode([]rune{r}) {
				dst = fmt.Appendf(dst, `\u%04x`, u)
			}
		default:
			dst = append(dst, byte(r))
		}
	}
	return dst
}
