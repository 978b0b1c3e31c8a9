#!/usr/bin/env bash
# What takes too long for every change: fuzzing, simulating, all outside programs, a network whose processes are killed, and one
# under load. Over an hour.
#
#   scripts/nightly.sh [--fuzz SECONDS] [--soak MINUTES]
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

fuzz=600 soak=30
while (($#)); do
	case "$1" in
	--fuzz) fuzz=${2:?--fuzz needs seconds} ;;
	--soak) soak=${2:?--soak needs minutes} ;;
	*) die "usage: $0 [--fuzz SECONDS] [--soak MINUTES]" ;;
	esac
	shift 2
done
prepare

failed=()
lane() {
	say "$*"
	"$@" || failed+=("$1")
}
lane scripts/fuzz.sh --seconds "$fuzz"
lane scripts/fuzz-runtime.sh --seconds "$fuzz"
lane scripts/simulate.sh --no-build
lane scripts/outside-programs.sh --no-build
lane scripts/crash.sh --no-build
lane scripts/soak.sh --minutes "$soak"
((!${#failed[@]})) || die "failed: ${failed[*]}"
