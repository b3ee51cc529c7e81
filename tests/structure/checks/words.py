"""Words that do not belong: unfinished work, exceptions of our own, file names that say nothing."""

import os
import re

from checks.tree import SIDES, TEST_SIDES

_UNFINISHED = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME")) + r")\b")
_THROW = re.compile(r"\bthrow\b")
_EMPTY_NAME = re.compile(r"(?:^|[_-])(?:util|utils|helper|helpers|manager|info)(?=[_.-]|$)")
_TEXTS = (".cc", ".h", ".py", ".sh", ".txt", ".cmake", ".yaml", ".json", ".md")
_TOP = ("cmake", "tools", "docs", "deploy", "examples")


def check(tree):
    findings = []
    for path in tree.files(_TEXTS, SIDES + TEST_SIDES + _TOP):
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            if _UNFINISHED.search(line):
                findings.append(f"{path}:{number}: what is left undone stands in docs/, not here: {line.strip()}")
        if _EMPTY_NAME.search(os.path.basename(path)):
            findings.append(f"{path}:1: the name says nothing: call it by the noun it is")
    for path in tree.files((".cc", ".h"), SIDES):
        for number, line in enumerate(tree.code(path).split("\n"), 1):
            if _THROW.search(line):
                findings.append(f"{path}:{number}: we do not throw: return a Result, or WEIR_CHECK an invariant")
    return findings
