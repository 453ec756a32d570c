#!/usr/bin/env python3
"""L13 what GDB prints of a program: check_gdb.py GDB PROGRAM

With the printers that the program carries, with debuggers/fusebox_gdb.py, and with none. Ends with 77, which is
"skipped", where GDB has no Python or may not run programs.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "debuggers", "fusebox_gdb.py")
SKIPPED = 77

# expression -> what GDB prints of it, without white space at line ends; ... stands for any text
EXPECTED = {
    "breaker": """CircuitBreaker "payments": open, failures in a row: 3 = {
  state = open,
  failure_streak = 3,
  success_count = 2,
  failure_count = 3,
  ignored_count = 0,
  rejected_count = 4,
  slow_count = 0,
  opened_count = 1,
  generation = 2,
  cause = Failure of an exception: HTTP status 503, "no answer",
  config = {
    failure_threshold = 3,
    success_threshold = 2,
    reset_timeout = 90 s,
    half_open_max_calls = 1,...
    probe_timeout = 0,...
    max_reset_timeout = 10 min,...
    failure_rate = none,
    slow_calls = none,
    classify = ...default_outcome...
  }
}""",
    "fresh": """CircuitBreaker "fresh": closed, failures in a row: 1 = {
  state = closed,...
  failure_count = 1,...""",
    "&fresh": "(...CircuitBreaker<...> *) 0x...",
    "retry_config": """{
  max_retries = 2,
  base_delay = 1500 us,
  max_delay = 2 h,
  multiplier = 2,
  jitter = equal,
  jitter_factor = 0.25,
  total_timeout = 30 s,
  honor_retry_after = true,
  idempotent = true
}""",
    "rates": """{...
  failure_rate = {
    threshold = 0.5,
    minimum_calls = 20,
    window = within(10 s)
  },...""",
    "retried": """RetryResult: failed, attempts: 2, retries_exhausted = {
  total_delay = ...s,
  errors[0] = Failure of an exception: HTTP status 503, "no answer",
  errors[1] = Failure of an exception: HTTP status 503, "no answer"
}""",
    "answered": """RetryResult: succeeded, attempts: 1, succeeded = {
  value = 42,
  total_delay = 0
}""",
    "error": """ApiError 404 not_found: "no such order" = {
  category = not_found,
  timestamp = 20...Z,
  retry_after = 2 s,
  reason = HTTP status 404,
  request_id = "r-1"
}""",
    "open": """CircuitOpenError 503 service_unavailable: "...'payments' is open" = {...
  reason = circuit_open (policy error 1)
}""",
    "status": """Failure: HTTP status 503 = {
  retry_after = 1500 ms
}""",
    "refused": "Failure: connection_refused (network error 4)",
    "made": """Failure: ApiError 404 not_found: "no such order" = {
  retry_after = 2 s
}""",
    "never": "never",
    "deadline": "1.500000000 s, steady clock",
    "permit": "admitted",
    "no_permit": "refused",
    "registry": """CircuitBreakerRegistry of 2 = {
  billing = CircuitBreaker "billing": forced_open = {
    state = forced_open,...
  search = CircuitBreaker "search": closed, failures in a row: 0 = {...""",
    "*search": """CircuitBreaker "search": closed,...""",
    "policies": """PolicyRegistry = {
  circuit_breakers = CircuitBreakerRegistry of 2 = {...
  Bulkhead shared pool = Bulkhead "shared pool": 0 in use, 0 waiting = {...""",
    "bulkhead": """Bulkhead "pool": 1 in use, 0 waiting = {
  config = {
    max_concurrent = 2,...
    max_wait = no_timeout,...""",
    "pipeline": """Pipeline of 5, the outermost first = {
  [0] = total_timeout(30 s),
  [1] = retry, at most 2 times = {...
  [2] = CircuitBreaker "payments": open,...
  [3] = CircuitBreaker "search": closed,...
  [4] = attempt_timeout(10 s)
}""",
    "result": """CallResult: failed = {
  error = Failure: circuit_open (policy error 1), "...'payments' is open" = {
    retry_after = ...""",
    "last": "last_calls(100)",
    "stats": """{
  state = open,
  failure_count = 3,...
  last_failure_time = 20...Z,...
  last_failure = Failure of an exception: HTTP status 503, "no answer",...""",
}
# Memory that is no breaker yet: GDB prints it as it would without printers.
GARBAGE = '*(decltype(breaker)*)$rsp' if os.uname().machine == "x86_64" else "*(decltype(breaker)*)$sp"


def run(gdb, program, *begin):
    commands = ["set pagination off", "set width 0", "set print pretty on", "set disable-randomization off"]
    commands += ["break look", "run", "up"]
    for expression in [*EXPECTED, GARBAGE]:
        commands += [f"echo \\n<<<{expression}>>>\\n", f"output {expression}"]
    commands += ["echo \\n<<<end>>>\\n", "kill"]
    call = [gdb, "-nx", "-batch"]
    for one in ["set debuginfod enabled off", *begin]:
        call += ["-iex", one]
    for one in commands:
        call += ["-ex", one]
    environment = {**os.environ, "LC_ALL": "C"}
    result = subprocess.run(
        [*call, program], capture_output=True, encoding="utf-8", errors="replace", check=False, env=environment, timeout=200
    )
    said = result.stdout + result.stderr
    if re.search(r"ptrace: Operation not permitted|Cannot (create process|run)|Couldn't get registers", said):
        print(f"GDB may not run a program here:\n{said}")
        sys.exit(SKIPPED)
    parts = re.split(r"\n?<<<(.*)>>>\n", result.stdout)
    return {name: "\n".join(map(str.rstrip, text.splitlines())).strip() for name, text in zip(parts[1::2], parts[2::2])}, said


def compare(found, how):
    problems = []
    for expression, expected in EXPECTED.items():
        pattern = ".*".join(map(re.escape, expected.split("...")))
        if not re.fullmatch(pattern, found.get(expression, ""), re.S):
            problems.append(f"{how}: {expression}: expected\n{expected}\n--- found\n{found.get(expression)}")
    return problems


def main(gdb, program):
    version = subprocess.run(
        [gdb, "-nx", "-batch", "-ex", "python print('has Python')"], capture_output=True, text=True, check=False
    )
    if "has Python" not in version.stdout:
        print(f"this GDB has no Python: {version.stdout}{version.stderr}")
        return SKIPPED

    folder = os.path.dirname(os.path.realpath(program))
    carried, said = run(gdb, program, f"add-auto-load-safe-path {folder}")
    problems = compare(carried, "the printers of the program")
    sourced, more = run(gdb, program, "set auto-load python-scripts off", f"source {SCRIPT}")
    problems += compare(sourced, "fusebox_gdb.py")
    raw, _ = run(gdb, program, "set auto-load python-scripts off")
    if "core_ = {" not in raw["breaker"]:
        problems.append(f"without printers: the breaker is\n{raw['breaker']}")
    problems += [f"of garbage: {text}" for text in (said, more) if "Traceback" in text or "Python Exception" in text]
    print("\n\n".join(problems) or f"{len(EXPECTED)} expressions, twice")
    if problems:
        print(said)
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
