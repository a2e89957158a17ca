package workload

import (
	"slices"
	"strings"
)

// giveWay removes what the new value at path contradicts, as far as it was written with a lower rank.
func (p *Profile) giveWay(path string, v *node, rank int) {
	load, key, value := p.root.get("load"), p.root.get("records").get("key"), p.root.get("records").get("value")
	giveWayInLoad(load, path, v.text, rank)
	switch path {
	case "records.value.file":
		value.drop("size", rank)
		value.drop("compressibility", rank)
	case "records.value.compressibility":
		value.drop("file", rank)
	case "records.key.distribution":
		for _, field := range []string{"cardinality", "size", "s", "hot.keys", "hot.share"} {
			if !slices.Contains(keyFields(v.text), field) {
				key.drop(field, rank)
			}
		}
	case "load.records":
		load.drop("duration", rank)
	}
	if strings.HasPrefix(path, "records.value.size") {
		value.drop("file", rank)
		p.dropOtherSizes(path, rank)
	}
}

// giveWayInLoad removes what contradicts the new value text of the load's field at path.
func giveWayInLoad(load *node, path, text string, rank int) {
	field, ok := strings.CutPrefix(path, "load.")
	if !ok {
		return
	}
	block, _, _ := strings.Cut(field, ".")
	now := arrivalsBelow(load, rank)
	become := "" // the arrivals that the new value asks for; "": they stay
	switch {
	case field == "arrivals":
		become = text
	case field == "rate" && text == rateMaxLiteral:
		become = ArrivalsMax
	case field == "rate":
		if become = ArrivalsConstant; now == ArrivalsPoisson {
			become = now
		}
	case field == "in.flight":
		become = ArrivalsClosed
	case slices.Contains(loadBlocks(), block):
		become = block
	default:
		return
	}
	if n := load.get("arrivals"); n != nil && n.text != become {
		load.drop("arrivals", rank)
	}
	if now != become && slices.Contains(loadBlocks(), become) {
		load.drop("warmup", rank) // it was for a load that settles
		if become == ArrivalsSteps || become == ArrivalsTrace {
			load.drop("duration", rank) // they have one of their own
		}
	}
	for _, name := range loadFields() {
		f := load.get(name)
		limitless := name == "rate" && f != nil && f.text == rateMaxLiteral
		if !goesWith(name, become) || limitless && become != ArrivalsMax {
			load.drop(name, rank)
		}
	}
}

// arrivalsBelow is what the load's arrivals are by what was written with a lower rank; "" if that leaves it open.
func arrivalsBelow(load *node, rank int) string {
	for _, block := range append([]string{"arrivals"}, loadBlocks()...) {
		n := load.get(block)
		switch {
		case n == nil || n.at.rank >= rank:
		case block == "arrivals":
			return n.text
		default:
			return block
		}
	}
	return ""
}

// loadFields lists the fields of a load that go with some arrivals only.
func loadFields() []string {
	return append(loadBlocks(), "rate", "process", "repeat", "in.flight")
}

// goesWith tells whether arrivals take a field of loadFields.
func goesWith(field, arrivals string) bool {
	switch field {
	case "rate":
		return arrivals == ArrivalsConstant || arrivals == ArrivalsPoisson
	case "process":
		return arrivals == ArrivalsRamp || arrivals == ArrivalsSteps || arrivals == ArrivalsBurst
	case "repeat":
		return arrivals == ArrivalsSteps || arrivals == ArrivalsTrace
	case "in.flight":
		return arrivals == ArrivalsClosed
	}
	return field == arrivals
}

// dropOtherSizes leaves only the distribution of sizes that was set last: records.value.size.uniform.max over lognormal.
func (p *Profile) dropOtherSizes(path string, rank int) {
	chosen, _, _ := strings.Cut(strings.TrimPrefix(path, "records.value.size."), ".")
	if !slices.Contains(sizeDistributions(), chosen) {
		return
	}
	size := p.root.get("records").get("value").get("size")
	for _, other := range sizeDistributions() {
		if other != chosen {
			size.drop(other, rank)
		}
	}
}
