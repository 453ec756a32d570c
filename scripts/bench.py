#!/usr/bin/env python3
"""Runs the benchmarks and says how they stand against their targets.

scripts/bench.py times PROGRAM... [--compiler CXX] [--out FILE] [--processes N]
    times every path, prints one table of ratios, writes every number as JSON
scripts/bench.py table FILE [--markdown]
    prints the table of such a JSON file again
scripts/bench.py instructions PROGRAM --compiler ID-VERSION [--out FILE] [--record]
    counts the instructions of every path with callgrind and holds them against benchmarks/instructions.json;
    --record writes that file

`make bench` and `make bench-instructions` call it. A path that misses its target is marked; nothing fails by
its time, since times depend on the machine. Instructions are repeatable: more than recorded fail.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RECORDED = os.path.join(ROOT, "benchmarks", "instructions.json")

# Instructions: how much more than recorded is let pass, and what is never held: unwinding, rivals, and what another
# thread takes part in.
MARGIN = 0.01
SLACK = 1
NOT_HELD = ("throw", "textbook", "call/", "takes_a_token")

# P15: a pipeline, the same policies nested by hand, and the number of parts.
COMPOSED = (
    ("pipeline/breaker", "closed/default", 1),
    ("pipeline/retry_breaker", "nested/retry_breaker", 2),
    ("pipeline/five_parts", "nested/five_parts", 5),
)

# A10: a call in a coroutine, and how much it may cost, op included.
AWAITED = (("coro/execute", 631), ("coro/retry", 830))


class Values:
    """The times of one process by name, and what the targets ask of them."""

    def __init__(self, run, results):
        self.run = run
        self.results = results

    def __getitem__(self, name):
        return self.run[name]

    def over(self, name, bare="call/bare"):
        return self[name] - self[bare]

    @property
    def floor(self):
        return self.over("call/floor")

    def per_thread(self, size):
        """Of the registry's get by two threads: the benchmark gives the wall time per call of any of them."""
        return 2 * self[f"registry/get/{size}/real_time/threads:2"]

    def counter(self, name, counter):
        return self.results["times"][name]["counters"][counter]

    def other(self, name):
        return self.results["others"][name]


def slow(v, path, read):
    return (v.over(path) - 2 * v.over(read)) / v.floor


STORM = "storm/standard_pipeline/iterations:1"

