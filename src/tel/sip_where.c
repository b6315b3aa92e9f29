// SPDX-License-Identifier: Apache-2.0
/*
 * sip_where.c - where a trunk is: its addresses, and when they change.
 *
 * An address in the settings is there at once.  A name is looked up at the
 * start and again for as long as the trunk exists; until its first answer the
 * trunk is not known, and a name that ceases to resolve keeps the addresses
 * that it had.  Requests go to an address, never to a name: libre 1.1.0 has no
 * cache and would ask for each.  Where the request's URI must have another host
 * than that, a loose Route leads the way.
 *
 * A call goes on with the addresses of its time.  So each answer that changes
 * something is a struct tsip_where of its own; an older one is heard until the
 * last call of its time is over and its transactions with it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tel/sip_priv.h"

enum {
	NAME_CHARS_MAX = 253,  /* RFC 1035 2.3.4 */
	LINGER_MS = 32 * 1000, /* 64*T1: a last retransmission may come */
};

static struct timers *timers_of(const struct tsip_trunk *t)
{
	return loop_timers(t->sip->p.loop);
}

/* --- the settings ----------------------------------------------------------------- */

/* What could be the name of a host; others' rules are theirs. */
static bool is_name(struct span s)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._";

	if (s.n == 0 || s.n > NAME_CHARS_MAX || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!memchr(chars, s.p[i], sizeof(chars) - 1))
			return false;
	return true;
}

/* "name" or "name:port". */
static int read_name(struct tsip_trunk *t, const char *text, unsigned port)
{
	struct span rest = span_of(text), name = {0};
	uint64_t said = port;

	(void)span_cut(&rest, ':', &name);
	if (!is_name(name))
		return -EINVAL;
	if (rest.p && (span_uint(rest, UINT16_MAX, &said) != 0 || said == 0))
		return -EINVAL;
	memcpy(t->name, name.p, name.n);
	t->name[name.n] = '\0';
	t->name_port = (unsigned)said;
	return 0;
}

/* --- the newest addresses ---------------------------------------------------------- */

static void use(struct tsip_trunk *t)
{
	const struct tsip_where *w = t->where;
	char text[NET_TEXT_BYTES];

	t->peer = w->at[w->used];
	t->back = tsip_way_back(t, &t->peer);
	if (!t->routed)
		return;
	net_text(&t->peer, text);
	(void)snprintf(t->route, sizeof(t->route), "sip:%s%s", text,
		       t->conf.transport == TEL_SIP_TCP ? ";transport=tcp"
							: "");
}

static bool has(const struct tsip_where *w, const struct sockaddr_storage *a)
{
	for (size_t i = 0; i < w->count; i++)
		if (net_equal(&w->at[i], a))
			return true;
	return false;
}

static bool is_subset(const struct tsip_where *of, const struct tsip_where *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (!has(of, &w->at[i]))
			return false;
	return true;
}

static void add(struct tsip_where *w, struct sockaddr_storage a, unsigned port)
{
	net_set_port(&a, port);
	if (w->count < COUNT_OF(w->at) && !net_is_any(&a) && !has(w, &a))
		w->at[w->count++] = a;
}

/* --- older ones -------------------------------------------------------------------- */

static void forget(void *ctx)
{
	struct tsip_where *w = ctx;
	struct tsip_where **at = &w->trunk->where;

	while (*at != w)
		at = &(*at)->older;
	*at = w->older;
	timer_stop(timers_of(w->trunk), &w->linger);
	free(w);
}

static void let_go(struct tsip_where *w)
{
	if (w->calls == 0 && w != w->trunk->where)
		timer_set(timers_of(w->trunk), &w->linger, LINGER_MS, forget,
			  w);
}

struct tsip_where *tsip_where_hold(struct tsip_trunk *t)
{
	t->where->calls++;
	return t->where;
}

void tsip_where_release(struct tsip_where *w)
{
	if (!w)
		return;
	w->calls--;
	let_go(w);
}

