#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_given.py - a flow with parameters, published and run by the program.

What is secret among them is heard on the phone, digit by digit as it was
given, also by a call after a kill.  The store is searched for it at every step
of its life; and `secrets`, last of all, looks for it in everything that the
servers wrote.
"""
import json
import sys
from pathlib import Path

from harness import PAGE, Place, note, sentence, tell
from phone import Phone
from search import Secrets, found

SECRET = '4951087326'
KNOWN = '8642097531'  # stands in the flow's name, so that the search finds it
FLOW = Path(__file__).parents[1] / 'fixtures/flows-given/tell.json'
CALL_S = 60


def publish(api, **members):
    """The flow that tells its `otp` to its `to`; its id."""
    made = api.post('/v1/flows', {
        'document': {**json.loads(FLOW.read_text()), **members}})
    assert made.status == 201, made
    flow = made.json['flow']['id']
    answer = api.post(f'/v1/flows/{flow}/publish', {'message': 'first'})
    assert answer.status == 200, answer
    return flow


def run(api, flow, otp):
    return api.create(PAGE, flow=flow, purpose='signup',
                      params={'to': PAGE, 'otp': otp, 'from': None})


def hear(phone, call=None):
    """The digits that a call, or the next one, says."""
    call = call or phone.ring()
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
            place.secret('code', heard)
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


def is_not_stored(place, when):
    """Neither in the database nor in what lies beside it."""
    secret, known = (Secrets([f'code {text}']) for text in (SECRET, KNOWN))
    files = {path: path.read_bytes() for path in place.path.rglob('*.db*')}

    assert any(list(found(known, data)) for data in files.values()), \
        f'{when}: the search finds not even the name of a flow in {list(files)}'
    for path, data in files.items():
        ways = [form for form, _ in found(secret, data)]
        assert not ways, f'{when}: {path.name} has it, {ways}'
    note(when, 'it is not in', sorted(path.name for path in files))


@sentence
def the_store_has_it_at_no_time():
    place = Place('stored')
    place.secret('code', SECRET)
    with place.serving() as server, Phone(server) as phone:
        api = server.api()
        flow = publish(api, name=f'Tell {KNOWN}')
        answer = run(api, flow, SECRET)
        assert answer.status == 201, answer
        id_ = answer.json['id']
        call = phone.ring()
        assert api.read(id_)['status'] == 'pending'
        is_not_stored(place, 'while it rings,')
        assert hear(phone, call) == SECRET
        assert ended(server, id_) == 'answered', api.read(id_)
        is_not_stored(place, 'after the call,')
        canceled = api.post(f'/v1/verifications/{id_}/cancel')
        assert canceled.status == 200, canceled
        assert api.read(id_)['status'] == 'canceled'
        is_not_stored(place, 'when it is over,')
        server.dump()
        assert server.stop() == 0
    is_not_stored(place, 'after the server,')


if __name__ == '__main__':
    sys.exit(tell(together=4))
