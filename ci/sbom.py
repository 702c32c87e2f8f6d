# SPDX-License-Identifier: Apache-2.0
"""Writes the SBOM (SPDX 2.3, JSON) of a packed tree: offshoot, its files, the Debian packages that its libraries come from,
and those that were compiled into it.

usage: sbom.py TREE VERSION
"""

import hashlib
import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote


# Libraries that are headers alone: nothing of them lies beside the program.
COMPILED_IN = ("nlohmann-json3-dev", "libcli11-dev", "libexpected-dev")
# Put into the tree when it is written.
ITSELF = "./share/doc/offshoot/sbom.spdx.json"


def fields_of(package):
    """Version and source of an installed Debian package."""
    fields = subprocess.run(["dpkg-query", "-W", "-f", "${Version} ${source:Package}", package], capture_output=True, text=True, check=True)
    return fields.stdout.split(" ")


def package_of(library):
    """Debian's package of a library, with its version; none for a library that no package owns."""
    found = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    paths = [line.split("=> ")[1] for line in found.splitlines() if line.split()[:1] == [library]]
    for path in [*paths, *(os.path.realpath(path) for path in paths), *(os.path.realpath(p).removeprefix("/usr") for p in paths)]:
        owner = subprocess.run(["dpkg", "-S", path], capture_output=True, text=True)
        if owner.returncode == 0:
            name = owner.stdout.split(":")[0]
            return name, *fields_of(name)
    return None


def main():
    tree, version = Path(sys.argv[1]), sys.argv[2]
    created = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    files = []
    for path in sorted(path for path in tree.rglob("*") if path.is_file()):
        name = path.relative_to(tree).as_posix()
        content = path.read_bytes()
        files.append((name, hashlib.sha256(content).hexdigest(), hashlib.sha1(content).hexdigest()))
    whole = hashlib.sha256("".join(digest for _, digest, _ in files).encode()).hexdigest()
    # What SPDX calls the package verification code.
    code = hashlib.sha1("".join(sorted(sha1 for _, _, sha1 in files)).encode()).hexdigest()
    distribution = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)["ID"].strip('"')
    packages = [{"SPDXID": "SPDXRef-offshoot", "name": "offshoot", "versionInfo": version, "downloadLocation": "NOASSERTION",
                 "licenseDeclared": "Apache-2.0", "licenseConcluded": "Apache-2.0", "copyrightText": "NOASSERTION", "filesAnalyzed": True,
                 "licenseInfoFromFiles": ["NOASSERTION"],
                 "packageVerificationCode": {"packageVerificationCodeValue": code, "packageVerificationCodeExcludedFiles": [ITSELF]}}]
    relationships = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-offshoot"}]
    known = {}
    spdx_files = []

    def debian_package(package, version, source):
        known[package] = f"SPDXRef-package-{len(known)}"
        packages.append({
            "SPDXID": known[package], "name": package, "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
            "licenseDeclared": "NOASSERTION", "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION", "sourceInfo": f"built from {source}",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:deb/{distribution}/{quote(package)}@{quote(version)}"}],
        })
        return known[package]

    for package in COMPILED_IN:
        relationships.append({"spdxElementId": "SPDXRef-offshoot", "relationshipType": "STATIC_LINK",
                              "relatedSpdxElement": debian_package(package, *fields_of(package))})
    for number, (name, digest, sha1) in enumerate(files):
        file_id = f"SPDXRef-file-{number}"
        spdx_files.append({"SPDXID": file_id, "fileName": f"./{name}", "checksums": [{"algorithm": "SHA1", "checksumValue": sha1}, {"algorithm": "SHA256", "checksumValue": digest}],
                           "licenseInfoInFiles": ["NOASSERTION"], "licenseConcluded": "NOASSERTION", "copyrightText": "NOASSERTION"})
        relationships.append({"spdxElementId": "SPDXRef-offshoot", "relationshipType": "CONTAINS", "relatedSpdxElement": file_id})
        owner = package_of(Path(name).name) if name.startswith("lib/") else None
        if name.startswith("lib/") and owner is None:
            sys.exit(f"sbom.py: no package is known for {name}")
        if owner is None:
            continue
        package, package_version, source = owner
        if package not in known:
            debian_package(package, package_version, source)
            relationships.append({"spdxElementId": "SPDXRef-offshoot", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": known[package]})
        relationships.append({"spdxElementId": file_id, "relationshipType": "GENERATED_FROM", "relatedSpdxElement": known[package]})
    json.dump({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"offshoot-{version}",
        "documentNamespace": f"https://github.com/offshoot-dev/offshoot/spdx/{version}/{whole}",
        "creationInfo": {"created": created, "creators": ["Tool: offshoot-ci-sbom"]},
        "packages": packages, "files": spdx_files, "relationships": relationships,
    }, sys.stdout, indent=1, sort_keys=True)
    print()


main()
