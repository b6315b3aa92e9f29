#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_flow.py - the original example's flow, on a telephone of others.

The flow is imported and published by the API and run through the face that
Plivo's clients speak to, as the clients of three languages do.  baresip takes
the call over a trunk, and what it recorded is asked twice what was said: our
digit clips by correlation, and, where it is installed, a recogniser that has
nothing to do with us (Debian's pocketsphinx, as bench_digits uses it).
"""
import array
import base64
import json
import random
import shutil
import subprocess
import sys
import wave
from pathlib import Path

from far import (CALL_S, FAR, FROM, HOST, Baresip, Program, Trunks, digits_in,
                 make_room, ports, shows, trunk)
from harness import SOURCE, note, sentence, tell

FLOW = SOURCE / 'docs/examples/voice-otp.json'

ALIKE_MIN = 0.95  # of the angle's cosine, squared: another clip has below 0.5
DIGIT_MS = 800    # a clip is no longer
APART_MS = 200    # two clips begin no nearer to each other

# What each client makes of run(from, to, otp): a GET first, where it has one,
# and a POST.  The example's Ruby hands in numbers.
CASES = {
    'ruby': {
        'otp': 482913, 'said': '482913',
        'get': '/v1/phlo/{flow}/', 'get_body': None,
        'run': '/v1/account/{account}/phlo/{flow}/',
        'from': int(FROM[1:]), 'to': lambda number: number,
    },
    'python': {
        'otp': 7, 'said': '7',
        'get': '/v1/phlo/{flow}/', 'get_body': None,
        'run': '/v1/account/{account}/phlo/{flow}/',
        'from': FROM, 'to': lambda number: int(number[1:]),
    },
    'node': {
        'otp': '000042', 'said': '000042',
        'get': '/v1/phlo/{flow}/?phlo_id={flow}', 'get_body': b'""',
        'run': '/v1/account/{account}/phlo/{flow}',
        'from': FROM[1:], 'to': lambda number: number[1:],
    },
}


# --- what was heard ----------------------------------------------------------

def is_told(found, digits):
    """Those clips, one after the other, and no other digit."""
    said = ''.join(f['digit'] for f in found)
    assert said == digits, f'{said or "nothing"} was said, not {digits}'
    assert min(f['alike'] for f in found) > ALIKE_MIN, found
    begun = [f['at_ms'] for f in found]
    apart = [b - a for a, b in zip(begun, begun[1:])]
    assert min(apart, default=APART_MS) >= APART_MS, begun


class Recogniser:
    """Digits, as pocketsphinx hears them, of a grammar of digits alone."""

    PROGRAM = 'pocketsphinx_batch'
    MODEL = Path('/usr/share/pocketsphinx/test/data/tidigits')
    WORDS = {w: str(n % 10) for n, w in enumerate(
        ('zero one two three four five six seven eight nine oh').split())}
    LEAD_MS = 300
    NOISE = 24  # of a line, -66 dBFS: it knows no perfect silence
    SEED = 4711

    @classmethod
    def is_there(cls):
        return shutil.which(cls.PROGRAM) and cls.MODEL.is_dir()

    @classmethod
    def hears(cls, name, wav, first_ms, last_ms):
        """The words before the digits are none of its grammar's: cut off."""
        folder = FAR / name / 'recogniser'
        folder.mkdir()
        with wave.open(str(wav)) as w:
            per_ms = w.getframerate() // 1000
            assert (w.getnchannels(), w.getsampwidth(), per_ms) == (1, 2, 8)
            w.setpos(max(first_ms - cls.LEAD_MS, 0) * per_ms)
            sound = array.array('h', w.readframes(
                (last_ms + DIGIT_MS + 2 * cls.LEAD_MS - first_ms) * per_ms))
        noise = random.Random(cls.SEED)
        (folder / 'said.raw').write_bytes(array.array('h', (
            max(min(s + noise.randint(-cls.NOISE, cls.NOISE), 32767), -32768)
            for s in sound)).tobytes())
        (folder / 'control').write_text('said\n')
        with Program(f'{name}/recogniser', [
                cls.PROGRAM, '-hmm', f'{cls.MODEL}/hmm',
                '-dict', f'{cls.MODEL}/lm/tidigits.dic',
                '-fsg', f'{cls.MODEL}/lm/tidigits.fsg',
                '-samprate', '8000', '-adcin', 'yes', '-seed', '1',
                '-ctl', 'control', '-cepdir', '.', '-cepext', '.raw',
                '-hyp', 'heard', '-logfn', '/dev/null']) as program:
            assert program.ended() == 0, program.tail()
        words = (folder / 'heard').read_text().split('(')[0].split()
        return ''.join(cls.WORDS[w] for w in words)


# --- the house ---------------------------------------------------------------

class Flow:
    """A server with a trunk for each case, and the flow that it runs."""

    def __init__(self):
        self.ports = {name: ports(2) for name in CASES}
        self.numbers = {name: f'+1415200{n:04}'
                        for n, name in enumerate(CASES)}
        self.place = Trunks(
            'flow', [trunk(name, self.ports[name]) for name in CASES],
            {self.numbers[name]: [name] for name in CASES})

    def __enter__(self):
        place = self.place
        place.operate('app', 'add', 'shop')
        keys = [place.operate('key', 'add', '--app', 'shop', '--name', scope,
                              '--scope', scope)['token']
                for scope in ('verify', 'flows')]
        for token in keys:
            place.secret('token', token)
        place.token = keys[0]
        self.account = place.operate('app', 'list')[0]['plivo_account']
        self.server = place.start()
        self.id = self.published(self.server.api(keys[1]))
        return self

    def __exit__(self, *_):
        try:
            self.server.dump()
        finally:
            self.server.end()

    @staticmethod
    def published(api):
        made = api.post('/v1/flows/import', json.loads(FLOW.read_text()))
        assert made.status == 201, made
        flow = made.json['flow']['id']
        out = api.post(f'/v1/flows/{flow}/publish', {'message': 'as it was'})
        assert out.status == 200, out
        return flow

    def ask(self, method, path, body):
        """As the account's client, without the token of our own API."""
        basic = base64.b64encode(
            f'{self.account}:{self.place.token}'.encode()).decode()
        return self.server.api().ask(
            method, path.format(flow=self.id, account=self.account), body,
            {'Authorization': f'Basic {basic}'})

    def run(self, name):
        """The id of a client's run, and of the verification that it is."""
        case = CASES[name]
        got = self.ask('GET', case['get'], case['get_body'])
        assert (got.status, got.json['phlo_id']) == (200, self.id), got
        self.place.secret('number', self.numbers[name])
        self.place.secret('code', case['said'])
        ran = self.ask('POST', case['run'], {
            'from': case['from'], 'to': case['to'](self.numbers[name]),
            'otp': case['otp']})
        assert (ran.status, ran.json['phlo_id']) == (201, self.id), ran
        found = self.server.api().post('/v1/verifications/search', {
            'to': self.numbers[name]})
        assert len(found.json['items']) == 1, found
        return ran.json['phlo_run_id'], found.json['items'][0]['id']

    def call(self, name):
        """One run, to the end of its call: what baresip wrote down."""
        with Baresip(name, self.numbers[name],
                     port=self.ports[name]) as phone:
            api = self.server.api()
            run, id_ = self.run(name)
            caller = phone.event('CALL_ESTABLISHED', CALL_S)['peeruri']
            assert caller == f'sip:{FROM[1:]}@{HOST}', caller
            phone.event('CALL_CLOSED', CALL_S)
            with api.follow(id_) as stream:
                stream.until('call.ended', CALL_S)
            legs = api.read(id_)['calls']
            assert len(legs) == 1, legs
            shows(legs[0], outcome='answered')
        became = self.ask('GET', '/v1/phlo/{flow}/runs/' + run, None)
        assert became.status == 200, became
        shows(became.json, phlo_id=self.id, run_id=run, status='completed',
              outcome='answered')
        return phone.recording()


def is_heard(flow, name):
    digits = CASES[name]['said']
    wav = flow.call(name)
    found = digits_in(wav)

    is_told(found, digits)
    note(name, 'heard', len(found), 'digits, like their clips by at least',
         min(f['alike'] for f in found))
    if Recogniser.is_there():
        heard = Recogniser.hears(name, wav, found[0]['at_ms'],
                                 found[-1]['at_ms'])
        assert heard == digits, f'{heard} was recognised, not {digits}'
        note(name, 'was recognised as', heard)
    return found


def is_refused(found, digits):
    try:
        is_told(found, digits)
    except AssertionError:
        return
    raise AssertionError(f'this recording was taken for {digits}')


@sentence
def a_number_of_six_digits_is_said_digit_by_digit(flow):
    found = is_heard(flow, 'ruby')

    for other in ('482914', '428913', '48291', '4829133', '4482913', ''):
        is_refused(found, other)
    is_refused([], '482913')


@sentence
def a_number_of_one_digit_is_said_as_it_is(flow):
    is_heard(flow, 'python')


@sentence
def zeros_in_front_of_a_text_are_said(flow):
    found = is_heard(flow, 'node')

    is_refused(found, '42')


if __name__ == '__main__':
    make_room()
    with Flow() as FLOW_RUN:
        RESULT = tell(FLOW_RUN, together=len(CASES))
    sys.exit(RESULT)
