# What ci/mutants.py found, as lines, as a page of the manual, and as a picture.
import collections
import math
import statistics

BUCKETS = (0.1, 1, 10, 60)
ORDER = ("random", "fuzz", "explore", "replay", "uniform", "lockstep", "litmus", "kernel", "prove")
SAYS = {
    "random": "Traces drawn with an eye on the model, each from a seed of its own.",
    "fuzz": "libFuzzer on the byte form, from nothing (`fuzz_lifecycle`, without sanitizers).",
    "explore": "Every trace of at most 3 tasks and 5 steps, all ops, until the time is over.",
    "replay": "The litmus traces of `fuzz/corpus/regressions/`.",
    "uniform": "The plain way to compare with: ops drawn from dice that do not look at the model, "
               "everything compared after every step.",
    "lockstep": "Mutants of the spec: our implementation in lockstep with a spec that has a wrong "
                "rule, random traces.",
    "litmus": "The same mutants: what the litmus traces expect, alone.",
    "kernel": "The same mutants: the litmus traces on the kernel that runs here.",
    "prove": "Mutants of the bit logic, all obligations of `forkproof prove`."}
HEAD = f"{'mutant':44} {'killed':>7} {'median':>8} {'95 %':>8} {'ops':>4}  by"
Row = collections.namedtuple(
    "Row",
    "name engine limit promise idea shortest killed trials median p95 tried ops by seconds")


def rank(values, part):
    """The value below which so large a part lies."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def row(entry):
    trials = list(entry["trials"].values())
    killed = [t for t in trials if t["killed"]]
    seconds = [t["seconds"] for t in killed]
    ops = [t["ops"] for t in killed if t["ops"] is not None]
    tried = [t["tried"] for t in killed if t.get("tried") is not None]
    by = collections.Counter(t["by"] for t in killed)
    return Row(entry["mutant"], entry["engine"], entry["limit"], entry["promise"], entry["idea"],
               min([entry["shortest"], *ops]), len(killed), len(trials),
               statistics.median(seconds) if seconds else None,
               rank(seconds, 0.95) if seconds else None,
               round(statistics.median(tried)) if tried else None,
               max(ops) if ops else None, by.most_common(1)[0][0] if by else "", seconds)


def seconds(value):
    return "-" if value is None else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def line(r):
    ops = "-" if r.ops is None else r.ops
    by = r.by or "SURVIVED"
    return f"{r.name:44} {f'{r.killed}/{r.trials}':>7} {seconds(r.median):>8} " \
        f"{seconds(r.p95):>8} {ops:>4}  {by}"


def share(part, whole):
    return f"{part} of {whole} ({100 * part // whole} %)" if whole else "none"


def facts(rows):
    """What the whole of one engine's rows says, as pairs."""
    n = len(rows)
    complete = [r for r in rows if r.killed == r.trials]
    medians = [r.median for r in complete]
    out = [("killed in every trial", share(len(complete), n))]
    for bucket in BUCKETS:
        out.append((f"median time to kill at most {bucket} s",
                    share(sum(m <= bucket for m in medians), n)))
    if medians:
        out.append(("median of the medians", seconds(statistics.median(medians)) + " s"))
    tried = [r.tried for r in complete if r.tried is not None]
    if tried:
        out.append(("ops until it is killed: median, and where 80 % and 95 % of them are",
                    ", ".join(f"{rank(tried, part):,}" for part in (0.5, 0.8, 0.95))))
    small = [r for r in rows if r.ops is not None]
    if small:
        out.append(("shrunk to at most 8 ops, in the worst trial",
                    share(sum(r.ops <= 8 for r in small), len(small))))
        out.append(("at most 4 ops over the shortest known",
                    share(sum(r.ops <= r.shortest + 4 for r in small), len(small))))
    return out


def totals(rows):
    lines = [f"{what}: {value}" for what, value in facts(rows)]
    lines += [f"survived: {r.name} ({r.killed}/{r.trials})" for r in rows if r.killed < r.trials]
    return "\n".join(lines)


