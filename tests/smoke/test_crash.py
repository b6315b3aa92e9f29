#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_crash.py - kill -9 at any moment loses nothing that was promised.

A round is one life of the server: clients create, cancel and check as fast as
they may, and at a random moment the process is killed.  It is started again on
the same folder, and then must hold:

- every 201 is still there, and the answer that was lost on the way comes when
  the request is sent again with its Idempotency-Key, once;
- no code is approved twice, and one whose approval was answered is approved;
- no attempt (call id) was dialled twice;
- a call that was under way when the process died is reported `interrupted`.

Codes to check are heard on the phone, which takes as long as it is spoken: so
every so many rounds there is a quiet life, in which many calls are listened to
at the same time, and the next rounds check those codes across their kills.

With the word `soak` it runs a thousand rounds in place of 25; VOICEOTP_SEED
repeats a run's moments.
"""
import http.client
import itertools
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import (OLDEST, PAGE, SANDBOX, Background, Deadline, Place,
                     note, sentence, tell)
from phone import Phone

ROUNDS = 1000 if 'soak' in sys.argv else 25
SEED = int(os.environ.get('VOICEOTP_SEED', random.SystemRandom().
                          randrange(1 << 32)))
BATCH = 25             # rounds on the codes of one quiet life
CODES_A_ROUND = 2
START_S = 10           # with its clips in the cache, after a crash
KILL_S = (0.05, 0.9)   # when, from the beginning of the load
CHECK_S = 0.003        # a check takes about as long
CREATORS, CHECKERS = 3, 3
CREATES_MAX = 60       # of one creator in one round
SETTLE_S = 30          # for what a crash left behind to be reported
CODE_LENGTH = 10       # see test_secrets.py
LIFE_S = 600           # no life of a server here is longer
NUMBERS = [SANDBOX + n for n in ('0110', '0120', '0121', '0122', '0124')]
BROKEN = (OSError, http.client.HTTPException)


class Created:
    """A verification that was asked for, and what became of the asking."""

    def __init__(self, to, key):
        self.to, self.key = to, key
        self.record = None    # of the 201; None: the answer was lost
        self.canceled = None  # None: not asked; False: no answer to it


class Heard:
    """A code that was spoken, and how often it was approved."""

    def __init__(self, id_, code):
        self.id, self.code = id_, code
        self.yes = 0
        self.lock = threading.Lock()


class Told:
    """The application's events, over all lives, by one resumed stream."""

    def __init__(self):
        self.news = threading.Condition()
        self.last_id = OLDEST
        self.wrong = []       # what must never be told
        self.dialled, self.ended, self.approved = {}, {}, {}
        self.reader = None

    def listen(self, server):
        stream = server.api().events('/v1/events', self.last_id)
        self.reader = Background(self._read, stream)

    def _read(self, stream):
        with stream:
            while True:
                try:
                    event = stream.next(LIFE_S)
                except BROKEN + (EOFError, ValueError):
                    return
                with self.news:
                    self._take(event)
                    self.last_id = event.id
                    self.news.notify_all()

    def _take(self, event):
        if event.kind == 'reset':
            self.wrong.append('events were lost')
            return
        data = event.json
        call = data.get('call', {})
        if event.kind == 'call.dialing':
            self._once(self.dialled, call['id'], 'dialled')
        elif event.kind == 'call.ended':
            self._once(self.ended, call['id'], call['outcome'])
        elif event.kind == 'verification.approved':
            self._once(self.approved, data['id'], 'approved')

    def _once(self, seen, id_, what):
        if id_ in seen:
            self.wrong.append(f'{id_}: {seen[id_]}, and {what} again')
        seen[id_] = what

    def under_way(self):
        with self.news:
            return self.dialled.keys() - self.ended.keys()

    def wait(self, condition, seconds, what):
        deadline = Deadline(seconds, what)
        with self.news:
            while not condition():
                self.news.wait(deadline.left())

    def end(self):
        self.reader.result()
        assert not self.wrong, self.wrong[:5]


