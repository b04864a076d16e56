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
PRELUDE = "impl/machine.hpp"  # compiled once: three quarters of the time of a mutant of impl/
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


def call(command, cwd=None):
    done = subprocess.run(command, cwd=cwd, text=True, capture_output=True)
    if done.returncode != 0:
        raise Bad(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def digest(*parts):
    return hashlib.sha256(b"\0".join(p.encode() if isinstance(p, str) else p
                                     for p in parts)).hexdigest()[:16]


def compile_to(out, source, cwd, flags):
    """Through ccache where it is: its key is what the preprocessor says. It knows no preludes."""
    launcher = ["ccache"] if shutil.which("ccache") and "-include" not in flags else []
    part = out.with_suffix(f".{os.getpid()}.{threading.get_ident()}.o")
    call([*launcher, "g++", *flags, "-c", source, "-o", part], cwd)
    part.rename(out)  # another run may look for it


class Kind:
    """What a mutant is built as: its sources, how they are compiled, and how they are linked; and
    the header that most of them begin with, if it is worth compiling once."""

    def __init__(self, root, name, sources, mutable, flags=(), link=(), prelude=None):
        self.root, self.name, self.sources, self.mutable = root, name, sources, mutable
        self.flags, self.link, self.prelude = [*FLAGS, *flags], list(link), prelude


def files_in(root, *folders, pattern="*.cpp"):
    return sorted(str(p.relative_to(root)) for f in folders for p in (root / f).rglob(pattern))


def kind_of(root, group, command):
    """Our implementation as an object; the whole command, with another spec; or with proofs."""
    if group not in ("spec", "bits"):
        return Kind(root, "object", [*files_in(root, "impl"), ADAPTOR], None,
                    link=["-shared", "-Wl,-Bsymbolic"], prelude=PRELUDE)
    sources = [s for s in files_in(root, "app", "harness", "spec", "impl")
               if "/runner/" not in s and s != ADAPTOR]
    flags = ['-DFORKPROOF_VERSION="0"', f'-DFORKPROOF_CORPUS="{root}/fuzz/corpus/regressions"']
    puppet = pathlib.Path(command).resolve().parent.parent / "harness/puppet.cpp"
    if puppet.exists():
        sources.append(str(puppet))
        flags.append("-DFORKPROOF_LINUX")
    else:
        sources = [s for s in sources if "/linux/" not in s]
    link = ["-lfmt", "-lrapidcheck", "-ldl", "-pthread"]
    if group == "spec":
        sources = [s for s in sources if s not in ("app/prove.cpp", "app/proofs.cpp")]
        return Kind(root, "command", sources, None, flags, link)
    # Proofs ask nothing of the machine: of a change of its bit logic they compile theirs alone.
    proofs = files_in(root, "smt")
    sources = proofs + [s for s in sources if s != "app/no_proofs.cpp"]
    return Kind(root, "prover", sources, {*proofs, "app/proofs.cpp"},
                flags, [*link, "-lz3"])


class Workshop:
    """Makes mutants of one kind."""

    def __init__(self, root, folder, kind):
        self.root, self.folder, self.kind = root, folder, kind
        files = [root / f for f in files_in(root, *FOLDERS, pattern="*.?pp")]
        used = [f for f in files if kind.name != "object" or
                str(f.relative_to(root)).startswith(("impl/", "spec/", "harness/mutant/"))]
        self.state = digest(kind.name, *kind.flags, *(f.read_bytes() for f in used))
        self.base = folder / f"base-{kind.name}-{self.state}"
        self.reads = {}  # of each source, the files that it includes

    def object_of(self, source):
        return self.base / (source.replace("/", "_") + ".o")

    def prepare(self, pool):
        self.base.mkdir(parents=True, exist_ok=True)
        self.compile_prelude()
        missing = [s for s in self.kind.sources if not self.object_of(s).exists()]
        list(pool.map(lambda s: compile_to(self.object_of(s), s, self.root, self.flags_for(set())),
                      missing))
        known = self.base / "reads.json"  # the folder is that of this state of the files
        if not known.exists():
            read = [*self.kind.sources, *([self.kind.prelude] if self.kind.prelude else [])]
            deps = pool.map(lambda s: call(["g++", *self.kind.flags, "-MM", s], self.root), read)
            reads = {source: rule.replace("\\\n", " ").split()[1:]
                     for source, rule in zip(read, deps)}
            part = known.with_suffix(f".{os.getpid()}")
            part.write_text(json.dumps(reads))
            part.replace(known)
        self.reads = {s: set(files) for s, files in json.loads(known.read_text()).items()}

    def compile_prelude(self):
        out = self.base / "prelude.hpp.gch"
        if not self.kind.prelude or out.exists():
            return
        header, part = self.base / "prelude.hpp", out.with_suffix(f".{os.getpid()}")
        header.write_text(f'#include "{self.kind.prelude}"\n')
        call(["g++", *self.kind.flags, "-x", "c++-header", header, "-o", part], self.root)
        part.replace(out)

    def flags_for(self, changed):
        """The prelude serves who does not change it."""
        if not self.kind.prelude or self.reads.get(self.kind.prelude, set()) & changed:
            return self.kind.flags
        return [*self.kind.flags, "-include", str(self.base / "prelude.hpp")]

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
            stale = [s for s in self.kind.sources if self.reads[s] & changed and
                     (self.kind.mutable is None or s in self.kind.mutable)]
            where = [copy / s if s in changed else self.root / s for s in stale]
            if self.kind.prelude and "-include" not in flags:  # all of them: at one go
                (copy / "all.cpp").write_text("".join(f'#include "{s}"\n' for s in where))
                where = ["all.cpp"]
            new = [copy / f"{n}.o" for n in range(len(where))]
            for source, to in zip(where, new):
                compile_to(to, source, copy, flags)
            old = [self.object_of(s) for s in self.kind.sources if s not in stale]
            part = out.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            call(["g++", *new, *old, "-o", part, *self.kind.link])
            part.rename(out)
        return out
