#!/usr/bin/env bash
# Starts a whole Selvedge network on this machine, serves a site, bills it and pays the nodes. --help tells more.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh
prepare
exec "$CARGO_TARGET_DIR/release/selvedge-devnet" --runtime "$(runtime_wasm)" "$@"
