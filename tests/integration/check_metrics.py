#!/usr/bin/env python3
"""Scrapes a service as Prometheus does: promtool accepts the text, and no time changes while nothing happens.

check_metrics.py PROGRAM PROMTOOL [PROMETHEUS]      PROMETHEUS also scrapes it, and answers queries
"""

import contextlib
import http.server
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

from local_servers import HOST, Checks, free_port, process, time_limit, wait_for_http

SCRAPES = 97
BREAKERS = 19  # of metrics_source.cpp; two of them never failed
OTHERS = 17  # policies of each other kind
TIME = "fusebox_circuit_breaker_last_failure_timestamp_seconds"
OF_BREAKERS = ("calls_total", "rejected_total", "opened_total", "state", "failure_ratio")
# The other kinds have the families and the members of health that the rule M2 says.
RULES = Path(__file__).resolve().parents[2].joinpath("docs", "rules.md").read_text(encoding="utf-8")
M2 = RULES.partition("\n### M2 ")[2].partition("\n### ")[0]
KINDS = [name for row in re.findall(r"^\| (`.*?) \|", M2, re.M) for name in re.findall(r"`(\w+_\w+)`", row)]
KINDS.remove("pipeline_call_duration_seconds")
KINDS += ["pipeline_call_duration_seconds_" + series for series in ("bucket", "sum", "count")]
IN_HEALTH = set(re.findall(r"`(\w+)`", re.search(r"by name: (.*?)\.", M2, re.S).group(1)))
SAMPLE = re.compile(r'^(\w+)\{name="((?:[^"\\\n]|\\["\\n])*)"(.*)\} (\S+)$')
check = Checks()


class Source:
    """metrics_source: one document a time."""

    def __init__(self, running):
        self.running, self.lock = running, threading.Lock()

    def document(self, clock, kind):
        with self.lock:
            self.running.stdin.write(f"{clock} {kind}\n".encode())
            self.running.stdin.flush()
            size = int(self.running.stdout.readline())
            return self.running.stdout.read(size)


def samples_of(text):
    """{(family, name, further labels): value}, by a reader of the format that knows nothing of the writer."""
    samples = {}
    for line in text.decode("utf-8").split("\n"):
        if not line or line.startswith("# "):
            continue
        match = SAMPLE.match(line)
        check("a line that is no sample", match, line)
        if match:
            key = match.group(1, 2, 3)
            check("a sample that is there twice", key not in samples, key)
            samples[key] = match.group(4)
    return samples


def check_with_promtool(promtool, clock, text):
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, timeout=20, check=False)
    check(f"promtool check metrics, {clock}", done.returncode == 0, (done.stdout + done.stderr).decode())


def check_constant(what, series_of):
    """Does each series, {name: values}, hold one value? As changes() of Prometheus counts."""
    changes = {name: sum(one != two for one, two in zip(values, values[1:])) for name, values in series_of.items()}
    worst = max(changes, key=changes.get)
    moved = sum(count > 0 for count in changes.values())
    seen = f"{changes[worst]} changes for {worst!r}, {moved} of {len(changes)} series change"
    check(f"{what} in {SCRAPES} scrapes", changes[worst] == 0, f"{seen}: {series_of[worst][:3]} ...")


def check_scrapes(source, promtool, clock):
    texts = [source.document(clock, "metrics") for _ in range(SCRAPES)]
    check_with_promtool(promtool, clock, texts[0])
    check_with_promtool(promtool, clock, texts[-1])
    scrapes = [samples_of(text) for text in texts]
    families = {}
    for family, name, _ in scrapes[0]:
        families.setdefault(family, set()).add(name)
    counts = {TIME: BREAKERS - 2, **{f"fusebox_{name}": OTHERS for name in KINDS}}
    counts |= {f"fusebox_circuit_breaker_{name}": BREAKERS for name in OF_BREAKERS}
    found = {family: len(names) for family, names in families.items()}
    wrong = sorted(found.items() ^ counts.items())
    check(f"{clock}: a sample of each policy in each family, and no other family", not wrong, wrong)
    for family in sorted({key[0] for key in scrapes[0]}):
        keys = [key for key in scrapes[0] if key[0] == family]
        check_constant(f"{clock}: {family}", {key[1:]: [scrape.get(key) for scrape in scrapes] for key in keys})


def check_health(source, clock):
    reports = [json.loads(source.document(clock, "health")) for _ in range(SCRAPES)]
    names = [set(report["circuitBreakers"]) for report in reports]
    check(f"{clock}: names in health", all(one == names[0] and len(one) == BREAKERS for one in names), names[0])
    kinds = set(reports[0]) - {"timestamp", "circuitBreakers", "summary"}
    check(f"{clock}: kinds in health", kinds == IN_HEALTH, sorted(kinds ^ IN_HEALTH))
    for kind in sorted(kinds):
        check(f"{clock}: {kind} in health", all(len(report[kind]) == OTHERS for report in reports), kind)
    breakers = [report["circuitBreakers"] for report in reports]
    for field in ("lastFailureTime", "lastSuccessTime"):
        check_constant(f"{clock}: {field}", {name: [one[name].get(field) for one in breakers] for name in names[0]})


@contextlib.contextmanager
def http_of(source):
    """The metrics on the real clock by HTTP; the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            text = source.document("real", "metrics")
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def query(port, expression):
    path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    return json.loads(wait_for_http(port, path))["data"]["result"]


def check_with_prometheus(source, prometheus, folder):
    with contextlib.ExitStack() as stack:
        target = stack.enter_context(http_of(source))
        config = Path(folder, "prometheus.yml")
        config.write_text(
            "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\n"
            f"scrape_configs: [{{job_name: service, static_configs: [{{targets: ['{HOST}:{target}']}}]}}]\n"
        )
        port = free_port()
        command = [prometheus, f"--config.file={config}", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address={HOST}:{port}", "--log.level=error"]
        running = stack.enter_context(process(command, stdin=subprocess.DEVNULL))
        wait_for_http(port, "/-/ready", 20)
        end = time.monotonic() + 20
        while time.monotonic() < end and running.poll() is None:
            count = query(port, f'count_over_time({TIME}{{name="payments"}}[1m])')
            if count and int(count[0]["value"][1]) >= 20:
                break
            time.sleep(0.1)
        check("Prometheus scraped the service 20 times", count and int(count[0]["value"][1]) >= 20, count)
        names = {one["metric"]["name"] for one in query(port, "fusebox_circuit_breaker_opened_total")}
        check("breakers in Prometheus", len(names) == BREAKERS, sorted(names))
        check("a name in Prometheus", 'payments "eu"' in names and "two\nlines" in names, sorted(names))
        moved = [one for one in query(port, f"changes({TIME}[1m])") if one["value"][1] != "0"]
        seen = [(one["metric"]["name"], one["value"][1]) for one in moved]
        check("changes() of times in Prometheus", not moved, seen[:3])


def main():
    program, promtool, *prometheus = sys.argv[1:]
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_limit(80))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        source = Source(stack.enter_context(process([program], **pipes)))
        for clock in ("fake", "stepped", "real"):
            check_scrapes(source, promtool, clock)
            check_health(source, clock)
        if prometheus:
            check_with_prometheus(source, prometheus[0], folder)
    return check.end()


if __name__ == "__main__":
    sys.exit(main())
