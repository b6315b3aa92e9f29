// SPDX-License-Identifier: Apache-2.0
/*
 * sip_trunk.c - a trunk: how it wants its requests, and whether it is there.
 *
 * A trunk is TEL_DOWN when it does not answer, and comes back with its next
 * answer; it is so until its name is known (sip_where.c), too.  It is
 * TEL_RESTING when it asked for that or refused our credentials: only time ends
 * a rest, not a ping.
 */
#include "tel/sip_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"

enum {
	TAG_BYTES = 8,
	CODE_FINAL = 200,
	CODE_SILENT = 408,
	CODE_UNAVAILABLE = 503,
	US_PER_MS = 1000,
};

static const char nobody[] = "anonymous.invalid"; /* RFC 3323 4.1.1.3 */
static const char ourselves[] = "voiceotp";

/* --- settings ----------------------------------------------------------------- */

static void own(struct tel_sip_trunk *c, const struct tel_sip_trunk *conf)
{
	const char **from = b_zero(conf->from_count + 1, sizeof(*from));

	*c = *conf;
	c->name = b_strdup(conf->name);
	c->host = b_strdup(conf->host);
	c->outbound_proxy = b_strdup(conf->outbound_proxy);
	c->user = b_strdup(conf->user);
	c->password = b_strdup(conf->password);
	c->from_user = b_strdup(conf->from_user);
	c->from_domain = b_strdup(conf->from_domain);
	c->prefix = b_strdup(conf->prefix);
	c->country_code = b_strdup(conf->country_code);
	c->national_prefix = b_strdup(conf->national_prefix);
	for (size_t i = 0; i < conf->from_count; i++)
		from[i] = b_strdup(conf->from[i]);
	c->from = from;
}

static void drop(const char *text)
{
	/* it was a copy of ours, and const for the readers' sake alone */
	union {
		const char *ours;
		char *mine;
	} u = {.ours = text};

	if (u.mine)
		crypto_wipe(u.mine, strlen(u.mine));
	free(u.mine);
}

static void disown(struct tel_sip_trunk *c)
{
	union {
		const char *const *ours;
		void *mine;
	} u = {.ours = c->from};

	drop(c->name);
	drop(c->host);
	drop(c->outbound_proxy);
	drop(c->user);
	drop(c->password);
	drop(c->from_user);
	drop(c->from_domain);
	drop(c->prefix);
	drop(c->country_code);
	drop(c->national_prefix);
	for (size_t i = 0; c->from && i < c->from_count; i++)
		drop(c->from[i]);
	free(u.mine);
	*c = (struct tel_sip_trunk){0};
}

static bool is_set(const char *text)
{
	return text && text[0] != '\0';
}

/* --- numbers ---------------------------------------------------------------------- */

static void add_number(struct buf *b, const struct tel_sip_trunk *c,
		       const char *e164)
{
	size_t n = is_set(c->country_code) ? strlen(c->country_code) : 0;

	if (*e164 == '+')
		e164++;
	switch (c->format) {
	case TEL_SIP_PLUS:
		buf_byte(b, '+');
		break;
	case TEL_SIP_NATIONAL:
		if (n == 0 || strncmp(e164, c->country_code, n) != 0)
			break; /* of another country: as E.164 has it */
		e164 += n;
		if (is_set(c->national_prefix))
			buf_str(b, c->national_prefix);
		break;
	case TEL_SIP_E164:
		break;
	}
	buf_str(b, e164);
}

static int fits(const struct buf *b, char *out, size_t size)
{
	if (b->err || b->n >= size)
		return -E2BIG;
	memcpy(out, b->p ? b->p : "", b->n + 1);
	return 0;
}

int tsip_trunk_number(const struct tel_sip_trunk *conf, const char *e164,
		      char *out, size_t size)
{
	AUTO_BUF(b, TEL_SIP_URI_BYTES);

	if (is_set(conf->prefix))
		buf_str(&b, conf->prefix);
	add_number(&b, conf, e164);
	return fits(&b, out, size);
}

bool tel_sip_may_show(const struct tel_sip_trunk *t, const char *from)
{
	if (!is_set(from))
		return false;
	for (size_t i = 0; i < t->from_count; i++) {
		if (strcmp(t->from[i], from) == 0)
			return true;
	}
	return false;
}

