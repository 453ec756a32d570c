#!/usr/bin/env python3
"""Checks the sources; says what is wrong, where, and what is asked for.

scripts/lint.py [--fix] [CHECK...]      every check, or those named; --fix formats the sources first

layers     a header includes only headers above it in the layout (docs: CONTRIBUTING.md), no forbidden
           standard header, fmt and JSON libraries only where they belong; none is above 600 lines, no
           example above 150
budget     what a header costs its includer, in preprocessed lines (g++ -E -P)
words      no work notes (the usual four-letter ones) left in the sources
version    CHANGELOG.md knows the version of version.hpp
format     clang-format 14 with .clang-format
names      clang-tidy with .clang-tidy: identifier naming and a few bug checks
"""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = os.path.join(ROOT, "include")

# Each may include those above it. detail/ serves all; test/ and adapters/ may include anything here.
LAYOUT = """
    version.hpp fwd.hpp clock.hpp error.hpp api_error.hpp failure.hpp backoff.hpp retry.hpp circuit_breaker.hpp
    registry.hpp http.hpp api_response.hpp health.hpp metrics.hpp format.hpp timeout.hpp bulkhead.hpp
    rate_limiter.hpp retry_budget.hpp hedge.hpp fallback.hpp pipeline.hpp
""".split()
UMBRELLA = "fusebox.hpp"
NEVER_TOGETHER = ("retry.hpp", "circuit_breaker.hpp")
LIGHT = LAYOUT[: LAYOUT.index("registry.hpp") + 1]  # these do without fmt and the headers below
HEAVY_STD = {"functional", "random", "iostream", "regex", "future", "thread"}
MAY_REACH_FMT = {"format.hpp", "api_response.hpp", "health.hpp", "metrics.hpp"}
MAX_LINES = 600
MAX_EXAMPLE_LINES = 150
BUDGET = {"retry.hpp": 56_000, "circuit_breaker.hpp": 60_000, UMBRELLA: 85_000}

CXX_SUFFIXES = (".hpp", ".cpp", ".inl")
problems = []


def problem(path, text):
    problems.append(f"{os.path.relpath(path, ROOT) if os.path.isabs(path) else path}: {text}")


def run(command, **options):
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=ROOT, **options)


def tool(*names):
    return next((path for path in map(shutil.which, names) if path), None)


def sources(*tops, suffixes=CXX_SUFFIXES):
    for top in tops:
        for folder, folders, files in os.walk(os.path.join(ROOT, top)):
            folders[:] = sorted(name for name in folders if name != "__pycache__")
            yield from (os.path.join(folder, name) for name in sorted(files) if name.endswith(suffixes))


def headers():
    """(path, name below include/fusebox) of every header."""
    base = os.path.join(INCLUDE, "fusebox")
    return [(path, os.path.relpath(path, base)) for path in sources("include")]


