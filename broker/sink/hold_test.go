package sink_test

import (
	"strings"
	"testing"

	"kbench/broker/sink"
)

func TestParseHold(t *testing.T) {
	tests := []struct {
		texts []string
		want  string
	}{
		{nil, "none"},
		{[]string{"none"}, "none"},
		{[]string{"constant:5ms"}, "constant:time=5ms"},
		{[]string{"constant:time=0s"}, "constant:time=0s"},
		{[]string{"uniform:from=1ms,to=2ms"}, "uniform:from=1ms,to=2ms"},
		{[]string{"normal:mean=5ms,sd=1ms"}, "normal:mean=5ms,sd=1ms"},
		{[]string{"normal:sd=1000us,mean=5ms"}, "normal:mean=5ms,sd=1ms"},
		{[]string{"lognormal:median=2ms,sigma=0.50"}, "lognormal:median=2ms,sigma=0.5"},
		{[]string{"exponential:mean=5ms"}, "exponential:mean=5ms"},
		{[]string{"bimodal:fast=1ms,slow=20ms,slow-share=0.05"}, "bimodal:fast=1ms,slow=20ms,slow-share=0.05"},
		{[]string{"mm1:1ms"}, "mm1:mean=1ms,per=request"},
		{[]string{"mm1:1ms,per=record"}, "mm1:mean=1ms,per=record"},
		{[]string{"md1:time=1ms,per=record"}, "md1:time=1ms,per=record"},
		{[]string{"mgk:servers=4,service=lognormal,median=2ms,sigma=0.5"}, "mgk:servers=4,service=lognormal,median=2ms,sigma=0.5,per=request"},
		{[]string{"mgk:4,service=constant,time=1ms"}, "mgk:servers=4,service=constant,time=1ms,per=request"},
		{[]string{"cap:200000/s", "stall:at=10s,for=1s"}, "cap:rate=200000/s + stall:at=10s,for=1s"},
		{[]string{"stall:at=0s,for=1s,every=20s", "stall:at=5s,for=2s"}, "stall:at=0s,for=1s,every=20s + stall:at=5s,for=2s"},
		{[]string{"throttle:200ms,share=0.01", "error:6,share=0.001"}, "throttle:time=200ms,share=0.01 + error:code=NOT_LEADER_OR_FOLLOWER,share=0.001"},
		{[]string{"error:code=not_enough_replicas"}, "error:code=NOT_ENOUGH_REPLICAS,share=1"},
		{[]string{"error:NOT_LEADER_FOR_PARTITION"}, "error:code=NOT_LEADER_OR_FOLLOWER,share=1"},
		{[]string{"error:NOT_LEADER_OR_FOLLOWER"}, "error:code=NOT_LEADER_OR_FOLLOWER,share=1"},
		{[]string{"drift:from=1ms,to=10ms,over=30s"}, "drift:from=1ms,to=10ms,over=30s"},
		{[]string{"cap:1.5/s + constant:1ms"}, "cap:rate=1.5/s + constant:time=1ms"},
	}
	for _, tt := range tests {
		h, err := sink.ParseHold(tt.texts)
		if err != nil {
			t.Errorf("%q: %v", tt.texts, err)
			continue
		}
		if h.String() != tt.want || h.Active() != (tt.want != "none") {
			t.Errorf("%q: got %q, active %v, want %q", tt.texts, h, h.Active(), tt.want)
		}
		again, err := sink.ParseHold([]string{h.String()})
		if err != nil || again.String() != tt.want {
			t.Errorf("%q read again: %q, %v", tt.want, again, err)
		}
	}
}