# (what, unit, value of v, limit, "max" or "min")
TARGETS = [
    ("closed, default config", "× floor", lambda v: v.over("closed/default") / v.floor, 1.45, "max"),
    ("the same, textbook ÷ ours", "×", lambda v: v.over("closed/textbook") / v.over("closed/default"), 3, "min"),
    ("closed, failure rate of 100 calls", "× floor",
     lambda v: v.over("closed/failure_rate_of_100_calls") / v.floor, 2, "max"),
    ("closed, failure rate within 10 s", "× floor",
     lambda v: v.over("closed/failure_rate_within_10s") / v.floor, 2, "max"),
    ("closed, slow calls over 100 ms, less 2 steady reads", "× floor",
     lambda v: slow(v, "closed/slow_calls_over_100ms", "call/steady_read"), 1.5, "max"),
    ("closed, slow calls over 1 s, less 2 coarse reads", "× floor",
     lambda v: slow(v, "closed/slow_calls_over_1s", "call/coarse_read"), 1.5, "max"),
    ("open, fallback", "× floor", lambda v: v.over("open/fallback") / v.floor, 1.35, "max"),
    ("open, expected-like result", "× floor", lambda v: v.over("open/expected") / v.floor, 1.35, "max"),
    ("open, throwing ÷ throwing an ApiError", "×",
     lambda v: v["open/throw"] / v["open/throw_an_api_error"], 1.25, "max"),
    ("failure by value, closed", "× floor",
     lambda v: v.over("failure/expected", "call/bare_expected") / v.floor, 3.5, "max"),
    ("… with a code of std::errc", "× floor",
     lambda v: v.over("failure/expected_errc", "call/bare_expected") / v.floor, 3.5, "max"),
    ("open, fallback that takes the Failure", "× floor",
     lambda v: v.over("open/fallback_with_failure") / v.floor, None, "max"),
    ("retry, first attempt succeeds", "ns over bare", lambda v: v.over("retry/first_attempt_succeeds"), 2, "max"),
    ("registry get of 1,000 ÷ plain map", "×",
     lambda v: v["registry/get/1000/real_time"] / v["registry/plain_map/1000/real_time"], 3, "max"),
    ("registry get of 100,000 ÷ plain map", "×",
     lambda v: v["registry/get/100000/real_time"] / v["registry/plain_map/100000/real_time"], 3, "max"),
    ("… of 1,000 on two threads, per thread ÷ plain map", "×",
     lambda v: v.per_thread(1000) / v["registry/plain_map/1000/real_time"], 3, "max"),
    ("… of 1,000 on two threads, per thread ÷ one thread", "×",
     lambda v: v.per_thread(1000) / v["registry/get/1000/real_time"], 1.6, "max"),
    ("… of 100,000 on two threads, per thread ÷ one thread", "×",
     lambda v: v.per_thread(100000) / v["registry/get/100000/real_time"], 1.6, "max"),
    ("two threads on one breaker", "× one thread",
     lambda v: v["closed/default/real_time/threads:1"] / v["closed/default/real_time/threads:2"], 1.8, "min"),
    ("… the limit: two threads on registers", "× one thread",
     lambda v: v["call/registers/real_time/threads:1"] / v["call/registers/real_time/threads:2"], None, "min"),
    ("sizeof(CircuitBreaker<>)", "bytes", lambda v: v.counter("memory/registry/10000/iterations:1", "sizeof_breaker"),
     768, "max"),
    ("an idle breaker in the registry", "bytes",
     lambda v: v.counter("memory/registry/10000/iterations:1", "bytes_per_breaker"), 1024, "max"),
    ("stats of 10,000 breakers ÷ copying the map", "×",
     lambda v: v["reports/stats/10000"] / v["reports/copy_map/10000"], 4, "max"),
    ("health JSON of 10,000 ÷ fmt", "×", lambda v: v["reports/health_json/10000"] / v["reports/fmt_json/10000"], 2,
     "max"),
    ("metrics text of 10,000 ÷ fmt", "×", lambda v: v["reports/metrics_text/10000"] / v["reports/fmt_metrics/10000"],
     3, "max"),
    ("health JSON of 10,000, stats included ÷ fmt", "×",
     lambda v: v["reports/registry_to_health_json/10000"] / v["reports/fmt_json/10000"], 2, "max"),
    ("metrics text of 10,000, stats included ÷ fmt", "×",
     lambda v: v["reports/registry_to_metrics_text/10000"] / v["reports/fmt_metrics/10000"], 3, "max"),
    ("storm lab, 1,000,000 clients for ten minutes", "s", lambda v: v[STORM] / 1e9, 60, "max"),
    ("… its memory", "GiB", lambda v: v.counter(STORM, "bytes_at_most") / 2**30, 2, "max"),
    ("… its events", "million/s", lambda v: v.counter(STORM, "events") / v[STORM] * 1e3, None, "min"),
    ("compile time ÷ six standard headers", "×", lambda v: v.other("compile_time_ratio"), 1.3, "max"),
    ("text of an execute call site", "bytes", lambda v: v.other("call_site_bytes"), 500, "max"),
    ("… with a fallback", "bytes", lambda v: v.other("call_site_bytes_fallback"), 500, "max"),
]


def run(command, **options):
    return subprocess.run(command, check=True, text=True, **options)


# Times.


