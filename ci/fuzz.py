"""A fuzzing campaign: runs the targets, keeps what they find, and says what it is. See fuzz.sh.

An input is lost by nothing that happens here: the engines write it before they go on, and what this
program does with a file is one rename. An input has its hash for a name, and a finding the name
that the target gives it, so neither is counted twice.
"""
import argparse
import configparser
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REPEATS = 3  # how often a job starts again after a finding that was known
MINIMISING = 20  # seconds for an input that the target cannot make small itself

stopping = threading.Event()
running = set()
lock = threading.Lock()


def say(text):
    print(text, file=sys.stderr, flush=True)


def fail(status, text):
    say(f"ci/fuzz.sh: {text}")
    sys.exit(status)


def seconds(text):
    match = re.fullmatch(r"(\d+)(s|m|h)", text)
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"expected a time such as 30s, 5m or 2h, found '{text}'")
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]


def positive(text):
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise argparse.ArgumentTypeError(f"expected a number from 1 to 9999, found '{text}'")
    return int(text)


def parse(arguments):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog="ci/fuzz.sh",
                                     usage="see --help")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--time", type=seconds, default=60)
    parser.add_argument("--jobs", type=positive, default=os.cpu_count())
    parser.add_argument("--engine", choices=["libfuzzer", "afl"], default="libfuzzer")
    parser.add_argument("--sanitizers", choices=["yes", "no"], default="yes")
    parser.add_argument("--system", choices=["impl", "canary"], default="impl")
    parser.add_argument("--out", type=Path, default=ROOT / "build/fuzzing")
    for flag in ["--empty", "--until-found", "--report", "--only-report",
                 "--only-recover", "--check"]:
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--build", type=Path)
    o = parser.parse_args(arguments)
    known = sorted(p.stem for p in ROOT.glob("fuzz/fuzz_*.cpp"))
    o.targets = [t if t.startswith("fuzz_") else f"fuzz_{t}" for t in o.targets] or known
    for target in o.targets:
        if target not in known:
            fail(2, f"no target is called {target}; there are {' '.join(known)}")
    return o


def move_into(folder, path, name):
    """Renames a file; where that cannot be, copies it and then drops the old one."""
    folder.mkdir(parents=True, exist_ok=True)
    goal = folder / name
    try:
        os.replace(path, goal)
    except OSError:
        part = folder / f".{name}.part"
        shutil.copyfile(path, part)
        os.replace(part, goal)
        path.unlink()


def run(command, **options):
    """Runs a process of a group of its own, which a signal to this program reaches through us."""
    with lock:
        if stopping.is_set() and not options.pop("although_stopping", False):
            return None
        options.pop("although_stopping", None)
        process = subprocess.Popen([str(c) for c in command], start_new_session=True,
                                   stdin=subprocess.DEVNULL, **options)
        running.add(process)
    try:
        out, _ = process.communicate()
    finally:
        with lock:
            running.discard(process)
    return process.returncode, (out or b"").decode(errors="replace")


def stop(number, _frame):
    again = stopping.is_set()
    stopping.set()
    for process in list(running):
        try:
            os.killpg(process.pid, signal.SIGKILL if again else signal.SIGINT)
        except ProcessLookupError:
            pass
    if not again:
        say("stopping; what was found so far is kept")


