package workload

import (
	"path/filepath"
	"slices"
	"strings"
)

// Defaults of records.
const (
	defaultCardinality     = 100_000
	defaultZipfS           = 1.1
	defaultHotKeys         = 1
	defaultHotShare        = 0.5
	defaultKeySize         = 16
	defaultValueSize       = 1024
	defaultCompressibility = 0.5
	defaultHeaderSize      = 16
	traceparentSize        = 55 // of the W3C header traceparent
)

// records reads what a record is made of: {key: …, value: …, headers: …}.
func (d *decoder) records(n *node) RecordSpec {
	m := d.mapping(n, "records", "key", "value", "headers")
	return RecordSpec{
		Key:     d.key(m.get("key")),
		Value:   d.value(m.get("value")),
		Headers: d.headers(m.get("headers")),
	}
}

// keyFields lists the fields that each distribution of keys takes besides distribution.
func keyFields(distribution string) []string {
	switch distribution {
	case KeySequential, KeyUniform:
		return []string{"cardinality", "size"}
	case KeyZipf:
		return []string{"cardinality", "size", "s"}
	case KeyHot:
		return []string{"cardinality", "size", "hot.keys", "hot.share"}
	}
	return nil
}

// keyDistributions lists the distributions of keys.
func keyDistributions() []string {
	return []string{KeyNone, KeySequential, KeyUniform, KeyZipf, KeyHot}
}

// key reads the keys, by default none:
//
//	key: none
//	key: uniform                                             # short for {distribution: uniform}
//	key: {distribution: sequential, cardinality: 1000}       # 0, 1, 2 … 999, 0 …
//	key: {distribution: uniform, cardinality: 1000, size: 8} # keys of 8 bytes
//	key: {distribution: zipf, cardinality: 100000, s: 1.1}   # key k as often as 1/(k+1)^s
//	key: {distribution: hot, cardinality: 100000, hot.keys: 10, hot.share: 0.9} # 90 % of the records use 10 keys
func (d *decoder) key(n *node) KeySpec {
	const path = "records.key"
	spec := KeySpec{Distribution: KeyNone}
	if n == nil {
		return spec
	}
	if n.kind == scalarNode {
		d.choice(n, path, keyDistributions(), &spec.Distribution)
		return withKeyDefaults(spec.Distribution)
	}
	m := d.mapping(n, path, "distribution", "cardinality", "s", "hot.keys", "hot.share", "size")
	if m == nil {
		return spec
	}
	given := m.get("distribution")
	if given == nil {
		d.failf(n, path, "distribution is missing: allowed %s", strings.Join(keyDistributions(), ", "))
		return spec
	}
	before := len(d.errs)
	d.choice(given, path+".distribution", keyDistributions(), &spec.Distribution)
	if len(d.errs) > before {
		return spec
	}
	spec = withKeyDefaults(spec.Distribution)
	fields := keyFields(spec.Distribution)
	for _, f := range m.fields {
		if f.key != "distribution" && !slices.Contains(fields, f.key) && f.value.kind != nullNode {
			e := &fieldError{msg: f.key + " doesn't go with distribution " + spec.Distribution, clash: true}
			if len(fields) > 0 {
				e.allowed = strings.Join(fields, ", ")
			}
			d.fail(f.value, join(path, f.key), e)
		}
	}
	d.integer(m.get("cardinality"), path+".cardinality", &spec.Cardinality)
	d.number(m.get("s"), path+".s", &spec.S)
	d.integer(m.get("hot.keys"), path+".hot.keys", &spec.HotKeys)
	d.number(m.get("hot.share"), path+".hot.share", &spec.HotShare)
	d.size(m.get("size"), path+".size", &spec.Size)
	return spec
}

// withKeyDefaults returns the spec of a distribution whose fields aren't given.
func withKeyDefaults(distribution string) KeySpec {
	spec := KeySpec{Distribution: distribution}
	if distribution == KeyNone {
		return spec
	}
	spec.Cardinality, spec.Size = defaultCardinality, defaultKeySize
	switch distribution {
	case KeyZipf:
		spec.S = defaultZipfS
	case KeyHot:
		spec.HotKeys, spec.HotShare = defaultHotKeys, defaultHotShare
	}
	return spec
}

