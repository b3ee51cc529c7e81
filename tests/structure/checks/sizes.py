"""Size of files and functions; exceptions are in size_exceptions.txt, each with a reason."""

import ast
import re

from checks.functions import functions
from checks.tree import SIDES, TEST_SIDES

FILE_LINES = 500
TEST_FILE_LINES = 600
FUNCTION_LINES = 60
EXCEPTIONS = "tests/structure/size_exceptions.txt"
_ENTRY = re.compile(r"(?P<path>[\w./-]+)(?::(?P<function>[\w:~()]+))?\s+(?P<lines>\d+)\s+(?P<reason>\S.{9,})")


def _exceptions(tree, findings):
    """{(path, function or None): lines}"""
    granted = {}
    if not tree.exists(EXCEPTIONS):
        return granted
    for number, line in enumerate(tree.text(EXCEPTIONS).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _ENTRY.fullmatch(line.strip())
        if match:
            granted[match["path"], match["function"]] = int(match["lines"])
        else:
            findings.append(f"{EXCEPTIONS}:{number}: not 'PATH[:FUNCTION] LINES REASON': {line.strip()}")
    return granted


def _python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def _cpp_functions(tree, path):
    return ((f.name, f.line, f.lines) for f in functions(tree.code(path)))


def check(tree):
    findings = []
    granted = _exceptions(tree, findings)
    used = set()

    def measure(path, function, line, lines, limit):
        if lines <= limit:
            return
        key = (path, function)
        used.add(key)
        allowed = granted.get(key, limit)
        if lines > allowed:
            findings.append(f"{path}:{line}: {function or 'the file'} has {lines} lines, at most {allowed}")

    for path in tree.files((".cc", ".h", ".py", ".sh"), SIDES + TEST_SIDES + ("tools",)):
        text = tree.text(path)
        measure(path, None, 1, text.count("\n"), FILE_LINES if path.split("/")[0] in SIDES else TEST_FILE_LINES)
        if path.endswith(".py"):
            found = _python_functions(text)
        else:
            found = _cpp_functions(tree, path) if path.endswith((".cc", ".h")) else ()
        for name, line, lines in found:
            measure(path, name, line, lines, FUNCTION_LINES)
    for path, function in sorted(granted.keys() - used, key=str):
        findings.append(f"{EXCEPTIONS}:1: {path}{':' + function if function else ''} needs no exception any more")
    return findings
