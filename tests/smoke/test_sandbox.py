#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_sandbox.py - each sandbox number ends in its own way.

`voiceotp call` is run for each of them against one server, all at the same
time and in real time: what a newcomer sees, word for word and exit code for
exit code.
"""
import sys

from harness import SANDBOX, Place, sentence, tell

CALL_S = 150  # a call is capped at 110 s, and rings before


def call(server, number, *options):
    return server.place.run(
        'call', SANDBOX + number, '--wait', *options, timeout=CALL_S,
        env={'VOICEOTP_URL': server.url, 'VOICEOTP_TOKEN': server.token})


def ends(server, number, code, last, *options, before=(), never=()):
    """One call: exit code, last line, lines that come before it in order."""
    server.place.secret('number', SANDBOX + number)
    ran = call(server, number, *options)
    lines = ran.text.splitlines()
    assert ran.code == code, ran
    assert not ran.err, ran
    assert lines[-1] == last, ran
    at = 0
    for line in before:
        assert line in lines[at:], f'{line!r} is not in its place\n{ran}'
        at = lines.index(line, at) + 1
    for line in never:
        assert line not in lines, f'{line!r} was said\n{ran}'


ANSWERED = ('dialing', 'ringing', 'answered')
HUMAN = 'a person pressed the three keys'
SPOKEN = 'the code was spoken, or asked for, to the end'
ENDED = 'call ended: '


@sentence
def one_listens_to_the_end(server):
    ends(server, '0110', 0, ENDED + 'answered',
         before=(*ANSWERED, HUMAN, SPOKEN), never=('approved',))


@sentence
def one_types_the_code_on_the_keypad(server):
    ends(server, '0111', 0, ENDED + 'answered', '--flow', 'keypad',
         before=(*ANSWERED, HUMAN, SPOKEN, 'approved'))


@sentence
def one_types_the_code_that_the_application_shows(server):
    ends(server, '0111', 0, ENDED + 'answered', '--flow', 'reverse',
         before=(*ANSWERED, HUMAN, SPOKEN, 'approved'))


@sentence
def one_is_busy(server):
    ends(server, '0120', 1, ENDED + 'busy', before=('dialing',),
         never=('answered', SPOKEN))


@sentence
def one_does_not_answer(server):
    ends(server, '0121', 1, ENDED + 'no_answer',
         before=('dialing', 'ringing'), never=('answered', SPOKEN))


@sentence
def one_declines(server):
    ends(server, '0122', 1, ENDED + 'declined', before=('dialing',),
         never=('answered', SPOKEN))


@sentence
def one_is_a_mailbox(server):
    ends(server, '0123', 1, ENDED + 'machine_suspected', before=ANSWERED,
         never=(HUMAN, SPOKEN))


@sentence
def one_answers_late(server):
    ends(server, '0124', 0, ENDED + 'answered',
         before=(*ANSWERED, HUMAN, SPOKEN))


@sentence
def one_hangs_up_early(server):
    ends(server, '0125', 1, ENDED + 'hung_up_early', before=ANSWERED,
         never=(HUMAN, SPOKEN))


@sentence
def one_is_forwarded(server):
    ends(server, '0126', 0, ENDED + 'answered',
         before=('dialing', 'forwarded to another number', 'ringing',
                 'answered', HUMAN, SPOKEN))


@sentence
def one_did_not_ask_for_it(server):
    ends(server, '0127', 1, ENDED + 'reported',
         before=(*ANSWERED, 'reported: the person did not ask for it'),
         never=(SPOKEN,))


@sentence
def a_code_is_spoken_without_a_check_where_the_flow_is_plain(server):
    ends(server, '0110', 0, ENDED + 'answered', '--flow', 'plain',
         before=(*ANSWERED, SPOKEN), never=(HUMAN,))


@sentence
def an_extension_is_dialled_in_another_language(server):
    ends(server, '0111', 0, ENDED + 'answered', '--flow', 'keypad',
         '--send-digits', 'w12#', '--locale', 'de',
         before=(*ANSWERED, HUMAN, SPOKEN, 'approved'))
    refused = call(server, '0120', '--send-digits', '12e')
    assert refused.code == 1 and 'send_digits' in refused.err, refused


@sentence
def events_say_the_same_as_json(server):
    ran = call(server, '0120', '--json')
    kinds = [line for line in ran.text.splitlines() if line]

    assert ran.code == 1, ran
    assert any('"busy"' in line for line in kinds), ran


if __name__ == '__main__':
    PLACE = Place('sandbox')
    with PLACE.serving() as SERVER:
        RESULT = tell(SERVER, together=12)
    sys.exit(RESULT)
