#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_given.py - a flow with parameters, published and run by the program.

What is secret among them is heard on the phone, digit by digit as it was
given, also by a call after a kill; and `secrets`, last of all, looks for it in
everything that the servers wrote.
"""
import json
import sys
from pathlib import Path

from harness import PAGE, Place, sentence, tell
from phone import Phone

SECRET = '4951087326'
FLOW = Path(__file__).parents[1] / 'fixtures/flows-given/tell.json'
CALL_S = 60


def publish(api):
    """The flow that tells its `otp` to its `to`; its id."""
    made = api.post('/v1/flows', {'document': json.loads(FLOW.read_text())})
    assert made.status == 201, made
    flow = made.json['flow']['id']
    answer = api.post(f'/v1/flows/{flow}/publish', {'message': 'first'})
    assert answer.status == 200, answer
    return flow


def run(api, flow, otp):
    return api.create(PAGE, flow=flow, purpose='signup',
                      params={'to': PAGE, 'otp': otp, 'from': None})


def hear(phone):
    """The digits that the next call says."""
    call = phone.ring()
    phone.answer(call)
    came = phone.next(call)
    assert came and came[0] == 'play', came
    assert not phone.listen(call, came[1])
    kind, _ = phone.next(call)
    assert kind == 'ended', kind
    return ''.join(digit for _, digit in came[1].digits)


def ended(server, id_):
    """The outcome of its last call, waited for."""
    def look():
        calls = server.api().read(id_)['calls']
        return calls and calls[-1]['outcome']

    return server.poll(look, CALL_S, 'the end of the call')


@sentence
def a_secret_parameter_is_heard_as_it_was_given():
    place = Place('heard')
    place.secret('code', SECRET)
    with place.serving() as server, Phone(server) as phone:
        api = server.api()
        flow = publish(api)
        for otp, heard in ((SECRET, SECRET), (482913, '482913'), (7, '7'),
                           ('000042', '000042')):
            answer = run(api, flow, otp)
            assert answer.status == 201, answer
            assert SECRET.encode() not in answer.body, answer
            assert hear(phone) == heard, heard
            id_ = answer.json['id']
            assert ended(server, id_) == 'answered', api.read(id_)
            canceled = api.post(f'/v1/verifications/{id_}/cancel')
            assert canceled.status == 200, canceled


@sentence
def what_does_not_fit_is_refused_by_name():
    with Place('refused').serving() as server:
        api = server.api()
        flow = publish(api)
        for otp, code in (('x' + SECRET, 'invalid_field'),
                          (SECRET + '1', 'invalid_field'),
                          (None, 'missing_field')):
            answer = run(api, flow, otp)
            assert answer.status == 400, answer
            assert answer.json['code'] == code, answer
            assert answer.json['field'] == 'params.otp', answer
            assert SECRET.encode() not in answer.body, answer
        answer = api.create(PAGE, flow=flow, purpose='signup',
                            params={'to': '+15555550110', 'otp': 1})
        assert answer.json['field'] == 'to', answer


@sentence
def after_a_kill_the_next_call_says_the_same():
    place = Place('killed')
    place.secret('code', SECRET)
    server = place.start()
    try:
        with Phone(server) as phone:
            answer = run(server.api(), publish(server.api()), SECRET)
            assert answer.status == 201, answer
            phone.ring()
            server.kill()
    finally:
        server.end()
    with place.serving() as server, Phone(server) as phone:
        api, id_ = server.api(), answer.json['id']
        assert ended(server, id_) == 'interrupted', api.read(id_)
        again = api.post(f'/v1/verifications/{id_}/call')
        assert again.status == 202, again
        assert hear(phone) == SECRET
        assert ended(server, id_) == 'answered', api.read(id_)


if __name__ == '__main__':
    sys.exit(tell(together=3))
