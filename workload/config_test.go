package workload

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDefaults holds the defaults against those of Kafka 4.x (ProducerConfig.CONFIG).
func TestDefaults(t *testing.T) {
	want := `acks=all
enable.idempotence=true
max.in.flight.requests.per.connection=5
retries=2147483647
linger.ms=5
batch.size=16384
compression.type=none
compression.gzip.level=-1
compression.lz4.level=9
compression.zstd.level=3
buffer.memory=33554432
max.block.ms=60000
max.request.size=1048576
request.timeout.ms=30000
delivery.timeout.ms=120000
retry.backoff.ms=100
retry.backoff.max.ms=1000
reconnect.backoff.ms=50
reconnect.backoff.max.ms=1000
partitioner=default
partitioner.adaptive.partitioning.enable=true
partitioner.availability.timeout.ms=0
partitioner.ignore.keys=false
transactional.id=
transaction.timeout.ms=60000
client.id=
client.rack=
send.buffer.bytes=131072
receive.buffer.bytes=32768
metadata.max.age.ms=300000
metadata.recovery.strategy=rebootstrap
metadata.recovery.rebootstrap.trigger.ms=300000
connections.max.idle.ms=540000
socket.connection.setup.timeout.ms=10000
socket.connection.setup.timeout.max.ms=30000
bootstrap.servers=
security.protocol=PLAINTEXT
ssl.truststore.location=
ssl.truststore.certificates=
ssl.truststore.type=
ssl.keystore.location=
ssl.keystore.certificate.chain=
ssl.keystore.key=
ssl.keystore.type=
ssl.endpoint.identification.algorithm=https
sasl.mechanism=
sasl.jaas.config=
sasl.oauthbearer.token.endpoint.url=
sasl.oauthbearer.client.credentials.client.id=
sasl.oauthbearer.client.credentials.client.secret=
sasl.oauthbearer.scope=
sasl.oauthbearer.header.urlencode=false
sasl.login.connect.timeout.ms=10000
sasl.login.read.timeout.ms=10000
`
	c := DefaultProducerConfig()
	var got strings.Builder
	for _, kv := range c.All() {
		got.WriteString(kv.Name + "=" + kv.Value + "\n")
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
	if err := c.Validate(); err != nil || c.Notes() != nil {
		t.Errorf("the defaults: %v, notes %q", err, c.Notes())
	}
}

// TestEverySettingReadsBack: what Get writes, Set reads, for each carried setting; and no name is there twice.
func TestEverySettingReadsBack(t *testing.T) {
	defaults := DefaultProducerConfig()
	seen := map[string]bool{}
	for _, s := range Settings() {
		if seen[s.Name] || s.Doc == "" || s.Allowed == "" || s.Type == "" {
			t.Errorf("%s: twice or incomplete: %+v", s.Name, s)
		}
		seen[s.Name] = true
		c := DefaultProducerConfig()
		switch s.Use {
		case SettingCarried:
			if s.Default == "" && s.Name == "bootstrap.servers" {
				continue
			}
			if err := c.Set(s.Name, s.Default); err != nil {
				t.Error(err)
			}
			if c.Get(s.Name) != s.Default || !c.Explicit(s.Name) || defaults.Explicit(s.Name) {
				t.Errorf("%s: got %q, explicit %v; want %q, true", s.Name, c.Get(s.Name), c.Explicit(s.Name), s.Default)
			}
		case SettingIgnored:
			if err := c.Set(s.Name, s.Default); err != nil || c.Explicit(s.Name) {
				t.Errorf("%s: %v", s.Name, err)
			}
		case SettingRefused:
			if err := c.Set(s.Name, "hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", s.Name, err)
			}
		}
	}
}

func TestSetForms(t *testing.T) {
	for _, c := range []struct{ name, value, read, want string }{
		{"acks", "-1", "acks", "all"}, {"acks", "all", "acks", "all"}, {"acks", " 1 ", "acks", "1"}, {"acks", "0", "acks", "0"},
		{"batch.size", "16KiB", "batch.size", "16384"}, {"batch.size", "1MB", "batch.size", "1000000"},
		{"linger.ms", "5ms", "linger.ms", "5"}, {"linger.ms", "2s", "linger.ms", "2000"}, {"linger.ms", "0", "linger.ms", "0"},
		{"send.buffer.bytes", "-1", "send.buffer.bytes", "-1"}, {"enable.idempotence", "FALSE", "enable.idempotence", "false"},
		{"buffer.memory", "64GiB", "buffer.memory", "68719476736"}, {"security.protocol", "plaintext", "security.protocol", "PLAINTEXT"},
		{"partitioner.class", classRoundRobin, "partitioner", "roundrobin"}, {"partitioner.class", "", "partitioner", "default"},
		{"partitioner.class", classSticky, "partitioner.ignore.keys", "true"}, {"partitioner", "roundrobin", "partitioner.class", classRoundRobin},
		{"bootstrap.servers", "a:9092, [::1]:9093", "bootstrap.servers", "a:9092, [::1]:9093"},
		{"no.such", "x", "no.such", ""},
	} {
		cfg := DefaultProducerConfig()
		err := cfg.Set(c.name, c.value)
		if got := cfg.Get(c.read); got != c.want || (err != nil) != (c.name == "no.such") {
			t.Errorf("%s=%s: %s is %q, %v; want %q", c.name, c.value, c.read, got, err, c.want)
		}
	}
}

