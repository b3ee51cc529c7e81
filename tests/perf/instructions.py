#!/usr/bin/env python3
"""User instructions of one request, counted by callgrind inside the worker's loop, against the numbers in instructions.txt.

More than 2 % above a number fails; fewer asks for the file to be brought down. Only numbers of this compiler are compared: code of another
one costs something else. WEIR_UPDATE_INSTRUCTIONS=1 writes the file anew."""

import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

# Rounds that warm up, rounds that are counted. A handshake costs as much as a hundred requests.
MODES = {"plain": (40, 100), "plain-loaded": (40, 100), "tls": (40, 100), "tls-loaded": (40, 100), "handshake": (2, 6), "body": (40, 100)}
CLIENTS = 16
TOLERANCE = 0.02
SKIPPED = 77


def count(drive, mode):
    """Instructions of one request inside Loop::run_once, once warm."""
    warm, rounds = MODES[mode]
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "callgrind.out")
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=weir::loop::Loop::run_once*",
                   "--dump-before=weir_perf_warmed_up", "--callgrind-out-file=" + out, drive, mode, str(warm), str(rounds)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode != 0:
            sys.exit("%s: %s\n%s" % (mode, run.returncode, run.stderr[-2000:]))
        # One dump a part: callgrind.out.1 up to the warm end, callgrind.out what came after.
        if sorted(os.listdir(folder)) != ["callgrind.out", "callgrind.out.1"]:
            sys.exit("%s: callgrind left %s" % (mode, sorted(os.listdir(folder))))
        with open(out, encoding="utf-8") as text:
            total = int(re.search(r"^(?:summary|totals): (\d+)", text.read(), re.M).group(1))
        return round(total / (rounds * CLIENTS))


def read_numbers(path):
    with open(path, encoding="utf-8") as lines:
        rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {(compiler, mode): int(number) for compiler, mode, number in rows}


def main():
    drive, path, compiler = sys.argv[1:4]
    known = read_numbers(path)
    failed, compared = 0, 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:  # instructions are no time: two runs do not disturb each other
        counts = dict(zip(MODES, pool.map(lambda mode: count(drive, mode), MODES)))
    for mode, each in counts.items():
        want = known.get((compiler, mode))
        known[(compiler, mode)] = each
        if want is None:
            print("%s %s: %d instructions a request; no number to compare with" % (compiler, mode, each))
            continue
        compared += 1
        print("%s %s: %d instructions a request, %d known (%+.1f %%)" % (compiler, mode, each, want, 100.0 * (each - want) / want))
        if each > want * (1 + TOLERANCE):
            failed += 1
    if os.environ.get("WEIR_UPDATE_INSTRUCTIONS"):
        with open(path, "w", encoding="utf-8") as out:
            out.write("# User instructions of one request in the worker's loop: COMPILER MODE NUMBER. tests/perf/instructions.py says how.\n")
            out.writelines("%s %s %d\n" % (key[0], key[1], number) for key, number in sorted(known.items()))
        return 0
    if compared == 0:
        print("%s has no numbers in %s: skipped" % (compiler, path))
        return SKIPPED
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
