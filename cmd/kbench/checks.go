package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"kbench/broker"
)

// What a user can get wrong is found before anything starts, so that it ends as bad usage and not as a failure of the
// target.

// parseAddrs reads bootstrap addresses, host:port,….
func parseAddrs(list string) ([]string, error) {
	var addrs []string
	for addr := range strings.SplitSeq(list, ",") {
		addr = strings.TrimSpace(addr)
		host, port, err := net.SplitHostPort(addr)
		if err != nil || host == "" {
			return nil, fmt.Errorf("address %q: want host:port, such as localhost:9092", addr)
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, fmt.Errorf("address %q: port %q: allowed are 1 to 65535", addr, port)
		}
		addrs = append(addrs, addr)
	}
	return addrs, nil
}

// parseCPUs reads a list of CPUs that this machine has.
func parseCPUs(list string) ([]int, error) {
	cpus, err := broker.ParseCPUs(list)
	if err != nil {
		return nil, err
	}
	return cpus, broker.CheckCPUs(cpus)
}

// longestTopic is the longest name of a topic: org.apache.kafka.common.internals.Topic.
const longestTopic = 249

// checkTopicName refuses what no topic of Kafka can be called.
func checkTopicName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune(letters, r) }) ||
		name == "." || name == ".." || len(name) > longestTopic {
		return fmt.Errorf("%q can't be the name of a topic: allowed are letters, digits, '.', '_' and '-', at most %d, and neither \".\" nor \"..\"", name, longestTopic)
	}
	return nil
}