/* --- words -------------------------------------------------------------------------- */

/* RFC 3261 25.1: what a user part may not hold is escaped. */
static void add_user(struct buf *b, const char *user)
{
	for (; *user; user++) {
		unsigned char c = (unsigned char)*user;
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z') ||
			     strchr("-_.!~*'()&=+$,;?/", c);

		if (plain)
			buf_byte(b, c);
		else
			buf_printf(b, "%%%02X", c);
	}
}

/* The length of the host in "host", "host:port", "[v6]:port" or "v6". */
static size_t host_length(const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *bracket = strrchr(text, ']');

	if (bracket)
		return (size_t)(bracket - text) + 1;
	if (!colon || strchr(text, ':') != colon)
		return strlen(text);
	return (size_t)(colon - text);
}

static const char *transport_param(const struct tsip_trunk *t)
{
	return t->conf.transport == TEL_SIP_TCP ? ";transport=tcp" : "";
}

/* A host for a URI: an IPv6 address is put in brackets. */
static void add_host(struct buf *b, const char *host, size_t n)
{
	bool bare = host[0] != '[' && memchr(host, ':', n);

	if (bare)
		buf_byte(b, '[');
	buf_add(b, host, n);
	if (bare)
		buf_byte(b, ']');
}

static void add_their_host(struct buf *b, const struct tsip_trunk *t)
{
	const char *host = t->conf.host;

	add_host(b, host, strlen(host));
	if (t->conf.port != 0 && t->conf.port != SIP_PORT)
		buf_printf(b, ":%u", t->conf.port);
	buf_str(b, transport_param(t));
}

/* The host that others see of us. */
static void add_our_host(struct buf *b, const struct tel_sip *s)
{
	char text[NET_TEXT_BYTES];

	if (is_set(s->p.advertise)) {
		add_host(b, s->p.advertise, host_length(s->p.advertise));
		return;
	}
	net_host(&s->laddr, text);
	add_host(b, text, strlen(text));
}

static void add_domain(struct buf *b, const struct tsip_trunk *t)
{
	if (is_set(t->conf.from_domain))
		buf_str(b, t->conf.from_domain);
	else
		add_our_host(b, t->sip);
}

static const char *shown(const struct tel_sip_trunk *c, const char *from)
{
	if (tel_sip_may_show(c, from))
		return from;
	return c->from_count > 0 ? c->from[0] : "";
}

static void add_from(struct buf *b, const struct tsip_trunk *t,
		     const char *from)
{
	const struct tel_sip_trunk *c = &t->conf;
	AUTO_BUF(number, TEL_SIP_URI_BYTES);

	buf_str(b, "sip:");
	if (is_set(c->from_user)) {
		add_user(b, c->from_user);
	} else if (c->privacy || !is_set(from)) {
		buf_printf(b, "anonymous@%s", nobody);
		return;
	} else {
		add_number(&number, c, from);
		add_user(b, number.p);
	}
	buf_byte(b, '@');
	add_domain(b, t);
}

static void add_headers(struct buf *b, const struct tsip_trunk *t,
			const char *from)
{
	AUTO_BUF(number, TEL_SIP_URI_BYTES);

	if (t->conf.pai && is_set(from)) {
		add_number(&number, &t->conf, from);
		buf_str(b, "P-Asserted-Identity: <sip:");
		add_user(b, number.p);
		buf_byte(b, '@');
		add_domain(b, t);
		buf_str(b, ">\r\n");
	}
	if (t->conf.privacy)
		buf_str(b, "Privacy: id\r\n");
	buf_str(b, "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE\r\n"
		   "Supported: histinfo\r\n");
}

/* The user part of our Contact and of our pings. */
static void add_account(struct buf *b, const struct tel_sip_trunk *c)
{
	add_user(b, is_set(c->from_user) ? c->from_user
		    : is_set(c->user)    ? c->user
					 : ourselves);
}

