#!/usr/bin/env bash
# Kills every process of a network at drawn moments while visitors come. Fails when the bill is not what they received, when a
# commitment is lost, and when the books do not add up. An epoch takes half a minute; a run takes two minutes more to begin
# and as many to be charged.
#
#   scripts/crash.sh [--epochs N] [--seed N] [--no-build]
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

epochs=20 seed="" build=yes
while (($#)); do
	case "$1" in
	--epochs) epochs=${2:?--epochs needs a number} ;;
	--seed) seed=${2:?--seed needs a number} ;;
	--no-build)
		build=no
		shift
		continue
		;;
	*) die "usage: $0 [--epochs N] [--seed N] [--no-build]" ;;
	esac
	shift 2
done
if [[ $build == yes ]]; then
	prepare
else
	exports=$(scripts/setup.sh)
	eval "$exports"
fi
export SELVEDGE_RUNTIME_WASM="$(runtime_wasm)" SELVEDGE_BIN_DIR="$CARGO_TARGET_DIR/release" SELVEDGE_CRASH_EPOCHS=$epochs
[[ -z $seed ]] || export SELVEDGE_CRASH_SEED=$seed
exec cargo test --release --workspace --test it -- --nocapture crashes::
