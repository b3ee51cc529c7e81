"""Ports for what the Python tests start."""

import os
import socket

# Below the range that the kernel takes clients' ports from: there, what a test before this one left
# in TIME_WAIT can hold every second port.
FIRST = 20_000
SPAN = 12_000


def free_ports(count):
    """The first of that many neighbours that are free on every address now."""
    for _ in range(1_000):
        first, held = FIRST + int.from_bytes(os.urandom(2), "big") % SPAN, []
        try:
            for port in range(first, first + count):
                held.append(socket.socket())
                held[-1].bind(("", port))
            return first
        except OSError:
            continue
        finally:
            for one in held:
                one.close()
    raise AssertionError(f"no {count} neighbouring free ports from {FIRST} to {FIRST + SPAN}")
