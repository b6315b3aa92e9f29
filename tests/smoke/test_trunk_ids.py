#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_ids.py - whose number a call over a trunk shows, and what a
reload does to trunks (E1, C10).
"""
import signal
import sys

from harness import Place, sentence, tell
from trunk_peer import FROM, HOST, TO, Peer, rtp

OTHER, STRANGE = '+15671234568', '+15005550006'


def server_of(name, peer, **trunk):
    place = Place(
        name, brand='Acme', countries=['US'], require_client_ip=False,
        sip={'listen': f'{HOST}:0'}, rtp=rtp(),
        trunks=[{'name': 'main', 'uri': f'sip:{HOST}:{peer.port}',
                 'from': [FROM, OTHER], **trunk}])
    config = ('--config', str(place.config))
    assert place.run('app', 'add', 'shop', *config).code == 0
    key = place.run('key', 'add', '--app', 'shop', '--json', *config)
    place.secret('token', key.json['token'])
    place.secret('number', TO)
    return place, key.json['token']


def shown(server, token, **more):
    answer = server.api(token).post('/v1/verifications', {'to': TO, **more})
    assert answer.status == 201, answer
    return answer.json['from'], bool(answer.json['warnings'])


def called(peer, server):
    """The next INVITE."""
    before = len(peer.invites)
    return lambda: server.poll(lambda: peer.invites[before:], 20,
                               'an INVITE')[0]


@sentence
def the_first_caller_id_is_shown_where_none_is_asked_for():
    with Peer(invite=486) as peer:
        place, token = server_of('usual', peer)
        with place.serving('--config', str(place.config)) as server:
            invite = called(peer, server)

            assert shown(server, token) == (FROM, False)
            assert f'sip:{FROM.lstrip("+")}@' in invite()


@sentence
def another_of_the_trunks_is_shown_where_it_is_asked_for():
    with Peer(invite=486) as peer:
        place, token = server_of('other', peer, number_format='plus',
                                 pai=True)
        with place.serving('--config', str(place.config)) as server:
            invite = called(peer, server)

            assert shown(server, token, **{'from': OTHER}) == (OTHER, False)
            text = invite()
            assert text.startswith(f'INVITE sip:{TO}@'), text
            assert f'From: <sip:{OTHER}@' in text, text
            assert f'P-Asserted-Identity: <sip:{OTHER}@' in text, text


@sentence
def a_strange_one_is_replaced_and_warned_of():
    with Peer(invite=486) as peer:
        place, token = server_of('strange', peer)
        with place.serving('--config', str(place.config)) as server:
            invite = called(peer, server)

            assert shown(server, token, **{'from': STRANGE}) == (FROM, True)
            assert STRANGE.lstrip('+') not in invite()


@sentence
def a_reload_says_that_trunks_stay_as_they_are():
    with Peer(invite=486) as peer:
        place, token = server_of('reload', peer)
        with place.serving('--config', str(place.config)) as server:
            place.raw_settings(place.config.read_text().replace(
                OTHER, STRANGE))
            server.signal(signal.SIGHUP)
            server.logged('settings.reloaded')

            assert server.logged('trunks.unchanged')
            assert shown(server, token, **{'from': OTHER}) == (OTHER, False)


@sentence
def a_trunk_whose_password_is_missing_does_not_start():
    with Peer() as peer:
        place, _ = server_of('passwordless', peer)
        place.raw_settings(place.config.read_text().replace(
            '"name": "main"', '"name": "main", "user": "alice"'))
        ran = place.run('serve', '--config', str(place.config))
        checked = place.run('check-config', str(place.config))

    assert ran.code == 1 and checked.code == 1, ran
    assert 'VOICEOTP_TRUNK_MAIN_PASSWORD' in checked.err, checked


if __name__ == '__main__':
    sys.exit(tell(together=3))
