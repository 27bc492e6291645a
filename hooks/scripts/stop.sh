#!/bin/sh
# Runs before a data pod's process is ended (preStop), so that a drained node or a deleted pod costs clients next to nothing.
#
# A master that has replicas is kept for up to 20 s, in which the sidecar hands over to one of them. While that is under way
# the node replicates from 127.0.0.1:1 (no node); it is over when it follows its successor. From then on, and from the start
# in a replica, the process is kept for DRAIN_SECONDS: it answers those that are connected to it (MOVED, READONLY), and
# connections that are still led to the pod do not go to an address that is gone, where they would hang.
#
# Of an instance that is being deleted nothing is kept: the sidecar has then withdrawn the address that the node announces.
. /etc/kvrocks/auth.sh
ask() { "$cli" -h 127.0.0.1 -p "$PORT" "$@" 2>/dev/null | tr -d '\r'; }
released() { case "$(ask CONFIG GET replica-announce-ip)" in *127.0.0.1*) true ;; *) false ;; esac }

handed_over() {
  tries=0
  while [ "$tries" -lt 100 ]; do
    info=$(ask INFO replication)
    case "$info" in
    "") exit 0 ;;
    *role:master*connected_slaves:0*) exit 0 ;;
    *master_host:127.0.0.1?master_port:1?*connected_slaves:0*) return ;;
    *role:master* | *master_host:127.0.0.1?master_port:1?*) ;;
    *master_host:127.0.0.1?*) exit 0 ;;
    *) return ;;
    esac
    tries=$((tries + 1))
    sleep 0.2
  done
  exit 0
}

if released; then exit 0; fi
handed_over
left=${DRAIN_SECONDS:-0}
while [ "$left" -gt 0 ]; do
  sleep 1
  left=$((left - 1))
  if released; then exit 0; fi
done
