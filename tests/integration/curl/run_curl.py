#!/usr/bin/env python3
"""Runs the tests of adapters/curl.hpp beside nginx, raw TCP servers and a proxy that refuses.

run_curl.py PROGRAM NGINX OPENSSL [ARGUMENT...]       further arguments go to the program
"""

import contextlib
import queue
import socket
import socketserver
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_servers import (  # noqa: E402
    BROKEN,
    Nginx,
    RawServer,
    answer_bytes,
    closed_port,
    environment,
    make_certificate,
    process,
    status_pages,
    time_limit,
)

RAW = {
    **BROKEN,
    "/100-then-503": b"HTTP/1.1 100 Continue\r\n\r\n" + answer_bytes("503 Busy", retry_after=7),
    "/099": answer_bytes("099 Odd", "odd"),
    "/bad-encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    "/silent-briefly": 0.2,
    "/redirect-loop": answer_bytes("302 Found", location="/redirect-loop"),
    "/redirect-to-nothing": answer_bytes("302 Found", location="nosuch://host/"),
}
REFUSALS = {403: b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 503: answer_bytes("503 Busy")}


def pages(raw_port):
    return f"""{status_pages()}
    location = /503/past {{ add_header Retry-After "Sun, 06 Nov 1994 08:49:37 GMT" always; return 503; }}
    location = /busy-redirect {{ add_header Retry-After 9 always; return 302 /503; }}
    location = /key {{ return 200 $http_idempotency_key; }}
    location /through/ {{ proxy_pass http://127.0.0.1:{raw_port}/; }}"""


class DyingServer:
    """Keeps its one connection after the first request. It reads the second and ends, without an answer to it."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.listener.close()

    def _serve(self):
        with contextlib.suppress(OSError), self.listener.accept()[0] as connection:
            connection.settimeout(10)
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            connection.recv(4096)
            self.listener.close()


class Socks(socketserver.BaseRequestHandler):
    """A SOCKS5 proxy that refuses the port 1000 + N with the reply N, and closes the connection for N = 0."""

    def handle(self):
        self.request.settimeout(5)
        self.request.recv(300)  # the methods
        self.request.sendall(b"\x05\x00")
        reply = int.from_bytes(self.request.recv(300)[-2:], "big") - 1000
        if reply != 0:
            self.request.sendall(bytes([5, reply, 0, 1]) + bytes(6))


class Remote:
    """A server by which the program asks this thread for an action: GET /NAME returns when it is done. nginx ends with
    the thread that started it, so that no other thread may."""

    def __init__(self, actions):
        self.actions, self.asked = actions, queue.Queue()
        self.server = RawServer(self._answer)

    def _answer(self, path):
        done = threading.Event()
        self.asked.put((path, done))
        return answer_bytes("200 OK") if done.wait(10) else None

    def serve(self, running):
        while running.poll() is None:
            with contextlib.suppress(queue.Empty):
                path, done = self.asked.get(timeout=0.02)
                self.actions[path]()
                done.set()
        return running.returncode


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
        slow = "root @FOLDER@; location = /large { limit_rate 20k; }"
        victim = stack.enter_context(Nginx(nginx, f"{folder}/victim", {"http": slow}))
        (victim.folder / "large").write_bytes(b"x" * 2_000_000)
        (victim.folder / "small").write_bytes(b"small")
        remote = Remote({"/kill": victim.kill, "/start": victim.run})
        stack.enter_context(remote.server)
        closed = stack.enter_context(closed_port())
        see_other = answer_bytes("303 See Other", location=f"http://127.0.0.1:{closed}/")
        RAW["/redirect-to-closed"] = see_other
        RAW["/redirect-to-nobody"] = answer_bytes("303 See Other", location="http://no-such-host.invalid/")
        dying = stack.enter_context(DyingServer())
        socks = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Socks))
        socks.daemon_threads = True
        threading.Thread(target=socks.serve_forever, daemon=True).start()
        stack.callback(socks.shutdown)
        ports = environment(
            SERVERS_DYING=dying.port,
            SERVERS_SOCKS=socks.server_address[1],
            SERVERS_NGINX=front.ports["http"],
            SERVERS_TLS=front.ports["tls"],
            SERVERS_CERTIFICATE=f"{folder}/cert.pem",
            SERVERS_RAW=raw.port,
            SERVERS_PROXY_403=proxies[403].port,
            SERVERS_PROXY_503=proxies[503].port,
            SERVERS_VICTIM=victim.ports["http"],
            SERVERS_REMOTE=remote.server.port,
            SERVERS_CLOSED=closed,
        )
        return remote.serve(stack.enter_context(process([program, *more], env=ports)))


if __name__ == "__main__":
    sys.exit(main())