def one_run(program, repetitions):
    """The benchmarks of one process: {name: (median time in ns, counters)}."""
    command = [program, "--benchmark_format=json", f"--benchmark_min_time={0.1 / repetitions}",
               f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true"]
    output = json.loads(run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout)
    factor = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    values, counters = {}, {}
    for entry in output["benchmarks"]:
        if entry["run_type"] != "iteration":
            continue
        more = {k: v for k, v in entry.items() if k.startswith(("bin_", "bytes_", "sizeof_", "events"))}
        values.setdefault(entry["name"], []).append(entry["real_time"] * factor[entry["time_unit"]])
        counters[entry["name"]] = more
    return output["context"], {name: (statistics.median(all), counters[name]) for name, all in values.items()}


def time_programs(programs, processes):
    """The program of the paths in several processes, since where its memory lies changes its speed, and the others,
    which build large registries, in three."""
    runs, counters, context = [], {}, {}
    for number in range(processes):
        runs.append({})
        for program in programs:
            name = os.path.basename(program)
            if number > 2 and not name.startswith("paths"):
                continue
            print(f"run {number + 1} of {processes}: {name}", file=sys.stderr)
            context, found = one_run(program, 7 if name.startswith("paths") else 1)
            for benchmark, (value, more) in found.items():
                runs[-1][benchmark] = value
                counters[benchmark] = more
    times = {}
    for name in counters:
        values = [run[name] for run in runs if name in run]
        times[name] = {"median": statistics.median(values), "least": min(values), "most": max(values),
                       "runs": len(values), "counters": counters[name]}
    return context, runs, times


def compile_seconds(compiler, source):
    before = os.times()
    with tempfile.TemporaryDirectory() as folder:
        run([compiler, "-std=c++20", "-O2", f"-I{ROOT}/include", "-c", source, "-o", os.path.join(folder, "out.o")])
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def compile_time_ratio(compiler):
    ratios = []
    for _ in range(7):
        standard = compile_seconds(compiler, f"{ROOT}/benchmarks/includes_standard.cpp")
        ours = compile_seconds(compiler, f"{ROOT}/benchmarks/includes_fusebox.cpp")
        ratios.append(ours / standard)
    return statistics.median(ratios)


def text_size(compiler, body, sites):
    """Bytes of code in an object with that many call sites."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = os.path.join(folder, "sites.cpp"), os.path.join(folder, "sites.o")
        with open(source, "w", encoding="utf-8") as file:
            file.write("#include <fusebox/circuit_breaker.hpp>\nint get(int);\n")
            for i in range(sites):
                file.write(f"int site{i}(fusebox::CircuitBreaker<>& breaker, int x) {{ return {body % i}; }}\n")
        run([compiler, "-std=c++20", "-O2", "-DNDEBUG", f"-I{ROOT}/include", "-c", source, "-o", out])
        sections = run(["size", "-A", out], stdout=subprocess.PIPE).stdout.splitlines()
    return sum(int(line.split()[1]) for line in sections if line.startswith(".text"))


def site_bytes(compiler, more=""):
    """What one execute adds to the plain call."""
    op = "[x] { return get(x + %d); }"
    guarded, bare = f"breaker.execute({op}{more})", f"{op}()"
    per_site = [(text_size(compiler, body, 12) - text_size(compiler, body, 2)) / 10 for body in (guarded, bare)]
    return per_site[0] - per_site[1]


def print_rows(rows, markdown):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [row[0].ljust(widths[0]), row[1].rjust(widths[1]),
                 *(cell.ljust(width) for cell, width in zip(row[2:], widths[2:]))]
        print("| " + " | ".join(cells) + " |" if markdown else "  ".join(cells).rstrip())
        if markdown and number == 0:
            print("|---|--:|" + "---|" * (len(row) - 2))


def table(results, markdown):
    """The ratios against their targets: each within one run; their median, and the least and the most."""
    rows = [("path", "measured", "least – most", "unit", "target", "")]
    for what, unit, value, limit, sense in TARGETS:
        found = []
        for one in results["runs"]:
            try:
                found.append(value(Values(one, results)))
            except KeyError:
                pass  # not every program is in every run
        if not found:
            rows.append((what, "-", "", unit, "not measured", ""))
            continue
        median = statistics.median(found)
        met = "" if limit is None else ("met" if (median <= limit if sense == "max" else median >= limit) else "MISSED")
        target = "" if limit is None else f"{'≤' if sense == 'max' else '≥'} {limit:g}"
        shown = [f"{n:.0f}" if n >= 100 else f"{n:.2f}" for n in (median, min(found), max(found))]
        rows.append((what, shown[0], "" if shown[1] == shown[2] else f"{shown[1]} – {shown[2]}", unit, target, met))
    print_rows(rows, markdown)


def spread(results):
    """Every time: the median of the processes, the least and the most."""
    rows = [("time per call", "median", "least", "most")]
    for name, entry in results["times"].items():
        rows.append((name, *(f"{entry[key]:.4g} ns" for key in ("median", "least", "most"))))
    print_rows(rows, False)


def times(arguments):
    version = run([arguments.compiler, "--version"], stdout=subprocess.PIPE).stdout.splitlines()[0]
    others = {
        "compile_time_ratio": compile_time_ratio(arguments.compiler),
        "call_site_bytes": site_bytes(arguments.compiler),
        "call_site_bytes_fallback": site_bytes(arguments.compiler, ", [] { return 0; }"),
    }
    context, runs, measured = time_programs(arguments.programs, arguments.processes)
    kept = {k: context[k] for k in ("num_cpus", "mhz_per_cpu", "caches") if k in context}
    results = {"date": time.strftime("%Y-%m-%d"), "compiler": version, "machine": kept, "runs": runs, "times": measured,
               "others": others}
    with open(arguments.out, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    spread(results)
    print()
    table(results, False)
    print(f"\nmedians of {arguments.processes} processes (paths) and 3 (others); every number: {arguments.out}")
    return 0


# Instructions.


def count_instructions(program, times_each):
    """Instructions per call, by path: those of its `bench::repeat<…>`, what it calls included."""
    if hasattr(os, "sched_setaffinity"):  # a thread that moves to another processor counts in more shards
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        profile = os.path.join(folder, "callgrind.out")
        paths = run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", program, str(times_each)],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        report = run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", profile],
                     stdout=subprocess.PIPE).stdout
    counts = {}
    for line in report.splitlines():
        match = re.match(r"\s*([\d,]+).*void bench::repeat<([\w:]+)>\(", line)
        if match:
            counts.setdefault(match.group(2), int(match.group(1).replace(",", "")))
    named = {}
    for line in paths.splitlines():
        name, kind, calls = line.split()
        named[name] = round(counts[kind] / int(calls), 1)
    return named


def instructions(arguments):
    measured = count_instructions(arguments.programs[0], 2000)
    bare = measured["call/bare"]
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8") as file:
            json.dump({"compiler": arguments.compiler, "paths": measured}, file, indent=1)
    if arguments.record:
        with open(RECORDED, "w", encoding="utf-8") as file:
            json.dump({"compiler": arguments.compiler, "paths": measured}, file, indent=1)
            file.write("\n")
    if not os.path.exists(RECORDED):
        sys.exit(f"bench.py: {RECORDED} is missing; --record writes it")
    with open(RECORDED, encoding="utf-8") as file:
        recorded = json.load(file)

    same = recorded["compiler"].split(".")[:2] == arguments.compiler.split(".")[:2]
    wrong = []
    print(f"{'instructions per call':38} {'measured':>9} {'over bare':>9} {'recorded':>9}")
    for name, count in measured.items():
        known = recorded["paths"].get(name)
        held = same and known is not None and not any(word in name for word in NOT_HELD)
        if held and count > known * (1 + MARGIN) + SLACK:
            wrong.append(f"{name}: {count:g} instructions, {known:g} are recorded")
        if held and count < known * (1 - 5 * MARGIN) - 5 * SLACK:
            wrong.append(f"{name}: {count:g} instructions, {known:g} are recorded: better; run again with --record")
        if same and known is None:
            wrong.append(f"{name}: nothing is recorded; run again with --record")
        print(f"{name:38} {count:9g} {count - bare:9.4g} {known if known is not None else '':>9}")
    wrong.extend(f"{name}: recorded, but there is no such path" for name in recorded["paths"] if name not in measured)
    if same and measured["retry/first_attempt_succeeds"] - bare > 40:
        wrong.append("retry/first_attempt_succeeds: more than 40 instructions over the bare call")
    for pipeline, nested, parts in COMPOSED if same else ():
        if measured[pipeline] - measured[nested] > 5 * (parts + 1):
            wrong.append(f"{pipeline}: more than {5 * (parts + 1)} instructions over {nested} (P15)")
    if same and measured["pipeline/open_behind_retry_with_fallback"] - bare > 4 * (measured["call/floor"] - bare):
        wrong.append("pipeline/open_behind_retry_with_fallback: more than 4 times the floor")
    for name, most in AWAITED if same else ():
        if measured[name] > most:
            wrong.append(f"{name}: more than {most} instructions (A10)")
    if not same:
        print(f"recorded with {recorded['compiler']}, this is {arguments.compiler}: NOTHING IS HELD")
    for line in wrong:
        print(f"bench-instructions: {line}", file=sys.stderr)
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("times", "table", "instructions"))
    parser.add_argument("programs", nargs="+")
    parser.add_argument("--compiler", default=os.environ.get("CXX", "c++"))
    parser.add_argument("--out")
    parser.add_argument("--processes", type=int, default=7)
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    if arguments.what == "table":
        with open(arguments.programs[0], encoding="utf-8") as file:
            table(json.load(file), arguments.markdown)
        return 0
    if arguments.what == "instructions":
        return instructions(arguments)
    arguments.out = arguments.out or "results.json"
    return times(arguments)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FileNotFoundError as error:
        sys.exit(f"bench.py: {error.filename} is missing")
    except subprocess.CalledProcessError as error:
        sys.exit(f"bench.py: {' '.join(map(str, error.cmd))} failed with {error.returncode}")
