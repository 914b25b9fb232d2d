"""Border nodes on bridged networks, with Redis and heartbeats on a third.

    callers (203.0.113.60) --+-- access 203.0.113.0/24 --+-- node1 --+-- core 10.0.0.0/24 --+-- answerers (10.0.0.30)
                             |    groups' .11 .12 ..     +-- node2 --+   groups' .11 .12 .. |
                                                         +-- node3 --+
                                       management 10.99.0.0/24: heartbeats .1 .2 .3, Redis .101 .102 .103
"""

import os
import signal

from .callgen import TOOLS, CallGen, Owners
from .netns import Net, wait_for
from .peers import Border
from .redis import Redis, Trio

CALLERS, ANSWERERS = "203.0.113.60", "10.0.0.30"

CONFIG = """
node:
  name: {name}
  workers: 1
  control: @SOCKET@
  key_file: {key}
  limits: {{calls: {calls}, registrations: 1000, cps: {cps}}}
state: {{directory: "{state}", {redis}, timeout: {timeout}}}
cluster:
  name: lab
  lease: {lease}
  alone: {alone}
  give_back: {give_back}
  give_back_after: {give_back_after}
  nodes: [{nodes}]
  groups:
{groups}
ports:
  - {{name: outside, device: "net_af_packet0,iface=out0", address: 203.0.113.{host}/24}}
  - {{name: inside,  device: "net_af_packet1,iface=in0",  address: 10.0.0.{host}/24}}
realms:
  - {{name: access, port: outside, trust: untrusted, nat: true, user_agent: hide, sip: ["udp:5060"], media: 20000-49999}}
  - {{name: core,   port: inside,  trust: trusted, user_agent: hide, sip: ["udp:5060"], media: 20000-49999}}
peers:
  - {{name: pbx, realm: core, address: "10.0.0.30:5060"}}
routes:
  - {{from: access, to: pbx}}
  - {{from: core, to: registered}}
"""


class Node:
    """A border of the cluster in a namespace of its own, and what befalls it."""

    def __init__(self, lab, number):
        self.lab, self.number, self.name = lab, number, f"node{number}"
        self.ns = lab.ns(self.name)
        for side, inside in (("access", "out0"), ("core", "in0"), ("mgmt", "mgmt0")):
            lab.plug(side, self.ns, inside, self.name)
        self.mac = {side: lab.run(self.ns, "cat", f"/sys/class/net/{port}/address").strip()
                    for side, port in (("access", "out0"), ("core", "in0"))}
        self.address = f"10.99.0.{number}"
        lab.address(self.ns, "mgmt0", f"{self.address}/24")
        self.clock = os.path.join(lab.dir, f"{self.name}.clock")
        self.border = None

    def start(self, text, wait=True):
        jump(self.clock, 0)
        env = dict(os.environ, LD_PRELOAD=os.path.join(TOOLS, "clockjump.so"), CLOCKJUMP=self.clock)
        self.border = Border(self.lab, self.ns, text, name=self.name, wait=wait,
                             env=env if self.lab.clocks else None)

    @property
    def proc(self):
        return self.border.proc

    def alive(self):
        return self.border is not None and self.proc.alive()

    def kill(self):
        self.border.kill()

    def pause(self):
        self.proc.signal(signal.SIGSTOP)

    def resume(self):
        self.proc.signal(signal.SIGCONT)

    def links(self, up):
        for side in ("access", "core", "mgmt"):
            self.lab.run(self.lab.switch[side], "ip", "link", "set", self.name, "up" if up else "down")

    def unplugged(self, yes):
        """The switches' ports pass nothing, while the node's links stay up."""
        for side in ("access", "core", "mgmt"):
            self.lab.run(self.lab.switch[side], "bridge", "link", "set", "dev", self.name, "state", "0" if yes else "3")

    def cut(self, *addresses):
        """Nothing of these management addresses reaches this node, or leaves it for them."""
        one_of = "{" + ",".join(addresses) + "}"
        self.lab.run(self.ns, "nft", f"""table ip cut {{
            chain i {{ type filter hook input priority 0; ip saddr {one_of} drop; }}
            chain o {{ type filter hook output priority 0; ip daddr {one_of} drop; }}
            }}""")

    def mend(self):
        self.lab.run(self.ns, "nft", "delete table ip cut")


def jump(path, seconds):
    """Moves the wall clock of whoever was started with this file."""
    if not os.path.exists(path):
        with open(path, "wb") as f:
            f.write(bytes(8))
    with open(path, "r+b") as f: # in one write: it is mapped by who reads it
        f.write(int(seconds * 10**9).to_bytes(8, "little", signed=True))


