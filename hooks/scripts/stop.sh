#!/bin/sh
# Runs before a data pod's process is ended (preStop). A master that has replicas is kept for up to 20 s, in which the
# sidecar hands over to one of them, so that a drained node or a deleted pod costs no write. While the handover is under
# way the node replicates from 127.0.0.1:1 (nobody); it is over when it follows its successor.
. /etc/kvrocks/auth.sh
tries=0
while [ "$tries" -lt 100 ]; do
  info=$(redis-cli -h 127.0.0.1 -p "$PORT" INFO replication 2>/dev/null | tr -d '\r')
  case "$info" in
  *connected_slaves:0*) exit 0 ;;
  *role:master* | *master_host:127.0.0.1?master_port:1?*) ;;
  *) exit 0 ;;
  esac
  tries=$((tries + 1))
  sleep 0.2
done
