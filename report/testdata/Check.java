import java.io.File;
import org.HdrHistogram.EncodableHistogram;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.HistogramLogReader;
import java.util.Map;
import java.util.TreeMap;

/**
 * Reads a histogram log with the Java library and prints, for every tag, its intervals, total count, and percentiles of
 * the sum of its histograms: one line "tag intervals startMs endMs count p50 p90 p95 p99 p999 p9999 max" each.
 */
class Check {
    public static void main(String[] args) throws Exception {
        Map<String, Histogram> sums = new TreeMap<>();
        Map<String, long[]> seen = new TreeMap<>();
        try (HistogramLogReader reader = new HistogramLogReader(new File(args[0]))) {
            while (reader.hasNext()) {
                EncodableHistogram next = reader.nextIntervalHistogram();
                if (next == null) {
                    break;
                }
                Histogram h = (Histogram) next;
                String tag = String.valueOf(h.getTag());
                sums.computeIfAbsent(tag, t -> {
                    Histogram sum = new Histogram(3);
                    sum.setAutoResize(true);
                    return sum;
                }).add(h);
                long[] s = seen.computeIfAbsent(tag, t -> new long[] {0, h.getStartTimeStamp(), 0});
                s[0]++;
                s[2] = h.getEndTimeStamp();
            }
        }
        for (Map.Entry<String, Histogram> e : sums.entrySet()) {
            Histogram h = e.getValue();
            long[] s = seen.get(e.getKey());
            StringBuilder line = new StringBuilder(e.getKey());
            line.append(' ').append(s[0]).append(' ').append(s[1]).append(' ').append(s[2]).append(' ').append(h.getTotalCount());
            for (double p : new double[] {50, 90, 95, 99, 99.9, 99.99}) {
                line.append(' ').append(h.getValueAtPercentile(p));
            }
            System.out.println(line.append(' ').append(h.getMaxValue()));
        }
    }
}
