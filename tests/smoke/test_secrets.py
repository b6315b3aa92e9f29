#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_secrets.py - what was secret in the other tests was written nowhere.

It runs last.  Each test program that ran before left a folder under
<build>/kept: what its servers wrote (logs, stores with their -wal, figures,
events, traces), and secrets.list, mode 0600, with a line `code 0123456789`,
`number +15555550100` or `token ...` for each secret that it had in its hands.
Every file of every folder, and the cache that they share, is searched for
every secret of every list, as search.py does it.
"""
import base64
import os
import stat
import sys

from harness import KEPT, note, sentence, tell
from search import SHORT, Secrets, found, secret_part

LIST = 'secrets.list'
# What is made to hold them: settings, the key ring, the token for newcomers.
OURS = {LIST, 'voiceotp.yaml', 'secret', 'dev.token'}
LISTS = sorted(KEPT.glob('*/' + LIST))


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
        assert texts, f'no {kind} in {len(LISTS)} lists under {KEPT}'
    for path in LISTS:
        mode = stat.S_IMODE(os.stat(path).st_mode)
        assert mode == 0o600, f'{path}: mode {mode:o}'


def spaced(code):
    return b' '.join(code[i:i + 1] for i in range(len(code)))


@sentence
def the_search_finds_what_is_there(secrets):
    # some clients write numbers without a plus
    number = b'+' + min(secrets.kinds['number']).removeprefix(b'+')
    token = min(secrets.kinds['token'])
    hay = [form for code in sorted(secrets.kinds['code'])
           if len(code) >= SHORT for form in (
               b'"code":"' + code + b'"',
               b'it is ' + spaced(code),
               b'it is ' + spaced(code[:3]) + b', ' + spaced(code[3:]))]
    hay += [
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
    sys.exit(tell(Secrets(
        line for path in LISTS for line in path.read_text().splitlines())))
