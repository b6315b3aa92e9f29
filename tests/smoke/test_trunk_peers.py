#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_peers.py - a telephone and a proxy that we did not write.

baresip answers by itself, and what it recorded is searched for the digits'
clips by correlation: its decoder is not ours.  Kamailio asks for credentials.
Strangers speak to the SIP port, and are not answered.
"""
import re
import socket
import sys

from far import (HOST, STRANGER, House, Kamailio, Rtp, Sipp,
                 digits_in, make_room, ports, shows, sip_requests)
from harness import note, sentence, tell

SETTLED_MS = 3000  # behind the last digit: then other words have begun


@sentence
def baresip_records_the_clips_in_order(house):
    with house.baresip('recorder') as phone:
        call = house.call('recorder')
        leg = call.leg()
        phone.event('CALL_CLOSED')
    found = digits_in(phone.recording())
    said = ''.join(f['digit'] for f in found)
    code = said[:len(said) // 3]

    shows(leg, outcome='answered')
    assert len(code) == 6 and code * 3 == said, f'{len(said)} digits'
    assert min(f['alike'] for f in found) > 0.95, found
    note('the clips are like their recording by at least',
         min(f['alike'] for f in found))
    assert call.api.check(call.id, code)['approved']


@sentence
def baresip_passes_the_check_and_types_the_code(house):
    with house.baresip('typist') as phone:
        call = house.call('typist', 'keypad')
        phone.press(phone.hears(3)[:3])
        call.until('call.human')
        # twice; then it is asked for
        said = phone.hears(3 + 12, SETTLED_MS)[3:]
        code = said[:6]
        assert code * 2 == said, f'{len(said)} digits'
        phone.press(code)
        call.until('verification.approved')
        shows(call.leg(), outcome='answered')


@sentence
def baresip_hears_the_extension_before_the_words(house):
    keys = '*1209#'
    with house.baresip('switchboard') as phone:
        call = house.call('switchboard', send_digits=f'w{keys}')
        heard = ''.join(phone.event('CALL_DTMF_START')['param']
                        for _ in keys)
        assert 'call.spoken' not in call.kinds
        call.until('call.spoken')
        shows(call.leg(), outcome='answered')

    assert heard == keys, heard


@sentence
def baresip_declines(house):
    with house.baresip('decliner', account='answermode=manual') as phone:
        call = house.call('decliner')
        call.until('call.ringing')
        phone.event('CALL_INCOMING')
        phone.command('hangup')
        leg = call.leg()

    assert leg['outcome'] in ('busy', 'declined', 'blocked', 'no_answer'), leg
    assert leg['sip_code'] >= 400, leg


@sentence
def baresip_hangs_up(house):
    with house.baresip('leaver') as phone:
        call = house.call('leaver')
        call.until('call.answered')
        phone.event('CALL_ESTABLISHED')
        phone.command('hangup')
        shows(call.leg(), outcome='hung_up_early')


@sentence
def baresip_behind_kamailio(house):
    with house.baresip('behind', port=None) as phone, \
            Kamailio('proxy', house.port('behind'), phone.port,
                     house.PASSWORD):
        call = house.call('behind')
        call.until('call.answered')
        call.until('call.spoken')
        shows(call.leg(), outcome='answered')


def through_kamailio(house, name, algorithm):
    line = house.line(name)
    with Sipp(name, 'plain', line) as sipp, \
            Kamailio(f'proxy.{name}', house.port(name), sipp.port,
                     house.PASSWORD, algorithm):
        call = house.call(name, 'keypad')
        line.types_the_code()
        call.until('verification.approved')
        shows(call.leg(), outcome='answered')
        sipp.is_content()
    assert 'Record-Route' in sipp.messages()
    assert sip_requests(sipp.messages()) == ['INVITE', 'ACK', 'BYE']


@sentence
def a_call_through_an_authenticating_proxy_is_approved(house):
    through_kamailio(house, 'md5', 'MD5')


@sentence
def the_proxy_may_ask_for_sha_256(house):
    through_kamailio(house, 'sha256', 'SHA-256')


@sentence
def a_proxy_that_stands_in_front_of_the_trunk(house):
    """outbound_proxy: the requests' URI is the trunk's."""
    line = house.line('outbound')
    with house.sipp('outbound', 'plain', line) as sipp, \
            Kamailio('proxy.outbound', PROXY, sipp.port,
                     house.PASSWORD):
        call = house.call('outbound')
        call.until('call.spoken')
        shows(call.leg(), outcome='answered')
        sipp.is_content()
    assert f'@{HOST}:{sipp.port}' in sipp.messages()


@sentence
def a_wrong_password_is_told(house):
    with Sipp('wrong', 'plain') as sipp, \
            Kamailio('proxy.wrong', house.port('wrong'), sipp.port,
                     'another password'):
        call = house.call('wrong')
        leg = call.leg()
        assert 'INVITE' not in sip_requests(sipp.messages())

    shows(leg, outcome='network_error', sip_code=407)
    assert call.record()['status'] == 'pending', call.record()


@sentence
def a_trunk_that_is_not_there_is_told(house):
    leg = house.call('nobody').leg()

    assert leg['outcome'] in ('network_error', 'no_answer', 'congestion'), leg
    assert leg['answered_at'] is None, leg


# --- strangers ---------------------------------------------------------------

OPTIONS = '''OPTIONS sip:{host}:{port} SIP/2.0
Via: SIP/2.0/UDP {me};branch=z9hG4bKstranger{n};rport
From: <sip:me@{me}>;tag=stranger
To: <sip:you@{host}>
Call-ID: stranger{n}
CSeq: 1 OPTIONS
Max-Forwards: 70
Content-Length: 0

'''
IN_CALL = '''{method} {uri} SIP/2.0
Via: SIP/2.0/UDP {me};branch=z9hG4bKstranger{n};rport
From: {them}
To: {us}
Call-ID: {call_id}
CSeq: {n} {method}
Contact: <sip:me@{me}>
Max-Forwards: 70
Content-Length: 0

'''


def header(text, name):
    return re.search(rf'^{name}: *(.*?)\r?$', text, re.M)[1]


def strange_requests(invite, me, host, port):
    """What somebody sends who knows all of the call but the trunk's address."""
    tag = ';tag=far1'
    them, us = header(invite, 'To') + tag, header(invite, 'From')
    known = {'uri': header(invite, 'Contact').split('<')[1].split('>')[0],
             'me': me, 'them': them, 'us': us,
             'call_id': header(invite, 'Call-ID')}
    yield OPTIONS.format(host=host, port=port, me=me, n=1)
    yield OPTIONS.replace('OPTIONS', 'INVITE').format(host=host, port=port,
                                                      me=me, n=2)
    for n, method in enumerate(('BYE', 'CANCEL', 'INVITE', 'UPDATE', 'INFO',
                                'REFER', 'BYE'), 100):
        yield IN_CALL.format(method=method, n=n, **known)
    yield (f'SIP/2.0 603 Decline\nVia: {header(invite, "Via")}\nFrom: {us}\n'
           f'To: {them}\nCall-ID: {known["call_id"]}\nCSeq: '
           f'{header(invite, "CSeq")}\nContent-Length: 0\n\n')
    yield 'SIP/2.0'
    yield '\n\n'
    yield '\0' * 400
    yield 'A' * 8000


