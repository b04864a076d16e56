# Seeds defects and sees whether they are caught: the second half of ci/mutants.sh, which says how.
# usage: mutants.py ROOT [OPTION...] [NAME...]
import argparse
import json
import os
import pathlib
import sys
import tempfile

import mutants_bars
import mutants_page
import mutants_plan
from mutants_bars import is_real, of_impl
from mutants_build import Bad, Mutant, call, read
from mutants_children import Stopped, ends
from mutants_known import ENGINES, Results, State, check_names, chosen, current, system
from mutants_trial import TIMED, run, trial

ROOT = pathlib.Path(sys.argv[1])
OBJECTS = ROOT / "build/mutants"
ONCE = ("replay", "explore", "litmus", "kernel", "prove")  # every seed is alike
BRIEF = 1  # seconds that the unchanged code is given by an engine that finds nothing in it


class Job:
    """All trials of a mutant, those that are known already not again."""

    def __init__(self, mutant, options, state, results):
        self.mutant, self.options, self.state, self.results = mutant, options, state, results
        self.name = f"{options.engine} {mutant.name}"
        self.key = state.key(options.engine, mutant, options.time)
        before = results.known.get(self.name, {})
        self.have = before.get("trials", {}) if before.get("key") == self.key else {}

    @property
    def seed(self):
        """Of the next trial, if there is one to come."""
        if sum(not t["killed"] for t in self.have.values()) >= self.options.misses:
            return None
        trials = 1 if self.options.engine in ONCE else self.options.trials
        seeds = (1 + i * 1_000_000 for i in range(trials))
        return next((s for s in seeds if str(s) not in self.have), None)

    @property
    def entry(self):
        m, engine = self.mutant, self.options.engine
        where = {"system": system()} if engine == "kernel" else {}
        return {"key": self.key, "engine": engine, "limit": self.options.time, "mutant": m.name,
                "promise": m.promise, "idea": m.idea, "shortest": m.shortest,
                "trials": self.have} | where

    def judge(self):
        """What is finished is kept, whatever becomes of the next trial."""
        if self.seed is not None:
            built, before = self.build(), len(self.have)
            try:
                while (seed := self.seed) is not None:
                    self.have[str(seed)] = trial(self.options, built, seed, self.mutant.promise)
            finally:
                if len(self.have) > before:
                    self.results.add(self.name, self.entry)
        return mutants_bars.row(self.entry)

    def build(self):
        built = self.state.shop(self.options.engine).build(self.mutant)
        if built.name != self.state.name_of(self.options.engine, self.mutant):
            raise Bad(f"{built.name}: its sources have changed since this run began")
        return built


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
    for flag in ("--smoke", "--whole", "--fresh", "--list"):
        p.add_argument(flag, action="store_true")
    p.add_argument("--every", type=int)
    options = p.parse_args(sys.argv[2:])
    every = 1 if options.every is None else options.every
    if min(options.trials, options.time, options.jobs, every) < 1:
        p.error("--trials, --time, --jobs and --every: expected a number above 0")
    if options.smoke:
        options.trials = 1
        options.names = [line for line in (options.patches / "smoke").read_text().split()]
    options.misses = options.trials
    options.litmus, options.cache = ROOT / "fuzz/corpus/regressions", OBJECTS / "cache"
    return options


def mutants_of(options):
    """A mutant breaks a rule or an invariant; one of the bit logic, what is proved of that."""
    said = call([options.command, "prove", "--list"]).splitlines()
    proved, rules = {line.split()[0] for line in said if line[:1].strip()}, set()
    for table in ("--rules", "--invariants"):
        entries = json.loads(call([options.command, "spec", table, "--json"]))
        rules |= {entry["id"] for entry in entries}
    patches = sorted(options.patches.rglob("*.patch"))
    bits = options.patches / "bits"
    return [read(p, options.patches, proved if bits in p.parents else rules) for p in patches]


def listed(mutants):
    """Counts them, and those whose idea is a defect that the kernel had; finds what is stale."""
    groups, stale = {}, []
    for m in mutants:
        groups[m.group] = groups.get(m.group, 0) + 1
        try:
            call(["patch", "-p1", "--dry-run", "--forward", "--batch", "--fuzz=0", "-i", m.patch],
                 ROOT)
        except Bad as bad:
            stale.append(f"{m.name}: does not apply any more: {str(bad).splitlines()[-1]}")
    if stale:
        raise Bad("\n".join(stale))
    ours = [m for m in mutants if of_impl(m)]
    print("\n".join(f"{group} {n}" for group, n in sorted(groups.items())))
    print(f"of impl/: {len(ours)}")
    print(f"of these from commits and CVEs: {sum(map(is_real, ours))}")
    return 0


