#!/usr/bin/env bash
# Shows the operator at work: three instances become Ready, masters die and are replaced, slots move.
# KUBECTL says how to reach the cluster, with the operator installed (make install).
set -euo pipefail
cd "$(dirname "$0")/../.."
kubectl() { $KUBECTL "$@"; }
demo() { $KUBECTL -n kvrocks-demo "$@"; }
step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
status() { demo get kvrocks "$1" -o "jsonpath={.status.$2}"; }
redis() { demo exec -q "$1" -c kvrocks -- timeout 2 redis-cli "${@:2}"; }


# ready CR... waits until all of them are, and tells how far they are.
ready() {
  local began=$SECONDS
  until demo wait --for=condition=Ready "${@/#/kvrocks/}" --timeout=5s >/dev/null 2>&1; do
    printf '   %3d s  %s\n' $((SECONDS - began)) "$(demo get kvrocks --no-headers | tr -s ' ' | paste -sd';')"
    if ((SECONDS - began > 300)); then
      demo describe kvrocks
      echo "not Ready within 5 minutes; the conditions above say what is awaited" >&2
      exit 1
    fi
  done
}

# written REDIS-ARGS... waits until that write is taken, and tells how long after $killed that was.
written() {
  until redis "$@" 2>/dev/null | grep -q OK; do
    (($(date +%s%N) - killed < 120000000000)) || { demo describe kvrocks; echo "no write is taken; see above" >&2; exit 1; }
    sleep 0.1
  done
  echo "writes are taken again after $((($(date +%s%N) - killed) / 1000000)) ms"
}

events() {
  demo get events --field-selector "involvedObject.kind=KVRocks,involvedObject.name=$1" --sort-by=.lastTimestamp \
    -o 'custom-columns=REASON:.reason,MESSAGE:.message'
}

step "Three instances: sentinels, a master with two replicas, and a cluster of three shards; the sentinels watch both"
kubectl create namespace kvrocks-demo --dry-run=client -o yaml | kubectl apply -f -
demo apply -f examples/sentinel-minimal.yaml -f examples/standard-minimal.yaml -f examples/cluster-minimal.yaml
ready sentinel demo shards
demo get kvrocks,pods -o wide

master=$(status demo master)
step "A write through the Service demo-master (the master is $master), read back from a replica"
redis "$master" -h demo-master SET greeting "hello from $master"
redis "$master" -h demo-replicas GET greeting

step "The master $master is killed"
killed=$(date +%s%N)
demo delete pod "$master" --grace-period=0 --force 2>/dev/null
other=$(demo get pods -l app.kubernetes.io/instance=demo,kvrocks.apache.org/role=replica -o 'jsonpath={.items[0].metadata.name}')
written "$other" -h demo-master SET after "the failover"
ready demo
new=$(status demo master)
echo "greeting on the new master $new: $(redis "$new" -h demo-master GET greeting)"
demo get pods -l app.kubernetes.io/instance=demo -L kvrocks.apache.org/role

step "What the operator says about it"
demo get kvrocks demo -o 'jsonpath={.status.lastFailover}{"\n"}'
events demo

step "The cluster: three keys on three shards, reached from any of its pods"
for key in user:3 user:1 user:0; do redis shards-0-0 -c -h shards SET $key "value of $key"; done
demo get kvrocks shards -o 'jsonpath={range .status.shards[*]}shard {.index}: master {.master}, slots {.slots}{"\n"}{end}'

victim=$(status shards 'shards[1].master')
step "The master of its shard 1, $victim, is killed"
killed=$(date +%s%N)
demo delete pod "$victim" --grace-period=0 --force 2>/dev/null
written shards-0-0 -c -h shards SET user:1 "written after the failover"
ready shards

step "The slots 0-99 move to shard 2: kubectl edit, or here a patch of spec.migrate"
demo patch kvrocks shards --type=merge -p '{"spec":{"migrate":[{"shard":2,"slots":["0-99"]}]}}'
demo wait --for='jsonpath={.status.migrations[0].state}=Done' kvrocks/shards --timeout=120s
demo get kvrocks shards -o 'jsonpath={range .status.shards[*]}shard {.index}: master {.master}, slots {.slots}{"\n"}{end}'
events shards

step "How to go on"
cat <<EOF
  alias k='$KUBECTL -n kvrocks-demo'
  k describe kvrocks demo              # conditions and events
  k get kvt demo -o yaml               # every node and its link, the journal of failovers
  k scale kvrocks demo --replicas=5    # grow it; with 1 or 3, shrink it: a master on a leaving pod hands over first
  k edit kvrocks demo                  # change kvrocksConfig or the image
  k edit kvrocks shards                # master: 5 adds shards, replicas: 1 removes pods, migrate moves slots
  k delete kvrocks demo                # the sentinels are told first; volumes stay
  make down                            # end the local cluster and remove everything
EOF
