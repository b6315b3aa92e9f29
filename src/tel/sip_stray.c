// SPDX-License-Identifier: Apache-2.0
/*
 * sip_stray.c - requests and answers that belong to no call of libre's.
 *
 * libre acknowledges the first 2xx of a call and forgets every other: a second
 * phone that answered (a forked call) would talk to nobody, and be paid for,
 * for as long as its switch likes.  Here each such leg gets its ACK and a BYE.
 *
 * Which legs are libre's own is seen on what leaves: who got an ACK by libre
 * has a dialog.  That is remembered as long as the call lives, and at least as
 * long as a 2xx can be sent again (64*T1).
 *
 * libre also answers 501 to in-dialog UPDATE, OPTIONS and INFO, and 486 to a
 * call to us.  All requests but INVITE and BYE of calls are answered here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "tel/sip_priv.h"

enum {
	REMEMBER_MS = 64 * SIP_T1, /* RFC 3261 13.3.1.4 */
	LEGS_MAX = 32, /* of one call; more are ended unremembered */
	ROUTES_MAX = 16,
	OFFER_BYTES = 2048,
	CNONCE_BYTES = 8,
	FINAL = 200,
	WWW_AUTH = 401,
	PROXY_AUTH = 407,
};

#define ALLOW "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO\r\n"
#define NOTHING "Content-Length: 0\r\n\r\n"

/* Who answered one call of ours. */
struct leg {
	struct link link;
	bool stray; /* ended by us, not libre's */
	char tag[]; /* theirs */
};
struct answered {
	struct tel_sip *s;
	struct link legs;
	unsigned count;
	struct timer timer;
	char id[]; /* Call-ID */
};

/* Call-ID -> struct answered.  There is one line in a process. */
static struct map *calls;
static unsigned strays, endings; /* that are remembered, under way */

static struct span span_pl(const struct pl *pl)
{
	return span_make(pl->p, pl->l);
}

static struct answered *find(struct span id)
{
	AUTO_FREE char *key = b_strndup(id.p ? id.p : "", id.n);

	return calls ? map_get(calls, key) : NULL;
}

static struct leg *find_leg(const struct answered *a, struct span tag)
{
	ll_each (at, &a->legs) {
		struct leg *leg = ll_entry(at, struct leg, link);

		if (span_is(tag, leg->tag))
			return leg;
	}
	return NULL;
}

static void forget(struct answered *a)
{
	(void)map_remove(calls, a->id);
	timer_stop(loop_timers(a->s->p.loop), &a->timer);
	ll_each_safe (at, &a->legs) {
		struct leg *leg = ll_entry(at, struct leg, link);

		strays -= leg->stray;
		free(leg);
	}
	free(a);
}

static void on_old(void *ctx)
{
	struct answered *a = ctx;

	if (tsip_call_find(a->s, span_of(a->id)))
		timer_set(loop_timers(a->s->p.loop), &a->timer, REMEMBER_MS,
			  on_old, a);
	else
		forget(a);
}

static void remember(struct tel_sip *s, struct span id, struct span tag,
		     bool stray)
{
	struct answered *a = find(id);
	struct leg *leg;

	if (!a) {
		a = b_zero(1, sizeof(*a) + id.n + 1);
		a->s = s;
		ll_init(&a->legs);
		memcpy(a->id, id.p, id.n);
		(void)map_put(calls, a->id, a);
	}
	timer_set(loop_timers(s->p.loop), &a->timer, REMEMBER_MS, on_old, a);
	if (find_leg(a, tag) || a->count == LEGS_MAX)
		return;
	leg = b_zero(1, sizeof(*leg) + tag.n + 1);
	leg->stray = stray;
	strays += stray;
	memcpy(leg->tag, tag.p, tag.n);
	ll_append(&a->legs, &leg->link);
	a->count++;
}

void tsip_stray_sent(struct tel_sip *s, struct span message)
{
	struct sip_msg *msg = NULL;
	struct mbuf *mb;

	if (!calls || !span_starts(message, "ACK "))
		return;
	mb = mbuf_alloc(message.n);
	if (!mb)
		return;
	if (!mbuf_write_mem(mb, (const uint8_t *)message.p, message.n)) {
		mb->pos = 0;
		if (!sip_msg_decode(&msg, mb) && msg->to.tag.l > 0 &&
		    msg->callid.l > 0)
			remember(s, span_pl(&msg->callid),
				 span_pl(&msg->to.tag), false);
	}
	(void)mem_deref(msg);
	(void)mem_deref(mb);
}

/* --- a leg that nobody asked for ---------------------------------------------------- */

/* Where a request inside that dialog goes (RFC 3261 12.2.1.1). */
struct way {
	struct pl target, routes[ROUTES_MAX];
	size_t count;
};

