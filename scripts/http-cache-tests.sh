#!/usr/bin/env bash
# Judges the gateway by the npm package http-cache-tests, which nobody here wrote. --help tells more.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/lib.sh

usage() {
	cat <<-'END'
		scripts/http-cache-tests.sh [--json] [--peers] [--no-build] [--only NAME] [ID ...]

		Runs the suite's own origin, one gateway and one cache, without a chain, and every case that is not for
		browsers or for Surrogate-Control alone, in each of these:

		  rfc9111          everything the standards allow is kept, memory tier on
		  rfc9111-disk     the same, memory tier off
		  default          what a gateway does unless told otherwise, memory tier on
		  default-disk     the same, memory tier off

		--peers    nginx and Varnish too (from apt), each set up to honour the origin's fields
		--only     one of these names only; may be given several times
		--json     the results as one JSON object, with the reason for each case that failed
		--no-build takes the programs as they are
		ID         these cases only; with DUMP=1 their messages are shown
	END
}

version=0.4.5
json=false peers=false build=true only=() ids=()
while (($#)); do
	case $1 in
	--json) json=true ;;
	--peers) peers=true ;;
	--no-build) build=false ;;
	--only) only+=("${2:?--only takes a name}") && shift ;;
	--help | -h) usage && exit ;;
	-*) die "there is no $1: see --help" ;;
	*) ids+=("$1") ;;
	esac
	shift
done

suite="$(tools_dir)/http-cache-tests/node_modules/http-cache-tests"
if [[ $(node -p "require('$suite/package.json').version" 2>/dev/null) != "$version" ]]; then
	say "installing http-cache-tests $version"
	mkdir -p "$(tools_dir)/http-cache-tests"
	npm install --prefix "$(tools_dir)/http-cache-tests" --no-audit --no-fund --silent "http-cache-tests@$version" >&2
fi

bin="$(target_dir)/release"
if $build; then prepare; fi

work=$(mktemp -d)
running=()
stop() {
	for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
	for pid in "${running[@]}"; do wait "$pid" 2>/dev/null || true; done
	running=()
}
trap 'stop; rm -rf "$work"' EXIT

# Waits for what a program prints or for the program's end: `await PID FILE PATTERN`.
await() {
	until grep -qE "$3" "$2" 2>/dev/null; do
		kill -0 "$1" 2>/dev/null || die "it ended: $(cat "$2")"
		sleep 0.1
	done
}

# Starts the suite's origin on a free port, and sets $origin.
start_origin() {
	: >"$work/origin.log"
	(cd "$suite" && exec env npm_config_protocol=http npm_config_port=0 npm_config_pidfile="$work/origin.pid" \
		node server/server.mjs) >"$work/origin.log" 2>&1 &
	running+=($!)
	await $! "$work/origin.log" "Listening on"
	origin="http://127.0.0.1:$(grep -oE '[0-9]+/$' "$work/origin.log" | tr -d /)"
}

# Starts a gateway and a cache with these settings, and sets $base.
start_gateway() {
	local settings=()
	for setting in "$@"; do settings+=(--set "$setting"); done
	: >"$work/site.log"
	# The site ends with its standard input, so it gets one that stays open: a pipe that it could write to itself.
	[[ -p $work/stdin ]] || mkfifo "$work/stdin"
	"$bin/selvedge-edge-site" --program "$bin/selvedge-edge" --origin "$origin" --host localhost \
		"${settings[@]}" <>"$work/stdin" >"$work/site.log" 2>"$work/site.err" &
	running+=($!)
	await $! "$work/site.log" '"http"'
	base="http://localhost:$(node -p 'JSON.parse(process.argv[1]).http.split(":").pop()' "$(cat "$work/site.log")")"
}

