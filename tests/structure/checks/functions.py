"""Finds the functions of a C++ file by its braces: no parser, but right on the code that clang-format leaves."""

import re
from typing import NamedTuple


class Function(NamedTuple):
    name: str
    line: int   # of the opening brace
    lines: int  # from the opening brace to the closing one, both counted
    body: str   # code between them, without comments and literals


_ATTRIBUTE = re.compile(r"\[\[.*?\]\]|\balignas\s*\([^()]*\)", re.S)
_SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum)\b[^()]*$|\bextern\s*\"\"\s*$", re.S)
_AFTER_PARAMETERS = re.compile(
    r"\)\s*(?:(?:const|volatile|mutable|noexcept(?:\s*\(.*\))?|override|final|try|&&?|->.*|requires\b.*)\s*)*$", re.S
)
_LAMBDA = re.compile(r"(?:[=,({?:]|\breturn|^)\s*\[[^\[\]]*\]\s*(?:mutable\s*)?(?:noexcept\s*)?$", re.S)
_INITIALISERS = re.compile(r"\)\s*(?:noexcept\s*)?:(?!:)", re.S)
_NAME = re.compile(r"(operator\s*\(\)|operator\s*[^\s(\w]+|[~\w:]+)\s*\(", re.S)


def _kind(head):
    """What a brace after this text opens: "scope" (looked into), "function", or "value" (an initialiser)."""
    head = _ATTRIBUTE.sub("", head).strip()
    if _SCOPE.search(head):
        return "scope"
    if _INITIALISERS.search(head):
        return "function" if head.endswith((")", "}")) else "value"
    if head.endswith(("=", ",", "(")):
        return "value"
    return "function" if _AFTER_PARAMETERS.search(head) or _LAMBDA.search(head) else "value"


def _name(head):
    head = re.sub(r"\btemplate\s*<[^()]*?>\s*(?=\w)", "", head)
    match = _NAME.search(head)
    return match.group(1).replace(" ", "") if match else "lambda"


def functions(code):
    """The outermost functions of code_only text; a lambda inside a function is part of it."""
    found = []
    stack = []           # (kind, name, offset of the brace, head to go on with)
    head_start = 0       # text since the last end of a declaration
    head_prefix = ""     # what came before an initialiser's braces in the same declaration
    inside = 0           # depth of functions
    for match in re.finditer(r"[{};]", code):
        at, token = match.start(), match.group()
        if token == ";":
            if not inside:
                head_start, head_prefix = at + 1, ""
        elif token == "{":
            head = head_prefix + code[head_start:at]
            kind = "function" if inside else _kind(head)
            inside += kind == "function"
            stack.append((kind, _name(head) if kind == "function" else "", at, head))
            if not inside:
                head_start, head_prefix = at + 1, ""
        elif stack:
            kind, name, start, head = stack.pop()
            inside -= kind == "function"
            if inside:
                continue
            head_start, head_prefix = at + 1, head + "{}" if kind == "value" else ""
            if kind == "function":
                first = code.count("\n", 0, start) + 1
                found.append(Function(name, first, code.count("\n", start, at) + 1, code[start + 1:at]))
    return found
