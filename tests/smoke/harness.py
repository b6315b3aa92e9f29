# SPDX-License-Identifier: Apache-2.0
"""harness.py - the real program, started and spoken to as a stranger would.

A test program is a file of sentences (functions under @sentence) that ends in
tell(), which says as TAP which of them are true.  A Place is a folder in which
the program is run; it is kept, with its logs and its store, until the same
test program runs again, because test_secrets.py searches all of them for every
code, number and token that was written down with Place.secret().

Nothing here lets time pass: whatever is waited for is a line of a log, an
answer, an event, or the end of a process, and each wait has a deadline.  Only
processes that were started here are ended here.
"""
import http.client
import json
import os
import queue
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(os.environ.get('VOICEOTP_SOURCE',
                             Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ['VOICEOTP_BUILD'])
PROGRAM = os.environ['VOICEOTP_PROGRAM']
KEPT = BUILD / 'kept'
NAME = Path(sys.argv[0]).stem.removeprefix('test_')  # of this test program

ANSWER_S = 20  # an answer of a healthy server, on a slow machine
START_S = 60   # to be ready, when every clip must first be rendered
STOP_S = 75    # running calls have 60 s to say goodbye
POLL_S = 0.05
OLDEST = ''    # as Last-Event-ID: all events that are kept

SANDBOX = '+1555555'  # and four digits
PAGE = SANDBOX + '0100'

# What every server of these tests has; a test lays its own over it.
SETTINGS = {
    'listen': '127.0.0.1:0',
    'cache_dir': str(KEPT / 'cache'),  # shared: clips are rendered once
    'languages': ['en'],
    'limits': {name: 0 for name in (
        'number_per_30s', 'number_per_10min', 'number_per_day',
        'client_per_hour', 'key_per_hour', 'prefix4_per_hour',
        'prefix5_per_hour', 'prefix6_per_hour', 'prefix7_per_hour',
        'prefix8_per_hour', 'country_per_hour', 'prefix_calls')},
}


class Late(AssertionError):
    """What was waited for did not come in time."""


class Deadline:
    """A moment; left() is the time until then, and raises once it is past."""

    def __init__(self, seconds, what):
        self.at = time.monotonic() + seconds
        self.seconds, self.what = seconds, what

    def left(self):
        left = self.at - time.monotonic()
        if left <= 0:
            raise Late(f'{self.what}: not within {self.seconds} s')
        return left


# --- sentences ---------------------------------------------------------------

_sentences = []


def sentence(function):
    """Mark a function as a test; its name is what it claims."""
    _sentences.append(function)
    return function


def note(*what):
    """A line for whoever reads the log; not part of the result."""
    print('\n'.join('# ' + line
                    for line in ' '.join(map(str, what)).splitlines()),
          flush=True)


def _is_true(function, args):
    began = time.monotonic()
    try:
        function(*args)
        return '', time.monotonic() - began
    except BaseException as e:  # noqa: a test may fail in any way
        if isinstance(e, KeyboardInterrupt):
            raise
        return traceback.format_exc(), time.monotonic() - began


def tell(*args, together=1):
    """Run every sentence, `together` at a time; end the program."""
    print(f'1..{len(_sentences)}', flush=True)
    false = 0
    with ThreadPoolExecutor(together) as pool:
        jobs = {pool.submit(_is_true, f, args): f for f in _sentences}
        for n, job in enumerate(as_completed(jobs), 1):
            why, took = job.result()
            if why:
                false += 1
                note(why)
            print(f'{"not " if why else ""}ok {n} - {jobs[job].__name__}'
                  f' # {took:.1f} s', flush=True)
    return 1 if false else 0


# --- places ------------------------------------------------------------------

def lay_over(under, over):
    """`under` with `over` on top; mappings are merged."""
    out = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = lay_over(out[key], value) if both else value
    return out


class Ran:
    """What one command said."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def text(self):
        return self.out.decode()

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f'exit {self.code}\nout: {self.text}\nerr: {self.err}'


class Place:
    """A folder to run the program in, with a settings file of its own."""

    made = False
    making = threading.Lock()
    options = ('--dev',)  # of a server, unless it is given some

    def __init__(self, name, **settings):
        with Place.making:  # several tests begin at once
            if not Place.made:  # what the last run of this program left
                shutil.rmtree(KEPT / NAME, ignore_errors=True)
                Place.made = True
        self.path = KEPT / NAME / name
        self.path.mkdir(parents=True)
        self.config = self.path / 'voiceotp.yaml'
        self.servers = 0
        self.settings(**settings)

    def settings(self, **settings):
        """Write the settings file; JSON is YAML."""
        self.raw_settings(json.dumps(lay_over(SETTINGS, settings), indent=1))

    def raw_settings(self, text):
        self.config.write_text(text)

    def env(self, **more):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith('VOICEOTP_')}
        return env | more

    def run(self, *words, timeout=30, env=None):
        """One command of the program, to its end."""
        done = subprocess.run([PROGRAM, *words], cwd=self.path,
                              env=self.env(**(env or {})), timeout=timeout,
                              stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        return Ran(done.returncode, done.stdout,
                   done.stderr.decode(errors='replace'))

    def operate(self, *words):
        """An operator's command on this place's store; it must work."""
        ran = self.run(*words, '--config', str(self.config), '--dev',
                       '--json')
        assert ran.code == 0, ran
        return ran.json if ran.out.strip() else None

    def secret(self, kind, text):
        """Write down what must be found nowhere: a code, a number, a token."""
        write_down(KEPT / NAME / 'secrets.list', kind, text)

    def start(self, *options, env=None):
        """A server that is ready; whoever starts it ends it."""
        server = Server(self, options or self.options, env or {})
        try:
            return server.ready()
        except BaseException:
            server.end()
            raise

    @contextmanager
    def serving(self, *options, env=None):
        """A server that is ready; stopped, quickly, at the end."""
        server = self.start(*options, env=env)
        try:
            yield server
            server.dump()
        finally:
            server.end()

    def serve_and_fail(self, *options, env=None, timeout=START_S):
        """A server that must not start."""
        return self.run('serve', '--config', str(self.config),
                        *(options or self.options), timeout=timeout, env=env)


_writing = threading.Lock()


def write_down(path, kind, text):
    line = f'{kind} {text}\n'.encode()
    with _writing:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(fd, line)
        finally:
            os.close(fd)


# --- a server ----------------------------------------------------------------

def _allow():
    """As a shell would that lets files grow, and a program dump its core."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    # a file that may not grow is then an error of the write (see fill_disk)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


class Server:
    """One life of `voiceotp serve`, its log read line by line."""

    def __init__(self, place, options, env):
        place.servers += 1
        self.place, self.number = place, place.servers
        self.log, self.said, self.port, self.token = [], [], None, None
        self.news = threading.Condition()
        self.open_ends = 2
        self.leaving = False
        self.process = subprocess.Popen(
            [PROGRAM, 'serve', '--config', str(place.config), *options],
            cwd=place.path, env=place.env(**env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=_allow)
        self.readers = [
            threading.Thread(target=self._read_log, daemon=True),
            threading.Thread(target=self._read_said, daemon=True)]
        for reader in self.readers:
            reader.start()

    # what it says

    def _read_log(self):
        path = self.place.path / f'log.{self.number}'
        with self.process.stderr as lines, path.open('wb') as kept:
            for line in lines:
                kept.write(line)
                kept.flush()
                try:
                    record = json.loads(line)
                except ValueError:
                    record = {'event': 'not JSON', 'line': line}
                with self.news:
                    self.log.append(record)
                    self.news.notify_all()
        self._end_of_one()

    def _read_said(self):
        """Standard output; not kept, as it shows a token on purpose."""
        with self.process.stdout as lines:
            for line in lines:
                with self.news:
                    self.said.append(line.decode())
                    self.news.notify_all()
        self._end_of_one()

    def _end_of_one(self):
        with self.news:
            self.open_ends -= 1
            self.news.notify_all()

    def wait_until(self, condition, seconds, what):
        """condition() under the lock of log and said; its true value."""
        deadline = Deadline(seconds, what)
        with self.news:
            while True:
                value = condition()
                if value:
                    return value
                assert self.open_ends, \
                    f'{what}: the server ended first\n{self.last_words()}'
                self.news.wait(deadline.left())

    def last_words(self):
        return '\n'.join(json.dumps(r, default=repr) for r in self.log[-12:])

    def logged(self, event, since=0, seconds=ANSWER_S):
        """The first record of an event, waited for."""
        return self.wait_until(
            lambda: next((r for r in self.log[since:]
                          if r.get('event') == event), None),
            seconds, f'{event} in the log')

    def said_line(self, part, seconds=ANSWER_S):
        """The last line of standard output with `part` in it, waited for."""
        return self.wait_until(
            lambda: next((s for s in reversed(self.said) if part in s), None),
            seconds, f'{part} on standard output')

    # what it is

    def ready(self):
        self.port = self.logged('server.ready', seconds=START_S)['port']
        token = self.place.path / 'var/dev.token'
        if token.exists():
            self.token = token.read_text().strip()
            self.place.secret('token', self.token)
        return self

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}'

    def api(self, token=None, **how):
        return Api(self.port, token or self.token, place=self.place, **how)

    def poll(self, question, seconds, what):
        """Ask until the answer is true; the server must live meanwhile."""
        deadline = Deadline(seconds, what)
        while True:
            value = question()
            if value:
                return value
            try:
                self.process.wait(min(POLL_S, deadline.left()))
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f'{what}: the server ended first\n'
                                 f'{self.last_words()}')

    def dump(self):
        """Keep what it tells of itself, for the search for secrets."""
        if self.leaving or self.process.poll() is not None or not self.token:
            return
        figures = self.api().get('/metrics')
        assert figures.status == 200, figures
        self.keep('metrics', figures.body)
        with self.api().events('/v1/events', OLDEST) as stream:
            told = []
            try:
                while True:
                    told.append(repr(stream.next(0.5)))
            except (Late, EOFError):
                self.keep('events', '\n'.join(told).encode())

    def keep(self, what, data):
        (self.place.path / f'{what}.{self.number}').write_bytes(data)

    def fill_disk(self, full=True):
        """No file of its may grow any more, as if the disk were full."""
        size = 4096 if full else resource.RLIM_INFINITY
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE,
                         (size, resource.RLIM_INFINITY))

    # how it ends

    def signal(self, number):
        self.leaving |= number in (signal.SIGTERM, signal.SIGINT)
        self.process.send_signal(number)

    def stop(self, seconds=STOP_S):
        """SIGTERM; the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.ended(seconds)

    def kill(self):
        self.process.kill()
        return self.ended(ANSWER_S)

    def ended(self, seconds):
        code = self.process.wait(seconds)
        for reader in self.readers:
            reader.join(ANSWER_S)
        return code

    def end(self):
        """However it stands: gone."""
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            self.signal(number)
            try:
                # the second one says: do not wait for calls
                self.process.wait(1 if number == signal.SIGTERM else ANSWER_S)
            except subprocess.TimeoutExpired:
                continue
        self.ended(ANSWER_S)


# --- speaking to it ----------------------------------------------------------

class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f'{self.status} {self.body[:2000]!r}'


class Api:
    """A client that keeps one connection per thread."""

    def __init__(self, port, token=None, place=None, timeout=ANSWER_S):
        self.port, self.token, self.timeout = port, token, timeout
        self.place = place
        self.local = threading.local()

    def headers(self, more=None):
        out = dict(more or {})
        if self.token:
            out.setdefault('Authorization', f'Bearer {self.token}')
        return out

    def connect(self):
        return http.client.HTTPConnection('127.0.0.1', self.port,
                                          timeout=self.timeout)

    def ask(self, method, path, body=None, headers=None):
        """One request.  `body`: bytes as they are, anything else as JSON."""
        headers = self.headers(headers)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault('Content-Type', 'application/json')
        kept = getattr(self.local, 'connection', None)
        if kept:
            try:
                return self._ask(kept, method, path, body, headers)
            except (ConnectionError, http.client.BadStatusLine):
                pass  # it was idle for too long, and closed
        return self._ask(self.connect(), method, path, body, headers)

    def _ask(self, connection, method, path, body, headers):
        self.local.connection = None
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers,
                            response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self.local.connection = connection
        return answer

    def get(self, path, **how):
        return self.ask('GET', path, **how)

    def post(self, path, body=None, **how):
        return self.ask('POST', path, body if body is not None else {}, **how)

    def events(self, path, last_id=None):
        headers = {'Accept': 'text/event-stream'}
        if last_id is not None:
            headers['Last-Event-ID'] = last_id
        return Stream(self.connect(), path, self.headers(headers))

    # the few things that every test does

    def create(self, to, key=None, **fields):
        """Ask for a verification; the answer, whatever it is."""
        if self.place:
            self.place.secret('number', to)
        headers = {'Idempotency-Key': key} if key else None
        answer = self.post('/v1/verifications', {'to': to, **fields},
                           headers=headers)
        if self.place and answer.status == 201 and 'code' in answer.json:
            self.place.secret('code', answer.json['code'])
        return answer

    def created(self, to, **fields):
        """Ask for a verification that must be had; its record."""
        answer = self.create(to, **fields)
        assert answer.status == 201, answer
        return answer.json

    def read(self, id_):
        answer = self.get(f'/v1/verifications/{id_}')
        assert answer.status == 200, answer
        return answer.json

    def check(self, id_, code):
        answer = self.post(f'/v1/verifications/{id_}/check', {'code': code})
        assert answer.status == 200, answer
        return answer.json

    def follow(self, id_):
        return self.events(f'/v1/verifications/{id_}/events')


class Event:
    def __init__(self, id_, kind, data):
        self.id, self.kind, self.data = id_, kind, data

    @property
    def json(self):
        return json.loads(self.data)

    def __repr__(self):
        return f'{self.id} {self.kind} {self.data}'


class Stream:
    """Server-sent events, one at a time."""

    def __init__(self, connection, path, headers):
        self.connection = connection
        connection.request('GET', path, headers=headers)
        self.response = connection.getresponse()
        if self.response.status != 200:
            answer = Answer(self.response.status, self.response.headers,
                            self.response.read())
            connection.close()
            raise AssertionError(f'{path}: {answer}')
        self.socket = self.response.fp.raw._sock  # http.client drops its own

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Also from another thread than the one that reads."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it is gone already
        self.response.close()
        self.connection.close()

    def _line(self, deadline):
        self.socket.settimeout(deadline.left())
        try:
            line = self.response.readline()
        except TimeoutError:
            raise Late(f'{deadline.what}: not within '
                       f'{deadline.seconds} s') from None
        if not line:
            raise EOFError('the event stream ended')
        return line.decode().rstrip('\r\n')

    def next(self, seconds=ANSWER_S, what='an event'):
        deadline = Deadline(seconds, what)
        fields = {}
        while True:
            line = self._line(deadline)
            if not line and 'data' in fields:
                return Event(fields.get('id'), fields.get('event', 'message'),
                             fields['data'])
            name, _, value = line.partition(':')
            if name:  # a comment has none
                fields[name] = value.removeprefix(' ')

    def until(self, kind, seconds=ANSWER_S):
        """Every event up to the first of `kind`."""
        deadline = Deadline(seconds, kind)
        seen = []
        while not seen or seen[-1].kind != kind:
            try:
                seen.append(self.next(deadline.left(), kind))
            except AssertionError as e:
                raise type(e)(f'{e}; before it came '
                              f'{[s.kind for s in seen]}') from None
        return seen


class Background:
    """A function on a thread of its own; result() raises what it raised."""

    def __init__(self, function, *args):
        self.answers = queue.Queue()
        self.thread = threading.Thread(target=self._run, args=(function, args),
                                       daemon=True)
        self.thread.start()

    def _run(self, function, args):
        try:
            self.answers.put((function(*args), None))
        except BaseException as e:  # noqa: handed on
            self.answers.put((None, e))

    def result(self, seconds=ANSWER_S):
        try:
            value, error = self.answers.get(timeout=seconds)
        except queue.Empty:
            raise Late(f'not within {seconds} s') from None
        if error:
            raise error
        return value
