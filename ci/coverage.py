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
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
SPEC_TABLES = ("rules", "invariants", "sometimes", "ops")
TABLES = (*SPEC_TABLES, "proofs")


class Cause(typing.NamedTuple):
    """Why no trace of a campaign reaches some rules, which are known by their ids or sentences."""
    name: str
    about: str
    ids: tuple = ()
    says: str = None


CAUSES = (
    Cause("kernel threads", "No program drives them, wakes others by a mask, or borrows memory.",
          ("kthread.*", "state.*", "wake.*", "borrow.*", "ptrace.not-kthreads",
           "freezer.not-kthreads", "freezer.woken-in-vain", "cgroup.move-not-kthreadd")),
    Cause("other kernels", "They are of linux-4.12 alone, or of others older than the campaigns'.",
          says=r"linux-4\.12 only|^(In|Before|Until) (linux-)?\d|(is|are) [A-Z]+ before \d"),
    Cause("processors", "All puppets share one: props.linux_attributes_test asks the kernel.",
          ("affinity.*", "sched.deadline*")),
    Cause("stacks", "No program uses a kernel stack up.", ("stack.*",)),
    Cause("times", "They are not the same twice: props.linux_times_test asks the kernel.",
          ("times.*",)),
    Cause("memory", "None can be kept from an exec of a puppet.",
          ("exec.nothing-to-fail", "signal.forced-for-sharers")),
)


def read_spec(command):
    """The ids of each table, and what each entry of the spec says."""
    ids, says = {"proofs": read_proofs()}, {}
    for table in SPEC_TABLES:
        asked = [command, "spec", f"--{table}", "--json"]
        out = subprocess.run(asked, check=True, capture_output=True).stdout
        ids[table] = [entry["id"] for entry in json.loads(out)]
        says |= {entry["id"]: entry["says"] for entry in json.loads(out)}
    return ids, says


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
    for cause in CAUSES:
        for pattern in cause.ids:
            if not chosen([pattern], ids["rules"]):
                yield f"ci/coverage.py: {cause.name}: no rule is called {pattern}"
    for table in TABLES:
        claimed = {i for topic in topics for i in chosen(topic.get(table, []), ids[table])}
        for entry in ids[table]:
            if entry not in claimed:
                yield f"docs/topics.toml: no topic has {entry} of {table}"


def cause_of(rule, says):
    """Why no campaign reaches a rule; None where nothing is known to stand in the way."""
    for cause in CAUSES:
        if chosen(cause.ids, [rule]) or (cause.says and re.search(cause.says, says[rule])):
            return cause
    return None


def unreached(ids, says, campaigns):
    """The rules that no campaign reached: by cause, and last, by None, those without."""
    reached = {rule for c in campaigns for rule in c["covered"]}
    by_cause = {cause: [] for cause in (*CAUSES, None)}
    for rule in ids["rules"]:
        if rule not in reached:
            by_cause[cause_of(rule, says)].append(rule)
    return {cause: rules for cause, rules in by_cause.items() if rules}


def on_kernel(rules, campaigns, unseen, lacking):
    """What campaigns saw of these rules, and why not of the others."""
    cells = []
    for c in campaigns if rules else []:
        seen = sum(rule in c["covered"] for rule in rules)
        verdict = "no violation" if not c["violations"] else f"{len(c['violations'])} VIOLATIONS"
        cells.append(f"{c['id']}: {seen} of {len(rules)} rules, {verdict}" if seen else
                     f"{c['id']}: not seen, 0 of {len(rules)} rules")
    counts = {cause: len(set(rules) & set(left)) for cause, left in lacking.items()}
    beyond = [f"{cause.name} {n}" for cause, n in counts.items() if cause and n]
    if beyond:
        cells.append(f"Beyond campaigns: {', '.join(beyond)}.")
    if counts.get(None):
        cells.append(f"Not reached: {counts[None]}.")
    return "<br>".join(cells + ([unseen] if unseen else []))


