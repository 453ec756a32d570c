#!/usr/bin/env python3
"""The files of a release: scripts/release/archive.py TREE.tar VERSION OUT [SINGLE_HEADER]

From what `git archive` gives of the release: OUT/fusebox-VERSION.tar.gz, in which everything has the time of the
release, one owner and one order, so that the same sources give the same bytes; its SBOM, in the archive and
beside it; the single header, if any; SHA256SUMS of these.
"""

import datetime
import gzip
import hashlib
import io
import json
import os
import re
import sys
import tarfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import sbom  # noqa: E402

SBOM = "fusebox.spdx.json"


def contents(path):
    """(name, whether it can be executed, link or None, bytes) of each file, in order."""
    found = []
    with tarfile.open(path) as tar:
        for member in tar:
            if member.issym():
                found.append((member.name, False, member.linkname, b""))
            elif member.isfile():
                found.append((member.name, bool(member.mode & 0o100), None, tar.extractfile(member).read()))
    return sorted(found)


def date_of(files, version):
    """The day of the release, as the changelog says."""
    changelog = next((data for name, _, _, data in files if name == "CHANGELOG.md"), b"").decode()
    match = re.search(rf"^## \[{re.escape(version)}\] - (\d{{4}}-\d\d-\d\d)$", changelog, re.M)
    if not match:
        sys.exit(f"release: CHANGELOG.md has no dated section for {version}")
    return match.group(1)


def archive(files, version, date):
    """The bytes of the compressed archive."""
    time = int(datetime.datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp())
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, executable, link, data in files:
            member = tarfile.TarInfo(f"fusebox-{version}/{name}")
            member.mtime, member.mode = time, 0o755 if executable else 0o644
            member.uname = member.gname = "root"
            if link is not None:
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, link, 0o777
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=packed, mode="wb", compresslevel=9, mtime=time) as file:
        file.write(raw.getvalue())
    return packed.getvalue()


def main(tree, version, out, single=None):
    files = contents(tree)
    date = date_of(files, version)
    document = sbom.document(version, date, [(name, data) for name, _, link, data in files if link is None], SBOM)
    text = (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
    made = {
        f"fusebox-{version}.tar.gz": archive(sorted([*files, (SBOM, False, None, text)]), version, date),
        f"fusebox-{version}.spdx.json": text,
    }
    if single:
        with open(single, "rb") as file:
            made[f"fusebox-{version}.hpp"] = file.read()
    for name, data in made.items():
        with open(os.path.join(out, name), "wb") as file:
            file.write(data)
    with open(os.path.join(out, "SHA256SUMS"), "w", encoding="utf-8") as sums:
        for name, data in sorted(made.items()):
            sums.write(f"{hashlib.sha256(data).hexdigest()}  {name}\n")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:])
