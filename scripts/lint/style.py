"""Format and names."""

import os
import re
import subprocess
import tempfile

from lint import cpp, tools

FORMAT = 19  # another version formats differently


def clang_format(tree):
    path = tools.find(f"clang-format-{FORMAT}", "clang-format")
    if path and re.search(rf"version {FORMAT}\.", tools.run(tree, [path, "--version"]).stdout):
        return path
    return None


def formatted(tree):
    return tree.files("include", "tests", "examples", "benchmarks", "storm")


def fix_format(tree):
    path = clang_format(tree)
    if path:
        subprocess.run([path, "-i", *formatted(tree)], check=True, cwd=tree.root)


def check_format(tree):
    """the sources are formatted by clang-format 19 with .clang-format"""
    path = clang_format(tree)
    if not path:
        return tools.missing(f"clang-format {FORMAT}")
    result = tools.run(tree, [path, "--dry-run", *formatted(tree)])
    wrong = {}
    for file, line in re.findall(r"^(\S+?):(\d+):\d+: warning: ", result.stderr, re.M):
        wrong.setdefault(file, {})[line] = None
    problems = [f"{file}: not formatted (lines {', '.join(lines)}): make format" for file, lines in wrong.items()]
    if result.returncode != 0 and not problems:
        problems.append(f"clang-format: {result.stderr}")
    return problems


def check_names(tree):
    """names are as .clang-tidy asks, and clang-tidy finds no bug that it knows"""
    problems = list(concepts(tree))
    path = tools.find("clang-tidy-14", "clang-tidy")
    if not path:
        return problems + tools.missing("clang-tidy")
    folders = tools.folders(tree)
    names = [header for header in tree.headers if available(tree, header, folders)]
    for door in sorted({tree.door(header) for header in tree.headers if header not in names}):
        problems += tools.missing(f"the library of {tree.path(door)}")
    # Asio and Boost.Asio do not fit into one source file.
    apart = [header for header in names if header == "adapters/boost_asio"]
    units = [[header for header in names if header not in apart], *([header] for header in apart)]
    # Asio 1.22 and Boost 1.74 do not know that clang has coroutines.
    options = ["-std=c++20", "-DASIO_HAS_CO_AWAIT=1", "-DBOOST_ASIO_HAS_CO_AWAIT=1", f"-I{tree.root}/include", *folders]
    output, stderr, failed = "", "", False
    with tempfile.TemporaryDirectory() as work:
        for number, headers in enumerate(units):
            unit = os.path.join(work, f"headers_{number}.cpp")
            with open(unit, "w", encoding="utf-8") as file:
                file.write("".join(f"#include <fusebox/{header}.hpp>\n" for header in headers))
            config = f"--config-file={tree.root}/.clang-tidy"
            result = tools.run(tree, [path, "--quiet", config, unit, "--", *options])
            output += result.stdout
            failed = failed or result.returncode != 0
            stderr += result.stderr
    found = sorted(set(re.findall(r"^(\S+):(\d+):\d+: (?:warning|error): (.*)$", output, re.M)))
    # If the code does not compile, clang-tidy guesses at the rest.
    errors = [one for one in found if "clang-diagnostic-error" in one[2]]
    for file, line, text in errors or found:
        problems.append(f"{os.path.relpath(file, tree.root)}:{line}: {text}")
    if failed and not found:
        problems.append(f"clang-tidy: {output}{stderr}")
    return problems


def concepts(tree):
    """clang-tidy 14 knows no concepts."""
    for header in tree.headers:
        for one in cpp.declarations(tree.text(tree.path(header))):
            if one.kind == "concept" and not re.fullmatch(r"([A-Z][a-z0-9]*)+", one.name):
                yield f"{tree.path(header)}:{one.line}: invalid case style for concept '{one.name}'"


def available(tree, header, folders):
    """Is what an adapter includes installed? Other mistakes in it are for clang-tidy."""
    if not header.startswith("adapters/"):
        return True
    return tools.compile_headers(tree, [header], ["-M", *folders]).returncode == 0
