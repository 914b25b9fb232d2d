"""The networks that the tests and the demonstration run in.

    phone (192.168.77.10) -- nat --+
                                   +-- access 203.0.113.0/24 -- [ Postern ] -- core 10.0.0.0/24 --+-- pbx  (.10)
    caller (203.0.113.60) ---------+                                                              +-- desk (.20)
    attacker (203.0.113.66) -------+                                                              +-- load (.30)
"""

from .netns import Net

OUTSIDE, INSIDE = "203.0.113.1", "10.0.0.1"
NAT_OUTSIDE, PHONE = "203.0.113.50", "192.168.77.10"
CALLER, ATTACKER = "203.0.113.60", "203.0.113.66"
PBX, DESK, LOAD = "10.0.0.10", "10.0.0.20", "10.0.0.30"

CONFIG = """
node:
  name: edge1
  workers: {workers}
  idle: {idle}
  control: @SOCKET@
  limits: {{calls: {calls}, registrations: 1000, cps: {cps}}}
{node_extra}
state: {{directory: "@STATE@"{state}}}
ports:
  - {{name: outside, device: "net_af_packet0,iface=out0", address: 203.0.113.1/24}}
  - {{name: inside,  device: "net_af_packet1,iface=in0",  address: 10.0.0.1/24}}
realms:
  - name: access
    port: outside
    trust: untrusted
    nat: true
    user_agent: hide
    sip: ["udp:5060"]
    media: 20000-29999
{access_extra}
  - name: core
    port: inside
    trust: trusted
    user_agent: hide
    sip: ["udp:5060"]
    media: 30000-39999
{core_extra}
peers:
  - {{name: pbx, realm: core, address: "{peer}:5060"}}
routes:
  - {{from: access, to: pbx}}
  - {{from: core, to: registered}}
"""


def config(peer=PBX, workers=1, idle="backoff", calls=2000, cps=200, node_extra="", access_extra="", core_extra="", state=None):
    """`state`: settings beside its directory. @SOCKET@ and @STATE@ are for who starts the border."""
    return CONFIG.format(peer=peer, workers=workers, idle=idle, calls=calls, cps=cps, node_extra=node_extra,
                         access_extra=access_extra, core_extra=core_extra,
                         state=", " + state if state else "")


class Lab(Net):
    """Access network, core network, and a namespace for the border between them."""

    def __init__(self, label="lab"):
        super().__init__(label)
        self.border = self.ns("border")
        self.access, self.core = self.ns("access"), self.ns("core")
        self.veth(self.border, "out0", self.access, "border")
        self.veth(self.border, "in0", self.core, "border")
        self.bridge(self.access, "lan", "border")
        self.bridge(self.core, "lan", "border")

    def host(self, side, name, address):
        """A machine on the access or the core network."""
        ns = self.ns(name)
        switch = self.access if side == "access" else self.core
        self.veth(ns, "eth0", switch, name)
        self.run(switch, "ip", "link", "set", name, "master", "lan")
        self.address(ns, "eth0", f"{address}/24")
        return ns

    def natted_phone(self, name="phone", nat="nat", outside=NAT_OUTSIDE, inside=PHONE):
        """A machine at a private address behind a masquerading router on the access network."""
        router = self.host("access", nat, outside)
        ns = self.ns(name)
        self.veth(ns, "eth0", router, "home")
        prefix = inside.rsplit(".", 1)[0]
        self.address(router, "home", f"{prefix}.1/24")
        self.address(ns, "eth0", f"{inside}/24", gateway=f"{prefix}.1")
        self.masquerade(router, "eth0")
        return ns