func TestParseHoldRefuses(t *testing.T) {
	tests := []struct {
		texts string // separated by spaces
		want  string
	}{
		{"", `"": unknown model ""; allowed are none, constant,`},
		{"constnat:5ms", `"constnat:5ms": unknown model "constnat" (did you mean constant?); allowed are none, constant, uniform, normal`},
		{"expo:5ms", "did you mean exponential?"},
		{"constant", "time is missing; the form is constant:time=TIME"},
		{"constant:", "time is missing"},
		{"constant:5", `"constant:5": time=5: want a time such as 5ms or 1.5s, from 0s to 1h`},
		{"constant:-5ms", "time=-5ms: want a time"},
		{"constant:61m", "time=61m: want a time such as 5ms or 1.5s, from 0s to 1h"},
		{"constant:NaN", "time=NaN: want a time"},
		{"exponential:0s", "mean=0s: want a time such as 5ms or 1.5s, more than 0 and at most 1h"},
		{"exponential:1e400s", "mean=1e400s: want a time"},
		{"exponential:mean=1ms,mean=2ms", "mean is given twice"},
		{"exponential:1ms,mean=2ms", "mean is given twice"},
		{"exponential:mena=1ms", `unknown parameter "mena" (did you mean mean?); allowed is mean; the form is exponential:mean=TIME`},
		{"constant:foo=1ms", `unknown parameter "foo"; allowed is time`},
		{"exponential:1ms,maen=2ms", `unknown parameter "maen" (did you mean mean?); allowed is mean`},
		{"exponential:1ms,2ms", `"2ms": want name=value; the form is exponential:mean=TIME`},
		{"normal:mean=5ms", "sd is missing; the form is normal:mean=TIME,sd=TIME"},
		{"normal:mean=5ms,sd=0s", "sd=0s: want a time"},
		{"lognormal:median=1ms,sigma=NaN", "sigma=NaN: want a number more than 0 and at most 4"},
		{"lognormal:median=1ms,sigma=Inf", "sigma=Inf: want a number"},
		{"lognormal:median=1ms,sigma=-1", "sigma=-1: want a number"},
		{"lognormal:median=1ms,sigma=5", "sigma=5: want a number"},
		{"uniform:from=2ms,to=1ms", "from=2ms isn't less than to=1ms"},
		{"bimodal:fast=2ms,slow=2ms,slow-share=0.1", "fast=2ms isn't less than slow=2ms"},
		{"bimodal:fast=1ms,slow=2ms,slow-share=1.1", "slow-share=1.1: want a number more than 0 and at most 1"},
		{"mm1:1ms,per=batch", "per=batch: allowed are request and record"},
		{"mm1:1ms md1:1ms", `"md1:1ms": there is "mm1:1ms" already; of latency and queue models only one is allowed`},
		{"constant:1ms stall:at=1s,for=1s normal:mean=1ms,sd=1ms", "of latency and queue models only one"},
		{"mgk:servers=0,service=constant,time=1ms", "servers=0: want a whole number from 1 to 1000"},
		{"mgk:servers=2", "service is missing"},
		{"mgk:servers=2,service=mm1,mean=1ms", `service: unknown model "mm1"; allowed are constant, uniform, normal, lognormal, exponential, bimodal`},
		{"mgk:servers=2,mean=1ms", "service is missing"},
		{"mgk:servers=2,service=constant:1ms", "service: its parameters follow it as further ones of mgk: write service=constant,time=1ms instead of service=constant:1ms"},
		{"mgk:servers=2,service=lognormal:median=1ms,sigma=0.5", "write service=lognormal,median=1ms instead of service=lognormal:median=1ms"},
		{"mgk:servers=2,service=constnat:1ms", `service: unknown model "constnat" (did you mean constant?)`},
		{"mgk:servers=2,service=constant", "time is missing; the form is mgk:servers=COUNT,service=MODEL"},
		{"mgk:servers=2,service=constant,time=0s", "time=0s: a service time is more than 0"},
		{"mgk:servers=2,service=uniform,from=2ms,to=1ms", "from=2ms isn't less than to=1ms"},
		{"mgk:servers=2,service=constant,time=1ms,sigma=1", `unknown parameter "sigma"`},
		{"cap:0/s", "rate=0/s: want records a second such as 200000/s, more than 0"},
		{"cap:-1", "rate=-1: want records a second"},
		{"cap:NaN/s", "rate=NaN/s: want records a second"},
		{"cap:fast", "rate=fast: want records a second"},
		{"cap:1/s cap:2/s", `"cap:2/s": there is "cap:1/s" already; of cap only one is allowed`},
		{"stall:at=1s", "for is missing; the form is stall:at=TIME,for=TIME[,every=TIME]"},
		{"stall:at=1s,for=0s", "for=0s: want a time"},
		{"stall:at=1s,for=2s,every=2s", "for=2s isn't less than every=2s"},
		{"stall:at=0s,for=1s,every=2s stall:at=1s,for=1s,every=2s", "2 stalls with every=; only one is allowed"},
		{"throttle:time=200ms,share=2", "share=2: want a number"},
		{"error:share=0.5", "code is missing"},
		{"error:0", "code=0: no such error of Kafka; want its number or its name"},
		{"error:code=NOT_ENOUGH_REPLICA", "code=NOT_ENOUGH_REPLICA: no such error of Kafka (did you mean NOT_ENOUGH_REPLICAS?)"},
		{"error:code=qqqqqqqqqqqq", "want its number or its name"},
		{"drift:from=1ms,to=2ms,over=0s", "over=0s: want a time"},
		{"nnoe", "did you mean none?"},
		{"none constant:1ms", `"none" together with other models`},
		{"constant:1ms none", `"none" together with other models`},
	}
	for _, tt := range tests {
		texts := strings.Fields(tt.texts)
		if tt.texts == "" {
			texts = []string{""}
		}
		h, err := sink.ParseHold(texts)
		if err == nil {
			t.Errorf("%q is read as %q", tt.texts, h)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error\n%s\nwant in it\n%s", tt.texts, err, tt.want)
		}
	}
}
