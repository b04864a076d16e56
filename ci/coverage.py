#!/usr/bin/env python3
"""What of each topic of the process chapter is specified, built, tested and seen on a kernel.

usage: coverage.py --command FORKPROOF [--check]

Prints docs/coverage.md. docs/topics.toml says what belongs to a topic; how much of it there is
comes from FORKPROOF itself, fuzz/corpus/regressions, ci/mutants and the reports of campaigns on
running kernels in docs/campaigns (`ci/campaign.sh` makes one). With --check nothing is printed, but
a page that is old, a name that does not exist, and what is of no topic (a rule, an invariant, an
op, a proof) are errors.

Exit status: 0, or 1 with what is wrong on standard error.
"""

import argparse
import fnmatch
import json
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
SPEC_TABLES = ("rules", "invariants", "sometimes", "ops")
TABLES = (*SPEC_TABLES, "proofs")
BEYOND = ("kthread.*", "state.*", "wake.*",  # no program drives kernel threads
          "ptrace.not-kthreads", "freezer.not-kthreads", "freezer.woken-in-vain",
          "cgroup.move-not-kthreadd")


def spec_ids(command):
    """The ids of each table."""
    ids = {"proofs": read_proofs()}
    for table in SPEC_TABLES:
        asked = [command, "spec", f"--{table}", "--json"]
        out = subprocess.run(asked, check=True, capture_output=True).stdout
        ids[table] = [entry["id"] for entry in json.loads(out)]
    return ids


def read_proofs():
    """The obligations, by their page of the manual, as a build may be without a solver."""
    page = (ROOT / "docs" / "proofs.md").read_text()
    return re.findall(r"^\| `([a-z0-9.-]+)` \| .* \| .* \| .* \|$", page, re.MULTILINE)


def read_traces():
    """The ops and the folder of each litmus trace."""
    base = ROOT / "fuzz" / "corpus" / "regressions"
    traces = []
    for path in sorted(base.rglob("*.trace")):
        words = set()  # the second of each line: `actor: op ...`
        for line in path.read_text().splitlines():
            words.update(line.split("#")[0].split()[1:2])
        traces.append((path.relative_to(base).parts[0], words))
    return traces


def read_mutants():
    """The promise that each seeded defect breaks, by the id of a rule or an invariant."""
    promises = []
    for path in sorted((ROOT / "ci" / "mutants").rglob("*.patch")):
        for line in path.read_text().splitlines():
            if line.startswith("promise"):
                promises.append(line.split("=", 1)[1].strip())
    return promises


def read_campaigns():
    reports = sorted((ROOT / "docs" / "campaigns").glob("*.json"))
    return [json.loads(path.read_text()) for path in reports]


def chosen(patterns, ids):
    return [i for i in ids if any(fnmatch.fnmatchcase(i, p) for p in patterns)]


def problems(topics, ids):
    """Names that do not exist, and entries that no topic claims."""
    for topic in topics:
        for table in TABLES:
            for pattern in topic.get(table, []):
                if not chosen([pattern], ids[table]):
                    yield f"docs/topics.toml: {topic['name']}: {table}: nothing is called {pattern}"
        for name in topic.get("impl", []):
            if not (ROOT / "impl" / name).exists():
                yield f"docs/topics.toml: {topic['name']}: impl/{name} does not exist"
        for name in topic.get("traces", []):
            if not (ROOT / "fuzz" / "corpus" / "regressions" / name).is_dir():
                yield f"docs/topics.toml: {topic['name']}: there are no traces in {name}"
    for table in TABLES:
        claimed = {i for topic in topics for i in chosen(topic.get(table, []), ids[table])}
        for entry in ids[table]:
            if entry not in claimed:
                yield f"docs/topics.toml: no topic has {entry} of {table}"


def on_kernel(rules, campaigns, unseen):
    """What campaigns saw of these rules."""
    rules = [rule for rule in rules if rule not in chosen(BEYOND, rules)]
    cells = []
    for c in campaigns if rules else []:
        seen = sum(rule in c["covered"] for rule in rules)
        verdict = "no violation" if not c["violations"] else f"{len(c['violations'])} VIOLATIONS"
        cells.append(f"{c['id']}: {seen} of {len(rules)} rules, {verdict}")
    return "<br>".join(cells + ([unseen] if unseen else []))


def row(topic, ids, traces, promises, campaigns):
    mine = {table: chosen(topic.get(table, []), ids[table]) for table in TABLES}
    ops = set(topic.get("ops", []))
    litmus = sum(folder in topic.get("traces", []) or bool(ops & words) for folder, words in traces)
    kept = {promise for table in ("rules", "invariants", "proofs") for promise in mine[table]}
    mutants = sum(promise in kept for promise in promises)
    return [
        topic["name"],
        str(len(mine["rules"])),
        " ".join(mine["invariants"]),
        " ".join(f"`{op}`" for op in mine["ops"]),
        str(len(mine["sometimes"])),
        " ".join(f"`{name}`" for name in topic.get("impl", [])),
        str(len(mine["proofs"])),
        str(litmus),
        str(mutants),
        on_kernel(mine["rules"], campaigns, topic.get("unseen", "")),
    ]


INTRO = """
What of each topic of the process chapter is specified, built, tested and seen on a running kernel.
`ci/coverage.py` prints this page; `docs/topics.toml` says what belongs to a topic. One thing may
belong to several. Traces are those of the topic's folders and those with one of its ops; mutants
are the seeded defects that break one of its rules, invariants or proved properties.
"""
TOPICS = (
    "topic", "rules", "invariants", "ops", "sometimes", "impl/", "proofs", "traces", "mutants",
    "kernels"
)
CAMPAIGNS = ("id", "kernel", "date", "by", "seed", "traces", "ops", "left out", "violations")


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def campaign_row(c):
    counts = [f"{c[key]:,}" for key in ("traces", "ops", "skipped")]
    named = [str(c[key]) for key in ("id", "kernel", "date", "by", "seed")]
    return named + counts + [str(len(c["violations"]))]


def page(topics, ids, traces, promises, campaigns):
    totals = ", ".join(f"{len(ids[name])} {name}" for name in TABLES)
    rows = [row(topic, ids, traces, promises, campaigns) for topic in topics]
    return (
        f"# Coverage\n{INTRO}\n"
        f"In all {totals}, {len(traces)} litmus traces, {len(promises)} mutants.\n\n"
        f"{table(TOPICS, rows)}\n"
        "The campaigns, of random traces over all ops (`ci/campaign.sh`):\n\n"
        f"{table(CAMPAIGNS, map(campaign_row, campaigns))}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--command", required=True, help="the forkproof to ask")
    parser.add_argument("--check", action="store_true", help="compare with docs/coverage.md")
    options = parser.parse_args()

    topics = tomllib.loads((ROOT / "docs" / "topics.toml").read_text())["topic"]
    ids = spec_ids(options.command)
    wrong = list(problems(topics, ids))
    text = page(topics, ids, read_traces(), read_mutants(), read_campaigns())
    if options.check and (not PAGE.exists() or PAGE.read_text() != text):
        wrong.append("docs/coverage.md is old: run ci/coverage.py, which prints it")
    for problem in wrong:
        print(problem, file=sys.stderr)
    if not options.check:
        sys.stdout.write(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
