"""Judges a seeded sample of operator mutants (mutants_operators.py): first by the traces that are
kept, then by random ones. Who survives must be explained in ci/mutants/survivors.

usage: mutants_judge.py ROOT COMMAND [--sample N] [--seed N] [--jobs N] [--traces N]
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile

import mutants_operators
from mutants_build import Bad, call, compile_to, digest, files_in, kind_of, Workshop

# Of the spec what reads and writes texts and bytes, which no engine judges.
TEXTS = ("bytes", "canonical", "parse", "print", "render", "script", "text_reader", "well_formed")
PATIENCE = 60


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


def run(command, n, cwd):
    """What a command says of mutant `n`: killed by what, or nothing."""
    try:
        done = subprocess.run(command, text=True, capture_output=True, timeout=PATIENCE, cwd=cwd,
                              env=dict(os.environ, FORKPROOF_MUTANT=str(n)))
    except subprocess.TimeoutExpired:
        return "hangs"
    if done.returncode == 0:
        return None
    if done.returncode == 1 and '"violations"' in done.stdout:
        found = json.loads(done.stdout)["violations"]
        return found[0]["rule"] or found[0]["kind"] if found else "refuses"
    if done.returncode < 0:
        return f"crash, {signal.Signals(-done.returncode).name}"
    return f"exit status {done.returncode}"


def judge(options, n, built, in_spec):
    command = [built] if in_spec else [options.command]
    system = "impl" if in_spec else f"mutant:{built}"
    corpus = options.root / "fuzz/corpus"
    stages = {
        "replay": ["replay", "--json", "--system", system, corpus / "regressions"],
        "recorded": ["replay", "--json", "--system", system, corpus / "recorded"],
        "random": ["check", "--json", "--engine", "random", "--system", system, "--seed", "1",
                   "--traces", str(options.traces)]}
    with tempfile.TemporaryDirectory() as scratch:
        for stage, arguments in stages.items():
            if by := run([*command, *arguments], n, scratch):
                return {"killed": stage, "by": by}
    return {"killed": None, "by": None}


def explained(path):
    """Lines `equivalent: SITE -- WHY` of the file, by site."""
    lines = path.read_text().splitlines() if path.exists() else []
    parts = [line.partition(" -- ") for line in lines if line and not line.startswith("#")]
    return {head.strip(): why for head, _, why in parts}


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("root", type=pathlib.Path)
    p.add_argument("command")
    p.add_argument("--sample", type=int, default=300)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=os.cpu_count())
    p.add_argument("--traces", type=int, default=20000)
    return p.parse_args()


def main():
    o = arguments()
    o.root, o.command = o.root.resolve(), str(pathlib.Path(o.command).resolve())
    folder = o.root / "build/mutants"
    folder.mkdir(parents=True, exist_ok=True)
    all_sites = sites_of(o.root, folder)
    chosen = random.Random(o.seed).sample(range(len(all_sites)), min(o.sample, len(all_sites)))
    known_path, known = folder / "operators.json", {}
    if known_path.exists():
        known = json.loads(known_path.read_text())
    judged, left_out = {}, 0
    with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
        for group in ("", "spec"):
            mine = [(n, all_sites[n]) for n in sorted(chosen)
                    if all_sites[n].file.startswith("spec/") == (group == "spec")]
            if not mine:
                continue
            schema = Schema(o.root, folder, group, o.command, mine)
            built = schema.build(pool)
            left_out += len(mine) - len(schema.sites)

            def one(n):
                name = f"{built.name} {n} {o.traces}"
                if name not in known:
                    known[name] = judge(o, n, built, group == "spec")
                    part = known_path.with_suffix(f".{n}")
                    part.write_text(json.dumps(dict(known), indent=1))
                    part.replace(known_path)
                return n, known[name]

            for n, verdict in pool.map(one, schema.sites):
                judged[n] = verdict
                if verdict["killed"] is None:
                    print("survived:", mutants_operators.key(all_sites[n]), flush=True)
    why = explained(o.root / "ci/mutants/survivors")
    survivors = [mutants_operators.key(all_sites[n]) for n, v in judged.items() if not v["killed"]]
    print(f"{len(all_sites)} places; {len(judged)} judged, {left_out} that do not compile left out")
    for stage in ("replay", "recorded", "random"):
        print(f"killed by {stage}: {sum(v['killed'] == stage for v in judged.values())}")
    unexplained = [s for s in survivors if s not in why]
    print(f"survived: {len(survivors)}, of which {len(survivors) - len(unexplained)} are explained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