int tsip_trunk_words(const struct tsip_trunk *t, const char *to,
		     const char *from, struct tsip_trunk_words *out)
{
	struct buf b = {.max = TSIP_HEADER_MAX};
	char number[TEL_SIP_URI_BYTES];
	int err;

	from = shown(&t->conf, from);
	err = tsip_trunk_number(&t->conf, to, number, sizeof(number));
	if (!err) {
		buf_str(&b, "sip:");
		add_user(&b, number);
		buf_byte(&b, '@');
		add_their_host(&b, t);
		err = fits(&b, out->to, sizeof(out->to));
	}
	if (!err) {
		buf_reset(&b);
		add_from(&b, t, from);
		err = fits(&b, out->from, sizeof(out->from));
	}
	if (!err) {
		buf_reset(&b);
		add_account(&b, &t->conf);
		err = fits(&b, out->user, sizeof(out->user));
	}
	if (!err) {
		buf_reset(&b);
		add_headers(&b, t, from);
		err = fits(&b, out->headers, sizeof(out->headers));
	}
	buf_free(&b);
	return err;
}

/* --- is it there? ---------------------------------------------------------------------- */

static struct timers *timers_of(const struct tsip_trunk *t)
{
	return loop_timers(t->sip->p.loop);
}

static void set_state(struct tsip_trunk *t, const struct tel_sip_news *news)
{
	struct tel_sip *s = t->sip;
	enum tel_state was = atomic_load(&t->state);

	if (was == news->state && t->why == news->why)
		return;
	atomic_store(&t->state, news->state);
	t->why = news->why;
	if (news->state != TEL_RESTING)
		timer_stop(timers_of(t), &t->rest);
	if (s->p.news)
		s->p.news(news, s->p.ctx);
	if (t->tel)
		tel_state_changed(t->tel);
}

static void next_ping(void *ctx);

static void ping_now(struct tsip_trunk *t)
{
	if (t->conf.ping_ms > 0)
		timer_set(timers_of(t), &t->ping, 0, next_ping, t);
}

static void rested(void *ctx)
{
	struct tsip_trunk *t = ctx;

	t->unanswered = 0;
	set_state(t, &(struct tel_sip_news){.trunk = t->conf.name,
					    .state = TEL_UP,
					    .why = TEL_SIP_ANSWERS});
}

static void rest(struct tsip_trunk *t, enum tel_sip_why why, int sip_code,
		 int64_t ms)
{
	if (ms <= 0)
		return;
	if (ms > TSIP_REST_MAX_MS)
		ms = TSIP_REST_MAX_MS;
	timer_set(timers_of(t), &t->rest, ms, rested, t);
	set_state(t, &(struct tel_sip_news){.trunk = t->conf.name,
					    .state = TEL_RESTING,
					    .why = why,
					    .sip_code = sip_code,
					    .rests_ms = ms});
}

static void answers(struct tsip_trunk *t, int sip_code)
{
	t->unanswered = 0;
	if (atomic_load(&t->state) == TEL_DOWN)
		set_state(t, &(struct tel_sip_news){.trunk = t->conf.name,
						    .state = TEL_UP,
						    .why = TEL_SIP_ANSWERS,
						    .sip_code = sip_code});
}

/* Each of its addresses has its chance, the next one at once. */
static unsigned patience(const struct tsip_trunk *t)
{
	size_t n = t->where ? t->where->count : 0;

	return n > TSIP_PING_FAILS ? (unsigned)n : TSIP_PING_FAILS;
}

static void silent(struct tsip_trunk *t, int sip_code)
{
	if (++t->unanswered < patience(t)) {
		if (t->where && t->where->count > 1)
			ping_now(t);
		return;
	}
	if (t->conf.ping_ms == 0) {
		/* nothing would ever find out that it is back */
		rest(t, TEL_SIP_SILENT, sip_code, TSIP_REST_MS);
		return;
	}
	set_state(t, &(struct tel_sip_news){.trunk = t->conf.name,
					    .state = TEL_DOWN,
					    .why = TEL_SIP_SILENT,
					    .sip_code = sip_code});
}

void tsip_trunk_learns(struct tsip_trunk *t, int sip_code, int64_t retry_ms)
{
	switch (sip_code) {
	case 0:
		silent(t, 0);
		break;
	case 401:
	case 407:
		rest(t, TEL_SIP_UNAUTHORIZED, sip_code, TSIP_UNAUTHORIZED_MS);
		break;
	case CODE_UNAVAILABLE:
		answers(t, sip_code);
		rest(t, TEL_SIP_ASKED, sip_code, retry_ms);
		break;
	default:
		answers(t, sip_code);
		break;
	}
}

