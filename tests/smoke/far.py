# SPDX-License-Identifier: Apache-2.0
"""far.py - the far ends of trunks: phones and proxies that are not ours.

sipp speaks SIP as one of the scenarios in sipp/ says, baresip is a telephone,
Kamailio a proxy.  sipp has no ears, so its SDP names a Line: a pair of ports
of `rtpend`, which hears digits and presses keys.

What they write holds whole numbers, on purpose: it lies beside the folders
that test_secrets.py searches.
"""
import fcntl
import json
import os
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import wave
from datetime import datetime
from pathlib import Path

from harness import (ANSWER_S, BUILD, KEPT, NAME, POLL_S, SOURCE, Background,
                     Deadline, Late, Place, lay_over)

HERE = Path(__file__).resolve().parent
FAR = BUILD / 'far' / NAME  # what they write
RTPEND = os.environ.get('VOICEOTP_RTPEND')
HOST = '127.0.0.1'
STRANGER = '127.0.0.77'  # an address that is no trunk's

CALL_S = 130   # no call is longer
HEAR_S = 60    # until something that must be said is said
CHECK_DIGITS = range(3, 6)
WAV_HEAD = 44


def make_room():
    """A folder for what the last run of this test program left."""
    shutil.rmtree(FAR, ignore_errors=True)
    FAR.mkdir(parents=True)


# --- ports -------------------------------------------------------------------

PORT_MIN, PORT_MAX = 10000, 29999  # below those that the system gives away