static bool add_route(const struct sip_hdr *hdr, const struct sip_msg *msg,
		      void *ctx)
{
	struct way *w = ctx;

	(void)msg;
	if (w->count == ROUTES_MAX)
		return true;
	w->routes[w->count++] = hdr->val;
	return false;
}

static void read_way(const struct sip_msg *msg, struct way *w)
{
	const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	*w = (struct way){.target = msg->to.auri};
	/* who says nothing of use is still to be told that it is over */
	if (contact && !sip_addr_decode(&addr, &contact->val))
		w->target = addr.auri;
	/* the last hop that recorded itself is the first to be visited */
	(void)sip_msg_hdr_apply(msg, false, SIP_HDR_RECORD_ROUTE, add_route, w);
}

/* Back to who sent it, if its routes name what we do not reach. */
static int next_hop(const struct tel_sip *s, const struct sip_msg *msg,
		    const struct way *w, struct uri *uri, char *text,
		    size_t size)
{
	struct sip_addr addr;
	struct pl pl = w->target;

	if (w->count > 0 && !sip_addr_decode(&addr, &w->routes[0]))
		pl = addr.auri;
	if (!uri_decode(uri, &pl) && tsip_way_leads(s, uri))
		return 0;
	if (re_snprintf(text, size, "sip:%J;transport=%s", &msg->src,
			msg->tp == SIP_TRANSP_TCP ? "tcp" : "udp") < 0)
		return -E2BIG;
	pl_set_str(&pl, text);
	return -uri_decode(uri, &pl);
}

/* A leg's end under way: its BYE may be challenged. */
struct ending {
	struct tel_sip *s;
	struct sip_msg *msg; /* the 2xx; a reference of ours */
	struct way way;      /* points into it */
	uint32_t cseq;
	bool answered; /* the challenge was, once */
};

struct outgoing {
	const char *method;
	uint32_t cseq;
	const char *credentials; /* a header with its CRLF, or "" */
	sip_resp_h *done;        /* NULL: nobody waits */
	void *ctx;
};

static int write_headers(struct mbuf *mb, const struct sip_msg *msg,
			 const struct way *w, const struct outgoing *o)
{
	int err = 0;

	for (size_t i = 0; i < w->count && !err; i++)
		err = mbuf_printf(mb, "Route: %r\r\n", &w->routes[i]);
	if (!err)
		err = mbuf_printf(mb,
				  "Max-Forwards: 70\r\n"
				  "To: %r\r\n"
				  "From: %r\r\n"
				  "Call-ID: %r\r\n"
				  "CSeq: %u %s\r\n%s" NOTHING,
				  &msg->to.val, &msg->from.val, &msg->callid,
				  o->cseq, o->method, o->credentials);
	mb->pos = 0;
	return -err;
}

static int send_one(struct tel_sip *s, const struct sip_msg *msg,
		    const struct way *w, const struct outgoing *o)
{
	char text[NET_TEXT_BYTES * 2];
	struct mbuf *mb = mbuf_alloc(TSIP_HEADER_MAX);
	struct uri route;
	int err =
		mb ? next_hop(s, msg, w, &route, text, sizeof(text)) : -ENOMEM;

	if (!err)
		err = write_headers(mb, msg, w, o);
	if (!err)
		err = -sip_request(NULL, s->sip, o->done != NULL, o->method, -1,
				   w->target.p, (int)w->target.l, &route, mb, 0,
				   NULL, o->done, o->ctx);
	(void)mem_deref(mb);
	return err;
}

static void ended(struct ending *e)
{
	endings--;
	(void)mem_deref(e->msg);
	free(e);
}

static bool join(const struct sip_hdr *hdr, const struct sip_msg *msg,
		 void *ctx)
{
	(void)msg;
	buf_printf(ctx, "%s%.*s", ((struct buf *)ctx)->n > 0 ? ", " : "",
		   (int)hdr->val.l, hdr->val.p);
	return false;
}

/* The credentials for the challenge in `msg`, as a header. */
static int answer_challenge(const struct ending *e, const struct sip_msg *msg,
			    char *out, size_t size)
{
	struct sockaddr_storage from;
	const struct tsip_trunk *t;
	AUTO_BUF(challenges, TSIP_DATAGRAM_MAX);
	AUTO_FREE char *uri = b_strndup(e->way.target.p, e->way.target.l);
	char value[TSIP_HEADER_MAX], cnonce[CNONCE_BYTES * 2 + 1];
	uint8_t random[CNONCE_BYTES];
	struct tsip_digest_ask ask = {
		.method = "BYE", .uri = uri, .nc = 1, .cnonce = cnonce};
	struct tsip_digest d;
	bool proxy = msg->scode == PROXY_AUTH;
	int err;

	tsip_gate_address(&msg->src, &from);
	t = tsip_gate_trunk(e->s, &from);
	(void)sip_msg_hdr_apply(msg, true,
				proxy ? SIP_HDR_PROXY_AUTHENTICATE
				      : SIP_HDR_WWW_AUTHENTICATE,
				join, &challenges);
	if (!t || !t->conf.user || !*t->conf.user || challenges.n == 0)
		return -ENOENT;
	ask.user = t->conf.user;
	ask.password = t->conf.password;
	rng_fill(rng_system(), random, sizeof(random));
	crypto_hex(random, sizeof(random), cnonce);
	err = tsip_digest_pick(buf_view(&challenges), &d);
	if (!err)
		err = tsip_digest_answer(&d, &ask, value, sizeof(value));
	if (!err && snprintf(out, size, "%sAuthorization: %s\r\n",
			     proxy ? "Proxy-" : "", value) >= (int)size)
		err = -E2BIG;
	return err;
}

