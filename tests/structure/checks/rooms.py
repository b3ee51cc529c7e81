"""Include direction between rooms: a folder may include itself and what the table grants, which follows the data flow."""

from checks.tree import SIDES, TEST_SIDES

# Order of the rooms of one side: each may include what stands in an earlier entry. Rooms of one entry do not know each other.
CHAINS = {
    "controller": (
        ("guard",), ("kubernetes",), ("store",), ("translate",), ("annotations",), ("policies",), ("ingress", "gateway"),
        ("publish",), ("status",), ("peers", "acme"), ("admin",),
    ),
    "dataplane": (
        ("supervisor",), ("worker",), ("observe",), ("shared",), ("transport",), ("codec",), ("upstream",),
        ("exchange",), ("stream", "cache", "waf"), ("filters",), ("listener",), ("snapshot",), ("admin",), ("dashboard",),
    ),
}
# Rooms of common, and what each may include beside itself.
COMMON = {
    "base": set(),
    "loop": {"base"},
    "process": {"base", "loop"},
    "crypto": {"base"},
    "features": {"base"},
    "model": {"base", "crypto"},
    "wire": {"base", "loop", "crypto", "model"},
    "routing": {"base", "model"},
}
# Sides that a side may include beside itself.
SIDE_USES = {"common": set(), "controller": {"common"}, "dataplane": {"common"}, "weirctl": {"common", "controller"}}


def _room(path):
    """("dataplane", "codec") of dataplane/codec/h1.h, ("dataplane", None) of dataplane/main.cc."""
    parts = path.split("/")
    return parts[0], parts[1] if len(parts) > 2 else None


def _allowed_in_side(side, here, there):
    if here is None or here == there:
        return True
    if side == "common":
        return there in COMMON.get(here, set())
    rank = {room: i for i, entry in enumerate(CHAINS.get(side, ())) for room in entry}
    return here in rank and there in rank and rank[there] < rank[here]


def _known(side, room):
    if room is None or side == "weirctl":
        return True
    return room in COMMON if side == "common" else any(room in entry for entry in CHAINS[side])


def _refusal(path, target):
    side, here = _room(path)
    other, there = _room(target)
    if other in TEST_SIDES:
        return f"includes {target}: product code never includes tests"
    if other != side:
        return None if other in SIDE_USES[side] else f"includes {target}: {side} may not include {other}"
    if not _allowed_in_side(side, here, there):
        return f"includes {target}: {side}/{here} may not include {side}/{there or ''} (the table is in checks/rooms.py)"
    return None


def check(tree):
    findings = []
    for path in tree.files((".cc", ".h")):
        side, here = _room(path)
        if side in SIDES and not _known(side, here):
            findings.append(f"{path}:1: the room {side}/{here} is not in the table of checks/rooms.py")
        for line, target, quoted in tree.includes(path):
            first = target.split("/")[0]
            if not quoted:
                if first in SIDES:
                    findings.append(f"{path}:{line}: <{target}> is ours: include it with quotes")
                continue
            found = tree.resolve(path, target)
            if found is None or (side in SIDES and found != target):
                findings.append(f"{path}:{line}: \"{target}\" is no path from the repository's top")
                continue
            refusal = _refusal(path, target) if side in SIDES else None
            if refusal:
                findings.append(f"{path}:{line}: {refusal}")
    return findings
