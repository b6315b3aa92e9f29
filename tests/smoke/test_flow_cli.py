#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_flow_cli.py - flows from the command line, beside a running server: and
a draft that rings the phone page."""
import json
import re
import signal
import sys
import threading

from harness import SANDBOX, SOURCE, Place, Ran, sentence, tell
from phone import Phone

RUN_S = 120
FLOW = {
    'format': 'voiceflow/1', 'name': 'From a file', 'start': 'Start',
    'nodes': [
        {'id': 'Start', 'type': 'start',
         'config': {'params': [{'name': 'to', 'sample': '+15005550006'},
                               {'name': 'otp', 'secret': True,
                                'sample': '739158'}]},
         'on': {'api_request': 'Call'}},
        {'id': 'Call', 'type': 'call',
         'config': {'to': '{{Start.http.params.to}}'},
         'on': {'answered': 'Say', 'busy': 'Bye'}},
        {'id': 'Say', 'type': 'play',
         'config': {'speech': {
             'kind': 'ssml',
             'ssml': '<speak>Your code is <say-as interpret-as="digits">'
                     '{{Start.http.params.otp}}</say-as></speak>'}},
         'on': {'completed': 'Bye'}},
        {'id': 'Bye', 'type': 'hangup'}]}
BAD = {'format': 'voiceflow/1', 'name': 'Bad', 'start': 'Start',
       'nodes': [{'id': 'Start', 'type': 'start',
                  'on': {'api_request': 'Nowhere'}}]}


def voiceotp(server, *words, token=None, timeout=30):
    """A command that asks the server through its API."""
    env = {'VOICEOTP_URL': server.url}
    if token is not None:
        env['VOICEOTP_TOKEN'] = token
    return server.place.run(*words, env=env, timeout=timeout)


def import_flow(server, document, name):
    file = server.place.path / name
    file.write_text(json.dumps(document))
    ran = voiceotp(server, 'flow', 'import', str(file), '--json')
    assert ran.code == 0 and not ran.err, ran
    return ran.json['flow']['id']


@sentence
def a_flow_is_imported_shown_published_and_listed(server):
    id_ = import_flow(server, FLOW, 'good.json')
    shown = voiceotp(server, 'flow', 'show', id_)
    published = voiceotp(server, 'flow', 'publish', id_, '-m', 'the first')
    listed = voiceotp(server, 'flow', 'list')
    again = voiceotp(server, 'flow', 'show', id_)
    as_json = voiceotp(server, 'flow', 'list', '--json')

    assert shown.code == 0 and 'Draft only' in shown.text, shown
    assert published.code == 0 and 'Published v1' in published.text, published
    assert f'{id_} ' in listed.text and 'speak' in listed.text, listed
    assert 'the first' in again.text, again
    assert id_ in [flow['id'] for flow in as_json.json], as_json


@sentence
def a_document_comes_out_as_it_went_in(server):
    id_ = import_flow(server, FLOW, 'out.json')
    draft = voiceotp(server, 'flow', 'show', id_, '--document')
    missing = voiceotp(server, 'flow', 'show', id_, '--version', '1')

    assert draft.code == 0 and draft.json == FLOW, draft
    assert missing.code == 1 and 'no such version' in missing.err, missing


@sentence
def a_vendor_s_drawing_is_imported_with_a_report(server):
    file = SOURCE / 'tests/fixtures/phlo/voice-otp.json'
    ran = voiceotp(server, 'flow', 'import', str(file))

    assert ran.code == 0 and not ran.err, ran
    assert 'mapped: ' in ran.text and 'Draft only' in ran.text, ran


@sentence
def a_flow_with_errors_is_not_published_and_told_why(server):
    id_ = import_flow(server, BAD, 'bad.json')
    ran = voiceotp(server, 'flow', 'publish', id_)

    assert ran.code == 1 and not ran.out, ran
    assert ran.err.startswith('voiceotp: refused (422 flow_invalid)'), ran
    assert 'error: dangling_edge: Start: ' in ran.err, ran


@sentence
def a_flow_is_tried_step_by_step(server):
    id_ = import_flow(server, FLOW, 'tried.json')
    plain = voiceotp(server, 'flow', 'test', id_)
    busy = voiceotp(server, 'flow', 'test', id_, '--outcome', 'busy',
                    '--json')
    typed = voiceotp(server, 'flow', 'test', 'keypad', '--keys', '000000,1#')

    assert plain.code == 0 and not plain.err, plain
    assert re.search(r's  Say +completed -> Bye\n', plain.text), plain
    assert 'call: answered; end: hangup at Bye' in plain.text, plain
    assert '739158' not in plain.text, plain
    assert busy.code == 0, busy
    assert busy.json['run']['outcome'] == 'busy', busy
    assert 'mismatch' in typed.text, typed


@sentence
def a_flow_that_is_cut_is_a_failure(server):
    cut = dict(FLOW, limits={'max_call_seconds': 10}, nodes=[
        *FLOW['nodes'][:2],
        {'id': 'Say', 'type': 'input',
         'config': {'max_digits': 1, 'first_digit_timeout_ms': 60000},
         'on': {'input': 'Bye', 'no_input': 'Bye'}}, FLOW['nodes'][3]])
    id_ = import_flow(server, cut, 'cut.json')
    ran = voiceotp(server, 'flow', 'test', id_)

    assert ran.code == 1 and 'end: time_limit at Say' in ran.text, ran


@sentence
def usage_is_2_and_failure_is_1(server):
    id_ = 'flw_000000000000000000000000'
    for words in (('show',), ('show', 'a/b'), ('publish',), ('import',),
                  ('test',), ('test', id_, '--params', '[]'),
                  ('show', id_, '--version', 'x'), ('list', 'more')):
        ran = voiceotp(server, 'flow', *words)
        assert ran.code == 2 and not ran.out, ran
        assert ran.err.startswith('voiceotp: flow '), ran
    for words in (('show', id_), ('publish', id_), ('test', id_),
                  ('import', '/nonexistent.json')):
        ran = voiceotp(server, 'flow', *words)
        assert ran.code == 1 and not ran.out, ran
        assert len(ran.err.splitlines()) == 1, ran
    ran = voiceotp(server, 'flow', 'list', token='vo_nobody_knows_it')
    assert ran.code == 1 and '401 unauthorized' in ran.err, ran


class Trying:
    """`flow test` in the background."""

    def __init__(self, server, *words):
        self.ran = None
        self.thread = threading.Thread(target=self._run, args=(server, words))
        self.thread.start()

    def _run(self, server, words):
        self.ran = voiceotp(server, 'flow', 'test', *words, timeout=RUN_S)

    def end(self):
        self.thread.join(RUN_S)
        assert isinstance(self.ran, Ran), 'it did not end'
        return self.ran


@sentence
def a_person_hears_a_draft_at_the_page(server):
    id_ = import_flow(server, FLOW, 'heard.json')
    server.place.secret('code', '604211')
    before = len(server.api().get('/v1/verifications').json['items'])
    with Phone(server) as phone:
        trying = Trying(server, id_, '--page', '--params',
                        json.dumps({'to': '+14155550100', 'otp': '604211'}))
        call = phone.ring()
        code = phone.hear(call)
        ran = trying.end()

    assert code == '604211', code
    assert ran.code == 0 and not ran.err, ran
    assert re.search(r's  Call +answered -> Say\n', ran.text), ran
    assert 'call: answered; end: hangup at Bye' in ran.text, ran
    for secret in ('604211', '4155550100'):
        assert secret not in ran.text, 'it was shown'
    items = server.api().get('/v1/verifications').json['items']
    assert len(items) == before, items


@sentence
def an_owner_ends_a_test_that_rings(server):
    id_ = import_flow(server, FLOW, 'ended.json')
    api = server.api()
    started = api.post(f'/v1/flows/{id_}/test', {'phone': 'page'})
    assert started.status == 202, started
    run = f'/v1/flows/{id_}/runs/{started.json["id"]}'
    with Phone(server) as phone:
        phone.ring()
        reading = api.get(run)
        ended = api.ask('DELETE', run)
    gone = api.get(run)

    assert reading.json['state'] == 'running', reading
    assert reading.json['run']['end'] is None, reading
    assert ended.status == 200 and ended.json['state'] == 'failed', ended
    assert gone.status == 404, gone


@sentence
def a_server_that_stops_says_goodbye_to_who_hears_a_draft(*_):
    place = Place('stops')
    with place.serving() as server:
        id_ = import_flow(server, FLOW, 'stops.json')
        trying = None
        with Phone(server) as phone:
            trying = Trying(server, id_, '--page')
            call = phone.ring()
            phone.answer(call)
            kind, first = phone.next(call)
            assert kind == 'play', kind
            server.signal(signal.SIGTERM)
            kind, last = phone.next(call)
            while kind == 'stop':
                kind, last = phone.next(call)
            assert kind == 'play' and last.text != first.text, (kind, last)
            phone.listen(call, last)
            assert server.ended(30) == 0, server.last_words()
        ran = trying.end()

    # it hears of the end, unless its stream ended before
    assert ran.code == 1, ran


@sentence
def the_steps_of_a_call_are_told_while_it_runs(server):
    api = server.api()
    stream = api.events('/v1/events?steps=true')
    made = api.created(SANDBOX + '0120')
    with stream as events:
        step = events.until('run.step')[-1]

    assert step.id is None or step.id == '', step
    assert step.json['id'] == made['id'], step
    assert step.json['step']['node'], step


if __name__ == '__main__':
    PLACE = Place('server')
    with PLACE.serving() as SERVER:
        RESULT = tell(SERVER)
    sys.exit(RESULT)
