#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_cli.py - the operator's commands, beside a running server."""
import os
import re
import stat
import sys

from harness import SANDBOX, SOURCE, Api, Place, sentence, tell
from sound import loudness

NOTICED_S = 3  # a server sees a new or a revoked key within this

COMMANDS = ('serve', 'check-config', 'app add', 'app list', 'key add',
            'key list', 'key revoke', 'secret rotate', 'number unlock',
            'number reveal', 'number erase', 'call', 'say', 'flow check',
            'flow list', 'flow show', 'flow import', 'flow publish',
            'flow test', 'voice check', 'version')


# --- help --------------------------------------------------------------------

@sentence
def every_command_explains_itself(server):
    overview = server.place.run('--help')

    assert overview.code == 0 and not overview.err, overview
    for command in COMMANDS:
        ran = server.place.run(*command.split(), '--help')
        assert ran.code == 0 and not ran.err, ran
        assert f'voiceotp {command}' in ran.text, ran
        assert command in overview.text, overview
        assert max(map(len, ran.text.splitlines())) <= 80, ran


@sentence
def nothing_at_all_shows_the_help_and_is_a_usage_error(server):
    ran = server.place.run()

    assert ran.code == 2 and 'check-config' in ran.text + ran.err, ran


@sentence
def the_version_is_the_build_s(server):
    plain = server.place.run('version')
    as_json = server.place.run('version', '--json')

    assert plain.code == as_json.code == 0, (plain, as_json)
    assert re.fullmatch(r'voiceotp \d+\.\d+\.\d+\n', plain.text), plain
    assert plain.text.split()[1] == as_json.json['version'], as_json


# --- settings ----------------------------------------------------------------

@sentence
def the_printed_defaults_are_accepted(*_):
    place = Place('defaults')
    printed = place.run('check-config', '--defaults')
    place.raw_settings(printed.text.replace('\nbrand: ""', '\nbrand: "Acme"'))
    ran = place.run('check-config', 'voiceotp.yaml')

    assert printed.code == 0 and not printed.err, printed
    assert ran.code == 0 and 'fine' in ran.text, ran


@sentence
def who_owns_the_example_s_endpoints_is_known_or_warned_of(*_):
    example = {'prefix': '/otp', 'from': ['127.0.0.1']}
    place = Place('unowned', example={**example, 'application': 'nobody'})
    with place.serving() as server:
        warned = server.logged('example.no_application')
    assert (warned['level'], warned['application']) == ('warn', 'nobody'), \
        warned

    place.settings(example={**example, 'application': 'dev'})
    with place.serving() as server:
        assert not [r for r in server.log if
                    r.get('event') == 'example.no_application'], server.log


@sentence
def recordings_are_checked_before_anybody_hears_them(server):
    example = f'{SOURCE}/packaging/recordings/en.yaml'
    fine = server.place.run('voice', 'check', example)
    missing = server.place.run('voice', 'check', '/nonexistent/voices')

    assert fine.code == 0 and 'fit to speak' in fine.text, fine
    assert 'there is no recording of "Goodbye."' in fine.text, fine
    assert missing.code == 1 and 'there is no' in missing.err, missing


@sentence
def what_an_operator_should_know_of_scripts_is_said(*_):
    place = Place('scripts')
    place.raw_settings('brand: Acme\nlanguages: [en, da]\n')
    ran = place.run('check-config', 'voiceotp.yaml')

    assert ran.code == 0, ran
    assert 'en: no native speaker has reviewed the script' in ran.text, ran
    assert 'da: no scripts; calls speak English' in ran.text, ran


@sentence
def the_printed_defaults_explain_every_setting(server):
    lines = server.place.run('check-config', '--defaults').text.splitlines()
    names = [i for i, line in enumerate(lines)
             if re.match(r' *[a-z0-9_]+:', line)]

    assert len(names) > 40, lines
    for i in names:
        assert lines[i - 1].lstrip().startswith('# '), lines[i - 1:i + 1]


# --- applications and keys ---------------------------------------------------

def works(server, token):
    return Api(server.port, token).get('/v1/verifications').status == 200


def new_key(server, app, *options):
    key = server.place.operate('key', 'add', '--app', app, *options)
    server.place.secret('token', key['token'])
    return key


@sentence
def a_key_that_was_added_is_honoured_and_a_revoked_one_refused(server):
    place = server.place
    place.operate('app', 'add', 'shop')
    key = new_key(server, 'shop', '--name', 'web')

    server.poll(lambda: works(server, key['token']), NOTICED_S,
                'the new key is honoured')
    place.operate('key', 'revoke', key['id'])
    server.poll(lambda: not works(server, key['token']), NOTICED_S,
                'the revoked key is refused')


@sentence
def what_was_added_is_listed_without_its_token(server):
    place = server.place
    place.operate('app', 'add', 'listed')
    key = new_key(server, 'listed', '--name', 'web', '--scope', 'check')
    apps = place.operate('app', 'list')
    keys = place.operate('key', 'list', '--app', 'listed')
    shown = place.run('key', 'list', '--config', str(place.config), '--dev')

    assert 'listed' in [a['application'] for a in apps], apps
    assert [k['id'] for k in keys] == [key['id']], keys
    for text in (str(apps), str(keys), shown.text):
        assert key['token'] not in text, 'a token was shown again'
        assert key['token'].split('_', 2)[-1] not in text, 'half a token was'


