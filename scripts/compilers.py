#!/usr/bin/env python3
"""Compiles the headers and runs tests with every compiler, standard and mode that the library promises.

scripts/compilers.py [--ci] [--strict] [--jobs N] [--list] [CELL...]

A cell is a compiler with C++20, with C++23, without exceptions or without RTTI; Emscripten's has C++20 alone, and
its programs run under Node. In each of them every door in include/fusebox/, the fake clock and the cpp-httplib
adapter compile by themselves, with our warnings as errors, and programs are built and run: those of tests/reduced
and, with C++20 or C++23, TESTS below. In C++20 the wrong uses of tests/compile_fail must not compile either; without
exceptions those of no_exceptions.cpp. In C++20 the single header compiles too, and a clang from version 16 on builds
the C++20 module and a program that imports it.
CELL chooses those whose name contains it. --ci takes the few that CI has time for, and leaves out what ctest does
there with the system's compiler: every header by itself, its wrong uses, and the single header; --strict makes an
absent compiler an error; --list only says which are present. Needs fmt, and for TESTS the single header of Catch2 2:
nothing is linked but what is built here, since the system's libraries are built for one standard library only.
"""

import argparse
import concurrent.futures
import os
import re
import resource
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "compilers")
INCLUDE = os.path.join(ROOT, "include", "fusebox")
TESTS = """
    chaos circuit_breaker/events circuit_breaker/execute detail/number_text failure/outcome health hedge/run http metrics
    registry/eviction retry/cancellation retry/waits throttle/pipelines
""".split()

# Name, command, major version, options.
COMPILERS = (
    ("g++-12", "g++", 12, []),
    ("clang-14", "clang++", 14, []),
    ("clang-19", "clang++", 19, []),
    ("clang-19-libc++", "clang++", 19, ["-stdlib=libc++"]),
    ("clang-19-libc++-experimental", "clang++", 19, ["-stdlib=libc++", "-fexperimental-library"]),
)
MODES = {
    "c++20": ["-std=c++20"],
    "c++23": ["-std=c++2b"],  # as clang 14 calls it
    "no-exceptions": ["-std=c++20", "-fno-exceptions"],
    "no-rtti": ["-std=c++20", "-fno-rtti"],
}
CI = ("g++-12 c++20", "clang-19-libc++ c++20", "g++-12 no-exceptions", "g++-12 no-rtti")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def names_in(folder, pattern):
    found = (re.fullmatch(pattern, name) for name in sorted(os.listdir(os.path.join(ROOT, folder))))
    return [match.group(1) for match in found if match]


def warnings():
    text = read(os.path.join(ROOT, "cmake", "FuseboxWarnings.cmake"))
    return re.search(r"INTERFACE (-Wall [^)]*)\)", text).group(1).split()


def run(command, **options):
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False, **options
    )


class Failed(Exception):
    pass


def must(command, **options):
    result = run(command, **options)
    if result.returncode != 0:
        raise Failed(f"{' '.join(command)}\n{result.stdout}")


class Compiler:
    modes = tuple(MODES)
    threads = ["-pthread"]
    linking = []
    runner = []  # the command that runs a program
    suffix = ""  # of a program
    checks_wrong_uses = True
    builds_modules = False
    absent = "absent"

    def __init__(self, name, command, major, options):
        self.name = name
        self.builds_modules = command == "clang++" and major >= 16
        self.launcher = [path] if (path := shutil.which("ccache")) else []
        self.command = None
        for candidate in (f"{command}-{major}", command):
            if shutil.which(candidate) and run([candidate, "-dumpversion"]).stdout.split(".")[0].strip() == str(major):
                self.command = [candidate, *options]
                break
        if self.command and not self.compiles("#include <version>\n"):
            self.command = None  # its standard library is absent

    def compiles(self, text, options=()):
        command = [*self.command, "-std=c++20", *options, "-fsyntax-only", "-x", "c++", "-"]
        return run(command, input=text).returncode == 0

    def has(self, header):
        return self.compiles(f"#if !__has_include(<{header}>)\n#error absent\n#endif\n")

    def has_catch(self):
        """The header that needs no library beside it; tests/catch.hpp prefers Catch2 3, which does."""
        return self.has("catch2/catch.hpp") and not self.has("catch2/catch_all.hpp")

    def has_stop_token(self):
        return self.compiles("#include <version>\n#ifndef __cpp_lib_jthread\n#error absent\n#endif\n")