class Rounds:
    def __init__(self):
        self.rng = random.Random(SEED)
        self.place = Place('place', code={'length': CODE_LENGTH})
        self.told = Told()
        self.serial = itertools.count(1)
        self.creates, self.heard = [], []
        self.kept = []  # records of all rounds, a few of each
        self.cut_short = set()  # calls that were under way at a kill
        self.counted = dict(creates=0, lost=0, interrupted=0, approved=0,
                            approved_unheard=0, approved_later=0,
                            slowest_start=0.0)

    # --- a life ---------------------------------------------------------------

    def start(self):
        again = self.place.servers > 0  # the first one fills the cache
        began = time.monotonic()
        server = self.place.start()
        took = time.monotonic() - began
        assert not again or took < START_S, f'{took} s to start again'
        self.counted['slowest_start'] = max(self.counted['slowest_start'],
                                            again and took)
        self.told.listen(server)
        return server

    def listen_to_codes(self):
        """A quiet life: many calls at once, each heard to its code."""
        server = self.start()
        try:
            api = server.api()
            with Phone(server) as phone, \
                    ThreadPoolExecutor(BATCH * CODES_A_ROUND) as ears:
                jobs = []
                for _ in range(BATCH * CODES_A_ROUND):
                    id_ = api.created(PAGE, flow='plain')['id']
                    call = phone.ring()  # one rings at a time: it is ours
                    jobs.append((id_, ears.submit(phone.hear, call)))
                self.heard = [Heard(id_, job.result()) for id_, job in jobs]
            for one in self.heard:
                self.place.secret('code', one.code)
        finally:
            server.kill()
            self.told.end()

    # --- the load -------------------------------------------------------------

    def create_some(self, server, seed, over):
        rng, api = random.Random(seed), server.api()
        for _ in range(CREATES_MAX):
            if over.is_set():
                return
            wish = Created(rng.choice(NUMBERS), f'key-{next(self.serial)}')
            self.creates.append(wish)
            try:
                self.ask(api, wish)
                if rng.random() < 0.2:
                    self.cancel(api, wish)
                elif rng.random() < 0.2:
                    api.check(wish.record['id'], '0' * CODE_LENGTH)
            except BROKEN:
                return

    def ask(self, api, wish):
        answer = api.create(wish.to, key=wish.key,
                            metadata={'key': wish.key})
        assert answer.status == 201, answer
        wish.record = answer.json

    def cancel(self, api, wish):
        wish.canceled = False
        answer = api.post(f'/v1/verifications/{wish.record["id"]}/cancel')
        assert answer.status == 200, answer
        wish.canceled = True

    def check_some(self, server, seed, heard, go):
        """Fire when told, or at a random moment; several threads do."""
        rng, api = random.Random(seed), server.api()
        go.wait(rng.uniform(0, KILL_S[1]))
        try:
            for one in rng.sample(heard, len(heard)):
                self.check(api, one)
        except BROKEN:
            return

    def check(self, api, one):
        if api.check(one.id, one.code)['approved']:
            with one.lock:
                one.yes += 1
                assert one.yes == 1, 'a code was approved twice'

    def load_and_kill(self, server, heard):
        over, go = threading.Event(), threading.Event()
        seed = self.rng.random
        jobs = [Background(self.create_some, server, seed(), over)
                for _ in range(CREATORS)]
        jobs += [Background(self.check_some, server, seed(), heard, go)
                 for _ in range(CHECKERS)]
        self.lives(server, self.rng.uniform(*KILL_S))
        if self.rng.random() < 0.5:  # while a check is on its way
            go.set()
            self.lives(server, self.rng.uniform(0, CHECK_S))
        server.kill()
        over.set()
        for job in jobs:
            job.result()
        self.told.end()

    @staticmethod
    def lives(server, seconds):
        try:
            server.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError('it died by itself\n' + server.last_words())

    # --- what must hold afterwards ----------------------------------------------

    def examine(self, server, heard):
        api = server.api()
        for wish in self.creates:
            self.examine_create(api, wish)
        for one in heard:
            self.examine_code(api, one)
        for record in self.rng.sample(self.kept, min(20, len(self.kept))):
            assert api.read(record['id'])['to'] == record['to']
        self.kept += [w.record for w in self.creates[:5]]
        self.counted['creates'] += len(self.creates)

    def examine_create(self, api, wish):
        if wish.record is None:
            self.counted['lost'] += 1
            self.ask(api, wish)
        again = api.create(wish.to, key=wish.key, metadata={'key': wish.key})
        record = api.read(wish.record['id'])

        assert again.status == 201, again
        assert again.json['id'] == wish.record['id'], 'made twice'
        assert record['to'] == wish.to, record
        assert record['metadata'] == {'key': wish.key}, record
        if wish.canceled:
            assert record['status'] == 'canceled', record

    def examine_code(self, api, one):
        status = api.read(one.id)['status']
        if one.yes:
            assert status == 'approved', 'an approval was answered, and lost'
            self.counted['approved'] += 1
        elif status == 'approved':
            self.counted['approved_unheard'] += 1
        else:
            self.check(api, one)
            assert one.yes, 'the right code is refused after a crash'
            self.counted['approved_later'] += 1
        assert not api.check(one.id, one.code)['approved'], 'approved twice'

    # --- all of it ---------------------------------------------------------------

    def one(self, heard):
        """Load, kill, start again, look; the server is dead at the end."""
        self.creates = []
        server = self.start()
        self.load_and_kill(server, heard)
        self.cut_short |= self.told.under_way()
        server = self.start()
        try:
            self.examine(server, heard)
        finally:
            server.kill()
            self.told.end()

    def run(self):
        for n in range(ROUNDS):
            if n % BATCH == 0:
                self.listen_to_codes()
            heard = [self.heard.pop() for _ in range(CODES_A_ROUND)]
            try:
                self.one(heard)
            except BaseException:
                note(f'in round {n}; VOICEOTP_SEED={SEED}')
                raise
        self.settle()
        note(self.counted)

    def settle(self):
        """A call that a crash cut short is reported once its lease is over."""
        server = self.start()
        try:
            self.told.wait(lambda: self.cut_short <= self.told.ended.keys(),
                           SETTLE_S, 'the end of each call that was cut short')
            server.dump()
        finally:
            server.end()
            self.told.end()
        self.counted['interrupted'] = list(
            self.told.ended.values()).count('interrupted')


@sentence
def nothing_that_was_promised_is_lost_to_kill_9():
    rounds = Rounds()
    rounds.run()

    assert rounds.counted['interrupted'], 'no kill met a call: no test'
    assert rounds.counted['lost'], 'no kill met a request: no test'


if __name__ == '__main__':
    note(f'VOICEOTP_SEED={SEED}, {ROUNDS} rounds')
    sys.exit(tell())
