// SPDX-License-Identifier: Apache-2.0
/*
 * sip_invite.c - a call from its INVITE to the final answer, as libre tells it.
 *
 * libre never gets credentials for an INVITE: it knows MD5 alone, and fails
 * where SHA-256 stands first.  A challenge ends its session, and a new one is
 * begun with our own header; to the caller it is one call.  The BYE carries an
 * answer to the same challenge from the start: one that libre cannot answer
 * would leave a call that is paid for and that nobody ends.  Another challenge
 * of it, by MD5, libre may answer by itself.
 *
 * What is in an answer to the INVITE goes to the pump before libre sends its
 * ACK, so that silence begins at once.
 */
#include "tel/sip_call_priv.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/mem.h"

enum {
	RINGING = 180,
	FORWARDED = 181,
	PROGRESS = 183,
	MULTIPLE_CHOICES = 300,
	UNAUTHORIZED = 401,
	PROXY_AUTH = 407,
	TIMEOUT = 408,
	NOT_ACCEPTABLE = 488,
	HEADERS_MAX = 4096, /* of one name, joined */
	CNONCE_BYTES = 16,
	LINE_MAX_BYTES = TSIP_AUTH_MAX + TSIP_HEADER_MAX,
	LINES_MAX = TSIP_AUTHS * LINE_MAX_BYTES,
	ANSWERS_MAX = 2, /* a challenge, and one that calls it stale */
};

/* Lives as long as libre's session, which may outlive the call. */
struct tsip_login {
	const struct tsip_trunk *trunk;
	struct tel_sip *sip;
	bool inside; /* the dialog is there */
};

static void login_ends(void *login)
{
	struct tsip_login *l = login;

	if (l->sip)
		atomic_fetch_sub(&l->sip->unsaid, 1);
}

/* --- what a message says -------------------------------------------------------- */

static bool join(const struct sip_hdr *hdr, const struct sip_msg *msg,
		 void *ctx)
{
	struct buf *b = ctx;

	(void)msg;
	if (b->n > 0)
		buf_byte(b, ',');
	buf_add(b, hdr->val.p, hdr->val.l);
	return false;
}

static int q850_of(const struct sip_msg *msg)
{
	AUTO_BUF(b, HEADERS_MAX);

	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_REASON, join, &b);
	return b.n > 0 ? tsip_cause_q850(buf_view(&b)) : 0;
}

static int64_t retry_of(const struct sip_msg *msg)
{
	const struct sip_hdr *h = sip_msg_hdr(msg, SIP_HDR_RETRY_AFTER);

	return tsip_cause_retry_ms(h ? span_make(h->val.p, h->val.l)
				     : (struct span){0});
}

static bool says_forwarded(const struct sip_msg *msg)
{
	AUTO_BUF(history, HEADERS_MAX);
	AUTO_BUF(diversion, HEADERS_MAX);

	if (msg->scode == FORWARDED)
		return true;
	(void)sip_msg_hdr_apply(msg, true, SIP_HDR_HISTORY_INFO, join,
				&history);
	(void)sip_msg_xhdr_apply(msg, true, "Diversion", join, &diversion);
	return tsip_cause_forwarded(
		history.n ? buf_view(&history) : (struct span){0},
		diversion.n ? buf_view(&diversion) : (struct span){0});
}

/* Its SDP; p NULL: it has none. */
static struct span sdp_of(const struct sip_msg *msg)
{
	size_t n = mbuf_get_left(msg->mb);

	if (n == 0 || !msg_ctype_cmp(&msg->ctyp, "application", "sdp"))
		return (struct span){0};
	return span_make(mbuf_buf(msg->mb), n);
}

void tsip_call_bye(struct tsip_call *c, const struct sip_msg *msg)
{
	c->bye_q850 = q850_of(msg);
}

bool tsip_call_follows(struct tsip_call *c, const struct sip_msg *msg)
{
	if (c->redirects == 0 || msg->cseq.num != c->redirect_cseq)
		c->redirects++;
	c->redirect_cseq = msg->cseq.num;
	return c->redirects <= TSIP_REDIRECTS_MAX;
}

/* --- before the answer ------------------------------------------------------------- */

static void silence(void *ctx)
{
	struct tsip_call *c = ctx;
	struct tsip_trunk *t = c->trunk;
	bool news = tsip_where_failed(t, &c->peer);

	tsip_call_end(c, TEL_UNREACHABLE, TIMEOUT, 0);
	if (news)
		tsip_trunk_learns(t, 0, -1);
}

static void never_rings(void *ctx)
{
	tsip_call_end(ctx, TEL_UNREACHABLE, TIMEOUT, 0);
}

static void ring_limit(void *ctx)
{
	tsip_call_end(ctx, TEL_NO_ANSWER, 0, 0);
}

