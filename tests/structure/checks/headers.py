"""Every header compiles alone, without the precompiled header. What compiled is remembered by content."""

import concurrent.futures
import hashlib
import os
import subprocess

from checks.tree import SIDES

COMPILER = os.environ.get("CXX", "g++")
FLAGS = ("-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-restrict", "-x", "c++", "-")
AT_ONCE = 2


def _closure(tree, path, seen):
    """path and every header of ours below it."""
    if path is not None and path not in seen:
        seen.add(path)
        for _, target, quoted in tree.includes(path):
            if quoted:
                _closure(tree, tree.resolve(path, target), seen)
    return seen


def _key(tree, path, compiler):
    digest = hashlib.sha256(f"{compiler} {FLAGS} {path}".encode())
    for one in sorted(_closure(tree, path, set())):
        digest.update(f"\0{one}\0{tree.text(one)}".encode())
    return digest.hexdigest()


def _errors(tree, path):
    """Twice in one source, so that a missing guard shows too. Empty when it compiles."""
    source = f'#include "{path}"\n#include "{path}"\n'
    done = subprocess.run(
        (COMPILER, f"-I{tree.root}", *FLAGS), input=source, text=True, capture_output=True, cwd=tree.root, check=False
    )
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()[:3] or ["?"]
    return "\n    ".join(lines[:3])


def check(tree, cache):
    """cache: a folder with one empty file per header that compiled, named by content."""
    os.makedirs(cache, exist_ok=True)
    version = subprocess.run((COMPILER, "--version"), text=True, capture_output=True, check=True).stdout.split("\n")[0]
    wanted = [(path, os.path.join(cache, _key(tree, path, version))) for path in tree.files((".h",), SIDES + ("tests",))]
    unknown = [(path, mark) for path, mark in wanted if not os.path.exists(mark)]
    findings = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for (path, mark), errors in zip(unknown, pool.map(lambda one: _errors(tree, one[0]), unknown)):
            if errors:
                findings.append(f"{path}:1: does not compile alone:\n    {errors}")
            else:
                open(mark, "w", encoding="ascii").close()
    return findings