/* --- pings --------------------------------------------------------------------------------- */

/* An OPTIONS under way.  libre answers for each in the end, but only after half
 * a minute of silence: what asked is told earlier, and then it is detached. */
struct ping {
	struct link link;
	struct tsip_trunk *trunk; /* NULL: nobody wants to know anymore */
	bool waits; /* for the trunk's address: libre has not got it */
	struct sockaddr_storage peer; /* where it went */
	struct timer limit;
	int64_t began_us;
	tel_sip_pinged_h *done; /* NULL: a ping of ours */
	void *ctx;
};

static int64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)1000000 + ts.tv_nsec / 1000;
}

static void detach(struct ping *p)
{
	timer_stop(timers_of(p->trunk), &p->limit);
	ll_remove(&p->link);
	p->trunk = NULL;
}

/* msg NULL: err says why there is none. */
static void tell(struct ping *p, int err, const struct sip_msg *msg)
{
	struct tsip_trunk *t = p->trunk;
	char reason[TEL_SIP_NAME_BYTES] = "";
	int code = msg ? msg->scode : 0;
	const struct sip_hdr *after;

	detach(p);
	if (p->done) {
		if (msg)
			(void)snprintf(reason, sizeof(reason), "%.*s",
				       (int)msg->reason.l, msg->reason.p);
		p->done(err, code, reason, now_us() - p->began_us, p->ctx);
		return;
	}
	after = msg ? sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER) : NULL;
	if (code == CODE_UNAVAILABLE && after)
		tsip_trunk_learns(t, code,
				  tsip_cause_retry_ms(span_make(after->val.p,
								after->val.l)));
	else if (code != 0 && code != CODE_UNAVAILABLE && code != CODE_SILENT)
		answers(t, code);
	else if (tsip_where_failed(t, &p->peer))
		silent(t, code);
}

static void on_answer(int err, const struct sip_msg *msg, void *ctx)
{
	struct ping *p = ctx;

	if (msg && msg->scode < CODE_FINAL)
		return;
	if (p->trunk)
		tell(p, msg ? 0 : -(err ? err : ETIMEDOUT), msg);
	free(p);
}

static void on_limit(void *ctx)
{
	tell(ctx, -ETIMEDOUT, NULL);
}

static void on_unknown(void *ctx)
{
	struct ping *p = ctx;

	tell(p, -ENOENT, NULL);
	free(p);
}

/* It could not even be sent: libre has not kept it. */
static void on_unsent(void *ctx)
{
	struct ping *p = ctx;

	tell(p, -EHOSTUNREACH, NULL);
	free(p);
}

static int add_contact(enum sip_transp tp, const struct sa *src,
		       const struct sa *dst, struct mbuf *mb, void *ctx)
{
	const struct ping *p = ctx;
	AUTO_BUF(user, TSIP_USER_BYTES);
	struct sip_contact contact;

	(void)dst;
	add_account(&user, &p->trunk->conf);
	sip_contact_set(&contact, user.p, src, tp);
	return mbuf_printf(mb, "%H", sip_contact_print, &contact);
}

static int send_options(struct ping *p, const char *to, const char *from)
{
	struct tsip_trunk *t = p->trunk;
	bool routed = t->route[0] != '\0';
	uint8_t random[2 * TAG_BYTES];
	char tag[2 * TAG_BYTES + 1], id[2 * TAG_BYTES + 1];
	struct uri route;
	struct pl pl;

	rng_fill(t->sip->p.rng, random, sizeof(random));
	crypto_hex(random, TAG_BYTES, tag);
	crypto_hex(random + TAG_BYTES, TAG_BYTES, id);
	pl_set_str(&pl, routed ? t->route : to);
	if (uri_decode(&route, &pl))
		return -EINVAL;
	return -sip_requestf(NULL, t->sip->sip, true, "OPTIONS", to, &route,
			     NULL, add_contact, on_answer, p,
			     "%s%s%s"
			     "To: <%s>\r\n"
			     "From: <%s>;tag=%s\r\n"
			     "Call-ID: %s\r\n"
			     "CSeq: 1 OPTIONS\r\n"
			     "Accept: application/sdp\r\n"
			     "Content-Length: 0\r\n"
			     "\r\n",
			     routed ? "Route: <" : "", t->route,
			     routed ? ";lr>\r\n" : "", to, from, tag, id);
}

