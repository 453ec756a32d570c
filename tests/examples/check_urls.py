#!/usr/bin/env python3
"""Checks an example that takes a URL: hostile URLs, hostile requests, and receivers with odd answers.

check_urls.py PROGRAM METHOD PATH MEMBER BREAKER: METHOD and PATH take ?url=. MEMBER of the answer is true only
after a success. The names of the breakers start with BREAKER.
"""

import json
import re
import socket
import socketserver
import subprocess
import sys
import threading
import urllib.parse

SMALL_STACK = 'ulimit -s 512 && exec "$0"'  # kB; the threads of the program inherit it

SUCCESSES = ("200", "201", "202", "204", "299")
OTHERS = ("000", "099", "101", "103", "199", "300", "301", "302", "303", "304", "307", "399", "404", "600")

ONE_HOST = ("a.example", "A.example", "A.EXAMPLE.", "a.example.")
ONE_ADDRESS = ("[::1]", "[0:0:0:0:0:0:0:1]", "[::0001]")

REFUSED = {  # URL: the part that the error names
    "": "http://host:port/path",
    "ftp://a.example/": "http://host:port/path",
    "http:/a.example/": "http://host:port/path",
    "http://me@a.example/": "user",
    "http://me:secret@a.example/": "user",
    "http://@a.example/": "user",
    "http://b.example\\@a.example/": "user",
    "http:///": "host",
    "http://./": "host",
    "http://a..example/": "host",
    "http://a.example../": "host",
    "http://-a.example/": "host",
    "http://a.example\r\nX-Secret: 1/": "host",
    "http://a.example\0/": "host",
    "http://a.example\x7f/": "host",
    "http://a example/": "host",
    "http://a.example%0d%0a/": "host",
    "http://a.example%00/": "host",
    "http://%61.example/": "host",
    "http://ä.example/": "host",
    "http://a_b.example/": "host",
    "http://" + "a" * 6000 + "/": "host",
    "http://" + "a" * 64 + ".example/": "host",
    "http://" + "a." * 126 + "aa/": "host",
    "http://127.1/": "host",
    "http://2130706433/": "host",
    "http://0x7f000001/": "host",
    "http://127.0.0.256/": "host",
    "http://::1/": "host",
    "http://[::1/": "host",
    "http://[::1]x/": "host",
    "http://[::1\0]/": "host",
    "http://[fe80::1%25lo]/": "host",
    "http://[a.example]/": "host",
    "http://a.example:0/": "port",
    "http://a.example:65536/": "port",
    "http://a.example:-1/": "port",
    "http://a.example: 80/": "port",
    "http://a.example:80:80/": "port",
    "http://a.example:99999999999999999999/": "port",
    "http://a.example/\r\nX-Secret: 1": "path",
    "http://a.example/a b": "path",
    "http://a.example/" + "a" * 6000: "path",
}

failures = []


def check(what, condition, seen):
    if not condition:
        failures.append(f"{what[:80]!r}: {seen}")


class Receiver(socketserver.ThreadingTCPServer):
    """Answers a request for /302 with 302, and one for /big without end."""

    daemon_threads = True

    class RequestHandlerClass(socketserver.StreamRequestHandler):
        def handle(self):
            status = self.rfile.readline().split(b"/")[1][:3]
            fields = b"".join(iter(self.rfile.readline, b"\r\n"))
            length = re.search(rb"(?i)content-length: *(\d+)", fields)
            self.rfile.read(int(length.group(1)) if length else 0)
            if status == b"big":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                while True:
                    self.wfile.write(b"a" * 100_000)
            self.wfile.write(b"HTTP/1.1 " + status + b" X\r\nLocation: /200\r\nContent-Length: 0\r\n\r\n")

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)

    def handle_error(self, *_):
        pass  # the example has hung up


