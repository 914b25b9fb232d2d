"""A SIP user agent made of one UDP socket: for tests that need to hold every byte."""

import itertools
import random
import socket
import struct
import time

from .capture import Sip

_serial = itertools.count(1)


class Ua:
    """Sends what it is told, answers nothing by itself."""

    def __init__(self, net, ns, ip, port=5060, rtp_port=40000):
        self.ip, self.port, self.rtp_port = ip, port, rtp_port
        with net.inside(ns):
            self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            self.sock.bind((ip, port))
            self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.rtp.bind((ip, rtp_port))
        self.seen = []
        self.seq = random.randrange(1000)
        self.ssrc = random.randrange(1 << 32)

    def close(self):
        self.sock.close()
        self.rtp.close()

    def send(self, data, to):
        self.sock.sendto(data if isinstance(data, bytes) else data.encode(), to)

    def receive(self, seconds=5):
        """Next SIP message and where it came from, or (None, None)."""
        self.sock.settimeout(seconds)
        try:
            data, source = self.sock.recvfrom(65536)
        except (TimeoutError, socket.timeout):
            return None, None
        message = Sip(data)
        self.seen.append(message)
        return message, source

    def expect(self, what, seconds=8):
        """Reads on until a method or a status comes; what comes before is kept in `seen`."""
        end = time.monotonic() + seconds
        while True:
            message, source = self.receive(max(0.01, end - time.monotonic()))
            if message is None:
                raise AssertionError(f"waited for {what}, saw {[m.start for m in self.seen[-6:]]}")
            if message.start.split()[0] == what or (message.status and str(message.status) == str(what)):
                self.last_source = source
                return message

    def silence(self, seconds):
        message, _ = self.receive(seconds)
        assert message is None, f"unexpected: {message.start}"

    # ---- composing ----

    def sdp(self, direction="sendrecv", codecs="0", extra=""):
        return (f"v=0\r\no=- {self.rtp_port} 1 IN IP4 {self.ip}\r\ns=-\r\nc=IN IP4 {self.ip}\r\nt=0 0\r\n"
                f"m=audio {self.rtp_port} RTP/AVP {codecs}\r\na=rtpmap:0 PCMU/8000\r\na={direction}\r\n{extra}")

    def request(self, method, uri, call, cseq, to_tag="", body="", headers="", branch=None, from_user="caller"):
        n = next(_serial)
        branch = branch or f"z9hG4bKua{n:06d}{random.randrange(1 << 30):08x}"
        tag = f";tag={to_tag}" if to_tag else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        host = uri.split("@")[-1].split(";")[0].strip("<>")
        return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.ip}:{self.port};rport;branch={branch}\r\n"
                f"Max-Forwards: 70\r\nFrom: <sip:{from_user}@{host}>;tag={call['tag']}\r\n"
                f"To: <{call['to']}>{tag}\r\nCall-ID: {call['id']}\r\nCSeq: {cseq} {method}\r\n"
                f"Contact: <sip:{from_user}@{self.ip}:{self.port}>\r\n{headers}{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}")

    def new_call(self, uri):
        n = next(_serial)
        return {"id": f"call{n}-{random.randrange(1 << 40):010x}@{self.ip}",
                "tag": f"tag{n}{random.randrange(1 << 30):08x}", "to": uri, "uri": uri}

    def answer(self, request, status, reason, body="", tag="", headers=""):
        """A response to a request, with its Via, From, To, Call-ID and CSeq."""
        lines = [f"SIP/2.0 {status} {reason}"]
        for name, value in request.headers:
            if name in ("via", "from", "call-id", "cseq", "record-route"):
                lines.append(f"{name.title()}: {value}")
            if name == "to":
                lines.append(f"To: {value}" + (f";tag={tag}" if tag and "tag=" not in value else ""))
        lines.append(f"Contact: <sip:answer@{self.ip}:{self.port}>")
        text = "\r\n".join(lines) + "\r\n" + headers
        if body:
            text += "Content-Type: application/sdp\r\n"
        return f"{text}Content-Length: {len(body)}\r\n\r\n{body}"

    # ---- media ----

    def rtp_send(self, to, count=1, gap=0.0, payload=b"", ssrc=None):
        for _ in range(count):
            self.seq = (self.seq + 1) & 0xffff
            head = struct.pack("!BBHII", 0x80, 0, self.seq, self.seq * 160 & 0xffffffff,
                               self.ssrc if ssrc is None else ssrc)
            self.rtp.sendto(head + (payload or bytes(160)), to)
            if gap:
                time.sleep(gap)

    def rtp_receive(self, seconds=1.0):
        """All RTP datagrams of a stretch of time, with their sources."""
        got = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.rtp.settimeout(left)
            try:
                got.append(self.rtp.recvfrom(4096))
            except (TimeoutError, socket.timeout):
                break
        return got


def sdp_media(message):
    """(address, port) that a message's SDP names for its first media line."""
    address = port = None
    for line in message.body.split("\r\n"):
        if line.startswith("c=") and address is None:
            address = line.split()[-1]
        if line.startswith("m=") and port is None:
            port = int(line.split()[1])
    return address, port


def tag_of(message, name):
    value = message.get(name)
    return value.split("tag=")[1].split(";")[0] if "tag=" in value else ""


def contact_uri(message):
    value = message.get("contact")
    return value.split("<")[1].split(">")[0] if "<" in value else value.split(";")[0]


def establish(caller, callee, border, uri, body=None, answer_body=None):
    """INVITE to ACK between two Ua's through the border; returns what both sides know of the call."""
    call = caller.new_call(uri)
    caller.send(caller.request("INVITE", uri, call, 1, body=caller.sdp() if body is None else body), border)
    invite = callee.expect("INVITE")
    source = callee.last_source
    callee.send(callee.answer(invite, 180, "Ringing", tag="callee"), source)
    caller.expect("180")
    callee.send(callee.answer(invite, 200, "OK", tag="callee",
                              body=callee.sdp() if answer_body is None else answer_body), source)
    ok = caller.expect("200")
    call.update(to_tag=tag_of(ok, "to"), contact=contact_uri(ok), ok=ok, invite=invite, cseq=1,
                callee_border=source, caller_media=sdp_media(ok), callee_media=sdp_media(invite))
    caller.send(caller.request("ACK", call["contact"], call, 1, to_tag=call["to_tag"]), border)
    callee.expect("ACK")
    return call


def hang_up(caller, callee, border, call):
    call["cseq"] += 1
    caller.send(caller.request("BYE", call["contact"], call, call["cseq"], to_tag=call["to_tag"]), border)
    bye = callee.expect("BYE")
    callee.send(callee.answer(bye, 200, "OK"), callee.last_source)
    caller.expect("200")