def ports(count):
    """The first of `count` free UDP and TCP ports in a row, beginning even.

    Test programs run at the same time, so a file says how far all of them
    have got: what one was given is not given again for long.
    """
    path = BUILD / 'far' / 'ports'
    path.parent.mkdir(exist_ok=True)
    with open(path, 'a+', encoding='ascii') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        at = int(file.read() or
                 random.randrange(PORT_MIN, PORT_MAX // 2, 2))
        first = at
        while True:
            if first + count > PORT_MAX:
                first = PORT_MIN
            if all(is_free(p) for p in range(first, first + count)):
                break
            first += count + count % 2
            assert first != at, 'no free ports'
        file.truncate(0)
        file.write(str(first + count + count % 2))
    return first


def is_free(port):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as s:
            if kind == socket.SOCK_STREAM:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind((HOST, port))
            except OSError:
                return False
    return True


def is_bound(port, pid):
    """Does that process hold the port?"""
    inodes = set()
    for table in ('udp', 'tcp'):
        for line in Path(f'/proc/net/{table}').read_text().splitlines()[1:]:
            words = line.split()
            if int(words[1].split(':')[1], 16) == port:
                inodes.add(f'socket:[{words[9]}]')
    for fd in Path(f'/proc/{pid}/fd').iterdir():
        try:
            if os.readlink(fd) in inodes:
                return True
        except OSError:
            continue
    return False


# --- processes ---------------------------------------------------------------

class Program:
    """A process that was started here, its output kept in a file."""

    def __init__(self, name, words, **how):
        self.folder = FAR / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.said = self.folder / f'{Path(words[0]).name}.out'
        with open(self.said, 'ab') as out:
            self.process = subprocess.Popen(
                words, cwd=self.folder, stdout=out, stderr=out,
                **{'stdin': subprocess.DEVNULL, **how})
        self.words = words

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return self.said.read_text(errors='replace')

    def until(self, question, what, seconds=ANSWER_S):
        """Ask until the answer is true; it must live meanwhile."""
        deadline = Deadline(seconds, f'{self.words[0]}: {what}')
        while True:
            value = question()
            if value:
                return value
            try:
                self.process.wait(min(POLL_S, deadline.left()))
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f'{what}: {self.words} ended with '
                                 f'{self.process.returncode}\n{self.tail()}')

    def tail(self, lines=40):
        return '\n'.join(self.text().splitlines()[-lines:])

    def ended(self, seconds=CALL_S):
        """Its exit code, once it ends by itself."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Late(f'{self.words[0]} has not ended within {seconds} s\n'
                       f'{self.tail()}') from None

    def end(self, seconds=ANSWER_S):
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(number)
            try:
                return self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        raise Late(f'{self.words[0]} does not die')

    def kill(self):
        self.process.kill()
        return self.process.wait(ANSWER_S)


# --- media -------------------------------------------------------------------

class Rtp:
    """One `rtpend`: as many lines as are opened."""

    def __init__(self, room=64):
        self.lines = {}
        self.writing = threading.Lock()
        self.errors = open(FAR / 'rtpend.err', 'ab')
        self.process = subprocess.Popen(
            [RTPEND, 'serve', str(SOURCE / 'packaging/prompts'),
             str(KEPT / 'cache'), str(ports(2 * room))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors)
        self.ready = self.lines[''] = Line(self, '')
        self.reader = Background(self._read)
        self.ready.next('ready', 60)

    def __enter__(self):
        return self

    def kill(self):
        """All of its lines are dead."""
        self.process.kill()
        self.process.wait(ANSWER_S)

    def __exit__(self, *_):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(ANSWER_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.errors.close()

    def _read(self):
        with self.process.stdout as lines:
            for line in lines:
                told = json.loads(line)
                self.lines[told['line']].events.put(told)
        for line in list(self.lines.values()):
            line.events.put({'event': 'over'})

    def tell(self, *words):
        text = ' '.join(map(str, words)) + '\n'
        with self.writing:
            self.process.stdin.write(text.encode())
            self.process.stdin.flush()

    def open(self, name, *options):
        """options: those of rtpend.c, such as 'pcma', 'in=20,20,20'."""
        line = self.lines[name] = Line(self, name)
        self.tell('open', name, *options)
        line.port = line.next('open')['port']
        return line


def is_left_of(part, whole):
    """Nothing but digits of `whole`, in their order."""
    rest = iter(whole)
    return all(digit in rest for digit in part)


class Line:
    """The far end's ear and hand in one call."""

    def __init__(self, rtp, name):
        self.rtp, self.name, self.port = rtp, name, None
        self.events = queue.Queue()
        self.digits = ''  # since it was last quiet
        self.heard = []   # everything

    def next(self, kind, seconds=ANSWER_S):
        """The next event of a kind; digits that come before are kept."""
        deadline = Deadline(seconds, f'{self.name}: {kind}')
        while True:
            try:
                told = self.events.get(timeout=deadline.left())
            except queue.Empty:
                continue
            what = told['event']
            assert what not in ('wrong', 'over'), told
            if what == 'digit':
                self.digits += told['digit']
                self.heard.append(told)
            if what == kind:
                return told

    def said(self, seconds=HEAR_S):
        """What was said until it was quiet: its digits."""
        self.next('quiet', seconds)
        said, self.digits = self.digits, ''
        return said

    def hears(self, count, seconds=HEAR_S):
        """So many digits, however far apart."""
        while len(self.digits) < count:
            self.next('digit', seconds)
        said, self.digits = self.digits, ''
        return said

    def hear_check(self, seconds=HEAR_S):
        """The keys that a person is asked to press."""
        said = self.said(seconds)
        while not said:
            said = self.said(seconds)
        assert len(said) in CHECK_DIGITS, f'{said} is not to be pressed'
        return said

    def hear_code(self, times=2, seconds=HEAR_S):
        """The code, said so many times over."""
        said = self.said(seconds)
        while not said:
            said = self.said(seconds)
        code = said[:len(said) // times]
        assert len(code) >= 4 and code * times == said, \
            f'{said} is not a code, {times} times over'
        return code

    def hear_code_of(self, digits, seconds=HEAR_S):
        """The code, said twice, by a person who knows how long it is: where
        one of them lost digits on the way, the other is believed."""
        said = self.said(seconds)
        while not said:
            said = self.said(seconds)
        for code, again in ((said[:digits], said[digits:]),
                            (said[-digits:], said[:-digits])):
            if len(code) == digits and is_left_of(again, code):
                return code
        raise AssertionError(f'{said} is no code of {digits}, twice')

    def press(self, keys):
        self.rtp.tell('press', self.name, keys)

    def mute(self):
        self.rtp.tell('mute', self.name)

    def unmute(self):
        self.rtp.tell('unmute', self.name)

    def to(self, address, port):
        self.rtp.tell('to', self.name, address, port)

    def bye(self):
        """It has heard something: before that it knows nobody to tell."""
        heard = Deadline(ANSWER_S, f'{self.name}: sound')
        while not self.stats()['packets']:
            heard.left()
        self.rtp.tell('bye', self.name)

    def stats(self):
        self.rtp.tell('stats', self.name)
        return self.next('stats')

    def close(self):
        self.rtp.tell('close', self.name)
        return self.next('closed')

    def passes_check(self, seconds=HEAR_S):
        self.press(self.hear_check(seconds))

    def types_the_code(self, digits=0):
        """As flow `keypad` asks: check, code, keypad.  The code; of so many
        digits where some may be lost on the way."""
        self.passes_check()
        code = self.hear_code_of(digits) if digits else self.hear_code()
        self.press(code)
        return code


def digits_in(path):
    """The digits in a recording, in order, by correlation."""
    done = subprocess.run(
        [RTPEND, 'search', str(SOURCE / 'packaging/prompts'),
         str(KEPT / 'cache'), str(path)],
        stdin=subprocess.DEVNULL, capture_output=True, check=False,
        timeout=60)
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


class Recorded:
    """An rtpdump file: [(ms, packet)], RTP alone."""

    def __init__(self, path):
        data = Path(path).read_bytes()
        at = data.index(b'\n') + 1 + 16
        self.packets = []
        while at + 8 <= len(data):
            length = int.from_bytes(data[at:at + 2], 'big')
            size = int.from_bytes(data[at + 2:at + 4], 'big')
            ms = int.from_bytes(data[at + 4:at + 8], 'big')
            if size:
                self.packets.append((ms, data[at + 8:at + length]))
            at += length

    @property
    def longest_gap_ms(self):
        times = [ms for ms, _ in self.packets]
        return max((b - a for a, b in zip(times, times[1:])), default=0)

    @property
    def payload(self):
        """All sound in the order of its timestamps, gaps left out."""
        by_time = {}
        for _, p in self.packets:
            by_time.setdefault(int.from_bytes(p[4:8], 'big'), p[12:])
        return b''.join(by_time[t] for t in sorted(by_time))


# --- sipp --------------------------------------------------------------------

class Sipp(Program):
    """A scenario of sipp/, answering on a port of its own."""

    FOREVER = 10 ** 9  # calls

    def __init__(self, name, scenario, line=None, port=None, calls=1,
                 options=(), lines=(), **keys):
        self.port = port or ports(2)
        folder = FAR / name
        if lines:  # one for each call
            folder.mkdir(parents=True, exist_ok=True)
            (folder / 'lines').write_text(
                'SEQUENTIAL\n' + ''.join(f'{p.port};\n' for p in lines))
            options = [*options, '-inf', str(folder / 'lines')]
        keys.setdefault('rtp_port', line.port if line else 9)
        named = [w for k, v in keys.items() for w in ('-key', k, str(v))]
        bounds = [] if calls == self.FOREVER else [
            '-timeout', str(CALL_S), '-timeout_error',
            '-trace_msg', '-message_file', str(folder / 'messages')]
        super().__init__(name, [
            'sipp', '-sf', str(HERE / 'sipp' / f'{scenario}.xml'),
            '-i', HOST, '-p', str(self.port), '-m', str(calls), '-nostdin',
            '-trace_err', '-error_file', str(folder / 'errors'),
            *bounds, *named, *options], env={**os.environ, 'TERM': 'dumb'})
        self.until(lambda: is_bound(self.port, self.pid), 'to listen')

    def messages(self):
        path = self.folder / 'messages'
        return path.read_text(errors='replace') if path.exists() else ''

    def tail(self, lines=40):
        errors = self.folder / 'errors'
        return (errors.read_text(errors='replace') if errors.exists()
                else super().tail(lines))

    def is_content(self, seconds=CALL_S):
        """The scenario went as it is written, to its end."""
        code = self.ended(seconds)
        assert code == 0, f'sipp: exit {code}\n{self.tail()}'


# --- baresip -----------------------------------------------------------------

BARESIP = '''
sip_listen {host}:{port}
call_local_timeout 120
call_max_calls 10
audio_player aubridge,phone
audio_source aufile,{folder}/silence.wav
audio_alert aubridge,alert
rtp_ports {rtp}-{rtp_end}
net_interface {host}
module_path {modules}
module aubridge.so
module aufile.so
module g711.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {host}:{control}
snd_path {folder}
'''


class Baresip(Program):
    """A telephone that answers by itself and writes down what it hears."""

    MODULES = '/usr/lib/baresip/modules'

    def __init__(self, name, number, port=None, account='answermode=auto'):
        """number: the one that it answers to."""
        folder = FAR / name
        folder.mkdir(parents=True, exist_ok=True)
        first = ports(48)
        self.port = port or first  # the one above it is for TLS
        self.control = first + 4
        (folder / 'config').write_text(BARESIP.format(
            host=HOST, port=self.port, control=self.control,
            rtp=first + 8, rtp_end=first + 47, modules=self.MODULES,
            folder=folder))
        (folder / 'accounts').write_text(
            f'<sip:{number[1:]}@{HOST}:{self.port}>;regint=0;{account};'
            'audio_codecs=pcma/8000/1,pcmu/8000/1\n')
        (folder / 'contacts').write_text('')
        with wave.open(str(folder / 'silence.wav'), 'wb') as w:
            w.setparams((1, 2, 8000, 0, 'NONE', ''))
            w.writeframes(bytes(2 * 8000 * CALL_S))
        super().__init__(name, ['baresip', '-4', '-f', str(folder), '-s'])
        self.until(lambda: 'baresip is ready' in self.text(), 'to be ready')
        self.wire = socket.create_connection((HOST, self.control), ANSWER_S)
        self.events = queue.Queue()
        self.reader = Background(self._read)

    def _read(self):
        """Netstrings of JSON."""
        with self.wire.makefile('rb') as stream:
            while True:
                size = b''
                while (c := stream.read(1)) not in (b':', b''):
                    size += c
                if not size:
                    return
                self.events.put(json.loads(stream.read(int(size))))
                stream.read(1)

    def command(self, command, params=''):
        text = json.dumps({'command': command, 'params': params}).encode()
        self.wire.sendall(b'%d:%s,' % (len(text), text))

    def event(self, kind, seconds=HEAR_S):
        deadline = Deadline(seconds, f'baresip: {kind}')
        while True:
            try:
                told = self.events.get(timeout=deadline.left())
            except queue.Empty:
                continue
            if told.get('type') == kind:
                return told

    def press(self, keys):
        """One after the other, each let go by the next."""
        for key in keys:
            self.command('sndcode', key)

    def recording(self):
        """What was heard so far; None: nothing."""
        found = sorted(self.folder.glob('dump-*-dec.wav'))
        return found[-1] if found else None

    def hears(self, count, then_ms=0, seconds=HEAR_S):
        """So many digits, the last of them begun so long ago; all of them."""
        def enough():
            path = self.recording()
            size = path.stat().st_size if path else 0
            found = digits_in(path) if size > WAV_HEAD else []
            ends_ms = (size - WAV_HEAD) // (2 * 8)
            if len(found) < count or \
                    ends_ms - found[count - 1]['at_ms'] < then_ms:
                return None
            return ''.join(f['digit'] for f in found)
        return self.until(enough, f'{count} digits', seconds)

    def end(self, seconds=ANSWER_S):
        self.wire.close()
        return super().end(seconds)


# --- Kamailio ----------------------------------------------------------------

KAMAILIO = '''
debug=2
log_stderror=yes
fork=no
children=1
listen=udp:{host}:{port}
auto_aliases=no
dns=no
rev_dns=no
mpath="{modules}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "auth.so"
modparam("rr", "enable_full_lr", 1)
modparam("auth", "nonce_expire", 300)
modparam("auth", "algorithm", "{algorithm}")

request_route {{
	if (!mf_process_maxfwd_header("10")) {{
		sl_send_reply("483", "Too Many Hops");
		exit;
	}}
	if (has_totag()) {{
		if (loose_route()) {{
			t_relay();
		}} else if (is_method("ACK") && t_check_trans()) {{
			t_relay();
		}} else if (!is_method("ACK")) {{
			sl_send_reply("404", "Not Here");
		}}
		exit;
	}}
	if (is_method("CANCEL")) {{
		if (t_check_trans()) {{
			t_relay();
		}}
		exit;
	}}
	if (is_method("OPTIONS")) {{
		sl_send_reply("200", "OK");
		exit;
	}}
	if (!pv_proxy_authenticate("far", "{password}", "0")) {{
		auth_challenge("far", "1");
		exit;
	}}
	consume_credentials();
	record_route();
	$du = "sip:{host}:{next}";
	t_relay();
}}
'''


class Kamailio(Program):
    """A proxy that lets nobody through without the password."""

    MODULES = '/usr/lib/x86_64-linux-gnu/kamailio/modules'

    def __init__(self, name, port, next_port, password, algorithm='MD5'):
        self.port = port
        folder = FAR / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / 'kamailio.cfg').write_text(KAMAILIO.format(
            host=HOST, port=self.port, modules=self.MODULES, next=next_port,
            password=password, algorithm=algorithm))
        super().__init__(name, [
            'kamailio', '-f', str(folder / 'kamailio.cfg'), '-DD', '-E',
            '-Y', str(folder), '-m', '16', '-M', '4'])
        self.until(lambda: is_bound(self.port, self.pid), 'to listen')


# --- the program and its trunks ----------------------------------------------

FROM = '+15671234567'


def trunk(name, port, transport='udp', **more):
    """A trunk of the settings file; whatever answers on that port."""
    return {'name': name, 'uri': f'sip:{HOST}:{port};transport={transport}',
            'from': [FROM], 'ping_s': 0, 'calls_per_second': 0,
            'media_networks': [], **more}


class Trunks(Place):
    """A place whose server calls over trunks."""

    rtp_room = 128
    options = ()

    def __init__(self, name, trunks, routes, **settings):
        self.wishes = lay_over({
            'brand': 'Acme', 'countries': ['US'],
            'store': 'sqlite:var/voiceotp.db', 'secret_file': 'var/secret',
            'require_client_ip': False,
            'call': {'ring_s': 5},
            'trunks': trunks,
            'routes': [{'prefix': p, 'trunks': t} for p, t in routes.items()],
        }, settings)
        super().__init__(name)
        self.take_ports()
        self.token = None

    def take_ports(self):
        self.sip_port = ports(2)
        first = ports(self.rtp_room)
        self.settings(
            **self.wishes,
            sip={'listen': f'{HOST}:{self.sip_port}'},
            rtp={'listen': HOST,
                 'ports': f'{first}-{first + self.rtp_room - 1}'})

    def operate(self, *words):
        ran = self.run(*words, '--config', str(self.config), '--json')
        assert ran.code == 0, ran
        return ran.json if ran.out.strip() else None

    def start(self, *options, env=None):
        if not self.token:  # before it runs: it knows new keys later
            self.operate('app', 'add', 'shop')
            self.token = self.operate('key', 'add', '--app', 'shop',
                                      '--name', 'test', '--scope',
                                      'verify')['token']
            self.secret('token', self.token)
        for _ in range(3):
            try:
                server = super().start(*options, env=env)
            except AssertionError as e:  # somebody else was quicker
                if 'Address already in use' not in str(e):
                    raise
                self.take_ports()
                continue
            server.token = self.token
            return server
        raise AssertionError('no ports for a server')


class House:
    """Servers with a trunk for each case, so that all cases run at once."""

    TRUNKS_MAX = 14  # of one server
    PASSWORD = 'open sesame 7391'

    def __init__(self, name, rtp, **settings):
        self.name, self.rtp, self.settings = name, rtp, settings
        self.trunks, self.ways, self.servers = {}, {}, []
        self.password = FAR / 'password'
        self.password.write_text(self.PASSWORD + '\n')
        self.password.chmod(0o600)

    def trunk(self, name, also=(), **more):
        """A trunk, and a number whose calls go there; `also`: if not there."""
        if more.pop('has_password', False):
            more |= {'user': 'acme', 'password_file': str(self.password)}
        self.trunks[name] = trunk(name, ports(2), **more)
        self.ways[name] = [name, *also]

    def number(self, name):
        return f'+1415200{list(self.ways).index(name):04}'

    def port(self, name):
        return int(re.search(r':(\d+);', self.trunks[name]['uri'])[1])

    def start(self):
        """Trunks that stand in for each other are of one server."""
        groups = [[]]
        for name, way in self.ways.items():
            if len(groups[-1]) + len(way) > self.TRUNKS_MAX:
                groups.append([])
            groups[-1] += [n for n in way if n not in groups[-1]]
        for i, names in enumerate(groups):
            place = Trunks(f'{self.name}{i}', [self.trunks[n] for n in names],
                           {self.number(n): self.ways[n] for n in names},
                           **self.settings)
            place.secret('token', self.PASSWORD)
            self.servers.append((names, place.start()))
        return self

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        for _, server in self.servers:
            try:
                server.dump()
            finally:
                server.end()

    def server(self, name):
        return next(s for names, s in self.servers if name in names)

    def call(self, name, flow='plain', **fields):
        return Call(self.server(name), self.number(name), flow, **fields)

    def line(self, name, *options):
        return self.rtp.open(name, 'pcma', f'record={FAR}/{name}.rtp',
                             *options)

    def baresip(self, name, **how):
        how.setdefault('port', self.port(name))
        return Baresip(name, self.number(name), **how)

    def sipp(self, name, scenario=None, line=None, **how):
        return Sipp(name, scenario or name, line, self.port(name), **how)

    def recorded(self, name):
        return Recorded(FAR / f'{name}.rtp')


class Call:
    """A verification over a trunk, watched to the end of its call."""

    def __init__(self, server, to, flow='plain', **fields):
        self.api = server.api()
        self.id = self.api.created(to, flow=flow, purpose='signup',
                                   **fields)['id']
        self.stream = self.api.follow(self.id)
        self.events = []

    def until(self, kind, seconds=CALL_S):
        """The next event of a kind."""
        deadline = Deadline(seconds, f'{kind} after {self.kinds}')
        while True:
            event = self.stream.next(deadline.left())
            self.events.append(event)
            if event.kind == kind:
                return event.json
            assert kind == 'call.ended' or event.kind != 'call.ended', \
                f'{kind} did not come: {self.kinds}'

    @property
    def kinds(self):
        return [e.kind for e in self.events]

    def record(self):
        return self.api.read(self.id)

    def legs(self, count, seconds=CALL_S):
        """That many legs of its record, after their end."""
        for _ in range(count):
            self.until('call.ended', seconds)
        self.stream.close()
        legs = self.record()['calls']
        assert len(legs) == count, legs
        return legs

    def leg(self, seconds=CALL_S):
        """The one there is."""
        return self.legs(1, seconds)[0]


def figure(server, name):
    """One of /metrics."""
    text = server.api().get('/metrics').body.decode()
    return float(re.search(rf'^voiceotp_{name} (\S+)$', text, re.M)[1])


def seconds(text):
    """A time of the API, since 1970."""
    return datetime.fromisoformat(text.replace('Z', '+00:00')).timestamp()


def shows(leg, **what):
    """The leg says so."""
    seen = {k: leg.get(k) for k in what}
    assert seen == what, f'{seen} in place of {what}\n{leg}'


def sip_requests(text):
    """Methods that stand in a trace, in order."""
    return re.findall(r'^([A-Z]+) sip:\S+ SIP/2\.0', text, re.M)
