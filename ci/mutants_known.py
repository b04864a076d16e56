"""What is known of mutants, in a file, and whether it is of the sources as they are."""
import argparse
import collections
import json
import os
import pathlib
import threading
import time

import mutants_plan
from mutants_bars import ORDER
from mutants_build import Bad, Workshop, digest, kind_of

ENGINES = {  # and the groups of mutants that they judge; None: those of impl/
    "random": None, "replay": None, "uniform": None, "explore": None, "fuzz": None,
    "litmus": "spec", "lockstep": "spec", "kernel": "spec", "prove": "bits"}
BY_TRACES = ("replay", "litmus", "kernel")


class Results:
    """What is known, in a file that is good at any moment. It is large, so it is not written for
    every mutant: a process that is killed outright loses what it found in the last seconds."""

    EVERY = 10  # seconds

    def __init__(self, path):
        self.path, self.lock, self.changes = path, threading.Lock(), 0
        self.written, self.unwritten = time.monotonic(), False
        self.known = json.loads(path.read_text()) if path.exists() else {}

    @property
    def entries(self):
        return {name: e for name, e in self.known.items() if "trials" in e}

    def spent(self, engine, state):
        """Seconds that an engine took to judge what there is in this state of the sources."""
        before = self.known.get("spent", {}).get(engine)
        same = isinstance(before, dict) and before["state"] == state
        return before["seconds"] if same else None

    def spend(self, engine, state, seconds):
        all_of_it = {"state": state, "seconds": (self.spent(engine, state) or 0) + seconds}
        self.add("spent", self.known.get("spent", {}) | {engine: all_of_it})

    def forget(self, engine, mutants, all_of_them):
        for mutant in mutants:
            self.known.pop(f"{engine} {mutant.name}", None)
        if all_of_them:
            self.known.get("spent", {}).pop(engine, None)

    def add(self, key, value):
        with self.lock:
            self.known[key] = value
            self.changes += 1
            self.unwritten = True
            if time.monotonic() - self.written >= self.EVERY:
                self.write()

    def flush(self):
        with self.lock:
            if self.unwritten:
                self.write()

    def write(self):
        part = self.path.with_suffix(f".{os.getpid()}.part")  # another run may write its own
        part.write_text(json.dumps(self.known, indent=1) + "\n")
        part.replace(self.path)
        self.written, self.unwritten = time.monotonic(), False


def chosen(options, mutants):
    """Those that the engine judges, that are named, and not left out."""
    mine = [m for m in mutants
            if (m.group if m.group in ("spec", "bits") else None) == ENGINES[options.engine]]
    named = [m for m in mine if not options.names or
             any(m.name == n or m.name.startswith(n + "/") for n in options.names)]
    return named[::options.every or 1]


class State:
    """All that a verdict rests on besides the mutant: what was found with another is found anew."""

    def __init__(self, root, objects, options):
        self.root, self.objects, self.options = root, objects, options
        self.shops, self.digests = {}, {}

    def shop(self, engine):
        group = ENGINES[engine] or ""
        if group not in self.shops:
            kind = kind_of(self.root, group, self.options.command)
            self.shops[group] = Workshop(self.root, self.objects, kind)
        return self.shops[group]

    def of(self, engine):
        if engine not in self.digests:
            tool = self.options.fuzzer if engine == "fuzz" else self.options.command
            traces = sorted(self.options.litmus.rglob("*.trace")) if engine in BY_TRACES else []
            corpus = digest(*(p.read_bytes() for p in traces))
            if engine == "kernel":
                corpus = digest(corpus, system())
            self.digests[engine] = digest(pathlib.Path(tool).read_bytes()), corpus
        return self.digests[engine]

    def whole(self, engine):
        return digest(self.shop(engine).state, *self.of(engine))

    def name_of(self, engine, mutant):
        """What Workshop.build calls what it makes."""
        shop = self.shop(engine)
        return f"{mutant.name.replace('/', '-')}-" \
            f"{digest(shop.state, mutant.patch.read_bytes())}.{shop.kind.name}"

    def key(self, engine, mutant, limit):
        return digest(self.name_of(engine, mutant), *self.of(engine), str(limit))

    def has(self, engine, mutant, limit, key):
        try:
            return self.key(engine, mutant, limit) == key
        except FileNotFoundError:  # the fuzzer, say, is not there any more
            return False


def system():
    """Where the kernel's traces run."""
    return f"Linux {os.uname().release}, as {'root' if os.geteuid() == 0 else 'a user'}"


def current(state, mutants, results):
    """What is known of the mutants and the sources as they are, and lines about what is not."""
    there, good, stale = {m.name: m for m in mutants}, [], collections.Counter()
    for entry in results.entries.values():
        mutant, engine = there.get(entry["mutant"]), entry["engine"]
        if mutant is None:
            continue
        if state.has(engine, mutant, entry["limit"], entry["key"]):
            good.append(entry)
        else:
            stale[engine] += 1
    return good, missing(state.options, mutants, good, stale)


def missing(options, mutants, good, stale):
    known = {(e["engine"], e["mutant"]) for e in good}
    part = {stage.engine: stage.every for stage in mutants_plan.WHOLE}
    lines = []
    for engine in ORDER:
        asked = chosen(argparse.Namespace(engine=engine, names=[], every=part[engine]), mutants)
        lost = sum((engine, m.name) not in known for m in asked)
        why = f"; {stale[engine]} verdicts are of other sources, and left out" * (stale[engine] > 0)
        if lost or why:
            lines.append(f"{engine}: {lost} of {len(asked)} mutants{why}")
    return lines


def check_names(options, mutants):
    for name in options.names:
        if not any(m.name == name or m.name.startswith(name + "/") for m in mutants):
            raise Bad(f"no mutant is called {name}")
