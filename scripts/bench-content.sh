#!/usr/bin/env bash
# Races content from a cache, verified group by group on arrival, against iroh-blobs, and against the same hop without proofs.
#
#   scripts/bench-content.sh [--turns N] [--sizes 1m,100m,1g] [--json FILE]
#
# Each server runs on the first core and its client on the second, one contestant after the other and back again. Figures of one run
# may be compared with each other, those of two runs may not. The first run compiles iroh-blobs, which takes ten minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

args=()
while [[ $# -gt 0 ]]; do
	case $1 in
	--turns | --sizes | --json) args+=("$1" "${2:?$1 needs a value}") && shift 2 ;;
	--help | -h) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit ;;
	*) die "what is $1?" ;;
	esac
done
[[ $(nproc) -ge 2 ]] || die "the race needs two cores"
prepare
peer_target="$(target_dir)-peers"
CARGO_TARGET_DIR="$peer_target" cargo build --release --locked --manifest-path scripts/peers/iroh-blobs/Cargo.toml
exec python3 scripts/bench_content.py --ours "$CARGO_TARGET_DIR/release/examples/bench-content" \
	--program "$CARGO_TARGET_DIR/release/selvedge-edge" --peer "$peer_target/release/bench-iroh-blobs" "${args[@]}"