// value reads the values, by default of 1 KiB:
//
//	value: 100                                   # short for {size: 100}
//	value: {size: 1KiB, compressibility: 0.5}    # compression can take half of the bytes away
//	value: {size: {lognormal: {median: 1KiB, sigma: 0.8, max: 64KiB}}}
//	value: {file: navaids.jsonl}                 # the lines of a file; relative to the profile's folder
func (d *decoder) value(n *node) ValueSpec {
	const path = "records.value"
	spec := ValueSpec{Size: SizeSpec{Distribution: SizeFixed, Bytes: defaultValueSize}, Compressibility: defaultCompressibility}
	if n == nil {
		return spec
	}
	if n.kind == scalarNode {
		d.size(n, path, &spec.Size.Bytes)
		return spec
	}
	later := []string{"json", "strings", "numbers", "avro", "protobuf", "json.schema", "jsonschema"}
	known := []string{"size", "compressibility", "file"}
	if n.kind == mapNode {
		for _, f := range n.fields {
			if slices.Contains(later, f.key) {
				d.fail(f.value, join(path, f.key), &fieldError{msg: "not available in this version", allowed: strings.Join(known, ", ")})
				return spec
			}
		}
	}
	m := d.mapping(n, path, known...)
	if file := m.get("file"); file != nil {
		for _, other := range []string{"size", "compressibility"} {
			if o := m.get(other); o != nil {
				d.fail(o, join(path, other), &fieldError{msg: other + " contradicts file: the file's lines are the values", clash: true})
			}
		}
		spec = ValueSpec{}
		d.text(file, path+".file", &spec.File)
		if spec.File != "" && file.at.rank == rankProfile && !filepath.IsAbs(spec.File) {
			spec.File = filepath.Join(filepath.Dir(d.file), spec.File)
		}
		return spec
	}
	if size := m.get("size"); size != nil {
		spec.Size = d.sizeSpec(size, path+".size")
	}
	d.number(m.get("compressibility"), path+".compressibility", &spec.Compressibility)
	return spec
}

// sizeDistributions lists the distributions of value sizes.
func sizeDistributions() []string {
	return []string{SizeFixed, SizeUniform, SizeLognormal, SizeWeighted}
}

// distributionForms are those of sizes, for errors.
const distributionForms = "{uniform: " + uniformForm + "}, {lognormal: " + lognormalForm + "}, {weighted: " + weightedForm + "}"

const (
	uniformForm   = "{min: 100, max: 2KiB}"
	lognormalForm = "{median: 1KiB, sigma: 0.8, max: 64KiB}"
	weightedForm  = "{100: 0.8, 10KiB: 0.2}"
)

// sizeSpec reads a distribution of sizes:
//
//	size: 1KiB                                                      # or {fixed: 1KiB}
//	size: {uniform: {min: 100, max: 2KiB}}                          # both ends included
//	size: {lognormal: {median: 1KiB, sigma: 0.8, min: 10, max: 64KiB}}
//	size: {weighted: {100: 0.8, 10KiB: 0.2}}                        # size: weight
func (d *decoder) sizeSpec(n *node, path string) SizeSpec {
	spec := SizeSpec{Distribution: SizeFixed, Bytes: defaultValueSize}
	if n.kind == scalarNode {
		before := len(d.errs)
		d.size(n, path, &spec.Bytes)
		if len(d.errs) > before && !strings.ContainsAny(n.text[:min(1, len(n.text))], "0123456789.-") { // a word, no slip in a number
			d.errs[before].allowed += ", or a distribution such as " + distributionForms
		}
		return spec
	}
	if n.get("distribution") != nil {
		d.failf(n.get("distribution"), join(path, "distribution"), "a distribution of sizes is written with its parameters below its name: %s", distributionForms)
		return spec
	}
	m := d.mapping(n, path, sizeDistributions()...)
	if m == nil || len(m.fields) == 0 {
		if m != nil {
			d.failf(n, path, "a size is missing: allowed 1KiB, or one of %s", strings.Join(sizeDistributions(), ", "))
		}
		return spec
	}
	if len(m.fields) > 1 {
		d.failf(m.fields[1].value, join(path, m.fields[1].key), "a second distribution besides %s: only one is allowed", m.fields[0].key)
		return spec
	}
	f := m.fields[0]
	path = join(path, f.key)
	if f.value.kind == nullNode {
		return spec
	}
	switch f.key {
	case SizeFixed:
		d.size(f.value, path, &spec.Bytes)
	case SizeUniform:
		return d.uniformSize(f.value, path)
	case SizeLognormal:
		return d.lognormalSize(f.value, path)
	case SizeWeighted:
		return d.weightedSize(f.value, path)
	}
	return spec
}

