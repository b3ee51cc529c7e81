#!/usr/bin/env python3
"""Drives one Weir with the traffic of the benchmark, bare and loaded, so that an instrumented build writes its profile when it ends.

WEIR_BIN is the folder of the instrumented programs. Nothing is measured."""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import peers as kinds  # noqa: E402
import run  # noqa: E402

SECONDS = 2


def train(loaded):
    with tempfile.TemporaryDirectory(prefix="weir-train-") as folder:
        os.chmod(folder, 0o755)
        bench = run.Bench(folder, loaded)
        running = {"origin": None, "peers": []}
        try:
            weir = run.start_all(bench, [kinds.Weir], running)[0]
            for name, (_, drive) in run.workloads(bench, SECONDS).items():
                print("training: %s%s: %d requests" % (name, " (loaded)" if loaded else "", drive(weir)), flush=True)
        finally:
            run.stop_all(running)


if __name__ == "__main__":
    for with_load in (False, True):
        train(with_load)
