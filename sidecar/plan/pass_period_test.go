package plan_test

import "testing"

func TestHowOftenAnInstanceAtRestIsLookedAt(t *testing.T) {
	const settled = `
		record orders-0
		orders-0 master serving
		orders-1 ->orders-0 placed insync had=100`
	const watched = `
		watch-0 ->orders-0
		watch-1 ->orders-0
		watch-2 ->orders-0`
	run(t, []scenario{
		{
			name:  "the sentinels notice a master that hangs",
			given: settled + watched,
			want:  `= again 0s`,
		},
		{
			name:  "without them the sidecar does, within half of down-after",
			given: settled,
			want:  `= again 2.5s`,
		},
		{
			name: "nor do those in TILT, which call nothing down",
			given: settled + `
				watch-0 ->orders-0 tilt
				watch-1 ->orders-0 tilt
				watch-2 ->orders-0`,
			want: `
				= SentinelAgreed False SentinelTilt
				= again 2.5s`,
		},
		{
			name: "nor those that do not answer",
			given: settled + `
				watch-0 down
				watch-1 down
				watch-2 ->orders-0`,
			want: `= again 2.5s`,
		},
		{
			name:  "nor those that are not there",
			given: settled + "\n no-such-sentinel",
			want:  `= again 2.5s`,
		},
		{
			name: "one that is in TILT or away can be spared",
			given: settled + `
				watch-0 ->orders-0 tilt
				watch-1 ->orders-0
				watch-2 ->orders-0`,
			want: `= again 0s`,
		},
		{
			name: "what the master has must be known where a loss is bounded",
			given: `
				max-lost-writes 100
				record orders-0
				orders-0 master serving priority=0
				orders-1 ->orders-0 placed insync had=100 priority=0` + watched,
			want: `= again 1s`,
		},
		{
			name: "nothing could succeed a single pod",
			given: `
				record orders-0
				orders-0 master serving`,
			want: `= again 0s`,
		},
	})
}
