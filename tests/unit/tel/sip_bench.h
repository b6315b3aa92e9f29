// SPDX-License-Identifier: Apache-2.0
/*
 * sip_bench.h - a line with one trunk, bare sockets around it, and a call that
 * a test made up: what sip_line, sip_gate, sip_stray and sip_trace are tested
 * with.  The line listens on 127.0.0.1, where the trunk is as well; a stranger
 * comes from 127.0.0.2.
 */
#pragma once

#include "tel/sip_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

enum { BENCH_PATIENCE_MS = 10 * 1000, BENCH_MESSAGE_MAX = 16 << 10 };

/* --- the call, in place of sip_call.c ------------------------------------------ */

struct tsip_call {
	const char *id; /* NULL: there is no call */
	struct tsip_trace *trace;
	int offer_err;
	unsigned offers, infos, byes;
};
static struct tsip_call bench_call;

struct tsip_call *tsip_call_find(struct tel_sip *s, struct span call_id)
{
	(void)s;
	return bench_call.id && span_is(call_id, bench_call.id) ? &bench_call
								: NULL;
}

struct tsip_trace *tsip_call_trace(struct tsip_call *c)
{
	return c->trace;
}

int tsip_call_offer(struct tsip_call *c, struct span sdp, char *out,
		    size_t size)
{
	(void)sdp;
	c->offers++;
	if (!c->offer_err)
		(void)snprintf(out, size, "v=0\r\n");
	return c->offer_err;
}

void tsip_call_info(struct tsip_call *c, const struct sip_msg *msg)
{
	(void)msg;
	c->infos++;
}

void tsip_call_bye(struct tsip_call *c, const struct sip_msg *msg)
{
	(void)msg;
	c->byes++;
}

bool tsip_call_follows(struct tsip_call *c, const struct sip_msg *msg)
{
	(void)c;
	(void)msg;
	return true;
}

/* --- the line ---------------------------------------------------------------------- */

struct sip_bench {
	struct clock *clock;
	struct loop *loop;
	struct tel_sip s;
};
static struct sip_bench bench;

static inline void bench_open(const struct tel_sip_params *p)
{
	struct diag d = {.message = ""};
	struct net n;
	int err;

	memset(&bench, 0, sizeof(bench));
	memset(&bench_call, 0, sizeof(bench_call));
	bench.clock = clock_manual(0);
	bench.loop = loop_new(bench.clock);
	if (p)
		bench.s.p = *p;
	if (!bench.s.p.listen)
		bench.s.p.listen = "127.0.0.1:0";
	bench.s.p.loop = bench.loop;
	bench.s.trunks_count = 1;
	bench.s.trunks[0].sip = &bench.s;
	assert_int_equal(net_parse("127.0.0.1/32", &n, &d), 0);
	assert_int_equal(net_list_add(&bench.s.trunks[0].heard, &n), 0);
	err = tsip_line_open(&bench.s, &d);
	if (err)
		fail_msg("%s: %s", d.field, d.message);
}

static inline int bench_close(void **state)
{
	(void)state;
	tsip_line_close(&bench.s);
	tsip_trace_free(bench_call.trace);
	loop_free(bench.loop);
	clock_free(bench.clock);
	return 0;
}

static inline void bench_settle(void)
{
	while (tsip_timer_turn())
		;
}

/* --- bare sockets ---------------------------------------------------------------------- */

struct bare {
	int fd;
	unsigned port;
	char text[BENCH_MESSAGE_MAX]; /* the last that it heard */
};

