"""docs/attacks.md names only tests that exist, and has a line for every row that must be held."""

import re

TABLE = "docs/attacks.md"
ROWS = [*range(1, 17), 19, 21, 22, *range(24, 31)]
NOT_YET = "none yet"
_LINE = re.compile(r"^\|\s*(\d+)\s*\|.*\|([^|]*)\|\s*$")
_NAMED = re.compile(r"`(\w+)\.(\w+)`")
_TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")


def _tests(tree):
    found = set()
    for path in tree.files((".cc",), ("tests",)):
        found.update(f"{suite}.{name}" for suite, name in _TEST.findall(tree.text(path)))
    return found


def check(tree):
    if not tree.exists(TABLE):
        return []
    findings, rows, tests = [], set(), _tests(tree)
    for number, line in enumerate(tree.text(TABLE).split("\n"), 1):
        match = _LINE.match(line)
        if not match:
            continue
        rows.add(int(match[1]))
        named = [f"{suite}.{name}" for suite, name in _NAMED.findall(match[2])]
        if not named and NOT_YET not in match[2]:
            findings.append(f"{TABLE}:{number}: row {match[1]} names no test")
        for name in named:
            if name not in tests:
                findings.append(f"{TABLE}:{number}: there is no test {name}")
    findings += [f"{TABLE}:1: no line for row {row}" for row in ROWS if row not in rows]
    return findings
