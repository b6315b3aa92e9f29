#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_signalling.py - each way in which a trunk's SIP can go.

The far end is sipp, which speaks as one of the scenarios in sipp/ says and
fails where we do not; the other half is what the API says of the call.  Every
case has a trunk of its own, and all run at the same time.
"""
import socket
import sys
import time

from far import HOST, House, Rtp, make_room, seconds, shows
from harness import note, sentence, tell

HANGS_UP = {'outcome': 'hung_up_early'}


def goes(house, scenario, invites=1, options=(), keys=None, **leg):
    """One call of the scenario, to its end; (call, its line, its leg)."""
    line = house.line(scenario)
    with house.sipp(scenario, line=line, calls=invites, options=options,
                    **(keys or {})) as sipp:
        call = house.call(scenario)
        seen = call.leg()
        sipp.is_content()
    shows(seen, status='ended', route=scenario, **leg)
    return call, line, seen


def q850(call):
    """The cause that was told with the end of the call."""
    return call.events[-1].json['call'].get('q850')


def stays_open(call):
    assert call.record()['status'] == 'pending', call.record()


@sentence
def a_call_rings_is_answered_and_hung_up(house):
    line = house.line('plain')
    with house.sipp('plain', line=line) as sipp:
        call = house.call('plain')
        for kind in ('call.dialing', 'call.ringing', 'call.answered'):
            call.until(kind)
        said = line.hears(18)
        code = said[:6]
        assert code * 3 == said, f'{len(said)} digits'
        call.until('call.spoken')
        shows(call.leg(), outcome='answered', route='plain')
        sipp.is_content()

    stays_open(call)
    assert call.api.check(call.id, code)['approved']
    assert not call.api.check(call.id, code)['approved']


@sentence
def sound_before_the_answer_is_no_answer(house):
    call, line, leg = goes(house, 'early_media', outcome='answered')

    first = line.close()['first_us'] / 1e6 - time.monotonic() + time.time()
    answered = seconds(leg['answered_at'])
    dialed = seconds(leg['dialed_at'])
    assert answered - dialed > 0.9, leg
    assert first > answered - 0.2, (first, leg)
    assert call.kinds.index('call.answered') > 0


@sentence
def credentials_are_given_to_a_proxy_that_asks(house):
    goes(house, 'proxy_asks', invites=2, outcome='answered')


@sentence
def credentials_are_given_again_when_the_nonce_is_stale(house):
    goes(house, 'server_asks', invites=3, outcome='answered')


@sentence
def credentials_that_do_not_help_are_not_given_for_ever(house):
    call, _, _ = goes(house, 'always_asks', invites=2,
                      outcome='network_error', sip_code=407)

    assert 'call.answered' not in call.kinds, call.kinds
    stays_open(call)


@sentence
def a_busy_line_is_busy(house):
    call, _, _ = goes(house, 'busy', outcome='busy', sip_code=486)

    assert 'call.answered' not in call.kinds, call.kinds
    stays_open(call)


@sentence
def a_cause_says_that_there_is_no_such_number(house):
    call, _, _ = goes(house, 'unallocated', outcome='unallocated',
                      sip_code=404)

    assert q850(call) == 1, call.events[-1]


@sentence
def a_404_without_a_cause_gets_one_more_route(house):
    with house.sipp('not_found') as first, \
            house.sipp('not_found_2', 'busy') as second:
        call = house.call('not_found')
        first_leg, second_leg = call.legs(2)
        first.is_content()
        second.is_content()

    shows(first_leg, route='not_found', outcome='unallocated',
          sip_code=404)
    shows(second_leg, route='not_found_2', outcome='busy',
          sip_code=486)


@sentence
def a_trunk_that_asks_for_peace_gets_it(house):
    with house.sipp('overloaded') as first, \
            house.sipp('overloaded_2', 'busy', calls=2) as second:
        call = house.call('overloaded')
        first_leg, second_leg = call.legs(2)
        again = house.call('overloaded').leg()
        first.is_content()
        second.is_content()

    shows(first_leg, route='overloaded', outcome='congestion',
          sip_code=503)
    shows(second_leg, route='overloaded_2', outcome='busy')
    shows(again, route='overloaded_2', outcome='busy')


@sentence
def no_circuit_is_a_fault_of_the_route(house):
    with house.sipp('congested') as first, \
            house.sipp('congested_2', 'busy') as second:
        call = house.call('congested')
        first_leg, second_leg = call.legs(2)
        first.is_content()
        second.is_content()

    shows(first_leg, route='congested', outcome='congestion',
          sip_code=500)
    shows(second_leg, route='congested_2', outcome='busy')


@sentence
def a_603_may_be_a_blocking_service(house):
    call, _, _ = goes(house, 'declined', outcome='blocked', sip_code=603)

    assert q850(call) is None, call.events[-1]


@sentence
def a_603_with_its_cause_is_the_person(house):
    call, _, _ = goes(house, 'rejected', outcome='declined', sip_code=603)

    assert q850(call) == 21, call.events[-1]


@sentence
def nobody_answers_and_it_is_cancelled(house):
    call, _, leg = goes(house, 'no_answer', outcome='no_answer')

    assert 'call.ringing' in call.kinds, call.kinds
    assert leg['answered_at'] is None, leg
    stays_open(call)


@sentence
def a_far_end_that_only_tries_is_cancelled(house):
    call, _, _ = goes(house, 'trying_only')

    assert 'call.answered' not in call.kinds, call.kinds


@sentence
def an_answer_that_crosses_the_cancel_is_hung_up(house):
    call, line, _ = goes(house, 'answer_crosses_cancel', outcome='no_answer')

    assert 'call.answered' not in call.kinds, call.kinds
    assert not line.close()['packets'], 'it was spoken to'


@sentence
def the_second_phone_of_a_fork_is_hung_up(house):
    call, line, _ = goes(house, 'forked', outcome='answered')

    assert 'call.spoken' in call.kinds, call.kinds
    assert line.close()['sources'] == 1


@sentence
def a_call_on_hold_is_silent_and_goes_on(house):
    _, line, _ = goes(house, 'hold', **HANGS_UP)

    stats = line.close()
    assert stats['packets'] > 150, stats
    assert house.recorded('hold').longest_gap_ms > 1500


@sentence
def a_call_on_hold_as_it_was_done_long_ago_is_silent(house):
    _, line, _ = goes(house, 'hold_old', **HANGS_UP)

    assert line.close()['packets'] > 100
    assert house.recorded('hold_old').longest_gap_ms > 1500


@sentence
def a_re_invite_without_an_offer_gets_one(house):
    _, line, _ = goes(house, 'offerless', **HANGS_UP)

    assert line.close()['packets'] > 75
    assert house.recorded('offerless').longest_gap_ms < 500


@sentence
def the_codec_can_change_in_a_call(house):
    _, line, _ = goes(house, 'new_codec', **HANGS_UP)

    assert line.close()['types'] == [0, 8]


@sentence
def an_offer_without_a_codec_of_ours_changes_nothing(house):
    _, line, _ = goes(house, 'no_codec', **HANGS_UP)

    assert line.close()['types'] == [8]
    assert house.recorded('no_codec').longest_gap_ms < 500


@sentence
def update_is_answered(house):
    goes(house, 'update', **HANGS_UP)


@sentence
def a_session_is_refreshed(house):
    goes(house, 'refreshes', **HANGS_UP)


@sentence
def each_200_gets_its_ack(house):
    # sipp takes the second ACK for a repeated one, unless told not to
    _, line, _ = goes(house, 'answers_again', options=['-nr'], **HANGS_UP)

    assert line.close()['sources'] == 1


@sentence
def the_far_end_hangs_up_after_the_code(house):
    line = house.line('hangs_up')
    with house.sipp('hangs_up', line=line,
                    options=('-d', '26000')) as sipp:
        call = house.call('hangs_up')
        call.until('call.spoken')
        leg = call.leg()
        sipp.is_content()

    shows(leg, outcome='answered')


@sentence
def the_far_end_hangs_up_before_anything_is_said(house):
    call, _, _ = goes(house, 'hangs_up_at_once', **HANGS_UP)

    assert 'call.spoken' not in call.kinds, call.kinds
    assert not call.api.check(call.id, '000000')['approved']
    stays_open(call)


@sentence
def a_redirection_is_not_followed(house):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind((HOST, 0))
        elsewhere.setblocking(False)
        goes(house, 'redirects', sip_code=302,
             keys={'elsewhere': elsewhere.getsockname()[1]})
        try:
            assert not elsewhere.recv(9000), 'it was followed'
        except BlockingIOError:
            pass


@sentence
def requests_in_a_call_are_answered(house):
    goes(house, 'asks', **HANGS_UP)


@sentence
def a_trunk_may_speak_tcp(house):
    line = house.line('tcp')
    with house.sipp('tcp', 'plain', line, options=['-t', 't1']) as sipp:
        call = house.call('tcp')
        call.until('call.spoken')
        shows(call.leg(), outcome='answered', route='tcp')
        sipp.is_content()


@sentence
def a_far_end_hangs_up_over_tcp(house):
    line = house.line('tcp_2')
    with house.sipp('tcp_2', 'hangs_up', line,
                    options=['-t', 't1', '-d', '2000']) as sipp:
        shows(house.call('tcp_2').leg(), outcome='hung_up_early')
        sipp.is_content()


@sentence
def a_key_may_come_by_info(house):
    call, _, _ = goes(house, 'info_keys', options=('-d', '2000'),
                      outcome='reported')

    assert call.record()['status'] == 'canceled', call.record()


@sentence
def a_forwarded_call_is_told(house):
    call, _, _ = goes(house, 'forwards', **HANGS_UP)

    assert 'call.forwarded' in call.kinds, call.kinds


CASES = {
    'plain': {}, 'early_media': {},
    'proxy_asks': {'has_password': True},
    'server_asks': {'has_password': True},
    'always_asks': {'has_password': True},
    'busy': {}, 'unallocated': {},
    'not_found': {'also': ['not_found_2']}, 'not_found_2': {},
    'overloaded': {'also': ['overloaded_2']}, 'overloaded_2': {},
    'congested': {'also': ['congested_2']}, 'congested_2': {},
    'declined': {}, 'rejected': {}, 'no_answer': {}, 'trying_only': {},
    'answer_crosses_cancel': {}, 'forked': {}, 'hold': {}, 'hold_old': {},
    'offerless': {}, 'new_codec': {}, 'no_codec': {}, 'update': {},
    'refreshes': {}, 'answers_again': {}, 'hangs_up': {},
    'hangs_up_at_once': {}, 'redirects': {}, 'asks': {},
    'info_keys': {'keys': ['events', 'info']}, 'forwards': {},
    'tcp': {'transport': 'tcp'}, 'tcp_2': {'transport': 'tcp'},
}

if __name__ == '__main__':
    make_room()
    with Rtp() as RTP:
        HOUSE = House('signalling', RTP)
        for CASE, MORE in CASES.items():
            HOUSE.trunk(CASE, **MORE)
        with HOUSE:
            note(len(HOUSE.servers), 'servers,', len(CASES), 'trunks')
            RESULT = tell(HOUSE, together=16)
    sys.exit(RESULT)
