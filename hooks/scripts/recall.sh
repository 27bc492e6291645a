#!/bin/sh
# Tells, before kvrocks starts, which volume this is and what it remembers of the cluster that it was part of, as the
# termination message of its container: the sidecar reads that. The first line is the identity of the volume, which it is
# given once and keeps for as long as it lives: so a new or foreign volume is told from one that was emptied. The others are
# the version of the layout, the node's id, the id of the master of its shard, the slots of that shard, and how many shards
# owned slots; the sidecar needs them when nothing else knows the layout. A new volume remembers no layout.
set -eu
dir=/var/lib/kvrocks
message=/dev/termination-log
identity=$dir/volume.id

# A volume that cannot be written to, because it is full, tells no identity: that must not keep kvrocks from starting.
if [ ! -s "$identity" ]; then
  if (cat /proc/sys/kernel/random/uuid >"$identity.new") 2>/dev/null && [ -s "$identity.new" ]; then
    mv -f "$identity.new" "$identity"
  fi
fi
volume=$(cat "$identity" 2>/dev/null) || volume=''
if [ -n "$volume" ]; then volume="volume $volume"; fi
echo "$volume"
echo "$volume" >"$message"

# nodes.conf: "version 7", "id <id>", and of each node "node <id> <host> <port> master|slave[,fail] <master id or -> <slots>".
recall() {
  version='' me='' master='' slots='' shards=0
  while read -r key id host port role of rest; do
    case $key:$id in
    version:*) version=$id ;;
    id:*) me=$id ;;
    # kvrocks 2.16 and later say "slave,fail" of a replica that is down.
    "node:$me") case $role in slave | slave,*) master=$of ;; *) master=$me ;; esac ;;
    esac
    if [ "$key" = node ] && [ -n "$rest" ]; then shards=$((shards + 1)); fi
  done <"$1"
  while read -r key id host port role of rest; do
    if [ "$key:$id" = "node:$master" ]; then slots=$rest; fi
  done <"$1"
  if [ -z "$version" ] || [ -z "$master" ]; then return 1; fi
  printf 'version %s\nid %s\nmaster %s\nslots %s\nshards %s\n' "$version" "$me" "$master" "$slots" "$shards"
}

for file in "$dir/nodes.conf" "$dir/nodes.conf.last"; do
  if [ -f "$file" ] && told=$(recall "$file"); then
    echo "$told"
    # Kubernetes keeps 4096 bytes. Part of the slots would be worse than none.
    if [ "${#told}" -le 4000 ]; then printf '%s\n%s\n' "$volume" "$told" >"$message"; fi
    exit 0
  fi
done