def includes_of(path):
    """(line, name) of each #include."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if match:
                yield number, match.group(1)


def available(name):
    """Adapters compile only where the library that they adapt is installed."""
    if not name.startswith("adapters/"):
        return True
    return compile_headers([name], ["-fsyntax-only"]).returncode == 0


def compile_headers(names, arguments, compiler="g++"):
    text = "".join(f"#include <fusebox/{name}>\n" for name in names)
    return run([compiler, "-std=c++20", f"-I{INCLUDE}", "-x", "c++", *arguments, "-"], input=text)


# The checks.


def check_layers():
    found = headers()
    names = {name for _, name in found}
    graph = {}
    for path, name in found:
        private = name.startswith("detail/")
        outer = name.startswith(("test/", "adapters/"))
        if not (private or outer or name in LAYOUT or name == UMBRELLA):
            problem(path, "not in the layout: give it a place in LAYOUT of scripts/lint.py")
        with open(path, encoding="utf-8") as file:
            count = len(file.readlines())
        if count > MAX_LINES:
            problem(path, f"{count} lines; a header has at most {MAX_LINES}")

        graph[name] = []
        for line, included in includes_of(path):
            where = f"{path}:{line}"
            if included.startswith("fusebox/"):
                target = included[len("fusebox/") :]
                graph[name].append(target)
                if target not in names:
                    problem(where, f"includes <{included}>, which does not exist")
                elif target == UMBRELLA:
                    problem(where, "no header includes the umbrella")
                elif target.startswith(("test/", "adapters/")) and not outer:
                    problem(where, f"includes <{included}>: test/ and adapters/ are for users only")
                elif name in LAYOUT and target in LAYOUT and LAYOUT.index(target) >= LAYOUT.index(name):
                    problem(where, f"includes <{included}>, which is not above it in the layout")
            elif "json" in included and name != "adapters/nlohmann_json.hpp":
                problem(where, f"includes <{included}>: no JSON library here")
            elif included.startswith("fmt/"):
                if included != "fmt/format.h":
                    problem(where, f"includes <{included}>: only <fmt/format.h>")
                if name not in MAY_REACH_FMT and not private and not outer:
                    problem(where, f"includes <{included}>: fmt is for {', '.join(sorted(MAY_REACH_FMT))}")

    for path in sources("examples", suffixes=(".cpp",)):
        with open(path, encoding="utf-8") as file:
            count = len(file.readlines())
        if count > MAX_EXAMPLE_LINES:
            problem(path, f"{count} lines; an example has at most {MAX_EXAMPLE_LINES}")

    def reachable(name, seen):
        for target in graph.get(name, []):
            if target not in seen:
                seen.add(target)
                reachable(target, seen)
        return seen

    paths = {name: path for path, name in found}
    for name in sorted(names & set(LAYOUT)):  # through detail/, what is included directly was looked at above
        for target in sorted(reachable(name, set()) & set(LAYOUT)):
            if LAYOUT.index(target) >= LAYOUT.index(name) and target not in graph[name]:
                problem(paths[name], f"reaches {target}, which is not above it in the layout")

    offenders = {}
    for name in LIGHT:
        for one in reachable(name, {name}) & names:
            for line, included in includes_of(paths[one]):
                if included in HEAVY_STD or included.startswith("fmt/"):
                    offenders.setdefault((one, line, included), name)
    for (one, line, included), name in offenders.items():
        problem(f"{paths[one]}:{line}", f"includes <{included}>; {name} reaches it, as nothing down to registry.hpp may")
    for name in NEVER_TOGETHER:
        for other in set(NEVER_TOGETHER) - {name}:
            if name in names and other in reachable(name, set()):
                problem(paths[name], f"reaches {other}: the two never include each other")
    if UMBRELLA in names:
        for name in sorted(names - reachable(UMBRELLA, {UMBRELLA})):
            if name in LAYOUT:
                problem(paths[UMBRELLA], f"does not include {name}")

    # fmt must not be reached through a standard or third-party header either.
    if tool("g++"):
        light = sorted(names & set(LIGHT), key=LAYOUT.index)
        result = compile_headers(light, ["-M"])
        if result.returncode != 0:
            problem("include", f"does not preprocess:\n{result.stderr}")
        elif re.search(r"/fmt/\w+\.h", result.stdout):
            problem("include", "fmt is reached from registry.hpp or above it")


def check_budget():
    names = {name for _, name in headers()}
    for name, budget in BUDGET.items():
        if name not in names:
            continue
        result = compile_headers([name], ["-E", "-P"])
        if result.returncode != 0:
            problem(f"include/fusebox/{name}", f"does not preprocess:\n{result.stderr}")
            continue
        lines = result.stdout.count("\n")
        print(f"   {name}: {lines} of {budget} preprocessed lines")
        if lines > budget:
            problem(f"include/fusebox/{name}", f"{lines} preprocessed lines; the budget is {budget}")


def check_words():
    notes = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")
    everything = CXX_SUFFIXES + (".txt", ".cmake", ".in", ".json", ".py", ".sh", ".md", ".hpp")
    tops = ("include", "tests", "examples", "benchmarks", "docs", "cmake", "scripts", ".ci")
    top_files = [os.path.join(ROOT, name) for name in sorted(os.listdir(ROOT)) if name.endswith(everything)]
    for path in [*sources(*tops, suffixes=everything), *top_files]:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if notes.search(line):
                    problem(f"{path}:{number}", f"a work note: {line.strip()}")


def check_version():
    with open(os.path.join(INCLUDE, "fusebox/version.hpp"), encoding="utf-8") as file:
        version = re.search(r'VERSION_STRING "([^"]+)"', file.read()).group(1)
    with open(os.path.join(ROOT, "CHANGELOG.md"), encoding="utf-8") as file:
        if f"## [{version}]" not in file.read():
            problem("CHANGELOG.md", f"has no section for {version}, the version of version.hpp")


def clang_format():
    path = tool("clang-format-14", "clang-format")
    if path and re.search(r"version 14\.", run([path, "--version"]).stdout):
        return path
    missing("clang-format 14 (another version formats differently)")
    return None


def missing(what):
    """Somebody's own machine may lack a tool; CI may not."""
    if os.environ.get("CI"):
        problem("lint", f"{what} is not installed")
    else:
        print(f"   skipped: {what} is not installed")


