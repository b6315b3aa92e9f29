# SPDX-License-Identifier: Apache-2.0
"""trunk_peer.py - a small trunk: it answers OPTIONS and INVITE as it is told to,
sends a packet of sound for each that it gets, and presses a key by
telephone-event once it has heard enough.
"""
import re
import socket
import struct
import threading

from far import ports

HOST = '127.0.0.1'
TO = '+14155550100'
FROM = '+15671234567'
KEY_AFTER = 60  # packets: 1.2 s of sound
EVENT_PT, EVENT_MS = 101, 100

RTP_HEAD = '!BBHII'


class Peer:
    """A trunk.  `options` and `invite` are what it answers; 0 is nothing.  So
    many of the first BYEs are lost."""

    def __init__(self, options=200, invite=200, key='5', lost=0):
        self.options, self.invite, self.key = options, invite, key
        self.lost = lost
        self.sip, self.rtp = self._socket(), self._socket()
        self.over = threading.Event()
        self.heard, self.invites, self.byes = 0, [], 0
        self.threads = [threading.Thread(target=t, daemon=True)
                        for t in (self._signal, self._sound)]
        for t in self.threads:
            t.start()

    @staticmethod
    def _socket():
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((HOST, 0))
        s.settimeout(0.2)
        return s

    @property
    def port(self):
        return self.sip.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.over.set()
        for t in self.threads:
            t.join()
        self.sip.close()
        self.rtp.close()

    def _each(self, s):
        while not self.over.is_set():
            try:
                yield s.recvfrom(4096)
            except socket.timeout:
                continue

    # signalling

    def _signal(self):
        for data, source in self._each(self.sip):
            text = data.decode()
            method = text.split(' ', 1)[0]
            if method == 'OPTIONS' and self.options:
                self._answer(text, source, self.options)
            elif method == 'INVITE':
                self.invites.append(text)
                if self.invite:
                    self._ring(text, source)
            elif method == 'BYE':
                self.byes += 1
                if self.byes > self.lost:
                    self._answer(text, source, 200)

    def _ring(self, text, source):
        if self.invite == 200:
            self._answer(text, source, 180)
            self._answer(text, source, 200, '\r\n'.join((
                'v=0', f'o=- 1 1 IN IP4 {HOST}', 's=-',
                f'c=IN IP4 {HOST}', 't=0 0',
                f'm=audio {self.rtp.getsockname()[1]} RTP/AVP 8 {EVENT_PT}',
                'a=rtpmap:8 PCMA/8000',
                f'a=rtpmap:{EVENT_PT} telephone-event/8000', '')))
        else:
            self._answer(text, source, self.invite)

    def _answer(self, text, source, code, sdp=''):
        kept = re.findall(r'^(?:Via|From|Call-ID|CSeq): .*$', text, re.M)
        to = re.search(r'^To: [^\r]*', text, re.M).group()
        lines = [f'SIP/2.0 {code} Said', *(k.rstrip('\r') for k in kept),
                 to if ';tag=' in to else to + ';tag=peer',
                 f'Contact: <sip:{HOST}:{self.port}>']
        if code == 401:
            lines.append('WWW-Authenticate: Digest realm="r", nonce="n1"')
        if sdp:
            lines.append('Content-Type: application/sdp')
        lines += [f'Content-Length: {len(sdp)}', '', sdp]
        self.sip.sendto('\r\n'.join(lines).encode(), source)

    # sound: a packet for each, so that its clock is theirs

    def _sound(self):
        for data, source in self._each(self.rtp):
            if len(data) < 12 or data[1] & 0x7f != 8:
                continue
            self.heard += 1
            n = self.heard
            self._send(source, 8, n, n * 160, b'\xd5' * 160)
            if n == KEY_AFTER and self.key:
                self._press(source, n)

    def _press(self, source, n):
        event = '0123456789*#'.index(self.key)
        for end in (0, 1, 1, 1):
            n += 1
            self._send(source, EVENT_PT, n, n * 160,
                       struct.pack('!BBH', event, end << 7 | 10,
                                   EVENT_MS * 8))
        self.heard = n

    def _send(self, source, pt, seq, ts, payload):
        self.rtp.sendto(struct.pack(RTP_HEAD, 0x80, pt, seq & 0xffff, ts,
                                    0x01020304) + payload, source)


def rtp():
    """Settings of sound with ports of one's own."""
    first = ports(64)
    return {'ports': f'{first}-{first + 63}'}
