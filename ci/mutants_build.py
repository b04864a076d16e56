"""Mutants, and what is built of them: only what a patch changes is compiled."""
import collections
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import threading

HEADER = ("promise", "idea", "shortest")
FLAGS = ["-std=c++20", "-O1", "-fPIC", "-fvisibility=hidden", "-w", "-I."]
ADAPTOR = "harness/mutant/adaptor.cpp"
CACHED = dict(os.environ, CCACHE_PCH_EXTSUM="1", CCACHE_SLOPPINESS="pch_defines,time_macros")
AT_ONCE = 8  # as many files that no mutant changes are compiled at a time: each reads the headers
FOLDERS = ("impl", "spec", "harness", "app", "smt")


class Bad(Exception):
    """A patch or an option that is wrong."""


class Mutant(collections.namedtuple("Mutant", "name patch promise idea shortest")):
    @property
    def group(self):
        return self.name.partition("/")[0]


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


def call(command, cwd=None, **more):
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True, **more)
    if done.returncode != 0:
        raise Bad(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def digest(*parts):
    return hashlib.sha256(b"\0".join(p.encode() if isinstance(p, str) else p
                                     for p in parts)).hexdigest()[:16]


def compile_to(out, source, cwd, flags, cached=False):
    """Through ccache where it is: its key is what the preprocessor says, and a prelude's .sum. Of
    a mutant it is not asked: what is built of those is kept here."""
    launcher = ["ccache"] if cached and shutil.which("ccache") else []
    part = out.with_suffix(f".{os.getpid()}.{threading.get_ident()}.o")
    call([*launcher, "g++", *flags, "-c", source, "-o", part], cwd, env=CACHED)
    part.rename(out)  # another run may look for it


class Kind:
    """What a mutant is built as: units of one source or more, how they are compiled and linked, and
    the header that is compiled once, before: it is three quarters of the time of a mutant."""

    def __init__(self, name, alone, together, prelude, flags=(), link=(), mutable=None):
        self.name, self.prelude, self.mutable = name, prelude, mutable
        self.flags, self.link = [*FLAGS, *flags], list(link)
        self.units = {s.replace("/", "_"): [s] for s in alone}
        for folder in sorted({s.split("/")[0] for s in together}):
            mine = [s for s in together if s.split("/")[0] == folder]
            for n in range(0, len(mine), AT_ONCE):
                self.units[f"{folder}-{n // AT_ONCE}"] = mine[n:n + AT_ONCE]


def files_in(root, *folders, pattern="*.cpp"):
    return sorted(str(p.relative_to(root)) for f in folders for p in (root / f).rglob(pattern))


def kind_of(root, group, command):
    """Our implementation as an object; the whole command, with another spec; or with proofs."""
    if group not in ("spec", "bits"):
        return Kind("object", [*files_in(root, "impl"), ADAPTOR], [], "impl/machine.hpp",
                    link=["-shared", "-Wl,-Bsymbolic"])
    sources = [s for s in files_in(root, "app", "harness", "spec", "impl")
               if "/runner/" not in s and s != ADAPTOR]
    flags = ['-DFORKPROOF_VERSION="0"', f'-DFORKPROOF_CORPUS="{root}/fuzz/corpus/regressions"',
             f'-DFORKPROOF_MUTANTS="{root}/ci/mutants.sh"']
    alone = []
    puppet = pathlib.Path(command).resolve().parent.parent / "harness/puppet.cpp"
    if puppet.exists():
        alone.append(str(puppet))
        flags.append("-DFORKPROOF_LINUX")
    else:
        sources = [s for s in sources if "/linux/" not in s]
    link = ["-lfmt", "-lrapidcheck", "-ldl", "-pthread"]
    differ = ("app/no_proofs.cpp", "app/prove.cpp", "app/proofs.cpp")
    alone += [s for s in sources if s.startswith("spec/")]
    others = [s for s in sources if s not in (*alone, *differ)]
    if group == "spec":
        return Kind("command", [*alone, differ[0]], others, "spec/model.hpp", flags, link)
    # Proofs ask nothing of the machine: of a change of its bit logic they compile theirs alone.
    proofs = [*files_in(root, "smt"), differ[2]]
    return Kind("prover", [*alone, differ[1], *proofs], others, "smt/claim.hpp", flags,
                [*link, "-lz3"], {s.replace("/", "_") for s in proofs})


class Workshop:
    """Makes mutants of one kind."""

    def __init__(self, root, folder, kind):
        self.root, self.folder, self.kind = root, folder, kind
        files = [root / f for f in files_in(root, *FOLDERS, pattern="*.?pp")]
        used = [f for f in files if kind.name != "object" or
                str(f.relative_to(root)).startswith(("impl/", "spec/", "harness/mutant/"))]
        sources = digest(*kind.flags, *(f.read_bytes() for f in used))
        self.state = digest(kind.name, kind.prelude, json.dumps(kind.units), sources)
        self.base = folder / f"base-{kind.name}-{self.state}"
        self.objects = folder / f"objects-{sources}"  # what two kinds have in common, once
        self.prelude = None  # a header, once it is compiled
        self.reads = {}  # of each unit, and of the prelude, the files that it includes

    def object_of(self, unit):
        return self.objects / f"{unit}-{digest(*self.kind.units[unit])}.o"

    def prepare(self, pool):
        for folder in (self.base, self.objects):
            folder.mkdir(parents=True, exist_ok=True)
        self.compile_prelude()
        known = self.base / "reads.json"  # the folder is that of this state of the files
        if not known.exists():
            reads = dict(zip((*self.kind.units, "prelude"), pool.map(
                self.read_by, [*map(self.source_of, self.kind.units), self.kind.prelude])))
            part = known.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps(reads))
            part.replace(known)
        self.reads = {u: set(files) for u, files in json.loads(known.read_text()).items()}
        missing = [u for u in self.kind.units if not self.object_of(u).exists()]
        list(pool.map(lambda u: compile_to(self.object_of(u), self.source_of(u), self.root,
                                           self.flags_for(set()), cached=True), missing))

    def source_of(self, unit):
        """The file to compile, as it is looked for from the root or from a patched copy of it."""
        sources = self.kind.units[unit]
        if len(sources) == 1:
            return sources[0]
        return self.file_of(sources, self.folder / f"unit-{unit}-{digest(*sources)}.cpp")

    @staticmethod
    def file_of(sources, file):
        part = file.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        part.write_text("".join(f'#include "{s}"\n' for s in sources))
        return part.replace(file)

    def read_by(self, source):
        rule = call(["g++", *self.kind.flags, "-MM", source], self.root)
        return rule.replace("\\\n", " ").split()[1:]

    def compile_prelude(self):
        """In a folder that is named by what it says, so that ccache knows it again."""
        command = ["g++", *self.kind.flags, "-x", "c++-header", self.kind.prelude]
        says = digest(*self.kind.flags, call([*command, "-E"], self.root))
        self.prelude = self.folder / f"prelude-{says}" / "prelude.hpp"
        out = self.prelude.with_suffix(".hpp.gch")
        if out.exists():
            return
        self.prelude.parent.mkdir(exist_ok=True)
        self.prelude.write_text(f'#include "{self.kind.prelude}"\n')
        out.with_suffix(".gch.sum").write_text(says)
        part = out.with_suffix(f".{os.getpid()}")
        command[-1] = self.prelude
        call([*command, "-o", part], self.root)
        part.replace(out)

    def flags_for(self, changed):
        """The prelude serves who does not change it."""
        if self.reads["prelude"] & changed:
            return self.kind.flags
        return [*self.kind.flags, "-include", str(self.prelude)]

    def apply(self, mutant, copy):
        """Copies what a mutant changes, and changes it. Answers which files those are."""
        names = [line[len("+++ b/"):].split("\t")[0]
                 for line in mutant.patch.read_text().splitlines() if line.startswith("+++ b/")]
        for name in names:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            if (self.root / name).exists():
                shutil.copy2(self.root / name, copy / name)
        try:
            call(["patch", "-p1", "--forward", "--batch", "--fuzz=0", "--no-backup-if-mismatch",
                  "-i", mutant.patch.resolve()], copy)
        except Bad as bad:
            why = str(bad).splitlines()[-1]
            raise Bad(f"{mutant.name}: does not apply any more: {why}") from None
        return set(names)

    def build(self, mutant):
        out = self.folder / f"{mutant.name.replace('/', '-')}-" \
            f"{digest(self.state, mutant.patch.read_bytes())}.{self.kind.name}"
        if out.exists():
            return out
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch)
            changed = self.apply(mutant, copy)
            flags = [*self.flags_for(changed), f"-I{self.root}"]  # after the folder itself
            stale = [u for u in self.kind.units if self.reads[u] & changed and
                     (self.kind.mutable is None or u in self.kind.mutable)]
            sources = {u: self.root / self.source_of(u) for u in stale}
            for u in stale:
                if self.kind.units[u][0] in changed:
                    sources[u] = self.source_of(u)
            if self.kind.name == "object" and "-include" not in flags:  # all read it: at one go
                sources = {"all": self.file_of(sources.values(), copy / "all.cpp")}
            for u, source in sources.items():
                compile_to(copy / f"{u}.o", source, copy, flags)
            new = [copy / f"{u}.o" for u in sources]
            old = [self.object_of(u) for u in self.kind.units if u not in stale]
            part = out.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            call(["g++", *new, *old, "-o", part, *self.kind.link])
            part.rename(out)
        return out
