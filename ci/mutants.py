# Seeds defects and sees whether they are caught: the second half of ci/mutants.sh, which says how.
# usage: mutants.py ROOT [OPTION...] [NAME...]
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import mutants_page
import mutants_plan
from mutants_build import Bad, Workshop, call, digest, kind_of, read

ROOT = pathlib.Path(sys.argv[1])
OBJECTS = ROOT / "build/mutants"
LITMUS = ROOT / "fuzz/corpus/regressions"
RECORDED = ROOT / "fuzz/corpus/recorded"
GRACE = 20  # seconds more than the limit that a process may take, to make its trace small
ENGINES = {  # and the groups of mutants that they judge; None: those of impl/
    "random": None, "replay": None, "uniform": None, "explore": None, "fuzz": None,
    "litmus": "spec", "lockstep": "spec", "kernel": "spec", "prove": "bits"}
ONCE = ("replay", "explore", "litmus", "kernel", "prove")  # every seed is alike


def steps(trace):
    """The ops of a trace: an actor, a colon, and what it does."""
    lines = [line.partition("#")[0] for line in trace.splitlines()]
    return sum(": " in line for line in lines)


def verdict_of(report, spent):
    found = report["violations"][0]
    ops = steps(found["trace"])
    by = found["kind"] if found["kind"] == "unsound" else found["rule"]
    when = spent if found["engine"] == "explore" else found["found_after"]
    return {"killed": found["kind"] != "unknown", "by": by, "seconds": when,
            "ops": ops if found["engine"] in ("random", "explore") else None,
            "tried": report["ops"] if found["engine"] != "replay" else None,
            "where": found["name"]}


def fuzz_verdict(said, spent):
    """libFuzzer ends with a status of its own; what is violated stands in the report."""
    for line in said.splitlines():
        if "VIOLATION of" in line:
            by = line.partition("VIOLATION of ")[2].split()[0]
            return {"killed": True, "by": by, "seconds": spent, "ops": None}
    kind = "hangs" if "timeout" in said else "crash"
    return {"killed": True, "by": kind, "seconds": spent, "ops": None}


def command_of(options, built, seed, promise=()):
    """How an engine is called on what was built of a mutant."""
    system, limit = f"mutant:{built}", f"{options.time}s"
    check = ["check", "--json", "--seed", str(seed), "--time", limit]
    match options.engine:
        case "random" | "uniform":
            return [options.command, *check, "--system", system, "--engine", options.engine]
        case "replay":
            return [options.command, "replay", "--json", "--system", system, LITMUS]
        case "explore":
            return [options.command, "explore", "--json", "--system", system, "--tasks", "3",
                    "--depth", "5", "--jobs", "1", "--seconds", str(options.time), "--ops",
                    options.ops]
        case "fuzz":
            return [options.fuzzer, f"-seed={seed % 2**31 or 1}",
                    f"-max_total_time={options.time}", "-timeout=5", "-max_len=96",
                    "-rss_limit_mb=2048"]
        case "litmus":  # the changed model is the system, too: only what is written down objects
            return [built, "replay", "--json", "--system", "spec", LITMUS]
        case "lockstep":
            return [built, *check, "--system", "impl", "--engine", "random"]
        case "kernel":
            return [built, "replay", "--json", "--system", "linux", LITMUS]
        case "prove":  # what it breaks first: one that is not proved is enough
            return [built, "prove", *promise]


def trial(options, built, seed, promise):
    """One run in a process of its own: whether the mutant was caught, by what, how soon."""
    if options.engine == "prove":
        with tempfile.TemporaryDirectory() as scratch:
            first = command_of(options, built, seed, [promise])
            verdict = outcome_of(options, first, scratch, "")
        if verdict["killed"]:
            return verdict
    command = command_of(options, built, seed)
    with tempfile.TemporaryDirectory() as scratch:
        return outcome_of(options, command, scratch, f"mutant:{built}")


