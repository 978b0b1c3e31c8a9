#!/usr/bin/env bash
# Fuzzes what strangers send: each target in fuzz/fuzz_targets, or the one that is named.
#
#   scripts/fuzz.sh [TARGET] [--seconds N]
#
# Starts from fuzz/seeds/TARGET, where there is such a folder, and from what earlier runs kept in the target directory. What it finds
# is written there too, makes the run fail, and can be played again: scripts/fuzz.sh TARGET --play FILE
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

target="" seconds=30 play=""
while (($#)); do
	case $1 in
	--seconds) seconds=${2:?--seconds needs a number} && shift 2 ;;
	--play) play=${2:?--play needs a file} && shift 2 ;;
	-*) die "unknown option $1" ;;
	*) target=$1 && shift ;;
	esac
done
[[ $seconds =~ ^[0-9]+$ ]] || die "--seconds needs a number"
[[ -z $play || -n $target ]] || die "--play needs a target"

# Coverage by the compiler's own pass, which the stable compiler has behind this variable. No sanitizer: nothing fuzzed here has unsafe
# code. Flags are for the target alone, or build scripts would need the fuzzer's runtime.
export RUSTC_BOOTSTRAP=1
passes="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
export RUSTFLAGS="$passes -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
host=$(rustc -vV | sed -n 's/^host: //p')
out="$(target_dir)/fuzz"
say "building"
cargo build --release --locked --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$out" >&2

for source in fuzz/fuzz_targets/*.rs; do
	name=$(basename "$source" .rs)
	[[ -z $target || $target == "$name" ]] || continue
	found=1
	program="$out/$host/release/$name"
	if [[ -n $play ]]; then
		"$program" "$play"
		continue
	fi
	corpus=("$out/corpus/$name")
	mkdir -p "${corpus[0]}" "$out/found/$name"
	[[ ! -d fuzz/seeds/$name ]] || corpus+=("fuzz/seeds/$name")
	say "$name, for $seconds seconds"
	"$program" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix="$out/found/$name/" "${corpus[@]}" |& sed '/^###### Recommended/,/^###### End/d' >&2
done
[[ -n ${found:-} ]] || die "no target $target in fuzz/fuzz_targets"
