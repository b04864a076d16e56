#!/usr/bin/env python3
"""usage: simulate_bench.py SIMULATE_BENCH [--quick]

Takes random walks through the fragment of bench/peers/README.md by our model, by our implementation
in lockstep with it, and by Quint's simulator, of four tasks and at most twenty steps each, and
prints what bench/run makes its table of. The backend in Rust has a line of its own where Quint can
fetch it.

Exit status: 0 measured, 3 not.
"""
import pathlib
import statistics
import subprocess
import sys

from peer_rows import give_up, output_of, row

QUINT = pathlib.Path(__file__).resolve().parent / "peers" / "quint"
TASKS, STEPS = 4, 20


def rate_of(times, *command):
    """Steps a second, by the median."""
    rates = []
    for _ in range(times):
        steps, seconds = output_of(*command).split()
        if float(seconds) == 0 or int(steps) == 0:
            give_up(f"nothing was done: {command}")
        rates.append(int(steps) / float(seconds))
    return statistics.median(rates)


def main(simulate, quick):
    times, samples, theirs = (1, 20_000, 1_000) if quick else (3, 200_000, 10_000)
    mine = {system: rate_of(times, simulate, system, TASKS, samples, STEPS)
            for system in ("spec", "impl")}
    peer = rate_of(times, QUINT, "run", TASKS, theirs, STEPS)
    row("simulate: model alone against Quint, TypeScript", "1000 steps/s", mine["spec"], peer, 100)
    row("simulate: lockstep against Quint, TypeScript", "1000 steps/s", mine["impl"], peer)
    rust = subprocess.run([QUINT, "run", str(TASKS), str(theirs), str(STEPS), "rust"],
                          capture_output=True, text=True, check=False)
    if rust.returncode != 0:
        print("Quint's backend in Rust could not be fetched: left out", file=sys.stderr)
        return
    steps, seconds = rust.stdout.split()
    rate = int(steps) / float(seconds)
    row("simulate: model alone against Quint, Rust", "1000 steps/s", mine["spec"], rate)


if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--quick"]):
    print(__doc__, file=sys.stderr)
    sys.exit(2)
main(sys.argv[1], len(sys.argv) == 3)
