#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""big.py - the ten longest functions and files: where to cut next."""
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = re.compile(r'(\w+)\(')
MOST = 10


def functions(lines):
    """Yield (lines, first line, name).  Trusts clang-format's layout."""
    start = head = None
    for n, line in enumerate(lines, 1):
        if line == '{':
            start = n
        elif line.startswith('}') and start:
            name = NAME.search(head or '')
            if line == '}' and name:
                yield n - start + 1, start, name[1]
            start = None
        elif not start and line[:1].isalpha() and '(' in line:
            head = line


def main():
    files, found = [], []
    out = subprocess.run([ROOT / 'tools/sources.sh', 'c', 'h', 'cc'],
                         text=True, stdout=subprocess.PIPE, check=True)
    for name in out.stdout.splitlines():
        lines = (ROOT / name).read_text().splitlines()
        files.append((len(lines), name))
        found += [(size, f'{name}:{at}', what)
                  for size, at, what in functions(lines)]
    print('functions')
    for size, where, what in sorted(found, reverse=True)[:MOST]:
        print(f'{size:6}  {what}  ({where})')
    print('files')
    for size, name in sorted(files, reverse=True)[:MOST]:
        print(f'{size:6}  {name}')


if __name__ == '__main__':
    main()
