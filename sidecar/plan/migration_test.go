package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// A shard of three owns 0-5460, 5461-10921 or 10922-16383.

func TestWhatMoves(t *testing.T) {
	runMoves(t, []moveScenario{
		{
			name:  "nothing is wanted",
			given: `shards 3`,
			want: `
				= entries 0
				= intent false
				= SlotsAssigned True AllAssigned
				= SlotsAssigned: all 16384 slots are assigned to 3 shards, 5461 to 5462 each`,
		},
		{
			name: "the keys are counted first",
			given: `
				shards 3
				migrate 1 0-99 5461-5470`,
			want: `
				count 0-99 on 0
				= 0-99 0->1 Pending: waiting for its turn
				= 5461-5470 1->1 Done: the slots were there already
				= intent false`,
		},
		{
			name: "few keys move in one part, which is on record before the first key moves",
			given: `
				shards 3
				migrate 1 0-99
				policy speed=7000
				node 0 count=0-99:500`,
			want: `
				count 1 on 0
				move 0-99 0->1 speed=7000
				= 0-99 0->1 Running current=0-99 moved=0 keys=0 attempts=1
				= 0-99 0->1 Running: moving 0-99; 0 of 100 slots moved
				= intent true
				= event MigrationStarted`,
		},
		{
			name: "many keys move in parts",
			given: `
				shards 3
				migrate 1 0-99
				node 0 count=0-99:5000000`,
			want: `
				move 0-9 0->1
				= intent true`,
		},
		{
			name: "with a limit it waits for its time",
			given: `
				shards 3
				migrate 1 0-99
				migrate 2 200
				policy speed=100
				entry 0-99 0->1 Running moved=0 keys=0 started=10s
				next 3s`,
			want: `
				= 0-99 0->1 Running: the next part begins at 15:00:03, as keysPerSecond wants; 0 of 100 slots moved
				= next move in 3s
				= again 1s
				= calm true`,
		},
		{
			name: "its time has come",
			given: `
				shards 3
				migrate 1 0-99
				policy speed=100
				entry 0-99 0->1 Running moved=0 keys=0 started=10s
				node 0 count=0-99:500
				next 0s`,
			want: `
				count 1 on 0
				move 0-99 0->1 speed=100
				= next move now`,
		},
		{
			name: "the limit is gone: it need not wait",
			given: `
				shards 3
				migrate 1 0-99
				entry 0-99 0->1 Running moved=0 keys=0 started=10s
				node 0 count=0-99:500
				next 3s`,
			want: `
				count 1 on 0
				move 0-99 0->1
				= next move now`,
		},
		{
			name: "with a limit a part has the keys of some seconds",
			given: `
				shards 3
				migrate 1 0-99
				policy speed=100
				node 0 count=0-99:10000`,
			want: `move 0-9 0->1 speed=100`,
		},
		{
			name: "too many keys to count: fewer slots are counted",
			given: `
				shards 3
				migrate 1 0-99
				node 0 count=0-99:-1`,
			want: `count 0-11 on 0`,
		},
		{
			name: "one slot with too many keys moves uncounted",
			given: `
				shards 3
				migrate 1 0-99
				node 0 count=0:-1`,
			want: `
				count 1 on 0
				move 0 0->1`,
		},
		{
			name: "the next part goes by what has moved",
			given: `
				shards 3
				owns 1 0-9 5461-10921
				migrate 1 0-99
				entry 0-99 0->1 Running moved=10 keys=250000 started=10s`,
			want: `
				move 10-29 0->1
				= 0-99 0->1 Running current=10-29 moved=10 keys=250000 attempts=1`,
		},
		{
			name: "what has moved says little of the rest as long as it had few keys",
			given: `
				shards 3
				owns 1 0-1 5461-10921
				migrate 1 0-99
				entry 0-99 0->1 Running moved=2 keys=2 started=10s`,
			want: `count 2-99 on 0`,
		},
		{
			name: "a process that has never moved slots away begins with one",
			given: `
				shards 3
				migrate 1 0-99
				node 0 count=0-99:500 fresh`,
			want: `
				move 0 0->1
				= 0-99 0->1 Running current=0 moved=0 keys=0 attempts=1`,
		},
		{
			name: "it goes on with what it had counted",
			given: `
				shards 3
				migrate 1 0-99
				entry 0-99 0->1 Running current=0 attempts=1 started=1s
				node 0 count=0-99:500 out=0>1:Failed
				node 1 in=0:Failed`,
			want: `
				count 1 on 0
				move 0-99 0->1
				= 0-99 0->1 Running current=0-99 moved=0 keys=0 attempts=2`,
		},
		{
			name: "what was counted in place of a part says nothing of it",
			given: `
				shards 3
				migrate 1 0-99
				entry 0-99 0->1 Running attempts=1 started=10s
				node 0 count=1:7`,
			want: `count 0-99 on 0`,
		},
		{
			name: "it shrinks with every failed attempt but the first",
			given: `
				shards 3
				owns 1 0-9 5461-10921
				migrate 1 0-99
				entry 0-99 0->1 Running moved=10 keys=250000 attempts=2 started=10s`,
			want: `
				move 10-19 0->1
				= 0-99 0->1 Running current=10-19 moved=10 keys=250000 attempts=3
				= 0-99 0->1 Running: moving 10-19 (attempt 3); 10 of 100 slots moved with 250000 keys`,
		},
		{
			name: "a range over two shards becomes two entries, and the first moves first",
			given: `
				shards 3
				migrate 2 5400-5500`,
			want: `
				count 5400-5460 on 0
				= 5400-5460 0->2 Pending
				= 5461-5500 1->2 Pending
				= entries 2`,
		},
		{
			name: "what cannot be is rejected, and the rest goes on",
			given: `
				shards 4
				leaving 3
				migrate 7 0-9
				migrate 3 20
				migrate 1 30 40
				migrate 2 40-41 99999`,
			want: `
				count 30 on 0
				= 0-9 7->7 Failed: there is no shard 7; name one of the shards 0 to 2 in spec.migrate, or raise spec.master
				= 20 3->3 Failed: shard 3 is to be removed; name one of the shards 0 to 2 in spec.migrate
				= 40-41 2->2 Failed: the slots 40 are sent to shard 1 as well; leave them in one entry of spec.migrate
				= 99999 2->2 Failed: "99999": a slot must be between 0 and 16383
				= entries 6`,
		},
		{
			name: "a shard that is yet to join is waited for",
			given: `
				shards 3
				joining 3
				migrate 3 0-9
				policy paused`,
			want: `
				add shard [10.96.3.0:6379]
				= 0-9 0->3 Pending: paused; 0 of 10 slots moved`,
		},
		{
			name: "paused",
			given: `
				shards 3
				owns 1 0-9 5461-10921
				migrate 1 0-99
				migrate 2 200
				policy paused
				entry 0-99 0->1 Running moved=10 keys=50 started=10s`,
			want: `
				= 0-99 0->1 Pending: paused; 10 of 100 slots moved with 50 keys
				= 200 0->2 Pending: paused; 0 of 1 slots moved`,
		},
		{
			name: "after a pause the deadline begins anew",
			given: `
				shards 3
				owns 1 0-9 5461-10921
				migrate 1 0-99
				policy deadline=60
				entry 0-99 0->1 Pending moved=10 keys=50 started=2h
				node 0 count=10-99:450`,
			want: `
				count 0 on 0
				move 10-99 0->1
				= 0-99 0->1 Running current=10-99 moved=10 keys=50 attempts=1`,
		},
		{
			name: "an entry that is gone from the spec is dropped, but the part under way ends",
			given: `
				shards 3
				changed
				entry 0-99 0->1 Running current=0-15 attempts=1 started=10s
				entry 200-300 0->1 Running started=10s
				node 0 out=0-15>1:Running
				node 1 in=0-15:Running`,
			want: `
				= 0-99 0->1 Running current=0-15 moved=0 keys=0 attempts=1
				= entries 1`,
		},
		{
			name: "what was given up stays so while it is in the spec, and the next one moves",
			given: `
				shards 3
				migrate 1 0-99
				migrate 2 200
				entry 0-99 0->1 Failed started=2h`,
			want: `
				count 200 on 0
				= 0-99 0->1 Failed
				= 200 0->2 Pending`,
		},
		{
			name: "what is done stays so while it is in the spec",
			given: `
				shards 3
				owns 1 0-99 5461-10921
				migrate 1 0-99
				entry 0-99 0->1 Done moved=100 keys=7 started=2h`,
			want: `
				= 0-99 0->1 Done current= moved=100 keys=7 attempts=0
				= entries 1`,
		},
		{
			name: "what is done is dropped with the spec",
			given: `
				shards 3
				owns 1 0-99 5461-10921
				entry 0-99 0->1 Done moved=100 keys=7 started=2h`,
			want: `= entries 0`,
		},
		{
			name: "while one waits for its next attempt another moves",
			given: `
				shards 3
				migrate 1 0-99
				migrate 2 200
				entry 0-99 0->1 Running attempts=3 started=10s retry=2s`,
			want: `
				count 200 on 0
				= 0-99 0->1 Running`,
		},
		{
			name: "given up after the deadline",
			given: `
				shards 3
				migrate 1 0-99
				policy deadline=60
				entry 0-99 0->1 Running attempts=9 started=61s retry=20s`,
			want: `
				= 0-99 0->1 Failed
				= event MigrationFailed`,
		},
		{
			name: "a leaving shard is drained to the smallest shards",
			given: `
				shards 3
				leaving 2
				owns 0 0-5
				policy drain`,
			want: `
				count 10922-16383 on 2
				= 10922-16383 2->0 Pending
				= entries 1`,
		},
		{
			name: "new shards get their share by a rebalance",
			given: `
				shards 4
				owns 3
				policy rebalance`,
			want: `
				count 12288-16383 on 0
				= 12288-16383 0->3 Pending
				= entries 1`,
		},
	})
}

