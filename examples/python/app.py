#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An application that verifies phone numbers with voiceotp.

  VOICEOTP_URL=http://127.0.0.1:8080 VOICEOTP_TOKEN=vok_... python3 app.py 3000
  curl -d number=+15555550100 localhost:3000/dispatch_otp
  curl -d number=+15555550100 -d otp=482913 localhost:3000/verify_otp

It keeps which verification belongs to whom, and nothing else: no code, no count
of tries, no time of expiry.  Put `pending` where your sessions are.
"""
import http.server
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

FORM_MAX = 4096
pending = {}  # number -> id


def voiceotp(path, body):
    request = urllib.request.Request(
        os.environ['VOICEOTP_URL'] + '/v1/verifications' + path,
        json.dumps(body).encode(),
        {'Authorization': 'Bearer ' + os.environ['VOICEOTP_TOKEN'],
         'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        return json.load(refusal)


def dispatch_otp(form, client_ip):
    number = form.get('number', '')
    made = voiceotp('', {'to': number, 'client_ip': client_ip})
    if 'id' not in made:
        return 422, made['detail']
    pending[number] = made['id']
    return 200, f'calling from {made["from"] or "a number of ours"}'


def verify_otp(form, _client_ip):
    number = form.get('number', '')
    if number not in pending:
        return 404, 'number not found'
    checked = voiceotp(f'/{pending[number]}/check',
                       {'code': form.get('otp', '')})
    if not checked.get('approved'):
        return 422, 'number not verified'
    del pending[number]
    return 200, 'number verified'


class App(http.server.BaseHTTPRequestHandler):
    routes = {'/dispatch_otp': dispatch_otp, '/verify_otp': verify_otp}

    def do_POST(self):
        length = min(int(self.headers.get('Content-Length', 0)), FORM_MAX)
        form = dict(urllib.parse.parse_qsl(self.rfile.read(length).decode()))
        status, message = 404, 'there is no such page'
        if self.path in self.routes:
            status, message = self.routes[self.path](
                form, self.client_address[0])
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.end_headers()
        self.wfile.write(json.dumps({'message': message}).encode())


if __name__ == '__main__':
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    server = http.server.ThreadingHTTPServer(('127.0.0.1', port), App)
    print(f'http://127.0.0.1:{server.server_port}', flush=True)
    server.serve_forever()
