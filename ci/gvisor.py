# Runs forkproof inside gVisor and lists what deviates: the second half of ci/gvisor.sh.
# usage: gvisor.py ROOT SECONDS SEED
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT, SECONDS, SEED = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
FORKPROOF = ROOT / "build/release/bin/forkproof"
INSIDE = ["runsc", "--platform=ptrace", "--network=none", "do", str(FORKPROOF)]
PATIENCE = 120  # seconds of a run inside that hangs: more than the watchdog of a run has
BATCH = 25  # random traces a run inside


def run(command, patience=PATIENCE):
    """The exit status and output; nothing if it hung."""
    with subprocess.Popen(["timeout", "-k", "1", str(patience), *map(str, command)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        out = child.communicate()[0]
    return None if child.returncode in (124, 137, -9) else (child.returncode, out)


def is_stuck(trace):
    """Whether the whole sandbox hangs, so that it has to be killed."""
    done = subprocess.run(["timeout", "-k", "1", "25", *INSIDE, "replay", trace, "--system",
                           "linux"], capture_output=True, check=False)
    return done.returncode in (137, -9)


def least_stuck(text, folder):
    """A trace without the lines that the sandbox hangs without, if it does so three times and the
    trace holds on the running kernel."""
    least = folder / "stuck.trace"
    lines = [re.split(" -> | => ", line)[0] if "fork" not in line and "clone" not in line
             else line.replace(" -> ", " as ")
             for line in text.splitlines()
             if line and not line.startswith("#") and not re.match(r"\w+ =>|expect ", line)]
    at = len(lines) - 1
    while at > 0:
        least.write_text("\n".join(lines[:at] + lines[at + 1:]) + "\n")
        if is_stuck(least):
            del lines[at]
        at -= 1
    least.write_text("\n".join(lines) + "\n")
    here = run([FORKPROOF, "replay", least, "--system", "linux"])
    steady = all(is_stuck(least) for _ in range(3)) and here is not None and here[0] == 0
    return least.read_text() if steady else None


def inside(*arguments):
    """The report of a run inside gVisor; nothing if it hung or made none."""
    done = run([*INSIDE, *arguments, "--system", "linux", "--json"])
    try:
        return json.loads(done[1]) if done else None
    except json.JSONDecodeError:
        return None


class Tally:
    def __init__(self):
        self.traces = self.skipped = self.hung = self.unknown = self.unsteady = 0
        self.abilities = ""
        self.found = {}  # the shortest violation of each rule and kind
        self.stuck, self.unclear = [], []  # traces, where they are known

    def add(self, report, trace=None):
        if report is None:
            self.hung += 1
            if trace:
                self.stuck.append(trace.read_text())
            return
        self.traces += report["traces"]
        self.skipped += report["skipped"]
        self.abilities = report["abilities"] or self.abilities
        for v in report["violations"]:
            if v["kind"] == "unknown":
                self.unknown += 1
                self.unclear.append(v)
                continue
            key = v["rule"], v["kind"]
            if key not in self.found or len(v["trace"]) < len(self.found[key]["trace"]):
                self.found[key] = v


def replay_litmus(tally):
    traces = sorted((ROOT / "fuzz/corpus/regressions").rglob("*.trace"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for report in pool.map(lambda t: (inside("replay", t), t), traces):
            tally.add(*report)


def run_random(tally):
    seed, end = SEED, time.time() + SECONDS
    while time.time() < end:
        report = inside("check", "--engine", "random", "--profile", "linux-6", "--jobs", "1",
                        "--traces", str(BATCH), "--seed", str(seed))
        tally.add(report)
        bad = [re.search(r"--seed (\d+)", v["reproduce"]) for v in report["violations"]] \
            if report else []
        seed = int(bad[0].group(1)) + 1 if bad and bad[0] else seed + BATCH
    return seed - SEED


def confirm(violation, folder):
    """The violation, with a trace as small as it gets, if it is seen twice more inside and the
    trace holds on the running kernel."""
    whole, least = folder / "whole.trace", folder / "least.trace"
    whole.write_text(violation["trace"])
    text = run([*INSIDE, "minimize", whole, "-o", "/dev/stdout", "--system", "linux"])
    least.write_text(text[1] if text and text[0] == 0 else violation["trace"])
    seen = [inside("replay", least) for _ in range(2)]
    if not all(r and r["violations"] and r["violations"][0]["kind"] != "unknown" for r in seen):
        return None
    here = run([FORKPROOF, "replay", least, "--system", "linux"])
    if here is None or here[0] != 0:
        return None
    return {**seen[0]["violations"][0], "trace": least.read_text()}


def write_list(tally, deviations, seeds, stuck):
    version = subprocess.run(["runsc", "--version"], capture_output=True, text=True,
                             check=False).stdout.splitlines()[0]
    kernel = pathlib.Path("/proc/sys/kernel/osrelease").read_text().split("-")[0].strip()
    text = f"""# Deviations from Linux

Made by `ci/gvisor.sh`. Each was found by us, in that version; no more is claimed. Each trace was
seen to deviate three times inside and to hold on Linux {kernel}.

## gVisor ({version}, platform ptrace)

{tally.traces} traces were checked (the litmus traces, and the random ones of seeds {SEED} to
{SEED + seeds - 1}), {tally.skipped} were left out; {tally.hung} runs did not end, {tally.unknown}
came to no verdict, and {tally.unsteady} deviations were not seen again and are not listed.
What is missing there: {tally.abilities}.
"""
    for d in sorted(deviations, key=lambda d: (d["rule"], d["kind"])):
        text += f"""
### {d["rule"]}: {d["kind"]}

{d["says"]} Source: `{d["source"]}`.

* observed: {d["observed"]}
* allowed: {d["allowed"][0]}

```
{d["trace"].strip()}
```
"""
    (ROOT / "docs/deviations.md").write_text(text + without_verdict(tally.unclear, stuck))


def without_verdict(unclear, stuck):
    """What ends in no answer at all, which is a deviation, too, if the kernel answers."""
    text = ""
    if stuck:
        text += """
### The whole sandbox hangs

It has to be killed, three times out of three; on Linux the trace holds.
"""
    for trace in stuck:
        text += f"\n```\n{trace.strip()}\n```\n"
    if unclear:
        text += """
### No verdict

A task comes to no rest, or its files cannot be read. It was seen once, and is not minimised.
"""
    for v in unclear:
        text += f"\n* observed: {v['observed']}\n\n```\n{v['trace'].strip()}\n```\n"
    return text


def main():
    tally = Tally()
    replay_litmus(tally)
    if tally.traces == 0:
        print("nothing could be run inside gVisor", file=sys.stderr)
        return 3
    seeds = run_random(tally)
    deviations = {}
    with tempfile.TemporaryDirectory() as name:
        stuck = [least_stuck(trace, pathlib.Path(name)) for trace in tally.stuck]
        for violation in tally.found.values():
            d = confirm(violation, pathlib.Path(name))
            tally.unsteady += d is None
            if d:
                deviations.setdefault((d["rule"], d["kind"]), d)
    write_list(tally, deviations.values(), seeds, [s for s in stuck if s])
    print(f"{tally.traces} traces, {tally.skipped} skipped, {tally.hung} hung, {tally.unknown} "
          f"unknown, {len(deviations)} deviations, {tally.unsteady} not seen again")
    return 0


sys.exit(main())
