"""The two legs of a call side by side, as they crossed the two wires."""

from .capture import Sip

WIDTH = 30


def sip_of(capture):
    return [(p, Sip(p.payload)) for p in capture.packets() if p.is_sip()]


def _arrow(text, rightward):
    text = f" {text[:WIDTH - 8]} "
    line = text.center(WIDTH - 2, "-")
    return f"{line}->" if rightward else f"<-{line}"


def draw(left_name, right_name, left, right, border_left, border_right):
    """Lines of a ladder: `left` and `right` are (packet, Sip) lists, merged by time."""
    rows = [(p.at, 0, p.dst == border_left, s) for p, s in left]
    rows += [(p.at, 1, p.src == border_right, s) for p, s in right]
    rows.sort(key=lambda r: r[0])
    yield f"{left_name:<{WIDTH + 1}}{'Postern':^9}{right_name:>{WIDTH + 1}}"
    start = rows[0][0] if rows else 0
    for at, side, rightward, s in rows:
        mark = _arrow(s.brief(), rightward)
        blank = " " * WIDTH
        cells = (mark, blank) if side == 0 else (blank, mark)
        yield f"|{cells[0]}|{'':7}|{cells[1]}|  {1000 * (at - start):7.0f} ms"


def hidden(left, right):
    """What stood on the two INVITEs of one call: rows of (field, on the left, on the right)."""
    fields = (("Request-URI", lambda s: s.start.split()[1]), ("Via", lambda s: s.get("via")),
              ("From", lambda s: s.get("from")), ("To", lambda s: s.get("to")),
              ("Call-ID", lambda s: s.get("call-id")), ("Contact", lambda s: s.get("contact")),
              ("User-Agent", lambda s: s.get("user-agent") or "(none)"),
              ("SDP o=", lambda s: _sdp(s, "o=")), ("SDP c=", lambda s: _sdp(s, "c=")),
              ("SDP m=", lambda s: _sdp(s, "m=")))
    for name, read in fields:
        yield name, read(left), read(right)


def _sdp(s, prefix):
    return next((line[2:] for line in s.body.split("\r\n") if line.startswith(prefix)), "(none)")


def secrets_of(messages, own):
    """What describes one side: read from the messages that side sent (source address not ours)."""
    found = set()
    for p, s in messages:
        if p.src == own:
            continue
        found.update((p.src, s.get("call-id")))
        for via in s.all("via"):
            found.add(via.split()[1].split(";")[0])
            found.update(part[7:] for part in via.split(";") if part.startswith("branch="))
        for name in ("from", "to"):
            value = s.get(name)
            if "tag=" in value and (name == "from") == (not s.status):
                found.add(value.split("tag=")[1].split(";")[0])
        if s.get("contact"):
            found.add(s.get("contact").split("@")[-1].split(">")[0].split(";")[0])
        found.update(filter(None, (s.get("user-agent"), s.get("server"))))
        for line in s.body.split("\r\n"):
            if line.startswith("o="):
                found.update((line.split()[1], line.split()[-1]))
            if line.startswith("c="):
                found.add(line.split()[-1])
    return {f for f in found if f and len(f) > 5 and own not in f}


def leaks(messages, own, secrets):
    """(message, secret) for every message that the border sent on this side with another side's secret in it."""
    out = []
    for p, s in messages:
        if p.src == own:
            text = p.payload.decode("latin-1").lower()
            out.extend((s, secret) for secret in secrets if secret.lower() in text)
    return out
