# What the scripts share. Sourced, never run.

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# One target directory for everything, kept between checkouts, so that dependencies compile once.
target_dir() { echo "${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/selvedge/target}"; }
tools_dir() { echo "${XDG_CACHE_HOME:-$HOME/.cache}/selvedge/tools"; }

apt_install() {
	local sudo=""
	[[ $(id -u) == 0 ]] || sudo="sudo"
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2 ||
		die "apt-get could not install $*: install them by hand and run this again"
}

# The wasm32v1-none standard library: from rustup, or, where rustup cannot download, built from Debian's own sources.
# Prints the environment that the fallback needs.
wasm_target() {
	if rustup target list --installed 2>/dev/null | grep -qx wasm32v1-none; then return; fi
	if ! rustup toolchain list 2>/dev/null | grep -q '^debian'; then
		say "adding the wasm32v1-none target"
		if timeout 300 rustup target add wasm32v1-none >&2; then return; fi
		say "rustup cannot download it; building it from Debian's Rust sources"
	fi
	wasm_target_from_debian
	echo "export WASM_BUILD_TOOLCHAIN=debian"
	echo "export CARGO_TARGET_WASM32V1_NONE_LINKER=wasm-ld-22"
}

wasm_target_from_debian() {
	local lib=/usr/lib/rustlib/wasm32v1-none/lib
	if ! ls "$lib"/libcore-*.rlib >/dev/null 2>&1; then
		apt_install rustc-web cargo-web rust-web-src lld-22
		local seed
		seed=$(mktemp -d)
		mkdir -p "$seed/src"
		printf '[package]\nname = "seed"\nversion = "0.0.0"\nedition = "2021"\n' >"$seed/Cargo.toml"
		printf '#![no_std]\n' >"$seed/src/lib.rs"
		# Without embed-bitcode the runtime's thin LTO fails: "failed to get bitcode from object file".
		(cd "$seed" && env -u CARGO_TARGET_DIR RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C embed-bitcode=yes" \
			CARGO_TARGET_WASM32V1_NONE_LINKER=wasm-ld-22 \
			/usr/bin/cargo build --release --target wasm32v1-none -Zbuild-std=core,alloc >&2)
		mkdir -p "$lib"
		cp "$seed"/target/wasm32v1-none/release/deps/lib{core,alloc,compiler_builtins}-*.rlib "$lib/"
		rm -rf "$seed"
	fi
	rustup toolchain list | grep -q '^debian' || rustup toolchain link debian /usr
}

# The spelling checker, from its Python wheel.
typos_tool() {
	local venv
	venv="$(tools_dir)/typos"
	[[ -x "$venv/bin/typos" ]] && return
	say "installing typos"
	python3 -m venv "$venv" >&2 && "$venv/bin/pip" install --quiet typos==1.39.0 >&2
}

# Node.js for the clients of the tests, which do not run on the one of Debian 12. Prints the environment that it needs.
node_tool() {
	local folder version
	version=$(node --version)
	[[ ${version#v} =~ ^([0-9]+) ]] && ((BASH_REMATCH[1] >= 20)) && return
	folder="$(tools_dir)/node"
	if [[ ! -x "$folder/node_modules/.bin/node" ]]; then
		say "installing Node.js 22"
		npm install --no-audit --no-fund --silent --prefix "$folder" node@22 >&2 ||
			die "npm could not install Node.js 22: install Node.js 20 or later by hand and run this again"
	fi
	echo "export PATH=$folder/node_modules/.bin:\$PATH"
}

# Builds every program. `--examples` makes cargo resolve features as it does for tests, so that the
# dependencies compile once for both. The runtime of upgrade rehearsals is for tests, which build it themselves.
build_programs() { cargo build --release --workspace --exclude selvedge-runtime-rehearsal --lib --bins --examples; }

# Installs what is missing and builds every program. Always the whole workspace: with fewer crates the dependencies have fewer
# features, and compile again.
prepare() {
	local exports
	exports=$(scripts/setup.sh)
	eval "$exports"
	say "building (the first time takes about 20 minutes on two cores)"
	build_programs >&2
}

# The runtime blob that the build of `selvedge-runtime-wasm` leaves behind.
runtime_wasm() { echo "$(target_dir)/release/wbuild/selvedge-runtime/selvedge_runtime.compact.compressed.wasm"; }