static inline void bare_open(struct bare *b, const char *host, int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof(a);

	b->fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	assert_true(b->fd >= 0);
	assert_int_equal(inet_pton(AF_INET, host, &a.sin_addr), 1);
	assert_int_equal(bind(b->fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(getsockname(b->fd, (struct sockaddr *)&a, &n), 0);
	b->port = ntohs(a.sin_port);
}

static inline void bare_send(const struct bare *b, const void *p, size_t n)
{
	assert_int_equal(sendto(b->fd, p, n, 0,
				(struct sockaddr *)&bench.s.laddr,
				net_len(&bench.s.laddr)),
			 (ssize_t)n);
	bench_settle();
}

/* What came, or NULL if nothing did.  Loopback delivers before send() returns,
 * so there is nothing to wait for. */
static inline const char *bare_hear(struct bare *b)
{
	ssize_t n = recv(b->fd, b->text, sizeof(b->text) - 1, MSG_DONTWAIT);

	if (n < 0)
		return NULL;
	b->text[n] = '\0';
	return b->text;
}

/* `what` is "OPTIONS sip:us@127.0.0.1" or "SIP/2.0 200 OK". */
static inline void bare_say(const struct bare *b, const char *what,
			    const char *cseq, const char *to_tag,
			    const char *rest)
{
	char text[BENCH_MESSAGE_MAX];
	bool answer = !strncmp(what, "SIP/2.0", 7);
	int n = snprintf(text, sizeof(text),
			 "%s%s\r\n"
			 "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bK%s;rport"
			 "\r\n"
			 "From: <sip:them@127.0.0.1>;tag=%s\r\n"
			 "To: <sip:us@127.0.0.1>%s%s\r\n"
			 "Call-ID: one@bench\r\n"
			 "CSeq: %s\r\n"
			 "Max-Forwards: 70\r\n"
			 "Contact: <sip:them@127.0.0.1:%u>\r\n"
			 "%s",
			 what, answer ? "" : " SIP/2.0",
			 answer ? net_port(&bench.s.laddr) : b->port, cseq,
			 answer ? "ours" : "theirs", *to_tag ? ";tag=" : "",
			 to_tag, cseq, b->port,
			 *rest ? rest : "Content-Length: 0\r\n\r\n");

	/* no blanks in a branch */
	for (char *at = strstr(text, "branch="); *at != ';'; at++)
		if (*at == ' ')
			*at = '-';
	bare_send(b, text, (size_t)n);
}

static inline bool hears(struct bare *b, const char *start)
{
	const char *text = bare_hear(b);

	return text && !strncmp(text, start, strlen(start));
}

/* --- a call of libre's own ---------------------------------------------------- */

static struct sipsess *bench_sess;
static int bench_closed; /* the status, or the error below zero */
static unsigned bench_answered;

static int bench_on_offer(struct mbuf **mb, const struct sip_msg *msg,
			  void *ctx)
{
	(void)msg;
	(void)ctx;
	*mb = NULL;
	return 0;
}

static int bench_on_sdp(const struct sip_msg *msg, void *ctx)
{
	(void)msg;
	(void)ctx;
	return 0;
}

static void bench_on_established(const struct sip_msg *msg, void *ctx)
{
	(void)msg;
	(void)ctx;
	bench_answered++;
}

static void bench_on_closed(int err, const struct sip_msg *msg, void *ctx)
{
	(void)ctx;
	bench_closed = msg ? tsip_gate_status(msg) : -err;
	bench_sess = mem_deref(bench_sess);
}

static inline void bench_invite(const struct bare *callee,
				const char *transport)
{
	struct mbuf *mb = mbuf_alloc(16);
	char uri[96];

	assert_non_null(mb);
	bench_closed = 0;
	bench_answered = 0;
	(void)snprintf(uri, sizeof(uri), "sip:them@127.0.0.1:%u%s",
		       callee->port, transport);
	assert_int_equal(sipsess_connect(&bench_sess, bench.s.sessions, uri,
					 NULL, "sip:us@example.com", "us", NULL,
					 0, "application/sdp", mb, NULL, NULL,
					 false, bench_on_offer, bench_on_sdp,
					 NULL, bench_on_established, NULL, NULL,
					 bench_on_closed, NULL, NULL),
			 0);
	(void)mem_deref(mb);
	bench_settle();
}

/* The answer to `ask`; `rest` ends its headers. */
static inline int bench_answer_text(const char *ask, const char *status,
				    const char *tag, const char *rest,
				    char *out, size_t size)
{
	static const char *const kept[] = {
		"Via: ", "From: ", "Call-ID: ", "CSeq: "};
	const char *to = strstr(ask, "To: ");
	int n = snprintf(out, size, "SIP/2.0 %s\r\n", status);

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *at = strstr(ask, kept[i]);

		assert_non_null(at);
		n += snprintf(out + n, size - (size_t)n, "%.*s\r\n",
			      (int)strcspn(at, "\r"), at);
	}
	assert_non_null(to);
	return n + snprintf(out + n, size - (size_t)n,
			    "%.*s;tag=%s\r\n%sContent-Length: 0\r\n\r\n",
			    (int)strcspn(to, "\r;"), to, tag, rest);
}

static inline void bench_answer(const struct bare *b, const char *ask,
				const char *status, const char *tag,
				const char *rest)
{
	char text[4096];
	int n = bench_answer_text(ask, status, tag, rest, text, sizeof(text));

	bare_send(b, text, (size_t)n);
}
