#!/usr/bin/env bash
# Checks the built proxy example with curl: `bash tests/proxy/curl.sh target/release/examples/proxy`.
#
# Starts an origin (origin.py) and proxies on loopback, and ends them. Bounded in time; the exit code is not 0
# if anything was not as it should be. Needs curl (with HTTP/2) and Python.
set -euo pipefail

proxy=${1:?usage: curl.sh PATH_OF_THE_PROXY}
# All of it takes 15 seconds where nobody else is busy.
if [[ -z ${BOUNDED:-} ]]; then
    BOUNDED=1 exec timeout 300 bash "${BASH_SOURCE[0]}" "$@"
fi
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(mktemp -d)
pids=()
failed=0

finish() {
    local pid
    for pid in "${pids[@]}"; do
        kill "$pid" 2> /dev/null || true
    done
    rm -rf "$dir"
}
trap finish EXIT

# Waits until the file $1 matches $2, and prints the match.
await() {
    local _
    for _ in $(seq 200); do
        grep -m1 -oE "$2" "$1" 2> /dev/null && return
        sleep 0.05
    done
    echo "nothing like $2 in $1:" >&2
    cat "$1" >&2
    exit 1
}

# start NAME ORIGIN_PORT ARGS…: starts a proxy; its port is then in $port, its process id in $pid.
start() {
    local name=$1 upstream=$2
    shift 2
    RUST_LOG=info NO_COLOR=1 "$proxy" --listen 127.0.0.1:0 --upstream "http://127.0.0.1:$upstream" "$@" \
        2> "$dir/$name.log" &
    pid=$!
    pids+=("$pid")
    port=$(await "$dir/$name.log" 'listen=127.0.0.1:[0-9]+')
    port=${port##*:}
}

# Runs curl. Fills $code (HTTP), $exit (curl's), $body, $heads (fields and trailers).
ask() {
    exit=0
    code=$(curl -sS --max-time 30 -o "$dir/body" -D "$dir/heads" -w '%{http_code}' "$@" 2> "$dir/err") || exit=$?
    heads=$(tr -d '\r' < "$dir/heads" | tr '[:upper:]' '[:lower:]')
    # What was answered without a body must not look like the answer before.
    touch "$dir/body"
    mv "$dir/body" "$dir/body.last"
    body=$(head -c 2000 "$dir/body.last" | LC_ALL=C tr -cd '[:print:]\n')
}

# check WHAT CONDITION…: says what is not so.
check() {
    local what=$1
    shift
    if ! "$@"; then
        echo "FAILED: $what: HTTP $code, curl $exit: $(cat "$dir/err")"
        printf '%s\n%s\n' "$heads" "$body" | head -30
        failed=1
    fi
}

has() { grep -q "$1" <<< "$heads"; }
lacks() { ! grep -q "$1" <<< "$heads"; }
says() { grep -q "$1" <<< "$body"; }
same() { cmp -s "$1" "$2"; }

# The trailer that the sha256 filter adds for the file $1, in lower case as `heads` are.
digest() {
    python3 -c '
import base64, hashlib, sys
digest = hashlib.sha256(open(sys.argv[1], "rb").read()).digest()
print(f"content-digest: sha-256=:{base64.b64encode(digest).decode()}:".lower())' "$1"
}

python3 "$here/origin.py" > "$dir/origin" &
pids+=($!)
origin=$(await "$dir/origin" '[0-9]+')

head -c 20000000 /dev/urandom > "$dir/big"
sum=$(sha256sum "$dir/big" | cut -d' ' -f1)
printf 'MZ and more' > "$dir/program"

# Two proxies in a row, so that both sides of both speak HTTP/2 and HTTP/1.1: `far` is next to the origin.
start far "$origin" --filter log --filter hold=1K --filter sha256 --filter limit=30M
far=$port far_pid=$pid
start near "$far" --http2-upstream --filter replace=needle:haystack --filter delay=50
near=$port

for version in --http1.1 --http2-prior-knowledge; do
    for port in $far $near; do
        url=http://127.0.0.1:$port
        who="$version, port $([[ $port == "$far" ]] && echo far || echo near)"

        ask "$version" "$url/text/hello"
        check "$who: a plain client is served" test "$code $body" = '200 hello'
        check "$who: and sent no trailer" lacks '^content-digest'

        ask "$version" -H 'TE: trailers' "$url/bytes/3000000"
        check "$who: a download" test "$code $exit" = '200 0'
        check "$who: its digest as a trailer" has "^$(digest "$dir/body.last")$"

        ask "$version" -H 'TE: trailers' "$url/trailers"
        check "$who: the origin's own trailer" has '^x-origin: yes$'

        ask "$version" -T "$dir/big" "$url/put"
        check "$who: an upload" says "sha256: $sum"
        check "$who: its digest as a trailer" says '^content-digest: sha-256=:'

        ask "$version" -T - "$url/put" < "$dir/big"
        check "$who: an upload of unknown length" says "sha256: $sum"

        ask "$version" -H 'Expect: 100-continue' --data-binary @"$dir/program" "$url/echo"
        check "$who: a program is refused" test "$code" = 403
        ask "$version" "$url/program"
        check "$who: in either direction" test "$code" = 403

        ask "$version" -I "$url/bytes/5000"
        check "$who: HEAD" test "$code $exit" = '200 0'
        for status in 204 304; do
            ask "$version" "$url/status/$status"
            check "$who: $status" test "$code $exit" = "$status 0"
        done

        ask "$version" "$url/cut"
        check "$who: what is cut off does not look complete" test "$exit $code" != '0 200'

        ask "$version" --limit-rate 2M "$url/bytes/3000000"
        check "$who: a slow reader" test "$code $exit" = '200 0'
    done

    ask "$version" --data-binary 'a needle, a need, a needle' "http://127.0.0.1:$near/echo"
    check "$version: replaced text" test "$body" = 'a haystack, a need, a haystack'

    head -c 31457281 /dev/zero > "$dir/over"
    for upload in "-T $dir/over" '-T -'; do
        # shellcheck disable=SC2086
        ask "$version" -H 'Expect:' $upload "http://127.0.0.1:$far/put" < "$dir/over"
        check "$version: $upload over the limit" test "$code" = 413
    done
done

ask -w '%{http_code} %{time_total}' "http://127.0.0.1:$near/text/hello"
check 'the delay, once a direction' test "$(awk '{ print ($2 >= 0.1) }' <<< "$code")" = 1

check 'the log filter logs' grep -q 'complete.*way=response' "$dir/far.log"

# Nobody listens behind the last one.
start alone 1
ask "http://127.0.0.1:$port/"
check 'no upstream' test "$code" = 502

# Ctrl-C lets what is under way end, and then the proxy.
ask_later() { ask --limit-rate 3M "http://127.0.0.1:$far/bytes/6000000"; }
ask_later &
later=$!
sleep 0.5
kill -INT "$far_pid"
code=- exit=- heads='' body=''
check 'the exchange under way' wait "$later"
ended=0
wait "$far_pid" || ended=$?
check "the end of the proxy: $ended" test "$ended" = 0

if [[ $failed -eq 0 ]]; then
    echo 'curl: all as it should be'
fi
exit "$failed"
