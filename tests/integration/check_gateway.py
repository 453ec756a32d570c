#!/usr/bin/env python3
"""What a client of a service learns when a service behind that one fails: curl, nginx, gateway, nginx or raw TCP.

check_gateway.py PROGRAM NGINX OPENSSL CURL
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile

from local_servers import (
    HOST,
    Checks,
    Nginx,
    RawServer,
    answer_bytes,
    closed_port,
    curl,
    make_certificate,
    process,
    time_limit,
)

SECRET = "FATAL: password authentication failed for user admin"
GENERIC = {
    502: "An upstream service failed",
    503: "Service temporarily unavailable",
    504: "An upstream service did not answer in time",
}
# What a client must not read: other services' words, our libraries' words, our addresses.
LEAKS = re.compile(r"FATAL|admin|httplib|SSL|certificate|127\.0\.0\.1|refused|reset|HTTP status|nginx|stock\b", re.I)
# Fields of an answer that was begun, which say nothing of the error that replaced it.
STALE = "content-encoding content-range content-disposition etag last-modified cache-control location".split()
check = Checks()


def raw_answers():
    flaky = iter([answer_bytes("500 Broken", SECRET)] * 2)
    return {
        "/ok": lambda: answer_bytes("200 OK", "fine"),
        "/404": lambda: answer_bytes("404 No", SECRET),
        "/429": lambda: answer_bytes("429 Slow", SECRET, retry_after=17),
        "/500": lambda: answer_bytes(f"500 {SECRET}", SECRET),
        "/503": lambda: answer_bytes("503 Busy", SECRET, retry_after=17),
        "/504": lambda: answer_bytes("504 Late", SECRET),
        "/599": lambda: answer_bytes("599 Odd", SECRET),
        "/103-then-503": lambda: b"HTTP/1.1 103 Hints\r\nLink: <admin>\r\n\r\n" + answer_bytes("503 Busy", SECRET),
        "/099": lambda: answer_bytes("099 Odd", SECRET),
        "/truncated": lambda: b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + SECRET.encode(),
        "/garbage": lambda: b"\x00\x01" + SECRET.encode() + b"\r\n\r\n",
        "/reset": lambda: None,
        "/silent": lambda: 10,
        "/flaky": lambda: next(flaky, answer_bytes("200 OK", "well again")),
    }


def check_error(what, answer, statuses, path, retry_after=None):
    """A generic error in a valid document."""
    text = answer.body.decode("utf-8")
    check(what, answer.status in statuses, f"{answer.status} {text}")
    check(what, answer.field("content-type") == "application/json", answer.field("content-type"))
    check(what, answer.field("content-length") == str(len(answer.body)), answer.fields)
    check(what, answer.field("retry-after") == retry_after, answer.field("retry-after"))
    try:
        error = json.loads(text)["error"]
    except ValueError as wrong:
        check(what, False, f"{wrong}: {text}")
        return
    check(what, error["code"] == answer.status, text)
    check(what, error["message"] == GENERIC.get(answer.status), text)
    check(what, error["requestId"] == "req_1" and error["path"] == path, text)
    fields = [value for name in answer.fields if name != "server" for value in answer.fields[name]]
    for shown in [text.replace(path, ""), *fields]:
        leak = LEAKS.search(shown)
        check(what, not leak, f"leaks {leak and leak.group(0)!r}: {shown}")


def check_upstreams(ask, raw, closed, tls):
    cases = {  # path behind the route: statuses that fit, Retry-After
        f"{raw}/404": ({502}, None),
        f"{raw}/429": ({503}, "17"),
        f"{raw}/500": ({502}, None),
        f"{raw}/503": ({503}, "17"),
        f"{raw}/504": ({504}, None),
        f"{raw}/599": ({502}, None),
        f"{raw}/103-then-503": ({502, 503}, None),
        f"{raw}/099": ({502}, None),
        f"{raw}/truncated": ({502, 504}, None),
        f"{raw}/garbage": ({502, 504}, None),
        f"{raw}/reset": ({502, 504}, None),
        f"{raw}/silent": ({504}, None),
        f"{closed}/": ({502}, None),
    }
    for route in ("/plain", "/thrown"):
        for path, (statuses, retry_after) in cases.items():
            check_error(f"GET {route}/{path}", ask(f"{route}/{path}"), statuses, f"{route}/{path}", retry_after)
        answer = ask(f"{route}/{raw}/ok")
        check(f"GET {route} /ok", answer.status == 200 and answer.body == b"fine", answer.body)
    if tls is None:
        return
    for path in (f"/tls/{tls}/", f"/tls/{closed}/", f"/tls/{raw}/ok"):
        check_error(f"GET {path}", ask(path), {502}, path)


def check_breaker(ask, raw):
    path = f"/breaker/{raw}/500"
    for _ in range(2):
        check_error(f"GET {path}", ask(path), {502}, path)
    answer = ask(path)
    check_error(f"GET {path}, open", answer, {503}, path, answer.field("retry-after"))
    wait = answer.field("retry-after") or "0"
    check(f"GET {path}, open: Retry-After", wait.isdecimal() and 1 <= int(wait) <= 30, wait)


def check_begun(ask, raw):
    path = f"/begun/{raw}/503"
    answer = ask(path)
    for name in STALE:
        check(f"GET {path}: {name}", answer.field(name) is None, answer.field(name))
    check(f"GET {path}: a field of every answer stays", answer.field("x-frame-options") == "DENY", answer.fields)
    check_error(f"GET {path}", answer, {503}, path, "17")
    with_length = ask(f"{path}?length=1")
    check(f"GET {path}?length=1", with_length.body == with_length.body.strip() and with_length.body, with_length.body)
    try:
        decoded = ask(path, "--compressed")
        check(f"GET {path}, compressed", json.loads(decoded.body)["error"]["code"] == 503, decoded.body)
    except RuntimeError as failed:
        check(f"GET {path}, compressed", False, failed)


def check_cache(ask, raw):
    """nginx keeps no error that says nothing of caching."""
    path = f"/cached/begun/{raw}/flaky"
    first, second = ask(path), ask(path)
    check(f"GET {path}: fails once", first.status == 502, first.status)
    check(f"GET {path}: then nginx asks again", (second.status, second.body) == (200, b"well again"), second.status)


def attempt(check_part, *arguments):
    try:
        check_part(*arguments)
    except (RuntimeError, KeyError, ValueError) as wrong:
        check(check_part.__name__, False, repr(wrong))


def main():
    program, nginx, openssl, curl_program = sys.argv[1:]
    answers = raw_answers()
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_limit(80))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        make_certificate(openssl, folder)
        raw = stack.enter_context(RawServer(lambda path: answers[path.split("?")[0]]()))
        closed = stack.enter_context(closed_port())
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        gateway = stack.enter_context(process([program], **pipes))
        says = gateway.stdout.readline()
        port = re.search(r":(\d+)", says).group(1)
        front = f"""
    server_tokens off;
    location / {{ proxy_pass http://{HOST}:{port}; }}
    location /cached/ {{
      proxy_pass http://{HOST}:{port}/;
      proxy_cache answers;
    }}"""
        tls = f"ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; location / {{ return 200; }}"
        servers = stack.enter_context(Nginx(nginx, f"{folder}/nginx", {"front": front, "tls": tls}))

        def ask(path, *options):
            url = f"http://{HOST}:{servers.ports['front']}{path}"
            return curl(curl_program, url, "--header", "X-Request-Id: req_1", *options)

        attempt(check_upstreams, ask, raw.port, closed, servers.ports["tls"] if "https" in says else None)
        attempt(check_breaker, ask, raw.port)
        attempt(check_begun, ask, raw.port)
        attempt(check_cache, ask, raw.port)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
