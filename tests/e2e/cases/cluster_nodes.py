"""A cluster whose nodes fail: calls that were up stay up, and no address has two owners."""

import signal
import time

from lab.cluster import jump
from lab.netns import wait_for
from lab.trial import LEASE, Trial

ALL_BY = {"g1": "node2", "g2": "node2"}


def _takeover(t, fault, expected=None):
    """A fault of node1 after which node2 has everything."""
    t.begin()
    t.still()
    fault()
    t.struck()
    t.cluster.wait_served(expected or ALL_BY)
    t.after()


def _back(t):
    """The node is well again and gets its group back, with its calls."""
    t.cluster.wait_served(t.cluster.homes())
    t.g.wait_media()


def _row(node, table, name):
    """What posternctl cluster says of a node or a group."""
    return next(r for r in node.border.ctl("cluster")[table] if r["name"] == name)


def case_killed():
    """kill -9 of a node that carries all calls while the other is its warm spare: every call goes on there."""
    with Trial("process killed, the other node is the spare", groups=1) as t:
        _takeover(t, t.cluster.nodes[0].kill, {"g1": "node2"})
        t.judge(moves=1, new_calls=False)


def case_killed_and_started():
    """A killed node comes back, and its group is given back to it with all calls."""
    with Trial("process killed, started again, given back") as t:
        node = t.cluster.nodes[0]
        _takeover(t, node.kill)
        t.cluster.start_node(node)
        _back(t)
        t.judge(moves=2, new_calls=False)


def case_power_lost():
    """A node loses its power: process and links are gone at once."""
    with Trial("power lost: process killed, links down") as t:
        node = t.cluster.nodes[0]

        def fault():
            node.links(up=False)
            node.kill()

        _takeover(t, fault)
        t.judge(moves=1, new_calls=False)


def case_paused():
    """SIGSTOP for longer than the lease, then SIGCONT: the node that slept sends nothing any more."""
    with Trial("SIGSTOP longer than the lease, SIGCONT") as t:
        node = t.cluster.nodes[0]
        _takeover(t, node.pause)
        node.resume()
        wait_for("the node that slept to answer", lambda: node.border.try_ctl("status"), 60)
        _back(t)
        t.judge(moves=2, new_calls=False)


def case_isolated():
    """A node that reaches neither Redis nor the other nodes stops by itself; the other takes over."""
    with Trial("cut from Redis and from the other node") as t:
        node, other = t.cluster.nodes
        _takeover(t, lambda: node.cut(other.address, *t.cluster.redis_addresses))
        node.mend()
        _back(t)
        t.judge(moves=2, new_calls=False, ghosts=True)


def case_unplugged():
    """Nothing passes on any link of a node while its process runs: it stops by itself, the other takes over."""
    with Trial("all networks of a node cut, its process runs on") as t:
        node = t.cluster.nodes[0]
        _takeover(t, lambda: node.unplugged(True))
        node.unplugged(False)
        _back(t)
        t.judge(moves=2, new_calls=False, ghosts=True)


def case_drained():
    """Rolling upgrade: a node is drained, ends, starts again and gets its calls back; nobody notices."""
    with Trial("drained, ended, started, given back") as t:
        node = t.cluster.nodes[0]
        t.begin()
        node.border.ctl("drain")
        t.cluster.wait_served(ALL_BY)
        node.proc.signal(signal.SIGINT)
        assert node.proc.wait(60) == 0, node.proc.text()[-2000:]
        t.cluster.start_node(node)
        t.cluster.wait_served(t.cluster.homes())
        t.after()
        t.judge(moves=2)


def case_other_node_asked():
    """Requests within calls reach the node that does not hold them: they are answered all the same."""
    with Trial("requests to the node that does not hold the call") as t:
        t.begin()
        t.after()
        t.requests(misdirect=True)
        t.finish(moves=0)


def case_two_of_three():
    """Of three nodes two die one after the other: the last has all groups and all calls."""
    with Trial("three nodes, two killed one after the other", nodes=3) as t:
        c = t.cluster
        t.begin()
        t.still()
        c.nodes[0].kill()
        t.struck()
        wait_for("node1's group to be served", lambda: c.served()["g1"] in ("node2", "node3"), 60)
        t.g.wait_media(60)
        t.still()
        c.nodes[1].kill()
        t.struck()
        c.wait_served({g: "node3" for g in c.homes()})
        t.after()
        t.judge(new_calls=False)


def case_clocks_jump():
    """Wall clocks of both nodes and of Redis jump by an hour, apart: nothing moves; then a node dies."""
    with Trial("wall clocks of nodes and Redis jump, then a node is killed", clocks=True) as t:
        first, second = t.cluster.nodes
        t.begin()
        for path, seconds in ((first.clock, 3600), (second.clock, -3600), (t.cluster.redis_clock, 7200),
                              (t.cluster.redis_clock, -7200), (first.clock, -5400), (second.clock, 0)):
            jump(path, seconds)
            time.sleep(LEASE / 1000)
            assert t.cluster.served() == t.cluster.homes(), t.cluster.served()
        t.still()
        first.kill()
        t.struck()
        t.cluster.wait_served(ALL_BY)
        t.after()
        t.judge(moves=1, new_calls=False)


def case_moved():
    """An operator moves a group while calls are made: nobody notices."""
    with Trial("a group moved by posternctl", give_back="manual", groups=1) as t:
        t.begin()
        first, second = t.cluster.nodes
        wait_for("the other node to be ready", lambda: _row(first, "nodes", "node2")["ready"], 60)
        first.border.ctl("move", "g1", "node2")
        t.cluster.wait_served({"g1": "node2"})
        assert _row(second, "groups", "g1")["owner"] == "node2", t.cluster.view(second)
        t.after()
        t.judge(moves=1)
