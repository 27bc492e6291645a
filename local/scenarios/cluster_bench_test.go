package scenarios

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// BenchmarkMigration moves slots, empty and filled, through the operator and, in the same run and of the same size, by
// CLUSTERX MIGRATE between two nodes without an operator: as kvrocks comes but for the limit of its speed, and with all
// settings that the operator moves slots with. It fails when the operator moves filled slots more than a tenth slower than
// the former. The latter counts nothing and reports nothing, and is only reported, and so are empty slots: they move in
// milliseconds, beside which the round through the API server is all there is.
func BenchmarkMigration(b *testing.B) {
	const rounds, bytes = 3, 16
	slots := slotRange{0, 3999}
	for _, content := range []struct {
		name    string
		perSlot int
	}{{"empty", 0}, {"filled", 250}} {
		b.Run(content.name, func(b *testing.B) {
			for b.Loop() {
				s := begin(b)
				s.sharded("orders", 1, 1, "")
				s.bareNode("bare-a")
				s.bareNode("bare-b")
				s.fill("orders", slots, content.perSlot, bytes)
				s.setNodes(1, "bare-a", "bare-b")
				s.fillBare("bare-a", slots, content.perSlot, bytes)
				owner, other, version := "bare-a", "bare-b", 1
				byHand := func(settings ...string) time.Duration {
					took := s.migrateByHand(s.direct(owner, ""), slots, other, append(settings, "migrate-speed", "0")...)
					owner, other, version = other, owner, version+1
					s.setNodes(version, owner, other)
					return took
				}
				var ours, plain, tuned []time.Duration
				for round := range rounds {
					ours = append(ours, s.migrateByOperator("orders", slots, 1-round%2))
					plain = append(plain, byHand("migrate-type", "redis-command"))
					tuned = append(tuned, byHand("migrate-type", "raw-key-value", "migrate-batch-rate-limit-mb", "1024"))
				}
				b.Logf("ours %v, by hand %v, by hand with our settings %v", ours, plain, tuned)
				n := float64(slots.last - slots.first + 1)
				b.ReportMetric(n/median(ours), "slots/s")
				b.ReportMetric(n/median(plain), "slots/s-by-hand")
				b.ReportMetric(n/median(tuned), "slots/s-by-hand-tuned")
				share := 100 * median(plain) / median(ours)
				b.ReportMetric(share, "%-of-by-hand")
				if content.perSlot > 0 {
					assert.GreaterOrEqual(b, share, 90.0, "the operator must move slots nearly as fast as CLUSTERX MIGRATE alone")
				}
			}
		})
	}
}

// median of some times, in seconds.
func median(times []time.Duration) float64 {
	return slices.Sorted(slices.Values(times))[len(times)/2].Seconds()
}

// migrateByOperator moves slots by the spec and returns how long it took.
func (s *scenario) migrateByOperator(name string, slots slotRange, to int) time.Duration {
	s.Helper()
	began := time.Now()
	s.patch(name, fmt.Sprintf(`{"spec":{"migrate":[{"shard":%d,"slots":["%s"]}]}}`, to, slots))
	s.migrated(name, 1)
	took := time.Since(began)
	s.settled(name, "")
	return took
}

// fillBare writes what fill writes into a node that owns all slots.
func (s *scenario) fillBare(node string, slots slotRange, perSlot, bytes int) {
	s.Helper()
	s.setAll(s.direct(node, ""), keysIn(slots, perSlot), func(key string) string { return valueOf(key, bytes) })
}

