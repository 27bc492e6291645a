#!/usr/bin/env bash
# Makes the local cluster run the images that were imported last: they keep their tags, so Kubernetes does not see
# that they changed unless the pod templates say so. Does nothing when nothing changed.
set -euo pipefail
roll() { # namespace, workload, image
  local digest
  digest=$(cat "/var/lib/kvrocks-local/images/$3")
  $KUBECTL -n "$1" patch "$2" --type merge -p \
    "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kvrocks.apache.org/image-digest\":\"$digest\"}}}}}"
}
roll metacontroller statefulset/metacontroller metacontroller
roll kvrocks-system deployment/kvrocks-hooks operator
roll kvrocks-system deployment/kvrocks-sidecar operator
