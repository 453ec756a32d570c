#!/usr/bin/env python3
"""Turns a checkout into a release: scripts/release/prepare.py VERSION DATE

Cuts the open section of CHANGELOG.md, writes the version wherever it stands, and takes the API as the new base.
Prints the section: the notes of the release. Changes nothing and says why if the release cannot be made.
"""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "scripts"))

from lint import api  # noqa: E402
from lint.tree import Tree  # noqa: E402

OPEN = re.compile(r"^## (?:\[Unreleased\]|\[(\d+\.\d+\.\d+)\] - unreleased)[ \t]*\n", re.M | re.I)
# (file, what stands there, what is written). VERSION is 1.2.3, SERIES 1.2.
PLACES = (
    ("include/fusebox/version.hpp", r"(#define FUSEBOX_VERSION_MAJOR )\d+", "MAJOR"),
    ("include/fusebox/version.hpp", r"(#define FUSEBOX_VERSION_MINOR )\d+", "MINOR"),
    ("include/fusebox/version.hpp", r"(#define FUSEBOX_VERSION_PATCH )\d+", "PATCH"),
    ("include/fusebox/version.hpp", r'(#define FUSEBOX_VERSION_STRING ")[\d.]+', "VERSION"),
    ("include/fusebox/version.hpp", r'(// FUSEBOX_VERSION_STRING +")[\d.]+', "VERSION"),
    ("meson.build", r"(\bversion\s*:\s*')\d+\.\d+\.\d+", "VERSION"),
    ("README.md", r"(find_package\(fusebox )\d+\.\d+", "SERIES"),
    ("docs/comparison.md", r"(\| fusebox )\d+\.\d+", "SERIES"),
    ("docs/packages.md", r"(find_package\(fusebox )\d+\.\d+", "SERIES"),
    ("docs/packages.md", r"(fusebox-dev_)\d+\.\d+\.\d+", "VERSION"),
    ("VERSIONING.md", r"(find_package\(fusebox )\d+\.\d+", "SERIES"),
    ("cmake/FuseboxInstall.cmake", r"(find_package\(fusebox )\d+\.\d+", "SERIES"),
    ("packaging/vcpkg/ports/fusebox/vcpkg.json", r'("version": ")\d+\.\d+\.\d+', "VERSION"),
)


def fail(text):
    sys.exit(f"release: {text}")


def numbers(version):
    return tuple(int(part) for part in version.split("."))


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def check_version(version, current, named):
    if named and named != version:
        fail(f"the open section of CHANGELOG.md is that of {named}, not of {version}")
    if numbers(version) < numbers(current) or (version == current and not named):
        fail(f"{version} does not follow {current}")


def check_api(tree, version, current):
    """What has gone or changed may break users: not in a patch release, from 1.0 on not in a minor one either."""
    old, new = numbers(current), numbers(version)
    compatible = new[:2] == old[:2] if new[0] == 0 else new[0] == old[0]
    if not compatible or version == current:
        return
    broken = [line for _, went, _ in api.changed(tree.text(api.BASE), api.render(tree)) for line in went]
    if broken:
        listed = "".join(f"\n  - {line}" for line in broken)
        fail(f"{version} may only add to the public API of {current}, from which this has gone or changed:{listed}")


def cut(changelog, version, date):
    """(the changelog with a section of this release and an empty open one, the section)."""
    match = OPEN.search(changelog)
    end = re.compile(r"^## ", re.M).search(changelog, match.end())
    section = changelog[match.end() : end.start() if end else len(changelog)]
    if not api.entries(section):
        fail("the open section of CHANGELOG.md has no entry")
    head = f"## [Unreleased]\n\n## [{version}] - {date}\n"
    return changelog[: match.start()] + head + changelog[match.end() :], section.strip() + "\n"


def main(version, date):
    changelog = read("CHANGELOG.md")
    section = OPEN.search(changelog)
    if not section:
        fail("CHANGELOG.md has no open section: ## [Unreleased]")
    current = re.search(r'FUSEBOX_VERSION_STRING "([\d.]+)"', read("include/fusebox/version.hpp")).group(1)
    check_version(version, current, section.group(1))
    check_api(Tree(ROOT), version, current)
    texts = {}
    texts["CHANGELOG.md"], notes = cut(changelog, version, date)
    major, minor, patch = version.split(".")
    values = {"MAJOR": major, "MINOR": minor, "PATCH": patch, "VERSION": version, "SERIES": f"{major}.{minor}"}
    for path, pattern, value in PLACES:
        text, count = re.subn(pattern, rf"\g<1>{values[value]}", texts.get(path) or read(path), flags=re.M)
        if not count:
            fail(f"{path}: nothing to replace by {value}: {pattern}")
        texts[path] = text
    for path, text in texts.items():
        with open(os.path.join(ROOT, path), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    tree = Tree(ROOT)
    now = api.render(tree)
    for path, text in ((api.NOW, now), (api.BASE, api.render_base(now, version, texts["CHANGELOG.md"]))):
        with open(os.path.join(ROOT, path), "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    print(notes, end="")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
