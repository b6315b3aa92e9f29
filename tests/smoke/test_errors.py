#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_errors.py - what goes wrong is said once, clearly, and changes nothing.

One line on standard error, nothing on standard output, exit code 1 for what
did not work and 2 for what was asked wrongly.
"""
import json
import os
import re
import shutil
import socket
import sys

from harness import PAGE, SANDBOX, Api, Place, sentence, tell

FAILED, USAGE = 1, 2


def one_error(ran, code, *parts, lines=1):
    """`lines` lines on standard error, each part among them."""
    said = ran.err.splitlines()
    assert ran.code == code, ran
    assert not ran.out, ran
    assert len(said) == lines, ran
    assert said[0].startswith('voiceotp: '), ran
    for part in parts:
        assert re.search(part, ran.err), f'no {part!r} in\n{ran}'


def usage_error(ran, *parts):
    """What is wrong, and a second line that names the help."""
    one_error(ran, USAGE, *parts, lines=2)
    assert '--help' in ran.err.splitlines()[1], ran


# --- settings ----------------------------------------------------------------

def bad_settings(name, text, *parts):
    place = Place(f'settings-{name}')
    place.raw_settings(text)

    for ran in (place.run('check-config', 'voiceotp.yaml'),
                place.run('serve', '--config', 'voiceotp.yaml')):
        one_error(ran, FAILED, *parts)
    assert not (place.path / 'var').exists(), 'something was made'


@sentence
def a_setting_that_does_not_exist_is_refused_with_its_place(*_):
    bad_settings('unknown', 'brand: Acme\n\ncall:\n  rings: 3\n',
                 r'voiceotp\.yaml:4:3: .*call\.rings')


@sentence
def a_setting_of_another_type_is_refused_with_its_place(*_):
    bad_settings('type', 'brand: Acme\nthreads: many\n',
                 r'voiceotp\.yaml:2:10: threads: .*whole number')


@sentence
def a_setting_out_of_range_is_refused_with_its_range(*_):
    bad_settings('range', 'brand: Acme\ncode:\n  length: 11\n',
                 r'voiceotp\.yaml:3:11: code\.length: .*4 to 10')


@sentence
def a_setting_given_twice_is_refused(*_):
    bad_settings('twice', 'brand: Acme\nbrand: Other\n',
                 r'voiceotp\.yaml:2:1: brand')


@sentence
def settings_that_are_not_yaml_are_refused_with_the_place(*_):
    bad_settings('yaml', 'brand: Acme\ncountries: [US, DE\nthreads: 1\n',
                 r'voiceotp\.yaml:\d+:\d+: .*YAML')


@sentence
def settings_of_control_characters_are_refused(*_):
    bad_settings('control', 'brand: "Ac\x01me"\n', r'voiceotp\.yaml:1:\d+')


@sentence
def settings_without_a_brand_are_refused(*_):
    bad_settings('brand', 'countries: [US]\n', 'brand: must be set')


@sentence
def a_price_file_that_is_wrong_is_named_with_its_line(*_):
    place = Place('prices')
    (place.path / 'prices.csv').write_text(
        'prefix,price,currency\n1,0.01,USD\n44,cheap,USD\n')
    place.raw_settings('brand: Acme\nprices: prices.csv\n')

    one_error(place.run('check-config', 'voiceotp.yaml'), FAILED,
              r'prices: prices\.csv:3:\d+: ')


@sentence
def a_settings_file_that_is_not_there_is_named(*_):
    place = Place('no-file')

    one_error(place.run('check-config', 'nowhere.yaml'), FAILED,
              r'nowhere\.yaml', 'No such file')


# --- the command line --------------------------------------------------------

@sentence
def an_unknown_command_is_a_usage_error(*_):
    one_error(Place('command').run('sing'), USAGE, '"sing"', '--help')


@sentence
def an_unknown_option_is_a_usage_error(*_):
    place = Place('option')

    for words in (('serve', '--loud'), ('call', PAGE, '--loud'),
                  ('key', 'add', '--loud'), ('version', '--loud')):
        usage_error(place.run(*words), '--loud')


@sentence
def half_a_command_names_what_there_is(*_):
    one_error(Place('half').run('key'), USAGE, 'key add', 'key list',
              'key revoke')


@sentence
def a_word_too_many_is_a_usage_error(*_):
    place = Place('words')

    usage_error(place.run('version', 'please'), 'please')
    usage_error(place.run('call', PAGE, PAGE), re.escape(PAGE[1:]))


@sentence
def a_word_too_few_is_a_usage_error(*_):
    place = Place('no-words')

    for words in (('call',), ('say',), ('flow', 'check'), ('app', 'add'),
                  ('key', 'add'), ('key', 'revoke'), ('number', 'erase')):
        usage_error(place.run(*words), ' '.join(words))


@sentence
def a_scope_that_does_not_exist_is_a_usage_error(*_):
    usage_error(Place('scope').run('key', 'add', '--app', 'shop',
                                   '--scope', 'verify,all'), '"all"')


@sentence
def a_call_without_a_token_says_where_to_get_one(*_):
    one_error(Place('no-token').run('call', PAGE), FAILED, 'VOICEOTP_TOKEN',
              'key add')


@sentence
def a_call_without_a_server_says_so(*_):
    with socket.socket() as nobody:
        nobody.bind(('127.0.0.1', 0))  # and nobody listens
        ran = Place('no-server').run('call', PAGE, env={
            'VOICEOTP_URL': f'http://127.0.0.1:{nobody.getsockname()[1]}',
            'VOICEOTP_TOKEN': 'key_1.secret'})

    one_error(ran, FAILED, '127.0.0.1')


@sentence
def a_call_with_a_wrong_token_is_refused(server):
    ran = server.place.run('call', PAGE, env={
        'VOICEOTP_URL': server.url, 'VOICEOTP_TOKEN': 'key_1.secret'})

    one_error(ran, FAILED, r'refused \(401 unauthorized\)')


@sentence
def a_call_to_what_is_no_number_is_refused(server):
    for number in ('123', 'abc', '+1555555010', '+999999999999999999'):
        ran = server.place.run('call', number, env={
            'VOICEOTP_URL': server.url, 'VOICEOTP_TOKEN': server.token})
        one_error(ran, FAILED, 'refused .*number_invalid.* to: ')


# --- flows -------------------------------------------------------------------

@sentence
def a_flow_that_is_not_json_is_refused_with_its_place(*_):
    place = Place('flow-json')
    (place.path / 'bad.json').write_text('{ "format": "voiceflow/1",\n  ]')
    ran = place.run('flow', 'check', 'bad.json')

    assert ran.code == FAILED and not ran.err, ran
    assert re.search(r'bad\.json: error: .*2', ran.text), ran


@sentence
def a_flow_that_goes_nowhere_is_refused_with_code_and_path(*_):
    place = Place('flow-edge')
    good = json.loads((DATA / 'flows/speak.json').read_text())
    good['nodes'][0]['on'] = {'api_request': 'Nowhere'}
    (place.path / 'bad.json').write_text(json.dumps(good))
    ran = place.run('flow', 'check', 'bad.json')

    assert ran.code == FAILED and not ran.err, ran
    assert 'dangling_edge' in ran.text and '/nodes/0/on' in ran.text, ran


@sentence
def a_flow_that_is_not_there_is_named(*_):
    one_error(Place('flow-none').run('flow', 'check', 'nowhere.json'), FAILED,
              r'nowhere\.json: No such file')


# --- the server --------------------------------------------------------------

@sentence
def a_port_in_use_is_named(*_):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        place = Place('port', listen=f'127.0.0.1:{port}')
        ran = place.serve_and_fail()

    errors_among_log(ran, rf'127\.0\.0\.1:{port}', 'another program')


def errors_among_log(ran, *parts):
    """A start that got as far as logging: one line that is not the log's."""
    said = [line for line in ran.err.splitlines() if not line.startswith('{')]
    assert ran.code == FAILED, ran
    assert not ran.out, ran
    assert len(said) == 1 and said[0].startswith('voiceotp: '), ran
    for part in parts:
        assert re.search(part, said[0]), f'no {part!r} in\n{ran}'


