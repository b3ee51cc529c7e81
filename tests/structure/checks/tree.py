"""The source tree as the checks see it: files, includes, and code without comments and literals."""

import functools
import os
import re

SIDES = ("common", "controller", "dataplane", "weirctl")
TEST_SIDES = ("tests", "bench", "e2e")
SKIPPED = {"build", ".git", "__pycache__"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)

# In order: comments, raw strings, strings, characters (not the ' of 1'000).
_TOKENS = re.compile(
    r'//[^\n]*|/\*.*?\*/'
    r'|(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'",
    re.S,
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)


def _blank(text):
    return "\n" * text.count("\n")


def without_comments(text):
    """Literals stay, line numbers too."""
    return _TOKENS.sub(lambda m: _blank(m.group()) if m.group().startswith(("//", "/*")) else m.group(), text)


def code_only(text):
    """Without comments, literals' content and preprocessor lines; line numbers stay."""
    def replace(match):
        token = match.group()
        if token.startswith(("//", "/*")):
            return _blank(token)
        return "''" if token.startswith("'") else '""' + _blank(token)
    return _DIRECTIVE.sub(lambda m: _blank(m.group()), _TOKENS.sub(replace, text))


class Tree:
    """root: the repository's top. Paths are relative to it, with forward slashes."""

    def __init__(self, root):
        self.root = os.path.abspath(root)

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        return code_only(self.text(path))

    @functools.lru_cache(maxsize=None)
    def files(self, suffixes, folders=SIDES + TEST_SIDES):
        """Sorted paths below the folders whose names end with one of the suffixes."""
        found = []
        for folder in folders:
            for place, names, leaves in os.walk(os.path.join(self.root, folder)):
                names[:] = [name for name in names if name not in SKIPPED]
                for leaf in leaves:
                    if leaf.endswith(suffixes):
                        found.append(os.path.relpath(os.path.join(place, leaf), self.root))
        return sorted(found)

    @functools.lru_cache(maxsize=None)
    def includes(self, path):
        """[(line, text, quoted)] of a C++ file; commented-out lines do not count."""
        text = without_comments(self.text(path))
        return [
            (text.count("\n", 0, m.start()) + 1, m.group(1) or m.group(2), m.group(1) is not None)
            for m in INCLUDE.finditer(text)
        ]

    def resolve(self, path, target):
        """The path from the top of what a quoted include in path names, beside path or from the top; None if neither."""
        beside = os.path.normpath(os.path.join(os.path.dirname(path), target))
        return next((one for one in (target, beside) if self.exists(one)), None)
