package native

import (
	"fmt"
	"strings"
	"time"
)

// MetadataRecovery is what a producer does when it can reach none of the brokers that it knows (KIP-899).
type MetadataRecovery uint8

// Ways to recover, by Kafka's names.
const (
	RecoveryRebootstrap MetadataRecovery = iota // rebootstrap: begin anew at the bootstrap servers
	RecoveryNone                                // none: keep to the brokers known
)

var recoveryNames = [...]string{"rebootstrap", "none"}

// String is the value of metadata.recovery.strategy.
func (r MetadataRecovery) String() string {
	if int(r) < len(recoveryNames) {
		return recoveryNames[r]
	}
	return fmt.Sprintf("MetadataRecovery(%d)", uint8(r))
}

// ParseMetadataRecovery turns Kafka's name, in any case of letters, into a way to recover.
func ParseMetadataRecovery(name string) (MetadataRecovery, error) {
	for i, n := range recoveryNames {
		if strings.EqualFold(n, name) {
			return MetadataRecovery(i), nil
		}
	}
	return 0, badSetting("metadata.recovery.strategy: %q is none of %s", name, strings.Join(recoveryNames[:], ", "))
}

// rebootstrapIfOverdue begins anew if metadata have failed to come for metadata.recovery.rebootstrap.trigger.ms, although
// brokers can be reached: they may be another cluster's by now, or cut off from the rest (KIP-1102). The time runs from the
// first attempt after the last that succeeded; fetchMetadata ends it.
func (pr *Producer) rebootstrapIfOverdue() {
	now := time.Now()
	switch {
	case pr.metaTrying.IsZero():
		pr.metaTrying = now
	case pr.control.known && pr.cfg.MetadataRecovery == RecoveryRebootstrap && now.Sub(pr.metaTrying) > pr.cfg.RebootstrapTrigger:
		pr.rebootstrap()
		pr.metaTrying = now
	}
}

// rebootstrap begins anew at the bootstrap servers: it closes every connection, breaks off what a coordinator is being asked,
// and forgets who leads what, epochs included, since those of what is found there may be lower. What was in flight is
// sent again once the leaders are known.
// Source: NetworkClient.handleRebootstrap, Metadata.rebootstrap.
func (pr *Producer) rebootstrap() {
	pr.control.rebootstrap()
	pr.mu.Lock()
	defer pr.mu.Unlock()
	now := pr.now()
	for _, t := range pr.topics {
		for _, p := range t.partitions {
			pr.lead(p, nil, -1, now)
		}
	}
	for _, conns := range pr.nodes {
		for _, n := range conns {
			n.interrupt()
		}
	}
	if pr.txn != nil {
		pr.txn.addrs, pr.txn.anew = nil, true
		pr.txn.interrupt()
	}
}