static bool tell_forwarded(struct tsip_call *c, const struct sip_msg *msg)
{
	if (c->forwarded || !says_forwarded(msg))
		return true;
	c->forwarded = true;
	return tsip_call_tell(c, &(struct tel_event){.kind = TEL_FORWARDED});
}

/* A fork may speak early as well: the last one is kept, for a 200 that says
 * nothing.  None of it is ever played to (B1). */
static void keep_early(struct tsip_call *c, const struct sip_msg *msg)
{
	struct span sdp = sdp_of(msg);
	enum tsip_sdp_direction theirs;

	if (sdp.p && tsip_call_read(c, sdp, &c->far, &theirs) == 0)
		c->has_far = true;
}

static void begin_ringing(struct tsip_call *c)
{
	if (c->state != TSIP_DIALLED)
		return;
	tsip_call_set_state(c, TSIP_RINGING);
	timer_set(tsip_call_timers(c), &c->limit, c->ring_ms, ring_limit, c);
}

static void on_progress(const struct sip_msg *msg, void *ctx)
{
	struct tsip_call *c = ctx;
	bool rings = msg->scode == RINGING && !c->rings;
	bool early = msg->scode == PROGRESS && !c->early;

	keep_early(c, msg);
	if (msg->scode == RINGING || msg->scode == PROGRESS)
		begin_ringing(c);
	else if (c->state == TSIP_DIALLED && !c->heard)
		timer_set(tsip_call_timers(c), &c->limit, TSIP_SETUP_MS,
			  never_rings, c);
	c->heard = true;
	c->rings |= rings;
	c->early |= early;
	if (rings &&
	    !tsip_call_tell(c, &(struct tel_event){.kind = TEL_RINGING}))
		return;
	if (early &&
	    !tsip_call_tell(c, &(struct tel_event){.kind = TEL_EARLY_MEDIA}))
		return;
	(void)tell_forwarded(c, msg);
}

/* --- answers to challenges ------------------------------------------------------------ */

/* How often an answer with this nonce was given, including this one. */
enum { NC_INVITE = 1, NC_BYE = 2 };

/* The line that answers a challenge, with CRLF. */
static int answer(const struct tsip_call *c, const struct tsip_digest *d,
		  struct tsip_digest_ask ask, char **line)
{
	const struct tel_sip_trunk *conf = &c->trunk->conf;
	AUTO_BUF(b, LINE_MAX_BYTES);
	uint8_t random[CNONCE_BYTES];
	char cnonce[2 * CNONCE_BYTES + 1];
	char text[TSIP_AUTH_MAX];
	int err;

	rng_fill(c->trunk->sip->p.rng, random, sizeof(random));
	crypto_hex(random, sizeof(random), cnonce);
	ask.user = conf->user;
	ask.password = conf->password;
	ask.cnonce = cnonce;
	err = tsip_digest_answer(d, &ask, text, sizeof(text));
	if (err)
		return err;
	buf_printf(&b, "%s: %s\r\n",
		   d->proxy ? "Proxy-Authorization" : "Authorization", text);
	free(*line);
	*line = buf_take(&b);
	return 0;
}

/* Who asked at the beginning may ask again at the end. */
static void prepare_bye(struct tsip_call *c, const struct sip_msg *msg)
{
	const struct sip_hdr *contact = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	AUTO_BUF(lines, LINES_MAX);
	AUTO_FREE char *uri = NULL;
	struct sip_addr addr;

	if (!contact || sip_addr_decode(&addr, &contact->val))
		return;
	uri = b_strndup(addr.auri.p, addr.auri.l);
	for (size_t i = 0; i < TSIP_AUTHS; i++) {
		struct tsip_digest_ask ask = {
			.method = "BYE", .uri = uri, .nc = NC_BYE};
		AUTO_FREE char *line = NULL;
		struct tsip_digest d;

		if (!c->auths[i].challenge ||
		    tsip_digest_pick(span_of(c->auths[i].challenge), &d) != 0)
			continue;
		d.proxy = i == TSIP_AUTH_PROXY;
		if (answer(c, &d, ask, &line) == 0)
			buf_str(&lines, line);
	}
	if (lines.n > 0 && !lines.err)
		c->bye_headers = buf_take(&lines);
}

/* --- the answer ---------------------------------------------------------------------- */

/* The 2xx, or the ACK that answers an offer in a 2xx of ours. */
static int on_sdp_answer(const struct sip_msg *msg, void *ctx)
{
	struct tsip_call *c = ctx;
	struct span sdp = sdp_of(msg);
	struct pump_far far = c->far;
	enum tsip_sdp_direction theirs;
	int err = 0;

	if (sdp.p)
		err = tsip_call_read(c, sdp, &far, &theirs);
	else if (!c->has_far)
		err = -EINVAL;
	if (!err)
		err = tsip_call_connect(c, &far);
	return -err; /* libre acknowledges, and sends a BYE where it is set */
}

