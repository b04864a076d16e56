"""One trial of a mutant: how an engine is called, and what its answer says. A harness that fails
has given no verdict, and kills nothing."""
import json
import os
import pathlib
import signal
import tempfile

from mutants_build import Bad

GRACE = 20  # seconds more than the limit that a process may take, to make its trace small
TIMED = ("random", "uniform", "lockstep", "fuzz")  # who finds nothing works until the time is over
CRASHES = (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL,
           signal.SIGTRAP, signal.SIGSYS)
FUZZER = {77: "crash", 70: "hangs", 71: "crash, memory"}  # libFuzzer's own statuses


def steps(trace):
    """The ops of a trace: an actor, a colon, and what it does."""
    lines = [line.partition("#")[0] for line in trace.splitlines()]
    return sum(": " in line for line in lines)


def command_of(options, built, seed, promises=()):
    """How an engine is called on what was built of a mutant."""
    system, limit = f"mutant:{built}", f"{options.time}s"
    check = ["check", "--json", "--seed", str(seed), "--time", limit]
    match options.engine:
        case "random" | "uniform":
            return [options.command, *check, "--system", system, "--engine", options.engine]
        case "replay":
            return [options.command, "replay", "--json", "--system", system, options.litmus]
        case "explore":
            return [options.command, "explore", "--json", "--system", system, "--tasks", "3",
                    "--depth", "5", "--jobs", "1", "--seconds", str(options.time), "--ops",
                    options.ops]
        case "fuzz":
            return [options.fuzzer, f"-seed={seed % 2**31 or 1}",
                    f"-max_total_time={options.time}", "-timeout=5", "-max_len=96",
                    "-rss_limit_mb=2048"]
        case "litmus":  # the changed model is the system, too: only what is written down objects
            return [built, "replay", "--json", "--system", "spec", options.litmus]
        case "lockstep":
            return [built, *check, "--system", "impl", "--engine", "random"]
        case "kernel":
            return [built, "replay", "--json", "--system", "linux", options.litmus]
        case "prove":
            return [built, "prove", *promises]


def trial(options, built, seed, promise):
    """One run in a process of its own: whether the mutant was caught, by what, how soon."""
    if options.engine == "prove":  # what it breaks first: one that is not proved is enough
        verdict = run(options, built, seed, [promise])
        if verdict["killed"]:
            return verdict
    return run(options, built, seed)


def run(options, built, seed, promises=()):
    command = command_of(options, built, seed, promises)
    with tempfile.TemporaryDirectory() as scratch:
        surroundings = dict(os.environ, FORKPROOF_SYSTEM=f"mutant:{built}",
                            XDG_CACHE_HOME=str(options.cache))
        done = options.children.run(command, options.time + GRACE, cwd=scratch, env=surroundings)
    found = verdict_of(options, done)
    if found is None:
        said = f"exit status {done.status} after {done.seconds:.1f} s: {done.err.strip()[-500:]}"
        raise Bad(f"{options.engine} of {pathlib.Path(built).name}: no verdict: {said}")
    return {"killed": False, "by": None, "seconds": done.seconds, "ops": None} | found


def verdict_of(options, done):
    """What is to be said besides the time; None where the answer says nothing of the mutant."""
    engine, status = options.engine, done.status
    if status is None or status == -signal.SIGPROF:
        # A solver that is slow has refuted nothing.
        return {"killed": engine != "prove", "by": None if engine == "prove" else "hangs"}
    if status == 0:
        early = engine in TIMED and done.seconds < 0.9 * options.time
        return None if early else {}
    if engine == "fuzz" and status in FUZZER:
        return fuzz_verdict(done)
    if status < 0:
        sign = signal.Signals(-status)
        return killed(f"crash, {sign.name}") if sign in CRASHES else None
    if engine == "fuzz":
        return None
    if engine == "prove":
        return proofs_verdict(done) if status == 1 else None
    if status == 1 and '"violations"' in done.out:
        return report_verdict(json.loads(done.out), done.seconds)
    if "Sanitizer" in done.err:
        return killed("crash, sanitizer")
    # A spec that reads no trace refuses even those that it should know.
    return killed("refuses") if engine in ("litmus", "kernel") and status == 2 else None


def killed(by):
    return {"killed": True, "by": by}


def report_verdict(report, spent):
    if not report["violations"]:
        return None
    found = report["violations"][0]
    by = found["kind"] if found["kind"] == "unsound" else found["rule"]
    when = spent if found["engine"] == "explore" else found["found_after"]
    return {"killed": found["kind"] != "unknown", "by": by, "seconds": when,
            "ops": steps(found["trace"]) if found["engine"] in ("random", "explore") else None,
            "tried": report["ops"] if found["engine"] != "replay" else None,
            "where": found["name"]}


def fuzz_verdict(done):
    """What is violated stands in the report, where the mutant lived to have one."""
    for line in done.err.splitlines():
        if "VIOLATION of" in line:
            return killed(line.partition("VIOLATION of ")[2].split()[0])
    return killed(FUZZER[done.status])


def proofs_verdict(done):
    """What is only UNPROVED has no counterexample: the solver was given too little time."""
    lost = [line.split()[1] for line in done.out.splitlines() if line.startswith("BROKEN")]
    return {"killed": bool(lost), "by": lost[0] if lost else None}
