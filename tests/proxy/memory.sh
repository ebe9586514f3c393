#!/usr/bin/env bash
# Shows that resident memory does not grow with the body:
# `bash tests/proxy/memory.sh target/release/examples/proxy [SMALL LARGE]` runs the demo with both sizes (64M and
# 4G if not said) and compares the peaks. Takes a minute or two: the demo hashes every byte five times.
set -euo pipefail

proxy=${1:?usage: memory.sh PATH_OF_THE_PROXY [SMALL LARGE]}
small=${2:-64M} large=${3:-4G}
# What the peak may vary by from run to run, in MiB.
slack=4

peak() {
    timeout 900 "$proxy" --demo-bytes "$1" | tee >(cat >&2) | awk '/resident memory, peak/ { peak = $(NF-1) } END { print peak }'
}

first=$(peak "$small")
second=$(peak "$large")
echo "peak resident memory: $first MiB for $small each way, $second MiB for $large each way"
awk -v a="$first" -v b="$second" -v slack="$slack" 'BEGIN { exit !(a > 0 && b < a + slack) }'
