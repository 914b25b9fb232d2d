"""Redis servers and sentinels in namespaces, and what can befall them."""

import contextlib
import os
import signal
import socket

from .netns import wait_for

SENTINEL_PORT = 26379


class RespError(Exception):
    """Redis said no."""


def _encode(words):
    parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


def _decode(f):
    line = f.readline()
    if not line.endswith(b"\r\n"):
        raise ConnectionError("cut short")
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest.decode()
    if kind == b"-":
        raise RespError(rest.decode())
    if kind == b":":
        return int(rest)
    if kind == b"$":
        n = int(rest)
        return None if n < 0 else f.read(n + 2)[:-2].decode("utf-8", "replace")
    return [_decode(f) for _ in range(int(rest))]


class Redis:
    """One redis-server, on an address of a namespace or on a Unix socket."""

    def __init__(self, net, ns, name, address=None, port=6379, unix=None, replica_of=None, extra="", env=None):
        self.net, self.ns, self.name = net, ns, name
        self.address, self.port, self.unix, self.env = address, port, unix, env
        self.dir = os.path.join(net.dir, f"redis-{name}")
        os.makedirs(self.dir)
        where = (f"bind {address}\nport {port}\nprotected-mode no\n" if address else
                 f"port 0\nunixsocket {unix}\nunixsocketperm 700\n")
        follows = f"replicaof {replica_of.address} {replica_of.port}\n" if replica_of else ""
        self.conf = os.path.join(self.dir, "redis.conf")
        with open(self.conf, "w") as f:
            f.write(f"{where}dir {self.dir}\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync everysec\n"
                    f"repl-diskless-sync-delay 0\nrepl-timeout 10\nrepl-ping-replica-period 1\n{follows}{extra}\n")
        self.auth = None
        self.start()

    def start(self):
        self.proc = self.net.start(self.ns, "redis-server", self.conf, env=self.env)
        wait_for(f"redis {self.name}", self.answers, 30)

    def answers(self):
        if not self.proc.alive():
            raise RuntimeError(f"redis-server ended:\n{self.proc.text()[-2000:]}")
        try:
            self.cli("PING")
        except RespError as e:
            return "NOAUTH" in str(e)
        except OSError:
            return False
        return True

    def _connect(self, seconds):
        if self.unix:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(seconds)
            s.connect(self.unix)
            return s
        with self.net.inside(self.ns):
            s = socket.socket()
        s.settimeout(seconds)
        s.connect((self.address, self.port))
        return s

    def cli(self, *words, seconds=5):
        """One command's answer."""
        with contextlib.closing(self._connect(seconds)) as s, s.makefile("rb") as f:
            if self.auth:
                s.sendall(_encode(("AUTH", *self.auth)))
                _decode(f)
            s.sendall(_encode(words))
            return _decode(f)

    def role(self):
        return self.cli("ROLE")[0]

    # ---- what befalls it ----

    def freeze(self):
        self.proc.signal(signal.SIGSTOP)

    def thaw(self):
        self.proc.signal(signal.SIGCONT)

    def kill(self):
        self.proc.signal(signal.SIGKILL)
        self.proc.wait(10)

    def restart(self):
        """Killed and started at once: with its append-only file, as after a crash."""
        self.kill()
        self.start()

    def full(self):
        """No write that needs memory is taken any more."""
        self.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
        self.cli("CONFIG", "SET", "maxmemory", "1")

    def roomy(self):
        self.cli("CONFIG", "SET", "maxmemory", "0")

    def wipe(self):
        self.cli("FLUSHALL")


class Sentinel:
    def __init__(self, net, ns, name, address, master, quorum, down_ms=1500, env=None):
        self.net, self.ns, self.address, self.port = net, ns, address, SENTINEL_PORT
        self.dir = os.path.join(net.dir, f"sentinel-{name}")
        os.makedirs(self.dir)
        conf = os.path.join(self.dir, "sentinel.conf")
        with open(conf, "w") as f:
            f.write(f"bind {address}\nport {SENTINEL_PORT}\nprotected-mode no\ndir {self.dir}\ndaemonize no\n"
                    f"sentinel monitor state {master.address} {master.port} {quorum}\n"
                    f"sentinel down-after-milliseconds state {down_ms}\n"
                    "sentinel failover-timeout state 6000\nsentinel parallel-syncs state 1\n")
        self.proc = net.start(ns, "redis-server", conf, "--sentinel", env=env)

    def cli(self, *words, seconds=5):
        with self.net.inside(self.ns):
            s = socket.socket()
        s.settimeout(seconds)
        with contextlib.closing(s), s.makefile("rb") as f:
            s.connect((self.address, self.port))
            s.sendall(_encode(words))
            return _decode(f)

    def master(self):
        """Address of the master that it believes in, or None."""
        try:
            return self.cli("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "state")[0]
        except (OSError, RespError, TypeError):
            return None

    def sees(self, replicas, sentinels):
        try:
            answer = self.cli("SENTINEL", "MASTER", "state")
        except (OSError, RespError):
            return False
        facts = dict(zip(answer[::2], answer[1::2]))
        return (int(facts["num-slaves"]) >= replicas and int(facts["num-other-sentinels"]) >= sentinels
                and facts["flags"] == "master")


class Trio:
    """A master with two replicas and three sentinels, each pair on a machine of its own."""

    def __init__(self, net, hosts, envs=None):
        """hosts: three of (namespace, address)."""
        self.servers, self.sentinels = [], []
        for i, (ns, address) in enumerate(hosts):
            self.servers.append(Redis(net, ns, f"r{i}", address, replica_of=self.servers[0] if i else None,
                                      env=envs))
        for i, (ns, address) in enumerate(hosts):
            self.sentinels.append(Sentinel(net, ns, f"s{i}", address, self.servers[0], 2, env=envs))
        wait_for("the sentinels to know each other and the replicas",
                 lambda: all(s.sees(2, 2) for s in self.sentinels), 60, 0.2)
        wait_for("the replicas to follow", lambda: self.following() == 2, 60, 0.2)

    def following(self):
        return int(dict(l.split(":", 1) for l in self.master().cli("INFO", "replication").split("\r\n")
                        if ":" in l)["connected_slaves"])

    def master(self):
        """The server that most sentinels believe in."""
        names = [s.master() for s in self.sentinels if s.proc.alive()]
        name = max(set(names), key=names.count)
        return next(s for s in self.servers if s.address == name)

    def yaml(self):
        entries = ", ".join(f'"{s.address}:{s.port}"' for s in self.sentinels)
        return f"sentinels: [{entries}], master: state"
