// SPDX-License-Identifier: Apache-2.0
/*
 * sip_way.c - where the requests of a dialog go.
 *
 * The far end says it, by Contact and Record-Route, and may say what we cannot
 * reach: a name (libre is given no DNS: it would ask for each request), another
 * transport, another family.  libre then sends neither ACK nor BYE, and a call
 * that was answered stays up and is paid for.  Such a dialog's requests go to
 * the trunk itself; their URI and Route stay as the far end wants them.
 *
 * libre has no word for that, so the linker leads its making and changing of
 * dialogs through here (--wrap in meson.build).
 */
#include <stdio.h>

#include "base/mem.h"
#include "tel/sip_priv.h"

int tsip_wrap_create(struct sip_dialog *dlg, const struct sip_msg *msg) __asm__(
	"__wrap_sip_dialog_create");
int tsip_real_create(struct sip_dialog *dlg, const struct sip_msg *msg) __asm__(
	"__real_sip_dialog_create");
int tsip_wrap_update(struct sip_dialog *dlg, const struct sip_msg *msg) __asm__(
	"__wrap_sip_dialog_update");
int tsip_real_update(struct sip_dialog *dlg, const struct sip_msg *msg) __asm__(
	"__real_sip_dialog_update");

/* libre's own, and in no header of its. */
const struct uri *sip_dialog_route(const struct sip_dialog *dlg);

bool tsip_way_leads(const struct tel_sip *s, const struct uri *uri)
{
	sa_family_t family = s->laddr.ss_family;
	struct pl transport;
	struct sa sa;

	if (pl_strcasecmp(&uri->scheme, "sip") ||
	    sa_set(&sa, &uri->host, uri->port) || sa_af(&sa) != family ||
	    sa_is_any(&sa))
		return false;
	if (msg_param_decode(&uri->params, "transport", &transport) ||
	    !pl_strcasecmp(&transport, "udp"))
		return true;
	return s->p.tcp && !pl_strcasecmp(&transport, "tcp");
}

/* --- ways back ---------------------------------------------------------------- */

static const struct tsip_back *find(const struct tsip_trunk *t,
				    const struct sockaddr_storage *peer,
				    size_t *seen)
{
	for (const struct tsip_back *b = t->backs; b; b = b->older) {
		if (net_equal(&b->peer, peer))
			return b;
		++*seen;
	}
	return NULL;
}

const struct tsip_back *tsip_way_back(struct tsip_trunk *t,
				      const struct sockaddr_storage *peer)
{
	bool tcp = t->conf.transport == TEL_SIP_TCP;
	size_t seen = 0;
	const struct tsip_back *known = find(t, peer, &seen);
	char text[NET_TEXT_BYTES];
	struct tsip_back *b;
	struct pl pl;

	/* who moves that often is not led back to */
	if (known || seen >= TSIP_BACKS_MAX)
		return known;
	b = b_zero(1, sizeof(*b));
	b->peer = *peer;
	net_text(peer, text);
	(void)snprintf(b->text, sizeof(b->text), "sip:%s%s", text,
		       tcp ? ";transport=tcp" : "");
	pl_set_str(&pl, b->text);
	if (uri_decode(&b->uri, &pl)) {
		free(b);
		return NULL;
	}
	b->older = t->backs;
	t->backs = b;
	return b;
}

void tsip_way_free(struct tsip_trunk *t)
{
	struct tsip_back *b = t->backs, *older;

	t->backs = NULL;
	t->back = NULL;
	for (; b; b = older) {
		older = b->older;
		free(b);
	}
}

/* To who sent this, or at least to where the trunk is. */
static const struct tsip_back *back_of(const struct tsip_trunk *t,
				       const struct sip_msg *msg)
{
	struct sockaddr_storage from;
	const struct tsip_back *b;
	size_t seen = 0;

	tsip_gate_address(&msg->src, &from);
	b = find(t, &from, &seen);
	return b ? b : t->back;
}

/* --- dialogs ------------------------------------------------------------------- */

static void lead_back(const struct sip_dialog *dlg, const struct sip_msg *msg)
{
	union {
		const struct uri *theirs;
		struct uri *ours;
	} route = {.theirs = sip_dialog_route(dlg)};
	const struct tsip_trunk *t = tsip_gate_source(msg);
	const struct tsip_back *back;

	if (!t || tsip_way_leads(t->sip, route.theirs))
		return;
	back = back_of(t, msg);
	if (back)
		*route.ours = back->uri;
}

int tsip_wrap_create(struct sip_dialog *dlg, const struct sip_msg *msg)
{
	int err = tsip_real_create(dlg, msg);

	if (!err)
		lead_back(dlg, msg);
	return err;
}

int tsip_wrap_update(struct sip_dialog *dlg, const struct sip_msg *msg)
{
	int err = tsip_real_update(dlg, msg);

	if (!err)
		lead_back(dlg, msg);
	return err;
}
