package broker

import (
	"os"
	"path/filepath"
)

// kafkaNode is where one node lives.
type kafkaNode struct {
	id             int
	dir            string
	port           int // for clients
	controllerPort int
}

// Names of files in a node's folder.
const (
	log4j2File = "log4j2.properties"
	log4j1File = "log4j.properties"
)

func (n kafkaNode) propertiesPath() string { return filepath.Join(n.dir, "server.properties") }
func (n kafkaNode) dataPath() string       { return filepath.Join(n.dir, "data") }
func (n kafkaNode) tmpPath() string        { return filepath.Join(n.dir, "tmp") }
func (n kafkaNode) logPath() string        { return filepath.Join(n.dir, "server.log") }

// write makes the node's folder anew.
func (n kafkaNode) write(all []kafkaNode, extra map[string]string) error {
	if err := os.RemoveAll(n.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(n.tmpPath(), 0o755); err != nil {
		return err
	}
	files := map[string][]byte{
		n.propertiesPath():               appendProperties(nil, serverProperties(n, all, extra)),
		filepath.Join(n.dir, log4j2File): appendProperties(nil, log4j2(n.logPath())),
		filepath.Join(n.dir, log4j1File): appendProperties(nil, log4j1(n.logPath())),
	}
	for path, text := range files {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// log4j2 has warnings and errors go to a bounded file.
func log4j2(path string) map[string]string {
	return map[string]string{
		"appender.file.type":               "RollingFile",
		"appender.file.name":               "file",
		"appender.file.fileName":           path,
		"appender.file.filePattern":        path + ".%i",
		"appender.file.layout.type":        "PatternLayout",
		"appender.file.layout.pattern":     "%d{HH:mm:ss.SSS} %p %m (%c{1})%n",
		"appender.file.policies.type":      "Policies",
		"appender.file.policies.size.type": "SizeBasedTriggeringPolicy",
		"appender.file.policies.size.size": "4MB",
		"appender.file.strategy.type":      "DefaultRolloverStrategy",
		"appender.file.strategy.max":       "1",
		"rootLogger.level":                 "warn",
		"rootLogger.appenderRef.file.ref":  "file",
	}
}

// log4j1 is the same for the distribution of Kafka 3.9, which comes with log4j 1's successor.
func log4j1(path string) map[string]string {
	return map[string]string{
		"log4j.rootLogger":                             "WARN, file",
		"log4j.appender.file":                          "org.apache.log4j.RollingFileAppender",
		"log4j.appender.file.File":                     path,
		"log4j.appender.file.MaxFileSize":              "4MB",
		"log4j.appender.file.MaxBackupIndex":           "1",
		"log4j.appender.file.layout":                   "org.apache.log4j.PatternLayout",
		"log4j.appender.file.layout.ConversionPattern": "%d{HH:mm:ss.SSS} %p %m (%c{1})%n",
	}
}
