package record

import "errors"

// Refusals. The texts are part of the HTTP API; so are the kinds, which decide the status of the answer.
var (
	ErrNotFound      = errors.New("not found")
	ErrAlreadyExists = errors.New("already exists")
	ErrInvalid       = errors.New("invalid argument")
	ErrForbidden     = errors.New("forbidden")
	ErrIndex         = errors.New("index out of range")

	ErrServicing     = errors.New("shard is servicing")
	ErrSameShard     = errors.New("source and target shard is same")
	ErrNoShard       = errors.New("slot not belong to any shard")
	ErrSeveralShards = errors.New("slot range belongs to multiple shards")
	ErrMigrating     = errors.New("shard slot is migrating")
	ErrNoReplica     = errors.New("no replica in shard")
	ErrNoMaster      = errors.New("old master node not found")
	ErrNotMaster     = errors.New("the old node is not master")
	ErrNoCandidate   = errors.New("no match new master in shard")
	ErrOvertaken     = errors.New("the cluster has been updated by others")
)
