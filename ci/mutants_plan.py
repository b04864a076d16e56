"""The whole table of mutants: what is measured, in which order, and how far it has come."""
import collections
import sys
import time

# An engine; with how many seeds, and seconds for each; how many of them may pass a mutant by before
# the others, which would take as long again, are left out; and which part of the mutants it judges:
# all, or every so many of a group after another.
Stage = collections.namedtuple("Stage", "engine trials time misses every", defaults=(1,))

# What the bars ask for comes first and has its limit of 60 s, which few mutants need. The engines
# that are there to compare with pass many by: they have a short one, and a fifth of the mutants,
# which tells the shares that they kill to some points. A mutant of impl/ is built in 0.7 s of a
# processor (9 s if it changes a header that all read), once for the first five engines. What the
# implementation shows of a wrong rule it shows within seconds; the kernel, which is waited for more
# than it works, has a third of them. ci/mutants/notes.md says how long each takes.
WHOLE = (
    Stage("replay", 1, 60, 1),
    Stage("random", 10, 60, 1),
    Stage("uniform", 1, 1, 1, 5),
    Stage("explore", 1, 1, 1, 5),
    Stage("fuzz", 1, 1, 1, 5),
    Stage("litmus", 1, 10, 1),
    Stage("lockstep", 1, 10, 1),
    Stage("kernel", 1, 120, 1, 3),
    Stage("prove", 1, 120, 1))


class Progress:
    """A line that says how far a stage has come: in place on a terminal, else now and then."""

    def __init__(self, engine, total):
        self.engine, self.total, self.done, self.survived = engine, total, 0, 0
        self.start = self.said = time.monotonic()

    @property
    def spent(self):
        return time.monotonic() - self.start

    def add(self, survived):
        self.done += 1
        self.survived += survived
        last = self.done == self.total
        live = sys.stderr.isatty()
        if not live and not last and time.monotonic() - self.said < 15:
            return
        self.said = time.monotonic()
        left = self.spent / self.done * (self.total - self.done)
        print(f"\r{self.engine}: {self.done} of {self.total}, {self.survived} survived, "
              f"{self.spent:.0f} s, {left:.0f} s to go" if live and not last else
              f"{self.engine}: {self.done} of {self.total}, {self.survived} survived, "
              f"{self.spent:.0f} s", end="" if live and not last else "\n", file=sys.stderr,
              flush=True)
