#!/usr/bin/env bash
# What an epoch and a day cost the chain: transactions, weight, length and state of a network of any size, on the real runtime.
#
#   scripts/cost-on-chain.sh [--gateways N] [--caches N] [--customers N] [--reach N] [--cache-reach N] [--requests N] [--json]
#
# 200 gateways, 10,000 caches that work for four of them each, and 10,000 customers that are used at four, unless told otherwise; each
# has a thousand requests a leaf. Prints tables; with --json an object for programs. Progress goes to standard error.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

gateways=200 caches=10000 customers=10000 reach=4 cache_reach=4 requests=1000 json=""
while (($#)); do
	case $1 in
	--gateways) gateways=${2:?--gateways needs a number} && shift 2 ;;
	--caches) caches=${2:?--caches needs a number} && shift 2 ;;
	--customers) customers=${2:?--customers needs a number} && shift 2 ;;
	--reach) reach=${2:?--reach needs a number} && shift 2 ;;
	--cache-reach) cache_reach=${2:?--cache-reach needs a number} && shift 2 ;;
	--requests) requests=${2:?--requests needs a number} && shift 2 ;;
	--json) json=yes && shift ;;
	-h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit ;;
	*) die "unknown option $1" ;;
	esac
done
for number in "$gateways" "$caches" "$customers" "$reach" "$cache_reach" "$requests"; do
	[[ $number =~ ^[1-9][0-9]*$ ]] || die "$number is no number above zero"
done

export COST_GATEWAYS=$gateways COST_CACHES=$caches COST_CUSTOMERS=$customers COST_REACH=$reach COST_CACHE_REACH=$cache_reach COST_REQUESTS=$requests
answers=$(mktemp -d)
trap 'rm -rf "$answers"' EXIT
export COST_TEXT=$answers/text COST_JSON=$answers/json
export CARGO_TARGET_DIR
CARGO_TARGET_DIR=$(target_dir)
test=cost::an_epoch_is_committed_charged_shown_and_paid
# Without this a test of another name would pass by not being there.
cargo test --release -p selvedge-runtime --test it -- --exact "$test" --list | grep -q "^$test: test$" || die "there is no test $test"
cargo test --release -p selvedge-runtime --test it -- --exact "$test" --nocapture >&2
if [[ -n $json ]]; then cat "$COST_JSON"; else cat "$COST_TEXT"; fi
