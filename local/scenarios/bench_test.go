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

// BenchmarkFailover deletes the master's pod by force again and again under continuous writers and reports the distribution of the
// time without an acknowledged write: of a client that goes to -master with a dial timeout of 0.5 s, and of go-redis' failover
// client with its default options.
func BenchmarkFailover(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.apply(sentinelCR("watch", 3) + "---" + standardCR("orders", 3, "watch"))
		s.patch("orders", fmt.Sprintf(`{"spec":{"failover":{"downAfterMilliseconds":%d}}}`, benchDownAfter.Milliseconds()))
		s.ready("watch", readyWithin)
		s.ready("orders", readyWithin)
		s.agreed("watch", "orders")
		d := s.plainFailoverClient("watch", "orders")
		var gaps, usual []time.Duration
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
			s.resumed(d, time.Now(), 30*time.Second)
			usual = append(usual, d.longestGap(killed).length())
			w.finish()
			record := s.journal("orders")
			b.Logf("gap %s, of a default client %s; cause %s, detect %d ms, promote %d ms", gaps[len(gaps)-1].Round(time.Millisecond),
				usual[len(usual)-1].Round(time.Millisecond), record.Cause, record.DetectMs, record.PromoteMs)
			s.agreed("watch", "orders")
		}
		reportGaps(b, gaps)
		reportDefault(b, usual)
	}
}