func TestAPartOnItsWay(t *testing.T) {
	const given = `
		shards 3
		migrate 1 0-99
		entry 0-99 0->1 Running current=0-15 attempts=1 started=10s
		`
	runMoves(t, []moveScenario{
		{
			name: "under way: it is watched calmly",
			given: given + `
				node 0 out=0-15>1:Running
				node 1 in=0-15:Running`,
			want: `
				= 0-99 0->1 Running
				= again 200ms
				= calm true`,
		},
		{
			name: "under way, but the destination's process knows nothing of it: that may be about to change",
			given: given + `
				node 0 out=0-15>1:Running`,
			want: `
				= 0-99 0->1 Running
				= stuck 0-99 in 10s
				= calm true`,
		},
		{
			name: "it knows by now",
			given: strings.ReplaceAll(given, "started", "stuck=4s started") + `
				node 0 out=0-15>1:Running
				node 1 in=0-15:Running`,
			want: `
				= 0-99 0->1 Running
				= stuck none`,
		},
		{
			name: "it has not learned of it: the source waits for a process that is gone, and nobody can take over",
			given: strings.ReplaceAll(given, "started", "stuck=0s started") + `
				node 0 out=0-15>1:Running`,
			want: `
				= 0-99 0->1 Running: orders-0-0 waits for a process that is gone, and cannot be told otherwise; without a replica that could take over, delete the pod, or wait some 16 minutes for it to give up
				= calm true`,
		},
		{
			name: "under way while something else is awaited",
			given: given + `
				node 0 out=0-15>1:Running
				node 1 in=0-15:Running
				node 2 down`,
			want: `
				= 0-99 0->1 Running
				= again 200ms
				= calm false`,
		},
		{
			name: "arrived: both ends are counted, and what the destination had counted before does not matter",
			given: given + `
				node 0 out=0-15>1:Succeeded
				node 1 in=0-15:Succeeded count=0:0`,
			want: `
				count 0-15 on 0
				count 0-15 on 1`,
		},
		{
			name: "counted: it is recorded",
			given: given + `
				node 0 out=0-15>1:Succeeded count=0-15:20
				node 1 in=0-15:Succeeded count=0-15:21`,
			want: `
				record 0-15 ->1
				= intent false
				= 0-99 0->1 Running current=0-15 moved=0 keys=0 attempts=1`,
		},
		{
			name: "fewer keys than the source had: recorded, with a warning",
			given: given + `
				node 0 out=0-15>1:Succeeded count=0-15:20
				node 1 in=0-15:Succeeded count=0-15:19`,
			want: `
				record 0-15 ->1
				= event SlotKeysMismatch: the slots 0-15 had 20 keys on shard 0 and have 19 on shard 1: some were deleted or expired meanwhile, or are lost`,
		},
		{
			name: "nothing of much: it is not recorded, but moved again",
			given: given + `
				node 0 out=0-15>1:Succeeded count=0-15:2000
				node 1 in=0-15:Succeeded count=0-15:0`,
			want: `
				push 0 force with nowhere
				move 16 0->nowhere
				push 0 force
				= retry 0-99 in 0s
				= event SlotKeysMismatch: the slots 0-15 have 2000 keys on shard 0 and 0 on shard 1; they are moved again`,
		},
		{
			name: "the source has restarted after the end: it is recorded before it is told anything",
			given: given + `
				node 0 restarted count=0-15:20
				node 1 in=0-15:Succeeded count=0-15:20`,
			want: `
				label 0-0
				detach 0-0
				record 0-15 ->1`,
		},
		{
			name: "the source is gone after the end: it is recorded by what the destination says",
			given: given + `
				node 0 down
				node 1 in=0-15:Succeeded count=0-15:20`,
			want: `record 0-15 ->1`,
		},
		{
			name: "the source is gone before the end: it is waited for",
			given: given + `
				node 0 down
				node 1 in=0-15:Failed`,
			want: `= 0-99 0->1 Running: waiting for the master of shard 0, which does not answer, to learn what became of 0-15; 0 of 100 slots moved`,
		},
		{
			name: "the destination has restarted after the end: it has everything",
			given: given + `
				node 0 out=0-15>1:Succeeded count=0-15:20
				node 1 count=0-15:20`,
			want: `record 0-15 ->1`,
		},
		{
			name: "the destination has lost some: it is moved again",
			given: given + `
				node 0 out=0-15>1:Succeeded count=0-15:20
				node 1 count=0-15:19`,
			want: `
				push 0 force with nowhere
				move 16 0->nowhere
				push 0 force
				= event SlotKeysMismatch: the slots 0-15 have 20 keys on shard 0 and 19 on shard 1; they are moved again
				= retry 0-99 in 0s`,
		},
		{
			name: "failed: the next attempt comes at once",
			given: given + `
				node 0 out=0-15>1:Failed
				node 1 in=0-15:Failed`,
			want: `
				count 0-99 on 0
				= 0-99 0->1 Running current= moved=0 keys=0 attempts=1
				= 0-99 0->1 Running: attempt 1 to move 0-15 failed, next at 15:00:00; 0 of 100 slots moved
				= retry 0-99 in 0s`,
		},
		{
			name: "failed again: from then on ever later",
			given: strings.ReplaceAll(given, "attempts=1", "attempts=4") + `
				node 0 out=0-15>1:Failed
				node 1 in=0-15:Failed`,
			want: `= retry 0-99 in 4s`,
		},
		{
			name: "failed: what the destination says is of an earlier move of the same slots",
			given: given + `
				node 0 out=0-15>1:Failed
				node 1 in=0-15:Succeeded`,
			want: `
				count 0-99 on 0
				= retry 0-99 in 0s`,
		},
		{
			name: "the same slots came to the destination before: its word alone does not count",
			given: strings.ReplaceAll(given, "attempts", "repeated attempts") + `
				node 0 out=300>1:Failed
				node 1 in=0-15:Succeeded`,
			want: `
				count 0-99 on 0
				= retry 0-99 in 0s`,
		},
		{
			name: "the same slots came to the destination before, and the source does not answer",
			given: strings.ReplaceAll(given, "attempts", "repeated attempts") + `
				node 0 down
				node 1 in=0-15:Succeeded`,
			want: `= 0-99 0->1 Running: waiting for the master of shard 0, which does not answer, to learn what became of 0-15; 0 of 100 slots moved`,
		},
		{
			name: "the same slots came to the destination before, and the source says that they have come again",
			given: strings.ReplaceAll(given, "attempts", "repeated attempts") + `
				node 0 out=0-15>1:Succeeded count=0-15:20
				node 1 in=0-15:Succeeded count=0-15:20`,
			want: `record 0-15 ->1`,
		},
		{
			name: "it never began, or the source has forgotten it",
			given: given + `
				node 0 out=300>1:Failed`,
			want: `
				count 0-99 on 0
				= retry 0-99 in 0s`,
		},
		{
			name: "the destination has not noticed yet",
			given: given + `
				node 0 out=0-15>1:Failed
				node 1 in=0-15:Running`,
			want: `= 0-99 0->1 Running: waiting for shard 1 to notice that the move of 0-15 was broken off; 0 of 100 slots moved`,
		},
		{
			name: "the deadline passes on the way: it is called off",
			given: given + `
				policy deadline=5
				node 0 out=0-15>1:Running
				node 1 in=0-15:Running`,
			want: `
				push 1 force
				= 0-99 0->1 Running: the deadline has passed; the move is being called off`,
		},
		{
			name: "called off",
			given: given + `
				policy deadline=5
				node 0 out=0-15>1:Failed
				node 1 in=0-15:Failed`,
			want: `
				= 0-99 0->1 Failed
				= event MigrationFailed`,
		},
		{
			name: "recorded and known to all: the next part waits for one pass",
			given: given + `
				owns 1 0-15 5461-10921
				node 0 out=0-15>1:Succeeded count=0-15:20
				node 1 in=0-15:Succeeded count=0-15:20`,
			want: `
				= 0-99 0->1 Running current= moved=16 keys=20 attempts=0
				= 0-99 0->1 Running: 16 of 100 slots moved with 20 keys`,
		},
		{
			name: "with a limit the next part waits as long as the keys of the last one may take",
			given: `
				shards 3
				owns 1 0-15 5461-10921
				migrate 1 0-99
				policy speed=100
				entry 0-99 0->1 Running current=0-15 attempts=1 moved=0 keys=0 started=10s
				node 0 out=0-15>1:Succeeded
				node 1 in=0-15:Succeeded count=0-15:1000`,
			want: `
				= 0-99 0->1 Running current= moved=16 keys=1000 attempts=0
				= next move in 10s`,
		},
		{
			name: "but not when kvrocks itself heeds the limit",
			given: `
				shards 3
				owns 1 0-15 5461-10921
				migrate 1 0-99
				policy speed=100
				by command
				entry 0-99 0->1 Running current=0-15 attempts=1 moved=0 keys=0 started=10s
				node 0 out=0-15>1:Succeeded
				node 1 in=0-15:Succeeded count=0-15:1000`,
			want: `= next move now`,
		},
		{
			name: "the last part",
			given: `
				shards 3
				owns 1 0-99 5461-10921
				migrate 1 0-99
				entry 0-99 0->1 Running current=16-99 attempts=1 moved=16 keys=20 started=10s
				node 0 out=16-99>1:Succeeded
				node 1 in=16-99:Succeeded count=16-99:80`,
			want: `
				= 0-99 0->1 Done current= moved=100 keys=100 attempts=0
				= event MigrationDone: the slots 0-99 have moved from shard 0 to shard 1 with 100 keys`,
		},
	})
}

