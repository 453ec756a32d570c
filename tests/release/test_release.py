#!/usr/bin/env python3
"""L11 L12 scripts/release.sh in a repository of its own: what it makes, and what it refuses."""

import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import spdx  # noqa: E402

ENTRY = "- An entry about `no_timeout`.\n"
IDENTITY = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{f"GIT_{who}_NAME": "Tester" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "tester@example.org" for who in ("AUTHOR", "COMMITTER")},
}


def sources():
    """The files of this checkout: those that git knows or would add; all but build/ if it is no repository."""
    known = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    if known.returncode == 0 and known.stdout:
        return sorted({name for name in known.stdout.decode().split("\0") if name})
    return sorted(
        os.path.relpath(os.path.join(folder, name), ROOT)
        for folder, folders, names in os.walk(ROOT)
        if not folders.__setitem__(slice(None), [one for one in folders if one not in ("build", ".git", "__pycache__")])
        for name in names
    )


class Release(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.repository = os.path.join(cls.folder.name, "repository")
        for name in sources():
            path = os.path.join(cls.repository, name)
            if os.path.lexists(os.path.join(ROOT, name)):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                shutil.copy(os.path.join(ROOT, name), path, follow_symlinks=False)
        cls.git("init", "--quiet", "--initial-branch=main")
        # A version that comes after that of the sources, in a changelog with an open section.
        changelog = cls.read("CHANGELOG.md")
        cls.current = re.search(r'VERSION_STRING "([\d.]+)"', cls.read("include/fusebox/version.hpp")).group(1)
        changelog = re.sub(r"^## \[Unreleased\]\n+", "", changelog, flags=re.M)
        changelog = re.sub(r"^(## \[[\d.]+\]) - unreleased$", r"\1 - 2026-01-01", changelog, flags=re.M)
        cls.changelog = re.sub(r"^## ", f"## [Unreleased]\n\n### Added\n\n{ENTRY}\n## ", changelog, count=1, flags=re.M)
        cls.write("CHANGELOG.md", cls.changelog)
        subprocess.run(
            [sys.executable, "-B", "scripts/api.py", "--write-base", cls.current], cwd=cls.repository, check=True
        )
        cls.commit("The start")
        major, minor, _ = map(int, cls.current.split("."))
        cls.next = f"{major}.{minor + 1}.0"
        cls.patch = re.sub(r"\d+$", lambda match: str(int(match.group()) + 1), cls.current)

    @classmethod
    def git(cls, *arguments):
        result = subprocess.run(
            ["git", *arguments], cwd=cls.repository, env={**os.environ, **IDENTITY}, capture_output=True, text=True, check=False
        )
        if result.returncode:
            raise AssertionError(f"git {arguments}: {result.stderr}")
        return result.stdout.strip()

    @classmethod
    def commit(cls, message):
        cls.git("add", "--all")
        cls.git("commit", "--quiet", "--message", message)

    @classmethod
    def read(cls, name):
        with open(os.path.join(cls.repository, name), encoding="utf-8") as file:
            return file.read()

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.repository, name), "w", encoding="utf-8") as file:
            file.write(text)

    def release(self, *arguments, out="out", check="true", umask=0o022, **environment):
        """(status, what it said, the folder of the files)"""
        folder = os.path.join(self.folder.name, out)
        command = ["sh", "scripts/release.sh", *arguments, "--out", folder]
        if check:
            command += ["--check", check]
        result = subprocess.run(
            command,
            cwd=self.repository,
            env={**os.environ, **IDENTITY, **environment},
            umask=umask,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout, folder

    def refuses(self, *arguments, text, check="true"):
        before = self.git("for-each-ref"), self.git("status", "--porcelain"), self.git("worktree", "list")
        status, said, _ = self.release(*arguments, check=check)
        self.assertNotEqual(status, 0, said)
        self.assertIn(text, said)
        self.assertEqual((self.git("for-each-ref"), self.git("status", "--porcelain"), self.git("worktree", "list")), before)

    def data(self, folder):
        found = {}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                found[name] = file.read()
        return found

    def undo(self, commit):
        self.git("reset", "--quiet", "--hard", commit)
        self.git("clean", "--quiet", "-fd")

    def test_a_release(self):
        """L11 L12 archive, checksums, SBOM, changelog, version and tag; the same bytes each time"""
        start = self.git("rev-parse", "HEAD")
        self.addCleanup(self.undo, start)
        arguments = self.next, "--date", "2026-12-01"

        status, said, folder = self.release(*arguments, "--dry-run", out="dry", umask=0o077, TZ="Pacific/Auckland")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.git("rev-parse", "HEAD"), start)
        self.assertEqual(self.git("tag"), "")
        self.assertEqual(self.git("status", "--porcelain"), "")
        dry = self.data(folder)

        status, said, folder = self.release(*arguments, TZ="America/Lima", LC_ALL="C")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.git("rev-parse", "HEAD^"), start)
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.assertEqual(self.git("worktree", "list").count("\n"), 0)
        files = self.data(folder)
        self.assertEqual({name: hashlib.sha256(text).digest() for name, text in files.items()},
                         {name: hashlib.sha256(text).digest() for name, text in dry.items()})

        # What the release is called, where.
        self.assertEqual(self.git("cat-file", "-t", f"v{self.next}"), "tag")
        self.assertEqual(self.git("rev-parse", f"v{self.next}^{{commit}}"), self.git("rev-parse", "HEAD"))
        message = self.git("for-each-ref", "--format=%(contents)", f"refs/tags/v{self.next}")
        self.assertEqual(message, f"fusebox {self.next}\n\n### Added\n\n{ENTRY}".strip())
        self.assertEqual(self.read("CHANGELOG.md"), self.changelog.replace(
            "## [Unreleased]\n", f"## [Unreleased]\n\n## [{self.next}] - 2026-12-01\n"))
        version = self.read("include/fusebox/version.hpp")
        for part, number in zip(("MAJOR", "MINOR", "PATCH"), self.next.split(".")):
            self.assertIn(f"#define FUSEBOX_VERSION_{part} {number}\n", version)
        self.assertIn(f'#define FUSEBOX_VERSION_STRING "{self.next}"\n', version)
        self.assertIn(f"find_package(fusebox {self.next[:-2]} REQUIRED)", self.read("README.md"))
        self.assertRegex(self.read("meson.build"), rf"version\s*:\s*'{re.escape(self.next)}'")
        self.assertIn(f'"version": "{self.next}"', self.read("packaging/vcpkg/ports/fusebox/vcpkg.json"))
        self.assertIn(f"at {self.next}, ", self.read("api/base.txt"))
        self.assertEqual(files[f"fusebox-{self.next}.md"].decode(), f"### Added\n\n{ENTRY}")

        self.check_files(files)
        # The tag alone gives the same files.
        status, said, again = self.release("--rebuild", f"v{self.next}", out="again", check="")
        self.assertEqual(status, 0, said)
        for name, text in self.data(again).items():
            self.assertEqual(hashlib.sha256(text).digest(), hashlib.sha256(files[name]).digest(), name)

        # The next one comes after it, and needs an entry.
        self.refuses(self.next, text=f"the tag v{self.next} exists")
        self.refuses(self.current, text=f"{self.current} does not follow {self.next}")
        self.refuses("99.0.0", text="has no entry")
        self.git("tag", "--delete", f"v{self.next}")

    def check_files(self, files):
        sums = files["SHA256SUMS"].decode().splitlines()
        named = [line.split("  ")[1] for line in sums]
        expected = {f"fusebox-{self.next}.tar.gz", f"fusebox-{self.next}.spdx.json", f"fusebox-{self.next}.hpp"}
        self.assertEqual(set(named), expected)
        for line in sums:
            digest, name = line.split("  ")
            self.assertEqual(hashlib.sha256(files[name]).hexdigest(), digest, name)

        contents, members = {}, []
        path = os.path.join(self.folder.name, "out", f"fusebox-{self.next}.tar.gz")
        with tarfile.open(path) as tar:
            for member in tar:
                members.append(member)
                if member.isfile():
                    contents[member.name.removeprefix(f"fusebox-{self.next}/")] = tar.extractfile(member).read()
        self.assertEqual({member.mtime for member in members}, {1796083200})  # 2026-12-01
        self.assertEqual({(member.uid, member.gid, member.uname) for member in members}, {(0, 0, "root")})
        self.assertEqual({member.mode for member in members if member.isfile()}, {0o644, 0o755})
        names = [member.name for member in members]
        self.assertEqual(names, sorted(names))
        known = set(self.git("ls-files").splitlines())
        self.assertEqual({name.removeprefix(f"fusebox-{self.next}/") for name in names}, known | {"fusebox.spdx.json"})
        self.assertEqual(contents["include/fusebox/version.hpp"].decode(), self.read("include/fusebox/version.hpp"))

        self.assertEqual(contents["fusebox.spdx.json"], files[f"fusebox-{self.next}.spdx.json"])
        self.check_sbom(json.loads(contents["fusebox.spdx.json"]), contents)

    def check_sbom(self, document, contents):
        self.assertEqual(spdx.check(document, contents), [])
        library, fmt = document["packages"]
        self.assertEqual((library["name"], library["versionInfo"], library["licenseDeclared"]), ("fusebox", self.next, "MIT"))
        self.assertEqual((fmt["name"], fmt["versionInfo"], fmt["licenseDeclared"]), ("fmt", ">= 9", "MIT"))
        depends = [one for one in document["relationships"] if one["relationshipType"] == "DEPENDS_ON"]
        self.assertEqual([(one["spdxElementId"], one["relatedSpdxElement"]) for one in depends], [(library["SPDXID"], fmt["SPDXID"])])
        # The check itself sees what is wrong.
        for spoil, text in (
            (lambda it: it.pop("dataLicense"), "dataLicense"),
            (lambda it: it["packages"][0].pop("downloadLocation"), "downloadLocation"),
            (lambda it: it["packages"][0]["packageVerificationCode"].update(packageVerificationCodeValue="0" * 40), "VerificationCode"),
            (lambda it: it["files"].pop(), "not those of the archive"),
            (lambda it: it["files"][3]["checksums"][1].update(checksumValue="0" * 64), "another SHA256"),
            (lambda it: it["files"][3].update(SPDXID=it["files"][4]["SPDXID"]), "occurs twice"),
            (lambda it: it["relationships"][1].update(relatedSpdxElement="SPDXRef-other"), "relatedSpdxElement"),
            (lambda it: it["creationInfo"].update(created="yesterday"), "created"),
            (lambda it: it["files"][0].update(licenceConcluded="MIT"), "unknown field"),
        ):
            spoilt = copy.deepcopy(document)
            spoil(spoilt)
            problems = spdx.check(spoilt, contents)
            self.assertTrue(any(text in one for one in problems), (text, problems))

    def test_what_is_refused(self):
        """L11 a wrong version, an unclean tree, a failing check"""
        self.refuses("1.2", text="1.2 is no version")
        self.refuses(self.next, "--date", "today", text="today is no date")
        self.refuses(self.next, text="not green: echo seen; false", check="echo seen; false")
        self.refuses("--rebuild", "v77.0.0", text="no tag v77.0.0", check="")
        self.refuses(text="scripts/release.sh VERSION")
        self.write("new.txt", "")
        self.refuses(self.next, text="not clean")
        os.remove(os.path.join(self.repository, "new.txt"))

    def test_a_place_without_a_version(self):
        """L11 a page that no longer names the version is refused"""
        self.addCleanup(self.undo, self.git("rev-parse", "HEAD"))
        self.write("docs/packages.md", self.read("docs/packages.md").replace("fusebox-dev_", "fusebox_"))
        self.commit("Another name of the package")
        self.refuses(self.next, text="docs/packages.md: nothing to replace by VERSION")

    def test_a_patch_only_adds(self):
        """L10 L11 a patch release that changes the public API is refused; one that adds to it is not"""
        start = self.git("rev-parse", "HEAD")
        self.addCleanup(self.undo, start)
        header = self.read("include/fusebox/timeout/stats.hpp")
        field = re.search(r"^  std::uint64_t calls = 0;.*\n", header, re.M).group()
        self.write("include/fusebox/timeout/stats.hpp", header.replace(field, ""))
        self.commit("One field less")
        self.refuses(self.patch, text="- TimeoutStats::calls: std::uint64_t calls = 0")
        self.write("include/fusebox/timeout/stats.hpp", header.replace(field, field + "  int more = 0;\n"))
        self.write("CHANGELOG.md", self.changelog.replace(ENTRY, ENTRY + "- `TimeoutStats::more`.\n"))
        self.commit("One field more")
        status, said, _ = self.release(self.patch, "--dry-run", out="patch")
        self.assertEqual(status, 0, said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
