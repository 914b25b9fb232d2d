"""The daemon as its operator meets it."""

import glob
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

from cases.calls import OUT, Pair
from lab.netns import wait_for
from lab.peers import BUILD, ROOT
from lab.topology import OUTSIDE, config
from lab.ua import establish, hang_up

POSTERN = os.path.join(BUILD, "control", "postern")
CTL = os.path.join(BUILD, "control", "posternctl")


def _telemetry(path):
    """Answers of DPDK's telemetry socket, by command; none of a socket whose daemon has ended."""
    answers = {}
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        s.connect(path)
        s.recv(16384)
        for command in ("/postern/ports", "/postern/workers", "/postern/drops", "/postern/flows"):
            s.send(command.encode())
            answers[command] = json.loads(s.recv(65536))[command]
    except (ConnectionRefusedError, ConnectionResetError):
        pass
    finally:
        s.close()
    return answers


def _check(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
        f.write(text)
        f.flush()
        done = subprocess.run([POSTERN, "--check", f.name], capture_output=True, text=True, timeout=30)
        return done.returncode, (done.stdout + done.stderr).replace(f.name, "FILE")


def case_mistakes_are_refused_with_their_line():
    """A wrong configuration does not start, and the message names the line and what was expected."""
    good = config().replace("@SOCKET@", "/tmp/postern-none.sock").replace("@STATE@", "/tmp/postern-none")
    lines = good.split("\n")
    for old, new, words in (
            ("trust: untrusted", "trust: perhaps", ("untrusted", "trusted")),
            ("    nat: true", "    nta: true", ("nta",)),
            ("to: pbx", "to: nobody", ("nobody",)),
            ("media: 30000-39999", "media: 30000-300", ("media",)),
            ("port: inside", "port: beside", ("beside",)),
            ("203.0.113.1/24", "203.0.113.1/99", ("99",))):
        text = good.replace(old, new, 1)
        line = next(i for i, l in enumerate(lines, 1) if old.strip() in l)
        code, said = _check(text)
        assert code != 0 and f"FILE:{line}" in said, (old, line, said)
        assert all(w in said for w in words), said


def case_device_that_is_not_there():
    """A device that does not exist is refused at start with its line."""
    text = config().replace("@SOCKET@", "/tmp/postern-none.sock").replace("@STATE@", "/tmp/postern-none").replace("iface=out0", "iface=nosuch0")
    code, said = _check(text)
    assert code != 0 and "nosuch0" in said and "FILE:" in said, said


def case_sigterm_drains():
    """SIGTERM: the call that is up goes on, a new one is refused with 503, and with the last one the
    daemon ends with 0."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        p.border.proc.signal(signal.SIGTERM)
        time.sleep(0.5)
        assert p.border.proc.alive() and p.border.status()["draining"]
        other = p.caller.new_call(f"sip:bob@{OUTSIDE}")
        p.caller.send(p.caller.request("INVITE", other["uri"], other, 1, body=p.caller.sdp()), OUT)
        p.caller.expect(503)
        p.caller.rtp_send(call["caller_media"], 5, 0.01)
        assert p.callee.rtp_receive(0.3)
        hang_up(p.caller, p.callee, OUT, call)
        assert p.border.proc.wait(40) == 0


def case_sigint_ends_at_once():
    """SIGINT ends the daemon at once, cleanly, calls or not; its socket is gone."""
    with Pair() as p:
        establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        p.border.proc.signal(signal.SIGINT)
        assert p.border.proc.wait(10) == 0, p.border.proc.text()
        assert not os.path.exists(p.border.socket)


def case_posternctl():
    """posternctl: tables for people, JSON for programs, and an error that says what to do."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        for word in ("status", "calls", "registrations", "flows", "drops", "ports", "neighbours"):
            assert p.border.table(word).strip(), word
            assert p.border.ctl(word)["ok"] is True
        done = subprocess.run([CTL, "--socket", p.border.socket, "kill", "0123456789abcdef"],
                              capture_output=True, text=True)
        assert done.returncode == 1 and done.stderr.strip()
        hang_up(p.caller, p.callee, OUT, call)
    done = subprocess.run([CTL, "--socket", "/tmp/no-such-postern.sock", "status"], capture_output=True, text=True)
    assert done.returncode == 3 and "/tmp/no-such-postern.sock" in done.stderr


def case_telemetry():
    """dpdk-telemetry.py answers for ports, workers, drops and flows."""
    with Pair() as p:
        call = establish(p.caller, p.callee, OUT, f"sip:bob@{OUTSIDE}")
        p.caller.send(b"not SIP", OUT)  # a drop to be told of
        paths = [x for x in glob.glob("/var/run/dpdk/*/dpdk_telemetry.v2") if "postern" in x]
        assert paths, "no telemetry socket"

        def all_answer():
            answers = {}
            for path in paths:
                answers.update(_telemetry(path))
            return len(answers) == 4 and all(answers.values()) and "sip_not" in str(answers)

        wait_for("telemetry to show ports, workers, drops and flows", all_answer, 10, 0.2)
        hang_up(p.caller, p.callee, OUT, call)


def case_shipped_configurations():
    """Every configuration in conf/ is valid."""
    names = [n for n in os.listdir(os.path.join(ROOT, "conf")) if n.endswith(".yaml")]
    assert len(names) >= 3
    for n in names:
        done = subprocess.run([POSTERN, "--check", "--no-devices", os.path.join(ROOT, "conf", n)],
                              capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, n + done.stdout + done.stderr