static void longest(void *ctx)
{
	tsip_call_end(ctx, TEL_WE_HUNG_UP, 0, 0);
}

static void on_established(const struct sip_msg *msg, void *ctx)
{
	struct tsip_call *c = ctx;

	c->login->inside = true;
	prepare_bye(c, msg);
	tsip_invite_free(c);
	tsip_call_set_state(c, TSIP_UP);
	timer_set(tsip_call_timers(c), &c->limit, TSIP_CALL_MS, longest, c);
	tsip_trunk_learns(c->trunk, msg->scode, -1);
	if (tell_forwarded(c, msg))
		(void)tsip_call_tell(c,
				     &(struct tel_event){.kind = TEL_ANSWERED});
}

/* A re-INVITE.  What it offers is answered; without an offer, it is ours. */
static int on_offer(struct mbuf **descp, const struct sip_msg *msg, void *ctx)
{
	struct tsip_call *c = ctx;
	struct span sdp = sdp_of(msg);
	char out[TSIP_SDP_MAX];
	struct mbuf *mb;
	int err;

	if (c->state != TSIP_UP)
		return EPROTO;
	if (sdp.p) {
		err = tsip_call_offer(c, sdp, out, sizeof(out));
	} else {
		c->sdp_version++;
		err = tsip_call_write(c, out, sizeof(out));
	}
	if (err)
		return -err;
	mb = mbuf_alloc(sizeof(out));
	if (!mb)
		return ENOMEM;
	err = mbuf_write_str(mb, out);
	mb->pos = 0;
	*descp = mb;
	return err;
}

static void on_info(struct sip *sip, const struct sip_msg *msg, void *ctx)
{
	(void)sip_treply(NULL, sip, msg, 200, "OK");
	tsip_call_info(ctx, msg);
}

/* --- challenges ------------------------------------------------------------------------- */

static int give_login(char **user, char **password, const char *realm,
		      void *ctx)
{
	const struct tsip_login *l = ctx;
	int err;

	(void)realm;
	if (!l->inside || l->trunk->conf.user[0] == '\0')
		return EAUTH;
	err = str_dup(user, l->trunk->conf.user);
	return err ? err : str_dup(password, l->trunk->conf.password);
}

static int answer_invite(struct tsip_call *c, const struct tsip_digest *d,
			 struct tsip_auth *a)
{
	struct tsip_digest_ask ask = {
		.method = "INVITE", .uri = c->words->to, .nc = NC_INVITE};
	char sdp[TSIP_SDP_MAX];
	/* for auth-int: the same bytes go out with it */
	int err = tsip_call_write(c, sdp, sizeof(sdp));

	ask.body = span_of(sdp);
	return err ? err : answer(c, d, ask, &a->header);
}

/* 0: another INVITE is out. */
static int try_again(struct tsip_call *c, const struct sip_msg *msg)
{
	bool proxy = msg->scode == PROXY_AUTH;
	struct tsip_auth *a =
		&c->auths[proxy ? TSIP_AUTH_PROXY : TSIP_AUTH_WWW];
	AUTO_BUF(b, HEADERS_MAX);
	struct tsip_digest d;
	int err;

	(void)sip_msg_hdr_apply(msg, true,
				proxy ? SIP_HDR_PROXY_AUTHENTICATE
				      : SIP_HDR_WWW_AUTHENTICATE,
				join, &b);
	if (c->trunk->conf.user[0] == '\0' || b.n == 0 ||
	    tsip_digest_pick(buf_view(&b), &d) != 0)
		return -EACCES;
	d.proxy = proxy;
	/* once per nonce; and a second nonce only because the first was old */
	if (a->answered > 0 && (!d.stale || a->answered == ANSWERS_MAX ||
				span_is(d.nonce, a->nonce)))
		return -EACCES;
	err = answer_invite(c, &d, a);
	if (err)
		return err;
	a->answered++;
	free(a->nonce);
	a->nonce = b_strndup(d.nonce.p, d.nonce.n);
	free(a->challenge);
	a->challenge = buf_take(&b);
	return tsip_invite(c);
}

/* --- the end -------------------------------------------------------------------------------- */

static void refused(struct tsip_call *c, const struct sip_msg *msg)
{
	struct tsip_trunk *t = c->trunk;
	int code = tsip_gate_status(msg), q850 = q850_of(msg);
	int64_t retry_ms = retry_of(msg);

	/* a 2xx of no use: where its SDP is, libre has sent ACK and BYE */
	if (code < MULTIPLE_CHOICES) {
		tsip_stray_end(t->sip, msg);
		code = NOT_ACCEPTABLE;
	}
	tsip_call_end(c, TEL_REFUSED, code, q850);
	tsip_trunk_learns(t, code, retry_ms);
}

