"""What ci/mutants.py found, as lines, as a page of the manual, and as a picture."""
import math
import subprocess

from mutants_bars import (bars, by_engine, comparison, duration, facts, is_real, most, of_impl,
                          of_spec, seconds, told, traceless)

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
COMPARED = ("fuzz", "explore", "uniform")  # they are there to compare with, and miss many
HEAD = f"{'mutant':44} {'killed':>7} {'median':>8} {'95 %':>8} {'ops':>4}  by"


def line(r):
    ops = "-" if r.ops is None else r.ops
    by = r.by or "SURVIVED"
    return f"{r.name:44} {f'{r.killed}/{r.trials}':>7} {seconds(r.median):>8} " \
        f"{seconds(r.p95):>8} {ops:>4}  {by}"


def totals(rows):
    lines = [f"{what}: {value}" for what, value in facts(rows)]
    lines += [f"survived: {r.name} ({r.killed}/{r.trials})" for r in rows if r.killed < r.trials]
    return "\n".join(lines)


def commit(root):
    """What the page was made of, where git can tell."""
    try:
        done = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"],
                              capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def introduction(root, mutants):
    ours = [m for m in mutants if of_impl(m)]
    made = commit(root)
    return ["# Mutants", "",
            "How good is the net? Each mutant is our implementation with one defect: "
            f"{sum(map(is_real, ours))} of the",
            f"{len(ours)} name the commit or the CVE of a defect that Linux really had, the others "
            "were thought",
            "of; or it is a rule of the spec, or an expression of the bit logic, that is wrong.",
            "`ci/mutants.sh --markdown docs/mutants.md` writes this page of what was measured"
            + (f", here of commit {made};" if made else ";"),
            "`ci/mutants.sh --help` says how to measure. The time is until the violation is seen,",
            "without the start of the process and the shrinking; for fuzz, explore and the proofs,",
            "and where a mutant crashes or hangs, it is that of the process. One hangs that",
            "computes for longer than any trace does, or that is not done 20 s after its limit,",
            "when it is ended: it counts as killed then. The ops run until the violation, a",
            "median, say the same whatever else the machine does; the ops after them are those of",
            "the shrunk trace, the longest of all trials; where one stayed longer than four,",
            "another violation may have had a shorter one.", ""]


def write(path, root, mutants, entries, missing, spent, notes):
    """`missing` are lines about what is not known, or not of the sources as they are."""
    engines = by_engine(entries)
    out = introduction(root, mutants)
    out += ["| what | bar | measured |", "| --- | --- | --- |"]
    out += [f"| {b.what} | {b.asked} | {b.measured} |"
            for b in [*bars(engines), *duration(engines, spent)]]
    out.append("")
    if none := named(traceless(engines.get("random", ()))):
        out += [f"Random testing has no trace of these to make small, as they end the process: "
                f"{none}.", ""]
    if ended := of_spec(engines)[2]:
        out += ["Mutants of the spec that no engine contradicts, but that make one hang or crash: "
                + ", ".join(f"`{name}`" for name in ended) + ".", ""]
    if missing:
        out += ["Not on this page:", "", *(f"* {said}" for said in missing), ""]
    out += [notes.read_text().rstrip(), ""] if notes.exists() else []
    out += [f"![Mutants killed over time]({path.with_suffix('.svg').name})", ""]
    for engine in engines:
        out += section(engines, engine)
    for engine, title in (("random", "Each mutant of the implementation, by random testing"),
                          ("lockstep", "Each mutant of the spec, in lockstep"),
                          ("prove", "Each mutant of the bit logic, by proof")):
        if engine in engines:
            out += [f"## {title}", "", *table(engines[engine]), ""]
    path.write_text("\n".join(out).rstrip() + "\n")
    path.with_suffix(".svg").write_text(picture(engines))


def named(rows):
    return ", ".join(f"`{r.name}`" for r in rows)


def section(engines, engine):
    rows = engines[engine]
    each = f"{most(rows)} trial{'s' * (most(rows) > 1)} each of at most {rows[0].limit} s"
    drawn = f"{len(rows)} mutants"
    if engine in COMPARED and len(rows) < len(engines.get("random", ())):
        drawn = f"{len(rows)} of {len(engines['random'])} mutants, drawn from all groups alike"
    where = "; ".join(sorted({r.system for r in rows if r.system}))
    out = [f"## {engine}", "", SAYS[engine], "", f"{drawn}, {each}{where and ', on ' + where}.",
           "", "| what | result |", "| --- | --- |"]
    out += [f"| {what} | {value} |" for what, value in facts(rows)]
    if engine in ("random", "fuzz", "explore", "replay") and (found := comparison(engines, engine)):
        out.append(f"| against the plain way, at the median of those it kills | {told(found)} |")
    return [*out, *missed(engine, [r for r in rows if r.killed < r.trials]), ""]


def missed(engine, rows):
    if not rows:
        return []
    if engine not in COMPARED:
        return ["", f"Missed, in a trial at least: {named(rows)}."]
    return ["", f"<details><summary>Missed: {len(rows)}</summary>", "", f"{named(rows)}.", "",
            "</details>"]


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
        d += f"H{x(max([r.limit for r in rows] + times)):.1f}"
        out.append(f'<path d="{d}" fill="none" stroke="{colours[engine]}" stroke-width="2"/>'
                   f'<text x="{width - 100}" y="{40 + 18 * n}" fill="{colours[engine]}">'
                   f'{engine}</text>')
    out.append("</svg>")
    return "\n".join(out) + "\n"
