"""The real programs at both ends: baresip phones, a Kamailio registrar, SIPp."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from . import audio
from .netns import wait_for

E2E = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(E2E))
BUILD = os.environ.get("POSTERN_BUILD", os.path.join(ROOT, "build"))


class Border:
    """The daemon under test in a namespace of its own."""

    def __init__(self, net, ns, config_text, name="border", wait=True, env=None):
        self.net, self.ns, self.env = net, ns, env
        self.socket = os.path.join(net.dir, f"{name}.sock")
        self.config = os.path.join(net.dir, f"{name}.yaml")
        with open(self.config, "w") as f:
            f.write(config_text.replace("@SOCKET@", self.socket)
                    .replace("@STATE@", os.path.join(net.dir, f"{name}-state")))
        node = re.match(r"\s*node:\s+name: (\S+)", config_text)
        if node:
            net.runtime_dirs.add(f"/var/run/dpdk/postern-{node[1]}")
        self.start(wait)

    def start(self, wait=True):
        """Again, after it has ended: with the same configuration and the same state."""
        self.proc = self.net.start(self.ns, os.path.join(BUILD, "control", "postern"), self.config, env=self.env)
        if wait:
            self.wait_ready()

    def kill(self):
        """SIGKILL: it has no time for anything."""
        self.proc.signal(signal.SIGKILL)
        self.proc.wait(20)

    def wait_ready(self):
        def ready():
            if not self.proc.alive():
                raise RuntimeError(f"postern ended:\n{self.proc.text()}")
            return os.path.exists(self.socket) and self.try_ctl("status")
        wait_for("postern to answer on its control socket", ready, 60)

    def try_ctl(self, *words):
        try:
            return self.ctl(*words)
        except (RuntimeError, ValueError):
            return None

    def ctl(self, *words):
        """posternctl --json, as a program would use it."""
        done = subprocess.run([os.path.join(BUILD, "control", "posternctl"), "--socket", self.socket,
                               "--json", *words], capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            raise RuntimeError(f"posternctl {words}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def table(self, *words):
        """posternctl as a person would use it."""
        done = subprocess.run([os.path.join(BUILD, "control", "posternctl"), "--socket", self.socket,
                               *words], capture_output=True, text=True, timeout=20)
        return done.stdout

    def status(self):
        return self.ctl("status")

    def drops(self):
        return {d["reason"]: d["count"] for d in self.ctl("drops")["drops"]}

    def is_empty(self):
        """Nothing left of any call: what must hold after every test."""
        s = self.status()
        return all(s[k] == 0 for k in ("calls", "flows", "ports_used", "transactions"))

    def wait_empty(self, seconds=60):
        wait_for("calls, flows, ports and transactions to be gone", self.is_empty, seconds, 0.2)


class Kamailio:
    """Registrar and proxy of the core, with digest authentication for all users."""

    CONFIG = os.path.join(E2E, "peers", "kamailio.cfg")

    def __init__(self, net, ns, address, password="opensesame", load="10.0.0.30"):
        with open(self.CONFIG) as f:
            text = f.read()
        path = os.path.join(net.dir, "kamailio.cfg")
        run = os.path.join(net.dir, "kamailio")
        os.makedirs(run, exist_ok=True)
        with open(path, "w") as f:
            f.write(text.replace("@ADDRESS@", address).replace("@PASSWORD@", password)
                    .replace("@RUN@", run).replace("@LOAD@", load))
        self.proc = net.start(ns, "kamailio", "-DD", "-E", "-f", path, "-m", "64", "-M", "8",
                              "-Y", run, "-P", os.path.join(run, "pid"), "-w", run)
        with net.inside(ns):
            wait_for("kamailio to answer", lambda: self._answers(address), 20)

    def _answers(self, address):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.3)
            s.connect((address, 5060))
            me = "%s:%d" % s.getsockname()
            s.send((f"OPTIONS sip:ping@{address} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKp{time.time()}\r\n"
                    f"From: <sip:t@{me}>;tag=1\r\nTo: <sip:ping@{address}>\r\nCall-ID: {time.time()}\r\n"
                    "CSeq: 1 OPTIONS\r\nMax-Forwards: 5\r\nContent-Length: 0\r\n\r\n").encode())
            try:
                return s.recv(2000).startswith(b"SIP/2.0 ")
            except OSError:
                return False


class Baresip:
    """A phone that plays a tune and records what it hears."""

    def __init__(self, net, ns, user, domain, digits, address=None, register=True, rtp="10000-10100",
                 password="opensesame", answer="auto", extra=""):
        self.net, self.ns, self.user, self.digits = net, ns, user, digits
        self.dir = os.path.join(net.dir, f"phone-{user}")
        os.makedirs(self.dir)
        wav = os.path.join(self.dir, "tune.wav")
        # Long enough for any test: a phone hangs up when its file ends.
        audio.write_wav(wav, audio.tune(digits) * 180)
        # No name service in these networks: nothing may wait for one.
        config = f"""
