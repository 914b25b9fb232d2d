"""A cluster whose Redis fails, or the ways to it: no address moves, and calls come and go."""

import os
import time

from lab.netns import wait_for
from lab.trial import LEASE, Trial

FROZEN_S = int(os.environ.get("POSTERN_CLUSTER_FROZEN", "30" if LEASE < 1000 else "6"))


def _stays(t, seconds):
    """Every group is served by its home, all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert t.cluster.served() == t.cluster.homes(), t.cluster.served()
        time.sleep(0.2)


def _then_killed(t):
    """What was made meanwhile has been kept: another node goes on with it."""
    t.wait_kept()
    t.cluster.nodes[0].kill()
    t.cluster.wait_served({g: "node2" for g in t.cluster.homes()})
    t.g.wait_media(60)
    t.judge(moves=1)


def case_cut_from_redis():
    """One node cannot reach Redis: the others' word keeps its addresses with it, and what it owes is
    written later."""
    with Trial("one node cut from Redis, later killed") as t:
        t.begin()
        t.cluster.nodes[0].cut(*t.cluster.redis_addresses)
        _stays(t, LEASE / 1000 * 4)
        t.more(10)
        t.cluster.nodes[0].mend()
        t.after()
        _then_killed(t)


def case_cut_between_nodes():
    """The nodes do not hear each other: Redis's word suffices."""
    with Trial("the nodes cut from each other") as t:
        t.begin()
        t.cluster.nodes[0].cut(t.cluster.nodes[1].address)
        _stays(t, LEASE / 1000 * 4)
        t.cluster.nodes[0].mend()
        t.after()
        t.judge(moves=0)


def case_restarted():
    """Redis is killed and started again with what it had on disk."""
    with Trial("Redis killed and started again, then a node killed") as t:
        t.begin()
        t.cluster.redis.kill()
        _stays(t, LEASE / 1000 * 3)
        t.more(10)
        t.cluster.redis.start()
        _stays(t, LEASE / 1000)
        t.after()
        _then_killed(t)


def case_frozen():
    """Redis is frozen, with its connections open, and goes on later."""
    with Trial(f"Redis frozen for {FROZEN_S} s, then a node killed") as t:
        t.begin()
        t.cluster.redis.freeze()
        t.more(10)
        _stays(t, FROZEN_S)
        t.cluster.redis.thaw()
        t.after()
        _then_killed(t)


def case_full():
    """Redis takes nothing that needs memory; with room again, all is written, and a takeover finds it."""
    with Trial("Redis full (maxmemory), room again, then a node killed") as t:
        t.begin()
        t.cluster.redis.full()
        t.more(10)
        _stays(t, LEASE / 1000 * 4)
        t.cluster.redis.roomy()
        t.after()
        _then_killed(t)


def case_emptied():
    """Redis comes back with nothing: all is written again, and a takeover finds it."""
    with Trial("Redis lost its data, then a node killed") as t:
        t.begin()
        t.cluster.redis.kill()
        for name in os.listdir(t.cluster.redis.dir):
            if name.startswith("appendonly"):
                os.rename(os.path.join(t.cluster.redis.dir, name), os.path.join(t.cluster.redis.dir, "lost-" + name))
        t.more(10)
        t.cluster.redis.start()
        t.after()
        _stays(t, LEASE / 1000)
        _then_killed(t)


def case_failed_over():
    """The master is killed and Sentinel makes another: nothing moves; then a node dies, and all is there."""
    with Trial("Redis master killed, Sentinel failover, then a node killed", sentinels=True) as t:
        master = t.cluster.trio.master()
        t.begin()
        master.kill()
        t.more(10)
        wait_for("the sentinels to name another", lambda: t.cluster.trio.master() is not master, 60)
        wait_for("it to be a master", lambda: t.cluster.trio.master().role() == "master", 60)
        _stays(t, LEASE / 1000)
        t.after()
        _then_killed(t)
