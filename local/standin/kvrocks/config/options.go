package config

// optionTable lists the options of kvrocks 2.10: name, whether CONFIG SET may change it (live) or only a restart, type,
// default, and for numbers the range, for choices the values. Most of them change nothing in the stand-in; they are
// here because it must accept and refuse the same settings as the real program and rewrite the same file.
const optionTable = `
daemonize restart flag no
bind restart text
port restart number 6666 1 65535
tls-port restart number 0 0 65535
tls-cert-file live text
tls-key-file live text
tls-key-file-pass live text
tls-ca-cert-file live text
tls-ca-cert-dir live text
tls-protocols live text
tls-auth-clients live text
tls-ciphers live text
tls-ciphersuites live text
tls-prefer-server-ciphers live flag no
tls-session-caching live flag yes
tls-session-cache-size live number 20480 0 2147483647
tls-session-cache-timeout live number 300 0 2147483647
tls-replication restart flag no
workers live number 8 1 256
timeout live number 0 0 2147483647
tcp-backlog restart number 511 0 2147483647
maxclients live number 10240 0 2147483647
max-backup-to-keep live number 1 0 1
max-backup-keep-hours live number 0 0 2147483647
master-use-repl-port live flag no
requirepass live text
masterauth live text
slaveof restart text
compact-cron live text
bgsave-cron live text
dbsize-scan-cron live text
replica-announce-ip live text
replica-announce-port live number 0 0 65535
compaction-checker-range live text
compaction-checker-cron live text
force-compact-file-age live number 172800 60 9223372036854775807
force-compact-file-min-deleted-percentage live number 10 1 100
db-name restart text change.me.db
dir restart text /tmp/kvrocks
backup-dir live text /tmp/kvrocks/backup
log-dir restart text
log-level live choice info info warning error fatal
pidfile restart text /tmp/kvrocks/kvrocks.pid
max-io-mb live number 0 0 2147483647
max-bitmap-to-string-mb live number 16 0 2147483647
max-db-size live number 0 0 2147483647
max-replication-mb live number 0 0 2147483647
supervised restart choice no no auto upstart systemd
slave-serve-stale-data live flag yes
slave-empty-db-before-fullsync live flag no
slave-priority live number 100 0 2147483647
slave-read-only live flag yes
use-rsid-psync restart flag no
profiling-sample-ratio live number 0 0 100
profiling-sample-record-max-len live number 256 0 2147483647
profiling-sample-record-threshold-ms live number 100 0 2147483647
slowlog-log-slower-than live number 200000 -1 2147483647
profiling-sample-commands live text
slowlog-max-len live number 128 0 2147483647
purge-backup-on-fullsync live flag no
rename-command restart list
auto-resize-block-and-sst live flag yes
fullsync-recv-file-delay live number 0 0 2147483647
cluster-enabled restart flag no
migrate-speed live number 4096 0 2147483647
migrate-pipeline-size live number 16 1 2147483647
migrate-sequence-gap live number 10000 1 2147483647
migrate-type live choice redis-command redis-command raw-key-value
migrate-batch-size-kb live number 16 1 2147483647
migrate-batch-rate-limit-mb live number 16 0 2147483647
unixsocket restart text
unixsocketperm restart text 777
log-retention-days live number -1 -1 2147483647
persist-cluster-nodes-enabled live flag yes
redis-cursor-compatible live flag yes
resp3-enabled live flag no
repl-namespace-enabled live flag no
proto-max-bulk-len live size 536870912 1048576 9223372036854775807
json-max-nesting-depth live number 1024 0 2147483647
json-storage-format live choice json json cbor
txn-context-enabled restart flag no
rocksdb.compression live choice no no snappy zlib lz4 zstd
rocksdb.compression_level restart number 32767 -2147483648 2147483647
rocksdb.block_size restart number 16384 0 2147483647
rocksdb.max_open_files live number 8096 -1 2147483647
rocksdb.write_buffer_size live number 64 0 4096
rocksdb.max_write_buffer_number live number 4 0 256
rocksdb.target_file_size_base live number 128 1 1024
rocksdb.max_background_compactions live number 2 -1 32
rocksdb.max_background_flushes restart number 2 -1 32
rocksdb.max_subcompactions live number 2 0 16
rocksdb.delayed_write_rate live number 0 0 9223372036854775807
rocksdb.wal_ttl_seconds restart number 10800 0 2147483647
rocksdb.wal_size_limit_mb restart number 16384 0 2147483647
rocksdb.max_total_wal_size live number 512 0 2147483647
rocksdb.disable_auto_compactions live flag no
rocksdb.enable_pipelined_write restart flag no
rocksdb.stats_dump_period_sec live number 0 0 2147483647
rocksdb.cache_index_and_filter_blocks restart flag yes
rocksdb.block_cache_size restart number 0 0 2147483647
rocksdb.block_cache_type restart choice lru lru hcc
rocksdb.subkey_block_cache_size restart number 2048 0 2147483647
rocksdb.metadata_block_cache_size restart number 2048 0 2147483647
rocksdb.share_metadata_and_subkey_block_cache restart flag yes
rocksdb.row_cache_size restart number 0 0 2147483647
rocksdb.compaction_readahead_size live number 2097152 0 67108864
rocksdb.level0_slowdown_writes_trigger live number 20 1 1024
rocksdb.level0_stop_writes_trigger live number 40 1 1024
rocksdb.level0_file_num_compaction_trigger live number 4 1 1024
rocksdb.enable_blob_files live flag no
rocksdb.min_blob_size live number 4096 0 2147483647
rocksdb.blob_file_size live number 268435456 0 2147483647
rocksdb.enable_blob_garbage_collection live flag yes
rocksdb.blob_garbage_collection_age_cutoff live number 25 0 100
rocksdb.max_bytes_for_level_base live number 268435456 0 2147483647
rocksdb.max_bytes_for_level_multiplier live number 10 1 100
rocksdb.level_compaction_dynamic_level_bytes live flag no
rocksdb.max_background_jobs live number 4 0 32
rocksdb.rate_limiter_auto_tuned restart flag yes
rocksdb.avoid_unnecessary_blocking_io restart flag yes
rocksdb.write_options.sync restart flag no
rocksdb.write_options.disable_wal restart flag no
rocksdb.write_options.no_slowdown restart flag no
rocksdb.write_options.low_pri restart flag no
rocksdb.write_options.memtable_insert_hint_per_batch restart flag no
rocksdb.write_options.write_batch_max_bytes live number 0 0 2147483647
rocksdb.read_options.async_io live flag yes
`