def by_engine(entries):
    engines = {}
    for entry in entries:
        engines.setdefault(entry["engine"], []).append(row(entry))
    return {e: sorted(engines[e], key=lambda r: r.name)
            for e in ORDER if e in engines}


def comparison(engines, engine="random"):
    """How much sooner an engine kills than the plain way. Where that is beyond its limit, the
    ratio is more than the limit says."""
    if engine not in engines or "uniform" not in engines:
        return []
    plain = {r.name: r for r in engines["uniform"]}
    ratios, missed = [], 0
    for r in engines[engine]:
        if r.name not in plain or r.killed < r.trials:
            continue
        other = plain[r.name]
        beyond = other.killed * 2 <= other.trials
        missed += beyond
        ratios.append((other.limit if beyond else other.median) / r.median)
    if not ratios:
        return []
    limit = engines["uniform"][0].limit
    return [f"{statistics.median_low(ratios):.1f} times sooner over {len(ratios)} mutants, where "
            f"one of the {missed} that the plain way misses in {limit} s counts as found then"]


BARS = "| what | bar | measured |", "| --- | --- | --- |"


def part(rows, good):
    return share(sum(map(good, rows)), len(rows))


def bars(engines):
    """What is asked of the net, and what was measured."""
    out = list(BARS)
    if rows := engines.get("random"):
        small = [r for r in rows if r.ops is not None]
        limit, least = rows[0].limit, max(r.trials for r in rows)
        caught = [r for r in rows if r.median is not None]
        out += [
            f"| killed by random testing, {limit} s each, in {least} of {least} trials | 100 % | "
            f"{part(rows, lambda r: r.killed == r.trials)} |",
            f"| median time to kill at most 0.1 s | 80 % | "
            f"{part(rows, lambda r: r in caught and r.median <= 0.1)} |",
            f"| median time to kill at most 1 s | 95 % | "
            f"{part(rows, lambda r: r in caught and r.median <= 1)} |",
            f"| shrunk to at most 8 ops, in the worst trial | 95 % | "
            f"{part(small, lambda r: r.ops <= 8)} |",
            f"| at most 4 ops over the shortest known, in the worst trial | 100 % | "
            f"{part(small, lambda r: r.ops <= r.shortest + 4)} |"]
    if rows := engines.get("replay"):
        out.append(f"| killed by replaying the regressions | 90 % | "
                   f"{part(rows, lambda r: r.killed == r.trials)} |")
    if said := comparison(engines):
        out.append(f"| against the plain way, at the median mutant | 10 times | {said[0]} |")
    spec = {}
    for engine in ("lockstep", "litmus", "kernel"):
        for r in engines.get(engine, ()):
            spec[r.name] = spec.get(r.name, False) or r.killed == r.trials
    if spec:
        out.append("| mutants of the spec, caught by lockstep, litmus traces or kernel | 100 % | "
                   f"{share(sum(spec.values()), len(spec))} |")
    if rows := engines.get("prove"):
        out.append(f"| mutants of the bit logic, caught by proof | 100 % | "
                   f"{part(rows, lambda r: r.killed == r.trials)} |")
    return out


def duration(engines, spent):
    """How long the whole table took, where every engine was at work."""
    if not all(e in engines and e in spent for e in ORDER):
        return []
    return ["| whole table, on this machine | 20 minutes on two cores | "
            f"{sum(spent.values()) / 60:.1f} minutes |"]


