package sink

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// topic is one topic's partitions, of which only the end offsets exist. All but the offsets is constant.
type topic struct {
	name        string
	id          [16]byte
	replication int               // brokers that hold each partition
	config      map[string]string // as given to CreateTopics
	maxMessage  int               // largest batch, bytes
	next        []atomic.Int64    // per partition: the next offset = records taken
}

// registry knows the topics: those created, and every one that somebody asked for.
type registry struct {
	opts Options

	mu      sync.RWMutex // taken for reading once for each topic of a Produce request: about 20 ns
	names   map[string]*topic
	ids     map[[16]byte]*topic
	created uint64 // topics ever made: part of their ids, so that one made again has another id
}

func newRegistry(opts Options) *registry {
	return &registry{opts: opts, names: map[string]*topic{}, ids: map[[16]byte]*topic{}}
}

// byName is the topic of that name, made now if it isn't there; nil if no topic can have the name.
func (r *registry) byName(name []byte) *topic {
	r.mu.RLock()
	t := r.names[string(name)]
	r.mu.RUnlock()
	if t != nil || !validTopic(string(name)) {
		return t
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.names[string(name)]; t != nil {
		return t // another connection made it between the two locks
	}
	return r.add(&topic{name: string(name), replication: 1}, r.opts.Partitions)
}

// byID is the topic of that id, or nil.
func (r *registry) byID(id []byte) *topic {
	if len(id) != 16 {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.ids[[16]byte(id)]
}

// lookup is the topic of that name if it is there already.
func (r *registry) lookup(name string) *topic {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.names[name]
}

// create adds t with so many partitions; false: there is one of this name.
func (r *registry) create(t *topic, partitions int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names[t.name] != nil {
		return false
	}
	r.add(t, partitions)
	return true
}

// add completes t and stores it; the caller holds mu.
func (r *registry) add(t *topic, partitions int) *topic {
	r.created++
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(t.name), r.created))
	t.id = [16]byte(sum[:])
	t.id[6] = t.id[6]&0x0f | 0x80 // a UUID of version 8 (RFC 9562): never all zero, which means "no id"
	t.id[8] = t.id[8]&0x3f | 0x80
	t.next = make([]atomic.Int64, partitions)
	if t.maxMessage == 0 {
		t.maxMessage = r.opts.MaxMessageBytes
	}
	r.names[t.name], r.ids[t.id] = t, t
	return t
}

// remove forgets a topic; false: it wasn't there.
func (r *registry) remove(t *topic) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names[t.name] != t {
		return false
	}
	delete(r.names, t.name)
	delete(r.ids, t.id)
	return true
}

// all is every topic, by name.
func (r *registry) all() []*topic {
	r.mu.RLock()
	list := make([]*topic, 0, len(r.names))
	for _, t := range r.names {
		list = append(list, t)
	}
	r.mu.RUnlock()
	slices.SortFunc(list, func(a, b *topic) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return list
}

// validTopic applies Kafka's rule for names (org.apache.kafka.common.internals.Topic).
func validTopic(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > 249 {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// leader is the broker that leads a partition.
func (s *Server) leader(partition int32) int32 { return partition % int32(s.opts.Brokers) }

// replicas are the brokers that hold a partition, its leader first.
func (s *Server) replicas(t *topic, partition int32) []int32 {
	list := make([]int32, t.replication)
	for i := range list {
		list[i] = (s.leader(partition) + int32(i)) % int32(s.opts.Brokers)
	}
	return list
}