class Example:
    def __init__(self, port, method, path, member):
        self.port, self.method, self.path, self.member = port, method, path, member

    def send(self, target, headers="", body=b"", method=None):
        """The status and the body of the answer; 0 if there is none."""
        head = f"{method or self.method} {target} HTTP/1.1\r\nHost: x\r\n"
        head += f"Content-Length: {len(body)}\r\n{headers}\r\n"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=30) as bare:
                bare.sendall(head.encode() + body)
                answer = b"".join(iter(lambda: bare.recv(65536), b""))
        except OSError:
            return 0, ""
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]) if head else 0, body.decode()

    def ask(self, url):
        return self.send(f"{self.path}?url={urllib.parse.quote(url, safe='')}")

    def succeeds(self, url):
        """True or False as the answer says; None if there is no answer."""
        status, text = self.ask(url)
        return f'"{self.member}":true' in text if status else None


def check_statuses(example, port):
    for status in (*SUCCESSES, *OTHERS):
        # A host of its own: a failure that is repeated would open its breaker.
        success = example.succeeds(f"http://s{status}.example:{port}/{status}")
        check(status, success is (status in SUCCESSES), success)
    if example.method == "POST":
        success = example.succeeds(f"http://big.example:{port}/big")
        check("an answer without end", success is False, success)


def check_refusals(example):
    for url, part in REFUSED.items():
        status, text = example.ask(url)
        check(url, status == 400 and part in text and "url" in text, f"{status} {text}")
        check(url, "secret" not in text.lower(), text)


def check_requests(example, url):
    """Requests on which a std::regex would run out of stack, and bodies without a limit."""
    target = f"{example.path}?url={url}"
    ranges = "Range: bytes=" + "1-2," * 1900 + "1-2\r\n"
    check("a long path", example.send("/" + "a" * 7000)[0] == 404, "")
    check("a long path of the receiver", example.ask(url + "a" * 1900)[0] == 200, "")
    check("a long range", example.send("/none", headers=ranges)[0] in (404, 416), "")
    check("another method", example.send(target, method="DELETE")[0] == 405, "")
    if example.method == "POST":
        part = b'--B\r\nContent-Disposition: form-data; name="' + b"a" * 6000 + b'"\r\n\r\nx\r\n--B--\r\n'
        multipart = "Content-Type: multipart/form-data; boundary=B\r\n"
        check("multipart", example.send(target, headers=multipart, body=part)[0] == 415, "")
        chunked, gzip = "Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n"
        check("chunked", example.send(target, headers=chunked, body=b"0\r\n\r\n")[0] == 411, "")
        check("compressed", example.send(target, headers=gzip, body=b"x")[0] == 415, "")
        check("a long body", example.send(target, body=b"a" * 70_000)[0] == 413, "")


def main():
    program, method, path, member, prefix = sys.argv[1:]
    with Receiver() as receiver, subprocess.Popen(
        ["sh", "-c", SMALL_STACK, program], stdout=subprocess.PIPE, text=True
    ) as process:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        address = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        example = Example(int(address.group(1)), method, path, member)
        port = receiver.server_address[1]
        for host in (*ONE_HOST, *ONE_ADDRESS, "127.0.0.1", "127.0.0.1."):
            success = example.succeeds(f"http://{host}:{port}/200")
            check(host, success is True, success)
        check_refusals(example)
        check_statuses(example, port)
        check_requests(example, f"http://a.example:{port}/200")
        check("the program", process.poll() is None, "ended before its checks did")
        story = process.stdout.read()
        receiver.shutdown()
    check("the program", process.returncode == 0, process.returncode)
    health, _ = json.JSONDecoder().raw_decode(story.partition("\nHealth\n")[2] or "{}")
    hosts = {name.removeprefix(prefix) for name in health.get("circuitBreakers", {})}
    hosts = {host for host in hosts if not re.fullmatch(r"(s\d+|big|hooks\.\w+|docs|blog)\.example", host)}
    check("breakers", hosts == {"a.example", "::1", "127.0.0.1"}, sorted(hosts))
    for failure in failures:
        print(failure)
    print(f"{len(failures)} failure(s)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