@sentence
def an_address_that_is_not_ours_is_named(*_):
    place = Place('address', listen='192.0.2.1:8080')

    errors_among_log(place.serve_and_fail(), r'192\.0\.2\.1:8080')


@sentence
def another_key_ring_stops_the_start(*_):
    other, place = Place('ring-other'), Place('ring')
    for each in (other, place):
        with each.serving():
            pass
    shutil.copy(other.path / 'var/secret', place.path / 'var/secret')

    errors_among_log(place.serve_and_fail(), 'ring|secret')


@sentence
def a_secret_that_others_may_read_stops_the_start(*_):
    place = Place('ring-mode')
    with place.serving():
        pass
    os.chmod(place.path / 'var/secret', 0o640)

    errors_among_log(place.serve_and_fail(), 'secret_file: .*chmod 600')


@sentence
def a_secret_that_is_no_key_ring_stops_the_start(*_):
    place = Place('ring-bad')
    (place.path / 'var').mkdir()
    (place.path / 'var/secret').write_text('1: not hex\n')
    os.chmod(place.path / 'var/secret', 0o600)

    errors_among_log(place.serve_and_fail(), '')


@sentence
def a_store_that_is_no_database_stops_the_start(*_):
    place = Place('store')
    (place.path / 'var').mkdir()
    (place.path / 'var/voiceotp.db').write_bytes(b'x' * 8192)

    errors_among_log(place.serve_and_fail(), 'store|voiceotp.db')


@sentence
def a_missing_voice_stops_the_start(*_):
    place = Place('voice', cache_dir='var/cache', languages=['en', 'de'])
    tools = place.path / 'bin'
    tools.mkdir()
    (tools / 'flite').symlink_to(shutil.which('flite'))

    errors_among_log(place.serve_and_fail(env={'PATH': str(tools)}),
                     'espeak-ng')


