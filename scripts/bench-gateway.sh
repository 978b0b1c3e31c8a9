#!/usr/bin/env bash
# Races the gateway against nginx and Varnish for what is in memory: 1 KiB, 100 KiB, 10 MiB and a Zipf set of a thousand
# objects, over HTTP/1.1, TLS and HTTP/2; then times of answers at half load.
#
#   scripts/bench-gateway.sh [--seconds N] [--rounds N] [--rows NAME,...] [--program FILE]... [--memory] [--json FILE]
#
# Each server runs on the first core and the generators (wrk, h2load, and bench-load, which discards unread) on the second, one server after the other and back again
# (A-B-C-C-B-A) in every round. Figures of one run may be compared with each other, those of two runs may not. Processor time per
# request is the server's own, from /proc, and bears a busy machine better than requests per second.
#
# Rows are PROTOCOL-SET: http1, tls, h2 and 1k, 100k, 10m, zipf. --memory compares what an object takes in memory too.
#
# --program FILE races that `selvedge-edge` too; without one, the one of this workspace is built.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

programs=()
args=()
while [[ $# -gt 0 ]]; do
	case $1 in
	--program) programs+=("$2") && shift 2 ;;
	--seconds | --rounds | --rows | --json) args+=("$1" "$2") && shift 2 ;;
	--memory) args+=("$1") && shift ;;
	*) die "what is $1?" ;;
	esac
done
[[ $(nproc) -ge 2 ]] || die "the race needs two cores"
missing=()
for pair in nginx:nginx-light varnishd:varnish wrk:wrk h2load:nghttp2-client python3:python3; do
	[[ -x $(command -v "${pair%%:*}" || echo "/usr/sbin/${pair%%:*}") ]] || missing+=("${pair##*:}")
done
[[ ${#missing[@]} == 0 ]] || apt_install "${missing[@]}"
prepare
if [[ ${#programs[@]} == 0 ]]; then programs+=("$CARGO_TARGET_DIR/release/selvedge-edge"); fi
for program in "${programs[@]}"; do args+=(--program "$program"); done
exec python3 scripts/bench_gateway.py --net "$CARGO_TARGET_DIR/release/examples/bench-net" \
	--load "$CARGO_TARGET_DIR/release/examples/bench-load" "${args[@]}"
