#!/usr/bin/env python3
"""Runs the tests of adapters/beast.hpp beside nginx and a raw server, and asks its Beast server by curl.

run_beast.py PROGRAM NGINX CURL [ARGUMENT...]       further arguments go to the program
"""

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from local_servers import (
    BROKEN,
    HOST,
    Checks,
    Nginx,
    RawServer,
    answer_bytes,
    closed_port,
    curl,
    environment,
    process,
    status_pages,
    time_limit,
)

RAW = {**BROKEN, "/bad-length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"}


def restart_after_kill(victim):
    """Starts the victim again a moment after somebody killed it."""
    victim.process.wait()
    time.sleep(0.3)
    victim.run()
    threading.Event().wait()  # nginx ends with the thread that started it


def check_server(program, tool):
    """The answers of the program's own Beast server, as curl reads them."""
    check = Checks()
    command = [program, "[.serve]"]
    with process(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as server:
        port = next(int(line) for line in server.stdout if line.strip().isdigit())
        url = f"http://{HOST}:{port}"
        fine = curl(tool, f"{url}/fine")
        check("/fine", (fine.status, fine.body) == (200, b"fine"), fine.status)
        for path, status, retry_after in [
            ("/missing", 404, None),
            ("/busy", 429, "2"),
            ("/open", 503, "1"),
            ("/broken", 500, None),
            ("/dynamic", 403, None),
            ("/vector", 400, None),
        ]:
            answer = curl(tool, url + path)
            check(f"the status of {path}", answer.status == status, answer.status)
            check(f"the Retry-After of {path}", answer.field("retry-after") == retry_after, answer.fields)
            check(f"the type of {path}", answer.field("content-type") == "application/json", answer.fields)
            check(f"the length of {path}", answer.field("content-length") == str(len(answer.body)), answer.fields)
            check(f"the old ETag of {path}", answer.field("etag") is None, answer.fields)
            check(f"the document of {path}", "error" in json.loads(answer.body), answer.body)
            check(f"no internals in {path}", b"secret" not in answer.body, answer.body)
        server.stdin.close()
    return check.end()


def main():
    program, nginx, tool, *more = sys.argv[1:]
    with contextlib.ExitStack() as stack:
        stack.enter_context(time_limit(50))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        raw = stack.enter_context(RawServer(lambda path: RAW.get(path, answer_bytes("404 Unknown"))))
        front = stack.enter_context(Nginx(nginx, f"{folder}/front", {"http": status_pages()}))
        slow = "root @FOLDER@; location / { limit_rate 20k; } location = /200 { return 200; }"
        victim = stack.enter_context(Nginx(nginx, f"{folder}/victim", {"http": slow}))
        (victim.folder / "large").write_bytes(b"x" * 2_000_000)
        threading.Thread(target=restart_after_kill, args=[victim], daemon=True).start()
        ports = environment(
            SERVERS_NGINX=front.ports["http"],
            SERVERS_RAW=raw.port,
            SERVERS_VICTIM=victim.ports["http"],
            SERVERS_VICTIM_PID=victim.process.pid,
            SERVERS_CLOSED=stack.enter_context(closed_port()),
        )
        status = subprocess.run([program, *more], env=ports, check=False).returncode
        return status or check_server(program, tool)


if __name__ == "__main__":
    sys.exit(main())
