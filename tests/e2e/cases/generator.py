"""The load generator against the border: all that it does works there, and a leak would be seen."""

import json
import os
import subprocess

from lab.netns import Net
from lab.peers import BUILD, Border
from lab.topology import config

GEN = os.path.join(BUILD, "tests", "bench", "gen")
EAL = ["--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry", "--log-level", "4", "--lcores", "0",
       "--vdev", "net_af_packet0,iface=gen0", "--vdev", "net_af_packet1,iface=gen1"]


class Bench(Net):
    """The border and the generator, joined by two cables."""

    def __init__(self):
        super().__init__("gen")
        self.gen, self.border = self.ns("gen"), self.ns("border")
        self.veth(self.border, "out0", self.gen, "gen0")
        self.veth(self.border, "in0", self.gen, "gen1")

    def ask(self, commands, *options):
        """Answers by the first word of their commands."""
        done = subprocess.run(["ip", "netns", "exec", self.gen, GEN, *EAL, "--", "--agent-hidden", "--grace", "40", *options],
                              input="\n".join([*commands, ""]), capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stderr
        return {a["command"].split()[0]: a for a in map(json.loads, done.stdout.splitlines())}


def case_all_of_it():
    """Calls, media, registrations and floods are done as attempted; nothing leaks or goes astray."""
    with Bench() as net:
        border = Border(net, net.border, config(calls=2000, cps=500))
        a = net.ask(["link 20", "setup 20 200", "rtp 2000 1 0.2", "teardown", "flood garbage 500 3 &", "cps 50 2 20 2",
                     "register 20 1 10", "flood fragment 200 1", "stats"])
        print("     " + ", ".join(f"{k}: {a[k]['attempted']} attempted, {a[k]['done']} done"
                                  for k in ("teardown", "cps", "register"))
              + f"; {a['rtp']['rx']} of {a['rtp']['tx']} packets")
        for answer in a.values():
            assert answer["ok"], answer
        assert a["setup"]["established"] == 20 == a["teardown"]["done"], a
        assert a["cps"]["done"] == a["cps"]["attempted"] == 100, a["cps"]
        assert a["register"]["done"] == a["register"]["attempted"] == 20, a["register"]
        for k in ("setup", "teardown", "cps"):
            assert all(a[k][what] == 0 for what in ("leaks", "faulty", "unexpected")), a[k]
        assert a["register"]["leaks"] == 0, a["register"]
        media = a["rtp"]
        assert media["tx"] > 0 and media["unproven"] == 0, media
        assert all(media[what] == 0 for what in ("misdelivered", "duplicated", "corrupted")), media
        assert a["stats"]["mbufs_in_use"] == 0 == a["stats"]["rtp_mbufs_in_use"], a["stats"]
        assert border.drops()["sip-not"] > 0


def case_a_leak_is_seen():
    """One identifier of the other side in every tenth message: those calls are not done."""
    with Bench() as net:
        Border(net, net.border, config(calls=2000, cps=500))
        a = net.ask(["link 20", "cps 50 1", "stats"], "--fault", "leak:10")
        cps = a["cps"]
        print(f"     {cps['leaks']} leaks in {cps['attempted']} calls, {cps['done']} done, {cps['faulty']} faulty")
        assert cps["leaks"] > 0 and cps["faulty"] > 0, cps
        assert cps["done"] + cps["faulty"] == cps["attempted"] == 50, cps
