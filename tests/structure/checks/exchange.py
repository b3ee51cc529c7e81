"""The exchange stays a state machine: at most three bools, and a phase function that fits on half a screen."""

import re

from checks.functions import functions

HEADER = "dataplane/exchange/exchange.h"
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
    if not tree.exists(HEADER):
        return []
    findings = []
    code = tree.code(HEADER)
    opening = _CLASS.search(code)
    if opening is None:
        return [f"{HEADER}:1: there is no class Exchange"]
    bools = len(_BOOL.findall(_members(code, opening.end())))
    if bools > MOST_BOOLS:
        findings.append(f"{HEADER}:1: Exchange has {bools} bool members, at most {MOST_BOOLS}: name a state instead")
    for path in tree.files((".cc", ".h"), ("dataplane/exchange",)):
        for function in functions(tree.code(path)):
            if _SWITCH.search(function.body) and function.lines > PHASE_LINES:
                findings.append(
                    f"{path}:{function.line}: {function.name} chooses by phase in {function.lines} lines, "
                    f"at most {PHASE_LINES}"
                )
    return findings
