#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_phone.py - a code is heard on the phone, and checked.

The page's protocol, spoken by a program: what a person hears is what the
captions of each prompt say, and the sound that is fetched is not silence.
Codes have ten digits, so that they can be searched for (test_secrets.py).
"""
import sys
from concurrent.futures import ThreadPoolExecutor

from harness import PAGE, Api, Place, sentence, tell
from phone import Phone
from sound import loudness

LENGTH = 10


def place(name):
    return Place(name, code={'length': LENGTH})


@sentence
def a_code_that_was_heard_is_approved_once():
    with place('approve').serving() as server, Phone(server) as phone:
        api = server.api()
        id_ = api.created(PAGE)['id']
        code = phone.hear(phone.ring())
        server.place.secret('code', code)
        wrong = code[:-1] + str((int(code[-1]) + 1) % 10)

        assert len(code) == LENGTH
        assert api.check(id_, wrong)['approved'] is False
        assert api.check(id_, code)['approved'] is True
        assert api.check(id_, code)['approved'] is False
        record = api.read(id_)
        assert record['status'] == 'approved', record
        assert record['method'], record


@sentence
def a_hundred_checks_at_once_approve_one():
    with place('hundred').serving() as server, Phone(server) as phone:
        api = server.api()
        id_ = api.created(PAGE, flow='plain')['id']
        code = phone.hear(phone.ring())
        server.place.secret('code', code)
        with ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(lambda _: api.check(id_, code),
                                    range(100)))

        assert sum(a['approved'] for a in answers) == 1


@sentence
def a_code_is_not_approved_before_it_was_spoken():
    with place('early').serving() as server, Phone(server) as phone:
        api = server.api()
        id_ = api.created(PAGE)['id']
        call = phone.ring()
        answer = api.check(id_, '0' * LENGTH)
        phone.decline(call)

        assert answer['approved'] is False, answer
        assert answer['reason'] == 'not_delivered', answer


@sentence
def what_is_fetched_is_sound():
    with place('sound').serving() as server, Phone(server) as phone:
        server.api().created(PAGE)
        call = phone.ring()
        phone.answer(call)
        kind, play = phone.next(call)
        seconds, loud = loudness(phone.sound(call, play))

        assert kind == 'play', kind
        assert abs(seconds * 1000 - play.ms) < 100, (seconds, play.ms)
        assert loud > 200, loud
        assert 'Acme' in play.text, play.text
        phone.hang_up(call)


@sentence
def without_the_three_keys_nothing_is_said():
    with place('silent').serving() as server, Phone(server) as phone:
        api = server.api()
        id_ = api.created(PAGE)['id']
        call, said = phone.ring(), []
        phone.answer(call)
        while True:
            came = phone.next(call)
            assert came, 'silence'
            kind, what = came
            if kind == 'ended':
                break
            if kind == 'play':
                said.append(what)
                phone.listen(call, what)
        with api.follow(id_) as events:
            ended = events.until('call.ended')[-1].json

        assert not any(play.code for play in said), 'a code was said'
        assert ended['call']['outcome'] == 'machine_suspected', ended


@sentence
def a_page_that_opens_late_rings_still():
    with place('late').serving() as server:
        id_ = server.api().created(PAGE)['id']
        with server.api().follow(id_) as events:
            events.until('call.ringing')
        with Phone(server) as phone:
            phone.decline(phone.ring())
            with server.api().follow(id_) as events:
                ended = events.until('call.ended')[-1].json

        assert ended['call']['outcome'] == 'declined', ended


@sentence
def a_token_opens_one_session():
    with place('token').serving() as server:
        token = server.said_line('/phone#').split('#')[1].strip()
        api, origin = Api(server.port), {'Origin': server.url}
        first = api.post('/phone/session', {'token': token}, headers=origin)
        second = api.post('/phone/session', {'token': token}, headers=origin)

        assert first.status == 204, first
        assert second.status == 403, second


@sentence
def another_site_may_not_ring_along():
    with place('origin').serving() as server:
        token = server.said_line('/phone#').split('#')[1].strip()
        api = Api(server.port)
        for headers in ({'Origin': 'http://evil.example'},
                        {'Origin': 'null'},
                        {'Origin': server.url, 'Host': 'evil.example'}):
            answer = api.post('/phone/session', {'token': token},
                              headers=headers)
            assert answer.status == 403, (headers, answer)


@sentence
def without_a_session_nothing_is_heard():
    with place('session').serving() as server, Phone(server) as phone:
        server.api().created(PAGE)
        call = phone.ring()
        phone.answer(call)
        _, play = phone.next(call)
        stranger = Api(server.port)
        for path in ('/phone/events',
                     f'/phone/calls/{call}/sound/{play.id}?page={phone.page}'):
            answer = stranger.get(path)
            assert answer.status == 403, (path, answer)
        phone.hang_up(call)


if __name__ == '__main__':
    sys.exit(tell(together=5))
