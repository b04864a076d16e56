"""What the benchmarks share whose peers are programs: how they run one, and the lines of the table
that bench/run makes, their columns separated by tabs."""
import statistics
import subprocess
import sys


def give_up(why):
    print(f"not measured: {why}", file=sys.stderr)
    sys.exit(3)


def output_of(*command):
    ran = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, check=False)
    if ran.returncode != 0:
        give_up(f"status {ran.returncode}: {' '.join(str(word) for word in command)}")
    return ran.stdout


def median_of(times, measure):
    """What was found, and in how many seconds by the median."""
    runs = [measure() for _ in range(times)]
    if len({found for found, _ in runs}) != 1:
        give_up(f"runs differ: {runs}")
    return runs[0][0], statistics.median(seconds for _, seconds in runs)


def number(value):
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def row(what, unit, mine, theirs, bar=None):
    """A line of the table; rates are printed in thousands."""
    ratio = mine / theirs
    met = "-" if bar is None else "yes" if ratio >= bar else "NO"
    print(what, unit, number(mine / 1000), number(theirs / 1000), number(ratio),
          "-" if bar is None else f">= {bar} x", met, sep="\t", flush=True)