/* --- answers ------------------------------------------------------------------------- */

/* `w` is the newest from here on.  Who is in use stays so, where it may: the
 * order of an answer changes from one to the next. */
static void take(struct tsip_trunk *t, struct tsip_where *w)
{
	struct tsip_where *older = t->where;
	struct sockaddr_storage was = t->peer;

	for (size_t i = 0; i < w->count; i++)
		if (net_equal(&w->at[i], &was))
			w->used = i;
	w->trunk = t;
	w->older = older;
	t->where = w;
	use(t);
	if (older)
		let_go(older);
	if (!net_equal(&t->peer, &was))
		tsip_trunk_moved(t, !older);
}

static void ask(void *ctx);

static void on_answer(const struct sockaddr_storage *found, int count,
		      void *ctx)
{
	struct tsip_trunk *t = ctx;
	struct tsip_where *w = b_zero(1, sizeof(*w));

	t->asking = false;
	for (int i = 0; i < count; i++)
		add(w, found[i], t->name_port);
	timer_set(timers_of(t), &t->lookup,
		  w->count > 0 ? TSIP_NAME_MS : TSIP_NAME_AGAIN_MS, ask, t);
	if (w->count > 0 &&
	    (!t->where || !is_subset(w, t->where) || !is_subset(t->where, w))) {
		take(t, w);
		return;
	}
	free(w);
	if (!t->where)
		tsip_trunk_unknown(t);
}

static void ask(void *ctx)
{
	struct tsip_trunk *t = ctx;
	struct sockaddr_storage ours;
	sa_family_t family = AF_UNSPEC;

	if (net_address(t->sip->p.listen, SIP_PORT, &ours) == 0)
		family = ours.ss_family;
	t->asking = true;
	t->soon = false;
	tsip_names_ask(t->sip->names, t->name, family, on_answer, t);
}

bool tsip_where_failed(struct tsip_trunk *t,
		       const struct sockaddr_storage *peer)
{
	struct tsip_where *w = t->where;

	/* many calls may find out at once */
	if (!w || !net_equal(&t->peer, peer))
		return false;
	if (w->count > 1) {
		w->used = (w->used + 1) % w->count;
		use(t);
	}
	if (t->name[0] && !t->asking && !t->soon) {
		t->soon = true;
		timer_set(timers_of(t), &t->lookup, TSIP_NAME_AGAIN_MS, ask, t);
	}
	return true;
}

/* --- life ------------------------------------------------------------------------------ */

int tsip_where_open(struct tsip_trunk *t, struct diag *d)
{
	const struct tel_sip_trunk *c = &t->conf;
	bool proxy = c->outbound_proxy && c->outbound_proxy[0];
	const char *to = proxy ? c->outbound_proxy : c->host;
	unsigned port = proxy || c->port == 0 ? SIP_PORT : c->port;
	struct sockaddr_storage a;
	struct tsip_where *w;

	t->heard = c->sources;
	t->routed = proxy || net_address(c->host, SIP_PORT, &a) != 0;
	if (net_address(to, port, &a) == 0) {
		w = b_zero(1, sizeof(*w));
		w->trunk = t;
		w->at[w->count++] = a;
		t->where = w;
		use(t);
		return 0;
	}
	if (read_name(t, to, port) == 0)
		return 0;
	return diag_field(d, proxy ? "outbound_proxy" : "host",
			  "\"%s\" is neither an address nor a name", to);
}

void tsip_where_start(struct tsip_trunk *t)
{
	if (t->name[0])
		ask(t);
}

void tsip_where_close(struct tsip_trunk *t)
{
	struct tsip_where *w = t->where, *older;

	timer_stop(timers_of(t), &t->lookup);
	t->where = NULL;
	for (; w; w = older) {
		older = w->older;
		timer_stop(timers_of(t), &w->linger);
		free(w);
	}
}
