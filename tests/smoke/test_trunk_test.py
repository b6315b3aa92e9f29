#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_test.py - `voiceotp trunk test` says what works and what does not.

The trunk is a small one of this file: it answers OPTIONS and INVITE as it is
told to, sends a packet of sound for each that it gets, and presses a key by
telephone-event once it has heard enough.
"""
import json
import re
import socket
import struct
import sys
import threading

from harness import Place, sentence, tell

HOST = '127.0.0.1'
TO = '+14155550100'
FROM = '+15671234567'
CALL_S = 90
KEY_AFTER = 60  # packets: 1.2 s of sound
EVENT_PT, EVENT_MS = 101, 100

RTP_HEAD = '!BBHII'


class Peer:
    """A trunk.  `options` and `invite` are what it answers; 0 is nothing."""

    def __init__(self, options=200, invite=200, key='5'):
        self.options, self.invite, self.key = options, invite, key
        self.sip, self.rtp = self._socket(), self._socket()
        self.over = threading.Event()
        self.heard, self.invites, self.byes = 0, [], 0
        self.threads = [threading.Thread(target=t, daemon=True)
                        for t in (self._signal, self._sound)]
        for t in self.threads:
            t.start()

    @staticmethod
    def _socket():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((HOST, 0))
        s.settimeout(0.2)
        return s

    @property
    def port(self):
        return self.sip.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()
        self.sip.close()
        self.rtp.close()

    def _each(self, s):
        while not self.over.is_set():
            try:
                yield s.recvfrom(4096)
            except socket.timeout:
                continue

    # signalling

    def _signal(self):
        for data, source in self._each(self.sip):
            text = data.decode()
            method = text.split(' ', 1)[0]
            if method == 'OPTIONS' and self.options:
                self._answer(text, source, self.options)
            elif method == 'INVITE':
                self.invites.append(text)
                if self.invite:
                    self._ring(text, source)
            elif method == 'BYE':
                self.byes += 1
                self._answer(text, source, 200)

    def _ring(self, text, source):
        if self.invite == 200:
            self._answer(text, source, 180)
            self._answer(text, source, 200, '\r\n'.join((
                'v=0', f'o=- 1 1 IN IP4 {HOST}', 's=-',
                f'c=IN IP4 {HOST}', 't=0 0',
                f'm=audio {self.rtp.getsockname()[1]} RTP/AVP 8 {EVENT_PT}',
                'a=rtpmap:8 PCMA/8000',
                f'a=rtpmap:{EVENT_PT} telephone-event/8000', '')))
        else:
            self._answer(text, source, self.invite)

    def _answer(self, text, source, code, sdp=''):
        kept = re.findall(r'^(?:Via|From|Call-ID|CSeq): .*$', text, re.M)
        to = re.search(r'^To: [^\r]*', text, re.M).group()
        lines = [f'SIP/2.0 {code} Said', *(k.rstrip('\r') for k in kept),
                 to if ';tag=' in to else to + ';tag=peer',
                 f'Contact: <sip:{HOST}:{self.port}>']
        if code == 401:
            lines.append('WWW-Authenticate: Digest realm="r", nonce="n1"')
        if sdp:
            lines.append('Content-Type: application/sdp')
        lines += [f'Content-Length: {len(sdp)}', '', sdp]
        self.sip.sendto('\r\n'.join(lines).encode(), source)

    # sound: a packet for each, so that its clock is theirs

    def _sound(self):
        for data, source in self._each(self.rtp):
            if len(data) < 12 or data[1] & 0x7f != 8:
                continue
            self.heard += 1
            n = self.heard
            self._send(source, 8, n, n * 160, b'\xd5' * 160)
            if n == KEY_AFTER and self.key:
                self._press(source, n)

    def _press(self, source, n):
        event = '0123456789*#'.index(self.key)
        for end in (0, 1, 1, 1):
            n += 1
            self._send(source, EVENT_PT, n, n * 160,
                       struct.pack('!BBH', event, end << 7 | 10,
                                   EVENT_MS * 8))
        self.heard = n

    def _send(self, source, pt, seq, ts, payload):
        self.rtp.sendto(struct.pack(RTP_HEAD, 0x80, pt, seq & 0xffff, ts,
                                    0x01020304) + payload, source)


def place_of(name, port, **trunk):
    """A place whose only trunk is there."""
    place = Place(
        name, brand='Acme', countries=['US'],
        sip={'listen': f'{HOST}:0'}, rtp={'ports': '31000-31063'},
        trunks=[{'name': 'main', 'uri': f'sip:{HOST}:{port}', 'from': [FROM],
                 **trunk}])
    place.secret('number', TO)
    return place


def tested(place, *words):
    return place.run('trunk', 'test', *words, '--config', str(place.config),
                     timeout=CALL_S)


def says(ran, *parts):
    at = 0
    for part in parts:
        found = ran.text.find(part, at)
        assert found >= 0, f'{part!r} is not in its place\n{ran}'
        at = found + len(part)


@sentence
def a_trunk_that_is_there_is_said_to_be():
    with Peer() as peer:
        ran = tested(place_of('there', peer.port), 'main')

    assert ran.code == 0 and not ran.err, ran
    says(ran, 'OPTIONS answered 200 Said in ', 'all that was tried works')


@sentence
def one_that_says_nothing_gets_a_list_of_what_to_look_at():
    with Peer(options=0) as peer:
        ran = tested(place_of('silent', peer.port), 'main')

    assert ran.code == 1 and not ran.err, ran
    says(ran, '!! no answer to OPTIONS', 'firewall', 'not everything works')


@sentence
def a_name_that_is_none_is_said_before_anything_is_sent():
    place = place_of('nameless', 5060)
    place.settings(brand='Acme', trunks=[
        {'name': 'main', 'uri': 'sip:no-such-host.invalid'}])
    ran = tested(place, 'main')

    assert ran.code == 1, ran
    says(ran, 'no-such-host.invalid does not resolve')


@sentence
def a_call_rings_is_answered_and_heard_and_its_key_comes_back():
    with Peer() as peer:
        ran = tested(place_of('call', peer.port), 'main', TO)

        assert ran.code == 0 and not ran.err, ran
        says(ran, 'OPTIONS answered', f'calling {TO}, showing {FROM}',
             'ringing after', 'answered after', 'heard the key 5',
             'we hung up', 'heard ', ' packets', 'sent ',
             'all that was tried works')
        assert peer.byes >= 1 and peer.heard > KEY_AFTER


@sentence
def a_call_without_a_key_does_not_work_altogether():
    with Peer(key='') as peer:
        ran = tested(place_of('keyless', peer.port), 'main', TO)

    assert ran.code == 1, ran
    says(ran, 'answered after', 'the sentence was spoken',
         '!! no key was heard', 'trunks.keys', 'we hung up')


@sentence
def one_that_answers_calls_alone_works_with_a_word_about_pings():
    with Peer(options=0) as peer:
        ran = tested(place_of('mute', peer.port), 'main', TO)

    assert ran.code == 0, ran
    says(ran, 'no answer to OPTIONS', 'answered after', 'trunks.ping_s',
         'heard the key 5')


def refused(code, *words):
    with Peer(invite=code) as peer:
        ran = tested(place_of(f'refused-{code}', peer.port), 'main', TO)

    assert ran.code == 1 and not ran.err, ran
    says(ran, 'OPTIONS answered', f'!! {code} ', *words)


@sentence
def credentials_that_are_wanted_are_named():
    refused(401, 'trunks.user')


@sentence
def a_forbidden_call_is_explained():
    refused(403, 'caller id')


@sentence
def an_unknown_number_is_explained():
    refused(404, 'trunks.number_format')


@sentence
def sound_that_is_not_wanted_is_explained():
    refused(488, 'trunks.codec')


@sentence
def an_overloaded_trunk_is_explained():
    refused(503, 'trunks.calls_per_second')


@sentence
def steps_are_objects_where_a_program_reads():
    with Peer() as peer:
        ran = tested(place_of('json', peer.port), 'main', TO, '--json')
    steps = [json.loads(line) for line in ran.text.splitlines()]

    assert ran.code == 0, ran
    assert [s['step'] for s in steps if s['step'] in (
        'options', 'ringing', 'answered', 'key', 'result')] == [
            'options', 'ringing', 'answered', 'key', 'result'], ran
    assert all(s['ok'] for s in steps), ran


@sentence
def its_signalling_is_shown_without_the_password_and_the_number():
    with Peer(invite=401) as peer:
        place = place_of('trace', peer.port, user='alice')
        ran = place.run('trunk', 'test', 'main', TO, '--trace', '--config',
                        str(place.config), timeout=CALL_S,
                        env={'VOICEOTP_TRUNK_MAIN_PASSWORD': 'pass-1-word'})

        assert ran.code == 1, ran
        says(ran, 'INVITE sip:', 'SIP/2.0 401')
        shown = ran.text[ran.text.index('INVITE sip:'):]
        assert TO.lstrip('+') not in shown and 'pass-1-word' not in ran.text
        assert any('Authorization: Digest' in i for i in peer.invites)


@sentence
def it_runs_beside_the_server_whose_ports_are_taken():
    with Peer() as peer, socket.socket(socket.AF_INET,
                                       socket.SOCK_DGRAM) as free:
        place = place_of('beside', peer.port)
        free.bind((HOST, 0))
        port = free.getsockname()[1]
        free.close()
        place.settings(
            brand='Acme', countries=['US'],
            sip={'listen': f'{HOST}:{port}'}, rtp={'ports': '31100-31163'},
            trunks=[{'name': 'main', 'uri': f'sip:{HOST}:{peer.port}',
                     'from': [FROM]}])
        with place.serving('--config', str(place.config)):
            ran = tested(place, 'main', TO)

    assert ran.code == 0 and not ran.err, ran
    says(ran, 'rtp.ports are in use', f'{HOST}:{port} is in use',
         'OPTIONS answered', 'heard the key 5')


@sentence
def a_trunk_that_is_not_in_the_settings_is_named():
    ran = tested(place_of('unknown', 5060), 'other')

    assert ran.code == 1 and 'main' in ran.err, ran


@sentence
def wrong_usage_is_said():
    place = place_of('usage', 5060)

    assert tested(place).code == 2
    assert tested(place, 'main', '0100').code == 2
    assert tested(place, 'main', TO, 'more').code == 2


if __name__ == '__main__':
    sys.exit(tell(together=4))
