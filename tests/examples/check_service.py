#!/usr/bin/env python3
"""Runs the service example, asks it for everything that it has, and looks at the answers.

check_service.py PROGRAM
"""

import http.client
import json
import re
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integration"))

from local_servers import check_hosts  # noqa: E402

KINDS = ["bulkheads", "retries", "timeouts"]  # of the policies of a standard_pipeline
ISO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ERRORS = {  # path: status, category
    "/errors/bad-request": (400, "validation"),
    "/errors/validation": (400, "validation"),
    "/errors/unauthorized": (401, "authentication"),
    "/errors/forbidden": (403, "authorization"),
    "/errors/not-found": (404, "not_found"),
    "/errors/conflict": (409, "validation"),
    "/errors/rate-limit": (429, "rate_limit"),
    "/errors/internal": (500, "internal"),
    "/errors/unavailable": (503, "external_service"),
    "/errors/circuit-open": (503, "external_service"),
    "/errors/timeout": (504, "external_service"),
    "/no/such/path": (404, "not_found"),
    "/stock/": (404, "not_found"),
    "/stock/a%3Fadmin=1": (404, "not_found"),
    "/stock/*": (404, "not_found"),
    "/stock/a%0D%0A": (404, "not_found"),
    "/stock/" + "a" * 65: (404, "not_found"),
    "/stock/" + "a" * 1609: (404, "not_found"),
    "/stock/" + "a" * 7000: (404, "not_found"),
    "/" + "a/" * 3500: (404, "not_found"),
}
SMALL_STACK = 'ulimit -s 512 && exec "$0" "$@"'  # kB; the threads of the service inherit it
LONG_RANGE = b"Range: bytes=" + b"1-2," * 1900 + b"1-2\r\n"  # cpp-httplib parses it with std::regex
RETRY_AFTER = {"/errors/rate-limit": "60", "/errors/circuit-open": "30"}
failures = []


def check(what, condition, seen):
    if not condition:
        failures.append(f"{what}: {seen}")


def ask(address, path, method="GET"):
    connection = http.client.HTTPConnection(address, timeout=10)
    connection.request(method, path, headers={"X-Request-Id": "req_1", "Content-Length": "0"})
    response = connection.getresponse()
    text = response.read().decode("utf-8")
    connection.close()
    return response.status, response.headers, text


def check_error(address, path, status, category, method="GET"):
    what = f"{method} {path}"
    seen, headers, text = ask(address, path, method)
    check(what, seen == status, seen)
    check(what, headers["Content-Type"] == "application/json", headers["Content-Type"])
    check(what, headers["Retry-After"] == RETRY_AFTER.get(path), headers["Retry-After"])
    check(what, "secret" not in text, text)
    document = json.loads(text)
    error = document["error"]
    check(what, document["success"] is False, text)
    check(what, error["code"] == status and error["category"] == category and error["message"], text)
    check(what, error["path"] == urllib.parse.unquote(path) and error["requestId"] == "req_1", text)
    check(what, ISO_TIME.fullmatch(error["timestamp"]), text)
    return headers


