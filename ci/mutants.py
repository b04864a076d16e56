# Seeds defects and sees whether they are caught: the second half of ci/mutants.sh, which says how.
# usage: mutants.py ROOT [OPTION...] [NAME...]
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import mutants_page

ROOT = pathlib.Path(sys.argv[1])
OBJECTS = ROOT / "build/mutants"
LITMUS = ROOT / "fuzz/corpus/regressions"
HEADER = ("promise", "idea", "shortest")
FLAGS = ["-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-w", "-I."]
GRACE = 20  # seconds more than the limit that a process may take, to make its trace small
ADAPTOR = "harness/mutant/adaptor.cpp"


class Bad(Exception):
    """A patch or an option that is wrong."""


Mutant = collections.namedtuple("Mutant", "name patch promise idea shortest")


def read(path, folder, ids):
    name = str(path.relative_to(folder).with_suffix(""))
    head = {}
    for line in path.read_text().splitlines():
        if line.startswith("--- "):
            break
        key, equals, value = line.partition(" = ")
        if not equals or key not in HEADER or not value:
            raise Bad(f"{name}: expected one of {', '.join(HEADER)} = VALUE, found '{line}'")
        head[key] = value
    if missing := [key for key in HEADER if key not in head]:
        raise Bad(f"{name}: no {missing[0]} in its header")
    if head["promise"] not in ids:
        raise Bad(f"{name}: no rule or invariant is called {head['promise']}")
    if not head["shortest"].isdigit():
        raise Bad(f"{name}: shortest = {head['shortest']}: expected a number of ops")
    return Mutant(name, path, head["promise"], head["idea"], int(head["shortest"]))


def call(command, cwd=ROOT):
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True)
    if done.returncode != 0:
        raise Bad(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def digest(*parts):
    return hashlib.sha256(b"\0".join(p.encode() if isinstance(p, str) else p
                                     for p in parts)).hexdigest()[:16]


def compile_to(out, source, cwd):
    """Through ccache where it is: its key is what the preprocessor says."""
    launcher = ["ccache"] if shutil.which("ccache") else []
    part = out.with_suffix(f".{os.getpid()}.{threading.get_ident()}.o")
    call([*launcher, "g++", *FLAGS, "-c", source, "-o", part], cwd)
    part.rename(out)  # another run may look for it


class Workshop:
    """Makes shared objects of mutants: only what a patch changes is compiled."""

    def __init__(self):
        self.sources = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "impl").rglob("*.cpp"))
        self.sources.append(ADAPTOR)
        files = [*(ROOT / "impl").rglob("*.?pp"), *(ROOT / "spec").glob("*.hpp"),
                 *(ROOT / "harness/mutant").glob("*.?pp")]
        self.state = digest(*FLAGS, *(f.read_bytes() for f in sorted(files)))
        self.base = OBJECTS / f"base-{self.state}"
        self.reads = {}  # of each source, the files that it includes

    def object_of(self, source):
        return self.base / (source.replace("/", "_") + ".o")

    def prepare(self, pool):
        self.base.mkdir(parents=True, exist_ok=True)
        missing = [s for s in self.sources if not self.object_of(s).exists()]
        list(pool.map(lambda s: compile_to(self.object_of(s), s, ROOT), missing))
        deps = pool.map(lambda s: call(["g++", *FLAGS, "-MM", s]), self.sources)
        self.reads = {source: set(rule.replace("\\\n", " ").split()[1:])
                      for source, rule in zip(self.sources, deps)}

    def build(self, mutant):
        out = OBJECTS / f"{mutant.name.replace('/', '-')}-" \
            f"{digest(self.state, mutant.patch.read_bytes())}.so"
        if out.exists():
            return out
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch)
            for folder in ("impl", "spec", "harness/mutant"):
                shutil.copytree(ROOT / folder, copy / folder, symlinks=True)
            try:
                call(["patch", "-p1", "--forward", "--batch", "--fuzz=0", "--no-backup-if-mismatch", "-i",
                      mutant.patch.resolve()], copy)
            except Bad as bad:
                why = str(bad).splitlines()[-1]
                raise Bad(f"{mutant.name}: does not apply any more: {why}") from None
            changed = {f for f in set().union(*self.reads.values())
                       if (ROOT / f).read_bytes() != (copy / f).read_bytes()}
            objects = []
            for source in self.sources:
                if self.reads[source] & changed:
                    objects.append(copy / (source.replace("/", "_") + ".o"))
                    compile_to(objects[-1], source, copy)
                else:
                    objects.append(self.object_of(source))
            part = out.with_suffix(f".{os.getpid()}")
            call(["g++", "-shared", "-Wl,-Bsymbolic", *objects, "-o", part])
            part.rename(out)
        return out


def steps(trace):
    """The ops of a trace: an actor, a colon, and what it does."""
    lines = [line.partition("#")[0] for line in trace.splitlines()]
    return sum(": " in line for line in lines)


def verdict_of(report):
    found = report["violations"][0]
    ops = steps(found["trace"])
    by = found["kind"] if found["kind"] == "unsound" else found["rule"]
    return {"killed": found["kind"] != "unknown", "by": by, "seconds": found["found_after"],
            "ops": ops if found["engine"] == "random" else None, "where": found["name"]}


