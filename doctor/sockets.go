package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// kafkaBuffer is Kafka's default of send.buffer.bytes, the larger of the two buffers that clients ask for.
const kafkaBuffer = 131072

// socketBuffers are the bounds of what a client may ask for.
func (m *machine) socketBuffers() Finding {
	f := Finding{Check: "socket-buffers", Severity: OK,
		Why: "send.buffer.bytes and receive.buffer.bytes above these bounds are cut silently; over a long way the buffer bounds the throughput (bytes = bandwidth × round trip)"}
	send, ok := m.number("proc/sys/net/core/wmem_max")
	receive, ok2 := m.number("proc/sys/net/core/rmem_max")
	if !ok || !ok2 {
		return f.unknown()
	}
	f.Values = map[string]float64{"wmem_max_bytes": send, "rmem_max_bytes": receive}
	f.Measured = fmt.Sprintf("at most %s to send, %s to receive", bytesText(int64(send)), bytesText(int64(receive)))
	if min(send, receive) < kafkaBuffer {
		f.Severity = Warning
		f.Measured += ": less than Kafka's default of 128 KiB"
		f.Do = []string{"sudo sysctl -w net.core.wmem_max=4194304 net.core.rmem_max=4194304"}
	}
	return f
}

// backlog is how many connections may wait for an embedded target to accept them.
func (m *machine) backlog() Finding {
	f := Finding{Check: "listen-backlog", Severity: OK, Why: "producers that connect at the same moment wait here for an embedded target; those beyond are retried after a second"}
	n, ok := m.number("proc/sys/net/core/somaxconn")
	if !ok {
		return f.unknown()
	}
	f.Values = map[string]float64{"somaxconn": n}
	f.Measured = fmt.Sprintf("somaxconn %.0f", n)
	if n < 128 {
		f.Severity = Warning
		f.Do = []string{"sudo sysctl -w net.core.somaxconn=4096"}
	}
	return f
}

// Open files: a connection per broker and producer, and what Kafka's broker keeps for every partition.
const (
	fewFiles  = 1024
	someFiles = 4096
)

// openFiles is this process's limit.
func (m *machine) openFiles() Finding {
	f := Finding{Check: "open-files", Severity: OK, Why: "every producer has a connection to every broker, and a broker started with --target kafka opens several files for each partition"}
	for line := range strings.Lines(m.read("proc/self/limits")) {
		rest, ok := strings.CutPrefix(line, "Max open files")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 2 {
			continue
		}
		if fields[0] == "unlimited" {
			f.Measured = "no limit"
			return f
		}
		soft, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			break
		}
		f.Measured = fmt.Sprintf("at most %.0f open files", soft)
		f.Values = map[string]float64{"limit": soft}
		f.Do = []string{fmt.Sprintf("ulimit -n %d", 65536)}
		switch {
		case soft < fewFiles:
			f.Severity = Warning
		case soft < someFiles:
			f.Severity = Note
		default:
			f.Do = nil
		}
		return f
	}
	return f.unknown()
}

// Shares of the local ports that are taken.
const (
	manyPorts = 0.5
	mostPorts = 0.9
)

// ports are the local ports that connections may take, and how many are taken.
func (m *machine) ports() Finding {
	f := Finding{Check: "ports", Severity: OK, Why: "every connection takes a local port and, once closed, keeps it for a minute; without a free one connecting fails"}
	bounds := strings.Fields(m.line("proc/sys/net/ipv4/ip_local_port_range"))
	if len(bounds) != 2 {
		return f.unknown()
	}
	low, err := strconv.ParseFloat(bounds[0], 64)
	high, err2 := strconv.ParseFloat(bounds[1], 64)
	if err != nil || err2 != nil || high < low {
		return f.unknown()
	}
	all := high - low + 1
	taken := 0.0
	for line := range strings.Lines(m.read("proc/net/sockstat")) {
		words := strings.Fields(line)
		for i := 0; i+1 < len(words) && words[0] == "TCP:"; i++ {
			if words[i] == "inuse" || words[i] == "tw" {
				n, _ := strconv.ParseFloat(words[i+1], 64)
				taken += n
			}
		}
	}
	f.Values = map[string]float64{"ports": all, "taken": taken}
	f.Measured = fmt.Sprintf("%.0f local ports, %.0f TCP connections", all, taken)
	f.Do = []string{"sudo sysctl -w net.ipv4.ip_local_port_range='1024 65535'", "wait a minute for closed connections to leave"}
	switch {
	case taken > mostPorts*all:
		f.Severity = Bad
	case taken > manyPorts*all || all < 1000:
		f.Severity = Warning
	default:
		f.Do = nil
	}
	return f
}