@sentence
def a_disk_that_is_full_refuses_and_loses_nothing(*_):
    with Place('disk').serving() as server:
        api, to = server.api(), SANDBOX + '0120'
        before = api.created(to)
        server.fill_disk()
        refused = [api.create(to) for _ in range(3)]
        health = api.get('/healthz')
        server.fill_disk(False)
        after = server.poll(
            lambda: (a := api.create(to)).status == 201 and a.json, 30,
            'a create once there is room again')

        for answer in refused:
            problem(answer, 503, 'store_unavailable')
        assert health.status in (200, 503), health
        for record in (before, after):
            assert api.read(record['id'])['to'] == to
    assert not [r for r in server.log if r['event'] == 'not JSON'], \
        server.last_words()


# --- requests ----------------------------------------------------------------

def problem(answer, status, code, field=None):
    """A problem document, whole, and no more said than that."""
    said = answer.json
    kind = answer.headers['Content-Type']
    assert answer.status == status, answer
    assert kind.startswith('application/problem+json'), kind
    assert said['status'] == status and said['code'] == code, said
    assert said['title'] and said['type'] and said['detail'], said
    if field:
        assert said['field'] == field, said


@sentence
def a_request_that_is_not_json_is_refused(server):
    api = server.api()

    for body in (b'{', b'{"to":"+1555"', b'[]', b'"to"', b'nonsense',
                 b'{"to":"\xff"}', b'{"to":1}{}', b'{"a":' * 500):
        answer = api.post('/v1/verifications', body)
        problem(answer, 400, 'invalid_json')


@sentence
def a_number_that_is_none_is_refused(server):
    api = server.api()

    for to in ('+', 'abc', '123', '+1', '+1555555010', '+1555555011O',
               '+99999999999999999999', "+1';DROP TABLE", '\u202e+1'):
        answer = api.post('/v1/verifications', {'to': to})
        problem(answer, answer.status, 'number_invalid', 'to')
        assert answer.status in (400, 422), f'{to!r}: {answer}'


@sentence
def a_number_that_is_no_sandbox_number_is_not_called(server):
    for to in ('+14155550100', SANDBOX + '0999'):
        answer = server.api().post('/v1/verifications', {'to': to})

        problem(answer, 422, 'country_not_allowed', 'to')
        assert 'sandbox' in answer.json['detail'], answer


@sentence
def a_field_that_is_wrong_is_named(server):
    api = server.api()

    problem(api.post('/v1/verifications', {}), 400, 'missing_field', 'to')
    problem(api.post('/v1/verifications', {'to': 15555550100}), 400,
            'invalid_field', 'to')
    problem(api.post('/v1/verifications', {'to': PAGE, 'colour': 'red'}), 400,
            'unknown_field', 'colour')
    problem(api.post('/v1/verifications', {'to': PAGE, 'ttl_s': 601}), 400,
            'invalid_field', 'ttl_s')
    problem(api.post('/v1/verifications', {'to': PAGE, 'code_length': 3}),
            400, 'invalid_field', 'code_length')


@sentence
def a_body_too_large_is_refused(server):
    body = json.dumps({'to': PAGE, 'brand': 'x' * (64 << 10)}).encode()

    problem(server.api().post('/v1/verifications', body), 413,
            'body_too_large')


@sentence
def a_path_that_is_none_is_not_found(server):
    problem(server.api().get('/v1/nothing'), 404, 'not_found')
    problem(server.api().get('/v1/verifications/ver_none'), 404, 'not_found')


@sentence
def a_method_that_is_none_is_not_allowed(server):
    answer = server.api().ask('DELETE', '/v1/verifications')

    problem(answer, 405, 'method_not_allowed')
    assert 'POST' in answer.headers['Allow'], answer.headers


@sentence
def a_request_without_a_token_is_refused(server):
    api = Api(server.port)

    for headers in ({}, {'Authorization': 'Bearer nonsense'},
                    {'Authorization': 'Basic !'},
                    {'Authorization': 'Bearer ' + server.token[:-1] + '~'}):
        answer = api.get('/v1/verifications', headers=headers)
        problem(answer, 401, 'unauthorized')
        assert 'WWW-Authenticate' in answer.headers, answer.headers


@sentence
def an_idempotency_key_with_another_body_is_refused(server):
    api, to = server.api(), SANDBOX + '0120'
    first = api.create(to, key='once')
    second = api.create(to, key='once')
    other = api.create(SANDBOX + '0122', key='once')

    assert first.status == second.status == 201, (first, second)
    assert first.json['id'] == second.json['id'], (first, second)
    problem(other, 422, 'idempotency_mismatch')


DATA = None

if __name__ == '__main__':
    from harness import SOURCE
    DATA = SOURCE / 'packaging'
    PLACE = Place('server')
    with PLACE.serving() as SERVER:
        RESULT = tell(SERVER, together=4)
    sys.exit(RESULT)