class Cluster(Net):
    """Nodes, Redis, both ends of the calls, and who owns which address."""

    def __init__(self, nodes=2, groups=None, sentinels=False, lease=1000, alone=4000, give_back="auto",
                 give_back_after=1, calls=2000, cps=400, clocks=False, timeout=500):
        super().__init__("cluster")
        self.clocks, self.lease = clocks, lease
        self.switch = {side: self.ns(side) for side in ("access", "core", "mgmt")}
        for ns in self.switch.values():
            self.run(ns, "ip", "link", "add", "lan", "type", "bridge", "forward_delay", "0")
            self.run(ns, "ip", "link", "set", "lan", "up")
        self.callers, self.answerers = self.host("access", "callers", CALLERS), self.host("core", "answer", ANSWERERS)
        self.key = os.path.join(self.dir, "key")
        with open(self.key, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(os.urandom(16).hex() + "\n")
        self.redis_clock = os.path.join(self.dir, "redis.clock")
        jump(self.redis_clock, 0)
        env = dict(os.environ, LD_PRELOAD=os.path.join(TOOLS, "clockjump.so"), CLOCKJUMP=self.redis_clock)
        env = env if clocks else None
        stores = [(self.host("mgmt", f"redis{i}", f"10.99.0.{101 + i}"), f"10.99.0.{101 + i}")
                  for i in range(3 if sentinels else 1)]
        self.trio = Trio(self, stores, env) if sentinels else None
        self.redis = self.trio.servers[0] if sentinels else Redis(self, *stores[0][:1], "r0", stores[0][1], env=env)
        self.redis_addresses = [a for _, a in stores]
        self.nodes = [Node(self, i + 1) for i in range(nodes)]
        self.groups = groups or nodes
        self.settings = {"calls": calls, "cps": cps, "lease": lease, "alone": alone, "give_back": give_back,
                         "give_back_after": give_back_after, "timeout": timeout}
        self.owners = {side: Owners(self, self.switch[side], "lan", self.addresses(side))
                       for side in ("access", "core")}
        self.callgen = CallGen(self, self.callers, CALLERS, self.answerers, ANSWERERS, self.addresses("access"))

    # ---- the networks ----

    def plug(self, side, ns, inside, name):
        """A cable from a machine to a switch."""
        self.veth(ns, inside, self.switch[side], name)
        self.run(self.switch[side], "ip", "link", "set", name, "master", "lan")

    def host(self, side, name, address):
        ns = self.ns(name)
        self.plug(side, ns, "eth0", name)
        self.address(ns, "eth0", f"{address}/24")
        return ns

    def addresses(self, side):
        """Virtual ones, by group."""
        prefix = {"access": "203.0.113", "core": "10.0.0"}[side]
        return [f"{prefix}.{11 + g}" for g in range(self.groups)]

    # ---- the nodes ----

    def config(self, node):
        groups = "\n".join(
            f'    - {{name: g{g + 1}, home: node{g % len(self.nodes) + 1}, addresses: '
            f'[{{realm: access, ip: 203.0.113.{11 + g}}}, {{realm: core, ip: 10.0.0.{11 + g}}}]}}'
            for g in range(self.groups))
        nodes = ", ".join(f'{{name: {n.name}, address: "{n.address}:7400"}}' for n in self.nodes)
        redis = (self.trio.yaml() + ", replicas: 1" if self.trio
                 else f'redis: "{self.redis.address}:{self.redis.port}"')
        return CONFIG.format(name=node.name, key=self.key, state=os.path.join(self.dir, f"state-{node.name}"),
                             redis=redis, nodes=nodes, groups=groups, host=node.number, **self.settings)

    def start_node(self, node, wait=True):
        node.start(self.config(node), wait)

    def start_all(self):
        """Every group at its home. What is free goes to whoever comes first: where nothing is given back by
        itself, the first node has all before the others start."""
        if self.settings["give_back"] == "manual":
            self.start_node(self.nodes[0])
            self.wait_served({g: "node1" for g in self.homes()})
        for n in self.nodes:
            if not n.border:
                self.start_node(n, wait=False)
        for n in self.nodes:
            n.border.wait_ready()
        if self.settings["give_back"] != "manual":
            self.wait_served(self.homes())

    def homes(self):
        return {f"g{g + 1}": f"node{g % len(self.nodes) + 1}" for g in range(self.groups)}

    def view(self, node):
        """posternctl cluster, or None from a node that does not answer."""
        return node.border.try_ctl("cluster") if node.alive() else None

    def served(self):
        """Which node each group's addresses belong to, as the wire has it: the node that announced them
        last, on both networks; None where they differ or nobody has."""
        owner = {side: o.report()["addresses"] for side, o in self.owners.items()}
        names = {side: {n.mac[side]: n.name for n in self.nodes} for side in owner}
        held = {}
        for g in range(self.groups):
            a, b = (names[side].get(owner[side][self.addresses(side)[g]]["owner"]) for side in ("access", "core"))
            held[f"g{g + 1}"] = a if a == b else None
        return held

    def wait_served(self, expected, seconds=90):
        """Every group's addresses are with the node that they should be with."""
        try:
            wait_for(f"groups to be served by {expected}", lambda: self.served() == expected, seconds, 0.1)
        except TimeoutError as e:
            raise TimeoutError(f"{e}: {self.served()}\n" + "\n".join(
                f"{n.name}: {self.view(n)}" for n in self.nodes)) from None

    def kept(self):
        """How many calls Redis has, by group."""
        redis = self.trio.master() if self.trio else self.redis
        return {f"g{g + 1}": sum(m.startswith("call:") for m in redis.cli("SMEMBERS", f"postern:lab:g{g + 1}:index"))
                for g in range(self.groups)}

    def close(self):
        """At once: a node that is told to end would first look for others to take its calls."""
        for n in getattr(self, "nodes", []):
            if n.alive():
                n.kill()
        super().close()

    def node(self, name):
        return next(n for n in self.nodes if n.name == name)