class Emscripten:
    """em++ and Node; the only headers beside its own are links to those of the libraries below."""

    name = "emscripten"
    modes = ("c++20",)
    threads = []
    # One file, since the loader of Emscripten 3.1.6 gives the name of a second one to Node's fetch(), which takes URLs.
    linking = ["-sSINGLE_FILE=1", "-sEXIT_RUNTIME=1"]
    runner = ["node"]
    suffix = ".js"
    checks_wrong_uses = False  # its compiler is clang 14
    builds_modules = False
    launcher = []
    libraries = ("fmt/format.h", "catch2/catch.hpp", "nlohmann/json.hpp")

    def __init__(self):
        self.command = None
        missing = [name for name in ("em++", "node") if not shutil.which(name)]
        self.absent = f"absent: no {' and no '.join(missing)} here"
        if not missing:
            self.include = os.path.join(BUILD, self.name, "include")
            self.found = [header for header in self.libraries if self.link_to(header)]
            self.command = ["em++", "-fexceptions", "-isystem", self.include]

    def link_to(self, header):
        """Makes the folder of a header that the system's compiler finds visible to em++, which must not see others."""
        listed = run(["c++", "-E", "-x", "c++", "-"], input=f"#include <{header}>\n").stdout
        path = re.search(rf'^# \d+ "(/[^"]*)/{header}"', listed, re.M)
        if not path:
            return False
        folder = os.path.dirname(header)
        os.makedirs(self.include, exist_ok=True)
        link = os.path.join(self.include, folder)
        if not os.path.exists(link):
            os.symlink(os.path.join(path.group(1), folder), link)
        return True

    def has(self, header):
        return header in self.found

    def has_catch(self):
        return self.has("catch2/catch.hpp")

    def has_stop_token(self):
        return False


class Cell:
    """One compiler in one mode; jobs() are what it has to do, each of which raises Failed where it fails."""

    def __init__(self, compiler, mode, in_ci=False):
        self.compiler, self.mode, self.in_ci = compiler, mode, in_ci
        self.name = f"{compiler.name} {mode}"
        self.folder = os.path.join(BUILD, self.name.replace(" ", "-"))
        self.seconds, self.count, self.failures, self.left_out = 0.0, 0, 0, 0

    def options(self):
        includes = [f"-I{ROOT}/include", f"-I{ROOT}/tests"]
        return [*MODES[self.mode], *warnings(), *includes, "-DFMT_HEADER_ONLY", *self.compiler.threads]

    def header(self, name):
        command = [*self.compiler.command, *self.options(), "-fsyntax-only", "-x", "c++", "-"]
        must(command, input=f"#include <fusebox/{name}>\n")

    def object(self, source, folder=None):
        folder = folder or self.folder
        os.makedirs(folder, exist_ok=True)
        target = os.path.join(folder, re.sub(r"\W", "_", source) + ".o")
        must([*self.compiler.launcher, *self.compiler.command, *self.options(), "-c", os.path.join(ROOT, source), "-o", target])
        return target

    def program(self, source, *objects):
        target = self.object(source)
        program = target[: -len(".o")] + self.compiler.suffix
        must([*self.compiler.command, *self.compiler.threads, *self.compiler.linking, target, *objects, "-o", program])
        must([*self.compiler.runner, program], timeout=300)

    def catch_main(self):
        return os.path.join(BUILD, self.compiler.name, "tests_catch_main_cpp.o")

    def make_catch_main(self):
        self.object("tests/catch_main.cpp", os.path.dirname(self.catch_main()))

    def wrong_uses(self, name):
        check, source = (os.path.join(ROOT, "tests", "compile_fail", file) for file in ("check.py", f"{name}.cpp"))
        must([sys.executable, check, source, *self.compiler.command, *MODES[self.mode], f"-I{ROOT}/include"])

    def module(self):
        check = os.path.join(ROOT, "tests", "package", "check_module.py")
        must([sys.executable, "-B", check, os.path.join(self.folder, "module"), "", *self.compiler.command])

    def single_header(self):
        header = os.path.join(self.folder, "single", "fusebox.hpp")
        must([sys.executable, "-B", os.path.join(ROOT, "scripts", "single_header.py"), header])
        name = "doors.cpp" if self.compiler.has("coroutine") else "main.cpp"
        source = os.path.join(ROOT, "tests", "package", "single_header", name)
        must([*self.compiler.command, *self.options(), f"-I{os.path.dirname(header)}", "-fsyntax-only", source])

    def jobs(self):
        doors = r"((?:fusebox|ostream)\.hpp)" if self.in_ci else r"(.+\.hpp)"
        headers = names_in("include/fusebox", doors) + ["test/fake_clock.hpp"]
        if self.compiler.has("httplib.h"):
            headers.append("adapters/httplib.hpp")
        yield from ((name, self.header, (name,)) for name in headers)

        exceptions = self.mode != "no-exceptions"

        def possible(source):
            threads = r"^(?!\s*//).*(std::(stop_token|stop_source|jthread)|support/(threads|bulkhead))"
            if self.compiler.has_stop_token() or not re.search(threads, read(os.path.join(ROOT, source)), re.M):
                return True
            self.left_out += 1
            return False

        for name in names_in("tests/reduced", r"(\w+)\.cpp"):
            source = f"tests/reduced/{name}.cpp"
            if name != ("aborts" if exceptions else "exceptions") and possible(source):
                yield source, self.program, (source,)

        checks_wrong_uses = self.compiler.checks_wrong_uses and not (self.in_ci and self.name == "g++-12 c++20")
        for name in names_in("tests/compile_fail", r"(\w+)\.cpp") if checks_wrong_uses else ():
            if self.mode != ("no-exceptions" if name == "no_exceptions" else "c++20"):
                continue
            if possible(f"tests/compile_fail/{name}.cpp"):
                yield f"compile_fail/{name}", self.wrong_uses, (name,)
        if self.mode == "c++20" and self.compiler.builds_modules:
            yield "the module", self.module, ()
        if self.mode == "c++20" and not (self.in_ci and self.name == "g++-12 c++20"):
            yield "the single header", self.single_header, ()
        if self.mode.startswith("c++") and self.compiler.has_catch():
            for name in TESTS:
                source = f"tests/unit/{name}.test.cpp"
                if possible(source):
                    yield source, self.program, (source, self.catch_main())

    def do(self, job):
        what, function, arguments = job
        start = time.monotonic()
        try:
            function(*arguments)
            failure = None
        except (Failed, subprocess.TimeoutExpired) as error:
            failure = f"--- {self.name}: {what}\n{error}"
        return self, time.monotonic() - start, failure