static void on_bye_answer(int err, const struct sip_msg *msg, void *ctx)
{
	struct ending *e = ctx;
	char credentials[TSIP_HEADER_MAX + NET_TEXT_BYTES];
	struct outgoing again = {.method = "BYE",
				 .credentials = credentials,
				 .done = on_bye_answer,
				 .ctx = e};

	if (!err && msg->scode < FINAL)
		return;
	if (err || e->answered ||
	    (msg->scode != WWW_AUTH && msg->scode != PROXY_AUTH) ||
	    answer_challenge(e, msg, credentials, sizeof(credentials))) {
		ended(e);
		return;
	}
	e->answered = true;
	again.cseq = ++e->cseq;
	if (send_one(e->s, e->msg, &e->way, &again))
		ended(e);
}

/* libre counts references in what it hands out as const. */
static struct sip_msg *keep(const struct sip_msg *msg)
{
	union {
		const struct sip_msg *theirs;
		void *ours;
	} u = {.theirs = msg};

	return mem_ref(u.ours);
}

static void send_bye(struct tel_sip *s, const struct sip_msg *msg,
		     const struct way *w)
{
	struct ending *e = b_zero(1, sizeof(*e));
	struct outgoing bye = {.method = "BYE",
			       .cseq = msg->cseq.num + 1,
			       .credentials = "",
			       .done = on_bye_answer,
			       .ctx = e};

	endings++;
	e->s = s;
	e->msg = keep(msg);
	e->way = *w;
	e->cseq = bye.cseq;
	/* what cannot be sent has nobody to be told of it */
	if (send_one(s, msg, w, &bye))
		ended(e);
}

/* 13.2.2.4: each 2xx is acknowledged, each time; the BYE goes once. */
static void end_leg(struct tel_sip *s, const struct sip_msg *msg, bool known)
{
	struct outgoing ack = {
		.method = "ACK", .cseq = msg->cseq.num, .credentials = ""};
	struct way w;

	read_way(msg, &w);
	(void)send_one(s, msg, &w, &ack);
	if (!known)
		send_bye(s, msg, &w);
}

/* False: it is libre's. */
static bool end_stray(struct tel_sip *s, const struct sip_msg *msg)
{
	const struct answered *a = find(span_pl(&msg->callid));
	const struct leg *leg = a ? find_leg(a, span_pl(&msg->to.tag)) : NULL;

	if (leg && !leg->stray)
		return false;
	/* who is not answered now sends it again */
	if (!leg && (strays >= TSIP_STRAYS_MAX || endings >= TSIP_STRAYS_MAX))
		return true;
	if (!leg)
		remember(s, span_pl(&msg->callid), span_pl(&msg->to.tag), true);
	end_leg(s, msg, leg != NULL);
	return true;
}

void tsip_stray_end(struct tel_sip *s, const struct sip_msg *msg)
{
	if (calls && msg->to.tag.l > 0 && msg->callid.l > 0)
		(void)end_stray(s, msg);
}

static bool on_answer(const struct sip_msg *msg, void *ctx)
{
	/* no transaction waits for it: 1xx and refusals are old news */
	if (pl_strcmp(&msg->cseq.met, "INVITE") || msg->scode < 200 ||
	    msg->scode > 299 || msg->to.tag.l == 0 || msg->callid.l == 0)
		return true;
	/* libre acknowledges its own again */
	return end_stray(ctx, msg);
}

/* --- requests --------------------------------------------------------------------------- */

/* The call that it is inside of.  Before the answer there is only its Call-ID
 * to go by; after it, the tag as well. */
static struct tsip_call *call_of(struct tel_sip *s, const struct sip_msg *msg,
				 bool *early)
{
	struct tsip_call *c = tsip_call_find(s, span_pl(&msg->callid));
	const struct answered *a = find(span_pl(&msg->callid));
	const struct leg *leg;

	*early = !a;
	if (!c || !a)
		return c;
	leg = find_leg(a, span_pl(&msg->from.tag));
	return leg && !leg->stray ? c : NULL;
}

