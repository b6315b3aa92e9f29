#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_soak.py MINUTES - calls come and go over trunks, for long.

As many calls are up all the time as there are places: one that ends is
followed by another.  What the server has of memory, files, ports and timers
at the end it had soon after the beginning.
"""
import re
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from far import (CALL_S, Rtp, Sipp, Trunks, figure, make_room, ports, trunk)
from harness import OLDEST, Deadline, note, sentence, tell

MINUTES = float(sys.argv[1]) if len(sys.argv) > 1 else 20
WARM_S = min(120, MINUTES * 60 / 4)  # ended calls linger for 32 s (SIP)
SAMPLE_S = 2
WINDOW = 0.2  # of the samples: the first, and the last of them
GROWTH = 1.05
SLACK = {'rss_kb': 4096, 'files': 8, 'udp_ports': 0, 'timers': 40}

# trunk: scenario, calls at once, lines (some are taken by pings), flow
KINDS = {
    'whole': ('many', 40, 200, 'plain'),
    'short': ('many_hang_up', 40, 200, 'speak'),
    'busy': ('busy_later', 10, 0, 'speak'),
    'lonely': ('no_answer', 10, 0, 'plain'),
}
AREAS = dict(zip(KINDS, ('+1415', '+1408', '+1510', '+1650')))


def sample(server):
    status = Path(f'/proc/{server.pid}/status').read_text()
    files = list(Path(f'/proc/{server.pid}/fd').iterdir())
    udp = Path('/proc/net/udp').read_text()
    inodes = {line.split()[9] for line in udp.splitlines()[1:]}
    mine = 0
    for file in files:
        try:
            mine += re.sub(r'\D', '', str(file.readlink())) in inodes
        except OSError:
            pass
    return {'rss_kb': int(re.search(r'VmRSS:\s+(\d+)', status)[1]),
            'files': len(files), 'udp_ports': mine,
            'timers': figure(server, 'timers')}


class Traffic:
    """Keeps every place taken, until it is told to stop."""

    def __init__(self, server, pool):
        self.server, self.pool = server, pool
        self.kind_of, self.outcomes, self.made = {}, Counter(), 0
        self.jobs = []

    def call(self, kind):
        self.made += 1
        to = f'{AREAS[kind]}{2000000 + self.made}'
        self.jobs.append(self.pool.submit(self._create, kind, to))

    def _create(self, kind, to):
        id_ = self.server.api().created(to, flow=KINDS[kind][3],
                                        purpose='signup')['id']
        self.kind_of[id_] = kind

    def follow(self, stream, until):
        """Calls that end are followed by others; samples meanwhile."""
        samples, due = [], time.monotonic() + WARM_S
        while time.monotonic() < until:
            self.ended(stream.next(CALL_S), again=True)
            if time.monotonic() >= due:
                samples.append(sample(self.server))
                due += SAMPLE_S
            self.jobs = [j for j in self.jobs if not j.done() or j.result()]
        return samples

    def ended(self, event, again):
        if event.kind != 'call.ended':
            return False
        told = event.json
        self.outcomes[told['call']['route'], told['call']['outcome']] += 1
        if again:
            self.call(told['call']['route'])
        return True

    def drain(self, stream):
        for job in self.jobs:
            job.result()
        deadline = Deadline(CALL_S, 'the last call to end')
        while sum(self.outcomes.values()) < self.made:
            self.ended(stream.next(deadline.left()), again=False)


def is_flat(samples):
    n = max(3, int(len(samples) * WINDOW))
    assert len(samples) >= 2 * n, f'{len(samples)} samples are too few'
    for name, slack in SLACK.items():
        first = median(s[name] for s in samples[:n])
        last = median(s[name] for s in samples[-n:])
        note(f'{name}: {first:.0f}, in the end {last:.0f}')
        assert last <= first * GROWTH + slack, f'{name} grew'


@sentence
def calls_come_and_go_and_nothing_grows(server):
    with Rtp(room=500) as rtp, ThreadPoolExecutor(4) as pool:
        fars = []
        try:
            for kind, (scenario, _, lines, _) in KINDS.items():
                fars.append(Sipp(
                    kind, scenario, port=PORTS[kind], calls=Sipp.FOREVER,
                    lines=[rtp.open(f'{kind}{n}', 'pcma', 'follow')
                           for n in range(lines)]))
            traffic = Traffic(server, pool)
            stream = server.api().events('/v1/events', OLDEST)
            for kind, (_, at_once, _, _) in KINDS.items():
                for _ in range(at_once):
                    traffic.call(kind)
            samples = traffic.follow(stream, time.monotonic() + MINUTES * 60)
            traffic.drain(stream)
        finally:
            for far in fars:
                far.end()

    note(traffic.made, 'calls:', dict(traffic.outcomes))
    assert set(traffic.outcomes) <= {
        ('whole', 'answered'), ('short', 'hung_up_early'),
        ('short', 'machine_suspected'), ('busy', 'busy'),
        ('lonely', 'no_answer')}, traffic.outcomes
    is_flat(samples)
    server.poll(lambda: figure(server, 'calls') == 0, 60, 'no call is left')


if __name__ == '__main__':
    make_room()
    PORTS = {kind: ports(2) for kind in KINDS}
    PLACE = Trunks('soak', [trunk(kind, port)
                            for kind, port in PORTS.items()],
                   {area: [kind] for kind, area in AREAS.items()},
                   call={'max_calls': 1000})
    with PLACE.serving() as SERVER:
        RESULT = tell(SERVER)
    sys.exit(RESULT)
