"""One feature, one stem: the folders agree on which features there are, and the core knows none of them."""

import os
import re

from checks.tree import without_comments

# Headers in common/features that are no feature.
SHARED = {"feature", "features", "policy", "registry", "stem"}
# Where each feature has its files; a row whose folder has no file yet is not asked for.
TABLES = (
    ("controller/annotations/{stem}.cc", "annotation rows"),
    ("dataplane/filters/{stem}.cc", "filter"),
    ("tests/golden/{stem}*", "golden case"),
)
CORE = ("dataplane/exchange", "dataplane/codec", "dataplane/worker")


def stems(tree):
    """Stems as they stand in file names, such as "basic_auth"."""
    names = (os.path.basename(path)[:-2] for path in tree.files((".h",), ("common/features",)))
    return sorted(name for name in names if name not in SHARED)


def _spellings(stem):
    words = re.split(r"[-_]", stem)
    pascal = "".join(word.capitalize() for word in words)
    return {"_".join(words), "-".join(words), pascal, "k" + pascal}


def _names(tree, folder):
    place = os.path.join(tree.root, folder)
    return sorted(os.listdir(place)) if os.path.isdir(place) else []


def check_tables(tree):
    findings = []
    for stem in stems(tree):
        for pattern, what in TABLES:
            folder, leaf = os.path.split(pattern)
            names = [name for name in _names(tree, folder) if name != "CMakeLists.txt"]
            bases = _spellings(stem)
            if leaf.endswith("*"):
                there = any(name.startswith(tuple(bases)) for name in names)
            else:
                there = any(name in {leaf.format(stem=base) for base in bases} for name in names)
            if names and not there:
                findings.append(f"common/features/{stem}.h:1: no {what}: {pattern.format(stem=stem)}")
    return findings


def check_core(tree):
    """No stem as an identifier, a quoted word or an include in the core."""
    findings = []
    for stem in stems(tree):
        spellings = "|".join(re.escape(s) for s in sorted(_spellings(stem), key=len, reverse=True))
        word = re.compile(rf"(?<![\w-])(?:{spellings})(?![\w-])")
        for path in tree.files((".cc", ".h"), CORE):
            for number, line in enumerate(without_comments(tree.text(path)).split("\n"), 1):
                if word.search(line):
                    findings.append(f"{path}:{number}: the core names the feature {stem}: {line.strip()}")
    return findings
