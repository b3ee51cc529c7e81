"""How the tests run weirctl."""

import os
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BIN = os.environ.get("WEIR_BIN_DIR", os.path.join(TOP, "build/release/bin"))
WEIRCTL = os.path.join(BIN, "weirctl")


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


def weirctl(*words, **more):
    return run(WEIRCTL, *words, **more)
