#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_stop.py - how a server ends, and what it takes up while it runs."""
import http.client
import resource
import signal
import sys

from harness import (PAGE, SANDBOX, START_S, STOP_S, Background, Deadline,
                     Place, sentence, tell)

INTERRUPTED_S = 30  # a call of a process that is gone is told of within this


@sentence
def a_running_call_is_finished_before_the_end(*_):
    place = Place('finish')
    with place.serving() as server:
        api = server.api()
        id_ = api.created(SANDBOX + '0110')['id']
        with api.follow(id_) as events:
            events.until('call.answered')
            server.signal(signal.SIGTERM)
            kinds = [e.kind for e in events.until('call.ended', STOP_S)]
        code = server.ended(STOP_S)

        assert code == 0, server.last_words()
        assert server.logged('server.stopped')
        assert 'call.human' in kinds, kinds
    with place.serving() as server:
        calls = server.api().read(id_)['calls']
        assert [c['outcome'] for c in calls] == ['answered'], calls


@sentence
def a_call_that_rings_is_over_before_the_end(*_):
    place = Place('ringing', call={'ring_s': 5})
    with place.serving() as server:
        api = server.api()
        id_ = api.created(PAGE)['id']
        with api.follow(id_) as events:
            events.until('call.ringing')

        assert server.stop() == 0, server.last_words()
    with place.serving() as server:
        call = server.api().read(id_)['calls'][0]
        assert call['outcome'] == 'no_answer', call


@sentence
def what_comes_after_the_signal_is_refused_or_kept(*_):
    place = Place('refuse')
    with place.serving() as server:
        api = server.api()
        id_ = api.created(SANDBOX + '0110')['id']
        with api.follow(id_) as events:
            events.until('call.answered')
        server.signal(signal.SIGTERM)
        server.logged('server.stopping')
        try:
            answer = api.create(SANDBOX + '0120')
        except (OSError, http.client.HTTPException):
            return  # nobody listens: as good
        if answer.status != 201:
            assert answer.status == 503, answer
            return
    with place.serving() as server:  # then it is called by the next one
        with server.api().follow(answer.json['id']) as events:
            ended = events.until('call.ended', INTERRUPTED_S)[-1].json
        assert ended['call']['outcome'] == 'busy', ended


@sentence
def a_second_signal_does_not_wait(*_):
    place = Place('twice')
    with place.serving() as server:
        api = server.api()
        id_ = api.created(SANDBOX + '0110')['id']
        with api.follow(id_) as events:
            events.until('call.answered')
        server.signal(signal.SIGTERM)
        server.logged('server.stopping')
        server.signal(signal.SIGTERM)

        assert server.ended(10) == 0, server.last_words()
    with place.serving() as server:
        with server.api().follow(id_) as events:
            ended = events.until('call.ended', INTERRUPTED_S)[-1].json
        assert ended['call']['outcome'] == 'interrupted', ended


@sentence
def an_idle_server_stops_at_once_by_either_signal(*_):
    place = Place('idle')
    for number in (signal.SIGTERM, signal.SIGINT):
        with place.serving() as server:
            server.signal(number)
            assert server.ended(5) == 0, server.last_words()


@sentence
def an_open_event_stream_does_not_hold_the_end_up(*_):
    place = Place('stream')
    with place.serving() as server:
        with server.api().events('/v1/events') as events:
            rest = Background(lambda: [events.next(30)])
            assert server.stop(20) == 0, server.last_words()
            try:
                rest.result()
            except (EOFError, http.client.HTTPException, OSError):
                pass  # it was ended, as it should


@sentence
def new_settings_are_taken_up_and_bad_ones_are_not(*_):
    place = Place('reload')
    with place.serving() as server:
        api = server.api()
        assert api.create(SANDBOX + '0120').status == 201

        place.settings(kill_switch=True)
        server.signal(signal.SIGHUP)
        server.logged('settings.reloaded')
        refused = api.create(SANDBOX + '0120')
        assert refused.status in (403, 429, 503), refused

        seen = len(server.log)
        place.raw_settings('brand: Acme\nkill_switch: perhaps\n')
        server.signal(signal.SIGHUP)
        record = server.logged('settings.refused', since=seen)
        assert 'kill_switch' in str(server.log[seen:]) or \
            'why' not in record, record
        refused = api.create(SANDBOX + '0120')
        assert refused.status in (403, 429, 503), 'the old ones hold'

        seen = len(server.log)
        place.settings(brand='Other')
        server.signal(signal.SIGHUP)
        server.logged('settings.reloaded', since=seen)
        assert api.create(SANDBOX + '0120').status == 201


@sentence
def no_core_file_is_ever_written(*_):
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    with Place('core').serving() as server:
        with open(f'/proc/{server.pid}/limits', encoding='ascii') as limits:
            line = next(x for x in limits if x.startswith('Max core file'))

        assert line.split()[4:6] == ['0', '0'], (line, hard)


@sentence
def a_start_is_ready_when_it_says_so(*_):
    with Place('ready').serving() as server:
        deadline = Deadline(START_S, 'all three answer')
        api = server.api(timeout=deadline.left())
        for path in ('/healthz', '/readyz', '/metrics'):
            assert api.get(path).status == 200, path


if __name__ == '__main__':
    sys.exit(tell(together=6))
