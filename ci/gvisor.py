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
PATIENCE = 30  # seconds of a run inside that hangs
BATCH = 25  # random traces a run inside


def run(command, patience=PATIENCE):
    """The exit status and output; nothing if it hung."""
    with subprocess.Popen(["timeout", "-k", "1", str(patience), *map(str, command)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        out = child.communicate()[0]
    return None if child.returncode in (124, 137, -9) else (child.returncode, out)


def inside(*arguments):
    """The report of a run inside gVisor; nothing if it hung or made none."""
    done = run(["runsc", "--platform=ptrace", "--network=none", "do", FORKPROOF, *arguments,
                "--system", "linux", "--json"])
    try:
        return json.loads(done[1]) if done else None
    except json.JSONDecodeError:
        return None


class Tally:
    def __init__(self):
        self.traces = self.skipped = self.hung = self.unknown = self.unsteady = 0
        self.abilities = ""
        self.found = {}  # the shortest violation of each rule and kind

    def add(self, report):
        if report is None:
            self.hung += 1
            return
        self.traces += report["traces"]
        self.skipped += report["skipped"]
        self.abilities = report["abilities"] or self.abilities
        for v in report["violations"]:
            if v["kind"] == "unknown":
                self.unknown += 1
                continue
            key = v["rule"], v["kind"]
            if key not in self.found or len(v["trace"]) < len(self.found[key]["trace"]):
                self.found[key] = v


def replay_litmus(tally):
    traces = sorted((ROOT / "fuzz/corpus/regressions").rglob("*.trace"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for report in pool.map(lambda t: inside("replay", t), traces):
            tally.add(report)


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
    text = run(["runsc", "--platform=ptrace", "--network=none", "do", FORKPROOF, "minimize", whole,
                "-o", "/dev/stdout", "--system", "linux"])
    least.write_text(text[1] if text and text[0] == 0 else violation["trace"])
    seen = [inside("replay", least) for _ in range(2)]
    if not all(r and r["violations"] and r["violations"][0]["kind"] != "unknown" for r in seen):
        return None
    here = run([FORKPROOF, "replay", least, "--system", "linux"])
    if here is None or here[0] != 0:
        return None
    return {**seen[0]["violations"][0], "trace": least.read_text()}


def write_list(tally, deviations, seeds):
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
    (ROOT / "docs/deviations.md").write_text(text)


def main():
    tally = Tally()
    replay_litmus(tally)
    if tally.traces == 0:
        print("nothing could be run inside gVisor", file=sys.stderr)
        return 3
    seeds = run_random(tally)
    deviations = {}
    with tempfile.TemporaryDirectory() as name:
        for violation in tally.found.values():
            d = confirm(violation, pathlib.Path(name))
            tally.unsteady += d is None
            if d:
                deviations.setdefault((d["rule"], d["kind"]), d)
    write_list(tally, deviations.values(), seeds)
    print(f"{tally.traces} traces, {tally.skipped} skipped, {tally.hung} hung, {tally.unknown} "
          f"unknown, {len(deviations)} deviations, {tally.unsteady} not seen again")
    return 0


sys.exit(main())
