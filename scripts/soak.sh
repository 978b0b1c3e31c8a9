#!/usr/bin/env bash
# Keeps a network of two gateways and two caches under load while it is purged, reconfigured, restarted, and its origin fails.
# Fails when a request failed that the origin could have answered, or when the bill is not what visitors received.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

minutes=30 share=0.7 rate="" visitors=48 rounds=""
usage="usage: $0 [--minutes N] [--share 0.7 | --rate N] [--visitors N] [--rounds N]
  --share    of what the machine does at the beginning, measured first
  --rate     requests a second instead
  --rounds   times that every event happens; one in six minutes if left out"
while (($#)); do
	case "$1" in
	--minutes) minutes=$2 ;;
	--share) share=$2 ;;
	--rate) rate=$2 ;;
	--visitors) visitors=$2 ;;
	--rounds) rounds=$2 ;;
	*) die "$usage" ;;
	esac
	shift 2 || die "$usage"
done
seconds=$(python3 -c "print($minutes * 60)")
[[ -n $rounds ]] || rounds=$(python3 -c "print(max(1, round($minutes / 6)))")
prepare
load=(share "$share")
[[ -z $rate ]] || load=(rate "$rate")
say "$minutes minutes, ${load[*]}, $visitors visitors, every event $rounds times"
exec "$CARGO_TARGET_DIR/release/examples/soak" "$CARGO_TARGET_DIR/release/selvedge-edge" \
	"$seconds" "$rounds" "$visitors" "${load[@]}"