def work(cells, jobs):
    """Does all that the cells have to do, and tells each failure when it comes."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:

        def all_of(tasks):
            running = [pool.submit(cell.do, job) for cell, job in tasks]
            for one in concurrent.futures.as_completed(running):
                cell, seconds, failure = one.result()
                cell.seconds += seconds
                cell.count += 1
                if failure:
                    cell.failures += 1
                    print(failure, flush=True)

        first = {cell.compiler.name: cell for cell in cells if cell.mode.startswith("c++")}
        with_catch = [cell for cell in first.values() if cell.compiler.has_catch()]
        if len(with_catch) < len(first):
            print("without the single header of Catch2 2: TESTS are left out")
        all_of((cell, ("Catch2's main", cell.make_catch_main, ())) for cell in with_catch)
        all_of((cell, job) for cell in cells for job in cell.jobs())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true")
    parser.add_argument("cells", nargs="*")
    options = parser.parse_args()

    compilers = [*(Compiler(*one) for one in COMPILERS), Emscripten()]
    cells = [Cell(compiler, mode, options.ci) for compiler in compilers for mode in compiler.modes]
    if options.ci:
        cells = [cell for cell in cells if cell.name in CI]
    if options.cells:
        cells = [cell for cell in cells if any(part in cell.name for part in options.cells)]
    if not cells:
        parser.error("no such cell: see --list")
    start = time.monotonic()
    present = [cell for cell in cells if cell.compiler.command]
    if not present and not options.list:
        parser.error("none of these compilers is here")
    if not options.list:
        work(present, options.jobs)

    failed = False
    width = max(len(cell.name) for cell in cells)
    for cell in cells:
        if cell not in present:
            text, failed = cell.compiler.absent, failed or options.strict
        elif options.list:
            text = " ".join(cell.compiler.command)
        else:
            verdict = f"FAILED {cell.failures}" if cell.failures else "ok"
            if cell.left_out:
                verdict += f", {cell.left_out} left out: no <stop_token>"
            text, failed = f"{cell.count:3} jobs {cell.seconds:6.1f} s  {verdict}", failed or cell.failures > 0
        print(f"{cell.name:{width}}  {text}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{time.monotonic() - start:.0f} s, of which {used.ru_utime + used.ru_stime:.0f} s of processor time")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
