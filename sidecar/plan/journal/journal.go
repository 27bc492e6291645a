// Package journal keeps the failovers and planned moves of an instance: the last few of them, with what was lost.
package journal

import (
	"slices"
	"time"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// Journal is the failovers of an instance, the newest last. It begins as that of the last report, so it is changed in a copy only.
type Journal []v1alpha1.FailoverRecord

// size is how many failovers are kept.
const size = 10

// unknownLoss marks a failover whose loss can no longer be measured: the old master came back without its data.
const unknownLoss int64 = -1

// handoverRetry is how long after an aborted handover the next one begins.
const handoverRetry = 30 * time.Second

// Append adds a record.
func (j *Journal) Append(r v1alpha1.FailoverRecord) {
	all := make(Journal, 0, len(*j)+1)
	all = append(append(all, *j...), r)
	*j = all[max(0, len(all)-size):]
}

// last returns the newest entry about the shard; nil when there is none.
func (j Journal) last(shard int32) *v1alpha1.FailoverRecord {
	for i := range slices.Backward(j) {
		if j[i].Shard == shard {
			return &j[i]
		}
	}
	return nil
}

// ReplacedBy reports whether the last entry about the shard is that the master has taken the place of a pod.
func (j Journal) ReplacedBy(pod, master string, shard int32) bool {
	r := j.last(shard)
	return r != nil && r.From == pod && r.To == master && r.From != r.To
}

// AbortedLately reports whether the last entry about the shard is a planned move that was given up less than handoverRetry ago.
func (j Journal) AbortedLately(shard int32, now time.Time) bool {
	r := j.last(shard)
	return r != nil && r.From == r.To && now.Sub(r.At.Time) < handoverRetry
}

// QuietFor reports whether the last entry about the shard, if there is one, is at least d old.
func (j Journal) QuietFor(shard int32, now time.Time, d time.Duration) bool {
	r := j.last(shard)
	return r == nil || now.Sub(r.At.Time) >= d
}

// ReplacedSince reports whether one pod has taken the place of another less than d ago.
func (j Journal) ReplacedSince(from, to string, shard int32, now time.Time, d time.Duration) bool {
	return slices.ContainsFunc(j, func(r v1alpha1.FailoverRecord) bool {
		return r.Shard == shard && r.From == from && r.To == to && now.Sub(r.At.Time) < d
	})
}

// Measure fills in what a replaced master, which is back with this sequence, had that its successor lacks; kept says that it has all that
// was reported of it. It returns the entry that it has changed, nil when there was nothing to be measured, and whether more was lost than
// was known.
func (j *Journal) Measure(pod string, shard int32, sequence int64, kept bool) (r *v1alpha1.FailoverRecord, more bool) {
	for i := range slices.Backward(*j) {
		r := &(*j)[i]
		if r.From != pod || r.To == pod || r.Shard != shard {
			continue
		}
		if r.LostSequence != nil && !r.LossPending {
			return nil, false
		}
		known, lost := int64(0), unknownLoss
		if r.LossPending {
			known = *r.LostSequence
			lost = known
		}
		if kept && sequence >= r.Sequence {
			lost = max(known, sequence-r.Sequence)
		}
		j.setLoss(i, lost)
		return &(*j)[i], lost > known
	}
	return nil, false
}

// Settle gives up on measuring the loss of a replaced master that follows its successor already, and reports whether there was any to be
// measured.
func (j *Journal) Settle(pod string, shard int32) (changed bool) {
	for i := range *j {
		switch r := &(*j)[i]; {
		case r.From != pod || r.Shard != shard:
		case r.LostSequence == nil:
			j.setLoss(i, unknownLoss)
			changed = true
		case r.LossPending:
			j.setLoss(i, *r.LostSequence)
			changed = true
		}
	}
	return changed
}

func (j *Journal) setLoss(i int, lost int64) {
	*j = slices.Clone(*j)
	(*j)[i].LostSequence, (*j)[i].LossPending = &lost, false
}
