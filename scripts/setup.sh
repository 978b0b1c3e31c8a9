#!/usr/bin/env bash
# Installs what a Debian 12 machine with Rust is missing: packages, the WebAssembly target, tools of the tests.
# Does nothing twice. Prints `export` lines that a build needs: eval "$(scripts/setup.sh)".
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

packages=(protobuf-compiler clang libclang-dev pkg-config ca-certificates cmake curl python3-venv iproute2)
command -v node >/dev/null || packages+=(nodejs npm)
missing=()
for package in "${packages[@]}"; do
	dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if ((${#missing[@]})); then
	say "installing ${missing[*]}"
	apt_install "${missing[@]}"
fi

wasm_target
typos_tool
node_tool
echo "export CARGO_TARGET_DIR=$(target_dir)"