static void on_close(int err, const struct sip_msg *msg, void *ctx)
{
	struct tsip_call *c = ctx;
	bool was_up = c->state == TSIP_UP;

	c->session = mem_deref(c->session);
	if (was_up) {
		if (err == ECONNRESET)
			tsip_call_end(c, TEL_HUNG_UP, 0, c->bye_q850);
		else
			tsip_call_end(c, TEL_UNREACHABLE, TIMEOUT, 0);
		return;
	}
	if (!msg) {
		silence(c);
		return;
	}
	if ((msg->scode == UNAUTHORIZED || msg->scode == PROXY_AUTH) &&
	    try_again(c, msg) == 0)
		return;
	refused(c, msg);
}

/* --- INVITE ---------------------------------------------------------------------------------- */

static void keep_id(struct tsip_call *c, struct span id)
{
	struct map *by_id = c->trunk->sip->by_id;

	if (c->id[0])
		(void)map_remove(by_id, c->id);
	c->id[0] = '\0';
	if (id.n == 0 || id.n >= sizeof(c->id))
		return;
	memcpy(c->id, id.p, id.n);
	c->id[id.n] = '\0';
	(void)map_put(by_id, c->id, c);
}

struct tsip_call *tsip_call_find(struct tel_sip *s, struct span call_id)
{
	char key[TSIP_ID_BYTES];

	if (call_id.n == 0 || call_id.n >= sizeof(key))
		return NULL;
	memcpy(key, call_id.p, call_id.n);
	key[call_id.n] = '\0';
	/* libre chooses the Call-ID: it is first seen when it leaves */
	if (s->dialling && !map_get(s->by_id, key))
		keep_id(s->dialling, call_id);
	return map_get(s->by_id, key);
}

static int connect_session(struct tsip_call *c, struct mbuf *desc)
{
	struct tel_sip *s = c->trunk->sip;
	const struct tsip_trunk_words *w = c->words;
	const char *route[] = {c->trunk->route};
	const char *www = c->auths[TSIP_AUTH_WWW].header;
	const char *proxy = c->auths[TSIP_AUTH_PROXY].header;

	return -sipsess_connect(&c->session, s->sessions, w->to, NULL, w->from,
				w->user, route, route[0][0] ? 1 : 0,
				"application/sdp", desc, give_login, c->login,
				true, on_offer, on_sdp_answer, on_progress,
				on_established, on_info, NULL, on_close, c,
				"%s%s%s", w->headers, www ? www : "",
				proxy ? proxy : "");
}

int tsip_invite(struct tsip_call *c)
{
	struct tel_sip *s = c->trunk->sip;
	char sdp[TSIP_SDP_MAX];
	struct mbuf *desc;
	int err = tsip_call_write(c, sdp, sizeof(sdp));

	if (err)
		return err;
	desc = mbuf_alloc(sizeof(sdp));
	mem_deref(c->login);
	c->login = mem_zalloc(sizeof(*c->login), login_ends);
	if (!desc || !c->login || mbuf_write_str(desc, sdp)) {
		mem_deref(desc);
		return -ENOMEM;
	}
	desc->pos = 0;
	c->login->trunk = c->trunk;
	c->login->sip = s;
	atomic_fetch_add(&s->unsaid, 1);
	tsip_where_release(c->where);
	c->where = tsip_where_hold(c->trunk);
	c->peer = c->trunk->peer;
	keep_id(c, (struct span){0});
	s->dialling = c;
	err = connect_session(c, desc);
	s->dialling = NULL;
	mem_deref(desc);
	if (err) {
		(void)tsip_where_failed(c->trunk, &c->peer);
		return err;
	}
	keep_id(c, span_of(sip_dialog_callid(sipsess_dialog(c->session))));
	c->heard = false;
	/* who asks once it rings does not stop the ring limit */
	if (c->state == TSIP_DIALLED)
		timer_set(tsip_call_timers(c), &c->limit, TSIP_SILENT_MS,
			  silence, c);
	return 0;
}

void tsip_invite_leave(struct tsip_call *c)
{
	if (c->session && c->bye_headers)
		(void)sipsess_set_close_headers(c->session, "%s",
						c->bye_headers);
	c->session = mem_deref(c->session);
}

void tsip_invite_forget(struct tsip_call *c)
{
	tsip_invite_leave(c);
	c->login = mem_deref(c->login);
	keep_id(c, (struct span){0});
	tsip_invite_free(c);
	free(c->bye_headers);
	c->bye_headers = NULL;
}

void tsip_invite_free(struct tsip_call *c)
{
	for (size_t i = 0; i < TSIP_AUTHS; i++) {
		free(c->auths[i].challenge);
		free(c->auths[i].nonce);
		free(c->auths[i].header);
		c->auths[i] = (struct tsip_auth){0};
	}
	free(c->words);
	c->words = NULL;
}
