"""The race of `scripts/bench-gateway.sh`: starts the servers, drives them in turns, prints a table.

Rows are PROTOCOL-SET: protocols http1, tls, h2; sets 1k, 100k, 10m (one object each) and zipf (a thousand objects of 1 to 64 KiB).
wrk asks over HTTP/1.1 for 1 KiB, h2load over TLS and HTTP/2; larger bodies in the clear are discarded unread by bench-load.
"""

import argparse
import json
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVER_CORE, GENERATOR_CORE = "0", "1"
CONNECTIONS = 64
LENGTHS = {"1k": 1024, "100k": 100 * 1024, "10m": 10 * 1024 * 1024}
# Of the Zipf set: how many, how the lengths go through, and the exponent.
ZIPF_OBJECTS, ZIPF_LENGTHS, ZIPF_SKEW = 1000, [1024, 4096, 16384, 65536], 0.9
# How many objects of 1 KiB there are when memory is compared.
MEMORY_OBJECTS = [1000, 4000]
TICK = os.sysconf("SC_CLK_TCK")

# As much on the wire as the gateway sends (its Via and Accept-Ranges are as long as nginx's Server and Connection), and a line of the
# same content for every request.
NGINX = """
daemon off;
master_process on;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_rlimit_nofile 65536;
events {{ worker_connections 16384; multi_accept on; use epoll; }}
http {{
    log_format line escape=json '{{"time_ms":"$msec","request_id":"$request_id","peer":"$remote_addr","service":1,'
        '"host":"$host","method":"$request_method","target":"$request_uri","scheme":"$scheme","status":$status,'
        '"source":"$upstream_cache_status","bytes":$body_bytes_sent,"complete":"$request_completion",'
        '"ttfb_us":"$request_time","total_us":"$request_time"}}';
    access_log {folder}/access.log line buffer=64k flush=1s;
    {sending}
    tcp_nodelay on;
    server_tokens off;
    keepalive_requests 1000000000;
    http2_max_concurrent_streams 128;
    open_file_cache max=10000 inactive=600s;
    open_file_cache_valid 600s;
    proxy_cache_path {folder}/cache levels=1:2 keys_zone=race:16m max_size=4g inactive=1d use_temp_path=off;
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    ssl_certificate {certificate};
    ssl_certificate_key {certificate};
    ssl_protocols TLSv1.3;
    ssl_session_cache shared:tls:8m;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{tls_port} ssl http2 backlog=4096;
        location / {{
            proxy_pass {origin};
            proxy_http_version 1.1;
            proxy_cache race;
            add_header Age 000;
            add_header Cache-Status '"selvedge-gateway"; hit; ttl=86399';
            add_header X-Request-Id $request_id;
        }}
    }}
}}
"""


