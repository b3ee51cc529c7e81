#!/usr/bin/env python3
"""run.py CHECK [--root DIR] [--cache DIR]: one structure check; prints its findings and ends with 1 if there are any."""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from checks import attacks, exchange, features, headers, libraries, rooms, sizes, walks, words  # noqa: E402
from checks.tree import Tree  # noqa: E402

CHECKS = {
    "include_direction": rooms.check,
    "library_headers": libraries.check,
    "sizes": sizes.check,
    "feature_tables": features.check_tables,
    "core_knows_no_feature": features.check_core,
    "exchange": exchange.check,
    "words": words.check,
    "walks": walks.check,
    "attacks": attacks.check,
    "headers": None,  # needs a cache folder
}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", choices=sorted(CHECKS))
    parser.add_argument("--root", default=os.path.join(here, "..", ".."))
    parser.add_argument("--cache", default="build/headers", help="folder that remembers which headers compiled")
    arguments = parser.parse_args()
    tree = Tree(arguments.root)
    if arguments.check == "headers":
        findings = headers.check(tree, arguments.cache)
    else:
        findings = CHECKS[arguments.check](tree)
    for finding in findings:
        print(finding)
    print(f"{arguments.check}: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