def outcome_of(options, command, scratch, system):
    start = time.monotonic()
    surroundings = dict(os.environ, FORKPROOF_SYSTEM=system, XDG_CACHE_HOME=str(OBJECTS / "cache"))
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          cwd=scratch, env=surroundings) as child:
        try:
            out, err = child.communicate(timeout=options.time + GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            if options.engine == "prove":  # a solver that is slow has refuted nothing
                return {"killed": False, "by": None, "seconds": options.time, "ops": None}
            return {"killed": True, "by": "hangs", "seconds": options.time, "ops": None}
    spent = time.monotonic() - start
    if options.engine == "prove" and child.returncode == 1:
        lost = [line.split()[1] for line in out.splitlines() if line.startswith("BROKEN")]
        # What is only UNPROVED has no counterexample: the solver was given too little time.
        return {"killed": bool(lost), "by": lost[0] if lost else None, "seconds": spent,
                "ops": None}
    if options.engine == "fuzz" and child.returncode > 0:
        return fuzz_verdict(err, spent)
    if child.returncode == 1 and '"violations"' in out:
        return verdict_of(json.loads(out), spent)
    if child.returncode == 0:
        return {"killed": False, "by": None, "seconds": spent, "ops": None}
    if child.returncode == -signal.SIGPROF:
        return {"killed": True, "by": "hangs", "seconds": spent, "ops": None}
    if child.returncode < 0 or "Sanitizer" in err:
        sign = signal.Signals(-child.returncode).name if child.returncode < 0 else "sanitizer"
        return {"killed": True, "by": f"crash, {sign}", "seconds": spent, "ops": None}
    if command[0] != options.command and child.returncode == 2:  # a spec that reads no trace
        return {"killed": True, "by": "refuses", "seconds": spent, "ops": None}
    raise Bad(f"{system}: no verdict: {err.strip()}")


class Results:
    """What is known, in a file that is good at any moment."""

    def __init__(self, path, fresh):
        self.path, self.lock = path, threading.Lock()
        self.known, self.grown = {}, False
        if path.exists() and not fresh:
            self.known = json.loads(path.read_text())

    @property
    def spent(self):
        """Seconds by engine, of all runs since the file was begun."""
        return self.known.get("spent", {})

    def spend(self, engine, seconds):
        self.add("spent", self.spent | {engine: self.spent.get(engine, 0) + seconds})

    def add(self, key, value):
        with self.lock:
            self.known[key], self.grown = value, True
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps(self.known, indent=1) + "\n")
            part.replace(self.path)


def judge(mutant, options, workshop, results):
    """All trials of a mutant, those that are known already not again."""
    built = workshop.build(mutant)
    seeds = [1] if options.engine in ONCE else [1 + i * 1_000_000 for i in range(options.trials)]
    name = f"{options.engine} {mutant.name}"
    key = digest(built.name, options.state, options.corpus, str(options.time))
    before = results.known.get(name, {})
    have = before.get("trials", {}) if before.get("key") == key else {}
    todo = [s for s in seeds if str(s) not in have]
    for seed in todo:
        if sum(not t["killed"] for t in have.values()) >= options.misses:
            break
        have[str(seed)] = trial(options, built, seed, mutant.promise)
    entry = {"key": key, "engine": options.engine, "limit": options.time, "mutant": mutant.name,
             "promise": mutant.promise, "idea": mutant.idea, "shortest": mutant.shortest,
             "trials": have}
    if todo:
        results.add(name, entry)
    return mutants_page.row(entry)


def arguments():
    p = argparse.ArgumentParser(prog="ci/mutants.sh", add_help=False, allow_abbrev=False)
    p.add_argument("names", nargs="*")
    p.add_argument("--engine", choices=ENGINES, default="random")
    p.add_argument("--trials", type=int, default=10)
    p.add_argument("--time", type=int, default=60)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    whole = os.path.abspath  # what is run is run elsewhere
    p.add_argument("--command", type=whole, default=str(ROOT / "build/release/bin/forkproof"))
    p.add_argument("--fuzzer", type=whole, default=str(ROOT / "build/fuzz-fast/bin/fuzz_lifecycle"))
    p.add_argument("--patches", type=pathlib.Path, default=ROOT / "ci/mutants")
    p.add_argument("--results", type=pathlib.Path, default=OBJECTS / "results.json")
    p.add_argument("--markdown", type=pathlib.Path)
    p.add_argument("--smoke", action="store_true")
    p.add_argument("--whole", action="store_true")
    p.add_argument("--every", type=int)
    p.add_argument("--fresh", action="store_true")
    p.add_argument("--list", action="store_true")
    options = p.parse_args(sys.argv[2:])
    every = 1 if options.every is None else options.every
    if min(options.trials, options.time, options.jobs, every) < 1:
        p.error("--trials, --time, --jobs and --every: expected a number above 0")
    if options.smoke:
        options.trials = 1
        options.names = [line for line in (options.patches / "smoke").read_text().split()]
    options.misses = options.trials
    options.must = ("random", "lockstep", "prove") if options.whole else (options.engine,)
    return options


def chosen(options, mutants):
    for name in options.names:
        if not any(m.name == name or m.name.startswith(name + "/") for m in mutants):
            raise Bad(f"no mutant is called {name}")
    group = ENGINES[options.engine]
    mine = [m for m in mutants if (m.group if m.group in ("spec", "bits") else None) == group]
    named = [m for m in mine if not options.names or
             any(m.name == n or m.name.startswith(n + "/") for n in options.names)]
    return named[::options.every or 1]