func TestFrozenSlots(t *testing.T) {
	runMoves(t, []moveScenario{
		{
			name: "slots that a master has back and refuses to write are released",
			given: `
				shards 3
				node 0 out=0-15>1:Succeeded`,
			want: `
				push 0 force with nowhere
				move 16 0->nowhere
				push 0 force
				= SlotsAssigned False WritesRefused`,
		},
		{
			name: "before slots come back they are released",
			given: `
				shards 3
				owns 1 0-99 5461-10921
				migrate 0 0-50
				node 0 out=90-99>1:Succeeded
				node 1 count=0-50:5`,
			want: `
				count 1 on 1
				move 0-50 1->0
				= intent true`,
		},
		{
			name: "the last slot of a shard goes alone, so that not many are refused",
			given: `
				shards 3
				owns 1 50-10922
				owns 0 0-49
				migrate 1 0-49
				node 0 count=0-49:5`,
			want: `
				move 0-48 0->1
				= intent true`,
		},
		{
			name: "the last slot comes back before the others",
			given: `
				shards 3
				owns 0 
				owns 1 0-10922
				migrate 0 7-49
				node 0 out=7>1:Succeeded`,
			want: `
				move 7 1->0
				= intent true`,
		},
		{
			name: "some of them come back",
			given: `
				shards 3
				owns 1 0-99 5461-10921
				migrate 0 0-95
				node 0 out=90-99>1:Succeeded
				node 1 count=0-95:5`,
			want: `
				push 0 force with nowhere
				move 100 0->nowhere
				push 0 force`,
		},
		{
			name: "to a shard without slots they come back as they went",
			given: `
				shards 3
				owns 2
				migrate 2 100-299
				node 2 out=100-149>0:Succeeded
				node 0 count=100-299:500`,
			want: `move 100-149 0->2`,
		},
		{
			name: "to a shard without slots others go first",
			given: `
				shards 3
				owns 2
				migrate 2 100-299
				node 2 out=150-199>0:Succeeded
				node 0 count=100-149:500`,
			want: `
				count 0 on 0
				move 100-149 0->2`,
		},
		{
			name: "a part of them cannot come back to a shard without slots",
			given: `
				shards 3
				owns 2
				migrate 2 110-119
				node 2 out=100-149>0:Succeeded
				node 0 count=110-119:500`,
			want: `= 110-119 0->2 Pending: the process of orders-2-0 would refuse writes to the slots 100-149, which it once moved away: delete the pod, so that it restarts, or move 100-149 as a whole`,
		},
		{
			name: "the very same slots once came to the destination: they go in two parts, so that old news cannot be taken for new",
			given: `
				shards 3
				migrate 1 0-15
				node 0 count=0-15:500
				node 1 in=0-15:Succeeded count=0-15:500`,
			want: `
				move 0-14 0->1`,
		},
		{
			name: "one slot cannot go in two parts: it is on record that old news of it is about",
			given: `
				shards 3
				migrate 1 0
				node 0 count=0:500
				node 1 in=0:Succeeded`,
			want: `
				count 1 on 0
				move 0 0->1
				= 0 0->1 Running repeated`,
		},
		{
			name: "an older count of the very same slots is forgotten first",
			given: `
				shards 3
				migrate 1 0-15
				node 0 count=0-15:500
				node 1 count=0-15:500`,
			want: `
				count 1 on 0
				count 1 on 1
				move 0-15 0->1`,
		},
	})
}

// BenchmarkSettledWithMigrations is one pass of a settled cluster of 100 shards whose spec lists 64 moves, all done; well
// below 1 ms.
func BenchmarkSettledWithMigrations(b *testing.B) {
	var given strings.Builder
	given.WriteString("shards 100\n")
	for i := range 64 {
		fmt.Fprintf(&given, "migrate %d %d-%d\n", i, i*slots.Count/100+1, i*slots.Count/100+100)
	}
	in := parseMoves(&testing.T{}, given.String())
	in.Topology.Status = plan.Cluster(in).Status
	b.ReportAllocs()
	for b.Loop() {
		if p := plan.Cluster(in); len(p.Actions) > 0 || len(p.Status.Migrations) != 64 {
			b.Fatalf("a settled cluster plans %v", p.Actions)
		}
	}
}
