package doctor

import (
	"errors"
	"maps"
	"strings"
	"testing/fstest"
)

// healthy are the files of a made-up machine with nothing to object to: 4 CPUs, idle.
func healthy() map[string]string {
	return map[string]string{
		"proc/cpuinfo":                          "processor\t: 0\nmodel name\t: Solid CPU\nflags\t\t: fpu tsc\n",
		"proc/sys/kernel/osrelease":             "6.18.0\n",
		"proc/self/status":                      "Name:\tkbench\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\n",
		"proc/self/stat":                        processLine("42", "kbench", 10),
		"proc/self/cgroup":                      "0::/user.slice\n",
		"proc/self/limits":                      "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            65536                65536                files     \n",
		"proc/stat":                             cpuLines(100, 0),
		"proc/vmstat":                           "pswpin 7\npswpout 9\n",
		"proc/meminfo":                          "MemTotal:       16384000 kB\nMemAvailable:   12288000 kB\nSwapTotal:             0 kB\nSwapFree:              0 kB\n",
		"proc/net/sockstat":                     "sockets: used 100\nTCP: inuse 30 orphan 0 tw 10 alloc 40 mem 2\n",
		"proc/sys/net/core/wmem_max":            "4194304\n",
		"proc/sys/net/core/rmem_max":            "4194304\n",
		"proc/sys/net/core/somaxconn":           "4096\n",
		"proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
		"sys/devices/system/cpu/online":         "0-3\n",
		"sys/devices/system/cpu/cpu0/topology/thread_siblings_list":         "0\n",
		"sys/devices/system/cpu/cpu1/topology/thread_siblings_list":         "1\n",
		"sys/devices/system/cpu/cpu2/topology/thread_siblings_list":         "2\n",
		"sys/devices/system/cpu/cpu3/topology/thread_siblings_list":         "3\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor":              "performance\n",
		"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor":              "performance\n",
		"sys/devices/system/clocksource/clocksource0/current_clocksource":   "tsc\n",
		"sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm \n",
		"sys/kernel/mm/transparent_hugepage/enabled":                        "always [madvise] never\n",
		"sys/fs/cgroup/cpu.max":                                             "max 100000\n",
	}
}

// processLine is a line of /proc/…/stat of a process that used ticks of processor time.
func processLine(id, name string, ticks int) string {
	return id + " (" + name + ") S 1 42 42 0 -1 4194304 100 0 0 0 " + text(ticks) + " 0 3 4 20 0 1 0 99800 1000000\n"
}

// cpuLines is /proc/stat of 4 CPUs that were busy for busy ticks and robbed of stolen, each, of 1000.
func cpuLines(busy, stolen int) string {
	var b strings.Builder
	b.WriteString("cpu  1 1 1 1 1 1 1 1 0 0\n")
	for _, cpu := range []string{"0", "1", "2", "3"} {
		b.WriteString("cpu" + cpu + " " + text(busy) + " 0 0 " + text(1000-busy-stolen) + " 0 0 0 " + text(stolen) + " 0 0\n")
	}
	b.WriteString("intr 5 0 0\n")
	return b.String()
}

// machineOf makes a machine up; over replaces files, and removes those that are "".
func machineOf(over map[string]string) *machine {
	files := healthy()
	maps.Copy(files, over)
	tree := fstest.MapFS{}
	for name, content := range files {
		if content != "" {
			tree[name] = &fstest.MapFile{Data: []byte(content)}
		}
	}
	return &machine{files: tree,
		disk: func(string) (int64, error) { return 50 << 30, nil },
		look: func(string) (string, error) { return "/usr/bin/it", nil },
		env:  func(string) string { return "" }}
}

// bare is a machine that says nothing.
func bare() *machine {
	return &machine{files: fstest.MapFS{}, disk: func(string) (int64, error) { return 0, errors.ErrUnsupported },
		look: func(string) (string, error) { return "", errors.ErrUnsupported }, env: func(string) string { return "" }}
}
