# SPDX-License-Identifier: Apache-2.0
"""sound.py - is it a WAV file, and is it more than silence?"""
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
