"""Judges a seeded sample of operator mutants (mutants_operators.py): first by the traces that are
kept, then by random ones. Who survives must be explained in ci/mutants/survivors, and who is
explained there must survive.

usage: mutants_judge.py ROOT COMMAND [--sample N] [--seed N] [--jobs N] [--traces N]
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading

import mutants_operators
from mutants_build import Bad, call, compile_to, digest, files_in, kind_of, Workshop
from mutants_children import ends
from mutants_trial import CRASHES

# Of the spec what reads and writes texts and bytes, which no engine judges.
TEXTS = ("bytes", "canonical", "parse", "print", "render", "script", "text_reader", "well_formed")
PATIENCE = 60
NOBODY = -1  # the number of no mutant: the program is then the unchanged one
CORPORA = {"replay": "fuzz/corpus/regressions", "recorded": "fuzz/corpus/recorded"}


def population(root):
    """The implementation, and the model: what an op does. It is what can be held to the other."""
    model = (f for f in files_in(root, "spec", pattern="*.cpp")
             if pathlib.Path(f).stem not in TEXTS)
    return [*files_in(root, "impl", pattern="*.?pp"), *model]


def sites_of(root, folder):
    files = population(root)
    state = digest(*((root / f).read_bytes() for f in files),
                   pathlib.Path(mutants_operators.__file__).read_bytes())
    known = folder / f"sites-{state}.json"
    if not known.exists():
        os.chdir(root)
        known.write_text(json.dumps(mutants_operators.sites_of(root, files)))
    return [mutants_operators.Site(*s) for s in json.loads(known.read_text())]


class Schema:
    """One program, or object, with all mutants of a kind in it."""

    def __init__(self, root, folder, group, command, sites):
        self.root, self.sites = root, dict(sites)
        self.shop = Workshop(root, folder, kind_of(root, group, command))
        self.kind = self.shop.kind

    def build(self, pool):
        """Sites that do not compile in this form are left out."""
        self.shop.prepare(pool)
        name = digest(self.shop.state, *(f"{n}{s}" for n, s in sorted(self.sites.items())))
        out = self.shop.folder / f"schema-{name}.{self.kind.name}"
        left = out.with_suffix(".left.json")
        if not out.exists():
            with tempfile.TemporaryDirectory() as scratch:
                self.link(pathlib.Path(scratch), out, pool)
            left.write_text(json.dumps(sorted(self.sites)))
        self.sites = {n: self.sites[n] for n in json.loads(left.read_text())}
        return out

    def link(self, copy, out, pool):
        for folder in ("impl", "spec", "harness", "app", "smt"):
            subprocess.run(["cp", "-r", self.root / folder, copy], check=True)
        (copy / "prelude.hpp").write_text(mutants_operators.PRELUDE)
        files = {s.file for s in self.sites.values()}
        units = [u for u in self.kind.units if self.shop.reads[u] & files]
        todo = units
        while todo:
            for file in files:
                mine = [(n, s) for n, s in sorted(self.sites.items()) if s.file == file]
                (copy / file).write_bytes(mutants_operators.schema(self.root, file, mine))
            flags = [*self.kind.flags, "-include", str(copy / "prelude.hpp")]
            wrong = list(pool.map(lambda u: self.compile(copy, u, flags), todo))
            bad = {e for errors in wrong for e in errors}
            if bad:
                before = len(self.sites)
                self.sites = {n: s for n, s in self.sites.items() if (s.file, s.line) not in bad}
                if len(self.sites) == before:
                    raise Bad(f"does not compile: {sorted(bad)}")
            touched = {file for file, _ in bad}
            todo = [u for u in units if self.shop.reads[u] & touched]
        new = [copy / f"{u}.o" for u in units]
        old = [self.shop.object_of(u) for u in self.kind.units if u not in units]
        call(["g++", *new, *old, "-o", out, *self.kind.link])

    def compile(self, copy, unit, flags):
        """The lines that are wrong."""
        try:
            compile_to(copy / f"{unit}.o", self.shop.source_of(unit), copy, flags)
            return set()
        except Bad as bad:
            lines = {(s.file, s.line) for s in self.sites.values()}
            for pattern in (r":(\d+):\d+: error", r":(\d+):"):  # else whatever is mentioned
                found = re.findall(rf"(?:\./)?([a-z_/0-9]+\.[ch]pp){pattern}", str(bad))
                if wrong := {(f, int(n)) for f, n in found} & lines:
                    return wrong
            raise


def drawn(sites, size, seed):
    """The numbers of a sample. A place that is new takes the turn of one other at most, where a
    draw of numbers would be another one altogether."""
    def turn(n):
        words = f"{seed} {mutants_operators.key(sites[n])}"
        return hashlib.sha256(words.encode()).digest(), n

    return sorted(sorted(range(len(sites)), key=turn)[:size])


def run(options, command, n, may_refuse):
    """What a command says of mutant `n`: killed by what, or nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        done = options.children.run(command, PATIENCE, cwd=scratch,
                                    env=dict(os.environ, FORKPROOF_MUTANT=str(n)))
    if done.status is None or done.status == -signal.SIGPROF:
        return "hangs"
    if done.status == 0:
        return None
    if done.status == 1 and '"violations"' in done.out:
        if found := json.loads(done.out)["violations"]:
            return found[0]["rule"] or found[0]["kind"]
    if done.status < 0 and -done.status in CRASHES:
        return f"crash, {signal.Signals(-done.status).name}"
    if may_refuse and done.status in (1, 2):  # a spec that cannot read what is written of it
        return "refuses"
    raise Bad(f"mutant {n}: no verdict: exit status {done.status}: {done.err.strip()[-500:]}")


