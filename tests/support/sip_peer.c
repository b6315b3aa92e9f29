// SPDX-License-Identifier: Apache-2.0
/*
 * sip_peer.c - the far end of a call, from a bare socket.
 *
 * It parses no more SIP than it takes to copy what a response must copy, so
 * that it shares no mistake with the library under test.
 */
#include "support/sip_peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
	HEARD_MAX = 256,
	MESSAGE_BYTES = 8192,
	FIELD_BYTES = 1024,
	RTP_BYTES = 12,
	FRAME = 160,
	KEY_PACKETS = 5,
	KEY_ENDS = 3,
	EVENT_PT = 101,
	POLL_MS = 1,
	SSRC = 0x70656572,
};

struct sip_peer {
	int sip, rtp;
	bool tcp; /* sip listens, conn is the far end's */
	int conn;
	char stream[MESSAGE_BYTES];
	size_t stream_bytes;
	unsigned port, rtp_port;
	struct sockaddr_in far; /* who sent last */
	char *heard[HEARD_MAX];
	size_t count;
	bool silent;
	char said[MESSAGE_BYTES], sdp[FIELD_BYTES];
	struct sockaddr_in said_to;
	unsigned cseq, branch;
	uint16_t seq;
	uint32_t ts;
	unsigned packets;
	uint8_t newest[MESSAGE_BYTES];
	size_t newest_bytes;
};

/* --- sockets ------------------------------------------------------------------------ */

