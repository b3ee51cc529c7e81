"""The walks in docs/ name only what exists: `path/file.ext`, and `path/file.ext: name()` a function in that file."""

import re

WALKS = ("docs/life-of-a-request.md", "docs/life-of-a-change.md")
_MENTION = re.compile(
    r"`(?P<path>(?:common|controller|dataplane|weirctl|tests|bench|e2e|docs|deploy|examples|cmake|tools)/[\w./-]*\.\w+)"
    r"(?::\s*(?P<name>[~\w:]+)\(\))?`"
)


def _has_function(tree, path, name):
    """The last part of A::B::name, as a word before a parenthesis."""
    return re.search(rf"\b{re.escape(name.split('::')[-1])}\s*\(", tree.code(path)) is not None


def check(tree):
    findings = []
    for walk in WALKS:
        if not tree.exists(walk):
            continue
        for number, line in enumerate(tree.text(walk).split("\n"), 1):
            for mention in _MENTION.finditer(line):
                path, name = mention["path"], mention["name"]
                if not tree.exists(path):
                    findings.append(f"{walk}:{number}: there is no {path}")
                elif name and not _has_function(tree, path, name):
                    findings.append(f"{walk}:{number}: {path} has no function {name}")
    return findings
