#!/usr/bin/env bash
# Measures how long a purge takes until every node of a network on this machine has it on disk and says so.
#
#   scripts/bench-purge.sh [--gateways N] [--caches N] [--purges N] [--program FILE]
#
# The nodes are real processes with disks of their own folders; the time is the customer's, from sending the signed request to the
# whole receipt. Every purge is checked: all signatures, and that no gateway serves the former version afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

gateways=10
caches=10
purges=100
program=
while [[ $# -gt 0 ]]; do
	case $1 in
	--gateways) gateways=$2 && shift 2 ;;
	--caches) caches=$2 && shift 2 ;;
	--purges) purges=$2 && shift 2 ;;
	--program) program=$2 && shift 2 ;;
	*) die "what is $1?" ;;
	esac
done
prepare
program=${program:-$CARGO_TARGET_DIR/release/selvedge-edge}
exec "$CARGO_TARGET_DIR/release/examples/bench-purge" "$program" "$gateways" "$caches" "$purges"
