"""The processes that judge mutants. Each has a session of its own, so that what a terminal sends
reaches us alone: a tool that was interrupted ends as if it had found nothing. They end with us."""
import collections
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

from mutants_build import Bad

# The status is None of one that had to be ended, as its time was over.
Done = collections.namedtuple("Done", "status out err seconds")
LAST_WORDS = 5  # seconds for what a process that was ended still had to say


class Stopped(BaseException):
    """A signal asked for the end: what was under way has no verdict."""


def ends(options, work, goes_on):
    """The exit status of `work(options)`, whatever ends it; `goes_on` says how to after a stop."""
    options.children = Children()
    options.children.listen()
    try:
        return work(options)
    except Stopped:
        print(f"mutants: stopped; what was finished is kept, and {goes_on}", file=sys.stderr)
        return 128 + options.children.signal
    except (Bad, OSError) as bad:
        print(f"mutants: {bad}", file=sys.stderr)
        return 2


class Children:
    def __init__(self):
        self.lock, self.running, self.signal = threading.RLock(), set(), None
        setpriv = shutil.which("setpriv")
        self.launcher = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []

    def listen(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)

    def stop(self, number, _):
        first, self.signal = self.signal is None, number
        self.end()
        if first:
            raise Stopped

    def end(self):
        """Ends all that runs for us, and asks the compilers to end, which clean up."""
        with self.lock:
            mine = set(self.running)
        for child in mine:
            kill(child)
        for pid in direct_children() - {child.pid for child in mine}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def begin(self, command, how):
        with self.lock:
            if self.signal:
                raise Stopped
            child = subprocess.Popen([*self.launcher, *command], text=True, errors="replace",
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, start_new_session=True, **how)
            self.running.add(child)
            return child

    def run(self, command, limit, **how):
        start = time.monotonic()
        with self.begin(command, how) as child:
            try:
                out, err = child.communicate(timeout=limit)
                status = child.returncode
            except subprocess.TimeoutExpired:
                kill(child)
                status, (out, err) = None, rest(child)
            finally:
                with self.lock:
                    self.running.discard(child)
        if self.signal:
            raise Stopped
        return Done(status, out, err, time.monotonic() - start)

    @contextlib.contextmanager
    def pool(self, jobs):
        """Of threads that wait for processes, and for none any more once we were stopped."""
        pool = concurrent.futures.ThreadPoolExecutor(jobs)
        try:
            yield pool
        except Stopped:
            pool.shutdown(wait=False, cancel_futures=True)
            while threading.active_count() > 1:
                self.end()
                time.sleep(0.05)
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def kill(child):
    """With all that it started, unless it is known to be gone, when the number may be another's."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


def rest(child):
    """One of its own that left its group may keep the pipes open, and is not waited for."""
    try:
        return child.communicate(timeout=LAST_WORDS)
    except subprocess.TimeoutExpired:
        return "", ""


def direct_children():
    found = set()
    for file in pathlib.Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # that thread has just ended
            found |= {int(pid) for pid in file.read_text().split()}
    return found
