#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_test.py - `voiceotp trunk test` says what works and what does not."""
import json
import socket
import sys

from harness import Place, sentence, tell
from trunk_peer import FROM, HOST, KEY_AFTER, TO, Peer, rtp

CALL_S = 90


def place_of(name, port, **trunk):
    """A place whose only trunk is there."""
    place = Place(
        name, brand='Acme', countries=['US'],
        sip={'listen': f'{HOST}:0'}, rtp=rtp(),
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
def a_server_starts_without_it_and_says_that_the_trunk_is_down():
    place = place_of('waiting', 5060)
    place.settings(
        brand='Acme', countries=['US'], sip={'listen': f'{HOST}:0'}, rtp=rtp(),
        trunks=[{'name': 'main', 'uri': 'sip:no-such-host.invalid',
                 'from': [FROM]}])
    with place.serving() as server:
        down = server.logged('trunk.down', seconds=60)

        assert (down['trunk'], down['why']) == ('main', 'unknown_host'), down
        assert server.stop() == 0, server.last_words()


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


@sentence
def a_goodbye_that_is_lost_is_said_again_before_it_leaves():
    with Peer(lost=1) as peer:
        ran = tested(place_of('lost', peer.port), 'main', TO)

        assert ran.code == 0 and not ran.err, ran
        assert peer.byes == 2, peer.byes


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
            sip={'listen': f'{HOST}:{port}'}, rtp=rtp(),
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
