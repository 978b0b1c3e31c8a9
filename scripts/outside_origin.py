"""A site's own server for scripts/outside-programs.sh: a page with what belongs to it, a large file, and a place to upload to.

Prints its port, and ends with its input.
"""

import hashlib
import http.server
import os
import random
import struct
import sys
import threading
import zlib

AGE = "max-age=3600"
CHANGED = "Mon, 01 Jan 2024 00:00:00 GMT"


def image():
    """A PNG of 64 by 64 grey pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([row * 4] * 64) for row in range(64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>loading</title>
<link rel="icon" href="/image.png"><link rel="stylesheet" href="/style.css"><script src="/app.js" defer></script></head>
<body><h1>Selvedge</h1><p class="note">A page with what belongs to it.</p><img src="/image.png" alt="" width="64" height="64">
</body></html>
"""
SCRIPT = b"""fetch("/data.json").then((answer) => answer.json()).then((data) => { document.title = data.title; });
"""
FILES = {
    "/": ("text/html; charset=utf-8", PAGE),
    "/style.css": ("text/css; charset=utf-8", b".note { color: rgb(0, 64, 128); }\n" + b"/* as long as others */\n" * 100),
    "/app.js": ("text/javascript; charset=utf-8", SCRIPT),
    "/image.png": ("image/png", image()),
    "/data.json": ("application/json", b'{"title": "loaded", "rows": [' + b"1, " * 1000 + b"1]}\n"),
    "/large.bin": ("application/octet-stream", random.Random(7).randbytes(5_000_000)),
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        found = FILES.get(self.path.split("?")[0])
        if not found:
            return self.answer(404, "text/plain; charset=utf-8", b"there is no such file\n", "max-age=5")
        kind, body = found
        etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
        if self.headers.get("if-none-match") == etag:
            return self.answer(304, kind, b"", AGE, etag)
        return self.answer(200, kind, body, AGE, etag)

    do_HEAD = do_GET

    def do_POST(self):
        digest, length = hashlib.sha256(), 0
        for piece in self.pieces():
            digest.update(piece)
            length += len(piece)
        body = f"{length} {digest.hexdigest()}\n".encode()
        self.answer(200, "text/plain; charset=utf-8", body, "no-store")

    do_PUT = do_POST

    def pieces(self):
        left = int(self.headers.get("content-length") or 0)
        while left:
            piece = self.rfile.read(min(left, 65536))
            if not piece:
                return
            left -= len(piece)
            yield piece
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

    def answer(self, status, kind, body, age, etag=None):
        self.send_response_only(status)
        self.send_header("Date", self.date_time_string())
        self.send_header("Cache-Control", age)
        if status != 304:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        if etag:
            self.send_header("ETag", etag)
            self.send_header("Last-Modified", CHANGED)
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, *_):
        pass


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)
