package doctor

import "fmt"

// Space: results take a few MB, a broker started with --target kafka its log segments.
const (
	littleSpace = 100 << 20
	someSpace   = 2 << 30
)

// diskSpace is the space for temporary files.
func (m *machine) diskSpace(dir string) Finding {
	f := Finding{Check: "disk", Severity: OK, Why: "--target kafka keeps its data here while it runs; a broker whose disk is full stops"}
	free, err := m.disk(dir)
	if err != nil {
		return f.unknown()
	}
	f.Values = map[string]float64{"free_bytes": float64(free)}
	f.Measured = fmt.Sprintf("%s free in the folder for temporary files", bytesText(free))
	switch {
	case free < littleSpace:
		f.Severity = Bad
	case free < someSpace:
		f.Severity = Warning
	default:
		return f
	}
	f.Do = []string{"free some space, or set TMPDIR to a folder that has it"}
	return f
}

// java says whether --target kafka could start a broker. Its own words at the start of a broker say more.
func (m *machine) java() Finding {
	f := Finding{Check: "java", Severity: OK, Why: "--target kafka runs Kafka's own broker on Java, and gets its jars through Maven or from KAFKA_HOME; the other targets need neither"}
	_, noJava := m.look("java")
	_, noMaven := m.look("mvn")
	java, jars := noJava == nil || m.env("JAVA_HOME") != "", noMaven == nil || m.env("KAFKA_HOME") != ""
	f.Values = map[string]float64{"java": flag(java), "jars": flag(jars)}
	switch {
	case java && jars:
		f.Measured = "Java, and Maven or an unpacked Kafka"
		return f
	case java:
		f.Measured = "no Maven and no KAFKA_HOME: --target kafka finds only jars that it fetched before"
		f.Do = []string{"sudo apt-get install maven"}
	default:
		f.Measured = "no Java: --target kafka can't start a broker"
		f.Do = []string{"sudo apt-get install openjdk-17-jre-headless maven"}
	}
	f.Severity = Note
	return f
}

func flag(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
