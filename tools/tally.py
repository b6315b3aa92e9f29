#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tally.py [--status N] TESTLOG - count tests, not test programs.

Reads meson's testlog.json, one program per line, counts the TAP lines each
program printed, shows the end of what the red ones said, and closes with
`N passed, N failed`.  Meson's own summary cannot be that line: it counts
programs, and one that dies half way shows none of its tests as failed.

A red program has at least one failure, a test that was announced and never
reported is a failure, and so is a run in which no test ran.  The log holds
the environment of every program, so nothing here prints a record whole.
"""
import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 60
GREEN = {'OK', 'EXPECTEDFAIL'}
TAP = re.compile(r'^(not )?ok\b[ \t]*\d*(.*)$', re.M)
PLAN = re.compile(r'^1\.\.(\d+)[ \t]*$', re.M)
SKIPPED = re.compile(r'#\s*skip', re.I)
ORDER = ['unit', 'scenario', 'smoke', 'browser', 'soak']


@dataclass
class Count:
    """What one program, or one suite of them, came to."""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    programs: int = 0
    seconds: float = 0.0

    def add(self, other):
        for field in vars(self):
            setattr(self, field, getattr(self, field) + getattr(other, field))


def count(record):
    """Count one program's record."""
    said = record.get('stdout') or ''
    result = record.get('result', 'ERROR')
    c = Count(programs=1, seconds=record.get('duration') or 0.0)

    for red, rest in TAP.findall(said):
        if SKIPPED.search(rest):  # cmocka writes `not ok 3 # SKIP`
            c.skipped += 1
        elif red:
            c.failed += 1
        else:
            c.passed += 1

    reported = c.passed + c.failed + c.skipped
    promised = sum(int(n) for n in PLAN.findall(said))
    if result == 'SKIP':
        c.skipped += 0 if reported else 1
        return c
    if not reported and not promised:  # no TAP: the program is the test
        c.passed, c.failed = (1, 0) if result in GREEN else (0, 1)
        return c
    c.failed += max(promised - reported, 0)
    if result not in GREEN:
        c.failed = max(c.failed, 1)
    return c


def suites_of(log):
    """{command: suite} as meson knows them; the log itself may not say."""
    intro = log.parent.parent / 'meson-info' / 'intro-tests.json'
    try:
        tests = json.loads(intro.read_text())
    except (OSError, ValueError):
        return {}
    return {tuple(t['cmd']): t['suite'][0].split(':')[-1]
            for t in tests if t.get('suite')}


def suite_of(record, suites):
    suite = suites.get(tuple(record.get('command') or []))
    if suite:
        return suite
    head, slash, _ = record.get('name', '').partition(' / ')
    return head.split(':')[-1] if slash else 'tests'


def short_name(record):
    return record.get('name', '?').split(' / ')[-1]


def tail(record):
    """The last lines of what a program said; never its environment."""
    text = record.get('stdout') or ''
    if record.get('stderr'):
        text += '\n--- on standard error:\n' + record['stderr']
    lines = text.rstrip('\n').splitlines()
    dropped = len(lines) - TAIL_LINES
    head = [f'... {dropped} lines above'] if dropped > 0 else []
    return head + lines[-TAIL_LINES:]


def read(path):
    """The records of a log.  A torn last line is a program that never ended."""
    records = []
    try:
        text = path.read_text(errors='replace')
    except OSError:
        return records
    for line in text.splitlines():
        try:
            records.append(json.loads(line))
        except ValueError:
            records.append({'name': 'unreadable record', 'result': 'ERROR'})
    return records


def rank(suite):
    return (ORDER.index(suite) if suite in ORDER else len(ORDER), suite)


def report(records, suites, status, out):
    """Print everything; return the Count of it all."""
    by_suite, total, red = {}, Count(), []
    for r in records:
        c = count(r)
        total.add(c)
        by_suite.setdefault(suite_of(r, suites), Count()).add(c)
        if c.failed:
            red.append(r)

    for r in red:
        out.write(f'\n=== {suite_of(r, suites)}/{short_name(r)}: '
                  f'{r.get("result", "ERROR")}, '
                  f'exit {r.get("returncode", "?")}\n')
        out.write('\n'.join(tail(r)) + '\n')

    out.write('\n')
    for suite in sorted(by_suite, key=rank):
        c = by_suite[suite]
        skipped = f', {c.skipped} skipped' if c.skipped else ''
        out.write(f'{suite:<10} {c.passed:>5} passed, {c.failed} failed'
                  f'{skipped}  ({c.programs} programs, {c.seconds:.1f} s)\n')
    if not total.passed and not total.failed:
        out.write('no test ran\n')
        total.failed = 1
    elif status and not total.failed:
        out.write(f'meson test itself ended with {status}\n')
        total.failed = 1
    out.write(f'{total.passed} passed, {total.failed} failed\n')
    return total


def main():
    p = argparse.ArgumentParser(description='count tests in a meson log')
    p.add_argument('--status', type=int, default=0,
                   help='what `meson test` itself returned')
    p.add_argument('log', type=Path)
    args = p.parse_args()
    total = report(read(args.log), suites_of(args.log), args.status,
                   sys.stdout)
    return 1 if total.failed else 0


if __name__ == '__main__':
    sys.exit(main())
