"""What scripts/outside-programs.sh asks of a gateway, and what it takes for an answer."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from dataclasses import dataclass

from outside_origin import FILES, PAGE

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "localhost"
failures = []
with open(f"{HERE}/outside_remarks.toml", "rb") as remarks:
    REMARKS = tomllib.load(remarks)


@dataclass
class Extent:
    """How much is asked for."""

    small: int
    large: int
    attack_seconds: int
    tls: list
    least_findings: int
    paths: list


PATHS = ["/", "/style.css", "/image.png", "/large.bin", "/data.json", "/nothing"]
WHOLE = Extent(20_000, 200, 30, [], 80, PATHS)
# Protocols, ciphers, forward secrecy, what the server prefers and shows, and vulnerabilities: without the simulation of clients and
# the ciphers one by one.
SHORT = Extent(2_000, 20, 8, ["-p", "-s", "-f", "-P", "-S", "-U"], 40, ["/", "/large.bin", "/nothing"])


def check(what, is_good, why=""):
    print(("  ok      " if is_good else "  FAILED  ") + what + ("" if is_good else f": {why}"), flush=True)
    if not is_good:
        failures.append(what)


def explain(program, remarks):
    """Fails for each remark that outside_remarks.toml does not explain."""
    for remark in remarks:
        whys = [one["why"] for one in REMARKS.get(program, []) if re.fullmatch(one["says"], remark)]
        if whys:
            print(f"  said    {remark[:120]} ({whys[0]})", flush=True)
        else:
            check(remark[:300], False, "outside_remarks.toml does not explain it")


def run(command, data=None, limit=300):
    done = subprocess.run(command, input=data, capture_output=True, timeout=limit)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


class Site:
    """An origin, a cache and a gateway."""

    def __init__(self, programs, certificate, host=HOST):
        self.host = host
        pipe = subprocess.PIPE
        self.origin = subprocess.Popen([sys.executable, f"{HERE}/outside_origin.py"], stdin=pipe, stdout=pipe)
        origin = f"http://127.0.0.1:{int(self.origin.stdout.readline())}"
        self.certificate = certificate
        command = [f"{programs}/selvedge-edge-site", "--program", f"{programs}/selvedge-edge", "--origin", origin]
        command += ["--host", host]
        command += ["--certificate", certificate] if certificate else []
        self.gateway = subprocess.Popen(command, stdin=pipe, stdout=pipe)
        said = json.loads(self.gateway.stdout.readline())
        self.http, self.https = ((said[kind] or "").rpartition(":")[2] for kind in ("http", "https"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (self.gateway, self.origin):
            process.stdin.close()
            process.wait()

    def url(self, path, tls=False):
        return f"https://{self.host}:{self.https}{path}" if tls else f"http://{self.host}:{self.http}{path}"


def curl(site, _):
    body = FILES["/large.bin"][1]
    ways = {
        "HTTP/1.1": (False, ["--http1.1"]),
        "HTTP/1.1, TLS": (True, ["--http1.1"]),
        "HTTP/2": (False, ["--http2-prior-knowledge"]),
        "HTTP/2, TLS": (True, ["--http2"]),
    }
    for way, (tls, flags) in ways.items():
        large, page = site.url("/large.bin", tls), site.url("/", tls)

        def ask(url, *more, data=None):
            said = "\n%{http_code} %{http_version} %{num_connects}"
            base = ["curl", "-sS", "-4", "--cacert", site.certificate, "-w", said, *flags]
            code, out, error = run([*base, *more, url], data)
            content, _, last = out.rpartition(b"\n")
            status, version, connects = last.decode().split() if code == 0 else ("0", "0", "0")
            return content, int(status), version, int(connects), error

        content, status, version, _, error = ask(page)
        wanted = "2" if "HTTP/2" in way else "1.1"
        check(f"{way}: a page", (content, status, version) == (PAGE, 200, wanted), f"{status} {version} {error}")
        for turn in ("a miss", "a hit"):
            content, status, *_, error = ask(large)
            check(f"{way}: 5 MB, {turn}", content == body and status == 200, f"{status} {error}")
        content, status, *_ = ask(large, "-I")
        check(f"{way}: HEAD", status == 200 and b"content-length: 5000000" in content.lower(), content)
        for name, wanted in (("1000-1999", body[1000:2000]), ("-500", body[-500:]), ("4999000-", body[4999000:])):
            content, status, *_ = ask(large, "-r", name)
            check(f"{way}: range {name}", status == 206 and content == wanted, status)
        content, status, *_ = ask(large, "-r", "0-9,20-29")
        parts = status == 206 and body[:10] in content and body[20:30] in content
        check(f"{way}: two ranges", parts or (status == 200 and content == body), status)
        _, status, *_ = ask(large, "-r", "9000000-")
        check(f"{way}: a range that is not there", status == 416, status)
        etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        content, status, *_ = ask(large, "-H", f"If-None-Match: {etag}")
        check(f"{way}: not modified, by its tag", (status, content) == (304, b""), status)
        content, status, *_ = ask(large, "-z", "Tue, 02 Jan 2024 00:00:00 GMT")
        check(f"{way}: not modified, by its time", (status, content) == (304, b""), status)
        told = f"{len(body)} {hashlib.sha256(body).hexdigest()}\n".encode()
        content, status, *_, error = ask(site.url("/up", tls), "--data-binary", "@-", data=body)
        check(f"{way}: upload", content == told, f"{status} {error}")
        content, status, *_, error = ask(site.url("/up", tls), "-T", "-", data=body)
        check(f"{way}: upload of unknown length", content == told, f"{status} {error}")
        if "1.1" in way:
            expect = ["-v", "-H", "Expect: 100-continue", "--expect100-timeout", "60"]
            content, status, *_, error = ask(site.url("/up", tls), *expect, "--data-binary", "@-", data=body)
            check(f"{way}: Expect: 100-continue", content == told and "HTTP/1.1 100" in error, f"{status} {error[-300:]}")
        _, status, *_, = ask(site.url("/nothing", tls))
        check(f"{way}: what is not there", status == 404, status)
        both = ["curl", "-sS", "-4", "--cacert", site.certificate, *flags, "-w", "%{num_connects}", "-o", os.devnull]
        _, out, _ = run([*both, page, "-o", os.devnull, large])
        check(f"{way}: one connection for two requests", out == b"10", out)
    code, out, _ = run(["curl", "-sS", "-4", "--http1.0", site.url("/")])
    check("HTTP/1.0: a page", out == PAGE)
    for version, goes in (("1.1", False), ("1.2", True), ("1.3", True)):
        command = ["curl", "-sS", "-4", "--cacert", site.certificate, f"--tlsv{version}", "--tls-max", version]
        code, out, _ = run([*command, "--ciphers", "DEFAULT@SECLEVEL=0", site.url("/", True)])
        check(f"TLS {version}: {'a page' if goes else 'refused'}", (code == 0 and out == PAGE) == goes)
    code, out, error = run(["curl", "-sS", "-4", "-k", "-o", os.devnull, "-w", "%{http_code}", "-H", "Host: other.test", site.url("/", True)])
    check("TLS: a host that is not served", code == 0 and out == b"421", out)


def h2load(site, extent):
    for way, tls, flags in (
        ("HTTP/1.1", False, ["--h1"]),
        ("HTTP/1.1, TLS", True, ["--h1"]),
        ("HTTP/2", False, ["-m", "20"]),
        ("HTTP/2, TLS", True, ["-m", "20"]),
    ):
        for path, count in (("/style.css", extent.small), ("/large.bin", extent.large)):
            command = ["h2load", "-n", str(count), "-c", str(min(count, 32)), *flags, site.url(path, tls)]
            _, out, error = run(command)
            text = out.decode()
            good = f"{count} done, {count} succeeded, 0 failed, 0 errored, 0 timeout" in text
            good = good and f"status codes: {count} 2xx" in text
            found = re.search(r"finished in .*", text)
            check(f"{way}: {count} times {path} ({found.group(0) if found else ''})", good, text[-400:] + error)


def browser(site, _):
    public = subprocess.run(
        ["openssl", "x509", "-in", site.certificate, "-pubkey", "-noout"], capture_output=True, check=True
    ).stdout
    der = subprocess.run(
        ["openssl", "pkey", "-pubin", "-outform", "der"], input=public, capture_output=True, check=True
    ).stdout
    pin = base64.b64encode(hashlib.sha256(der).digest()).decode()
    code, out, error = run(["node", f"{HERE}/outside_browser.mjs", site.url("/", True), pin], limit=120)
    try:
        said = json.loads(out)
    except ValueError:
        return check("the browser answers", False, error[-500:])
    names = ["/", "/style.css", "/app.js", "/image.png", "/data.json"]
    first, second = said["first"], said["second"]
    for name in names:
        seen = first["answers"].get(name, {})
        check(f"first load: {name} over HTTP/2", (seen.get("status"), seen.get("protocol")) == (200, "h2"), seen)
    for name in names[1:]:
        seen = second["answers"].get(name, {})
        check(f"second load: {name} from the browser's cache", seen.get("cached") is True, seen)
    for turn, load in (("first", first), ("second", second)):
        check(f"{turn} load: the script ran", load["title"] == "loaded", load["title"])
        check(f"{turn} load: the style counts", load["colour"] == "rgb(0, 64, 128)", load["colour"])
        explain("chromium", load["remarks"])


def slow(site, extent):
    target = f"http://{HOST}:{site.http}"
    modes = {
        "slow heads": ["-H", "-i", "5", "-u", f"{target}/"],
        "slow bodies": ["-B", "-i", "5", "-s", "8192", "-u", f"{target}/up"],
        "slow readers": ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3", "-u", f"{target}/large.bin"],
        "many ranges": ["-R", "-a", "5", "-b", "3000", "-u", f"{target}/large.bin"],
    }
    for name, flags in modes.items():
        seen, is_over = [], threading.Event()

        def others():
            # Another address than the attack's, as every other visitor has.
            ask = ["curl", "-sS", "-m", "30", "--interface", "127.0.0.2", "-o", os.devnull, "-w", "%{http_code} %{time_total}"]
            while not is_over.is_set():
                code, out, error = run([*ask, f"http://127.0.0.1:{site.http}/style.css", "-H", f"Host: {HOST}"])
                seen.append((code, out.decode(), error))
                is_over.wait(0.5)

        visitor = threading.Thread(target=others)
        visitor.start()
        _, out, error = run(["slowhttptest", "-c", "400", "-r", "200", "-l", str(extent.attack_seconds), "-p", "10", *flags])
        is_over.set()
        visitor.join()
        text = re.sub(r"\x1b\[[0-9;]*m", "", (out.decode(errors="replace") + error))
        bad = [one for one in seen if one[0] != 0 or not one[1].startswith("200")]
        longest = max(float(one[1].split()[1]) for one in seen if one[0] == 0)
        check(f"{name}: {len(seen)} requests of others, the longest {longest * 1000:.0f} ms", not bad, bad[:3])
        available = re.findall(r"service available:\s+(\w+)", text)
        check(f"{name}: available for the attacker's address too", bool(available) and set(available) == {"YES"}, available)


def tls(site, extent):
    with tempfile.TemporaryDirectory() as folder:
        report = f"{folder}/report.json"
        command = ["testssl", "--quiet", "--color", "0", "--warnings", "batch", "--ip", "127.0.0.1", "--jsonfile", report]
        run([*command, *extent.tls, f"{HOST}:{site.https}"], limit=900)
        with open(report, encoding="utf-8") as file:
            findings = json.load(file)
    check(f"testssl.sh looked at {len(findings)} things", len(findings) >= extent.least_findings, findings[-3:])
    remarks = [one for one in findings if one["severity"] not in ("OK", "INFO")]
    explain("testssl", [f"{one['id']}: {one['severity']}: {one['finding']}" for one in remarks])


def lint(site, extent):
    said = set()
    for path in extent.paths:
        for turn in ("miss", "hit"):
            code, out, error = run(["redbot", "-o", "text", site.url(path)], limit=120)
            text = out.decode()
            notes = re.findall(r"^ +\* (.*)$", text, re.M)
            check(f"{path}, {turn}: {len(notes)} notes", code == 0 and len(notes) > 5, error[-300:] + text[-300:])
            said.update(re.sub(r"\bsecond\.", "seconds.", re.sub(r"[0-9]+", "N", note)) for note in notes)
    explain("redbot", sorted(said))


def main():
    programs, chosen = sys.argv[1], sys.argv[2:]
    extent = SHORT if "--short" in chosen else WHOLE
    kinds = {"curl": curl, "h2load": h2load, "browser": browser, "slow": slow, "tls": tls, "lint": lint}
    for name in [name for name in chosen if name in kinds]:
        began = time.monotonic()
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            # redbot asks name servers for names, and none of them knows this one.
            place = (None, "127.0.0.1") if name == "lint" else (f"{folder}/site.pem", HOST)
            with Site(programs, *place) as site:
                kinds[name](site, extent)
        print(f"{name} took {time.monotonic() - began:.0f} s", flush=True)
    print(f"{len(failures)} failures" if failures else "clean, or as explained")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
