#!/usr/bin/env python3
"""usage: explore_bench.py FORKPROOF [--quick]

Explores the fragment of bench/peers/README.md to the end with forkproof, with Rumur and with Spin,
and prints what bench/run makes its table of: a line a figure, its columns separated by tabs. All
must have found the same states by the same transitions, else nothing was measured.

Exit status: 0 measured, 3 not.
"""
import json
import pathlib
import sys

from peer_rows import give_up, median_of, output_of, row
import tempfile

COUNT = pathlib.Path(__file__).resolve().parent / "peers" / "count"
OPS = "fork,vfork,exec,exit,wait4"


def ours(forkproof, system, tasks, jobs, *options):
    """(states, transitions), seconds of an exploration by `jobs` threads."""
    found = json.loads(output_of(
        forkproof, "explore", "--system", system, "--tasks", tasks, "--pages", 0, "--ops", OPS,
        "--symmetry", "--project", "family", "--jobs", jobs, "--json", *options))
    if not found["fixpoint"] or found["violations"]:
        give_up(f"{system}: {found['stopped'] or 'a violation'}")
    return (found["states"], found["transitions"]), found["seconds"]


def peer(checker, tasks, *options):
    states, transitions, seconds = output_of(COUNT, checker, tasks, *options).split()
    return (int(states), int(transitions)), float(seconds)


def compare(what, mine, theirs, bar):
    (found, seconds), (peer_found, peer_seconds) = mine, theirs
    if found != peer_found:
        give_up(f"{what}: {found} against {peer_found}")
    row(f"explore: {what}", "1000 states/s", found[0] / seconds, peer_found[0] / peer_seconds, bar)
    row(f"explore: {what}", "1000 transitions/s", found[1] / seconds, peer_found[1] / peer_seconds)


def main(forkproof, quick):
    tasks, times = (4, 1) if quick else (5, 3)
    both = {}
    for system in ("spec", "impl"):
        for jobs in (1, 2):
            both[system, jobs] = median_of(
                times, lambda: ours(forkproof, system, tasks, jobs, "--merge"))
    rumur = median_of(times, lambda: peer("rumur", tasks, "--threads", 2))
    spin = median_of(times, lambda: peer("spin", tasks))
    compare("model alone against Rumur, 2 threads", both["spec", 2], rumur, 3)
    compare("model alone against Spin, 1 thread", both["spec", 1], spin, 2)
    compare("lockstep against Rumur, 2 threads", both["impl", 2], rumur, 1)
    compare("lockstep against Spin, 1 thread", both["impl", 1], spin, None)


if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--quick"]):
    print(__doc__, file=sys.stderr)
    sys.exit(2)
main(sys.argv[1], len(sys.argv) == 3)
