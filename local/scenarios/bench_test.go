package scenarios

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

var (
	kills          = flag.Int("kills", 10, "how many masters BenchmarkFailover kills")
	benchDownAfter = flag.Duration("down-after", 2*time.Second, "downAfterMilliseconds of the instance in BenchmarkFailover")
)

// BenchmarkFailover kills the master's pod again and again under a continuous writer and reports the distribution of the
// time without an acknowledged write.
func BenchmarkFailover(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.apply(sentinelCR("watch", 3) + "---" + standardCR("orders", 3, "watch"))
		s.patch("orders", fmt.Sprintf(`{"spec":{"failover":{"downAfterMilliseconds":%d}}}`, benchDownAfter.Milliseconds()))
		s.ready("watch", readyWithin)
		s.ready("orders", readyWithin)
		s.agreed("watch", "orders")
		var gaps []time.Duration
		for range *kills {
			w := s.write("orders-master", password)
			before := s.master("orders")
			killed := time.Now()
			release := s.keepAway(before)
			s.another("orders", before)
			s.resumed(w, time.Now(), 30*time.Second)
			gaps = append(gaps, w.longestGap(killed).length())
			release()
			s.replaced("orders", before)
			w.finish()
			record := s.journal("orders")
			b.Logf("gap %s, detect %d ms, promote %d ms", gaps[len(gaps)-1].Round(time.Millisecond), record.DetectMs, record.PromoteMs)
			s.agreed("watch", "orders")
		}
		reportGaps(b, gaps)
	}
}
