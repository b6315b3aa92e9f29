#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_trunk_media.py - what is said and pressed over a trunk's RTP.

sipp does the signalling, a line of `rtpend` is the ear and the hand: it knows
the digits by their frames, byte for byte, and presses what it was asked to.
Bad connections are made by a seed, in both directions.
"""
import re
import socket
import sys

from far import (HOST, STRANGER, House, Rtp, Recorded, make_room, ports,
                 seconds, shows)
from harness import note, sentence, tell
from sound import from_pcma, keys_in

SPOKEN_CODE = 10  # digits: so long that no other text has them by chance


def is_approved(house, name, *options, lossy=False, **more):
    """Flow keypad, by what was heard alone; the line's last figures."""
    line = house.line(name, *options)
    with house.sipp(name, 'plain', line) as sipp:
        call = house.call(name, 'keypad', code_length=SPOKEN_CODE, **more)
        code = line.types_the_code(SPOKEN_CODE if lossy else 0)
        call.api.place.secret('code', code)
        call.until('verification.approved')
        shows(call.leg(), outcome='answered')
        sipp.is_content()
    record = call.record()
    assert record['status'] == 'approved', record
    assert 'call.key_wrong' not in call.kinds, call.kinds
    return line


@sentence
def a_number_is_verified_by_what_was_heard_and_typed(house):
    line = is_approved(house, 'clean')

    stats = line.close()
    assert stats['sources'] == 1, stats
    assert stats['packets'] == stats['span'], stats
    assert not any(stats[k] for k in ('doubles', 'overtaken', 'odd',
                                      'strange')), stats
    # a marker is what comes after a gap: a machine may stop for a moment
    if stats['markers'] == 1:
        assert not stats['bad_times'], stats
        assert all(h['got'] == h['of'] for h in line.heard)
    else:
        note('frames were skipped:', stats)
    assert stats['types'] == [8], stats
    assert stats['byes'] == 1 and stats['sender_reports'] > 1, stats
    assert stats['cnames'] == stats['sender_reports'], stats


@sentence
def what_is_sent_is_the_clips_and_silence(house):
    """The recording on disk says the same as the ear that heard it live."""
    is_approved(house, 'payload').close()

    recorded = house.recorded('payload')
    assert len(recorded.payload) == 160 * len(recorded.packets)
    assert all(p[0] == 0x80 and p[1] & 0x7f == 8 and len(p) == 172
               for _, p in recorded.packets)


@sentence
def a_far_end_that_wants_the_other_codec_gets_it(house):
    line = house.rtp.open('pcmu')
    with house.sipp('pcmu', 'plain_pcmu', line) as sipp:
        call = house.call('pcmu', 'keypad')
        line.types_the_code()
        call.until('verification.approved')
        call.leg()
        sipp.is_content()

    assert line.close()['types'] == [0]


