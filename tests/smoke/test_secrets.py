#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_secrets.py - what was secret in the other tests was written nowhere.

It runs last.  Each test program that ran before left a folder under
<build>/kept: what its servers wrote (logs, stores with their -wal, figures,
events, traces), and secrets.list, mode 0600, with a line `code 0123456789`,
`number +15555550100` or `token ...` for each secret that it had in its hands.
Every file of every folder, and the cache that they share, is searched for
every secret of every list: as it is, with its digits spaced, as hex, and as
base64 at any offset.

It is the files that are turned, not the secrets: a run of digits, of spaced
digits, of hex or base64 is read back, and its digits are looked up.  A code of
fewer than eight digits stands in many a time of day by chance, so it counts
only where it is a whole word, and the tests ask for ten digits where they can.
"""
import base64
import os
import re
import stat
import sys
from pathlib import Path

from harness import KEPT, note, sentence, tell

LIST = 'secrets.list'
# What is made to hold them: settings, the key ring, the token for newcomers.
OURS = {LIST, 'voiceotp.yaml', 'secret', 'dev.token'}
LONG = 8  # digits that do not stand together by chance

DIGITS = re.compile(rb'[0-9]{4,}')
SPACED = re.compile(rb'[0-9](?:(?:[ ,.-]|, |\. |\.\.\. | \.\.\. )[0-9]){3,}')
HEX = re.compile(rb'(?:3[0-9]){4,}')
WIDE = re.compile(rb'(?:[0-9]\0){4,}')
BASE64 = re.compile(rb'[A-Za-z0-9+/_-]{8,}')
WORD = re.compile(rb'(?<![0-9A-Za-z.])[0-9]{4,7}(?![0-9A-Za-z])')


class Secrets:
    """All that was written down, ready to be looked up."""

    def __init__(self):
        self.kinds = {'code': set(), 'number': set(), 'token': set()}
        self.lists = sorted(KEPT.glob('*/' + LIST))
        for path in self.lists:
            for line in path.read_text().splitlines():
                kind, _, text = line.partition(' ')
                self.kinds[kind].add(text.strip().encode())
        digits = {s.removeprefix(b'+') for kind in ('code', 'number')
                  for s in self.kinds[kind]}
        self.long = {d for d in digits if len(d) >= LONG}
        self.short = digits - self.long
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


def artifacts():
    """Every file that was left behind, but for those of OURS."""
    return [p for p in sorted(KEPT.rglob('*'))
            if p.is_file() and not p.is_symlink() and p.name not in OURS]


def search(secrets, paths):
    """Nothing is found; a finding is told without telling the secret."""
    findings = [
        f'{path.relative_to(KEPT)}: {len(secret)} characters, {form}'
        for path in paths for form, secret in found(secrets, path.read_bytes())]
    assert not findings, '\n'.join(findings[:40])
    note(len(secrets), 'secrets are not in', len(paths), 'files,',
         sum(p.stat().st_size for p in paths) >> 10, 'KiB')


def some(paths, what):
    assert paths, f'there are no {what} to search: did the other tests run?'
    return paths


@sentence
def secrets_were_written_down(secrets):
    for kind, texts in secrets.kinds.items():
        assert texts, f'no {kind} in {len(secrets.lists)} lists under {KEPT}'
    for path in secrets.lists:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert mode == 0o600, f'{path}: mode {mode:o}'


@sentence
def the_search_finds_what_is_there(secrets):
    code = next(iter(secrets.kinds['code']))
    number = next(iter(secrets.kinds['number']))
    token = next(iter(secrets.kinds['token']))
    hay = [
        b'"code":"' + code + b'"',
        b'it is ' + b' '.join(code[i:i + 1] for i in range(len(code))),
        b'it is ' + b' '.join(code[i:i + 1] for i in range(3)) + b', ' +
        b' '.join(code[i:i + 1] for i in range(3, len(code))),
        number, number[1:], b'\x07' + number + b'\x07',
        number.hex().encode(), number.decode().encode('utf-16-le'),
        base64.b64encode(number), base64.b64encode(b'a' + number),
        base64.b64encode(b'ab' + number + b'c'),
        token, secret_part(token), token.hex().encode(),
        base64.b64encode(b'a' + token), base64.b64encode(b'ab' + token),
    ]

    for n, text in enumerate(hay):
        assert list(found(secrets, text)), f'form {n} is not found'
    assert not list(found(secrets, b'{"t":"2024-01-01T00:00:00.123Z"}'))


@sentence
def logs_hold_none_of_them(secrets):
    search(secrets, some([p for p in artifacts()
                          if p.name.startswith('log.')], 'logs'))


@sentence
def figures_hold_none_of_them(secrets):
    search(secrets, some([p for p in artifacts()
                          if p.name.startswith('metrics.')], 'figures'))


@sentence
def events_hold_none_of_them(secrets):
    search(secrets, some([p for p in artifacts()
                          if p.name.startswith('events.')], 'events'))


@sentence
def stores_hold_none_of_them(secrets):
    search(secrets, some([p for p in artifacts() if '.db' in p.name],
                         'stores'))


@sentence
def the_cache_holds_none_of_them(secrets):
    search(secrets, some([p for p in artifacts() if 'cache' in p.parts],
                         'clips'))


@sentence
def nothing_else_holds_one_of_them(secrets):
    search(secrets, [p for p in artifacts()
                     if not p.name.startswith(('log.', 'metrics.', 'events.'))
                     and '.db' not in p.name and 'cache' not in p.parts])


if __name__ == '__main__':
    sys.exit(tell(Secrets()))
