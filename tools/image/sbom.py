#!/usr/bin/env python3
"""sbom.py: what the image is made of, as SPDX 2.3 (JSON) on standard output.

--programs FILE...   our programs, as they are shipped
--linked PACKAGE...  Debian packages whose libraries are in the image
--headers PACKAGE... Debian packages whose headers were compiled into the programs

Versions are asked of dpkg. The same input gives the same output: the time is SOURCE_DATE_EPOCH, else that of the newest program.
"""

import argparse
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import urllib.parse

VERSION = re.compile(r"project\(weir VERSION (\S+)")
FIELDS = ("Package", "Version", "Architecture", "source:Package", "source:Version", "Homepage")


def weir_version():
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(top, "CMakeLists.txt"), encoding="utf-8") as file:
        return VERSION.search(file.read())[1]


def debian_release():
    with open("/etc/os-release", encoding="utf-8") as file:
        entries = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    return entries.get("VERSION_CODENAME", "").strip('"')


def ask_dpkg(names):
    """One dict of FIELDS per package, in the order of the names."""
    form = "\\t".join("${%s}" % field for field in FIELDS) + "\\n"
    text = subprocess.run(["dpkg-query", "-W", "-f", form, *names], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        row = dict(zip(FIELDS, line.split("\t")))
        found.setdefault(row["Package"], row)
    return [found[name] for name in names]


def spdx_id(kind, name):
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package_entry(row, release):
    quoted = {key: urllib.parse.quote(value, safe="") for key, value in row.items()}
    purl = f"pkg:deb/debian/{quoted['Package']}@{quoted['Version']}?arch={quoted['Architecture']}&distro={release}"
    return {
        "SPDXID": spdx_id("Package", row["Package"]),
        "name": row["Package"],
        "versionInfo": row["Version"],
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "homepage": row["Homepage"] or "NOASSERTION",
        "sourceInfo": f"built from {row['source:Package']} {row['source:Version']}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}],
    }


def program_entry(path, version):
    with open(path, "rb") as file:
        content = file.read()
    return {
        "SPDXID": spdx_id("Package", os.path.basename(path)),
        "name": os.path.basename(path),
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}],
        "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "APPLICATION",
    }


def relate(one, kind, other):
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def created(programs):
    newest = max(int(os.stat(path).st_mtime) for path in programs)
    when = int(os.environ.get("SOURCE_DATE_EPOCH") or newest)
    return datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def make(programs, linked, headers):
    release = debian_release()
    version = weir_version()
    headers = [name for name in headers if name not in linked]
    ours = [program_entry(path, version) for path in programs]
    theirs = [package_entry(row, release) for row in ask_dpkg(linked + headers)]
    relationships = [relate("SPDXRef-DOCUMENT", "DESCRIBES", one["SPDXID"]) for one in ours]
    for one in ours:
        relationships += [relate(one["SPDXID"], "DEPENDS_ON", spdx_id("Package", name)) for name in linked]
        relationships += [relate(spdx_id("Package", name), "BUILD_DEPENDENCY_OF", one["SPDXID"]) for name in headers]
    digest = hashlib.sha256(json.dumps([ours, theirs], sort_keys=True).encode()).hexdigest()[:32]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"weir-{version}",
        "documentNamespace": f"https://weir.ingress/spdx/weir-{version}-{digest}",
        "creationInfo": {"created": created(programs), "creators": ["Tool: weir-tools/image/sbom.py"]},
        "packages": ours + theirs,
        "relationships": relationships,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", nargs="+", required=True)
    parser.add_argument("--linked", nargs="+", required=True)
    parser.add_argument("--headers", nargs="*", default=[])
    args = parser.parse_args()
    json.dump(make(args.programs, args.linked, args.headers), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
