#!/usr/bin/env python3
"""usage: explore_bench.py FORKPROOF [--quick]

Explores the fragment of bench/peers/README.md to the end with forkproof, with Rumur and with Spin,
and prints what bench/run makes its table of: a line a figure, its columns separated by tabs. All
must have found the same states by the same transitions, else nothing was measured.

Exit status: 0 measured, 3 not.
"""
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

COUNT = pathlib.Path(__file__).resolve().parent / "peers" / "count"
OPS = "fork,vfork,exec,exit,wait4"


def output_of(*command):
    ran = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=False)
    if ran.returncode != 0:
        give_up(f"status {ran.returncode}: {' '.join(str(word) for word in command)}")
    return ran.stdout


def give_up(why):
    print(f"not measured: {why}", file=sys.stderr)
    sys.exit(3)


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


def median_of(times, measure):
    """What was found, and in how many seconds by the median."""
    runs = [measure() for _ in range(times)]
    if len({found for found, _ in runs}) != 1:
        give_up(f"runs differ: {runs}")
    return runs[0][0], statistics.median(seconds for _, seconds in runs)


def number(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def row(what, unit, mine, theirs, bar=None):
    ratio = mine / theirs
    met = "-" if bar is None else "yes" if ratio >= bar else "NO"
    print(what, unit, number(mine / 1000), number(theirs / 1000), number(ratio),
          "-" if bar is None else f">= {bar} x", met, sep="\t", flush=True)


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