static void send_ping(struct ping *p)
{
	struct tsip_trunk *t = p->trunk;
	AUTO_BUF(to, TEL_SIP_URI_BYTES);
	AUTO_BUF(from, TEL_SIP_URI_BYTES);

	p->waits = false;
	p->began_us = now_us();
	p->peer = t->peer;
	timer_set(timers_of(t), &p->limit, TSIP_PING_WAIT_MS, on_limit, p);
	buf_str(&to, "sip:");
	add_their_host(&to, t);
	buf_str(&from, "sip:");
	add_account(&from, &t->conf);
	buf_byte(&from, '@');
	add_domain(&from, t);
	if (to.err || from.err || send_options(p, to.p, from.p) != 0) {
		p->waits = true;
		timer_set(timers_of(t), &p->limit, 0, on_unsent, p);
	}
}

void tsip_trunk_ping(struct tsip_trunk *t, tel_sip_pinged_h *done, void *ctx)
{
	struct ping *p = b_zero(1, sizeof(*p));

	p->trunk = t;
	p->done = done;
	p->ctx = ctx;
	p->began_us = now_us();
	ll_append(&t->pings, &p->link);
	if (t->where) {
		send_ping(p);
		return;
	}
	p->waits = true;
	timer_set(timers_of(t), &p->limit, TSIP_PING_WAIT_MS, on_unknown, p);
}

static void next_ping(void *ctx)
{
	struct tsip_trunk *t = ctx;

	timer_set(timers_of(t), &t->ping, t->conf.ping_ms, next_ping, t);
	tsip_trunk_ping(t, NULL, NULL);
}

/* --- where it is ------------------------------------------------------------------------------- */

void tsip_trunk_moved(struct tsip_trunk *t, bool first)
{
	bool unheard = t->why == TEL_SIP_SILENT &&
		       atomic_load(&t->state) == TEL_RESTING;

	t->unanswered = 0;
	ll_each_safe (at, &t->pings) {
		struct ping *p = ll_entry(at, struct ping, link);

		if (p->waits)
			send_ping(p);
	}
	if (first || unheard)
		rested(t);
	ping_now(t);
}

void tsip_trunk_unknown(struct tsip_trunk *t)
{
	ll_each_safe (at, &t->pings) {
		struct ping *p = ll_entry(at, struct ping, link);

		if (p->waits)
			timer_set(timers_of(t), &p->limit, 0, on_unknown, p);
	}
	set_state(t, &(struct tel_sip_news){.trunk = t->conf.name,
					    .state = TEL_DOWN,
					    .why = TEL_SIP_UNKNOWN});
}

/* --- life ------------------------------------------------------------------------------------- */

int tsip_trunk_open(struct tel_sip *s, size_t index,
		    const struct tel_sip_trunk *conf, struct diag *d)
{
	struct tsip_trunk *t = &s->trunks[index];
	struct tel_limits limits = {.per_second = conf->calls_per_second,
				    .calls = conf->max_calls};
	int err;

	*t = (struct tsip_trunk){.sip = s, .index = index};
	ll_init(&t->pings);
	own(&t->conf, conf);
	err = tsip_where_open(t, d);
	if (err) {
		disown(&t->conf);
		return err;
	}
	atomic_store(&t->state, t->where ? TEL_UP : TEL_DOWN);
	t->tel = tel_new(&tsip_call_driver, t);
	tel_limit(t->tel, s->p.loop, &limits);
	return 0;
}

void tsip_trunk_start(struct tsip_trunk *t)
{
	tsip_where_start(t);
	if (t->where)
		ping_now(t);
}

void tsip_trunk_close(struct tsip_trunk *t)
{
	if (!t->sip)
		return;
	timer_stop(timers_of(t), &t->ping);
	timer_stop(timers_of(t), &t->rest);
	ll_each_safe (at, &t->pings) {
		struct ping *p = ll_entry(at, struct ping, link);
		bool ours = p->waits;

		detach(p);
		if (ours)
			free(p);
	}
	tsip_call_forget(t);
	tsip_where_close(t);
	tel_free(t->tel); /* its free() clears this */
	disown(&t->conf);
	t->sip = NULL;
}
