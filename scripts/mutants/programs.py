"""The test programs: what each reaches, and whether one fails when a header is changed.

A mutant lies in a folder that is searched before include/, so that nothing else is copied or touched.
"""

import collections
import gzip
import hashlib
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "mutants")
INCLUDE = os.path.join(ROOT, "include")
TESTS = os.path.join(ROOT, "tests")
CXX = shlex.split(os.environ.get("CXX", "g++"))
FLAGS = ["-std=c++20", "-w", "-O0", "-pipe", "-I", INCLUDE, "-I", TESTS]
STANDARD = """
    algorithm array atomic chrono deque map memory mutex optional set span string string_view system_error thread
    variant vector
""".split()
MEMORY = 4 << 30
COMPILE_SECONDS = 180
RUN_SECONDS = 15

KILLED, SURVIVED, UNCOMPILED = "killed", "survived", "did not compile"
STATIC = re.compile(r"/tests/\S+: error: (static assertion failed|non-constant condition)|static_assert failed")


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, seconds, cwd=ROOT):
    """(code, output); None for the code where the time was up."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        preexec_fn=limit,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output.decode(errors="replace")
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, "timed out"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def digest(*texts):
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:24]


def pkg_config(*arguments):
    if not shutil.which("pkg-config"):
        return []
    code, output = run(["pkg-config", *arguments], 30)
    return shlex.split(output) if code == 0 else []


class Files:
    """What includes what, and the hash of each."""

    def __init__(self):
        self.cache = {}

    def closure(self, path):
        found, left = set(), [path]
        while left:
            file = left.pop()
            if file not in found:
                found.add(file)
                left += self.file(file)[1]
        return sorted(found)

    def file(self, path):
        """(hash, what it includes of ours, what else)"""
        if path not in self.cache:
            text, ours, other = read(path), [], set()
            for name in re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', text, re.M):
                for folder in (os.path.dirname(path), INCLUDE, TESTS):
                    file = os.path.normpath(os.path.join(folder, name))
                    if os.path.isfile(file):
                        ours.append(file)
                        break
                else:
                    other.add(name)
            self.cache[path] = digest(text), ours, other
        return self.cache[path]


class Program:
    """One test program, or, where it is static, one file that is only compiled."""

    def __init__(self, source, files):
        self.source, self.files = source, files
        self.name = os.path.relpath(source, TESTS).removesuffix(".cpp").removesuffix(".test")
        self.is_static = self.name.startswith("static/")
        self.reached = files.closure(source)
        others = {name for path in self.reached for name in files.file(path)[2]}
        self.extra, self.libraries = [], ["-pthread"]
        if any(name.startswith("fmt/") for name in others):
            self.libraries.append("-lfmt")
        if "httplib.h" in others:
            self.extra = pkg_config("--cflags", "cpp-httplib")
            self.libraries += pkg_config("--libs", "cpp-httplib")
        if any(name.startswith("rapidcheck") for name in others):
            self.libraries.append("-lrapidcheck")
        self.seconds = 5.0  # to compile, link and run
        self.run_seconds = RUN_SECONDS
        self.lines = {}  # what it executes: header -> lines
        self.functions = {}  # header -> (first line, last line) of functions that it calls

    def reaches(self, header):
        return os.path.join(INCLUDE, "fusebox", header) in self.reached

    def stamp(self, header=None, text=""):
        """What its result depends on, one header being another text."""
        changed = header and os.path.join(INCLUDE, "fusebox", header)
        return digest(*CXX, *FLAGS, *(digest(text) if path == changed else self.files.file(path)[0] for path in self.reached))


def all_programs():
    files = Files()
    sources = []
    for folder, folders, names in os.walk(TESTS):
        folders.sort()
        is_static = os.path.relpath(folder, TESTS) == "static"
        sources += [os.path.join(folder, name) for name in sorted(names)
                    if name.endswith(".test.cpp") or (is_static and name.endswith(".cpp"))]  # fmt: skip
    return [Program(source, files) for source in sources]


class Builder:
    """Compiles and runs programs in folders of its own, one per worker."""

    def __init__(self):
        os.makedirs(BUILD, exist_ok=True)
        look = [*CXX, *FLAGS, "-fsyntax-only", "-include", "catch2/catch_all.hpp", "-x", "c++", "/dev/null"]
        self.has_catch3 = run(look, 60)[0] == 0
        self.main = os.path.join(BUILD, "catch_main.o")
        self.prefix = os.path.join(BUILD, "prefix.hpp")

    def prepare(self):
        """Catch2, compiled once, and it and the standard headers as a precompiled header."""
        wanted = digest(read(os.path.join(TESTS, "catch.hpp")), *CXX, *FLAGS, run([*CXX, "--version"], 60)[1])
        stamp = os.path.join(BUILD, "prepared")
        if os.path.exists(stamp) and read(stamp) == wanted:
            return
        with open(self.prefix, "w", encoding="utf-8") as file:
            file.write(f'#include "{TESTS}/catch.hpp"\n' + "".join(f"#include <{name}>\n" for name in STANDARD))
        steps = [[*CXX, *FLAGS, "-x", "c++-header", self.prefix, "-o", self.prefix + ".gch"]]
        if not self.has_catch3:
            steps.append([*CXX, *FLAGS, "-c", os.path.join(TESTS, "catch_main.cpp"), "-o", self.main])
        for step in steps:
            code, output = run(step, COMPILE_SECONDS)
            if code != 0:
                raise SystemExit(f"{' '.join(step)}\n{output}")
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(wanted)

    def link(self, program, thing, into, *flags):
        catch = ["-lCatch2Main", "-lCatch2"] if self.has_catch3 else [self.main]
        return run([*CXX, *flags, thing, *catch, *program.libraries, "-o", into], COMPILE_SECONDS)

    def attempt(self, program, folder, overlay=None):
        """(KILLED, SURVIVED or UNCOMPILED, why)"""
        first = ["-I", overlay] if overlay else []
        if program.is_static:
            code, output = run([*CXX, *first, *FLAGS, "-fsyntax-only", program.source], COMPILE_SECONDS)
            return (SURVIVED, "") if code == 0 else self.uncompiled(output)
        thing, binary = os.path.join(folder, "test.o"), os.path.join(folder, "test")
        flags = [*first, *FLAGS, "-include", self.prefix, *program.extra]
        code, output = run([*CXX, *flags, "-c", program.source, "-o", thing], COMPILE_SECONDS)
        if code == 0:
            code, output = self.link(program, thing, binary)
        if code is None:
            raise SystemExit(f"mutants: {program.name} was not compiled in {COMPILE_SECONDS} s")
        if code != 0:
            return self.uncompiled(output)
        code, output = run([binary, "--abort"], max(RUN_SECONDS, 10 * program.run_seconds), cwd=folder)
        return (SURVIVED, "") if code == 0 else (KILLED, "timed out" if code is None else self.why(output))

    @staticmethod
    def uncompiled(output):
        error = next((line for line in output.splitlines() if "error:" in line), output[:200])
        return (KILLED if STATIC.search(output) else UNCOMPILED), error

    @staticmethod
    def why(output):
        lines = [line for line in output.splitlines() if line.strip() and not line.startswith(("~", "-", "=", "."))]
        return " | ".join(lines[1:4])[:200]

    def cover(self, program, folder):
        """Runs it as it is: what it executes of each header, and how long it takes. None where it fails."""
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        if program.is_static:
            passes = self.attempt(program, folder)[0] == SURVIVED
            return {"seconds": 3.0, "run": 0, "lines": {}, "functions": {}} if passes else None
        begin = time.monotonic()
        thing, binary = os.path.join(folder, "test.o"), os.path.join(folder, "test")
        flags = [*FLAGS, "--coverage", *program.extra]
        code, output = run([*CXX, *flags, "-c", program.source, "-o", thing], COMPILE_SECONDS)
        if code == 0:
            code, output = self.link(program, thing, binary, "--coverage")
        built = time.monotonic()
        if code == 0:
            code, output = run([binary], 120, cwd=folder)
        ran = time.monotonic() - built
        if code != 0:
            print(f"{program.name} fails as it is:\n{output[-3000:]}")
            return None
        run(["gcov", "--json-format", "test.gcda"], 120, cwd=folder)
        lines, functions = collections.defaultdict(set), collections.defaultdict(set)
        for name in os.listdir(folder):
            if not name.endswith(".gcov.json.gz"):
                continue
            with gzip.open(os.path.join(folder, name)) as file:
                report = json.load(file)
            for covered in report["files"]:
                path = os.path.normpath(os.path.join(ROOT, covered["file"]))
                if path.startswith(INCLUDE):
                    header = os.path.relpath(path, os.path.join(INCLUDE, "fusebox"))
                    lines[header].update(line["line_number"] for line in covered["lines"] if line["count"])
                    called = [f for f in covered["functions"] if f["execution_count"]]
                    functions[header].update((f["start_line"], f["end_line"]) for f in called)
        shutil.rmtree(folder)
        return {"seconds": built - begin + ran, "run": ran,
                "lines": {header: sorted(found) for header, found in lines.items()},
                "functions": {header: sorted(found) for header, found in functions.items()}}  # fmt: skip
