#!/usr/bin/env bash
# Lets programs that nobody here wrote judge a gateway: curl, h2load, Chromium, slowhttptest, testssl.sh, redbot.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

usage="usage: $0 [--no-build] [curl] [h2load] [browser] [slow] [tls] [lint]
  All of them when none is named; about six minutes. Installs what is missing from Debian and PyPI.
  docs/operate/gateway.md says what each of them finds and why."
build=true chosen=()
while (($#)); do
	case "$1" in
	--no-build) build=false ;;
	curl | h2load | browser | slow | tls | lint) chosen+=("$1") ;;
	*) die "$usage" ;;
	esac
	shift
done
((${#chosen[@]})) || chosen=(curl h2load browser slow tls lint)

packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }
for name in "${chosen[@]}"; do
	case "$name" in
	curl) need curl curl ;;
	h2load) need h2load nghttp2-client ;;
	browser) need chromium chromium ;;
	slow) need slowhttptest slowhttptest && need curl curl ;;
	tls) need testssl testssl.sh ;;
	lint)
		redbot="$(tools_dir)/redbot"
		if [[ ! -x "$redbot/bin/redbot" ]]; then
			say "installing redbot"
			python3 -m venv "$redbot" >&2 && "$redbot/bin/pip" install --quiet redbot==2.7.1 >&2
		fi
		export PATH="$PATH:$redbot/bin"
		;;
	esac
done
if ((${#packages[@]})); then
	say "installing ${packages[*]}"
	apt_install "${packages[@]}"
fi
export CARGO_TARGET_DIR="$(target_dir)"
if $build; then
	say "build"
	cargo build --release -p selvedge-edge -p selvedge-edge-tools-testkit --bins
fi
exec python3 scripts/outside_programs.py "$CARGO_TARGET_DIR/release" "${chosen[@]}"
