#!/usr/bin/env bash
# What the network adds to the time to first byte when a thousand clients miss the same thing at once on two gateways.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

clients=1000 rounds=10 length=20000
usage="usage: $0 [--clients N] [--rounds N] [--length OCTETS]"
while (($#)); do
	case "$1" in
	--clients) clients=$2 ;;
	--rounds) rounds=$2 ;;
	--length) length=$2 ;;
	*) die "$usage" ;;
	esac
	shift 2 || die "$usage"
done
prepare
exec "$CARGO_TARGET_DIR/release/examples/bench-crowd" "$CARGO_TARGET_DIR/release/selvedge-edge" \
	"$clients" "$rounds" "$length"