free_port() { node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'; }

start_nginx() {
	command -v nginx >/dev/null || RUNLEVEL=1 apt_install nginx-light
	local port && port=$(free_port)
	mkdir -p "$work/nginx"
	cat >"$work/nginx.conf" <<-END
		user $(id -un) $(id -gn); daemon off; worker_processes 1; pid $work/nginx.pid; error_log $work/nginx.err;
		events { worker_connections 4096; }
		http {
			access_log off;
			client_body_temp_path $work/nginx/body; proxy_temp_path $work/nginx/proxy;
			fastcgi_temp_path $work/nginx/f; uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
			proxy_cache_path $work/nginx/cache keys_zone=z:10m use_temp_path=off;
			server {
				listen 127.0.0.1:$port; server_name localhost;
				location / {
					proxy_pass $origin; proxy_http_version 1.1; proxy_set_header Connection "";
					proxy_cache z; proxy_cache_revalidate on; proxy_cache_lock on;
					proxy_force_ranges on; if_modified_since before; proxy_no_cache \$http_authorization;
				}
			}
		}
	END
	nginx -p "$work/nginx" -c "$work/nginx.conf" >"$work/nginx.log" 2>&1 &
	running+=($!)
	base="http://127.0.0.1:$port"
	await_port $! "$port"
}

start_varnish() {
	command -v varnishd >/dev/null || RUNLEVEL=1 apt_install varnish
	local port && port=$(free_port)
	mkdir -p "$work/varnish"
	varnishd -F -n "$work/varnish" -a "127.0.0.1:$port" -b "${origin#http://}" -s malloc,256m -t 0 \
		-p default_grace=0 -p default_keep=3600 >"$work/varnish.log" 2>&1 &
	running+=($!)
	base="http://127.0.0.1:$port"
	await_port $! "$port"
}

await_port() {
	until (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; do
		kill -0 "$1" 2>/dev/null || die "it ended: $(cat "$work"/*.log "$work"/*.err 2>/dev/null)"
		sleep 0.1
	done
}

names=(rfc9111 rfc9111-disk default default-disk)
if $peers; then names+=(nginx varnish); fi
if ((${#only[@]})); then names=("${only[@]}"); fi
for name in "${names[@]}"; do
	say "$name"
	start_origin
	case $name in
	rfc9111) start_gateway profile=rfc9111 ;;
	rfc9111-disk) start_gateway profile=rfc9111 gateway.memory_mib=0 ;;
	default) start_gateway ;;
	default-disk) start_gateway gateway.memory_mib=0 ;;
	nginx) start_nginx ;;
	varnish) start_varnish ;;
	*) die "there is no $name: see --help" ;;
	esac
	node --no-warnings scripts/http-cache-tests.mjs "$suite" "$base" "${ids[@]}" >"$work/$name.out"
	if [[ ${DUMP:-} == 1 ]]; then sed '$d' "$work/$name.out" >&2; fi
	tail -n 1 "$work/$name.out" >"$work/$name.json"
	stop
done

node - "$json" "$work" "${names[@]}" <<'END'
const fs = require('fs')
const [json, work, ...names] = process.argv.slice(2)
const all = Object.fromEntries(names.map(name => [name, JSON.parse(fs.readFileSync(`${work}/${name}.json`))]))
if (json === 'true') {
  console.log(JSON.stringify(all, null, 2))
} else {
  console.log('| | required | optimal | (what it does, no judgement) |\n|---|---|---|---|')
  const of = ([passed, cases]) => `${passed} of ${cases}`
  for (const [name, got] of Object.entries(all)) console.log(`| ${name} | ${of(got.required)} | ${of(got.optimal)} | ${of(got.check)} |`)
  for (const [name, got] of Object.entries(all)) {
    for (const kind of ['required', 'optimal']) {
      const failing = Object.entries(got.failing[kind])
      if (failing.length) console.log(`\n${name}, ${kind}, failing:`)
      for (const [id, why] of failing) console.log(`  ${id}: ${why}`)
    }
  }
}
END
