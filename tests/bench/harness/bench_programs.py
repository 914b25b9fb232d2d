"""Benchmarks that are programs of their own, which print their figures as JSON."""

import os
import shutil
import signal
import tempfile

from .figures import from_json
from .lab import program
from .proc import LabError, Process


def run(name, *args, timeout=120, first=False):
    return [from_json(line) for line in program(name, *args, timeout=timeout, first=first)]


def machine(ctx):
    """how often and for how long this machine takes a CPU away from who polls on it"""
    return run("pauses_bench", str(ctx.pick(2000, 1000, 50)), first=True)


def parse(_ctx):
    """index and peek: what reading a 1.3 kB INVITE costs"""
    return run("parse_bench")


def rewrite(_ctx):
    """receive to rewritten INVITE, without I/O"""
    return run("rewrite_bench")


def engine(_ctx):
    """a whole call in the engine, without I/O, and its memory"""
    return run("engine_bench")


def stages(_ctx):
    """cycles of each stage of a worker's loop"""
    return run("stages_bench")


def million(ctx):
    """one million calls established and ended in one process"""
    return run("million_bench", *ctx.pick([], ["100000"], ["20000"]), timeout=240)


def state(_ctx):
    """what it costs that calls are kept: engine, control and Redis without packet I/O"""
    return with_redis(lambda address: run("state_bench", address))


def with_redis(use):
    """Redis as the daemon runs its own: a Unix socket, append-only files written out each second."""
    if not shutil.which("redis-server"):
        raise LabError("redis-server is not installed")
    where = tempfile.mkdtemp(prefix="postern-bench-")
    path = f"{where}/redis.sock"
    server = Process(["redis-server", "--port", "0", "--unixsocket", path, "--dir", where, "--save", "",
                      "--appendonly", "yes", "--appendfsync", "everysec"], f"{where}/redis.log")
    try:
        server.wait_for(lambda: os.path.exists(path), 20, "a Redis server")
        return use(f"unix:{path}")
    finally:
        server.stop(signal.SIGTERM)
        shutil.rmtree(where, ignore_errors=True)
