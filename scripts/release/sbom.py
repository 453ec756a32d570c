"""The SBOM of a release: an SPDX 2.3 document in JSON (https://spdx.github.io/spdx-spec/v2.3/)."""

import hashlib
import re
import uuid

LICENSES = {"MIT License": "MIT"}
TYPES = {
    ("hpp", "cpp", "cppm", "inl", "py", "sh", "cmake", "js", "in"): "SOURCE",
    ("md", "html"): "DOCUMENTATION",
    ("svg", "png"): "IMAGE",
    ("txt", "json", "toml", "yml", "yaml"): "TEXT",
}


def hexdigest(kind, data):
    return hashlib.new(kind, data).hexdigest()


def checksums(data):
    return [
        {"algorithm": name, "checksumValue": hexdigest(name.lower(), data)} for name in ("SHA1", "SHA256")
    ]


def verification_code(files):
    """SPDX 2.3, 7.9.4: the SHA-1 of the sorted SHA-1s of all files but the excluded ones."""
    return hexdigest("sha1", "".join(sorted(hexdigest("sha1", data) for _, data in files)).encode())


def type_of(name):
    suffix = name.rpartition(".")[2]
    return next((kind for suffixes, kind in TYPES.items() if suffix in suffixes), "OTHER")


def license_of(files):
    """(the SPDX identifier, the copyright) of LICENSE."""
    text = dict(files)["LICENSE"].decode()
    return LICENSES[text.splitlines()[0].strip()], re.search(r"^Copyright .+$", text, re.M).group()


def fmt_requirement(files):
    """The versions of fmt that the library needs, as its file for pkg-config says."""
    return re.search(r"^Requires: fmt (.+)$", dict(files)["cmake/fusebox.pc.in"].decode(), re.M).group(1)


def document(version, date, files, own_name):
    """The document about these (name, bytes); own_name is where it will stand among them."""
    identifier, owner = license_of(files)
    code = verification_code(files)
    created = f"{date}T00:00:00Z"
    library, fmt = "SPDXRef-Package-fusebox", "SPDXRef-Package-fmt"
    listed = []
    for number, (name, data) in enumerate(files, 1):
        listed.append(
            {
                "SPDXID": f"SPDXRef-File-{number}",
                "fileName": f"./{name}",
                "fileTypes": [type_of(name)],
                "checksums": checksums(data),
                "licenseConcluded": identifier,
                "licenseInfoInFiles": [identifier if name == "LICENSE" else "NOASSERTION"],
                "copyrightText": owner if name == "LICENSE" else "NOASSERTION",
            }
        )
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"fusebox-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/fusebox-{version}-{uuid.uuid5(uuid.NAMESPACE_URL, code)}",
        "creationInfo": {"created": created, "creators": ["Organization: fusebox contributors", "Tool: release.sh"]},
        "packages": [
            {
                "SPDXID": library,
                "name": "fusebox",
                "versionInfo": version,
                "supplier": "Organization: fusebox contributors",
                "downloadLocation": "NOASSERTION",
                "packageFileName": f"fusebox-{version}.tar.gz",
                "filesAnalyzed": True,
                "packageVerificationCode": {
                    "packageVerificationCodeValue": code,
                    "packageVerificationCodeExcludedFiles": [f"./{own_name}"],
                },
                "licenseConcluded": identifier,
                "licenseDeclared": identifier,
                "licenseInfoFromFiles": [identifier],
                "copyrightText": owner,
                "summary": "Circuit breakers, retry with backoff and API errors for C++20, header-only",
                "primaryPackagePurpose": "LIBRARY",
                "releaseDate": created,
            },
            {
                "SPDXID": fmt,
                "name": "fmt",
                "versionInfo": fmt_requirement(files),
                "supplier": "NOASSERTION",
                "downloadLocation": "https://github.com/fmtlib/fmt",
                "filesAnalyzed": False,
                "licenseConcluded": "NOASSERTION",
                "licenseDeclared": "MIT",
                "copyrightText": "NOASSERTION",
                "comment": "Not in the archive: whoever builds with fusebox has it installed, or CMake fetches it.",
                "externalRefs": [
                    {
                        "referenceCategory": "PACKAGE-MANAGER",
                        "referenceType": "purl",
                        "referenceLocator": "pkg:github/fmtlib/fmt",
                    }
                ],
            },
        ],
        "files": listed,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": library},
            {"spdxElementId": library, "relationshipType": "DEPENDS_ON", "relatedSpdxElement": fmt},
            *(
                {"spdxElementId": library, "relationshipType": "CONTAINS", "relatedSpdxElement": one["SPDXID"]}
                for one in listed
            ),
        ],
    }