def judge(options, n, built, in_spec):
    command = [built] if in_spec else [options.command]
    system = "impl" if in_spec else f"mutant:{built}"
    stages = {stage: ["replay", "--json", "--system", system, options.root / folder]
              for stage, folder in CORPORA.items()}
    stages["random"] = ["check", "--json", "--engine", "random", "--system", system, "--seed", "1",
                        "--traces", str(options.traces)]
    for stage, arguments in stages.items():
        if by := run(options, [*command, *arguments], n, in_spec and stage in CORPORA):
            return {"killed": stage, "by": by}
    return {"killed": None, "by": None}


def explained(path):
    """Lines `SITE -- WHY` of the file, by site, which is called what mutants_operators.key says."""
    lines = path.read_text().splitlines() if path.exists() else []
    parts = [line.partition(" -- ") for line in lines if line and not line.startswith("#")]
    return {head.strip(): why for head, _, why in parts}


class Verdicts:
    """What is known, in a file, of programs, traces and a command that are the same."""

    def __init__(self, options, folder):
        self.options, self.path, self.lock = options, folder / "operators.json", threading.Lock()
        self.known = json.loads(self.path.read_text()) if self.path.exists() else {}
        traces = sorted(p for f in CORPORA.values() for p in (options.root / f).rglob("*.trace"))
        self.rest = digest(pathlib.Path(options.command).read_bytes(), str(options.traces),
                           *(p.read_bytes() for p in traces))

    def of(self, n, built, in_spec):
        name = f"{built.name} {n} {self.rest}"
        if name not in self.known:
            verdict = judge(self.options, n, built, in_spec)
            with self.lock:
                self.known[name] = verdict
                part = self.path.with_suffix(f".{os.getpid()}.part")
                part.write_text(json.dumps(self.known, indent=1))
                part.replace(self.path)
        return self.known[name]


def judged(options, folder, sites, sample):
    """The verdicts by number, and how many could not be built."""
    verdicts, found, left_out = Verdicts(options, folder), {}, 0
    with options.children.pool(options.jobs) as pool:
        for group in ("", "spec"):
            in_spec = group == "spec"
            mine = [(n, sites[n]) for n in sample if sites[n].file.startswith("spec/") == in_spec]
            if not mine:
                continue
            schema = Schema(options.root, folder, group, options.command, mine)
            built = schema.build(pool)
            left_out += len(mine) - len(schema.sites)
            control = pool.submit(judge, options, NOBODY, built, in_spec).result()
            if control["killed"]:
                raise Bad(f"nothing is judged: the unchanged {group or 'impl'} is killed as well, "
                          f"in {control['killed']} by {control['by']}")
            numbers = list(schema.sites)
            verdict_of = [pool.submit(verdicts.of, n, built, in_spec) for n in numbers]
            for n, verdict in zip(numbers, verdict_of):
                found[n] = verdict.result()
                if found[n]["killed"] is None:
                    print("survived:", mutants_operators.key(sites[n]), flush=True)
    return found, left_out


def unexplained(path, sites, verdicts):
    """What is wrong with the explanations: who lacks one, and who does not need it any more."""
    why, names = explained(path), {mutants_operators.key(s) for s in sites}
    of_name = {}
    for n, verdict in verdicts.items():
        of_name.setdefault(mutants_operators.key(sites[n]), []).append(verdict["killed"])
    wrong = [f"not explained: {name}" for name, killed in of_name.items()
             if None in killed and name not in why]
    wrong += [f"explained, but there is no such place: {name}" for name in why if name not in names]
    wrong += [f"explained, but killed by {killed[0]}: {name}" for name, killed in of_name.items()
              if name in why and None not in killed]
    return wrong


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("root", type=pathlib.Path)
    p.add_argument("command")
    p.add_argument("--sample", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--traces", type=int, default=20000)
    return p.parse_args()


def work(o):
    o.root, o.command = o.root.resolve(), str(pathlib.Path(o.command).resolve())
    if not population(o.root):
        raise Bad(f"{o.root}: no sources")
    folder = o.root / "build/mutants"
    folder.mkdir(parents=True, exist_ok=True)
    sites = sites_of(o.root, folder)
    found, left_out = judged(o, folder, sites, drawn(sites, o.sample, o.seed))
    print(f"{len(sites)} places; {len(found)} judged, {left_out} that do not compile left out")
    for stage in (*CORPORA, "random"):
        print(f"killed by {stage}: {sum(v['killed'] == stage for v in found.values())}")
    survivors = sum(v["killed"] is None for v in found.values())
    wrong = unexplained(o.root / "ci/mutants/survivors", sites, found)
    lacking = sum(w.startswith("not explained") for w in wrong)
    print(f"survived: {survivors}, of which {lacking} are not explained")
    print("".join(f"{said}\n" for said in wrong), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(ends(arguments(), work, "the same command goes on from there"))
