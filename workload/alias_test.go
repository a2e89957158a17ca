package workload

import (
	"math"
	"strings"
	"testing"
)

// TestAliasExact adds up the table's columns: the probabilities have to be those of the weights, to 32 bits.
func TestAliasExact(t *testing.T) {
	tests := [][]float64{
		{1}, {1, 1}, {1, 0}, {0, 0, 3}, {1, 2, 3, 4}, {1e-12, 1, 1e-12}, {1e300, 1e299}, {7, 7, 7},
		shares(KeySpec{Distribution: KeyZipf, Cardinality: 1000, S: 1.1}),
		shares(KeySpec{Distribution: KeyZipf, Cardinality: 300, S: 9}),
	}
	for _, weights := range tests {
		table, err := newAliasTable(weights)
		if err != nil {
			t.Fatal(err)
		}
		n, sum := float64(len(weights)), 0.0
		got := make([]float64, len(weights))
		for i, c := range table {
			own := float64(c.cut) / (1 << 32)
			got[i] += own / n
			got[c.alias] += (1 - own) / n
			sum += weights[i]
		}
		for i, w := range weights {
			if want := w / sum; math.Abs(got[i]-want) > n*0x1p-32/n+1e-12 {
				t.Errorf("%d weights, number %d: probability %v, want %v", len(weights), i, got[i], want)
			}
			if w == 0 && got[i] != 0 {
				t.Errorf("%d weights, number %d has none and is drawn with %v", len(weights), i, got[i])
			}
		}
	}
}

// TestAliasDraw walks through both ends of a column.
func TestAliasDraw(t *testing.T) {
	table := aliasTable{{cut: 1 << 31, alias: 1}, {cut: 0, alias: 1}}
	for x, want := range map[uint64]int{
		0:                      0,
		1<<62 - 1:              0, // the column's lower half
		1 << 62:                1, // the upper
		1<<63 - 1:              1,
		1 << 63:                1,
		math.MaxUint64:         1,
		1<<62 - 1 - 0x7fffffff: 0,
	} {
		if got := table.draw(x); got != want {
			t.Errorf("draw(%#x) = %d, want %d", x, got, want)
		}
	}
}

func TestAliasErrors(t *testing.T) {
	for _, tt := range []struct {
		weights []float64
		want    string
	}{
		{nil, "0 weights of sum 0"},
		{[]float64{0, 0}, "2 weights of sum 0"},
		{[]float64{1, -1}, "weight 1 is -1"},
		{[]float64{math.NaN()}, "weight 0 is NaN"},
		{[]float64{1, math.Inf(1)}, "weight 1 is +Inf"},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, "sum +Inf"},
	} {
		if _, err := newAliasTable(tt.weights); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: error %v, want one with %q", tt.weights, err, tt.want)
		}
	}
}