def promises(command):
    """The rules and invariants, and what is proved."""
    ids = {line.split()[0] for line in call([command, "prove", "--list"]).splitlines() if line}
    for table in ("--rules", "--invariants"):
        ids |= {entry["id"] for entry in json.loads(call([command, "spec", table, "--json"]))}
    return ids


def listed(mutants):
    """Counts them, and those whose idea is a defect that the kernel had; finds what is stale."""
    groups, real, stale = {}, re.compile(r"\b[0-9a-f]{12}\b|\bCVE-\d{4}-\d+"), []
    for m in mutants:
        groups[m.group] = groups.get(m.group, 0) + 1
        try:
            call(["patch", "-p1", "--dry-run", "--forward", "--batch", "--fuzz=0", "-i", m.patch],
                 ROOT)
        except Bad as bad:
            stale.append(f"{m.name}: does not apply any more: {str(bad).splitlines()[-1]}")
    if stale:
        raise Bad("\n".join(stale))
    ours = [m for m in mutants if m.group not in ("spec", "bits")]
    print("\n".join(f"{group} {n}" for group, n in sorted(groups.items())))
    print(f"of impl/: {len(ours)}")
    print(f"of these from commits and CVEs: {sum(bool(real.search(m.idea)) for m in ours)}")
    return 0


def current(entries, mutants):
    """What is known of the mutants that there are."""
    names = {m.name for m in mutants}
    return [e for e in entries.values() if e.get("mutant") in names]


def look_up(options):
    """What an engine has to know besides the mutant; what was found without it is found anew."""
    tool = options.fuzzer if options.engine == "fuzz" else options.command
    options.state = digest(pathlib.Path(tool).read_bytes())
    traces = options.engine in ("replay", "litmus", "kernel")
    litmus = sorted(LITMUS.rglob("*.trace")) if traces else []
    options.corpus = digest(*(p.read_bytes() for p in litmus))
    if options.engine == "explore":
        ops = json.loads(call([options.command, "spec", "--ops", "--json"]))
        options.ops = ",".join(o["id"] for o in ops if o["by"] == "task")


def run_stage(options, mutants, results, pool):
    """One engine over all that it judges. Answers how many survived."""
    look_up(options)
    mutants = chosen(options, mutants)
    if not mutants:
        if options.whole:
            return 0
        raise Bad(f"{options.patches}: no mutants for {options.engine}")
    progress = mutants_plan.Progress(options.engine, len(mutants))
    kind = kind_of(ROOT, mutants[0].group, options.command)
    workshop = Workshop(ROOT, OBJECTS, kind)
    workshop.prepare(pool)
    rows, broken = [], []

    def judged(mutant):
        try:
            return judge(mutant, options, workshop, results)
        except Bad as bad:  # the others are judged all the same
            why = str(bad)
            broken.append(why if why.startswith(mutant.name) else f"{mutant.name}: {why}")
            return None

    try:
        for row in pool.map(judged, mutants):
            if row is None:
                continue
            rows.append(row)
            print(mutants_page.line(row), flush=True)
            progress.add(row.killed < row.trials)
    finally:
        if results.grown:
            results.spend(options.engine, progress.spent)
    print(mutants_page.totals(rows))
    if broken:
        raise Bad("\n".join(broken))
    return sum(row.killed < row.trials for row in rows)


def stages(options):
    if not options.whole:
        return [options]
    asked = {} if options.every is None else {"every": options.every}
    return [argparse.Namespace(**vars(options) | stage._asdict() | asked)
            for stage in mutants_plan.WHOLE]


def run(options):
    ids = promises(options.command)
    mutants = [read(p, options.patches, ids) for p in sorted(options.patches.rglob("*.patch"))]
    if options.list:
        return listed(mutants)
    OBJECTS.mkdir(parents=True, exist_ok=True)
    results = Results(options.results, options.fresh)
    survivors = {}
    print(mutants_page.HEAD, flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for stage in stages(options):
            survivors[stage.engine] = run_stage(stage, mutants, results, pool)
    if options.whole:
        print(f"the whole table: {sum(results.spent.values()) / 60:.1f} minutes")
    if options.markdown:
        mutants_page.write(options.markdown, current(results.known, mutants), results.spent,
                           options.patches / "notes.md")
    return 1 if any(n for engine, n in survivors.items() if engine in options.must) else 0


def main():
    try:
        return run(arguments())
    except (Bad, OSError) as bad:
        print(f"mutants: {bad}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
