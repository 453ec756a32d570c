"""What SPDX 2.3 asks of a document in JSON, and of its claims about files; knows nothing of who wrote it."""

import hashlib
import re

ID = re.compile(r"SPDXRef-[A-Za-z0-9.\-]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
CREATOR = re.compile(r"(Person|Organization|Tool): \S.*")
SUPPLIER = re.compile(r"NOASSERTION|(Person|Organization): \S.*")
LICENSE = re.compile(r"NOASSERTION|NONE|MIT")  # the identifiers of the list that this project may use
LOCATION = re.compile(r"NOASSERTION|NONE|(git\+)?https?://\S+")
HEX = {"SHA1": 40, "SHA256": 64, "SHA512": 128, "MD5": 32}
PURPOSES = "APPLICATION FRAMEWORK LIBRARY CONTAINER OPERATING-SYSTEM DEVICE FIRMWARE SOURCE ARCHIVE FILE INSTALL OTHER"
FILE_TYPES = "SOURCE BINARY ARCHIVE APPLICATION AUDIO IMAGE TEXT VIDEO DOCUMENTATION SPDX OTHER"
RELATIONS = "DESCRIBES DESCRIBED_BY CONTAINS CONTAINED_BY DEPENDS_ON DEPENDENCY_OF OPTIONAL_DEPENDENCY_OF"
FIELDS = {
    "document": "spdxVersion dataLicense SPDXID name documentNamespace creationInfo packages files relationships",
    "package": """SPDXID name versionInfo supplier downloadLocation packageFileName filesAnalyzed
        packageVerificationCode licenseConcluded licenseDeclared licenseInfoFromFiles copyrightText summary comment
        primaryPackagePurpose releaseDate externalRefs checksums""",
    "file": "SPDXID fileName fileTypes checksums licenseConcluded licenseInfoInFiles copyrightText",
}


class Problems(list):
    def ask(self, holds, text):
        if not holds:
            self.append(text)

    def matches(self, pattern, one, field, where):
        self.ask(isinstance(one.get(field), str) and pattern.fullmatch(one[field]), f"{where}: {field}: {one.get(field)!r}")

    def known(self, kind, one, where):
        for field in set(one) - set(FIELDS[kind].split()):
            self.append(f"{where}: unknown field {field}")


def check(document, files):
    """Problems of a document about an archive with these files: name -> bytes."""
    found = Problems()
    found.known("document", document, "document")
    found.ask(document.get("spdxVersion") == "SPDX-2.3", "document: spdxVersion")
    found.ask(document.get("dataLicense") == "CC0-1.0", "document: dataLicense")
    found.ask(document.get("SPDXID") == "SPDXRef-DOCUMENT", "document: SPDXID")
    found.ask(bool(document.get("name")), "document: name")
    found.matches(re.compile(r"[a-z]+://[^\s#]+"), document, "documentNamespace", "document")
    creation = document.get("creationInfo", {})
    found.matches(TIME, creation, "created", "creationInfo")
    found.ask(creation.get("creators"), "creationInfo: creators")
    for creator in creation.get("creators", []):
        found.ask(CREATOR.fullmatch(creator), f"creationInfo: creator {creator!r}")

    packages, listed = document.get("packages", []), document.get("files", [])
    identifiers = [document.get("SPDXID"), *(one.get("SPDXID") for one in [*packages, *listed])]
    found.ask(len(identifiers) == len(set(identifiers)), "an SPDXID occurs twice")
    for identifier in identifiers:
        found.ask(ID.fullmatch(identifier or ""), f"SPDXID {identifier!r}")
    for package in packages:
        check_package(found, package, listed)
    check_files(found, listed, files, packages)
    check_relationships(found, document, identifiers)
    return found


def check_package(found, package, listed):
    where = package.get("SPDXID")
    found.known("package", package, where)
    found.ask(package.get("name"), f"{where}: name")
    found.matches(LOCATION, package, "downloadLocation", where)
    found.matches(SUPPLIER, package, "supplier", where)
    for field in ("licenseConcluded", "licenseDeclared"):
        found.matches(LICENSE, package, field, where)
    found.ask(package.get("copyrightText"), f"{where}: copyrightText")
    found.ask(package.get("primaryPackagePurpose", "OTHER") in PURPOSES.split(), f"{where}: primaryPackagePurpose")
    for reference in package.get("externalRefs", []):
        found.ask(reference.get("referenceType") == "purl", f"{where}: referenceType")
        found.ask(reference.get("referenceLocator", "").startswith("pkg:"), f"{where}: referenceLocator")
        found.ask(reference.get("referenceCategory") == "PACKAGE-MANAGER", f"{where}: referenceCategory")
    if not package.get("filesAnalyzed", True):
        for field in ("packageVerificationCode", "licenseInfoFromFiles"):
            found.ask(field not in package, f"{where}: {field}, though its files were not analysed")
        return
    code = package.get("packageVerificationCode", {})
    digests = sorted(sum_of(one, "SHA1") for one in listed)
    expected = hashlib.sha1("".join(digests).encode()).hexdigest()
    found.ask(code.get("packageVerificationCodeValue") == expected, f"{where}: packageVerificationCode")
    found.ask(package.get("licenseInfoFromFiles"), f"{where}: licenseInfoFromFiles")


def sum_of(one, algorithm):
    return next((sum_["checksumValue"] for sum_ in one.get("checksums", []) if sum_["algorithm"] == algorithm), "")


def check_files(found, listed, files, packages):
    excluded = [
        name.removeprefix("./")
        for package in packages
        for name in package.get("packageVerificationCode", {}).get("packageVerificationCodeExcludedFiles", [])
    ]
    named = [one.get("fileName", "") for one in listed]
    found.ask(sorted(named) == sorted(f"./{name}" for name in files if name not in excluded), "files: not those of the archive")
    for one in listed:
        where = one.get("fileName")
        found.known("file", one, where)
        found.ask(set(one.get("fileTypes", [])) <= set(FILE_TYPES.split()), f"{where}: fileTypes")
        found.matches(LICENSE, one, "licenseConcluded", where)
        found.ask(all(map(LICENSE.fullmatch, one.get("licenseInfoInFiles", [""]))), f"{where}: licenseInfoInFiles")
        found.ask(sum_of(one, "SHA1"), f"{where}: no SHA1")
        for sum_ in one.get("checksums", []):
            algorithm, value = sum_["algorithm"], sum_["checksumValue"]
            found.ask(re.fullmatch(rf"[0-9a-f]{{{HEX[algorithm]}}}", value), f"{where}: {algorithm} {value}")
            data = files.get(where.removeprefix("./"), b"")
            found.ask(hashlib.new(algorithm.lower(), data).hexdigest() == value, f"{where}: another {algorithm}")


def check_relationships(found, document, identifiers):
    relations = document.get("relationships", [])
    for one in relations:
        found.ask(one.get("relationshipType") in RELATIONS.split(), f"relationship {one}")
        for end in ("spdxElementId", "relatedSpdxElement"):
            found.ask(one.get(end) in identifiers, f"relationship {one}: {end}")
    described = [one["relatedSpdxElement"] for one in relations if one.get("relationshipType") == "DESCRIBES"]
    found.ask(len(described) == 1, "the document describes not one package")
    contained = {one["relatedSpdxElement"] for one in relations if one.get("relationshipType") == "CONTAINS"}
    for one in document.get("files", []):
        found.ask(one.get("SPDXID") in contained, f"{one.get('fileName')}: no package contains it")