def check_service(address):
    for path, (status, category) in ERRORS.items():
        check_error(address, path, status, category)
    allowed = check_error(address, "/health", 405, "validation", method="POST")["Allow"]
    check("POST /health", allowed == "GET, HEAD", allowed)
    check_error(address, "/no/such/path", 404, "not_found", method="DELETE")
    for path in ("/stock/a/b", "/stock/" + "a" * 1609, "/stock/" + "a" * 7000):
        check_error(address, path, 404, "not_found", method="POST")
    check_error(address, "/stock/" + "a" * 64, 405, "validation", method="POST")
    challenge = check_error(address, "/errors/unauthorized", 401, "authentication")["WWW-Authenticate"]
    check("GET /errors/unauthorized", challenge == "Bearer", challenge)
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=4) as bare:  # a POST without a length
        bare.sendall(b"POST /health HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = bare.recv(100)
        check("POST without a length", answer.startswith(b"HTTP/1.1 405 "), answer)
    with socket.create_connection((host, int(port)), timeout=4) as bare:
        bare.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\n" + LONG_RANGE + b"\r\n")
        answer = bare.recv(100)
        check("GET with a long range", answer.startswith(b"HTTP/1.1 4"), answer)

    end, asked = time.monotonic() + 20, 1
    status, headers, text = ask(address, "/stock/apple")
    while status != 200 and time.monotonic() < end:  # the station's weather changes all the time
        check("GET /stock/apple", status in (404, 502, 503, 504), f"{status} {text}")
        time.sleep(0.05)
        asked += 1
        status, headers, text = ask(address, "/stock/apple")
    check("GET /stock/apple", status == 200 and json.loads(text) == {"ok": True}, f"{status} {text}")
    status, headers, text = ask(address, "/routes")
    check("GET /routes", status == 200 and all(path in text for path in ERRORS if path.startswith("/errors/")), text)
    status, headers, text = ask(address, "/")
    check("GET /", status == 200 and headers["Content-Type"].startswith("text/html") and "Stock service" in text, text[:900])
    check("GET /", "default-src 'none'" in headers["Content-Security-Policy"], headers)
    status, headers, text = ask(address, "/dashboard.json")
    dashboard = json.loads(text)
    check("GET /dashboard.json", list(dashboard["health"]["circuitBreakers"]) == ["stock"], text)
    check("GET /dashboard.json", dashboard["actions"] == {"reset": False, "forceOpen": False}, text)
    check_hosts(check, address, ("/", "/dashboard.json"))

    status, headers, text = ask(address, "/health")
    health = json.loads(text)
    check("GET /health", status == 200 and headers["Content-Type"] == "application/json", text)
    check("GET /health", list(health) == ["timestamp", "circuitBreakers", *KINDS, "summary"], text)
    summary = {"total": 1, "open": 0, "halfOpen": 0, "closed": 1, "status": "ok"}
    check("GET /health", health["summary"] == summary, text)
    stock = health["circuitBreakers"]["stock"]
    check("GET /health", stock["state"] == "closed" and stock["successCount"] >= 1, text)
    bulkhead = health["bulkheads"]["stock"]
    check("GET /health", bulkhead["limit"] == 8 and bulkhead["admitted"] == asked and bulkhead["inUse"] == 0, text)
    check("GET /health", list(health["timeouts"]) == ["stock", "stock attempt"], text)

    status, headers, text = ask(address, "/metrics")
    check("GET /metrics", headers["Content-Type"].startswith("text/plain; version=0.0.4"), headers)
    for line in (
        "# TYPE fusebox_circuit_breaker_calls_total counter",
        f'fusebox_circuit_breaker_calls_total{{name="stock",outcome="success"}} {stock["successCount"]}',
        'fusebox_circuit_breaker_state{name="stock",state="closed"} 1',
        f'fusebox_bulkhead_admitted_total{{name="stock"}} {asked}',
        f'fusebox_timeout_timed_out_total{{name="stock attempt"}} {health["timeouts"]["stock attempt"]["timedOut"]}',
        'fusebox_retry_attempts_total{name="stock",outcome="success"} 1',
    ):
        check("GET /metrics", line in text.splitlines(), text)


def main():
    program = sys.argv[1]
    with subprocess.Popen(
        ["sh", "-c", SMALL_STACK, program, "--no-visitor"], stdout=subprocess.PIPE, text=True
    ) as service:
        try:
            address = re.search(r"127\.0\.0\.1:\d+", service.stdout.readline()).group(0)
            check_service(address)
            taken = subprocess.run([program, "--port", address.split(":")[1]], capture_output=True, text=True, check=False)
            check("a port that is taken", taken.returncode == 1 and "cannot listen" in taken.stderr, taken)
        finally:
            service.terminate()
        story = service.stdout.read()
    check("after SIGTERM", service.returncode == 0 and '"circuitBreakers"' in story, f"{service.returncode} {story}")
    for failure in failures:
        print(failure)
    print(f"{len(failures)} failure(s)")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
