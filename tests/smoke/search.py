# SPDX-License-Identifier: Apache-2.0
"""search.py - is a secret in these bytes, in whatever way it may stand there?

As it is, with its digits spaced, as hex, and as base64 at any offset.  It is
the bytes that are turned, not the secrets: a run of digits, of spaced digits,
of hex or base64 is read back, and its digits are looked up.  A code of fewer
than eight digits stands in many a time of day by chance, so it counts only
where it is a whole word, and the tests ask for ten digits where they can.
"""
import base64
import re

LONG = 8   # digits that do not stand together by chance
SHORT = 4  # fewer stand everywhere: a code of one digit is not searched for

DIGITS = re.compile(rb'[0-9]{4,}')
SPACED = re.compile(rb'[0-9](?:(?:[ ,.-]|, |\. |\.\.\. | \.\.\. )[0-9]){3,}')
HEX = re.compile(rb'(?:3[0-9]){4,}')
WIDE = re.compile(rb'(?:[0-9]\0){4,}')
BASE64 = re.compile(rb'[A-Za-z0-9+/_-]{8,}')
WORD = re.compile(rb'(?<![0-9A-Za-z.])[0-9]{4,7}(?![0-9A-Za-z])')


class Secrets:
    """Lines such as `code 0123456789`, ready to be looked up."""

    def __init__(self, lines):
        self.kinds = {'code': set(), 'number': set(), 'token': set()}
        for line in lines:
            kind, _, text = line.partition(' ')
            self.kinds[kind].add(text.strip().encode())
        digits = {s.removeprefix(b'+') for kind in ('code', 'number')
                  for s in self.kinds[kind]}
        self.long = {d for d in digits if len(d) >= LONG}
        self.short = {d for d in digits - self.long if len(d) >= SHORT}
        self.lengths = sorted({len(d) for d in self.long})
        self.plain = [form for token in self.kinds['token']
                      for form in forms(token)]

    def __len__(self):
        return sum(map(len, self.kinds.values()))

    def among(self, digits):
        """Secrets in a run of digits."""
        for n in self.lengths:
            for i in range(len(digits) - n + 1):
                if digits[i:i + n] in self.long:
                    yield digits[i:i + n]


def secret_part(token):
    """`vok_ID_SECRET` -> SECRET; a link's token is secret as a whole."""
    return token.split(b'_', 2)[-1]


def forms(token):
    """A token, and the part of it that is secret, in the ways it may stand."""
    for text in {token, secret_part(token)}:
        yield text
        yield text.hex().encode()
        yield text.hex().upper().encode()
        for shift in range(3):
            turned = base64.b64encode(b'\0' * shift + text)
            # the first and the last characters depend on the neighbours
            yield turned[-(-shift * 8 // 6):len(turned) // 4 * 4 - 4]


def runs(data):
    """(how it stood there, digits) for all that can be read as digits."""
    for m in DIGITS.finditer(data):
        yield 'plain', m[0]
    for m in SPACED.finditer(data):
        yield 'spaced', re.sub(rb'[^0-9]', b'', m[0])
    for m in HEX.finditer(data):
        yield 'hex', m[0][1::2]
    for m in WIDE.finditer(data):
        yield 'wide', m[0][::2]
    for m in BASE64.finditer(data):
        text = m[0].translate(bytes.maketrans(b'-_', b'+/'))
        for shift in range(4):
            part = text[shift:]
            part = part[:-1] if len(part) % 4 == 1 else part
            part += b'=' * (-len(part) % 4)
            for d in DIGITS.finditer(base64.b64decode(part)):
                yield 'base64', d[0]


def found(secrets, data):
    """(form, secret) for all that `data` holds."""
    for form, digits in runs(data):
        for secret in secrets.among(digits):
            yield form, secret
        if form == 'spaced' and digits in secrets.short:
            yield form, digits
    for m in WORD.finditer(data):
        if m[0] in secrets.short:
            yield 'plain', m[0]
    for text in secrets.plain:
        if text in data:
            yield 'token', text
