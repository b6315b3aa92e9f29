#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_proxy.py - behind a proxy, everybody is who they are.

The proxy is one of a few lines, which does what nginx does when it is told to
as in docs/operate.md.  It listens on 127.0.0.1, as the server does; its clients
come from other addresses of this machine.
"""
import http.client
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import ANSWER_S, Place, sentence, tell

CLIENT, OTHER = '127.0.0.2', '127.0.0.3'
PUBLIC = 'https://voice.example'


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        headers = {k: v for k, v in self.headers.items()
                   if k.lower() not in self.server.cleared}
        before = self.headers.get('X-Forwarded-For')
        client = self.client_address[0]
        headers['X-Forwarded-For'] = f'{before}, {client}' if before else client
        headers['X-Forwarded-Proto'] = 'https'
        headers['Host'] = f'127.0.0.1:{self.server.to}'
        with_server = http.client.HTTPConnection(
            '127.0.0.1', self.server.to, timeout=ANSWER_S)
        with_server.request(self.command, self.path, body, headers)
        answer = with_server.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ('connection', 'content-length', 'date'):
                self.send_header(name, value)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        with_server.close()

    do_GET = do_POST = pass_on

    def log_message(self, *_):
        pass


@contextmanager
def proxy(server, cleared=('forwarded',)):
    """Its port."""
    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as there:
        there.to, there.cleared = server.port, cleared
        thread = threading.Thread(target=there.serve_forever, daemon=True)
        thread.start()
        try:
            yield there.server_port
        finally:
            there.shutdown()
            thread.join(ANSWER_S)


def ask(port, method='GET', path='/v1/verifications', body=None, **headers):
    """As a client at CLIENT would."""
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=ANSWER_S,
                                   source_address=(CLIENT, 0))
    try:
        c.request(method, path, body,
                  {k.replace('_', '-'): v for k, v in headers.items()})
        answer = c.getresponse()
        answer.read()
        return answer
    finally:
        c.close()


def client_of(server, port, **headers):
    """Who asked, as the server writes it down of somebody with a wrong key."""
    since = len(server.log)
    answer = ask(port, Authorization='Bearer nobody', **headers)
    assert answer.status == 401, answer.status
    return server.logged('request.unauthorized', since)['client']


@sentence
def whom_a_trusted_proxy_names_is_who_asks():
    place = Place('trusted', trusted_proxies=['127.0.0.1'])
    with place.serving() as server, proxy(server) as port:
        assert client_of(server, port) == CLIENT
        # what the client says of itself stands to the left, and is not heard
        assert client_of(server, port, X_Forwarded_For=OTHER) == CLIENT
        assert client_of(server, port, X_Forwarded_For='"') == CLIENT
        assert client_of(server, port, Forwarded=f'for={OTHER}') == CLIENT


@sentence
def nobody_else_is_heard():
    place = Place('direct', trusted_proxies=['127.0.0.1'])
    with place.serving() as server:
        # not by way of the proxy
        assert client_of(server, server.port,
                         X_Forwarded_For=OTHER,
                         Forwarded=f'for={OTHER}') == CLIENT
    with Place('nobody').serving() as server, proxy(server) as port:
        assert client_of(server, port) == '127.0.0.1'


@sentence
def a_header_that_the_proxy_lets_through_names_nobody():
    place = Place('through', trusted_proxies=['127.0.0.1'])
    with place.serving() as server, proxy(server, cleared=()) as port:
        assert client_of(server, port, Forwarded=f'for={OTHER}') == '127.0.0.1'


@sentence
def the_phone_page_is_where_others_reach_it():
    place = Place('page', public_url=PUBLIC, trusted_proxies=['127.0.0.1'])
    with place.serving() as server, proxy(server) as port:
        link = server.said_line('/phone#')
        token = link.split('#')[1].strip()
        body = f'{{"token": "{token}"}}'
        stranger = ask(port, 'POST', '/phone/session', body,
                       Content_Type='application/json',
                       Origin='https://evil.example')
        page = ask(port, 'POST', '/phone/session', body,
                   Content_Type='application/json', Origin=PUBLIC)

        assert f'{PUBLIC}/phone#' in link, link
        assert stranger.status == 403, stranger.status
        assert page.status == 204, page.status
        assert 'Secure' in page.headers['Set-Cookie']


@sentence
def what_is_no_proxy_is_told_before_the_start():
    place = Place('wrong')
    place.raw_settings('trusted_proxies:\n  - 127.0.0.1\n  - localhost\n')
    ran = place.run('check-config', str(place.config))

    assert ran.code == 1, ran
    assert ':3:5: trusted_proxies: is not a network' in ran.err, ran


if __name__ == '__main__':
    sys.exit(tell(together=2))
