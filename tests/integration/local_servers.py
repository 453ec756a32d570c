"""Real servers on loopback for the checks in this folder.

Each server is a context manager: it ends with its block, also when a check fails. On Linux a server process ends
with this one, however this one ends.
"""

import contextlib
import ctypes
import email.utils
import http.client
import os
import re
import signal
import socket
import socketserver
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

HOST = "127.0.0.1"


@contextlib.contextmanager
def time_limit(seconds):
    """Raises TimeoutError in the block after `seconds`, so that the servers in it end."""

    def expire(_signal, _frame):
        raise TimeoutError(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, expire)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def free_port():
    with socket.socket() as one:
        one.bind((HOST, 0))
        return one.getsockname()[1]


_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


def _end_with_parent():
    if _prctl:
        _prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def process(arguments, **options):
    """A process that is terminated at the end of the block; killed if it takes more than 3 s."""
    with subprocess.Popen(arguments, preexec_fn=_end_with_parent, **options) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(3)
            except subprocess.TimeoutExpired:
                running.kill()


def _listens(port):
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


@contextlib.contextmanager
def closed_port():
    """A port of ours on which nobody listens: connections to it are refused."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        yield one.getsockname()[1]


def make_certificate(openssl, folder):
    """A self-signed certificate for 127.0.0.1 as cert.pem and key.pem in `folder`."""
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)


CONFIG = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off;
  default_type text/plain;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_cache_path {folder}/cache keys_zone=answers:1m;
  proxy_http_version 1.1;
  proxy_read_timeout 5s;
{servers}
}}
"""


class Nginx:
    """nginx as one process in a folder of its own. `servers` maps a name to the text of a server block without its
    `listen`; ports[name] is the port that the block got. `@FOLDER@` in a text is the folder."""

    def __init__(self, nginx, folder, servers):
        self.nginx, self.folder, self.servers, self.ports = nginx, Path(folder), servers, {}

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        for _ in range(3):  # another process may take a port before nginx does
            self.stack = contextlib.ExitStack()
            if self._start():
                return self
            self.stack.close()
        raise RuntimeError((self.folder / "error.log").read_text(errors="replace"))

    def __exit__(self, *exception):
        self.stack.close()

    def _start(self):
        self.ports = {name: free_port() for name in self.servers}
        blocks = []
        for name, text in self.servers.items():
            ssl = " ssl" if "ssl_certificate" in text else ""
            text = text.replace("@FOLDER@", str(self.folder))
            blocks.append(f"  server {{\n    listen {HOST}:{self.ports[name]}{ssl};\n{text}\n  }}")
        config = self.folder / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.folder, servers="\n".join(blocks)))
        return self.run()

    def run(self):
        """Starts nginx with the existing config; true if it listens."""
        command = [self.nginx, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "error.log"]
        self.process = self.stack.enter_context(process(command, stdin=subprocess.DEVNULL))
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            if all(_listens(port) for port in self.ports.values()):
                return self.process.poll() is None
            time.sleep(0.02)
        return False

    def kill(self):
        self.process.kill()
        self.process.wait(5)


