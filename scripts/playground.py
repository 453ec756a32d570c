#!/usr/bin/env python3
"""Builds the playground into build/playground, with Emscripten, and serves it on loopback.

scripts/playground.py [--no-serve] [--port N] [--jobs N]

The folder then holds index.html and all that it loads. It also works when index.html is opened as a file.
"""

import argparse
import concurrent.futures
import functools
import glob
import http.server
import json
import os
import shutil
import sys

sys.dont_write_bytecode = True

from compilers import MODES, Emscripten, Failed, must, read, warnings  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STORM = os.path.join(ROOT, "storm")
OUT = os.path.join(ROOT, "build", "playground")
OBJECTS = os.path.join(ROOT, "build", "playground-objects")

# The core without the program and the report.
CORE = "check config_json pipeline scenario_json simulation playground/wasm".split()
PAGE = ("index.html", "playground.css", "settings.js", "picture.js", "run.js", "app.js")
WEB = ("style.css", "charts.js")

COMPILE = ["-O2", "-fwasm-exceptions"]
LINK = [
    "-sSINGLE_FILE=1",  # a page that is opened as a file may not load a .wasm
    "-sMODULARIZE=1",
    "-sEXPORT_NAME=createStorm",
    "-sENVIRONMENT=web,node",
    "-sALLOW_MEMORY_GROWTH=1",
    "-sEXPORTED_RUNTIME_METHODS=cwrap",
    "-sFILESYSTEM=0",
    "--no-entry",
]


def newest(*patterns):
    files = [path for pattern in patterns for path in glob.glob(os.path.join(ROOT, pattern), recursive=True)]
    return max(os.path.getmtime(path) for path in files if os.path.isfile(path))


def compile_core(emscripten, jobs):
    target = os.path.join(OUT, "storm.js")
    sources = ("include/**", "storm/*.?pp", "storm/playground/*.?pp", "scripts/playground.py")
    if os.path.exists(target) and os.path.getmtime(target) > newest(*sources):
        return
    os.makedirs(OBJECTS, exist_ok=True)
    # Emscripten finds acorn only where Debian's own Node looks for packages.
    paths = [os.environ.get("NODE_PATH", ""), "/usr/share/nodejs", "/usr/lib/nodejs"]
    environment = {**os.environ, "NODE_PATH": os.pathsep.join(filter(None, paths))}
    launcher = [path] if (path := shutil.which("ccache")) else []
    # The library's headers are compiled with warnings by compilers.py.
    includes = ["-isystem", f"{ROOT}/include", "-isystem", emscripten.include, "-DFMT_HEADER_ONLY"]

    def compiled(name):
        target = os.path.join(OBJECTS, name.replace("/", "_") + ".o")
        options = [*MODES["c++20"], *warnings(), *COMPILE, *includes]
        must([*launcher, "em++", *options, "-c", f"{STORM}/{name}.cpp", "-o", target], env=environment)
        return target

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        objects = list(pool.map(compiled, CORE))
    must(["em++", *COMPILE, *LINK, *objects, "-o", target], env=environment)


def presets():
    """The scenarios, each with the pipelines that it compares."""
    shared = json.loads(read(os.path.join(STORM, "scenarios", "pipelines.json")))
    scenarios = []
    for path in sorted(glob.glob(os.path.join(STORM, "scenarios", "*.json"))):
        scenario = json.loads(read(path))
        if isinstance(scenario, list):
            continue
        if scenario.get("pipelines", "default") == "default":
            scenario["pipelines"] = shared
        scenarios.append(scenario)
    return scenarios


def build(jobs):
    emscripten = Emscripten()
    missing = [header for header in ("fmt/format.h", "nlohmann/json.hpp") if not emscripten.command or not emscripten.has(header)]
    if not emscripten.command or missing:
        raise Failed(emscripten.absent if not emscripten.command else f"absent: no {' and no '.join(missing)} here")
    os.makedirs(OUT, exist_ok=True)
    compile_core(emscripten, jobs)
    for name in PAGE:
        shutil.copyfile(os.path.join(STORM, "playground", name), os.path.join(OUT, name))
    for name in WEB:
        shutil.copyfile(os.path.join(STORM, "web", name), os.path.join(OUT, name))
    with open(os.path.join(OUT, "presets.js"), "w", encoding="utf-8") as file:
        file.write(f"const PRESETS = {json.dumps(presets(), ensure_ascii=True)};\n")
        file.write('if (typeof module === "object") module.exports = PRESETS;\n')


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_):
        pass


def server(port=0):
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=OUT))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-serve", action="store_true", help="only build")
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    try:
        build(options.jobs)
    except Failed as failure:
        print(f"playground: {failure}", file=sys.stderr)
        return 1
    print(f"playground: built {os.path.relpath(OUT, ROOT)}/index.html", flush=True)
    if options.no_serve:
        return 0
    try:
        serving = server(options.port)
    except OSError:  # the port is taken
        serving = server()
    with serving:
        print(f"playground: http://127.0.0.1:{serving.server_address[1]}/ (Ctrl-C ends it)", flush=True)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
