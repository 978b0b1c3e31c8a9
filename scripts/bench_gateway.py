"""The race of `scripts/bench-gateway.sh`: starts the servers, drives them in turns, prints a table."""

import argparse
import json
import os
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
    tcp_nopush on;
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

    def __init__(self, name, net, program, folder):
        self.name = name
        pin = folder / f"{name}.sh"
        pin.write_text(f'#!/bin/sh\nexec taskset -c {SERVER_CORE} "{program}" "$@"\n')
        pin.chmod(0o755)
        certificate = folder / f"{name}.pem"
        lengths = [str(length) for length in LENGTHS.values()]
        self.process = pinned(
            GENERATOR_CORE,
            [net, str(pin), str(certificate), *lengths],
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
        self.targets = dict(zip(LENGTHS, told["targets"]))
        self.ports = {"http": told["http"].split(":")[1], "https": told["https"].split(":")[1]}


class Nginx:
    """nginx with a cache of what the gateway's origin gives."""

    def __init__(self, name, sending, gateway, folder):
        self.name = name
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
        for target in self.targets.values():
            for scheme in self.ports:
                for _ in range(3):
                    head(self, scheme, target)
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        names = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in children.read_text().split()}
        self.pids = [int(pid) for pid, name in names.items() if "worker" in name]


def head(server, scheme, target):
    """The head of an answer, with its body asked for and thrown away."""
    port = server.ports[scheme]
    command = ["curl", "-sk", "--http1.1", "-D", "-", "-o", "/dev/null", "--retry", "20", "--retry-connrefused"]
    command += ["--retry-delay", "1", "--connect-to", f"site.test:{port}:127.0.0.1:{port}"]
    done = subprocess.run([*command, f"{scheme}://site.test:{port}{target}"], capture_output=True, check=True)
    return done.stdout.decode()


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


def drive(server, protocol, target, seconds):
    """Asks for one target for a while. Gives requests, seconds, and the generator's share of its core."""
    scheme = "http" if protocol == "http1" else "https"
    port = server.ports[scheme]
    if protocol == "http1":
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "60s", "-H", "Host: site.test"]
        command.append(f"http://127.0.0.1:{port}{target}")
    else:
        command = ["h2load", "-t1", f"-D{seconds}", f"--connect-to=127.0.0.1:{port}"]
        command += [f"-c{CONNECTIONS}", "--h1"] if protocol == "tls" else [f"-c{CONNECTIONS // 4}", "-m4"]
        command.append(f"https://site.test:{port}{target}")
    before, began = os.times(), time.monotonic()
    process = pinned(GENERATOR_CORE, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output, _ = process.communicate()
    took, after = time.monotonic() - began, os.times()
    busy = after.children_user + after.children_system - before.children_user - before.children_system
    if protocol == "http1":
        found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", output)
        failed = re.search(r"Non-2xx|Socket errors", output)
    else:
        found = re.search(r"(\d+) succeeded", output)
        failed = re.search(r"[1-9]\d* (failed|errored|timeout)", output)
    if process.returncode or not found or failed:
        sys.exit(f"{server.name} {protocol} {target}:\n{output}")
    return int(found.group(1)), took, busy / took


def measure(server, protocol, target, seconds):
    before = seconds_of(server.pids)
    requests, took, generator = drive(server, protocol, target, seconds)
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
        for size in LENGTHS:
            row = f"{protocol}-{size}"
            if options.rows and row not in options.rows.split(","):
                continue
            runs = {server.name: [] for server in servers}
            for server in servers:
                drive(server, protocol, server.targets[size], 1)
            for _ in range(options.rounds):
                for server in [*servers, *reversed(servers)]:
                    run = measure(server, protocol, server.targets[size], options.seconds)
                    runs[server.name].append(run)
            for server in servers:
                rows.append(summary(row, server.name, runs[server.name]))
                show(rows[-1])
    return rows


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
    parser.add_argument("--program", action="append", required=True)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--rows", default="")
    parser.add_argument("--json")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    servers = []
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        try:
            for number, program in enumerate(options.program):
                name = "selvedge" if number == 0 else f"selvedge-{number}"
                servers.append(Gateway(name, options.net, program, folder))
            first = servers[0]
            servers.append(Nginx("nginx-sendfile", "sendfile on;", first, folder))
            servers.append(Nginx("nginx-buffers", "sendfile off; output_buffers 2 1m;", first, folder))
            heads = {server.name: len(head(server, "http", server.targets["1k"])) for server in servers}
            print(f"head of a 1 KiB answer, octets: {heads}\n")
            print("| row | server | requests/s (lowest-highest) | CPU µs/request | server's core | generator's core |")
            print("|---|---|---|---|---|---|", flush=True)
            rows = race(servers, options)
            memory = {server.name: memory_of(server.pids) for server in servers}
            print(f"\nresident memory, octets: {memory}")
            print(f"load averages: {os.getloadavg()}")
            if options.json:
                result = {"heads": heads, "memory": memory, "load": os.getloadavg(), "rows": rows}
                Path(options.json).write_text(json.dumps(result, indent=1) + "\n")
        finally:
            for server in reversed(servers):
                stop(server.process)


main()
