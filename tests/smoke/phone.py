# SPDX-License-Identifier: Apache-2.0
"""phone.py - the phone page without a page: its protocol, spoken by a test.

It does what the page's script does and nothing that a page could not: a token
for a session, an event stream that rings, an answer, a WAV file and captions
per prompt, keys.  Time is the server's: a key counts once what it answers has
been said, so this waits for events or for as long as a prompt says it lasts.
"""
import http.client
import queue
import re
import threading
import time

from harness import ANSWER_S, Api, Background, Late, Stream

RING_S = 20
LIFE_S = 600  # of a page
EVENT_S = 60  # the longest prompt, and more
DIGIT_MS = 1100  # until a digit that has begun is over


class Play:
    """A prompt: what is said, and when."""

    def __init__(self, data):
        self.id, self.ms = data['play'], data['ms']
        self.began = time.monotonic() - data['at_ms'] / 1000
        self.captions = data['captions']  # [ms, text]

    def now_ms(self):
        return int((time.monotonic() - self.began) * 1000)

    def left_s(self, until_ms):
        return self.began + until_ms / 1000 - time.monotonic()

    @property
    def text(self):
        return ''.join(text for _, text in self.captions)

    @property
    def digits(self):
        """(when, digit) of each digit that is said alone."""
        return [(ms, text.strip(' ,.')) for ms, text in self.captions
                if re.fullmatch(r'[ ,.]*[0-9][ ,.]*', text)]

    @property
    def asks_for_keys(self):
        """Three to five digits, said once: those to be pressed."""
        return 3 <= len(self.digits) <= 5

    @property
    def code(self):
        """More of them, once or several times over."""
        said = ''.join(digit for _, digit in self.digits)
        if self.asks_for_keys or not said:
            return None
        for times in (3, 2):
            if said[:len(said) // times] * times == said:
                return said[:len(said) // times]
        return said


class Phone:
    """One open page, for any number of calls at the same time."""

    def __init__(self, server):
        self.server = server
        line = server.said_line('/phone#')
        token = line.split('/phone#')[1].strip()
        server.place.secret('token', token)
        self.api = Api(server.port)
        self.origin = server.url
        self.cookie = self._session(token)
        self.calls, self.rings = {}, queue.Queue()
        self.page, self.is_ready = None, threading.Event()
        self.lock = threading.Lock()
        self.stream = Stream(self.api.connect(), '/phone/events',
                             {'Cookie': self.cookie})
        self.reader = Background(self._read)
        if not self.is_ready.wait(ANSWER_S):
            raise Late('the page was not greeted')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()

    def _session(self, token):
        answer = self.api.post('/phone/session', {'token': token},
                               headers={'Origin': self.origin})
        assert answer.status == 204, answer
        cookie = answer.headers['Set-Cookie']
        assert 'HttpOnly' in cookie and 'SameSite=Strict' in cookie, cookie
        return cookie.split(';')[0]

    def _read(self):
        while True:
            try:
                event = self.stream.next(LIFE_S)
            except (OSError, EOFError, ValueError, AttributeError,
                    http.client.HTTPException):
                return
            data = event.json
            if event.kind == 'ready':
                self.page = data['page']
                self.is_ready.set()
            elif event.kind == 'ring':
                self.rings.put(data['call'])
            elif 'call' in data:
                self._of(data['call']).put(event)

    def _of(self, call):
        with self.lock:
            return self.calls.setdefault(call, queue.Queue())

    # what a hand does

    def ring(self, seconds=RING_S):
        try:
            return self.rings.get(timeout=seconds)
        except queue.Empty:
            raise Late(f'no ring within {seconds} s') from None

    def act(self, call, act, **what):
        return self.api.post(f'/phone/calls/{call}/{act}',
                             {'page': self.page, **what},
                             headers={'Cookie': self.cookie,
                                      'Origin': self.origin})

    def does(self, call, act, **what):
        answer = self.act(call, act, **what)
        assert answer.status == 204, answer

    def answer(self, call):
        self.does(call, 'answer')

    def decline(self, call):
        self.does(call, 'decline')

    def hang_up(self, call):
        self.does(call, 'hangup')

    def press(self, call, key, play):
        self.does(call, 'key', key=key, play=play.id, at_ms=play.now_ms())

    def played(self, call, play):
        self.act(call, 'played', play=play.id)  # may be over by then

    # what an ear hears

    def sound(self, call, play):
        answer = self.api.get(
            f'/phone/calls/{call}/sound/{play.id}?page={self.page}',
            headers={'Cookie': self.cookie})
        assert answer.status == 200, answer
        return answer.body

    def next(self, call, seconds=EVENT_S):
        """The next (kind, what) of a call; None when nothing came in time."""
        try:
            event = self._of(call).get(timeout=max(seconds, 0))
        except queue.Empty:
            return None
        what = Play(event.json) if event.kind == 'play' else event.json
        return event.kind, what

    def listen(self, call, play, until_ms=None):
        """As long as a prompt is said, or to that moment of it.

        None, or what came in between.
        """
        until_ms = play.ms if until_ms is None else until_ms
        came = self.next(call, play.left_s(until_ms))
        if came is None and until_ms >= play.ms:
            self.played(call, play)
        return came

    def hear(self, call, passes_check=True):
        """Answer, pass the human check if there is one, hear the code.

        The code, once it was said to the end.  The call is still up then.
        """
        self.answer(call)
        came = self.next(call)
        while True:
            assert came, 'silence'
            kind, what = came
            assert kind != 'ended', f'no code was said: {what}'
            came = None
            if kind == 'play' and what.asks_for_keys:
                came = self.listen(call, what, what.digits[-1][0] + DIGIT_MS)
                if not came and passes_check:
                    for _, digit in what.digits:
                        self.press(call, digit, what)
            elif kind == 'play':
                came = self.listen(call, what)
                if not came and what.code:
                    return what.code
            came = came or self.next(call)
