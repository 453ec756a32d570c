#!/usr/bin/env python3
"""Compiles the C++ that the playground writes: of every pipeline of the scenarios, and of every policy (S41).

check_cpp.py NATIVE COMPILER...

NATIVE is the program of native.cpp.
"""

import glob
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MANY = [  # fields that are no defaults, in each config
    {"policy": "rate_limiter", "permits": 70, "per": "2s", "burst": 9, "max_wait": "100ms"},
    {"policy": "bulkhead", "max_concurrent": 7, "max_waiting": 3, "max_wait": "1500ms"},
    {"policy": "total_timeout", "limit": "9s"},
    {"policy": "retry", "max_retries": 2, "base_delay": "150ms", "max_delay": "90s", "multiplier": 1.7,
     "jitter": "proportional", "jitter_factor": 0.125, "total_timeout": "1h", "honor_retry_after": False,
     "idempotent": False, "budget": {"ratio": 0.3, "min_per_second": 1, "capacity": 20, "reserve": 5}},
    {"policy": "rate_limiter"},
    {"policy": "bulkhead"},
    {"policy": "breaker", "failure_threshold": 9, "success_threshold": 3, "reset_timeout": "7s",
     "half_open_max_calls": 2, "half_open_max_failures": 1, "probe_timeout": "3s", "reset_backoff": 1.5,
     "max_reset_timeout": "2min", "honor_retry_after": False, "recovery_time": "11s",
     "failure_rate": {"threshold": 0.25, "minimum_calls": 30, "window": {"within": "12s"}},
     "slow_calls": {"slower_than": "750ms", "threshold": 0.75, "minimum_calls": 10, "window": {"last_calls": 40}}},
    {"policy": "attempt_timeout", "limit": "333us"},
]
PIPELINES = [
    {"name": "many", "policies": MANY},
    {"name": "throttle", "policies": [{"policy": "retry", "throttle": {"max_tokens": 50, "token_ratio": 0.2}},
                                      {"policy": "throttle", "k": 1.5, "window": "30s", "max_rejection": 0.9,
                                       "minimum_calls": 5}]},
    {"name": "measured", "policies": [{"policy": "adaptive_limit", "initial": 10, "max": 50, "tolerance": 1.5,
                                       "measure_every": 30, "max_waiting": 5, "max_wait": "100ms"}]},
    *({"name": rule, "policies": [{"policy": "adaptive_limit", "rule": rule, "max": 90, "window": "2s"}]}
      for rule in ("aimd", "gradient2", "vegas")),
    {"name": "hedge", "policies": [{"policy": "hedge", "delay": "40ms", "max_hedges": 2, "percentile": 0.95,
                                    "minimum_calls": 50, "budget": {"ratio": 0.1}}]},
]


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def problems(texts, compiler):
    """What the compiler says about headers in one program, each in a namespace of its own."""
    program = "#include <fusebox/fusebox.hpp>\n"
    for i, text in enumerate(texts):
        program += f"namespace pipeline_{i} {{\n{text}}}\n"
    command = [*compiler, "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", "-fsyntax-only", "-x", "c++", "-"]
    done = subprocess.run(command, input=program, capture_output=True, encoding="utf-8", check=False, timeout=300)
    return "" if done.returncode == 0 else f"{program}\n{done.stderr}"


def main():
    native, *compiler = sys.argv[1:]
    shared = read(os.path.join(ROOT, "storm", "scenarios", "pipelines.json"))
    scenarios = [read(path) for path in sorted(glob.glob(os.path.join(ROOT, "storm", "scenarios", "*.json")))]
    own = [one for scenario in scenarios if isinstance(scenario, dict) and isinstance(scenario.get("pipelines"), list)
           for one in scenario["pipelines"]]
    frame = {"name": "x", "duration": "60s", "dependencies": [{"name": 'a "service"\\'}]}
    lines = [json.dumps({"scenario": {**frame, "pipelines": [one]}, "seed": 1, "until": 0})
             for one in [*shared, *own, *PIPELINES]]
    done = subprocess.run([native], input="\n".join(lines) + "\n", capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        print(done.stderr)
        return 1
    texts = [json.loads(line) for line in done.stdout.splitlines()[1::2]]
    many = texts[-len(PIPELINES)]
    left_out = [field for policy in MANY for field in policy
                if field not in ("policy", "budget", "limit") and f".{field} = " not in many]
    wrong = problems(texts, compiler) or (f"left out: {left_out}\n{many}" if left_out else "")
    print(wrong or f"{len(texts)} pipelines compile")
    return 1 if wrong or len(texts) != len(lines) else 0


if __name__ == "__main__":
    sys.exit(main())
