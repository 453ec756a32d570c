#!/usr/bin/env python3
"""Runs the example shop through a bad day: its services fail, Redis is killed and comes back, the shop is ended.

check_shop.py PROGRAM REDIS_SERVER
"""

import contextlib
import http.client
import http.server
import json
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from local_servers import HOST, Checks, check_hosts, free_port, process, time_limit  # noqa: E402

check = Checks()


class Service:
    """An upstream. `answers` are the next statuses, the last one for good; "silent" waits for 3 s."""

    def __init__(self, body):
        self.answers, self.requests, lock = [200], [], threading.Lock()
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):  # noqa: N802
                text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                with lock:
                    answer = service.answers[0]
                    if len(service.answers) > 1:
                        service.answers.pop(0)
                    service.requests.append((text, self.headers.get("Idempotency-Key")))
                if answer == "silent":
                    time.sleep(3)
                with contextlib.suppress(OSError):
                    said = body(self.path).encode() if answer in (200, 201) else b""
                    self.send_response(200 if answer == "silent" else answer)
                    self.send_header("Content-Length", str(len(said)))
                    self.end_headers()
                    self.wfile.write(said)

            do_POST = do_GET

        self.server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
        self.server.daemon_threads = True
        self.address = f"{HOST}:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()


class Redis:
    def __init__(self, program, folder, stack):
        self.program, self.folder, self.stack, self.port = program, folder, stack, free_port()

    def start(self):
        command = [self.program, "--port", str(self.port), "--bind", HOST, "--save", "", "--appendonly", "no"]
        self.running = self.stack.enter_context(
            process([*command, "--dir", self.folder], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        )
        until("redis listens", lambda: self.ask("PING").startswith("+PONG"))

    def ask(self, command):
        with socket.create_connection((HOST, self.port), timeout=1) as one:
            one.sendall(command.encode() + b"\r\n")
            return one.recv(1000).decode()

    def kill(self):
        self.running.kill()
        self.running.wait(5)


def until(what, condition, seconds=8):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            if condition():
                return True
        time.sleep(0.03)
    check(what, False, "not in time")
    return False


class Shop:
    def __init__(self, address):
        self.address = address

    def ask(self, path, method="GET", body=None):
        connection = http.client.HTTPConnection(self.address, timeout=8)
        connection.request(method, path, body)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, response.headers, text

    def price(self, item, source, status=200):
        """Asks for a price and checks where it is from: service or cache."""
        begun = time.monotonic()
        seen, headers, text = self.ask(f"/price/{item}")
        check(f"price of {item}", seen == status, f"{seen} {text}")
        if seen == 200:
            check(f"price of {item}", json.loads(text) == {"path": f"/price/{item}"}, text)
            came_from = headers.get("X-From", "service")
            check(f"source of {item}", came_from == source, came_from)
        check(f"patience for {item}", time.monotonic() - begun < 4, time.monotonic() - begun)

    def price_is_served(self):
        status, headers, _ = self.ask("/price/apple")
        return status == 200 and "X-From" not in headers

    def state(self, breaker):
        return json.loads(self.ask("/health")[2])["circuitBreakers"][breaker]["state"]


def bad_day(shop, prices, orders, redis):
    shop.price("apple", "service")
    shop.price("pear", "service")
    stored = redis.ask("GET /price/pear")
    check("the copy in Redis", '{"path": "/price/pear"}' in stored, stored)
    redis.ask("SET /price/quince '{\"path\": \"/price/quince\"}'")

    # A failure that passes is retried; one that stays is covered by the copy in Redis.
    before = len(prices.requests)
    prices.answers = [503, 200]
    shop.price("apple", "service")
    check("one retry", len(prices.requests) - before == 2, len(prices.requests) - before)
    prices.answers = [503]
    shop.price("apple", "cache")
    shop.price("pear", "cache")
    check("breaker of prices", shop.state(prices.address) == "open", shop.state(prices.address))
    before = len(prices.requests)
    shop.price("apple", "cache")
    shop.price("quince", "cache")  # only Redis knows it
    shop.price("plum", "cache", status=503)  # nobody has seen it
    check("no request while open", len(prices.requests) == before, len(prices.requests) - before)

    # That there is no such item is an answer, whatever the copy says.
    prices.answers = [404]
    until("the breaker of prices is closed", lambda: shop.ask("/price/plum")[0] == 404)
    shop.price("apple", "cache", status=404)

    # Orders go to a host with a breaker of its own. Every attempt of one has one key.
    orders.answers = [503, 503, 201]
    check("order", shop.ask("/orders", "POST", '"first"')[0] == 202)
    until("three attempts", lambda: len(orders.requests) == 3)
    check("order", shop.ask("/orders", "POST", '"second\0"')[0] == 202)
    until("the second order", lambda: len(orders.requests) == 4)
    keys = [key for _, key in orders.requests]
    check("bodies", [body for body, _ in orders.requests] == ['"first"'] * 3 + ['"second\0"'], orders.requests)
    check("one key for all attempts", len(set(keys[:3])) == 1 and len(keys[0] or "") == 32, keys)
    check("another key for another order", keys[3] not in keys[:3], keys)

    # Redis is killed: prices come from the service, then from what the shop remembers.
    redis.kill()
    prices.answers = [200]
    until("prices are back", shop.price_is_served)
    for _ in range(4):
        shop.price("apple", "service")
    check("breaker of Redis", shop.state("redis") == "open", shop.state("redis"))
    prices.answers = [503]
    shop.price("apple", "cache")
    shop.price("pear", "cache")

    # Redis is back, though empty.
    redis.start()
    prices.answers = [200]
    until("the shop is well", lambda: shop.price_is_served() and shop.state("redis") == "closed")

    for path, kind, part in (
        ("/", "text/html", "<title>"),
        ("/dashboard.json", "application/json", '"title":"shop"'),
        ("/metrics", "text/plain", 'fusebox_circuit_breaker_state{name="redis",state="closed"} 1'),
        ("/health", "application/json", f'"{orders.address}"'),
    ):
        status, headers, text = shop.ask(path)
        check(path, status == 200 and headers["Content-Type"].startswith(kind) and part in text, f"{status} {text[:200]}")
    check_hosts(check, shop.address, ("/", "/dashboard.json"))


def old_prices(shop, prices, redis):
    """A copy is kept for two seconds, in Redis and beside it."""
    shop.price("apple", "service")
    prices.answers = [503]
    shop.price("apple", "cache")
    until("the copy expires", lambda: shop.ask("/price/apple")[0] == 503)
    prices.answers = [200]
    redis.kill()
    until("prices are back", shop.price_is_served)
    prices.answers = [503]
    shop.price("apple", "cache")
    until("the copy expires without Redis", lambda: shop.ask("/price/apple")[0] == 503)
    prices.answers = [200]
    redis.start()


def bad_arguments(program):
    hosts = ["--prices", f"{HOST}:1", "--orders", f"{HOST}:1"]
    for arguments, message in (
        ([], "--prices is missing"),
        (hosts[:2], "--orders is missing"),
        ([*hosts, "--keep", "0s"], "--keep must be a time in ms, s or m such as 10m, got '0s'"),
        ([*hosts, "--redis", "abc"], "--redis must be a port from 1 to 65535, got 'abc'"),
        ([*hosts, "--redis", "99999"], "--redis must be a port from 1 to 65535, got '99999'"),
    ):
        with process([program, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as refused:
            try:
                said = refused.communicate(timeout=5)[1]
            except subprocess.TimeoutExpired:
                said = "it runs"
            check(f"shop {arguments}", refused.returncode == 2 and message in said, f"{refused.returncode} {said}")


def main():
    program, redis_server = sys.argv[1:]
    bad_arguments(program)
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_limit(50))
        redis = Redis(redis_server, stack.enter_context(tempfile.TemporaryDirectory()), stack)
        prices = stack.enter_context(Service(lambda path: json.dumps({"path": path})))
        orders = stack.enter_context(Service(lambda _: "{}"))
        redis.start()
        command = [program, "--prices", prices.address, "--orders", orders.address, "--redis", str(redis.port)]

        def start(*options):
            running = stack.enter_context(process([*command, *options], stdout=subprocess.PIPE, text=True))
            return running, Shop(re.search(r"127\.0\.0\.1:\d+", running.stdout.readline()).group(0))

        forgetful, shop = start("--keep", "2s")
        old_prices(shop, prices, redis)
        forgetful.terminate()
        running, shop = start()
        bad_day(shop, prices, orders, redis)

        # The shop ends while four workers wait for an answer and two orders wait for a worker.
        orders.answers = ["silent"]
        before = len(orders.requests)
        for number in range(6):
            check("order", shop.ask("/orders", "POST", f'"late {number}"')[0] == 202)
        until("four under way", lambda: len(orders.requests) == before + 4)
        begun = time.monotonic()
        running.terminate()
        story = running.stdout.read()
        running.wait(5)
        check("ends at once", time.monotonic() - begun < 2, time.monotonic() - begun)
        check("status", running.returncode == 0, running.returncode)
        check("two sent, six kept", "2 orders sent, 6 kept" in story, story)
        check("orders are not in the log", "late" not in story, story)
        check("two not begun", story.count("not begun") == 2, story)
        kept = re.findall(r"kept order (\S+) of 8 bytes", story)
        under_way = {key for _, key in orders.requests[before:]}
        check("each order is kept with its key", len(set(kept)) == 6 and under_way < set(kept), f"{under_way} {story}")
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