// TestSettledSettings: what follows from other settings is set, noted, and taken back with its cause.
func TestSettledSettings(t *testing.T) {
	for _, c := range []struct {
		set, idempotence, delivery, notes string
	}{
		{"", "true", "120000", ""},
		{"acks=1", "false", "120000", "enable.idempotence is off because of acks=1"},
		{"acks=1 acks=all", "true", "120000", ""},
		{"retries=0", "false", "120000", "enable.idempotence is off because of retries=0"},
		{"max.in.flight.requests.per.connection=6", "false", "120000", "enable.idempotence is off because of max.in.flight.requests.per.connection=6"},
		{"enable.idempotence=false acks=1", "false", "120000", ""},
		{"acks=0 enable.idempotence=false acks=all", "false", "120000", ""},
		{"request.timeout.ms=200s", "true", "200005", "delivery.timeout.ms is raised from 120000 to 200005, that is, linger.ms + request.timeout.ms"},
		{"request.timeout.ms=200s linger.ms=10 request.timeout.ms=1s", "true", "120000", ""},
		{"request.timeout.ms=2147483647", "true", "2147483647", "delivery.timeout.ms is raised from 120000 to 2147483647, that is, linger.ms + request.timeout.ms"},
		{"retry.backoff.ms=5000", "true", "120000", "retry.backoff.ms=5000 is above retry.backoff.max.ms=1000, which is used from the first pause on"},
	} {
		cfg := DefaultProducerConfig()
		for _, arg := range strings.Fields(c.set) {
			kv, err := ParseKV(arg)
			if err != nil {
				t.Fatal(err)
			}
			if err := cfg.Set(kv.Name, kv.Value); err != nil {
				t.Fatal(err)
			}
		}
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", c.set, err)
		}
		got := []string{cfg.Get("enable.idempotence"), cfg.Get("delivery.timeout.ms"), strings.Join(cfg.Notes(), "; ")}
		if diff := cmp.Diff([]string{c.idempotence, c.delivery, c.notes}, got); diff != "" {
			t.Errorf("%s: %s", c.set, diff)
		}
	}
}

// TestSetLeavesCopiesAlone: copies of a configuration share nothing that Set changes.
func TestSetLeavesCopiesAlone(t *testing.T) {
	a := DefaultProducerConfig()
	if err := a.Set("acks", "1"); err != nil {
		t.Fatal(err)
	}
	b := a
	if err := b.Set("linger.ms", "7"); err != nil {
		t.Fatal(err)
	}
	if a.Explicit("linger.ms") || a.Linger != 5*time.Millisecond {
		t.Error("setting a copy changed the original")
	}
}

func TestValidateKeepsFieldsSetByHand(t *testing.T) {
	c := DefaultProducerConfig()
	c.Acks, c.EnableIdempotence = 1, false
	if err := c.Validate(); err != nil || c.EnableIdempotence || c.Notes() != nil {
		t.Errorf("%v, idempotence %v, notes %q", err, c.EnableIdempotence, c.Notes())
	}
}

func TestNearest(t *testing.T) {
	known := []string{"linger.ms", "batch.size", "acks", "compression.type", "all"}
	for word, want := range map[string]string{
		"linger.sm": "linger.ms", "LINGER_MS": "linger.ms", "batch-size": "batch.size", "ack": "acks", "compression": "compression.type",
		"x": "", "": "", "ALL": "all", "retention": "", "2": "", "com": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestHide(t *testing.T) {
	for name, want := range map[string]string{
		"sasl.jaas.config": hidden, "ssl.keystore.key": hidden, "ssl.key.pasword": hidden, "my.token": hidden,
		"linger.ms": "v", "key.serializer": "v", "client.id": "v", "ssl.keystore.location": "v",
	} {
		if got := Hide(name, "v"); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
