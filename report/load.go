package report

import (
	"encoding/json"
	"strings"

	"kbench/metrics"
	"kbench/workload"
)

// load is what of the plan's load stands in the summary, rates as a profile writes them. Keys are matched in any case.
type load struct {
	Arrivals string
	Send     string
	Ramp     struct{ From, To, Over string }
	Steps    []struct{ Rate string }
	Burst    struct{ Base, Rate, Every, For string }
	Process  string
}

// loadOf reads the plan of a result. A plan that can't be read says nothing, so the summary leaves it out.
func loadOf(r *metrics.Result) load {
	var plan struct{ Load load }
	if err := json.Unmarshal(r.Plan, &plan); err != nil {
		return load{}
	}
	return plan.Load
}

// scheduled says whether records were due at times of their own. Without that, a record is due when it is handed over,
// and response is the same as service.
func scheduled(r *metrics.Result) bool {
	l := loadOf(r)
	if l.Arrivals == "" { // a plan that says nothing
		return r.Totals.TargetRate > 0
	}
	return workload.Load{Arrivals: l.Arrivals}.Scheduled()
}

// loadText says what load was asked for.
func loadText(r *metrics.Result) string {
	l := loadOf(r)
	text := l.text()
	switch {
	case !scheduled(r) && text != "":
	case r.Totals.TargetRate > 0 && l.curved():
		text += ", " + digits(r.Totals.TargetRate) + " records/s asked on average"
	case r.Totals.TargetRate > 0:
		text = strings.TrimSpace(text + " " + digits(r.Totals.TargetRate) + " records/s asked")
	case text == "":
		text = "no rate asked"
	}
	if l.Send != "" && l.Send != workload.SendAsync {
		text += ", " + l.Send
	}
	return text
}

// curved says whether the rate changes in the course of the load.
func (l load) curved() bool { return !(workload.Load{Arrivals: l.Arrivals}).Stationary() }

// text names the arrivals and how their rate changes.
func (l load) text() string {
	text := l.Arrivals
	switch l.Arrivals {
	case workload.ArrivalsMax:
		return "as fast as it goes"
	case workload.ArrivalsClosed:
		return "closed loop"
	case workload.ArrivalsRamp:
		text += " " + l.Ramp.From + "→" + l.Ramp.To + " in " + l.Ramp.Over
	case workload.ArrivalsSteps:
		text += " " + strings.Join(each(l.Steps, func(s struct{ Rate string }) string { return s.Rate }), "→")
	case workload.ArrivalsBurst:
		text += " " + l.Burst.Base + ", " + l.Burst.Rate + " for " + l.Burst.For + " every " + l.Burst.Every
	}
	if l.Process != "" {
		text += " (" + l.Process + ")"
	}
	return text
}