poll_method epoll
sip_listen {address or '0.0.0.0'}:5060
call_local_timeout 60
call_max_calls 4
audio_source aufile,{wav}
audio_player aubridge,sink
audio_alert aubridge,sink
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports {rtp}
rtp_stats yes
jitter_buffer_delay 2-5
module_path {MODULES}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module_app account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:4444
snd_path {self.dir}
{extra}
"""
        with open(os.path.join(self.dir, "config"), "w") as f:
            f.write(config)
        with open(os.path.join(self.dir, "accounts"), "w") as f:
            f.write(f"<sip:{user}@{domain}>;auth_user={user};auth_pass={password};answermode={answer};"
                    f"regint={60 if register else 0};audio_codecs=PCMU\n")
        for name in ("contacts", "current_contact"):
            open(os.path.join(self.dir, name), "w").close()
        self.proc = net.start(ns, "baresip", "-f", self.dir)
        self.events = []
        self._buffer = b""
        with net.inside(ns):
            wait_for(f"baresip of {user}", self._connect, 20)

    def _connect(self):
        if not self.proc.alive():
            raise RuntimeError(f"baresip of {self.user} ended:\n{self.proc.text()}")
        s = socket.socket()
        try:
            s.connect(("127.0.0.1", 4444))
        except OSError:
            s.close()
            return False
        s.setblocking(False)
        self._sock = s
        return True

    def command(self, command, params=""):
        body = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self._sock.sendall(b"%d:%s," % (len(body), body))

    def poll(self):
        """Reads events (netstrings of JSON) that have come since."""
        try:
            while True:
                data = self._sock.recv(65536)
                if not data:
                    break
                self._buffer += data
        except BlockingIOError:
            pass
        while True:
            m = re.match(rb"(\d+):", self._buffer)
            if not m or len(self._buffer) < m.end() + int(m[1]) + 1:
                break
            n = int(m[1])
            event = json.loads(self._buffer[m.end():m.end() + n])
            self._buffer = self._buffer[m.end() + n + 1:]
            if event.get("event"):
                self.events.append(event)
        return self.events

    def saw(self, kind, after=0):
        return [e for e in self.poll()[after:] if e.get("type") == kind]

    def wait_event(self, kind, seconds=20, after=0):
        return wait_for(f"{self.user}: {kind}", lambda: self.saw(kind, after), seconds)

    def wait_registered(self, seconds=20):
        """By the phone's own log: it may have registered before anybody listened for events."""
        return wait_for(f"{self.user} to register",
                        lambda: re.search(r"\} 200 OK .*\[\d+ binding", self.proc.text())
                        or self.saw("REGISTER_OK"), seconds)

    def dial(self, uri):
        self.command("dial", uri)

    def hangup(self):
        self.command("hangup")

    def recordings(self):
        """Files of what this phone decoded, oldest first."""
        names = [n for n in os.listdir(self.dir) if n.startswith("dump-") and n.endswith("-dec.wav")]
        return [os.path.join(self.dir, n) for n in sorted(names)]


def _modules():
    for path in ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"):
        if os.path.isdir(path):
            return path
    return "/usr/lib/baresip/modules"


MODULES = _modules()


class Sipp:
    """One SIPp: a scenario of ours or of its own, and its final statistics."""

    def __init__(self, net, ns, *args, name="sipp"):
        self.stat = os.path.join(net.dir, f"{name}-stat.csv")
        self.errors = os.path.join(net.dir, f"{name}-errors.log")
        cwd = os.path.join(net.dir, name)
        os.makedirs(cwd, exist_ok=True)
        self.proc = net.start(ns, shutil.which("sipp") or "sipp", *args, "-nostdin", "-trace_stat",
                              "-stf", self.stat, "-fd", "1", "-trace_err", "-error_file",
                              self.errors, cwd=cwd)

    def wait(self, seconds):
        return self.proc.wait(seconds)

    def last(self):
        """The last row of SIPp's statistics as a dictionary."""
        with open(self.stat) as f:
            rows = [line.rstrip("\n").split(";") for line in f if ";" in line]
        return dict(zip(rows[0], rows[-1]))

    def error_text(self):
        try:
            with open(self.errors) as f:
                return f.read()
        except OSError:
            return ""