// parameters is mapping for those of a distribution of sizes, with a form to show where they aren't a map.
func (d *decoder) parameters(n *node, path, form string, known ...string) *node {
	if n.kind != mapNode {
		d.failf(n, path, "%s where a map is expected, such as %s", n.kindName(), form)
		return nil
	}
	return d.mapping(n, path, known...)
}

func (d *decoder) uniformSize(n *node, path string) SizeSpec {
	spec := SizeSpec{Distribution: SizeUniform, Min: 1}
	m := d.parameters(n, path, uniformForm, "min", "max")
	if m != nil && m.get("max") == nil {
		d.failf(n, path, "max is missing, such as %s", uniformForm)
	}
	d.size(m.get("min"), path+".min", &spec.Min)
	d.size(m.get("max"), path+".max", &spec.Max)
	return spec
}

func (d *decoder) lognormalSize(n *node, path string) SizeSpec {
	spec := SizeSpec{Distribution: SizeLognormal, Min: 1, Sigma: 0.5}
	m := d.parameters(n, path, lognormalForm, "median", "sigma", "min", "max")
	if m != nil && m.get("median") == nil {
		d.failf(n, path, "median is missing, such as %s", lognormalForm)
	}
	d.size(m.get("median"), path+".median", &spec.Median)
	d.number(m.get("sigma"), path+".sigma", &spec.Sigma)
	d.size(m.get("min"), path+".min", &spec.Min)
	const room = 1000 << 10 // default of max.request.size, with room for a key and headers
	spec.Max = max(spec.Median, min(spec.Median*64, room))
	d.size(m.get("max"), path+".max", &spec.Max)
	return spec
}

func (d *decoder) weightedSize(n *node, path string) SizeSpec {
	spec := SizeSpec{Distribution: SizeWeighted}
	fields := d.entries(n, path, weightedForm)
	if n.kind == mapNode && len(n.fields) == 0 {
		d.failf(n, path, "no sizes, such as %s", weightedForm)
	}
	for _, f := range fields {
		bytes, err := parseSize(f.key)
		if err != nil {
			err.at, err.path = f.at.String(), path
			d.errs = append(d.errs, err)
			continue
		}
		w := SizeWeight{Bytes: int(bytes)}
		d.number(f.value, join(path, f.key), &w.Weight)
		if w.Weight < 0 {
			d.fail(f.value, join(path, f.key), badValue(f.value.text, "0 and more"))
		}
		spec.Weights = append(spec.Weights, w)
	}
	return spec
}

// headers reads the headers of every record, in the order written:
//
//	headers: {source: shop-7, traceparent: random}   # a fixed text; random ASCII bytes, others in each record
//	headers: {id: {random: 32}, mode: {value: random}}
func (d *decoder) headers(n *node) []HeaderSpec {
	var specs []HeaderSpec
	for _, f := range d.entries(n, "records.headers", "{traceparent: random}") {
		path := join("records.headers", f.key)
		spec := HeaderSpec{Key: f.key}
		switch {
		case f.value.kind == scalarNode && f.value.text == "random":
			spec.Random, spec.Size = true, defaultHeaderSize
			if f.key == "traceparent" {
				spec.Size = traceparentSize
			}
		case f.value.kind == scalarNode:
			spec.Value = f.value.text
		default:
			m := d.mapping(f.value, path, "random", "value")
			if m == nil || len(m.fields) != 1 {
				d.failf(f.value, path, "allowed: a text, random, {random: 16} (bytes) or {value: text}")
				continue
			}
			if size := m.get("random"); size != nil {
				spec.Random = true
				d.size(size, path+".random", &spec.Size)
			} else if text, ok := d.scalar(m.get("value"), path+".value"); ok {
				spec.Value = text
			}
		}
		specs = append(specs, spec)
	}
	return specs
}
