package sink

import (
	"fmt"
	"strings"
)

// kind is what a parameter's value may be.
type kind int

const (
	kindTime    kind = iota // 0 to longestHold
	kindLength              // more than 0, to longestHold
	kindSigma               // more than 0, to maxSigma
	kindShare               // more than 0, to 1
	kindRate                // records a second, more than 0
	kindServers             // 1 to maxServers
	kindError               // Kafka's name or number
	kindPer                 // request or record
	kindService             // the name of a distribution
)

// parameter is one of a model's.
type parameter struct {
	name     string
	kind     kind
	fallback string // its value where it isn't given; "": it must be; absent: it isn't there then
}

// absent is the fallback of a parameter that has no value unless it is given.
const absent = "-"

// Classes of models. Of the first two only one can be given, of the others one of each; but stalls several.
const (
	classLatency = iota
	classQueue
	classOther
)

// model is one kind of hold.
type model struct {
	name       string
	class      int
	parameters []parameter // the first one's name can be left out
	about      string
	times      func(*values) distribution // its distribution; nil: it has none
	add        func(*Hold, *values)       // puts one that has none into a hold
}

// models lists what ParseHold knows.
func models() []model {
	per := parameter{"per", kindPer, "request"}
	return []model{
		{name: "constant", class: classLatency, parameters: []parameter{{name: "time", kind: kindTime}},
			about: "every answer is held for the same time",
			times: func(v *values) distribution { return constantTime(v.number("time")) }},
		{name: "uniform", class: classLatency, parameters: []parameter{{name: "from", kind: kindTime}, {name: "to", kind: kindLength}},
			about: "any time between the two is equally likely",
			times: func(v *values) distribution { return evenTime{v.number("from"), v.number("to")} }},
		{name: "normal", class: classLatency, parameters: []parameter{{name: "mean", kind: kindTime}, {name: "sd", kind: kindLength}},
			about: "normally distributed, cut off at 0: values below don't occur, which raises the mean where sd isn't small",
			times: func(v *values) distribution { return normalTime{v.number("mean"), v.number("sd")} }},
		{name: "lognormal", class: classLatency, parameters: []parameter{{name: "median", kind: kindLength}, {name: "sigma", kind: kindSigma}},
			about: "the logarithm is normally distributed with standard deviation sigma",
			times: func(v *values) distribution { return lognormalTime{v.number("median"), v.number("sigma")} }},
		{name: "exponential", class: classLatency, parameters: []parameter{{name: "mean", kind: kindLength}},
			about: "exponentially distributed",
			times: func(v *values) distribution { return exponentialTime(v.number("mean")) }},
		{name: "bimodal", class: classLatency, parameters: []parameter{{name: "fast", kind: kindTime}, {name: "slow", kind: kindLength}, {name: "slow-share", kind: kindShare}},
			about: "slow with the probability slow-share, else fast",
			times: func(v *values) distribution {
				return bimodalTime{v.number("fast"), v.number("slow"), v.number("slow-share")}
			}},
		{name: "mm1", class: classQueue, parameters: []parameter{{name: "mean", kind: kindLength}, per},
			about: "a queue before one server whose service times are exponential",
			add: func(h *Hold, v *values) {
				h.queue = &queueModel{exponentialTime(v.number("mean")), 1, v.perRecord()}
			}},
		{name: "md1", class: classQueue, parameters: []parameter{{name: "time", kind: kindLength}, per},
			about: "a queue before one server whose service time is constant",
			add: func(h *Hold, v *values) {
				h.queue = &queueModel{constantTime(v.number("time")), 1, v.perRecord()}
			}},
		{name: "mgk", class: classQueue, parameters: []parameter{{name: "servers", kind: kindServers}, {name: "service", kind: kindService}, per},
			about: "a queue before some servers; service is one of the six above, its parameters follow",
			add: func(h *Hold, v *values) {
				h.queue = &queueModel{v.service.times(v), int(v.number("servers")), v.perRecord()}
			}},
		{name: "cap", class: classOther, parameters: []parameter{{name: "rate", kind: kindRate}},
			about: "at most so many records a second pass, in one line",
			add:   func(h *Hold, v *values) { h.cap = v.number("rate") }},
		{name: "drift", class: classOther, parameters: []parameter{{name: "from", kind: kindTime}, {name: "to", kind: kindTime}, {name: "over", kind: kindLength}},
			about: "a hold, besides any other, that changes linearly from the first request on",
			add: func(h *Hold, v *values) {
				h.drift = drift{int64(v.number("from")), int64(v.number("to")), int64(v.number("over"))}
			}},
		{name: "stall", class: classOther, parameters: []parameter{{name: "at", kind: kindTime}, {name: "for", kind: kindLength}, {name: "every", kind: kindLength, fallback: absent}},
			about: "a window, counted from the first request, in which no work is done and no answer leaves",
			add: func(h *Hold, v *values) {
				h.stalls = append(h.stalls, stall{int64(v.number("at")), int64(v.number("for")), int64(v.number("every"))})
			}},
		{name: "throttle", class: classOther, parameters: []parameter{{name: "time", kind: kindLength}, {name: "share", kind: kindShare, fallback: "1"}},
			about: "a share of the answers tells the client to pause (throttle_time_ms) and isn't late for it; the sink mutes nobody",
			add: func(h *Hold, v *values) {
				h.throttle = throttling{int32((v.number("time") + 999_999) / 1e6), v.number("share")}
			}},
		{name: "error", class: classOther, parameters: []parameter{{name: "code", kind: kindError}, {name: "share", kind: kindShare, fallback: "1"}},
			about: "a share of the requests is answered with a Kafka error, and their batches don't count",
			add:   func(h *Hold, v *values) { h.fault = fault{int16(v.number("code")), v.number("share")} }},
	}
}

// noHold is the model that holds nothing.
const noHold = "none"

// HoldHelp is a table of the models, for a command's help.
func HoldHelp() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n      answers leave at once\n", noHold)
	for _, m := range models() {
		fmt.Fprintf(&b, "  %s\n      %s\n", m.syntax(), m.about)
	}
	return b.String()
}

// syntax is a model with its parameters as they are written.
func (m model) syntax() string {
	text := m.name
	for i, p := range m.parameters {
		sep := ","
		if i == 0 {
			sep = ":"
		}
		item := sep + p.name + "=" + p.kind.example()
		if p.kind == kindService {
			item += ",…"
		}
		if p.fallback != "" {
			item = "[" + item + "]"
		}
		text += item
	}
	return text
}

func (k kind) example() string {
	switch k {
	case kindSigma:
		return "NUMBER"
	case kindShare:
		return "SHARE"
	case kindRate:
		return "RECORDS/s"
	case kindServers:
		return "COUNT"
	case kindError:
		return "ERROR"
	case kindPer:
		return "request|record"
	case kindService:
		return "MODEL"
	}
	return "TIME"
}