@sentence
def strangers_are_not_answered_and_change_nothing(house):
    line = house.line('strangers')
    port = house.server('strangers').place.sip_port
    with house.sipp('strangers', 'plain', line) as sipp, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((STRANGER, 0))
        stranger.setblocking(False)
        me = '{}:{}'.format(*stranger.getsockname())
        call = house.call('strangers')
        call.until('call.answered')
        invite = sipp.messages()
        for text in strange_requests(invite[invite.index('INVITE '):], me,
                                     HOST, port):
            stranger.sendto(text.replace('\n', '\r\n').encode(), (HOST, port))
        said = line.hears(18)
        shows(call.leg(), outcome='answered')
        sipp.is_content()
        try:
            assert not stranger.recv(9000), 'a stranger was answered'
        except BlockingIOError:
            pass

    assert said[:6] * 3 == said, f'{len(said)} digits'
    assert call.api.check(call.id, said[:6])['approved']
    assert sip_requests(sipp.messages()) == ['INVITE', 'ACK', 'BYE']


CASES = {
    'recorder': {}, 'typist': {}, 'switchboard': {}, 'decliner': {}, 'leaver': {},
    'behind': {'has_password': True}, 'md5': {'has_password': True},
    'sha256': {'has_password': True}, 'wrong': {'has_password': True},
    'nobody': {}, 'strangers': {},
}

if __name__ == '__main__':
    make_room()
    PROXY = ports(2)
    with Rtp() as RTP:
        HOUSE = House('peers', RTP)
        for CASE, MORE in CASES.items():
            HOUSE.trunk(CASE, **MORE)
        HOUSE.trunk('outbound', has_password=True,
                    outbound_proxy=f'{HOST}:{PROXY}')
        with HOUSE:
            RESULT = tell(HOUSE, together=16)
    sys.exit(RESULT)
