// Command kbench generates load for Apache Kafka and measures what comes of it.
package main

import "os"

func main() {
	os.Exit(run(streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:]))
}
