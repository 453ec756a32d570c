#!/usr/bin/env python3
"""Asks the service example as its clients do: curl, through nginx.

check_service_proxy.py PROGRAM NGINX CURL
"""

import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse

from local_servers import HOST, Checks, Nginx, curl, process, time_limit

ERRORS = {  # path: status, Retry-After
    "/errors/bad-request": (400, None),
    "/errors/validation": (400, None),
    "/errors/unauthorized": (401, None),
    "/errors/forbidden": (403, None),
    "/errors/not-found": (404, None),
    "/errors/conflict": (409, None),
    "/errors/rate-limit": (429, "60"),
    "/errors/internal": (500, None),
    "/errors/unavailable": (503, None),
    "/errors/circuit-open": (503, "30"),
    "/errors/timeout": (504, None),
    "/no/such/path": (404, None),
    "/stock/caf%C3%A9": (404, None),
    "/stock/%22%5C%0A%1B": (404, None),
    "/stock/%FF%FE": (404, None),
    "/" + "long" * 500: (404, None),
}
LEAKS = re.compile(r"secret|stock\.example|httplib|SSL|127\.0\.0\.1|no JSON|HTTP status|refused|timed out", re.I)
check = Checks()


def unique(members):
    """An object of JSON, whose members must differ."""
    found = dict(members)
    if len(found) < len(members):
        raise ValueError(f"two members of one name: {members}")
    return found


def check_error(what, answer, retry_after=None):
    """A valid document that says the status, and nothing of what is behind the service."""
    text = answer.body.decode("utf-8")
    check(what, answer.field("content-type") == "application/json", answer.field("content-type"))
    check(what, answer.field("retry-after") == retry_after, answer.field("retry-after"))
    try:
        document = json.loads(text, object_pairs_hook=unique)
    except ValueError as wrong:
        check(what, False, f"{wrong}: {text}")
        return
    error = document["error"]
    check(what, document["success"] is False and error["code"] == answer.status and error["message"], text)
    leak = LEAKS.search(text)
    check(what, not leak, f"leaks {leak and leak.group(0)!r}: {text}")


def check_gallery(ask):
    for path, (status, retry_after) in ERRORS.items():
        answer = ask(path, "--header", "X-Request-Id: req_1")
        what = f"GET {path[:40]}"
        check(what, answer.status == status, answer.status)
        check_error(what, answer, retry_after)
        error = json.loads(answer.body)["error"]
        check(what, error["requestId"] == "req_1", error)
        readable = urllib.parse.unquote(path, errors="replace")
        check(what, error["path"] == readable or "%FF" in path, error["path"])
        head = ask(path, "--head")
        check(f"HEAD {path[:40]}", (head.status, head.body) == (status, b""), f"{head.status} {head.body}")
    for name in ('"}{"admin":true,"', "\\", "\t", "caf\u00e9", "\u2028"):
        answer = ask("/errors/not-found", "--header", f"X-Request-Id: {name}")
        check_error(f"X-Request-Id: {name!r}", answer)
        check(f"X-Request-Id: {name!r}", "admin" not in json.loads(answer.body), answer.body)
    posted = ask("/health", "--request", "POST", "--data", "x")
    check("POST /health", (posted.status, posted.field("allow")) == (405, "GET, HEAD"), posted.fields)
    check_error("POST /health", posted)


def check_weather(ask):
    """The service's upstream fails in several ways and comes back. Until then each answer is the stock or an error."""
    failures = {}
    good = 0  # one after another
    end = time.monotonic() + 20
    while time.monotonic() < end and (503 not in failures or good < 5):
        answer = ask("/stock/apple")
        if answer.status == 200:
            good += 1
            check("GET /stock/apple", json.loads(answer.body) == {"ok": True}, answer.body)
        else:
            good = 0
            failures[answer.status] = failures.get(answer.status, 0) + 1
            wait = answer.field("retry-after")
            check("GET /stock/apple", answer.status in (404, 502, 503, 504), answer.status)
            check("GET /stock/apple: Retry-After", wait is None or re.fullmatch(r"[1-9]\d?", wait), wait)
            check_error("GET /stock/apple", answer, wait)
        time.sleep(0.05)
    check("GET /stock/apple: fails, and recovers", 503 in failures and good >= 5, failures)


def check_dashboard(ask):
    """What the weather did, on the page that nginx passes on."""
    page = ask("/")
    check("GET /", page.status == 200 and page.field("content-type").startswith("text/html"), page.fields)
    check("GET /", "default-src 'none'" in page.field("content-security-policy"), page.fields)
    data = json.loads(ask("/dashboard.json").body, object_pairs_hook=unique)
    opened = [one for one in data["events"] if one["what"] == "open"]
    check("GET /dashboard.json", opened and all(one["name"] == "stock" and one["cause"] for one in opened), data["events"])


def main():
    program, nginx, curl_program = sys.argv[1:]
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_limit(50))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        service = stack.enter_context(process([program, "--no-visitor"], stdout=subprocess.PIPE, text=True))
        port = re.search(r":(\d+)", service.stdout.readline()).group(1)
        front = f"    location / {{ proxy_pass http://{HOST}:{port}; }}"
        servers = stack.enter_context(Nginx(nginx, f"{folder}/nginx", {"front": front}))

        def ask(path, *options):
            return curl(curl_program, f"http://{HOST}:{servers.ports['front']}{path}", *options)

        check_gallery(ask)
        check_weather(ask)
        check_dashboard(ask)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