def control(options, mutants, shop):
    """What kills the unchanged code as well has told nothing of any mutant."""
    with tempfile.TemporaryDirectory() as scratch:
        nothing = pathlib.Path(scratch) / "nothing.patch"
        nothing.touch()
        built = shop.build(Mutant("control", nothing, "", "", 0))
    brief = argparse.Namespace(**vars(options))
    if options.engine in (*TIMED, "explore"):
        brief.time = BRIEF
    verdict = run(brief, built, 1, sorted({m.promise for m in mutants}))
    if verdict["killed"]:
        raise Bad(f"{options.engine}: nothing is judged: the unchanged code is killed as well, by "
                  f"{verdict['by']}")


def prepare(options, mutants, state, pool):
    """Not needed where all is known."""
    if options.engine == "explore":
        ops = json.loads(call([options.command, "spec", "--ops", "--json"]))
        options.ops = ",".join(o["id"] for o in ops if o["by"] == "task")
    shop = state.shop(options.engine)
    shop.prepare(pool)
    pool.submit(control, options, mutants, shop).result()


def run_stage(options, mutants, state, results, pool):
    """One engine over all that it judges. Answers how many survived."""
    engine, mutants = options.engine, chosen(options, mutants)
    if not mutants:
        if options.whole:
            return 0
        raise Bad(f"{options.patches}: no mutants for {engine}")
    if options.fresh:
        results.forget(engine, mutants, not options.names)
    progress, before = mutants_plan.Progress(engine, len(mutants)), results.changes
    jobs = [Job(m, options, state, results) for m in mutants]
    try:
        if any(job.seed is not None for job in jobs):
            prepare(options, mutants, state, pool)
        rows = judged(jobs, options.children, progress, pool)
    finally:
        if results.changes > before:
            results.spend(engine, state.whole(engine), progress.spent)
    return sum(row.killed < row.trials for row in rows)


def judged(jobs, children, progress, pool):
    """Who has no verdict does not keep the others from being judged."""
    rows, broken = [], []

    def one(job):
        try:
            return job.judge()
        except Bad as bad:
            if children.signal:  # its compiler was ended
                raise Stopped from None
            why = str(bad)
            broken.append(why if why.startswith(job.mutant.name) else f"{job.mutant.name}: {why}")
            return None

    for row in pool.map(one, jobs):
        if row is not None:
            rows.append(row)
            print(mutants_page.line(row), flush=True)
            progress.add(row.killed < row.trials)
    print(mutants_page.totals(rows), flush=True)
    if broken:
        raise Bad("\n".join(broken))
    return rows


def stages(options):
    if not options.whole:
        return [options]
    asked = {} if options.every is None else {"every": options.every}
    return [argparse.Namespace(**vars(options) | stage._asdict() | asked)
            for stage in mutants_plan.WHOLE]


def whole_table(options, mutants, state, results):
    """How long it took, and 1 if a bar is missed."""
    asked = {(s.engine, m.name) for s in stages(options) for m in chosen(s, mutants)}
    mine = [e for e in current(state, mutants, results)[0] if (e["engine"], e["mutant"]) in asked]
    minutes = sum(spent_of(state, results).values()) / 60
    print(f"the whole table: {minutes:.1f} minutes")
    found = mutants_bars.bars(mutants_bars.by_engine(mine))
    print("\n".join(f"{'met' if b.held else 'missed'}: {b.what}: {b.measured}; the bar is {b.asked}"
                    for b in found))
    return 0 if all(b.held for b in found) else 1


def spent_of(state, results):
    known = {e for e in ENGINES if e in results.known.get("spent", {})}
    spent = {e: results.spent(e, state.whole(e)) for e in known}
    return {e: seconds for e, seconds in spent.items() if seconds is not None}


def write_page(options, mutants, state, results):
    entries, missing = current(state, mutants, results)
    for said in missing:
        print(f"not on the page: {said}", file=sys.stderr)
    mutants_page.write(options.markdown, ROOT, mutants, entries, missing, spent_of(state, results),
                       options.patches / "notes.md")


def work(options):
    mutants = mutants_of(options)
    if options.list:
        return listed(mutants)
    check_names(options, mutants)
    OBJECTS.mkdir(parents=True, exist_ok=True)
    results, state = Results(options.results), State(ROOT, OBJECTS, options)
    survivors = 0
    print(mutants_page.HEAD, flush=True)
    try:
        with options.children.pool(options.jobs) as pool:
            for stage in stages(options):
                survivors += run_stage(stage, mutants, state, results, pool)
    finally:
        results.flush()
    status = 1 if survivors else 0
    if options.whole:
        status = whole_table(options, mutants, state, results)
    if options.markdown:
        write_page(options, mutants, state, results)
    return status


if __name__ == "__main__":
    sys.exit(ends(arguments(), work, "the same command, without --fresh, goes on from there"))
