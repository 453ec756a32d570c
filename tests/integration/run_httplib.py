#!/usr/bin/env python3
"""Runs the tests of adapters/httplib.hpp beside nginx, raw TCP servers and proxies that refuse.

run_httplib.py PROGRAM NGINX OPENSSL [ARGUMENT...]       further arguments go to the program
"""

import contextlib
import subprocess
import sys
import tempfile

from local_servers import (
    BROKEN,
    Nginx,
    RawServer,
    answer_bytes,
    closed_port,
    environment,
    make_certificate,
    status_pages,
    time_limit,
)

# Without "Connection: close": cpp-httplib 0.11 locks itself out when a proxy answers CONNECT with that.
REFUSALS = {
    302: b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/login\r\nContent-Length: 0\r\n\r\n",
    403: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\nforbidden",
}
BUSY = answer_bytes("503 Busy", retry_after=7)
RAW = {
    **BROKEN,
    "/100-then-503": b"HTTP/1.1 100 Continue\r\n\r\n" + BUSY,
    "/103-then-503": b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" + BUSY,
    "/101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "/099": answer_bytes("099 Odd", "odd"),
    "/000": answer_bytes("000 Odd", "odd"),
    "/redirect-to-nowhere": answer_bytes("302 Found"),
    "/redirect-loop": answer_bytes("302 Found", location="/redirect-loop"),
}


def pages(raw_port):
    return f"""{status_pages()}
    location = /400 {{ return 400; }}
    location /through/ {{ proxy_pass http://127.0.0.1:{raw_port}/; }}"""


def main():
    program, nginx, openssl, *more = sys.argv[1:]
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_limit(50))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        make_certificate(openssl, folder)
        raw = stack.enter_context(RawServer(lambda path: RAW.get(path, answer_bytes("404 Unknown"))))
        proxies = {
            status: stack.enter_context(RawServer(lambda _, said=said: said)) for status, said in REFUSALS.items()
        }
        tls = f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; location / {{ return 200; }}"
        front = stack.enter_context(Nginx(nginx, f"{folder}/front", {"http": pages(raw.port), "tls": tls}))
        slow = "root @FOLDER@; location / { limit_rate 20k; }"
        victim = stack.enter_context(Nginx(nginx, f"{folder}/victim", {"http": slow}))
        (victim.folder / "large").write_bytes(b"x" * 2_000_000)
        closed = stack.enter_context(closed_port())
        ports = environment(
            SERVERS_NGINX=front.ports["http"],
            SERVERS_TLS=front.ports["tls"],
            SERVERS_RAW=raw.port,
            SERVERS_PROXY_302=proxies[302].port,
            SERVERS_PROXY_403=proxies[403].port,
            SERVERS_VICTIM=victim.ports["http"],
            SERVERS_VICTIM_PID=victim.process.pid,
            SERVERS_CLOSED=closed,
        )
        return subprocess.run([program, *more], env=ports, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