/* Without a transaction, so that many of them cost nothing: whoever asks again
 * is told the same. */
static void refuse(struct tel_sip *s, const struct sip_msg *msg, uint16_t code,
		   const char *reason)
{
	(void)sip_replyf(s->sip, msg, code, reason, "%s" NOTHING,
			 code == 405 ? ALLOW : "");
}

static void tell_abilities(struct tel_sip *s, const struct sip_msg *msg)
{
	(void)sip_replyf(s->sip, msg, 200, "OK",
			 ALLOW "Accept: application/sdp\r\n" NOTHING);
}

/* RFC 3311.  A session refresh without SDP changes nothing (RFC 4028).  Our
 * Contact is the address that they used. */
static void update(struct tel_sip *s, const struct sip_msg *msg,
		   struct tsip_call *c, bool early)
{
	char answer[OFFER_BYTES];
	size_t n = mbuf_get_left(msg->mb);
	int err;

	if (n > 0 && early) {
		/* our own offer is still open (5.2) */
		refuse(s, msg, 491, "Request Pending");
		return;
	}
	answer[0] = '\0';
	err = n > 0 ? tsip_call_offer(c, span_make(mbuf_buf(msg->mb), n),
				      answer, sizeof(answer))
		    : 0;
	if (err) {
		refuse(s, msg, 488, "Not Acceptable Here");
		return;
	}
	(void)sip_treplyf(NULL, NULL, s->sip, msg, true, 200, "OK",
			  "Contact: <%r>\r\n" ALLOW "%s"
			  "Content-Length: %zu\r\n\r\n%s",
			  &msg->ruri,
			  n > 0 ? "Content-Type: application/sdp\r\n" : "",
			  strlen(answer), answer);
}

static void in_dialog(struct tel_sip *s, const struct sip_msg *msg)
{
	bool early;
	struct tsip_call *c = call_of(s, msg, &early);

	if (!c) {
		refuse(s, msg, 481, "Call/Transaction Does Not Exist");
	} else if (!pl_strcmp(&msg->met, "UPDATE")) {
		update(s, msg, c, early);
	} else if (!pl_strcmp(&msg->met, "OPTIONS")) {
		tell_abilities(s, msg);
	} else if (!pl_strcmp(&msg->met, "INFO")) {
		(void)sip_treply(NULL, s->sip, msg, 200, "OK");
		tsip_call_info(c, msg);
	} else {
		refuse(s, msg, 405, "Method Not Allowed");
	}
}

static void out_of_dialog(struct tel_sip *s, const struct sip_msg *msg)
{
	if (!pl_strcmp(&msg->met, "INVITE"))
		/* people call back */
		(void)sip_reply(s->sip, msg, 480, "Temporarily Unavailable");
	else if (!pl_strcmp(&msg->met, "OPTIONS"))
		tell_abilities(s, msg);
	else if (!pl_strcmp(&msg->met, "CANCEL") ||
		 !pl_strcmp(&msg->met, "BYE"))
		refuse(s, msg, 481, "Call/Transaction Does Not Exist");
	else
		refuse(s, msg, 405, "Method Not Allowed");
}

/* libre ends the call and does not say what the BYE said. */
static void show_bye(struct tel_sip *s, const struct sip_msg *msg)
{
	bool early;
	struct tsip_call *c = call_of(s, msg, &early);

	if (c)
		tsip_call_bye(c, msg);
}

static bool on_request(const struct sip_msg *msg, void *ctx)
{
	bool inside = msg->to.tag.l > 0;

	/* an ACK is never answered; libre looks whether it waits for it */
	if (!pl_strcmp(&msg->met, "ACK"))
		return !inside;
	if (inside && !pl_strcmp(&msg->met, "INVITE"))
		return false;
	if (inside && !pl_strcmp(&msg->met, "BYE")) {
		show_bye(ctx, msg);
		return false;
	}
	if (inside)
		in_dialog(ctx, msg);
	else
		out_of_dialog(ctx, msg);
	return true;
}

int tsip_stray_open(struct tel_sip *s)
{
	int err;

	calls = map_new();
	err = sip_listen(&s->answers, s->sip, false, on_answer, s);
	if (!err)
		err = sip_listen(&s->requests, s->sip, true, on_request, s);
	return -err;
}

static void forget_each(const char *key, void *value, void *ctx)
{
	(void)key;
	(void)ctx;
	forget(value);
}

void tsip_stray_close(struct tel_sip *s)
{
	s->answers = mem_deref(s->answers);
	s->requests = mem_deref(s->requests);
	if (!calls)
		return;
	map_each(calls, forget_each, NULL);
	map_free(calls);
	calls = NULL;
}