def survives(house, percent):
    bad = f'{percent},{percent},{percent}'
    line = is_approved(house, f'bad{percent}', f'seed={percent}',
                       f'in={bad}', f'out={bad}', 'rtcp=1000', lossy=True)
    stats = line.close()
    assert stats['doubles'] and stats['overtaken'], stats
    assert stats['packets'] - stats['doubles'] < stats['span'], stats
    note(f'{percent} %:', len(line.heard), 'digits heard, by',
         min(100 * h['got'] // h['of'] for h in line.heard),
         '% of their frames or more')


@sentence
def ten_percent_lost_doubled_and_late(house):
    survives(house, 10)


@sentence
def twenty_percent_lost_doubled_and_late(house):
    survives(house, 20)


@sentence
def forty_percent_lost_doubled_and_late(house):
    """Digits are guessed from a third of their frames; each key counts."""
    survives(house, 40)


@sentence
def keys_may_come_as_tones(house):
    is_approved(house, 'tones', 'tones', 'key=120', 'gap=120')


@sentence
def sound_of_the_far_end_may_begin_late(house):
    is_approved(house, 'late', 'late=3000')


@sentence
def keys_pressed_too_fast_are_dropped(house):
    """Thirty a second: more than a hand can; a machine passes no check so."""
    line = house.line('fast', 'key=20', 'gap=20')
    with house.sipp('fast', 'plain', line) as sipp:
        call = house.call('fast', 'keypad')
        line.hear_check()
        line.press('12345678' * 5)
        assert call.leg()['outcome'] in ('machine_suspected',
                                         'hung_up_early')
        sipp.is_content()

    assert 'call.human' not in call.kinds, call.kinds


@sentence
def a_strangers_sound_changes_nothing(house):
    """RTP, keys and RTCP from elsewhere, to the port of a call."""
    line = house.line('strange')
    with house.sipp('strange', 'plain', line) as sipp, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((STRANGER, 0))
        stranger.setblocking(False)
        call = house.call('strange', 'keypad')
        keys = line.hear_check()
        port = line.stats()['far_port']
        wrong = '8' if keys[0] == '1' else '1'
        for seq, packet in enumerate(strange_packets(wrong)):
            stranger.sendto(packet, (HOST, port + (seq % 9 == 8)))
        line.press(keys)
        code = line.hear_code()
        line.press(code)
        call.until('verification.approved')
        call.leg()
        sipp.is_content()
        try:
            what, whence = stranger.recvfrom(2000)
            raise AssertionError(f'the stranger was answered by {whence}, '
                                 f'not {port}: {what[:16].hex()}')
        except BlockingIOError:
            pass

    assert 'call.key_wrong' not in call.kinds, call.kinds
    assert line.close()['sources'] == 1


def strange_packets(key):
    """Keys, sound, an RTCP BYE, nonsense; with and without a plan."""
    for n in range(90):
        head = bytes([0x80, 101 | (0x80 if n % 10 == 0 else 0)]) + \
            n.to_bytes(2, 'big') + (n // 10 * 1600).to_bytes(4, 'big') + \
            b'strg'
        if n % 9 == 8:
            yield b'\x81\xcb\0\x01strg'
        elif n % 7 == 6:
            yield bytes(range(n))
        elif n % 5 == 4:
            yield bytes([0x80, 8]) + head[2:] + b'\x2a' * 160
        else:
            yield head + bytes([int(key), 0x8a, 3, 0x20])


@sentence
def a_source_in_the_media_networks_is_locked(house):
    """Its SDP names a port where nobody is; its sound comes from another."""
    line = house.line('behind_nat')
    nobody = ports(2)
    with house.sipp('behind_nat', 'plain', rtp_port=nobody) as sipp:
        call = house.call('behind_nat', 'keypad')
        call.until('call.answered')
        line.to(HOST, offered(sipp))
        line.types_the_code()
        call.until('verification.approved')
        call.leg()
        sipp.is_content()


@sentence
def a_source_outside_the_media_networks_is_not(house):
    line = house.line('not_natted')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as named:
        named.bind((STRANGER, ports(2)))  # nobody else's RTCP is above it
        with house.sipp('not_natted', 'hangs_up_natted',
                        rtp_port=named.getsockname()[1], rtp_host=STRANGER,
                        options=('-d', '3000')) as sipp:
            call = house.call('not_natted')
            call.until('call.answered')
            line.to(HOST, offered(sipp))
            call.leg()
            sipp.is_content()
        named.setblocking(False)
        assert named.recv(2000), 'nothing went where the SDP said'

    assert not line.close()['packets'], 'somebody else was spoken to'


def offered(sipp):
    """The port in our offer."""
    return int(re.search(r'^m=audio (\d+)', sipp.messages(), re.M)[1])


@sentence
def a_call_whose_sound_stops_is_ended(house):
    line = house.line('dead', 'mute')
    with house.sipp('dead', 'plain', line) as sipp:
        leg = house.call('dead', 'speak').leg()
        sipp.is_content()

    shows(leg, outcome='network_error')
    took = seconds(leg['ended_at']) - seconds(leg['answered_at'])
    assert 18 < took < 30, leg


@sentence
def a_far_end_that_reports_is_not_dead(house):
    """It sends no sound, as when it is muted, but RTCP."""
    line = house.line('muted', 'mute', 'rtcp=2000')
    with house.sipp('muted', 'plain', line) as sipp:
        leg = house.call('muted').leg()
        sipp.is_content()

    shows(leg, outcome='answered')


@sentence
def an_rtcp_bye_ends_the_call(house):
    line = house.line('bye')
    with house.sipp('bye', 'plain', line) as sipp:
        call = house.call('bye')
        call.until('call.answered')
        line.bye()
        leg = call.leg(30)
        sipp.is_content()

    took = seconds(leg['ended_at']) - seconds(leg['answered_at'])
    assert took < 15, leg


@sentence
def silence_comes_at_once_and_the_first_word_after_a_moment(house):
    """C6, B9: the figures of one call beside nine others on a busy machine."""
    line = house.line('first')
    with house.sipp('first', 'hangs_up', line,
                    options=('-d', '4000')) as sipp:
        house.call('first').leg()
        sipp.is_content()
    line.close()

    packets = house.recorded('first').packets
    quiet = bytes([0xd5]) * 160
    spoken = next(ms for ms, p in packets if p[12:] != quiet)
    note('the first word came', spoken - packets[0][0],
         'ms after the first packet')
    assert 500 <= spoken - packets[0][0] <= 1900, spoken


# --- an extension behind a switchboard -----------------------------------------

EXTENSION, ITS_KEYS = 'ww12W*#90', '12*#90'
QUIET = bytes([0xd5]) * 160
EVENT = 101


def extension(house, name):
    """Its call, with the keys sent; all packets of it."""
    line = house.line(name)
    with house.sipp(name, 'plain', line) as sipp:
        call = house.call(name, send_digits=EXTENSION)
        call.until('call.spoken')
        shows(call.leg(), outcome='answered')
        sipp.is_content()
    said = line.hears(18)
    line.close()
    assert said[:6] * 3 == said, f'{len(said)} digits'
    return [p for _, p in house.recorded(name).packets]


def number(octets):
    return int.from_bytes(octets, 'big')


@sentence
def an_extension_is_dialled_by_events_before_the_words(house):
    """RFC 4733: marker, time, durations, three ends of each key."""
    packets = extension(house, 'switchboard')
    keys = {}
    for p in packets:
        if p[1] & 0x7f == EVENT:
            keys.setdefault(number(p[4:8]), []).append(p)
    first_word = next(i for i, p in enumerate(packets)
                      if p[1] & 0x7f == 8 and p[12:] != QUIET)
    last_key = max(i for i, p in enumerate(packets)
                   if p[1] & 0x7f == EVENT)

    assert ''.join('0123456789*#'[k[0][12]] for k in keys.values()) \
        == ITS_KEYS, keys
    for k in keys.values():
        assert [p[1] >> 7 for p in k] == [1] + 6 * [0]
        assert [p[13] >> 7 for p in k] == 4 * [0] + 3 * [1]
        assert [number(p[14:16]) for p in k] == \
            [160, 320, 480, 640, 800, 800, 800]
        assert len({p[12] for p in k}) == 1
    assert last_key < first_word, (last_key, first_word)
    seqs = [number(p[2:4]) for p in packets]
    assert all((b - a) % 65536 == 1 for a, b in zip(seqs, seqs[1:]))


@sentence
def where_events_are_not_taken_it_is_dialled_by_tones(house):
    packets = extension(house, 'switchboard_tones')
    keys = keys_in(from_pcma(b''.join(p[12:] for p in packets[:400])))

    assert {p[1] & 0x7f for p in packets} == {8}
    assert keys == ITS_KEYS, keys


CASES = {
    'switchboard': {}, 'switchboard_tones': {'keys': ['tones']},
    'clean': {}, 'payload': {}, 'pcmu': {}, 'bad10': {}, 'bad20': {},
    'bad40': {}, 'tones': {'keys': ['tones']}, 'late': {}, 'fast': {},
    'strange': {}, 'behind_nat': {'media_networks': ['127.0.0.1/32']},
    'not_natted': {}, 'dead': {}, 'muted': {}, 'bye': {}, 'first': {},
}

if __name__ == '__main__':
    make_room()
    with Rtp() as RTP:
        HOUSE = House('media', RTP)
        for CASE, MORE in CASES.items():
            HOUSE.trunk(CASE, **MORE)
        with HOUSE:
            RESULT = tell(HOUSE, together=len(CASES))
    sys.exit(RESULT)