class Target:
    def __init__(self, name, options):
        self.name, self.o = name, options
        self.home = options.out / name
        self.corpus, self.crashes = self.home / "corpus", self.home / "crashes"
        self.seeds = self.home / "seeds"
        for folder in [self.corpus, self.crashes, self.home / "logs"]:
            folder.mkdir(parents=True, exist_ok=True)
        self.program = options.build / name
        self.replay = options.build / name.replace("fuzz_", "replay_")
        self.new = []  # the findings of this run that were not known before
        self.lock = threading.Lock()

    def environment(self):
        return dict(os.environ, FORKPROOF_SYSTEM=self.o.system,
                    ASAN_OPTIONS="detect_leaks=0:handle_abort=0:symbolize=1")

    def options(self):
        words = [f"-{key}={value}" for key, value in self.settings().items()]
        if self.name != "fuzz_pid":
            form = "text" if self.name == "fuzz_trace_text" else "bytes"
            words.append(f"-dict={ROOT}/fuzz/{form}.dict")
        return words + ["-print_final_stats=1"]

    def settings(self):
        file = ROOT / "fuzz" / f"{self.name}.options"
        parser = configparser.ConfigParser()
        parser.read(file if file.exists() else ROOT / "fuzz/script.options")
        return parser["libfuzzer"]

    def make_seeds(self):
        """The traces of fuzz/corpus in the form that the target takes."""
        if self.o.empty:
            return
        shutil.rmtree(self.seeds, ignore_errors=True)
        self.seeds.mkdir()
        known = [ROOT / "fuzz/corpus" / self.name]
        if self.name != "fuzz_pid":
            known += [ROOT / "fuzz/corpus/regressions", ROOT / "fuzz/corpus/recorded"]
        paths = [p for p in known if p.is_dir()]
        result = run([self.replay, "--export", self.seeds, *paths], stderr=subprocess.PIPE)
        if result and result[0] != 0:
            fail(3, f"{self.name}: the seeds cannot be written to {self.seeds}")

    def folders(self):
        return [self.corpus] + ([self.seeds] if self.seeds.is_dir() and not self.o.empty else [])

    def fuzz(self, job):
        """One job of one target, until its time is over."""
        end, repeats = time.monotonic() + self.o.time, 0
        while not stopping.is_set() and repeats < REPEATS:
            left = round(end - time.monotonic())
            if left < 1:
                break
            with open(self.home / "logs" / f"{job}.log", "ab") as log:
                result = run([self.program, *self.folders(), *self.options(), "-reload=1",
                              f"-artifact_prefix={self.crashes}/", f"-max_total_time={left}"],
                             stdout=log, stderr=log, env=self.environment())
            if result is None or result[0] in (0, 72):
                break
            if not any(self.crashes.iterdir()):
                tail = (self.home / "logs" / f"{job}.log").read_bytes()[-600:]
                fail_later(f"{self.name} ended with {result[0]} and left nothing:\n"
                           + tail.decode(errors="replace"))
                break
            repeats = 0 if self.triage() else repeats + 1
            if self.o.until_found:
                break

    def fuzz_by_afl(self, job):
        out = self.home / "afl"
        out.mkdir(exist_ok=True)
        seeds = self.seeds if any(self.folders()[-1].iterdir()) else self.home / "afl-seed"
        if self.o.empty or not seeds.is_dir():
            seeds = self.home / "afl-seed"
            seeds.mkdir(exist_ok=True)
            (seeds / "zero").write_bytes(b"\0")
        program = ROOT / "build/fuzz-afl/bin" / self.name
        role = ["-M", "main"] if job == 0 else ["-S", f"job{job}"]
        environment = dict(self.environment(), AFL_NO_UI="1", AFL_SKIP_CPUFREQ="1",
                           AFL_NO_AFFINITY="1", AFL_AUTORESUME="1",
                           AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1")
        if self.o.until_found:
            environment["AFL_BENCH_UNTIL_CRASH"] = "1"
        with open(self.home / "logs" / f"afl-{job}.log", "ab") as log:
            result = run(["afl-fuzz", *role, "-i", seeds, "-o", out, "-V", self.o.time,
                          "-G", self.settings()["max_len"], "--", program],
                         stdout=log, stderr=log, env=environment)
        if result and result[0] not in (0, 1) and not stopping.is_set():
            fail_later(f"afl-fuzz ended with {result[0]}; see {self.home}/logs/afl-{job}.log")
        self.take_from_afl(out)
        self.triage()

    def take_from_afl(self, out):
        for pattern, folder, prefix in [("*/queue/id:*", self.corpus, ""),
                                        ("*/crashes/id:*", self.crashes, "crash-"),
                                        ("*/hangs/id:*", self.crashes, "timeout-")]:
            for path in out.glob(pattern):
                name = prefix + hashlib.sha1(path.read_bytes()).hexdigest()
                if (folder / name).exists() or self.is_known(name):
                    continue
                part = folder / f".{name}.part"
                shutil.copyfile(path, part)
                os.replace(part, folder / name)

    def is_known(self, name):
        return any(self.o.out.glob(f"findings/*/inputs/{name}"))

    def triage(self):
        """Sorts the crashes into findings. Answers whether one of them is new."""
        found = False
        with self.lock:
            for path in sorted(self.crashes.iterdir()):
                if re.match(r"(crash|timeout|oom|leak|slow-unit)-", path.name):
                    if path.name.startswith("slow-unit-"):
                        path.unlink()
                        continue
                    found = self.sort(path) or found
            for path in self.crashes.glob("*.*"):  # the fuzzer's own small traces; ours are below
                path.unlink()
        return found

    def sort(self, path):
        with tempfile.TemporaryDirectory() as scratch:
            result = run([self.program, path, "-timeout=20", f"-artifact_prefix={scratch}/"],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=scratch,
                         env=self.environment(), although_stopping=True)
            made = [p for p in Path(scratch).iterdir() if "." in p.name]
            status, log = result
            if made:
                name, small = made[0].stem, made[0]
                report = log[log.find("VIOLATION"):log.rfind("written: ")]
            else:
                name = "unstable-" + self.name if status == 0 else self.name_of_crash(path, log)
                small, report = self.smaller(path, Path(scratch), name), log
            home = self.o.out / "findings" / name
            is_new = not home.exists()
            if is_new:
                home.mkdir(parents=True)
                (home / "report").write_text(report)
                shutil.copyfile(small, home / f"{name}{small.suffix or '.input'}")
                with lock:
                    self.new.append((name, report))
            move_into(home / "inputs", path, path.name)
        return is_new

    def name_of_crash(self, path, log):
        """By what the sanitizer says it is, and where: one cause has one name."""
        summary = re.search(r"SUMMARY: \w+: ([\w-]+)(.*)", log)
        where = re.search(r"#\d+ 0x\w+ in ((?:forkproof|fuzzer|LLVM)[\w:~]*)", log)
        kind = summary[1] if summary else path.name.split("-")[0]
        place = where[1].replace("forkproof::", "").replace("::", ".") if where else "somewhere"
        return f"{self.name}-{kind}-{place}"

    def smaller(self, path, scratch, name):
        small = scratch / "small"
        if not name.startswith("unstable-"):
            run([self.program, path, "-minimize_crash=1", f"-max_total_time={MINIMISING}",
                 f"-exact_artifact_path={small}"], stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=self.environment(), although_stopping=True)
        small = small if small.exists() else path
        text = run([self.replay, "--print", small], stdout=subprocess.PIPE,
                   stderr=subprocess.DEVNULL, although_stopping=True)
        if text[0] != 0:
            return small
        trace = scratch / "small.trace"
        trace.write_text(text[1])
        return trace

    def minimise(self):
        """The smallest corpus that covers the same. Takes the place of the old one in one step."""
        fresh = self.home / "corpus.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        before = sum(1 for _ in self.corpus.iterdir())
        result = run([self.program, "-merge=1", *self.options(),
                      f"-artifact_prefix={self.crashes}/", fresh, self.corpus],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())
        if result is None or result[0] != 0:
            shutil.rmtree(fresh)
            return before, before
        old = self.home / "corpus.old"
        shutil.rmtree(old, ignore_errors=True)
        os.replace(self.corpus, old)
        os.replace(fresh, self.corpus)
        shutil.rmtree(old)
        return before, sum(1 for _ in self.corpus.iterdir())

    def check_stability(self):
        """The same input does the same, to the last edge."""
        result = run([self.replay, self.corpus], stdout=subprocess.PIPE, env=self.environment())
        if result and result[0] != 0 and self.o.system == "impl":
            fail_later(f"{self.name}: its corpus is not stable:\n{result[1][-2000:]}")

    def recover(self):
        """What a run that was killed between two renames left behind."""
        old = self.home / "corpus.old"
        if old.is_dir():
            for path in old.iterdir():
                move_into(self.corpus, path, path.name)
            old.rmdir()
        self.triage()


problems = []


def fail_later(text):
    problems.append(text)


def workers(jobs, work):
    """Does the pieces of work, `jobs` at a time."""
    left = list(reversed(work))

    def loop():
        while True:
            with lock:
                if not left or stopping.is_set():
                    return
                piece = left.pop()
            try:
                piece()
            except OSError as error:
                fail_later(f"{error.filename or ''}: {error.strerror}")

    threads = [threading.Thread(target=loop) for _ in range(min(jobs, len(work)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)


def report_coverage(targets, o):
    out, tools = o.out / "coverage", ROOT / "build/fuzz-coverage/bin"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    programs, rules = [], {}
    for t in targets:
        t.make_seeds()
        program = tools / t.replay.name
        programs.append(program)
        environment = dict(os.environ, LLVM_PROFILE_FILE=str(out / f"{t.name}.profraw"))
        result = run([program, "--rules", *t.folders()], stdout=subprocess.PIPE, env=environment)
        for line in (result or (0, ""))[1].splitlines():
            word, _, rule = line.partition("  ")
            if word.strip() in ("covered", "never"):
                rules.setdefault(rule.strip(), []).extend([t.name] if "covered" in word else [])
    with open(out / "rules", "w", encoding="utf-8") as file:
        for rule, by in rules.items():
            file.write(f"{rule}: {' '.join(by) or 'never'}\n")
    covered = sum(1 for by in rules.values() if by)
    profile = out / "all.profdata"
    run(["llvm-profdata-19", "merge", "-o", profile, *out.glob("*.profraw")])
    objects = [w for p in programs[1:] for w in ("-object", p)]
    result = run(["llvm-cov-19", "show", "-format=html", f"-output-dir={out}/html",
                  f"-instr-profile={profile}", programs[0], *objects,
                  "-ignore-filename-regex=/usr/|/fuzz/"], stdout=subprocess.DEVNULL)
    for path in out.glob("*.profraw"):
        path.unlink()
    if result is None or result[0] != 0:
        fail_later("llvm-cov could not write the report")
    print(f"rules covered: {covered}/{len(rules)}; see {out}/rules and {out}/html/index.html")


def conclude(targets, o):
    new = [finding for t in targets for finding in t.new]
    for name, report in new:
        print(f"{report.rstrip()}\n  kept in {o.out}/findings/{name}\n")
    kept = sorted(p.name for p in (o.out / "findings").glob("*/"))
    for problem in problems:
        say(problem)
    print(f"findings: {len(new)} new, {len(kept)} in all in {o.out}/findings")
    return 1 if new else 3 if problems else 0


def campaign(targets, o):
    workers(o.jobs, [t.make_seeds for t in targets])
    each = max(1, o.jobs // len(targets))
    fuzz = Target.fuzz_by_afl if o.engine == "afl" else Target.fuzz
    workers(o.jobs, [lambda t=t, job=job: fuzz(t, job) for t in targets for job in range(each)])
    for t in targets:
        t.triage()

    def minimise(t):
        before, after = t.minimise()
        t.check_stability()
        print(f"{t.name}: {before} inputs, {after} after minimising", flush=True)

    workers(o.jobs, [lambda t=t: minimise(t) for t in targets])


def main():
    o = parse(sys.argv[1:])
    if o.check:
        return 0
    o.out = o.out.resolve()
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        targets = [Target(name, o) for name in o.targets]
        for t in targets:
            t.recover()
        if not o.only_report and not o.only_recover:
            campaign(targets, o)
        if (o.report or o.only_report) and not stopping.is_set():
            report_coverage(targets, o)
        return conclude(targets, o)
    except OSError as error:
        fail(3, f"{error.filename or o.out}: {error.strerror}")


if __name__ == "__main__":
    sys.exit(main())