def row(topic, ids, traces, promises, campaigns, lacking):
    mine = {table: chosen(topic.get(table, []), ids[table]) for table in TABLES}
    ops = set(topic.get("ops", []))
    litmus = sum(folder in topic.get("traces", []) or bool(ops & words) for folder, words in traces)
    kept = {promise for table in ("rules", "invariants", "proofs") for promise in mine[table]}
    mutants = sum(promise in kept for promise in promises)
    tested = len(set(mine["rules"]) & set(promises))
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
        f"{tested} / {len(mine['rules'])}" if mine["rules"] else "",
        on_kernel(mine["rules"], campaigns, topic.get("unseen", ""), lacking),
    ]


INTRO = """
What of each topic of the process chapter is specified, built, tested and seen on a running kernel.
`ci/coverage.py` prints this page; `docs/topics.toml` says what belongs to a topic. One thing may
belong to several. Traces are those of the topic's folders and those with one of its ops; mutants
are the seeded defects that break one of its rules, invariants or proved properties, and "with a
mutant" says how many of its rules one is of.

What campaigns saw is of the commits that they were run of (below), and out of all rules of a topic.
"Beyond campaigns" are rules that no trace of a campaign reaches, by cause; "not reached" are others
that none has reached. Both are listed at the end.
"""
TOPICS = (
    "topic", "rules", "invariants", "ops", "sometimes", "impl/", "proofs", "traces", "mutants",
    "with a mutant", "kernels"
)
CAMPAIGNS = (
    "id", "kernel", "date", "of commit", "by", "seed", "traces", "ops", "left out", "rules reached",
    "violations"
)


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def campaign_row(c):
    commit = c.get("commit", "not recorded") + (", changed" if c.get("dirty") else "")
    counts = [f"{c[key]:,}" for key in ("traces", "ops", "skipped")]
    named = [c["id"], c["kernel"], c["date"], commit, c["by"], str(c["seed"])]
    reached = f"{len(c['covered'])} of {len(c['covered']) + len(c['uncovered'])}"
    return named + counts + [reached, str(len(c["violations"]))]


def folded(head, entries, says):
    """A list with its sentences, folded."""
    lines = "".join(f"- `{i}`: " + re.sub(r"([_*<])", r"\\\1", says[i]) + "\n" for i in entries)
    return f"<details>\n<summary>{len(entries)} {head}</summary>\n\n{lines}\n</details>\n"


def missing(ids, says, campaigns, lacking):
    """The rules, and the states, that no campaign reached."""
    parts = [folded(f"rules beyond campaigns: {cause.name}. {cause.about}" if cause else
                    "rules not reached", rules, says) for cause, rules in lacking.items()]
    sets = [set(c["sometimes_missing"]) for c in campaigns]
    states = [i for i in ids["sometimes"] if sets and all(i in missed for missed in sets)]
    return "\n".join([*parts, folded("states of the kind sometimes not reached", states, says)])


def page(topics, ids, says, traces, promises, campaigns):
    totals = ", ".join(f"{len(ids[name])} {name}" for name in TABLES)
    lacking = unreached(ids, says, campaigns)
    rows = [row(topic, ids, traces, promises, campaigns, lacking) for topic in topics]
    tested = len(set(promises) & set(ids["rules"]))
    left = sum(map(len, lacking.values()))
    return (
        f"# Coverage\n{INTRO}\n"
        f"In all {totals}, {len(traces)} litmus traces, {len(promises)} mutants. "
        f"{tested} of {len(ids['rules'])} rules have a mutant.\n\n"
        f"{table(TOPICS, rows)}\n"
        "The campaigns, of random traces over all ops (`ci/campaign.sh`):\n\n"
        f"{table(CAMPAIGNS, map(campaign_row, campaigns))}\n"
        f"No trace of any campaign reached {left} of {len(ids['rules'])} rules.\n\n"
        f"{missing(ids, says, campaigns, lacking)}"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--command", required=True, help="the forkproof to ask")
    parser.add_argument("--check", action="store_true", help="compare with docs/coverage.md")
    options = parser.parse_args()

    topics = tomllib.loads((ROOT / "docs" / "topics.toml").read_text())["topic"]
    ids, says = read_spec(options.command)
    wrong = list(problems(topics, ids))
    text = page(topics, ids, says, read_traces(), read_mutants(), read_campaigns())
    if options.check and (not PAGE.exists() or PAGE.read_text() != text):
        wrong.append("docs/coverage.md is old: run ci/coverage.py, which prints it")
    for problem in wrong:
        print(problem, file=sys.stderr)
    if not options.check:
        sys.stdout.write(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
