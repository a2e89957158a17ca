package report

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sealedBytes is data with the checksum that fits it, where it is JSON with a checksum: otherwise mutations get no further.
func sealedBytes(data []byte) []byte {
	var probe struct{ Checksum string }
	if json.Unmarshal(data, &probe) != nil || probe.Checksum == "" {
		return data
	}
	sum, err := Checksum(data, probe.Checksum)
	if err != nil {
		return data
	}
	return bytes.Replace(data, []byte(probe.Checksum), []byte(sum), 1)
}

// FuzzReadResult reads any bytes as a stored result. What is taken has one verdict, can be printed in every form, and is
// taken again after it was written.
func FuzzReadResult(f *testing.F) {
	var whole bytes.Buffer
	if err := WriteJSON(&whole, fixture(f)); err != nil {
		f.Fatal(err)
	}
	text := whole.String()
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:whole.Len()/2])
	for _, c := range [][2]string{{`"acked": 25000`, `"acked": 0`}, {`"duration_ns": 5000000000`, `"duration_ns": -1`}, {`"valid"`, `"invalid"`},
		{`"PerSecond":5000`, `"PerSecond":-1e308`}, {`"at_ns": 1000000000`, `"at_ns": 9223372036854775807`}} {
		f.Add([]byte(strings.Replace(text, c[0], c[1], 1)))
	}
	f.Add([]byte(`{"schema": 1e400}`))
	f.Fuzz(checkRead)
}

// scalar is a value of result.json that is neither an object nor a list, with what precedes it.
var scalar = regexp.MustCompile(`(?m)((?:": |^\s+))("(?:[^"\\]|\\.)*"|-?[0-9][^,\s]*|true|false|null)(,?)$`)

// FuzzResultField reads a whole result with two of its values replaced, which goes deeper than any bytes would.
func FuzzResultField(f *testing.F) {
	var whole bytes.Buffer
	if err := WriteJSON(&whole, fixture(f)); err != nil {
		f.Fatal(err)
	}
	places := scalar.FindAllSubmatchIndex(whole.Bytes(), -1)
	if len(places) < 100 {
		f.Fatalf("%d values found in the fixture", len(places))
	}
	for i, value := range []string{"0", "-1", "9223372036854775807", "18446744073709551615", "1e308", "5e-324", `""`, `"x\u0000\n"`, "null", "true", "[]", "{}"} {
		for j := i; j < len(places); j += 40 {
			f.Add(uint16(j), value, uint16(j+1), value)
		}
	}
	f.Fuzz(func(t *testing.T, i uint16, first string, j uint16, second string) {
		low, high := places[int(i)%len(places)], places[int(j)%len(places)]
		if low[4] >= high[4] {
			low, high, first, second = high, low, second, first
		}
		data := slices.Concat(whole.Bytes()[:low[4]], []byte(first))
		if low[4] < high[4] {
			data = slices.Concat(data, whole.Bytes()[low[5]:high[4]], []byte(second))
		}
		checkRead(t, append(data, whole.Bytes()[high[5]:]...))
	})
}

// checkRead reads data as a result that has the checksum that fits it.
func checkRead(t *testing.T, data []byte) {
	r, err := parseResult(sealedBytes(data))
	if err != nil {
		return
	}
	for _, format := range Formats() {
		if err := Write(io.Discard, format, r); err != nil {
			t.Errorf("%s: %v", format, err)
		}
	}
	if err := WriteSeries(io.Discard, r); err != nil {
		t.Errorf("series: %v", err)
	}
	var again bytes.Buffer
	if err := WriteJSON(&again, r); err != nil {
		t.Fatal(err)
	}
	if _, err := parseResult(again.Bytes()); err != nil {
		t.Errorf("written again: %v\n%s", err, again.Bytes())
	}
}
