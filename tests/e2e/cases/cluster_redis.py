"""A cluster whose Redis fails, or the ways to it: no address moves, and calls come and go."""

import os
import time

from lab.netns import wait_for
from lab.trial import LEASE, Trial

FROZEN_S = int(os.environ.get("POSTERN_CLUSTER_FROZEN", "30" if LEASE < 1000 else "6"))


def _stays(t, seconds):
    """Every group is served by its home, all the time."""
    homes = {g: [n] for g, n in t.cluster.homes().items()}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        served = t.cluster.served()
        assert served == homes, served
        time.sleep(0.2)


def _stored(t):
    """What was owed while Redis was away has been written."""
    def nothing_owed():
        views = [n.border.status() for n in t.cluster.nodes if n.alive()]
        return all(v["store"]["up"] and v["store"]["waiting"] == 0 and v["degraded"] == 0 for v in views)

    wait_for("everything owed to be written, and no call degraded", nothing_owed, 60, 0.2)


def case_cut_from_redis():
    """One node cannot reach Redis: the others' word keeps its addresses with it."""
    with Trial("one node cut from Redis") as t:
        t.begin()
        t.cluster.nodes[0].cut(*t.cluster.redis_addresses)
        _stays(t, LEASE / 1000 * 4)
        t.cluster.nodes[0].mend()
        _stored(t)
        t.after()
        t.judge(moves=0)


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
    with Trial("Redis killed and started again") as t:
        t.begin()
        t.cluster.redis.kill()
        _stays(t, LEASE / 1000 * 3)
        t.cluster.redis.start()
        _stored(t)
        _stays(t, LEASE / 1000)
        t.after()
        t.judge(moves=0)


def case_frozen():
    """Redis is frozen, with its connections open, and goes on later."""
    with Trial(f"Redis frozen for {FROZEN_S} s") as t:
        t.begin()
        t.cluster.redis.freeze()
        _stays(t, FROZEN_S)
        t.cluster.redis.thaw()
        _stored(t)
        t.after()
        t.judge(moves=0)


def case_full():
    """Redis takes nothing that needs memory; with room again, all is written, and a takeover finds it."""
    with Trial("Redis full (maxmemory), room again, then a node is killed") as t:
        t.begin()
        t.cluster.redis.full()
        _stays(t, LEASE / 1000 * 4)
        t.cluster.redis.roomy()
        _stored(t)
        t.cluster.nodes[0].kill()
        t.cluster.wait_served({g: "node2" for g in t.cluster.homes()})
        t.after()
        t.judge(moves=1, new_calls=False)


def case_emptied():
    """Redis comes back with nothing: all is written again, and a takeover finds it."""
    with Trial("Redis lost its data, then a node is killed") as t:
        t.begin()
        t.cluster.redis.kill()
        for name in os.listdir(t.cluster.redis.dir):
            if name.startswith("appendonly"):
                os.rename(os.path.join(t.cluster.redis.dir, name), os.path.join(t.cluster.redis.dir, "lost-" + name))
        t.cluster.redis.start()
        _stored(t)
        t.wait_copied()
        t.cluster.wait_served(t.cluster.homes())
        t.after()
        t.g.say("mark")
        t.cluster.nodes[0].kill()
        t.cluster.wait_served({g: "node2" for g in t.cluster.homes()})
        t.g.wait_media(60)
        t.judge(new_calls=False)


def case_failed_over():
    """The master is killed and Sentinel makes another: nothing moves; then a node dies, and all is there."""
    with Trial("Redis master killed, Sentinel failover, then a node is killed", sentinels=True) as t:
        master = t.cluster.trio.master()
        t.begin()
        master.kill()
        wait_for("the sentinels to name another", lambda: t.cluster.trio.master() is not master, 60)
        wait_for("it to be a master", lambda: t.cluster.trio.master().role() == "master", 60)
        _stored(t)
        _stays(t, LEASE / 1000)
        t.cluster.nodes[0].kill()
        t.cluster.wait_served({g: "node2" for g in t.cluster.homes()})
        t.after()
        t.judge(moves=1, new_calls=False)
