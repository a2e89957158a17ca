//go:build !unix

package metrics

func processUsage() (cpuNS, maxRSS int64) { return 0, 0 }