class RawServer:
    """Answers each connection with bytes. `answer(path)` gives them for the path of the request line; None resets
    the connection, and a number is a silence of as many seconds, at most until the server ends."""

    def __init__(self, answer):
        ended = self.ended = threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(5)
                head = b""
                with contextlib.suppress(OSError):
                    while b"\r\n\r\n" not in head:
                        part = self.request.recv(4096)
                        if not part:
                            return
                        head += part
                    said = answer(head.split(b" ", 2)[1].decode("latin-1"))
                    if said is None:
                        linger = struct.pack("ii", 1, 0)  # close() then sends a reset
                        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                        self.request.close()
                    elif isinstance(said, bytes):
                        self.request.sendall(said)
                    else:
                        ended.wait(said)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

            def shutdown_request(self, request):
                if request.fileno() != -1:
                    super().shutdown_request(request)

        self.server = Server((HOST, 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


def answer_bytes(status, body="", **fields):
    """A whole HTTP/1.1 answer: answer_bytes("503 Busy", retry_after=7)."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    head += "".join(f"{name.replace('_', '-').title()}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n{body}".encode("latin-1")


# For RawServer: answers that break off, that are no final answer or no HTTP, or that do not come.
BROKEN = {
    "/103": b"HTTP/1.1 103 Early Hints\r\n\r\n",
    "/truncated": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.",
    "/truncated-chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nten bytes.",
    "/truncated-head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "/garbage": b"\x00\x01\x02 this is no HTTP at all\r\n\r\n\xff\xfe",
    "/empty": b"",
    "/reset": None,
    "/silent": 10,
}


def status_pages():
    """Locations of nginx that answer with a status, some with Retry-After."""
    later = email.utils.formatdate(time.time() + 3600, usegmt=True)
    return f"""
    location = /200 {{ return 200 "fine"; }}
    location = /204 {{ return 204; }}
    location = /302 {{ return 302 /200; }}
    location = /404 {{ return 404 "nothing here"; }}
    location = /429 {{ add_header Retry-After 2 always; return 429; }}
    location = /500 {{ return 500; }}
    location = /503 {{ return 503; }}
    location = /503/seconds {{ add_header Retry-After 7 always; return 503; }}
    location = /503/date {{ add_header Retry-After "{later}" always; return 503; }}
    location = /503/words {{ add_header Retry-After "soon" always; return 503; }}"""


class Answer:
    """What curl received: status, fields (names in lower case, each with all its values), body."""

    def __init__(self, head, body):
        self.status = int(re.match(r"HTTP/[\d.]+ (\d+)", head).group(1))
        self.body, self.fields = body, {}
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            self.fields.setdefault(name.strip().lower(), []).append(value.strip())

    def field(self, name):
        return ", ".join(self.fields[name]) if name in self.fields else None


def curl(program, url, *options):
    """The answer to one request; RuntimeError if curl fails."""
    command = [program, "--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "8", "--globoff"]
    done = subprocess.run([*command, *options, url], capture_output=True, timeout=15, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"curl ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return Answer(head.decode("latin-1"), body)


class Checks:
    """Collects what is wrong, so that one run shows all of it."""

    def __init__(self):
        self.count, self.failures = 0, []

    def __call__(self, what, condition, seen=""):
        self.count += 1
        if not condition:
            self.failures.append(f"{what}: {seen}")

    def end(self):
        """Prints what failed; the status for sys.exit."""
        for failure in self.failures:
            print(failure)
        print(f"{self.count} checks, {len(self.failures)} failed")
        return 1 if self.failures else 0


def wait_for_http(port, path, seconds=15):
    """Waits until GET `path` succeeds; the body."""
    end = time.monotonic() + seconds
    while True:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=2)
            connection.request("GET", path)
            response = connection.getresponse()
            if response.status == 200:
                return response.read()
        except OSError:
            pass
        if time.monotonic() > end:
            raise TimeoutError(f"no answer to {path}")
        time.sleep(0.05)


def check_hosts(check, address, paths):
    """Only requests for this machine by name see `paths`: a site whose name leads to it could read them otherwise."""
    port = address.split(":")[1]
    for path in paths:
        for hosts, status in (
            ([address], 200),
            ([f"localhost:{port}"], 200),
            (["localhost"], 200),
            ([f"attacker.example:{port}"], 403),
            (["127.0.0.1.attacker.example"], 403),
            (["localhost", "attacker.example"], 403),
            ([], 403),
        ):
            connection = http.client.HTTPConnection(address, timeout=8)
            connection.putrequest("GET", path, skip_host=True)
            for host in hosts:
                connection.putheader("Host", host)
            connection.endheaders()
            response = connection.getresponse()
            text = response.read().decode()
            connection.close()
            check(f"GET {path} of {hosts}", response.status == status, f"{response.status} {text[:100]}")


def environment(**values):
    return {**os.environ, **{name: str(value) for name, value in values.items()}}
