#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""layers.py [ROOT] - who includes whom, and whether they may.

Checks what tools/layers.txt promises about src/, and the few other things
about a file's head that a compiler does not mind: an SPDX line first,
`#pragma once`, a file's own header before all others, no other room's
*_priv.h, and headers that compile on their own.
"""
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]')
SPDX = re.compile(r'^(//|/\*|#) SPDX-License-Identifier: Apache-2\.0\b')
CODE = ('.c', '.h', '.cc', '.def')
PACKAGES = ['jansson', 'libcrypto', 'yaml-0.1', 'sqlite3', 'libmicrohttpd',
            'samplerate', 'libcurl', 'cmocka', 'libre', 'spandsp']
FLAGS = ['-std=gnu17', '-D_GNU_SOURCE', '-DVOICEOTP_VERSION="0"', '-Wall',
         '-DRELEASE', '-DHAVE_INTTYPES_H', '-DHAVE_STDBOOL_H', '-DHAVE_INET6',
         '-DHAVE_PTHREAD', '-DHAVE_EPOLL', '-DLINUX',  # as libre was built
         '-fsyntax-only']


def read_layers(path):
    """{room: rooms it may include}; None stands for every room."""
    may = {}
    for n, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split('#')[0].strip()
        if not line:
            continue
        room, colon, rest = line.partition(':')
        if not colon:
            sys.exit(f'{path}:{n}: expected `room: rooms`')
        names = rest.split()
        may[room.strip()] = None if names == ['*'] else {room.strip(), *names}
    for room, allowed in may.items():
        for other in allowed or ():
            if other not in may:
                sys.exit(f'{path}: {room} may include {other}, '
                         'which is not a room')
    return may


def includes(text):
    """Yield (line number, quoted?, name)."""
    for n, line in enumerate(text.splitlines(), 1):
        m = INCLUDE.match(line)
        if m:
            yield n, m[1] == '"', m[2]


class Checker:
    def __init__(self, root):
        self.root = root
        self.may = read_layers(root / 'tools' / 'layers.txt')
        self.errors = []
        self.files = 0

    def error(self, path, line, text):
        self.errors.append((str(path.relative_to(self.root)), line, text))

    def head(self, path, text):
        first = text.split('\n', 1)[0]
        if not SPDX.match(first):
            self.error(path, 1, 'the first line is not the SPDX line')
        if path.suffix == '.h' and '\n#pragma once\n' not in text:
            self.error(path, 1, 'no `#pragma once`')

    def one_include(self, path, n, name, home):
        """`home`: the room the file lives in or, for a test, looks into."""
        target = name.split('/')[0]
        in_src = path.relative_to(self.root).parts[0] == 'src'
        if '/' not in name:
            self.error(path, n, f'write "room/{name}", from src/')
            return
        if target not in self.may:
            if in_src:
                self.error(path, n, f'{target} is not a room of src/')
            return
        if re.search(r'_priv\.(h|def)$', name) and target != home:
            self.error(path, n, f'{name} is private to {target}')
        if not in_src:
            return
        allowed = self.may[home]
        if allowed is not None and target not in allowed:
            self.error(path, n, f'{home} may not include {target} '
                       '(tools/layers.txt)')

    def file(self, path):
        text = path.read_text(errors='replace')
        parts = path.relative_to(self.root).parts
        home = None
        if parts[0] == 'src':
            home = parts[1] if len(parts) > 2 else None
            if home not in self.may:
                self.error(path, 1, 'this folder is not in tools/layers.txt')
                return
        elif parts[:2] == ('tests', 'unit') and len(parts) > 3:
            home = parts[2]
        elif parts[0] == 'fuzz' and path.stem.startswith('fuzz_'):
            # at home where the file is that it is named after
            own = path.stem[len('fuzz_'):] + '.c'
            rooms = [room for room in self.may
                     if (self.root / 'src' / room / own).exists()]
            home = rooms[0] if len(rooms) == 1 else None

        self.files += 1
        self.head(path, text)
        found = list(includes(text))
        for n, quoted, name in found:
            if quoted:
                self.one_include(path, n, name, home)
            elif name.split('/')[0] in self.may and '/' in name and (
                    self.root / 'src' / name).exists():
                self.error(path, n, f'our own {name} goes in quotes')
        self.own_first(path, home, found)

    def own_first(self, path, home, found):
        own = path.with_suffix('.h')
        if path.suffix not in ('.c', '.cc') or not own.exists():
            return
        name = f'{home}/{own.name}' if home else own.name
        if not found or found[0][2].split('/')[-1] != own.name:
            line = found[0][0] if found else 1
            self.error(path, line, f'include {name} first')

    def alone(self, path, flags):
        """Does this header compile with nothing before it?"""
        top = self.root / path.relative_to(self.root).parts[0]
        name = path.relative_to(top)
        run = subprocess.run(
            ['cc', *FLAGS, *flags, '-x', 'c', '-'],
            input=f'#include "{name}"\n', text=True, cwd=self.root,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if run.returncode:
            why = [x for x in run.stderr.splitlines() if 'error:' in x]
            why = why[0].split('error:')[-1].strip() if why else 'see cc'
            self.error(path, 1, f'does not compile alone: {why}')

    def headers(self, paths):
        flags = ['-Isrc', '-Itests']
        for package in PACKAGES:
            got = subprocess.run(['pkg-config', '--cflags', package],
                                 text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL)
            if got.returncode == 0:
                flags += shlex.split(got.stdout)
        with ThreadPoolExecutor(cpu_count()) as pool:
            list(pool.map(lambda p: self.alone(p, flags), paths))


def main():
    here = Path(__file__).resolve().parent.parent
    root = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here
    checker = Checker(root)
    paths = sorted(p for top in ('src', 'tests', 'fuzz', 'bench')
                   for p in (root / top).rglob('*')
                   if p.suffix in CODE and 'node_modules' not in p.parts
                   and p.is_file())
    for path in paths:
        checker.file(path)
    checker.headers([p for p in paths if p.suffix == '.h'
                     and p.relative_to(root).parts[0] in ('src', 'tests')])
    for path, line, text in sorted(set(checker.errors)):
        print(f'{path}:{line}: {text}')
    if not checker.errors:
        print(f'{checker.files} files keep to tools/layers.txt')
    return 1 if checker.errors else 0


if __name__ == '__main__':
    sys.exit(main())
