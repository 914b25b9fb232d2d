"""Audio that can be recognised: a tune to play, and a judge of what was heard.

The tune is a sequence of tones, each of which stands for a digit. Two tunes of
different digits cannot be taken for one another, and a tune that arrives late,
quieter or through G.711 still yields its digits. What is heard is judged twice:
by its digits, and by correlating samples with what was played.
"""

import array
import math
import wave

RATE = 8000
TONE_MS = 100
TONES = (500, 620, 740, 880, 1040, 1240, 1480, 1760)


def tune(digits):
    """Samples of a tune; neighbours (and the two ends) must differ to be told apart."""
    assert all(a != b for a, b in zip(digits, digits[1:] + digits[:1]))
    samples = array.array("h")
    n = RATE * TONE_MS // 1000
    for d in digits:
        f = TONES[d]
        for i in range(n):
            # raised-cosine edges: a click would smear over all tones
            edge = min(i, n - 1 - i) / (0.008 * RATE)
            gain = 0.5 - 0.5 * math.cos(math.pi * min(edge, 1.0))
            samples.append(int(9000 * gain * math.sin(2 * math.pi * f * i / RATE)))
    return samples


def write_wav(path, samples):
    with wave.open(path, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(samples.tobytes())


def read_wav(path):
    """Mono samples at 8 kHz; tolerates a header that its writer had no time to finish."""
    with open(path, "rb") as f:
        data = f.read()
    at = data.find(b"data")
    if at < 0:
        return array.array("h")
    channels = int.from_bytes(data[22:24], "little")
    rate = int.from_bytes(data[24:28], "little")
    body = data[at + 8:]
    samples = array.array("h", body[: len(body) // 2 * 2])
    step = channels * max(1, rate // RATE)
    return samples[::step]


def _power(samples, at, n, freq):
    w = 2 * math.cos(2 * math.pi * freq / RATE)
    s1 = s2 = 0.0
    for i in range(at, at + n):
        s1, s2 = samples[i] + w * s1 - s2, s1
    return s1 * s1 + s2 * s2 - w * s1 * s2


def _tone_at(samples, at, n):
    energy = sum(samples[i] * samples[i] for i in range(at, at + n))
    if energy < n * 200 * 200:
        return None
    best = max(range(len(TONES)), key=lambda d: _power(samples, at, n, TONES[d]))
    share = _power(samples, at, n, TONES[best]) / (energy * n / 2)
    return best if share > 0.6 else None


def digits_heard(samples):
    """The tones in order of hearing, with silence and transitions left out."""
    n = RATE * 20 // 1000
    heard, run, last = [], 0, None
    for at in range(0, len(samples) - n, n):
        d = _tone_at(samples, at, n)
        run = run + 1 if d == last and d is not None else 1
        last = d
        if d is not None and run == 3:  # 60 ms of one tone
            heard.append(d)
    return heard


def longest_match(heard, played):
    """Length of the longest stretch of `heard` that is a stretch of `played` repeated."""
    ring = list(played) * 40
    best = 0
    for start in range(len(heard)):
        for off in range(len(played)):
            k = 0
            while start + k < len(heard) and ring[off + k] == heard[start + k]:
                k += 1
            best = max(best, k)
        if best >= len(heard) - start:
            break
    return best


def correlation(heard, played):
    """Best normalised correlation of one second of what was heard with what was played, 0 to 1."""
    n = RATE
    loud = next((i for i in range(0, len(heard) - 2 * n, 80)
                 if max(map(abs, heard[i:i + 80]), default=0) > 2000), None)
    if loud is None:
        return 0.0
    window = heard[loud + n // 2: loud + n // 2 + n]
    ring = played + played[:n]
    best = 0.0

    def score(at, step):
        a = window[::step]
        b = ring[at: at + n: step]
        dot = sum(x * y for x, y in zip(a, b))
        e2 = math.sqrt(sum(y * y for y in b)) or 1.0
        ea = math.sqrt(sum(x * x for x in a)) or 1.0
        return dot / (ea * e2)

    # coarse over the whole tune with few samples, then fine around the best of these
    coarse = sorted(range(0, len(played), 4), key=lambda at: -score(at, 53))[:40]
    for c in coarse:
        for at in range(max(0, c - 6), min(len(played) - 1, c + 7)):
            best = max(best, score(at, 7))
    return best
