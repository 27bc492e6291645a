// Package server answers the Redis protocol as kvrocks 2.10.1 does, over the data of package store: its commands and
// refusals, its INFO text, its replication with full and partial syncs, and its locks as far as a client can feel
// them. It is a stand-in for tests and demos on machines that cannot pull the real image.
//
// Two locks give the real program's timing. The guard is held shared by ordinary commands and exclusively by EXEC,
// SLAVEOF, CONFIG SET and DEBUG. SLAVEOF waits under it for the old replication link to end, which sleeps 1 s after a
// lost connection and 10 s after a refusal, and nothing else is answered meanwhile.
package server
