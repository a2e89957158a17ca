package metrics

// Host is the fingerprint of the machine that generated the load. It names no user and no host name.
type Host struct {
	OS            string   `json:"os"`
	Arch          string   `json:"arch"`
	Kernel        string   `json:"kernel"`
	CPU           string   `json:"cpu"`
	CPUs          int      `json:"cpus"`           // logical CPUs of the machine
	GeneratorCPUs []int    `json:"generator_cpus"` // pinned with --cpus; empty: all
	TargetCPUs    []int    `json:"target_cpus"`
	MemoryBytes   int64    `json:"memory_bytes"`
	Go            string   `json:"go"`
	Clock         string   `json:"clock"` // tsc or monotonic
	Warnings      []string `json:"warnings"`
}