static int open_socket(int type, unsigned *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert(fd >= 0);
	assert(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	assert(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*port = ntohs(a.sin_port);
	return fd;
}

struct sip_peer *sip_peer_new(void)
{
	struct sip_peer *p = b_zero(1, sizeof(*p));

	p->sip = open_socket(SOCK_DGRAM, &p->port);
	p->rtp = open_socket(SOCK_DGRAM, &p->rtp_port);
	p->conn = -1;
	p->cseq = 100;
	return p;
}

void sip_peer_use_tcp(struct sip_peer *p)
{
	(void)close(p->sip);
	p->sip = open_socket(SOCK_STREAM, &p->port);
	p->tcp = true;
	assert(listen(p->sip, 1) == 0);
}

void sip_peer_drop(struct sip_peer *p)
{
	assert(p->conn >= 0);
	(void)close(p->conn);
	p->conn = -1;
	p->stream_bytes = 0;
}

void sip_peer_free(struct sip_peer *p)
{
	if (!p)
		return;
	if (p->conn >= 0)
		(void)close(p->conn);
	(void)close(p->sip);
	(void)close(p->rtp);
	for (size_t i = 0; i < p->count; i++)
		free(p->heard[i]);
	free(p);
}

unsigned sip_peer_port(const struct sip_peer *p)
{
	return p->port;
}

unsigned sip_peer_rtp_port(const struct sip_peer *p)
{
	return p->rtp_port;
}

void sip_peer_be_silent(struct sip_peer *p, bool silent)
{
	p->silent = silent;
}

/* --- messages ------------------------------------------------------------------------ */

unsigned sip_peer_heard(const struct sip_peer *p, const char *start)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += strncmp(p->heard[i], start, strlen(start)) == 0;
	return n;
}

const char *sip_peer_last(const struct sip_peer *p, const char *start)
{
	for (size_t i = p->count; i > 0; i--) {
		if (strncmp(p->heard[i - 1], start, strlen(start)) == 0)
			return p->heard[i - 1];
	}
	return NULL;
}

/* The value of a header line; "" where there is none. */
static void field(const char *msg, const char *name, char out[FIELD_BYTES])
{
	const char *end = strstr(msg, "\r\n\r\n");
	size_t n = strlen(name);

	out[0] = '\0';
	for (const char *at = strstr(msg, "\r\n"); at && at < end;
	     at = strstr(at + 2, "\r\n")) {
		if (strncasecmp(at + 2, name, n) != 0 || at[2 + n] != ':')
			continue;
		at += 2 + n + 1;
		at += strspn(at, " ");
		n = strcspn(at, "\r");
		assert(n < FIELD_BYTES);
		memcpy(out, at, n);
		out[n] = '\0';
		return;
	}
}

static void say(struct sip_peer *p)
{
	p->said_to = p->far;
	sip_peer_repeat(p);
}

void sip_peer_repeat(struct sip_peer *p)
{
	size_t length = strlen(p->said);
	ssize_t n;

	if (p->tcp)
		n = send(p->conn, p->said, length, MSG_NOSIGNAL);
	else
		n = sendto(p->sip, p->said, length, 0,
			   (const struct sockaddr *)&p->said_to,
			   sizeof(p->said_to));
	assert(n == (ssize_t)length);
}

static void reply(struct sip_peer *p, const char *to,
		  const struct sip_peer_answer *a)
{
	char via[FIELD_BYTES], from[FIELD_BYTES], dest[FIELD_BYTES];
	char id[FIELD_BYTES], cseq[FIELD_BYTES], tag[FIELD_BYTES] = "";
	char contact[FIELD_BYTES];
	int n;

	(void)snprintf(contact, sizeof(contact),
		       "Contact: <sip:peer@127.0.0.1:%u%s>\r\n", p->port,
		       p->tcp ? ";transport=tcp" : "");
	field(to, "Via", via);
	field(to, "From", from);
	field(to, "To", dest);
	field(to, "Call-ID", id);
	field(to, "CSeq", cseq);
	if (a->code > 100 && !strstr(dest, ";tag="))
		(void)snprintf(tag, sizeof(tag), ";tag=%s",
			       a->tag ? a->tag : "peer");
	n = snprintf(p->said, sizeof(p->said),
		     "SIP/2.0 %d %s\r\n"
		     "Via: %s\r\nFrom: %s\r\nTo: %s%s\r\n"
		     "Call-ID: %s\r\nCSeq: %s\r\n"
		     "%s%s"
		     "%sContent-Length: %zu\r\n\r\n%s",
		     a->code, a->reason ? a->reason : "x", via, from, dest, tag,
		     id, cseq, a->headers ? a->headers : "",
		     a->contact ? a->contact : contact,
		     a->sdp ? "Content-Type: application/sdp\r\n" : "",
		     a->sdp ? strlen(a->sdp) : 0, a->sdp ? a->sdp : "");
	assert(n > 0 && n < MESSAGE_BYTES);
	say(p);
}

void sip_peer_answer_to(struct sip_peer *p, const char *start,
			const struct sip_peer_answer *a)
{
	const char *to = sip_peer_last(p, start);

	assert(to);
	reply(p, to, a);
}

void sip_peer_answer(struct sip_peer *p, const struct sip_peer_answer *a)
{
	sip_peer_answer_to(p, "INVITE ", a);
}

/* Between angle brackets. */
static void uri_of(const char *value, char out[FIELD_BYTES])
{
	const char *at = strchr(value, '<');
	size_t n;

	assert(at);
	n = strcspn(++at, ">");
	memcpy(out, at, n);
	out[n] = '\0';
}

static void ask(struct sip_peer *p, const char *method, unsigned cseq,
		const char *tail)
{
	const char *invite = sip_peer_last(p, "INVITE ");
	char from[FIELD_BYTES], to[FIELD_BYTES], id[FIELD_BYTES];
	char contact[FIELD_BYTES], target[FIELD_BYTES];
	char from_where[FIELD_BYTES] = "";
	int n;

	assert(invite);
	field(invite, "From", from);
	field(invite, "To", to);
	field(invite, "Call-ID", id);
	field(invite, "Contact", contact);
	uri_of(contact, target);
	if (!strstr(tail, "Contact:"))
		(void)snprintf(from_where, sizeof(from_where),
			       "Contact: <sip:peer@127.0.0.1:%u>\r\n", p->port);
	n = snprintf(p->said, sizeof(p->said),
		     "%s %s SIP/2.0\r\n"
		     "Via: SIP/2.0/%s 127.0.0.1:%u;branch=z9hG4bK%u;rport\r\n"
		     "From: %s;tag=peer\r\nTo: %s\r\nCall-ID: %s\r\n"
		     "CSeq: %u %s\r\nMax-Forwards: 70\r\n"
		     "%s%s",
		     method, target, p->tcp ? "TCP" : "UDP", p->port,
		     ++p->branch, to, from, id, cseq, method, from_where, tail);
	assert(n > 0 && n < MESSAGE_BYTES);
	say(p);
}

void sip_peer_ask(struct sip_peer *p, const char *method, const char *headers,
		  const char *type, const char *body)
{
	char tail[MESSAGE_BYTES / 2];

	(void)snprintf(tail, sizeof(tail),
		       "%s%s%s%sContent-Length: %zu\r\n\r\n%s",
		       headers ? headers : "", type ? "Content-Type: " : "",
		       type ? type : "", type ? "\r\n" : "",
		       body ? strlen(body) : 0, body ? body : "");
	ask(p, method, ++p->cseq, tail);
}

void sip_peer_ack(struct sip_peer *p, const char *sdp)
{
	char tail[MESSAGE_BYTES / 2];

	(void)snprintf(tail, sizeof(tail), "%sContent-Length: %zu\r\n\r\n%s",
		       sdp ? "Content-Type: application/sdp\r\n" : "",
		       sdp ? strlen(sdp) : 0, sdp ? sdp : "");
	ask(p, "ACK", p->cseq, tail);
}

const char *sip_peer_sdp(struct sip_peer *p, const char *lines)
{
	(void)snprintf(p->sdp, sizeof(p->sdp),
		       "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
		       "c=IN IP4 127.0.0.1\r\nt=0 0\r\n"
		       "m=audio %u RTP/AVP 0 101\r\n"
		       "a=rtpmap:101 telephone-event/8000\r\n%s",
		       p->rtp_port, lines ? lines : "");
	return p->sdp;
}

/* --- its turn --------------------------------------------------------------------------- */

static void hear(struct sip_peer *p, const char *text, size_t n)
{
	struct sip_peer_answer ok = {.code = 200, .reason = "OK"};
	struct sip_peer_answer gone = {.code = 487};

	assert(p->count < HEARD_MAX);
	p->heard[p->count++] = b_strndup(text, n);
	if (p->silent)
		return;
	if (strncmp(text, "BYE ", 4) == 0)
		sip_peer_answer_to(p, "BYE ", &ok);
	if (strncmp(text, "CANCEL ", 7) == 0) {
		sip_peer_answer_to(p, "CANCEL ", &ok);
		sip_peer_answer(p, &gone);
	}
}

/* The whole messages of a connection. */
static void hear_stream(struct sip_peer *p)
{
	char length[FIELD_BYTES];
	char *end;
	ssize_t n = recv(p->conn, p->stream + p->stream_bytes,
			 sizeof(p->stream) - 1 - p->stream_bytes, 0);

	if (n <= 0)
		return;
	p->stream_bytes += (size_t)n;
	p->stream[p->stream_bytes] = '\0';
	while ((end = strstr(p->stream, "\r\n\r\n"))) {
		size_t whole = (size_t)(end - p->stream) + strlen("\r\n\r\n");

		field(p->stream, "Content-Length", length);
		whole += strtoul(length, NULL, 10);
		if (whole > p->stream_bytes)
			return;
		hear(p, p->stream, whole);
		p->stream_bytes -= whole;
		memmove(p->stream, p->stream + whole, p->stream_bytes + 1);
	}
}

static void hear_signals(struct sip_peer *p)
{
	char text[MESSAGE_BYTES];
	socklen_t len = sizeof(p->far);
	ssize_t n;

	if (!p->tcp) {
		n = recvfrom(p->sip, text, sizeof(text), 0,
			     (struct sockaddr *)&p->far, &len);
		if (n > 0)
			hear(p, text, (size_t)n);
	} else if (p->conn < 0) {
		p->conn = accept4(p->sip, NULL, NULL,
				  SOCK_CLOEXEC | SOCK_NONBLOCK);
	} else {
		hear_stream(p);
	}
}

bool sip_peer_turn(struct sip_peer *p)
{
	struct pollfd fds[] = {{.fd = p->conn >= 0 ? p->conn : p->sip,
				.events = POLLIN},
			       {.fd = p->rtp, .events = POLLIN}};
	ssize_t n;

	if (poll(fds, COUNT_OF(fds), POLL_MS) <= 0)
		return false;
	if (fds[0].revents)
		hear_signals(p);
	if (fds[1].revents) {
		n = recv(p->rtp, p->newest, sizeof(p->newest), 0);
		if (n > 0) {
			p->newest_bytes = (size_t)n;
			p->packets++;
		}
	}
	return true;
}

/* --- sound --------------------------------------------------------------------------------- */

/* To our port of the call, or to the one above it. */
static void send_media(struct sip_peer *p, const void *packet, size_t n,
		       unsigned above)
{
	const char *invite = sip_peer_last(p, "INVITE ");
	const char *media = invite ? strstr(invite, "m=audio ") : NULL;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	assert(media);
	media += strlen("m=audio ");
	to.sin_port = htons((uint16_t)(strtoul(media, NULL, 10) + above));
	(void)!sendto(p->rtp, packet, n, 0, (const struct sockaddr *)&to,
		      sizeof(to));
}

static void send_rtp(struct sip_peer *p, uint8_t pt, const uint8_t *payload,
		     size_t n)
{
	uint8_t packet[RTP_BYTES + FRAME] = {0x80, pt};
	uint16_t seq = htons(p->seq++);
	uint32_t ts = htonl(p->ts), ssrc = htonl(SSRC);

	assert(n <= FRAME);
	memcpy(packet + 2, &seq, sizeof(seq));
	memcpy(packet + 4, &ts, sizeof(ts));
	memcpy(packet + 8, &ssrc, sizeof(ssrc));
	memcpy(packet + RTP_BYTES, payload, n);
	send_media(p, packet, RTP_BYTES + n, 0);
}

void sip_peer_leave(struct sip_peer *p)
{
	uint32_t packet[] = {htonl(0x80c90001), htonl(SSRC), /* an empty RR */
			     htonl(0x81cb0001), htonl(SSRC)};

	send_media(p, packet, sizeof(packet), 1);
}

void sip_peer_speak(struct sip_peer *p)
{
	uint8_t frame[FRAME];

	memset(frame, 0xff, sizeof(frame));
	send_rtp(p, 0, frame, sizeof(frame));
	p->ts += FRAME;
}

void sip_peer_press(struct sip_peer *p, char key)
{
	static const char keys[] = "0123456789*#";
	const char *at = strchr(keys, key);

	assert(at && key);
	for (unsigned i = 1; i <= KEY_PACKETS + KEY_ENDS; i++) {
		unsigned length = (i < KEY_PACKETS ? i : KEY_PACKETS) * FRAME;
		uint8_t event[4] = {(uint8_t)(at - keys),
				    i > KEY_PACKETS ? 0x8a : 0x0a,
				    (uint8_t)(length >> 8), (uint8_t)length};

		send_rtp(p, EVENT_PT, event, sizeof(event));
	}
	p->ts += (KEY_PACKETS + 1) * FRAME;
}

unsigned sip_peer_packets(const struct sip_peer *p)
{
	return p->packets;
}

uint8_t sip_peer_payload_type(const struct sip_peer *p)
{
	return p->newest[1] & 0x7f;
}

bool sip_peer_heard_sound(const struct sip_peer *p, uint8_t byte)
{
	return p->newest_bytes == RTP_BYTES + FRAME &&
	       p->newest[RTP_BYTES] == byte &&
	       p->newest[RTP_BYTES + FRAME - 1] == byte;
}
