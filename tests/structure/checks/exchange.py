"""The exchange stays a state machine: at most three bools, and a phase function that fits on half a screen."""

import re

from checks.functions import functions

FOLDER = "dataplane/exchange"
MOST_BOOLS = 3
PHASE_LINES = 30
_CLASS = re.compile(r"\bclass\s+Exchange\b[^;{]*\{")
_BOOL = re.compile(r"^\s*(?:mutable\s+)?bool\s+\w+_\s*(?:=[^;]*|\{[^;]*\})?\s*(?::\s*1\s*)?;", re.M)
_SWITCH = re.compile(r"\bswitch\s*\(\s*(?:\w+(?:\.|->))*(?:phase|state)_?\s*\)")


def _members(code, opening):
    """Text of the class body at its own depth: what nested braces hold is cut out."""
    depth, kept = 1, []
    for char in code[opening:]:
        depth += (char == "{") - (char == "}")
        if depth == 0:
            break
        if depth == 1:
            kept.append(char)
    return "".join(kept)


def check(tree):
    findings = []
    for path in tree.files((".cc", ".h"), (FOLDER,)):
        code = tree.code(path)
        opening = _CLASS.search(code)
        bools = len(_BOOL.findall(_members(code, opening.end()))) if opening else 0
        if bools > MOST_BOOLS:
            findings.append(f"{path}:1: Exchange has {bools} bool members, at most {MOST_BOOLS}: name a state instead")
        for function in functions(code):
            if _SWITCH.search(function.body) and function.lines > PHASE_LINES:
                findings.append(
                    f"{path}:{function.line}: {function.name} chooses by phase in {function.lines} lines, "
                    f"at most {PHASE_LINES}"
                )
    return findings
