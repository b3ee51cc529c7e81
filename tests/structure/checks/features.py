"""One feature, one stem: the folders agree on which features there are, and the core knows none of them."""

import os
import re

from checks.tree import without_comments

# What makes a header of common/features a feature.
_STEM = re.compile(r"\bkStem\s*=\s*\"([^\"]*)\"")
# Where each feature has its files; a row whose folder has no file yet is not asked for.
TABLES = (
    ("controller/annotations/{stem}.cc", "annotation rows"),
    ("dataplane/filters/{stem}.cc", "filter"),
    ("tests/golden/{stem}*", "golden case"),
)
CORE = ("dataplane/exchange", "dataplane/codec", "dataplane/worker")


def _declared(tree):
    """{stem as in the file's name, such as "basic_auth": stem that the header declares}"""
    found = {}
    for path in tree.files((".h",), ("common/features",)):
        match = _STEM.search(without_comments(tree.text(path)))
        if match:
            found[os.path.basename(path)[:-2]] = match.group(1)
    return found


def _spellings(stem):
    words = re.split(r"[-_]", stem)
    pascal = "".join(word.capitalize() for word in words)
    return {"_".join(words), "-".join(words), pascal, "k" + pascal}


def _names(tree, pattern):
    """Names of files and folders below the pattern's folder that could match it."""
    folder, leaf = os.path.split(pattern)
    suffix = leaf.rpartition("}")[2].rstrip("*")
    found = []
    for _, folders, leaves in os.walk(os.path.join(tree.root, folder)):
        found += [name for name in folders + leaves if name.endswith(suffix) and name != "CMakeLists.txt"]
    return found


def _is_there(stem, pattern, names):
    spellings = _spellings(stem)
    if pattern.endswith("*"):
        return any(name.startswith(tuple(spellings)) for name in names)
    suffix = pattern.rpartition("}")[2]
    return any(spelling + suffix in names for spelling in spellings)


def check_tables(tree):
    findings = []
    for stem, declared in sorted(_declared(tree).items()):
        path = f"common/features/{stem}.h"
        if declared not in _spellings(stem):
            findings.append(f"{path}:1: kStem is \"{declared}\", the file's name says {stem}")
        for pattern, what in TABLES:
            names = _names(tree, pattern)
            if names and not _is_there(stem, pattern, names):
                findings.append(f"{path}:1: no {what}: {pattern.format(stem=stem)}")
    return findings


def check_core(tree):
    """No stem as an identifier, a quoted word or an include in the core."""
    findings = []
    for stem in sorted(_declared(tree)):
        spellings = "|".join(re.escape(s) for s in sorted(_spellings(stem), key=len, reverse=True))
        word = re.compile(rf"(?<![\w-])(?:{spellings})(?![\w-])")
        for path in tree.files((".cc", ".h"), CORE):
            for number, line in enumerate(without_comments(tree.text(path)).split("\n"), 1):
                if word.search(line):
                    findings.append(f"{path}:{number}: the core names the feature {stem}: {line.strip()}")
    return findings
