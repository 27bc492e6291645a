#!/usr/bin/env bash
# Runs every fuzz target of both modules, each the given number of times. A number, not a time: when a time is over, go test
# fails now and then with "context deadline exceeded" (golang/go#75804). Minimizing an interesting input is bounded likewise.
set -euo pipefail
cd "$(dirname "$0")/.."
for module in . local; do
  (
    cd "$module"
    grep -rlE --include='*_test.go' '^func Fuzz' $([ "$module" = . ] && echo api hooks metacontroller server sidecar || echo .) |
      while read -r file; do
        grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | while read -r _ target; do
          echo "fuzz $(dirname "$file") $target"
          go test -run '^$' -fuzz "^$target\$" -fuzztime "${1}x" -fuzzminimizetime 1000x "./$(dirname "$file")"
        done
      done
  )
done
