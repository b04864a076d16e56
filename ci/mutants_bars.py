"""What was measured of mutants, by engine, and the bars that it is held to: the page shows them,
and they decide the exit status of a whole run."""
import collections
import math
import re
import statistics

BUCKETS = (0.1, 1, 10, 60)
ORDER = ("random", "fuzz", "explore", "replay", "uniform", "lockstep", "litmus", "kernel", "prove")
OF_SPEC = ("lockstep", "litmus", "kernel")
REAL = re.compile(r"\b[0-9a-f]{12}\b|\bCVE-\d{4}-\d+")  # a commit, or a vulnerability, of Linux
ALL_SHRUNK = 4  # ops over the shortest known
Row = collections.namedtuple(
    "Row", "name engine limit promise idea shortest killed shown trials median p95 tried ops by "
           "seconds system")
# What is asked for, and whether it is so; None where that is for the reader to say.
Bar = collections.namedtuple("Bar", "what asked measured held")


def of_impl(mutant):
    return mutant.group not in ("spec", "bits")


def is_real(mutant):
    """Its idea names a defect that the kernel had."""
    return bool(REAL.search(mutant.idea))


def rank(values, part):
    """The value below which so large a part lies."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def shows(by):
    """A violation, where a checker that hangs or crashes has only failed."""
    return by != "hangs" and not by.startswith("crash")


def row(entry):
    trials = list(entry["trials"].values())
    killed = [t for t in trials if t["killed"]]
    seconds = [t["seconds"] for t in killed]
    ops = [t["ops"] for t in killed if t["ops"] is not None]
    tried = [t["tried"] for t in killed if t.get("tried") is not None]
    by = collections.Counter(t["by"] for t in killed)
    return Row(entry["mutant"], entry["engine"], entry["limit"], entry["promise"], entry["idea"],
               min([entry["shortest"], *ops]), len(killed), sum(shows(t["by"]) for t in killed),
               len(trials), statistics.median(seconds) if seconds else None,
               rank(seconds, 0.95) if seconds else None,
               round(statistics.median(tried)) if tried else None,
               max(ops) if ops else None, by.most_common(1)[0][0] if by else "", seconds,
               entry.get("system", ""))


def by_engine(entries):
    engines = {}
    for entry in entries:
        engines.setdefault(entry["engine"], []).append(row(entry))
    return {e: sorted(engines[e], key=lambda r: r.name) for e in ORDER if e in engines}


def most(rows):
    return max((r.trials for r in rows), default=0)


def complete(rows):
    """Killed in every trial, and in as many as the others had."""
    trials = most(rows)
    return [r for r in rows if r.killed == r.trials == trials]


def share(part, whole):
    return f"{part} of {whole} ({100 * part // whole} %)" if whole else "none"


def seconds(value):
    return "-" if value is None else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def traceless(rows):
    """Killed without a trace that could be made small, as by a crash."""
    return [r for r in rows if r.killed and r.ops is None]


def facts(rows):
    """What the whole of one engine's rows says, as pairs."""
    n, whole = len(rows), complete(rows)
    medians = [r.median for r in whole]
    out = [("killed in every trial", share(len(whole), n))]
    for bucket in BUCKETS:
        out.append((f"median time to kill at most {bucket} s",
                    share(sum(m <= bucket for m in medians), n)))
    if medians:
        out.append(("median of the medians", seconds(statistics.median(medians)) + " s"))
    tried = [r.tried for r in whole if r.tried is not None]
    if tried:
        out.append(("ops until it is killed: median, and where 80 % and 95 % of them are",
                    ", ".join(f"{rank(tried, part):,}" for part in (0.5, 0.8, 0.95))))
    small = [r for r in rows if r.ops is not None]
    if small:
        out.append(("shrunk to at most 8 ops, in the worst trial",
                    share(sum(r.ops <= 8 for r in small), len(small))))
        out.append((f"at most {ALL_SHRUNK} ops over the shortest known",
                    share(sum(r.ops <= r.shortest + ALL_SHRUNK for r in small), len(small))))
        out.append(("killed without a trace to make small", share(len(traceless(rows)), n)))
    return out


Comparison = collections.namedtuple("Comparison", "ratio count missed limit")


def comparison(engines, engine="random"):
    """How much sooner an engine kills than the plain way. Where that is beyond its limit, the
    ratio is more than the limit says."""
    plain = {r.name: r for r in engines.get("uniform", ())}
    ratios, missed = [], 0
    for r in complete(engines.get(engine, ())):
        if r.name not in plain:
            continue
        other = plain[r.name]
        beyond = other.killed * 2 <= other.trials
        missed += beyond
        ratios.append((other.limit if beyond else other.median) / r.median)
    if not ratios:
        return None
    limit = max(r.limit for r in plain.values())
    return Comparison(statistics.median_low(ratios), len(ratios), missed, limit)


def told(c):
    return f"{c.ratio:.1f} times sooner over {c.count} mutants, where one of the {c.missed} that " \
        f"the plain way misses in {c.limit} s counts as found then"


def bar(what, percent, good, rows, more=""):
    """A part of the rows that must be good."""
    return Bar(what, f"{percent} %", share(len(good), len(rows)) + more,
               100 * len(good) >= percent * len(rows))


def random_bars(rows):
    limit, trials, whole = rows[0].limit, most(rows), complete(rows)
    small = [r for r in rows if r.ops is not None]
    none = len(traceless(rows))
    more = f"; {none} gave no trace" if none else ""
    return [
        bar(f"killed by random testing, {limit} s each, in {trials} of {trials} trials", 100,
            whole, rows),
        bar("median time to kill at most 0.1 s", 80, [r for r in whole if r.median <= 0.1], rows),
        bar("median time to kill at most 1 s", 95, [r for r in whole if r.median <= 1], rows),
        bar("shrunk to at most 8 ops, in the worst trial", 95, [r for r in small if r.ops <= 8],
            small, more),
        bar(f"at most {ALL_SHRUNK} ops over the shortest known, in the worst trial", 100,
            [r for r in small if r.ops <= r.shortest + ALL_SHRUNK], small, more)]


def of_spec(engines):
    """The mutants of the spec: all that were judged, those that some engine contradicts in every
    trial, and those of the rest that only make one hang or crash."""
    rows = [r for engine in OF_SPEC for r in engines.get(engine, ())]
    judged = sorted({r.name for r in rows})
    caught = {r.name for r in rows if r.shown == r.trials}
    ended = {r.name for r in rows if r.killed == r.trials} - caught
    return judged, [n for n in judged if n in caught], [n for n in judged if n in ended]


def bars(engines):
    """What is asked of the net, and what was measured."""
    out = []
    if rows := engines.get("random"):
        out += random_bars(rows)
    if rows := engines.get("replay"):
        out.append(bar("killed by replaying the regressions", 90, complete(rows), rows))
    if found := comparison(engines):
        out.append(Bar("against the plain way, at the median mutant", "10 times", told(found),
                       found.ratio >= 10))
    judged, caught, ended = of_spec(engines)
    if judged:
        more = f"; {len(ended)} only hang or crash" if ended else ""
        out.append(bar("mutants of the spec, contradicted by lockstep, litmus traces or kernel",
                       100, caught, judged, more))
    if rows := engines.get("prove"):
        out.append(bar("mutants of the bit logic, caught by proof", 100, complete(rows), rows))
    return out


def duration(engines, spent):
    """How long the whole table took, where every engine was at work."""
    if not all(e in engines and e in spent for e in ORDER):
        return []
    return [Bar("whole table, on this machine", "20 minutes on two cores",
                f"{sum(spent.values()) / 60:.1f} minutes", None)]
