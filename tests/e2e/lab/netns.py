"""Network namespaces for tests: made by name of this process, gone when it ends.

Everything a Net makes is removed by Net.close(), in reverse order, whatever
happened in between: processes first, then namespaces (which take their links
with them), then temporary files.
"""

import atexit
import contextlib
import ctypes
import glob
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

_libc = ctypes.CDLL("libc.so.6", use_errno=True)
CLONE_NEWNET = 0x40000000


def sh(*argv, check=True, **kw):
    """Runs a command to its end; its output is shown only when it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


class Process:
    """A program in a namespace with its output in a file."""

    def __init__(self, net, ns, argv, log, env=None, cwd=None):
        self.name = os.path.basename(argv[0])
        self.log = log
        self._out = open(log, "ab")
        full = ["ip", "netns", "exec", ns, *argv] if ns else list(argv)
        self.proc = subprocess.Popen(full, stdin=subprocess.DEVNULL, stdout=self._out,
                                     stderr=subprocess.STDOUT, env=env, cwd=cwd,
                                     start_new_session=True)

    @property
    def pid(self):
        return self.proc.pid

    def alive(self):
        return self.proc.poll() is None

    def signal(self, number):
        if self.alive():
            os.kill(self.proc.pid, number)

    def wait(self, seconds):
        try:
            return self.proc.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, seconds=5):
        """SIGTERM, then SIGKILL to what it started as well; returns the exit code."""
        if self.alive():
            self.signal(signal.SIGTERM)
            if self.wait(seconds) is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.proc.pid, signal.SIGKILL)
                self.proc.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.proc.pid, signal.SIGKILL)
        self._out.close()
        return self.proc.returncode

    def text(self):
        with open(self.log, "rb") as f:
            return f.read().decode("utf-8", "replace")


class Net:
    """Namespaces, veth pairs and bridges of one test."""

    _serial = 0

    def __init__(self, label="t"):
        Net._serial += 1
        self.prefix = f"pst{os.getpid() % 100000}{chr(96 + Net._serial % 26)}"
        self.dir = tempfile.mkdtemp(prefix=f"postern-{label}-")
        os.chmod(self.dir, 0o755)
        self.namespaces = []
        self.processes = []
        self.runtime_dirs = set()  # DPDK's: the daemon removes its own when it ends, but not when it is killed
        self._links = 0
        self._closed = False
        atexit.register(self.close)

    def ns(self, name):
        """A fresh namespace with loopback up and IPv6 quiet."""
        full = f"{self.prefix}-{name}"
        sh("ip", "netns", "add", full)
        self.namespaces.append(full)
        self.run(full, "ip", "link", "set", "lo", "up")
        for key in ("all", "default"):
            self.run(full, "sh", "-c",
                     f"echo 1 > /proc/sys/net/ipv6/conf/{key}/disable_ipv6 2>/dev/null || true")
        return full

    def run(self, ns, *argv, check=True):
        return sh("ip", "netns", "exec", ns, *argv, check=check)

    def start(self, ns, *argv, env=None, cwd=None):
        log = os.path.join(self.dir, f"{len(self.processes):02d}-{os.path.basename(argv[0])}.log")
        p = Process(self, ns, argv, log, env=env, cwd=cwd)
        self.processes.append(p)
        return p

    def veth(self, ns_a, if_a, ns_b, if_b):
        """A cable between two namespaces. Checksums are written by the sender: a
        packet that never meets hardware would else travel without one, and a
        border that verifies checksums would rightly refuse it."""
        self._links += 1
        a, b = f"{self.prefix}x{self._links}", f"{self.prefix}y{self._links}"
        sh("ip", "link", "add", a, "type", "veth", "peer", "name", b)
        for tmp, ns, name in ((a, ns_a, if_a), (b, ns_b, if_b)):
            sh("ip", "link", "set", tmp, "netns", ns)
            self.run(ns, "ip", "link", "set", tmp, "name", name)
            self.run(ns, "ethtool", "-K", name, "tx", "off", "gro", "off", "gso", "off",
                     "tso", "off", check=False)
            self.run(ns, "ip", "link", "set", name, "up")

    def address(self, ns, interface, address, gateway=None):
        self.run(ns, "ip", "address", "add", address, "dev", interface)
        if gateway:
            self.run(ns, "ip", "route", "add", "default", "via", gateway)

    def bridge(self, ns, name, *interfaces):
        self.run(ns, "ip", "link", "add", name, "type", "bridge")
        for i in interfaces:
            self.run(ns, "ip", "link", "set", i, "master", name)
        self.run(ns, "ip", "link", "set", name, "up")

    def masquerade(self, ns, outside):
        """A real NAT of the kind that most phones sit behind (address and port dependent filtering)."""
        self.run(ns, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        rules = (f"table ip nat {{ chain post {{ type nat hook postrouting priority 100; "
                 f"oifname \"{outside}\" masquerade random; }}; }}")
        self.run(ns, "nft", rules)

    @contextlib.contextmanager
    def inside(self, ns):
        """Runs the block's socket calls in a namespace: sockets stay where they were made."""
        result = {}
        fd = os.open(f"/var/run/netns/{ns}", os.O_RDONLY)
        home = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
        if _libc.setns(fd, CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield result
        finally:
            _libc.setns(home, CLONE_NEWNET)
            os.close(fd)
            os.close(home)

    def close(self):
        if self._closed:
            return
        self._closed = True
        for p in reversed(self.processes):
            p.stop()
        for ns in reversed(self.namespaces):
            sh("ip", "netns", "del", ns, check=False)
        for path in self.runtime_dirs:
            remove_runtime_dir(path)
        if not os.environ.get("POSTERN_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        atexit.unregister(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def remove_runtime_dir(path):
    """What a killed DPDK process left of it; one that another process of that name still serves stays."""
    for each in glob.glob(os.path.join(path, "dpdk_telemetry.v2*")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            try:
                s.connect(each)
            except ConnectionRefusedError:
                os.unlink(each)
            except FileNotFoundError:
                pass
    with contextlib.suppress(OSError):
        os.rmdir(path)


def wait_for(what, predicate, seconds=20, every=0.05):
    """Waits until a predicate holds and returns what it returned; an error names what was awaited."""
    end = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for: {what}")
        time.sleep(every)