// BenchmarkClusterFailover kills masters of a cluster again and again under a continuous writer and reports the
// distribution of the time without an acknowledged write to their shard.
func BenchmarkClusterFailover(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.apply(sentinelCR("watch", 3) + "---" + clusterCR("orders", 3, 3, 1, "watch"))
		s.patch("orders", fmt.Sprintf(`{"spec":{"failover":{"downAfterMilliseconds":%d}}}`, benchDownAfter.Milliseconds()))
		s.settled("orders", "watch")
		clients := s.plainClusterClients("orders")
		var gaps, usual []time.Duration
		for i := range *kills {
			shard := i % len(thirds)
			w := s.writeCluster("orders", thirds[shard])
			before := s.shardMaster("orders", shard)
			killed := time.Now()
			release := s.keepAway(before)
			s.anotherOf("orders", shard, before)
			s.resumed(w.lanes[0], time.Now(), 30*time.Second)
			gaps = append(gaps, w.lanes[0].longestGap(killed).length())
			s.resumed(clients[shard], time.Now(), 30*time.Second)
			usual = append(usual, clients[shard].longestGap(killed).length())
			record := s.journal("orders")
			b.Logf("gap %s, of a default client %s; cause %s, detect %d ms, promote %d ms", gaps[i].Round(time.Millisecond),
				usual[i].Round(time.Millisecond), record.Cause, record.DetectMs, record.PromoteMs)
			release()
			w.finish()
			s.settled("orders", "watch")
		}
		reportGaps(b, gaps)
		reportDefault(b, usual)
	}
}

// BenchmarkControllerFailover does the same to a shard that only kvrocks-controller looks after, with the probe that it
// comes with.
func BenchmarkControllerFailover(b *testing.B) {
	for b.Loop() {
		s := begin(b)
		s.password = ""
		url := s.bareController()
		pods := map[string]string{} // by address
		var addresses []string
		for _, pod := range []string{"bare-a", "bare-b", "bare-c"} {
			address := s.bareNode(pod)
			addresses = append(addresses, address)
			pods[address] = pod
		}
		require.NoError(b, s.post(url+"/clusters", map[string]any{"name": "orders", "nodes": addresses, "replicas": len(addresses)}))
		c := s.clientOf(addresses)
		s.eventually("the cluster takes writes", time.Minute, func() error { return c.Set(s.ctx, "k", "v", 0).Err() })
		var gaps []time.Duration
		for range *kills {
			w := s.writeTo(addresses, slotRange{0, slotCount - 1})
			before := ""
			s.eventually("both replicas follow the master", time.Minute, func() (err error) {
				before, err = s.bareMaster(url)
				if err != nil {
					return err
				}
				info, err := s.direct(pods[before], "").Info(s.ctx, "replication").Result()
				if err != nil {
					return err
				}
				return expectContains(info, "connected_slaves:2")
			})
			killed := time.Now()
			s.forceDelete(pods[before])
			s.eventually("another master", 2*time.Minute, func() error {
				if after, err := s.bareMaster(url); err != nil || after == before {
					return fmt.Errorf("still %s: %w", after, err)
				}
				return nil
			})
			s.resumed(w.lanes[0], time.Now(), 30*time.Second)
			gaps = append(gaps, w.lanes[0].longestGap(killed).length())
			b.Logf("gap %s", gaps[len(gaps)-1].Round(time.Millisecond))
			w.finish()
			s.barePod(pods[before])
		}
		reportGaps(b, gaps)
	}
}

func (s *scenario) bareMaster(url string) (string, error) {
	record, err := s.recordAt(url + "/clusters/orders")
	if err != nil {
		return "", err
	}
	for address, role := range record.nodes {
		if role == "master" {
			return address, nil
		}
	}
	return "", errors.New("no master")
}

// reportDefault reports what a client with default options saw.
func reportDefault(b *testing.B, gaps []time.Duration) {
	b.Helper()
	slices.Sort(gaps)
	b.ReportMetric(median(gaps), "default-median-s")
	b.ReportMetric(gaps[len(gaps)-1].Seconds(), "default-max-s")
}

func reportGaps(b *testing.B, gaps []time.Duration) {
	b.Helper()
	require.NotEmpty(b, gaps)
	slices.Sort(gaps)
	b.ReportMetric(gaps[0].Seconds(), "min-s")
	b.ReportMetric(gaps[len(gaps)/2].Seconds(), "median-s")
	b.ReportMetric(gaps[len(gaps)-1].Seconds(), "max-s")
}