VARNISH = """
vcl 4.1;
backend origin {{ .host = "{host}"; .port = "{port}"; }}
sub vcl_deliver {{
    set resp.http.Cache-Status = {{""selvedge-gateway"; hit; ttl=86399"}};
    set resp.http.X-Request-Id = "0123456789abcdef0123456789abcdef";
    unset resp.http.X-Varnish;
    unset resp.http.Via;
    set resp.http.Via = "1.1 selvedge";
}}
"""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def pinned(core, command, **options):
    return subprocess.Popen(["taskset", "-c", core, *command], **options)


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Gateway:
    """An origin, a cache and the gateway under test."""

    def __init__(self, name, net, program, folder, more):
        self.name = name
        self.protocols = ["http1", "tls", "h2"]
        pin = folder / f"{name}.sh"
        pin.write_text(f'#!/bin/sh\nexec taskset -c {SERVER_CORE} "{program}" "$@"\n')
        pin.chmod(0o755)
        certificate = folder / f"{name}.pem"
        self.process = pinned(
            GENERATOR_CORE,
            [net, str(pin), str(certificate), *map(str, LENGTHS.values()), *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{name} did not start")
        told = json.loads(line)
        self.pids = [told["pid"]]
        self.certificate, self.origin = certificate, told["origin"]
        self.targets = {name: [target] for name, target in zip(LENGTHS, told["targets"])}
        self.targets["zipf"] = told["targets"][len(LENGTHS) :]
        self.ports = {"http": told["http"].split(":")[1], "https": told["https"].split(":")[1]}


class Nginx:
    """nginx with a cache of what the gateway's origin gives."""

    def __init__(self, name, sending, gateway, folder):
        self.name = name
        self.protocols = ["http1", "tls", "h2"]
        own = folder / name
        own.mkdir()
        self.ports = {"http": str(free_port()), "https": str(free_port())}
        config = own / "nginx.conf"
        text = NGINX.format(
            folder=own,
            sending=sending,
            certificate=gateway.certificate,
            origin=gateway.origin.rstrip("/"),
            port=self.ports["http"],
            tls_port=self.ports["https"],
        )
        config.write_text(("user root;\n" if os.getuid() == 0 else "") + text)
        nginx = "/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "nginx"
        self.process = pinned(SERVER_CORE, [nginx, "-c", str(config), "-p", str(own)])
        self.targets = gateway.targets
        warm(self)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        names = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children.read_text().split()}
        self.pids = [int(pid) for pid, name in names.items() if "worker" in name]


class Varnish:
    """Varnish with a cache of what the gateway's origin gives. It speaks neither TLS nor, here, HTTP/2."""

    def __init__(self, name, gateway, folder):
        self.name = name
        self.protocols = ["http1"]
        own = folder / name
        own.mkdir()
        host, port = gateway.origin.rstrip("/").split("//")[1].split(":")
        (own / "race.vcl").write_text(VARNISH.format(host=host, port=port))
        self.ports = {"http": str(free_port())}
        command = ["/usr/sbin/varnishd", "-F", "-n", str(own), "-a", f"127.0.0.1:{self.ports['http']}"]
        command += ["-f", str(own / "race.vcl"), "-s", "malloc,1g", "-p", "thread_pools=1"]
        self.process = pinned(SERVER_CORE, command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.targets = gateway.targets
        warm(self)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.pids = [int(pid) for pid in children.read_text().split()]


def zipf_lengths():
    """The length of every object of the Zipf set."""
    return [str(ZIPF_LENGTHS[number % len(ZIPF_LENGTHS)]) for number in range(ZIPF_OBJECTS)]


def warm(server):
    """Asks for every object until it is cached, over every scheme."""
    for targets in server.targets.values():
        for scheme in server.ports:
            for _ in range(2):
                curl(server, scheme, targets)


def curl(server, scheme, targets, *options):
    """Asks for targets over one connection and throws their bodies away."""
    port = server.ports[scheme]
    command = ["curl", "-sk", "--http1.1", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", *options]
    command += ["--connect-to", f"site.test:{port}:127.0.0.1:{port}"]
    for target in targets:
        command += ["-o", "/dev/null", f"{scheme}://site.test:{port}{target}"]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


def head(server, target):
    """The head of an answer."""
    return curl(server, "http", [target], "-D", "-")


def seconds_of(pids):
    """Processor time of processes, in seconds."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory_of(pids):
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE")


def command_for(server, protocol, size, seconds, load):
    """What asks for a set for a while: wrk, h2load or bench-load."""
    scheme = "http" if protocol == "http1" else "https"
    port, targets = server.ports[scheme], server.targets[size]
    if protocol == "http1" and size == "1k":
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "60s", "-H", "Host: site.test"]
        return [*command, f"http://127.0.0.1:{port}{targets[0]}"]
    if protocol == "http1":
        return load_command(load, port, seconds, 0, targets)
    command = ["h2load", "-t1", f"-D{seconds}", f"--connect-to=127.0.0.1:{port}"]
    command += [f"-c{CONNECTIONS}", "--h1"] if protocol == "tls" else [f"-c{CONNECTIONS // 4}", "-m4"]
    # h2load asks for its targets in turns: those asked for often come often.
    return [*command, *(f"https://site.test:{port}{target}" for target in by_frequency(targets))]


def load_command(load, port, seconds, rate, targets):
    skew = ZIPF_SKEW if len(targets) > 1 else 0
    return [load, f"127.0.0.1:{port}", "site.test", str(seconds), str(CONNECTIONS), str(rate), str(skew), *targets]


def by_frequency(targets):
    """Targets in a random order, each as often as Zipf's law has it."""
    if len(targets) == 1:
        return targets
    weights = [1 / rank**ZIPF_SKEW for rank in range(1, len(targets) + 1)]
    return random.Random(7).choices(targets, weights, k=3000)


def drive(server, protocol, size, seconds, load):
    """Asks for a set for a while. Gives requests, seconds, and the generator's share of its core."""
    command = command_for(server, protocol, size, seconds, load)
    before, began = os.times(), time.monotonic()
    process = pinned(GENERATOR_CORE, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output, _ = process.communicate()
    took, after = time.monotonic() - began, os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    if command[0] == "wrk":
        found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", output)
        failed = re.search(r"Non-2xx|Socket errors", output)
    elif command[0] == "h2load":
        found = re.search(r"(\d+) succeeded", output)
        failed = re.search(r"[1-9]\d* (failed|errored|timeout)", output)
    else:
        found, failed = re.search(r'"requests":(\d+)', output), None
    if process.returncode or not found or failed:
        sys.exit(f"{server.name} {protocol} {size}:\n{output}")
    return int(found.group(1)), took, busy / took


def latency(server, size, seconds, rate, load):
    """Times of answers at a fixed rate of requests, in microseconds."""
    command = load_command(load, server.ports["http"], seconds, rate, server.targets[size])
    done = subprocess.run(["taskset", "-c", GENERATOR_CORE, *command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def measure(server, protocol, size, seconds, load):
    before = seconds_of(server.pids)
    requests, took, generator = drive(server, protocol, size, seconds, load)
    used = seconds_of(server.pids) - before
    return {
        "requests_per_second": requests / seconds,
        "cpu_us_per_request": 1e6 * used / max(requests, 1),
        "server_share": used / took,
        "generator_share": generator,
    }


def race(servers, options):
    rows = []
    for protocol in ["http1", "tls", "h2"]:
        for size in [*LENGTHS, "zipf"]:
            row = f"{protocol}-{size}"
            if options.rows and row not in options.rows.split(","):
                continue
            able = [server for server in servers if protocol in server.protocols]
            runs = {server.name: [] for server in able}
            for server in able:
                drive(server, protocol, size, 1, options.load)
            for _ in range(options.rounds):
                for server in [*able, *reversed(able)]:
                    run = measure(server, protocol, size, options.seconds, options.load)
                    runs[server.name].append(run)
            for server in able:
                rows.append(summary(row, server.name, runs[server.name]))
                show(rows[-1])
    return rows


def wait(servers, rows, options):
    """Times of answers at half of what the slowest server of a row can do, for all of them the same rate."""
    print("\n| row | server | requests/s | p50 µs | p99 µs | p99.9 µs |\n|---|---|---|---|---|---|", flush=True)
    found = []
    for size in ["1k", "100k", "zipf"]:
        rates = [row["requests_per_second"] for row in rows if row["row"] == f"http1-{size}"]
        if not rates:
            continue
        rate = int(min(rates) / 2)
        runs = {server.name: [] for server in servers}
        for server in [*servers, *reversed(servers)]:
            runs[server.name].append(latency(server, size, options.seconds, rate, options.load))
        for name, both in runs.items():
            of = lambda key: statistics.median(run[key] for run in both)
            found.append({"row": f"http1-{size}", "server": name, "rate": rate, "runs": both})
            print(f"| http1-{size} | {name} | {rate:,} | {of('p50_us'):.0f} | {of('p99_us'):.0f} | {of('p999_us'):.0f} |", flush=True)
    return found


def memory_per_object(options, folder):
    """What an object of 1 KiB takes in memory, by what more objects take more; nginx's with the pages of its files."""
    print("\n| server | octets per object of 1 KiB |\n|---|---|", flush=True)
    found, seen = {}, {}
    for count in MEMORY_OBJECTS:
        own = folder / f"memory-{count}"
        own.mkdir()
        own.chmod(0o755)
        servers = []
        try:
            gateway = Gateway("selvedge", options.net, options.program[0], own, ["1024"] * count)
            gateway.targets = {"all": gateway.targets["zipf"]}
            # It keeps one for each scheme.
            servers.append((gateway, 2 * len(gateway.targets["all"])))
            servers.append((Nginx("nginx-buffers", "sendfile off;", gateway, own), count))
            servers.append((Varnish("varnish", gateway, own), count))
            for server, objects in servers:
                octets = memory_of(server.pids)
                if isinstance(server, Nginx):
                    cached = Path(own / server.name / "cache").rglob("*")
                    octets += sum(file.stat().st_blocks * 512 for file in cached if file.is_file())
                seen.setdefault(server.name, []).append((octets, objects))
        finally:
            for server, _ in reversed(servers):
                stop(server.process)
    for name, ((octets, objects), (more_octets, more_objects)) in seen.items():
        found[name] = (more_octets - octets) / (more_objects - objects)
        print(f"| {name} | {found[name]:,.0f} |", flush=True)
    return found


def summary(row, name, runs):
    of = lambda key: [run[key] for run in runs]
    return {
        "row": row,
        "server": name,
        "requests_per_second": statistics.median(of("requests_per_second")),
        "lowest": min(of("requests_per_second")),
        "highest": max(of("requests_per_second")),
        "cpu_us_per_request": statistics.median(of("cpu_us_per_request")),
        "server_share": statistics.median(of("server_share")),
        "generator_share": statistics.median(of("generator_share")),
        "runs": runs,
    }


def show(row):
    bound = " client-bound" if row["generator_share"] > 0.9 else ""
    print(
        f"| {row['row']} | {row['server']} | {row['requests_per_second']:,.0f} "
        f"({row['lowest']:,.0f}-{row['highest']:,.0f}) | {row['cpu_us_per_request']:,.1f} "
        f"| {row['server_share']:.0%} | {row['generator_share']:.0%}{bound} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--net", required=True)
    parser.add_argument("--load", required=True)
    parser.add_argument("--program", action="append", required=True)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rows", default="")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    servers = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        # Varnish gives up its rights before it reads there.
        folder.chmod(0o755)
        try:
            for number, program in enumerate(options.program):
                name = "selvedge" if number == 0 else f"selvedge-{number}"
                servers.append(Gateway(name, options.net, program, folder, zipf_lengths()))
            first = servers[0]
            servers.append(Nginx("nginx-sendfile", "sendfile on;", first, folder))
            servers.append(Nginx("nginx-buffers", "sendfile off; output_buffers 2 1m;", first, folder))
            servers.append(Varnish("varnish", first, folder))
            heads = {server.name: len(head(server, server.targets["1k"][0])) for server in servers}
            print(f"head of a 1 KiB answer, octets: {heads}\n")
            print("| row | server | requests/s (lowest-highest) | CPU µs/request | server's core | generator's core |")
            print("|---|---|---|---|---|---|", flush=True)
            rows = race(servers, options)
            times = wait(servers, rows, options)
            print(f"load averages: {os.getloadavg()}")
            memory = memory_per_object(options, folder) if options.memory else {}
            if options.json:
                result = {"heads": heads, "memory": memory, "load": os.getloadavg(), "rows": rows, "times": times}
                Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
        finally:
            for server in reversed(servers):
                stop(server.process)


main()
