"""Processes of the lab: started, asked, measured, and ended in every case."""

import json
import os
import queue
import signal
import subprocess
import threading
import time


class LabError(RuntimeError):
    """A benchmark could not be run; the text says why."""


def tail(path, n=1500):
    try:
        with open(path, errors="replace") as f:
            return f.read()[-n:]
    except OSError:
        return ""


def put_first(pid):
    """Ahead of all else on this machine. Where the kernel shares CPUs out by sessions, nice alone counts within one."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, -20)
        with open(f"/proc/{pid}/autogroup", "w") as f:
            f.write("-20")
    except OSError:
        pass  # not root, or a kernel without such groups: measured as it is


class Process:
    """A child whose output goes to a file; ends with its owner. `first`: its loops are not to be interrupted."""

    def __init__(self, args, log, stdin=subprocess.DEVNULL, stdout=None, env=None, prefix=(), first=False):
        self.name = os.path.basename(args[0])
        self.log = log
        with open(log, "a") as out:
            self.child = subprocess.Popen([*prefix, *args], stdin=stdin, stdout=stdout or out,
                                          stderr=out if stdout else subprocess.STDOUT, text=True, bufsize=1,
                                          env=env, start_new_session=True)
        if first:
            put_first(self.pid)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def wait_for(self, ready, seconds, what):
        end = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise LabError(f"{self.name} ended ({self.child.returncode}): {tail(self.log)}")
            if time.monotonic() > end:
                raise LabError(f"{self.name}: {what}: not within {seconds} s: {tail(self.log)}")
            time.sleep(0.02)

    def stop(self, sig=signal.SIGINT, seconds=15):
        if self.alive():
            self.child.send_signal(sig)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)  # its own session: nothing of ours but its children
                self.child.wait()
        return self.child.returncode


class Conversation(Process):
    """A child that answers each line on stdin by a line of JSON on stdout."""

    def __init__(self, args, log, **more):
        super().__init__(args, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **more)
        self.lines = queue.Queue()
        self.kept = []  # answers that came for another command
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.child.stdout:
            if line.startswith("{"):
                self.lines.put(line)
        self.lines.put(None)

    def tell(self, command):
        try:
            self.child.stdin.write(command + "\n")
            self.child.stdin.flush()
        except (BrokenPipeError, ValueError) as error:
            raise LabError(f"{self.name} is gone before {command!r}: {tail(self.log)}") from error

    def take(self, command, seconds):
        """The answer to a command told before; those of others are kept for their turn."""
        word = command.split()[0]
        for i, answer in enumerate(self.kept):
            if answer["command"].split()[0] == word:
                return self._checked(self.kept.pop(i), command)
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise LabError(f"{self.name}: no answer to {command!r} in {seconds:.0f} s: {tail(self.log)}") from None
            if line is None:
                raise LabError(f"{self.name} ended at {command!r}: {tail(self.log)}")
            answer = json.loads(line)
            if answer.get("command", word).split()[0] == word:
                return self._checked(answer, command)
            self.kept.append(answer)

    def _checked(self, answer, command):
        if not answer.get("ok", False):
            raise LabError(f"{self.name}: {command!r}: {answer.get('error', 'refused')}")
        return answer

    def ask(self, command, seconds=60):
        self.tell(command)
        return self.take(command, seconds)

    def stop(self, sig=signal.SIGINT, seconds=15):
        if self.alive():
            try:
                self.child.stdin.close()  # the end of its input ends it
                self.child.wait(seconds)
            except (OSError, subprocess.TimeoutExpired):
                pass
        return super().stop(sig, seconds)


def _schedstat(pid, field):
    out = {}
    try:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/schedstat") as f:
                out[int(tid)] = int(f.read().split()[field])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return out


def cpu_ns(pid):
    """On-CPU time of every thread of a process, by thread id, in ns."""
    return _schedstat(pid, 0)


def waited_ns(pid):
    """The same of the time that each was ready to run and had no CPU."""
    return _schedstat(pid, 1)


def stolen_ns():
    """What the host of this virtual machine has taken of all CPUs since it began."""
    with open("/proc/stat") as f:
        return int(f.readline().split()[8]) * 10**9 // os.sysconf("SC_CLK_TCK")


def cpu_between(before, after):
    """ns between two cpu_ns(): a thread that is new counts from its start."""
    return sum(ns - before.get(tid, 0) for tid, ns in after.items())


def children(pid):
    """Processes that this one has started, and theirs."""
    found = []
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            found = [int(p) for p in f.read().split()]
    except OSError:
        pass
    return found + [c for p in found for c in children(p)]
