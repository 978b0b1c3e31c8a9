#!/usr/bin/env bash
# Plays arbitrary sequences of calls on the runtime, plan after plan, each of a seed of its own.
#
#   scripts/fuzz-runtime.sh [--seconds N] [--seed N] [--steps N]
#   scripts/fuzz-runtime.sh --play "WORDS"
#
# It begins with the seed that is given, or with one of the day, and goes on for ten minutes unless told otherwise. A plan that breaks an
# invariant, panics, or lets tokens come or go untold is shrunk and printed, with the line that plays it again.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

seconds=600 seed="" steps="" play=""
while (($#)); do
	case $1 in
	--seconds) seconds=${2:?--seconds needs a number} && shift 2 ;;
	--seed) seed=${2:?--seed needs a number} && shift 2 ;;
	--steps) steps=${2:?--steps needs a number} && shift 2 ;;
	--play) play=${2:?--play needs the words of a plan} && shift 2 ;;
	-h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;;
	*) die "unknown option $1" ;;
	esac
done
for number in "$seconds" "${seed:-0}" "${steps:-1}"; do
	[[ $number =~ ^[0-9]+$ ]] || die "$number is no number"
done

if [[ -n $play ]]; then
	export SEQUENCES_PLAY=$play
else
	# Days are far apart, so that no night plays the seeds of another.
	export SEQUENCES_SECONDS=$seconds SEQUENCES_SEED=${seed:-$(($(date +%s) / 86400 * 1000000))}
	say "from seed $SEQUENCES_SEED, for $seconds seconds"
fi
[[ -z $steps ]] || export SEQUENCES_STEPS=$steps
export CARGO_TARGET_DIR
CARGO_TARGET_DIR=$(target_dir)
test=sequences::arbitrary_sequences_keep_the_invariants
# Without this a test of another name would pass by not being there.
cargo test --release -p selvedge-runtime --test it -- --exact "$test" --list | grep -q "^$test: test$" || die "there is no test $test"
cargo test --release -p selvedge-runtime --test it -- --exact "$test" --nocapture
