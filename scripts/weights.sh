#!/usr/bin/env bash
# Measures the weights of our pallets and writes them to pallets/*/src/weights.rs.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

BENCHER_VERSION=0.28.0
STEPS=50
REPEAT=20

usage() {
	cat <<TEXT
Usage: scripts/weights.sh [--steps N] [--repeat N] [PALLET...]

Measures the benchmarks of each PALLET (a folder below pallets/; all that have any if none is named) on this machine, in the
runtime's WebAssembly, and writes pallets/PALLET/src/weights.rs. Run it on the machine that validators are expected to have,
with nothing else at work.

  --steps N    values taken of each component (default $STEPS)
  --repeat N   repetitions of each measurement (default $REPEAT)

The first run installs frame-omni-bencher and compiles the runtime with its benchmarks, which takes half an hour on two cores.
TEXT
}

pallets=()
while (($#)); do
	case $1 in
	--help | -h) usage && exit ;;
	--steps) STEPS=${2:?--steps needs a number} && shift 2 ;;
	--repeat) REPEAT=${2:?--repeat needs a number} && shift 2 ;;
	-*) die "unknown option $1; see --help" ;;
	*) pallets+=("$1") && shift ;;
	esac
done
if [[ ${#pallets[@]} == 0 ]]; then
	for file in pallets/*/src/benchmarking.rs; do
		pallet=${file#pallets/} && pallets+=("${pallet%%/*}")
	done
fi
for pallet in "${pallets[@]}"; do
	[[ -f pallets/$pallet/src/benchmarking.rs ]] || die "pallets/$pallet has no benchmarks"
done
exports=$(scripts/setup.sh)
eval "$exports"

bencher="$(tools_dir)/bencher/bin/frame-omni-bencher"
if ! "$bencher" --version 2>/dev/null | grep -qF "$BENCHER_VERSION"; then
	say "installing frame-omni-bencher $BENCHER_VERSION"
	CARGO_TARGET_DIR="$(target_dir)-bencher" \
		cargo install --locked --version "$BENCHER_VERSION" --root "$(tools_dir)/bencher" frame-omni-bencher
	rm -rf "$(target_dir)-bencher"
fi

# Apart from the other builds, whose dependencies have other features.
say "compiling the runtime with its benchmarks"
CARGO_TARGET_DIR="$(target_dir)-benchmarks" cargo build --release -p selvedge-runtime-wasm --features runtime-benchmarks
wasm="$(target_dir)-benchmarks/release/wbuild/selvedge-runtime/selvedge_runtime.compact.compressed.wasm"

for pallet in "${pallets[@]}"; do
	say "measuring $pallet"
	"$bencher" v1 benchmark pallet --runtime "$wasm" --pallet "pallet_edge_${pallet//-/_}" --extrinsic '*' \
		--genesis-builder runtime --genesis-builder-preset development \
		--steps "$STEPS" --repeat "$REPEAT" --template scripts/weights.hbs --output "pallets/$pallet/src/weights.rs"
	# Which items are touched tells a reader something; how long they may be stands where they are declared.
	sed -i '/^ *\/\/ Proof: /d' "pallets/$pallet/src/weights.rs"
done
cargo fmt --all