@sentence
def a_new_key_says_which_accounts_it_is_of(server):
    place = server.place
    place.operate('app', 'add', 'named')
    key = new_key(server, 'named')
    app = next(a for a in place.operate('app', 'list')
               if a['application'] == 'named')

    assert re.fullmatch('MA[A-Z0-9]{18}', key['plivo_account']), key
    assert re.fullmatch('AC[0-9a-f]{32}', key['twilio_account']), key
    for name in ('plivo_account', 'twilio_account'):
        assert key[name] == app[name], (key['id'], app)


@sentence
def two_live_keys_share_a_name_and_a_third_does_not(server):
    place = server.place
    place.operate('app', 'add', 'rotating')
    for _ in range(2):
        new_key(server, 'rotating', '--name', 'web')
    third = place.run('key', 'add', '--app', 'rotating', '--name', 'web',
                      '--config', str(place.config), '--dev')

    assert third.code == 1 and third.err and not third.out, third


@sentence
def an_application_is_added_once(server):
    place = server.place
    place.operate('app', 'add', 'once')
    again = place.run('app', 'add', 'once', '--config', str(place.config),
                      '--dev')

    assert again.code == 1 and again.err.startswith('voiceotp: '), again


@sentence
def a_key_sees_what_is_its_application_s(server):
    place = server.place
    place.operate('app', 'add', 'theirs')
    key = new_key(server, 'theirs')
    server.poll(lambda: works(server, key['token']), NOTICED_S,
                'the new key is honoured')
    ours = server.api().created(SANDBOX + '0120')
    theirs = Api(server.port, key['token'])

    assert theirs.get(f'/v1/verifications/{ours["id"]}').status == 404
    assert ours['id'] not in theirs.get('/v1/verifications').body.decode()


# --- numbers -----------------------------------------------------------------

@sentence
def a_number_is_revealed_to_the_operator(server):
    id_ = server.api().created(SANDBOX + '0122')['id']

    shown = server.place.operate('number', 'reveal', id_)

    assert SANDBOX + '0122' in shown.values(), shown


@sentence
def a_number_is_unlocked(server):
    server.api().created(SANDBOX + '0120')

    server.place.operate('number', 'unlock', SANDBOX + '0120')


@sentence
def an_erased_number_is_found_no_more(*_):
    place = Place('erase')
    with place.serving() as server:
        api, to = server.api(), SANDBOX + '0120'
        id_ = api.created(to)['id']
        with api.follow(id_) as events:
            events.until('call.ended')
        place.operate('number', 'erase', to)
        found = api.post('/v1/verifications/search', {'to': to})

        assert found.status == 200 and not found.json['items'], found
        assert api.get(f'/v1/verifications/{id_}').status == 404


# --- the secret --------------------------------------------------------------

@sentence
def a_rotated_secret_keeps_what_the_old_one_made(*_):
    place = Place('rotate')
    secret = place.path / 'var/secret'
    with place.serving() as server:
        id_ = server.api().created(SANDBOX + '0120')['id']
    before = secret.read_text().splitlines()
    ran = place.run('secret', 'rotate', '--config', str(place.config))
    after = secret.read_text().splitlines()

    assert ran.code == 0, ran
    assert after[1:] == before and len(after) == len(before) + 1, 'the ring'
    assert not any(line.split()[-1] in ran.text for line in after), 'shown'
    assert stat.S_IMODE(os.stat(secret).st_mode) == 0o600
    with place.serving() as server:
        assert server.api().read(id_)['to'] == SANDBOX + '0120'


# --- sound and flows ---------------------------------------------------------

@sentence
def a_text_is_said_to_a_file(server):
    ran = server.place.run('say', 'Your call is important.', '-o', 'say.wav')
    seconds, loud = loudness((server.place.path / 'say.wav').read_bytes())

    assert ran.code == 0 and not ran.err, ran
    assert 0.5 < seconds < 10 and loud > 200, (seconds, loud)


@sentence
def ssml_is_said_to_a_pipe_in_another_language(server):
    ran = server.place.run(
        'say', '--language', 'de',
        '<speak>Guten Tag.<break time="2s"/>Auf Wiedersehen.</speak>')
    seconds, loud = loudness(ran.out)

    assert ran.code == 0, ran
    assert 2.5 < seconds < 12 and loud > 100, (seconds, loud)


@sentence
def ssml_that_is_wrong_is_refused_with_its_place(server):
    ran = server.place.run('say', '<speak>Hello <shout>you</shout></speak>')

    assert ran.code == 1 and not ran.out, ran
    assert re.match(r'voiceotp: .*1:\d+', ran.err), ran


@sentence
def the_built_in_flows_are_without_error(server):
    files = sorted((SOURCE / 'packaging/flows').glob('*.json'))
    ran = server.place.run('flow', 'check', *map(str, files))

    assert {f.stem for f in files} >= {'speak', 'reverse', 'keypad', 'plain'}
    assert ran.code == 0 and not ran.err, ran
    assert 'error' not in ran.text, ran


if __name__ == '__main__':
    PLACE = Place('server')
    with PLACE.serving() as SERVER:
        RESULT = tell(SERVER, together=4)
    sys.exit(RESULT)
