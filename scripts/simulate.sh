#!/usr/bin/env bash
# Plays faults on placement, replication, repair and the order of purges in virtual time, and prints the worst that was seen.
# A thousand seeds take some minutes. What fails prints the command that plays it again.
#
#   scripts/simulate.sh [--seeds N] [--from SEED] [--no-build]
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

seeds=1000 from=0 build=yes
while (($#)); do
	case "$1" in
	--seeds) seeds=${2:?--seeds needs a number} ;;
	--from) from=${2:?--from needs a number} ;;
	--no-build)
		build=no
		shift
		continue
		;;
	*) die "usage: $0 [--seeds N] [--from SEED] [--no-build]" ;;
	esac
	shift 2
done
[[ $build == no ]] || prepare
exec "$(target_dir)/release/selvedge-simulator" run --seeds "$seeds" --from "$from" --jobs "$(nproc)"