def formatted_files():
    return list(sources("include", "tests", "examples", "benchmarks"))


def fix_format():
    path = clang_format()
    if path:
        subprocess.run([path, "-i", *formatted_files()], check=True, cwd=ROOT)


def check_format():
    path = clang_format()
    if not path:
        return
    for file in formatted_files():
        # Not --dry-run: version 14 then complains of namespace comments that it would leave as they are.
        with open(file, encoding="utf-8") as source:
            before = source.read().split("\n")
        after = run([path, file]).stdout.split("\n")
        if before != after:
            changes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
            lines = [str(start + 1) for kind, start, *_ in changes if kind != "equal"]
            problem(file, f"not formatted (lines {', '.join(lines)}): make format")


def check_names():
    for path in sources("include"):  # clang-tidy 14 knows no concepts
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                match = re.match(r"\s*concept (\w+)", line)
                if match and not re.fullmatch(r"([A-Z][a-z0-9]*)+", match.group(1)):
                    problem(f"{path}:{number}", f"invalid case style for concept '{match.group(1)}'")

    path = tool("clang-tidy-14", "clang-tidy")
    if not path:
        missing("clang-tidy")
        return
    names = [name for _, name in headers() if not name.endswith(".inl") and available(name)]
    with tempfile.TemporaryDirectory() as work:
        unit = os.path.join(work, "all_headers.cpp")
        with open(unit, "w", encoding="utf-8") as file:
            file.write("".join(f"#include <fusebox/{name}>\n" for name in names))
        result = run([path, "--quiet", f"--config-file={ROOT}/.clang-tidy", unit, "--", "-std=c++20", f"-I{INCLUDE}"])
    found = re.findall(r"^(\S+:\d+):\d+: (?:warning|error): (.*)$", result.stdout, re.M)
    # Where the code does not compile, clang-tidy guesses at the rest.
    errors = [one for one in found if "clang-diagnostic-error" in one[1]]
    for where, text in errors or found:
        problem(where, text)
    if result.returncode != 0 and not found:
        problem("clang-tidy", result.stdout + result.stderr)


CHECKS = {
    "layers": check_layers,
    "budget": check_budget,
    "words": check_words,
    "version": check_version,
    "format": check_format,
    "names": check_names,
}


def main(arguments):
    if "--help" in arguments or "-h" in arguments:
        print(__doc__)
        return 0
    wanted = [argument for argument in arguments if argument != "--fix"]
    unknown = [name for name in wanted if name not in CHECKS]
    if unknown:
        print(f"lint: unknown check {unknown[0]}; there are: {', '.join(CHECKS)}", file=sys.stderr)
        return 2
    if "--fix" in arguments:
        fix_format()
    for name in wanted or CHECKS:
        print(f"lint: {name}", flush=True)
        before = len(problems)
        CHECKS[name]()
        for text in problems[before:]:
            print(f"   {text}", flush=True)
    print(f"lint: {len(problems)} problem(s)" if problems else "lint: clean")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
