#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_dies.py - a trunk that is gone from one moment to the next.

Hundreds of calls are up, and their far end is killed: signalling and sound,
without a word.  Each call ends with an outcome that is true, none is left
hanging, and whoever is called afterwards is called over the next trunk.
"""
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from far import CALL_S, Rtp, Sipp, Trunks, figure, make_room, ports, trunk
from harness import OLDEST, Deadline, note, sentence, tell

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 500
AFTERWARDS = 20
PINGS = 100  # at most, while the calls are set up
PREFIX = '+1415300'
# `speak` waits for keys that do not come; `plain` had said its code, or not.
TRUE = {'speak': {'network_error'},
        'plain': {'network_error', 'hung_up_early', 'answered'}}


def flow(n):
    return 'plain' if n % 2 else 'speak'


def number(n):
    return f'{PREFIX}{n:04}'


class Ends:
    """Every event of every call, as it comes."""

    def __init__(self, server):
        self.seen, self.ends = {}, {}
        self.stream = server.api().events('/v1/events', OLDEST)

    def until(self, question, what, seconds):
        deadline = Deadline(seconds, what)
        while not question():
            event = self.stream.next(deadline.left())
            if not event.kind.startswith('call.'):
                continue
            told = event.json
            id_ = told['id']
            self.seen.setdefault(id_, []).append(event.kind)
            if event.kind == 'call.ended':
                self.ends.setdefault(id_, []).append(told['call'])

    def count(self, kind):
        return sum(kind in kinds for kinds in self.seen.values())


def create(server, n):
    return server.api().created(number(n), flow=flow(n),
                                purpose='signup')['id']


@sentence
def each_call_ends_truly_and_new_ones_take_the_next_trunk(server):
    ends = Ends(server)
    with Rtp(room=CALLS + PINGS) as rtp:
        lines = [rtp.open(f'l{n}', 'pcma') for n in range(CALLS + PINGS)]
        first = Sipp('first', 'many', port=FIRST, calls=2 * CALLS,
                     lines=lines, rtp_port=9)
        with first, ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(lambda n: create(server, n), range(CALLS)))
            ends.until(lambda: ends.count('call.answered') == CALLS,
                       f'{CALLS} calls to be answered', 60)
            up = CALLS - len(ends.ends)
            first.kill()
            rtp.kill()
        note(up, 'calls were up')
    with Sipp('second', 'busy', port=SECOND, calls=AFTERWARDS,
              rtp_port=9) as second:
        later = [create(server, CALLS + n) for n in range(AFTERWARDS)]
        ends.until(lambda: len(ends.ends) == CALLS + AFTERWARDS and
                   all(ends.ends[i][-1]['route'] == 'second' for i in later),
                   'every call to end', CALL_S)
        second.is_content()

    outcomes = {'speak': Counter(), 'plain': Counter()}
    for n, id_ in enumerate(ids):
        outcomes[flow(n)][ends.ends[id_][-1]['outcome']] += 1
    note(outcomes)
    assert up > CALLS // 2, f'{up} of {CALLS} calls were up'
    assert all(set(o) <= TRUE[f] for f, o in outcomes.items()), outcomes
    assert all(ends.ends[i][-1]['outcome'] == 'busy' for i in later)
    server.poll(lambda: figure(server, 'calls') == 0, 60, 'nothing to be left')


if __name__ == '__main__':
    make_room()
    FIRST, SECOND = ports(2), ports(2)
    PLACE = Trunks('dies', [trunk('first', FIRST, ping_s=1),
                            trunk('second', SECOND)],
                   {'+': ['first', 'second']}, call={'max_calls': 2000})
    with PLACE.serving() as SERVER:
        RESULT = tell(SERVER)
    sys.exit(RESULT)