def write(path, entries, spent, notes):
    engines = by_engine(entries)
    out = ["# Mutants", "",
           "How good is the net? Each mutant is our implementation with one defect, mostly one",
           "that Linux really had; or a rule of the spec, or an expression of the bit logic, that",
           "is wrong. `ci/mutants.sh --markdown docs/mutants.md` writes this page of what was",
           "measured; `ci/mutants.sh --help` says how to measure. The time is until the violation",
           "is seen, without the start of the process and the shrinking; for fuzz, explore and the",
           "proofs, and where a mutant crashes or hangs, it is that of the process. The ops run",
           "until then, a median, say the same whatever else the machine does; the ops after",
           "them are those of the shrunk trace, the longest of all trials; where one stayed longer",
           "than four, another violation may have had a shorter one.", "", *bars(engines),
           *duration(engines, spent), ""]
    out += [notes.read_text().rstrip(), ""] if notes.exists() else []
    out += [f"![Mutants killed over time]({path.with_suffix('.svg').name})", ""]
    for engine, rows in engines.items():
        trials = max(r.trials for r in rows)
        each = f"{trials} trial{'s' * (trials > 1)} each of at most {rows[0].limit} s"
        drawn = f"{len(rows)} mutants"
        if engine in ("fuzz", "explore", "uniform") and len(rows) < len(engines.get("random", ())):
            drawn = f"{len(rows)} of {len(engines['random'])} mutants, drawn from all groups alike"
        out += [f"## {engine}", "", SAYS[engine], "", f"{drawn}, {each}.", "",
                "| what | result |", "| --- | --- |"]
        out += [f"| {what} | {value} |" for what, value in facts(rows)]
        if engine in ("random", "fuzz", "explore", "replay"):
            out += [f"| against the plain way, at the median of those it kills | {said} |"
                    for said in comparison(engines, engine)]
        missed = [f"`{r.name}`" for r in rows if r.killed < r.trials]
        if missed and engine not in ("uniform", "explore", "kernel", "litmus"):
            out += ["", "Missed, in a trial at least: " + ", ".join(missed) + "."]
        out.append("")
    for engine, title in (("random", "Each mutant of the implementation, by random testing"),
                          ("lockstep", "Each mutant of the spec, in lockstep"),
                          ("prove", "Each mutant of the bit logic, by proof")):
        if engine in engines:
            out += [f"## {title}", "", *table(engines[engine]), ""]
    path.write_text("\n".join(out).rstrip() + "\n")
    path.with_suffix(".svg").write_text(picture(engines))


def table(rows):
    out = ["| mutant | promise | idea | killed | median s | 95 % s | ops run | ops (shortest) | "
           "by |",
           "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for r in rows:
        ops = "-" if r.ops is None else f"{r.ops} ({r.shortest})"
        tried = "-" if r.tried is None else f"{r.tried:,}"
        out.append(f"| {r.name} | {r.promise} | {r.idea} | {r.killed}/{r.trials} | "
                   f"{seconds(r.median)} | {seconds(r.p95)} | {tried} | {ops} | "
                   f"{r.by or '**survived**'} |")
    return out


def picture(engines):
    """The part of the trials that has killed, over time on a scale of powers of ten."""
    width, height, left, bottom, first, last = 640, 320, 50, 40, -5, 2
    colours = {"random": "#0a6", "fuzz": "#93c", "explore": "#a70", "replay": "#06c",
               "uniform": "#c33"}
    engines = {e: rows for e, rows in engines.items() if e in colours}

    def x(t):
        return left + (width - left - 110) * (math.log10(t) - first) / (last - first)

    def y(part):
        return 10 + (height - bottom - 10) * (1 - part)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="white"/>']
    for power in range(first, last + 1):
        at = x(10.0 ** power)
        out.append(f'<path d="M{at:.1f} {y(1)}V{y(0)}" stroke="#ddd"/>'
                   f'<text x="{at:.1f}" y="{y(0) + 16}" text-anchor="middle">{10.0 ** power:g} s'
                   '</text>')
    for part in (0, 0.5, 1):
        out.append(f'<path d="M{left} {y(part)}H{x(10.0 ** last)}" stroke="#ddd"/>'
                   f'<text x="{left - 6}" y="{y(part) + 4}" text-anchor="end">{part:.0%}</text>')
    for n, (engine, rows) in enumerate(engines.items()):
        total = sum(r.trials for r in rows)
        times = sorted(max(s, 10.0 ** first) for r in rows for s in r.seconds)
        d = f"M{left} {y(0)}"
        for i, t in enumerate(times):
            d += f"H{x(t):.1f}V{y((i + 1) / total):.1f}"
        d += f"H{x(max(r.limit for r in rows)):.1f}"
        out.append(f'<path d="{d}" fill="none" stroke="{colours[engine]}" stroke-width="2"/>'
                   f'<text x="{width - 100}" y="{40 + 18 * n}" fill="{colours[engine]}">'
                   f'{engine}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
