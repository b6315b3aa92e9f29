# SPDX-License-Identifier: Apache-2.0
"""sound.py - is it a WAV file, is it more than silence, which keys are in it?"""
import array
import io
import math
import wave


def loudness(wav):
    """Seconds, and the root of the mean square of its 16-bit samples."""
    with wave.open(io.BytesIO(wav)) as w:
        assert w.getnchannels() == 1 and w.getsampwidth() == 2, w.getparams()
        assert w.getframerate() == 8000, w.getparams()
        samples = array.array('h', w.readframes(w.getnframes()))
    assert samples, 'no samples'
    return (len(samples) / 8000,
            math.sqrt(sum(s * s for s in samples) / len(samples)))


def from_pcma(octets):
    """Samples; ITU-T G.711."""
    def one(octet):
        octet ^= 0x55
        segment, rest = octet >> 4 & 7, (octet & 15) << 4
        size = rest + 8 if segment == 0 else rest + 0x108 << segment - 1
        return size if octet & 0x80 else -size
    table = [one(o) for o in range(256)]
    return [table[o] for o in octets]


ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
FRAME = 160


def power(samples, hz):
    """How much of it is in that tone; 1: all."""
    turn = 2 * math.pi * hz / 8000
    re = sum(s * math.cos(turn * i) for i, s in enumerate(samples))
    im = sum(s * math.sin(turn * i) for i, s in enumerate(samples))
    whole = sum(s * s for s in samples) * len(samples) / 2
    return (re * re + im * im) / whole if whole else 0


def keys_in(samples):
    """Keys as tones (Q.23), each once however long it lasts."""
    found = ''
    before = ' '
    for at in range(0, len(samples) - FRAME + 1, FRAME):
        frame = samples[at:at + FRAME]
        (low, row), (high, column) = (
            max((power(frame, hz), i) for i, hz in enumerate(group))
            for group in (ROWS, COLUMNS))
        key = '123A456B789C*0#D'[4 * row + column] \
            if min(low, high) > .25 and low + high > .9 else ' '
        if key not in (before, ' '):
            found += key
        before = key
    return found
