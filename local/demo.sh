#!/usr/bin/env bash
# Shows the operator at work: two instances become Ready, a master dies and is replaced.
# KUBECTL says how to reach the cluster, with the operator installed (make install).
set -euo pipefail
cd "$(dirname "$0")/.."
kubectl() { $KUBECTL "$@"; }
demo() { $KUBECTL -n kvrocks-demo "$@"; }
step() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
status() { demo get kvrocks "$1" -o "jsonpath={.status.$2}"; }
redis() { demo exec -q "$1" -c kvrocks -- timeout 2 redis-cli "${@:2}"; }

step "Two instances: three sentinels, and a master with two replicas that they watch"
kubectl create namespace kvrocks-demo --dry-run=client -o yaml | kubectl apply -f -
demo apply -f examples/sentinel-minimal.yaml -f examples/standard-minimal.yaml
began=$SECONDS
until demo wait --for=condition=Ready kvrocks/sentinel kvrocks/demo --timeout=10s >/dev/null 2>&1; do
  printf '   %3d s  %s\n' $((SECONDS - began)) "$(demo get kvrocks --no-headers | tr -s ' ' | paste -sd';')"
  if ((SECONDS - began > 300)); then
    demo describe kvrocks
    echo "not Ready within 5 minutes; the conditions above say what is awaited" >&2
    exit 1
  fi
done
demo get kvrocks,pods -o wide

master=$(status demo master)
step "A write through the Service demo-master (the master is $master), read back from a replica"
redis "$master" -h demo-master SET greeting "hello from $master"
redis "$master" -h demo-replicas GET greeting

step "The master $master is killed"
killed=$(date +%s%N)
demo delete pod "$master" --grace-period=0 --force 2>/dev/null
other=$(demo get pods -l app.kubernetes.io/instance=demo,kvrocks.apache.org/role=replica -o 'jsonpath={.items[0].metadata.name}')
until redis "$other" -h demo-master SET after "the failover" 2>/dev/null | grep -q OK; do
  (($(date +%s%N) - killed < 120000000000)) || { demo describe kvrocks demo; echo "no write is taken; see above" >&2; exit 1; }
  sleep 0.1
done
echo "writes are taken again after $((($(date +%s%N) - killed) / 1000000)) ms"
until demo wait --for=condition=Ready kvrocks/demo --timeout=10s >/dev/null 2>&1; do demo get kvrocks demo --no-headers; done
new=$(status demo master)
echo "greeting on the new master $new: $(redis "$new" -h demo-master GET greeting)"
demo get pods -l app.kubernetes.io/instance=demo -L kvrocks.apache.org/role

step "What the operator says about it"
demo get kvrocks demo -o 'jsonpath={.status.lastFailover}{"\n"}'
demo get events --field-selector involvedObject.kind=KVRocks,involvedObject.name=demo --sort-by=.lastTimestamp \
  -o 'custom-columns=REASON:.reason,MESSAGE:.message'

step "How to go on"
cat <<EOF
  alias k='$KUBECTL -n kvrocks-demo'
  k describe kvrocks demo              # conditions and events
  k get kvt demo -o yaml               # every node and its link, the journal of failovers
  k scale kvrocks demo --replicas=5    # grow it; with 1 or 3, shrink it: a master on a leaving pod hands over first
  k edit kvrocks demo                  # change kvrocksConfig or the image
  k delete kvrocks demo                # the sentinels are told first; volumes stay
  make down                            # end the local cluster and remove everything
EOF
