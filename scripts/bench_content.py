"""The race of `scripts/bench-content.sh`: blobs from one node to another, verified on arrival, in turns, as a table.

Each contestant has a server on the first core and a client on the second: `serve FOLDER FILE...` prints where it is and which blobs it
has and ends with its input; `fetch ADDRESS ID HASH ROUNDS` prints a line for each round.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SERVER_CORE, CLIENT_CORE = "0", "1"
MIB = 1024 * 1024
# How long, and how often it is fetched in one turn.
SIZES = {"1m": (MIB, 200), "100m": (100 * MIB, 4), "1g": (1024 * MIB, 1)}
TICK = os.sysconf("SC_CLK_TCK")


class Contestant:
    """A program that serves and fetches, and how it is told to."""

    def __init__(self, name, serve, fetch):
        self.name, self.serve, self.fetch = name, serve, fetch


def contestants(args):
    ours = args.ours
    yield Contestant("selvedge", [ours, "serve", args.program], [ours, "fetch"])
    yield Contestant("the same hop, unverified", [ours, "serve-plain"], [ours, "fetch-plain"])
    yield Contestant("iroh-blobs", [args.peer, "serve"], [args.peer, "fetch"])


def pinned(core, command, **how):
    return subprocess.Popen(["taskset", "-c", core, *command], **how)


def processor_seconds(pid):
    """Of a process and its children that have not ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    own = (int(fields[11]) + int(fields[12])) / TICK
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(processor_seconds(child) for child in children)


def turn(contestant, folder, files):
    """Fetches every file; what was seen, by the file's size name."""
    seen = {}
    server = pinned(SERVER_CORE, [*contestant.serve, str(folder), *map(str, files.values())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        line = server.stdout.readline()
        if not line:
            sys.exit(f"{contestant.name} does not serve")
        at = json.loads(line)
        for (name, file), hash in zip(files.items(), at["hashes"]):
            length = file.stat().st_size
            before = processor_seconds(server.pid)
            command = [*contestant.fetch, at["address"], at["id"], hash, str(SIZES[name][1])]
            client = pinned(CLIENT_CORE, command, stdout=subprocess.PIPE, text=True)
            out = client.stdout.read()
            _, status, usage = os.wait4(client.pid, 0)
            client.returncode = os.waitstatus_to_exitcode(status)
            if client.returncode != 0:
                sys.exit(f"{contestant.name} does not fetch {name}")
            fetched = [json.loads(one) for one in out.splitlines()]
            assert all(one["bytes"] == length for one in fetched), f"{contestant.name} gave another length of {name}"
            gib = length * len(fetched) / 2**30
            seen[name] = {
                "rates": [length / one["seconds"] / MIB for one in fetched],
                "first_bytes": [one["first_byte"] * 1000 for one in fetched],
                "server": (processor_seconds(server.pid) - before) / gib,
                "client": (usage.ru_utime + usage.ru_stime) / gib,
            }
    finally:
        server.stdin.close()
        server.wait(timeout=30)
    return seen


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", required=True, help="the built bench-content")
    parser.add_argument("--program", required=True, help="the built selvedge-edge")
    parser.add_argument("--peer", required=True, help="the built bench-iroh-blobs")
    parser.add_argument("--turns", type=int, default=2, help="turns of each, there and back (default 2)")
    parser.add_argument("--sizes", default=",".join(SIZES), help=f"of {', '.join(SIZES)}")
    parser.add_argument("--json", help="write the figures there too")
    args = parser.parse_args()
    sizes = args.sizes.split(",")
    for size in sizes:
        if size not in SIZES:
            parser.error(f"there is no size {size}: choose of {', '.join(SIZES)}")
    racing = list(contestants(args))
    figures = {one.name: {size: [] for size in sizes} for one in racing}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        files = {}
        for size in sizes:
            files[size] = folder / f"{size}.bin"
            with open(files[size], "wb") as file:
                for _ in range(SIZES[size][0] // MIB):
                    file.write(os.urandom(MIB))
        hashing = json.loads(subprocess.run(["taskset", "-c", CLIENT_CORE, args.ours, "hash", str(files[sizes[-1]])], check=True, stdout=subprocess.PIPE, text=True).stdout)
        for number in range(args.turns):
            # A-B-C-C-B-A, so that a machine that slows down slows all.
            for which, one in enumerate(racing + racing[::-1]):
                print(f"turn {number + 1} of {args.turns}: {one.name}", file=sys.stderr)
                home = folder / f"{number}-{which}"
                home.mkdir()
                for size, seen in turn(one, home, files).items():
                    figures[one.name][size].append(seen)
    summary = {"hashing": hashing, "fetching": {}}
    print(f"\nBLAKE3 on one core: {hashing['blake3']:.0f} MiB/s; with the hash tree {hashing['tree']:.0f} MiB/s\n")
    print("| blob | node | MiB/s, median (least to most) | first byte, ms | processor s/GiB, server + client |\n|---|---|---|---|---|")
    for size in sizes:
        for one in racing:
            turns = figures[one.name][size]
            rates = [rate for seen in turns for rate in seen["rates"]]
            first = [first for seen in turns for first in seen["first_bytes"]]
            spent = [statistics.median(seen[side] for seen in turns) for side in ("server", "client")]
            row = {"rate": statistics.median(rates), "least": min(rates), "most": max(rates), "first_byte_ms": statistics.median(first), "server": spent[0], "client": spent[1]}
            summary["fetching"].setdefault(size, {})[one.name] = row
            print(f"| {size} | {one.name} | {row['rate']:.0f} ({row['least']:.0f} to {row['most']:.0f}) | {row['first_byte_ms']:.2f} | {spent[0]:.2f} + {spent[1]:.2f} |")
    if args.json:
        Path(args.json).write_text(json.dumps(summary, indent=1) + "\n")


main()
