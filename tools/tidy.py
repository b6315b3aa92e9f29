#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tidy.py FOLDER - clang-tidy over every C file, as far as something changed.

The whole tree takes minutes, so a file that was clean is not looked at again
until it, a header it includes, its flags, .clang-tidy or clang-tidy itself
changes.  FOLDER is built with clang already: its compile database has the
flags and ninja knows the headers.  Findings in a header are shown once.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FINDING = re.compile(r'^[^\s:]+:\d+:\d+: (?:warning|error): ', re.M)
PLACE = re.compile(r'^([^\s:]+)(?=:\d+:\d+: )', re.M)
NOISE = re.compile(r'^(\d+ (warnings?|errors?).*generated\.?|'
                   r'Suppressed .*|Use -header-filter.*|'
                   r'\d+ warnings? treated as errors?)$')


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, text=True,
                          stdout=subprocess.PIPE).stdout


def headers_by_object(folder):
    """{object: our files it was made of}, as ninja remembers them."""
    found, current = {}, None
    for line in output_of('ninja', '-C', str(folder), '-t',
                          'deps').splitlines():
        if not line.startswith(' '):
            current = found.setdefault(line.split(':')[0], [])
            continue
        path = Path(os.path.normpath(folder / line.strip()))
        if ROOT in path.parents:
            current.append(path)
    return found


class Tidy:
    def __init__(self, folder):
        self.folder = folder
        self.stamps = folder / 'tidy'
        self.stamps.mkdir(exist_ok=True)
        self.digests = {}
        self.common = (output_of('clang-tidy', '--version') +
                       (ROOT / '.clang-tidy').read_text())
        database = folder / 'compile_commands.json'
        made_of = headers_by_object(folder)
        self.known = {}
        for entry in json.loads(database.read_text()):
            path = Path(os.path.normpath(
                Path(entry['directory']) / entry['file']))
            self.known[path] = (entry['command'],
                                made_of.get(entry['output'], []))
        self.all_headers = [p for top in ('src', 'tests', 'fuzz')
                            for p in sorted((ROOT / top).rglob('*.h'))]

    def digest(self, path):
        if path not in self.digests:
            try:
                text = path.read_bytes()
            except OSError:
                text = b''
            self.digests[path] = hashlib.sha256(text).hexdigest()
        return self.digests[path]

    def key(self, path):
        """Changes whenever clang-tidy could say something else of `path`."""
        command, made_of = self.known.get(path, ('', self.all_headers))
        h = hashlib.sha256((self.common + command).encode())
        for p in [path, *sorted(set(made_of))]:
            h.update(f'{p}={self.digest(p)}\n'.encode())
        return h.hexdigest()

    def stamp(self, path):
        name = str(path.relative_to(ROOT)).replace('/', '+')
        return self.stamps / name

    def is_clean(self, path):
        stamp = self.stamp(path)
        return stamp.exists() and stamp.read_text() == self.key(path)

    def look(self, path):
        """Run clang-tidy; return its findings, or None if there are none."""
        run = subprocess.run(
            ['clang-tidy', '--quiet', '-p', str(self.folder), str(path)],
            cwd=ROOT, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        if run.returncode == 0:
            self.stamp(path).write_text(self.key(path))
            return None
        return run.stdout


def blocks(text, folder):
    """Split what clang-tidy said into one piece per finding."""
    lines = [x for x in text.splitlines() if not NOISE.match(x)]
    text = PLACE.sub(lambda m: os.path.relpath(folder / m[1], ROOT),
                     '\n'.join(lines).strip())
    starts = [m.start() for m in FINDING.finditer(text)]
    if not starts:
        return [text]
    return [text[a:b].rstrip() for a, b in
            zip(starts, starts[1:] + [len(text)])]


def main():
    folder = Path(sys.argv[1]).resolve()
    sources = [ROOT / x for x in
               output_of('tools/sources.sh', 'c').splitlines()]
    tidy = Tidy(folder)
    todo = [p for p in sources if not tidy.is_clean(p)]
    shown, bad = set(), 0

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(tidy.look, todo):
            if said is None:
                continue
            bad += 1
            for block in blocks(said, folder):
                if block not in shown:
                    print(block, flush=True)
                shown.add(block)

    same = len(sources) - len(todo)
    if bad:
        print(f'{bad} of {len(sources)} files have findings')
    else:
        print(f'{len(sources)} files are clean ({same} unchanged)')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
