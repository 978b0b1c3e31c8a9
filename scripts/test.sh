#!/usr/bin/env bash
# Builds everything and runs every check and every test, on the artifacts that devnet.sh uses too.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh
exports=$(scripts/setup.sh)
eval "$exports"

say "spelling, format and layers"
"$(tools_dir)/typos/bin/typos"
cargo fmt --all --check
cargo xtask check-layers
say "lints"
cargo clippy --release --workspace --all-targets -- -D warnings
say "build"
build_programs
say "tests"
export SELVEDGE_RUNTIME_WASM="$(runtime_wasm)" SELVEDGE_BIN_DIR="$CARGO_TARGET_DIR/release"
cargo test --release --workspace --no-fail-fast
say "fuzzing"
scripts/fuzz.sh --seconds 20
say "outside programs"
scripts/outside-programs.sh --no-build --short
