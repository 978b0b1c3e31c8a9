#!/usr/bin/env bash
# Lets programs that nobody here wrote judge a gateway: curl, h2load, Chromium, slowhttptest, testssl.sh, redbot.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

usage="usage: $0 [--no-build] [--short] [curl] [h2load] [browser] [slow] [tls] [lint]
  All of them when none is named; about three and a half minutes, with --short two. Installs what is missing from Debian and PyPI.
  A remark that scripts/outside_remarks.toml does not explain makes the run fail."
build=true extent=() chosen=()
while (($#)); do
	case "$1" in
	--no-build) build=false ;;
	--short) extent=(--short) ;;
	curl | h2load | browser | slow | tls | lint) chosen+=("$1") ;;
	*) die "$usage" ;;
	esac
	shift
done
((${#chosen[@]})) || chosen=(curl h2load browser slow tls lint)

declare -A program=([curl]=curl [h2load]=h2load [browser]=chromium [slow]=slowhttptest [tls]=testssl [lint]=redbot)
declare -A packages=([curl]=curl [h2load]=nghttp2-client [browser]="chromium openssl" [slow]="slowhttptest curl" [tls]=testssl.sh)
missing=() ready=()
for name in "${chosen[@]}"; do
	if [[ $name == lint ]]; then
		redbot="$(tools_dir)/redbot"
		export PATH="$PATH:$redbot/bin"
		command -v redbot >/dev/null && continue
		say "installing redbot"
		{ python3 -m venv "$redbot" && "$redbot/bin/pip" install --quiet redbot==2.7.1; } >&2 || true
	elif ! command -v "${program[$name]}" >/dev/null; then
		read -ra names <<<"${packages[$name]}"
		missing+=("${names[@]}")
	fi
done
if ((${#missing[@]})); then
	say "installing ${missing[*]}"
	# In a shell of its own, which it may end: what could be had runs all the same.
	(apt_install "${missing[@]}") || true
fi
for name in "${chosen[@]}"; do
	if command -v "${program[$name]}" >/dev/null; then
		ready+=("$name")
	else
		say "SKIPPED: $name: ${program[$name]} is not here and cannot be installed"
	fi
done
((${#ready[@]})) || die "none of the programs can be had"
export CARGO_TARGET_DIR="$(target_dir)"
if $build; then prepare; fi
exec python3 -B scripts/outside_programs.py "$CARGO_TARGET_DIR/release" "${extent[@]}" "${ready[@]}"