def trial(options, system, seed):
    """One run in a process of its own: whether the mutant was caught, by what, how soon."""
    command = [options.command, "check", "--json", "--system", f"mutant:{system}",
               "--engine", options.engine, "--seed", str(seed), "--time", f"{options.time}s"]
    if options.engine == "replay":
        command = [options.command, "replay", "--json", "--system", f"mutant:{system}",
                   LITMUS]
    start = time.monotonic()
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as child:
        try:
            out, err = child.communicate(timeout=options.time + GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return {"killed": True, "by": "hangs", "seconds": options.time, "ops": None}
    spent = time.monotonic() - start
    if child.returncode == 1 and '"violations"' in out:
        return verdict_of(json.loads(out))
    if child.returncode == 0:
        return {"killed": False, "by": None, "seconds": spent, "ops": None}
    if child.returncode == -signal.SIGALRM:
        return {"killed": True, "by": "hangs", "seconds": spent, "ops": None}
    if child.returncode < 0 or "Sanitizer" in err:
        sign = signal.Signals(-child.returncode).name if child.returncode < 0 else "sanitizer"
        return {"killed": True, "by": f"crash, {sign}", "seconds": spent, "ops": None}
    raise Bad(f"{system}: no verdict: {err.strip()}")


class Results:
    """What is known, in a file that is good at any moment."""

    def __init__(self, path, fresh):
        self.path, self.lock = path, threading.Lock()
        self.known = {}
        if path.exists() and not fresh:
            self.known = json.loads(path.read_text())

    def add(self, key, value):
        with self.lock:
            self.known[key] = value
            part = self.path.with_suffix(".part")
            part.write_text(json.dumps(self.known, indent=1) + "\n")
            part.replace(self.path)


def judge(mutant, options, workshop, results):
    """All trials of a mutant, those that are known already not again."""
    system = workshop.build(mutant)
    seeds = [1] if options.engine == "replay" else \
        [1 + i * 1_000_000 for i in range(options.trials)]
    name = f"{options.engine} {mutant.name}"
    key = digest(system.name, options.state, options.corpus, str(options.time))
    before = results.known.get(name, {})
    have = before.get("trials", {}) if before.get("key") == key else {}
    todo = [s for s in seeds if str(s) not in have]
    have |= {str(seed): trial(options, system, seed) for seed in todo}
    entry = {"key": key, "engine": options.engine, "limit": options.time, "mutant": mutant.name,
             "promise": mutant.promise, "idea": mutant.idea, "shortest": mutant.shortest,
             "trials": have}
    if todo:
        results.add(name, entry)
    return mutants_page.row(entry)


def arguments():
    p = argparse.ArgumentParser(prog="ci/mutants.sh", add_help=False, allow_abbrev=False)
    p.add_argument("names", nargs="*")
    p.add_argument("--engine", choices=["random", "replay", "uniform"], default="random")
    p.add_argument("--trials", type=int, default=10)
    p.add_argument("--time", type=int, default=60)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--command", default=str(ROOT / "build/release/bin/forkproof"))
    p.add_argument("--patches", type=pathlib.Path, default=ROOT / "ci/mutants")
    p.add_argument("--results", type=pathlib.Path, default=OBJECTS / "results.json")
    p.add_argument("--markdown", type=pathlib.Path)
    p.add_argument("--smoke", action="store_true")
    p.add_argument("--fresh", action="store_true")
    options = p.parse_args(sys.argv[2:])
    if min(options.trials, options.time, options.jobs) < 1:
        p.error("--trials, --time and --jobs: expected a number above 0")
    if options.smoke:
        options.trials = 1
        options.names = [line for line in (options.patches / "smoke").read_text().split()]
    return options


def chosen(options, mutants):
    for name in options.names:
        if not any(m.name == name or m.name.startswith(name + "/") for m in mutants):
            raise Bad(f"no mutant is called {name}")
    return [m for m in mutants if not options.names or
            any(m.name == n or m.name.startswith(n + "/") for n in options.names)]


def promises(command):
    ids = set()
    for table in ("--rules", "--invariants"):
        ids |= {entry["id"] for entry in json.loads(call([command, "spec", table, "--json"]))}
    return ids


def run(options):
    options.state = digest(pathlib.Path(options.command).read_bytes())
    litmus = sorted(LITMUS.rglob("*.trace")) if options.engine == "replay" else []
    options.corpus = digest(*(p.read_bytes() for p in litmus))
    ids = promises(options.command)
    mutants = [read(p, options.patches, ids) for p in sorted(options.patches.rglob("*.patch"))]
    mutants = chosen(options, mutants)
    if not mutants:
        raise Bad(f"{options.patches}: no mutants")
    OBJECTS.mkdir(parents=True, exist_ok=True)
    results, workshop = Results(options.results, options.fresh), Workshop()
    survived = 0
    print(mutants_page.HEAD, flush=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        workshop.prepare(pool)
        for row in pool.map(lambda m: judge(m, options, workshop, results), mutants):
            survived += row.killed < row.trials
            print(mutants_page.line(row), flush=True)
    print(mutants_page.totals([mutants_page.row(results.known[f"{options.engine} {m.name}"])
                               for m in mutants]))
    if options.markdown:
        mutants_page.write(options.markdown, list(results.known.values()))
    return 1 if survived else 0


def main():
    try:
        return run(arguments())
    except (Bad, OSError) as bad:
        print(f"mutants: {bad}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
