// SPDX-License-Identifier: Apache-2.0
/*
 * sip.c - the SIP telephone as others see it: the line and its trunks.
 */
#include "tel/sip.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "tel/sip_priv.h"

static const char *own(const char *text)
{
	return b_strdup(text ? text : "");
}

static void disown(const char *text)
{
	/* a copy of ours, and const for the readers' sake alone */
	union {
		const char *ours;
		char *mine;
	} u = {.ours = text};

	free(u.mine);
}

static struct tel_sip *make(const struct tel_sip_params *p)
{
	struct tel_sip *s = b_zero(1, sizeof(*s));

	s->p = *p;
	s->p.listen = own(p->listen);
	s->p.advertise = own(p->advertise);
	s->p.advertise_media = own(p->advertise_media);
	s->p.media = own(p->media);
	/* the trunks keep what they need of these */
	s->p.trunks = NULL;
	s->p.trunks_count = 0;
	for (size_t i = 0; i < p->trunks_count; i++)
		if (p->trunks[i].transport == TEL_SIP_TCP)
			s->p.tcp = true;
	ll_init(&s->calls);
	s->by_id = map_new();
	return s;
}

static int open_trunks(struct tel_sip *s, const struct tel_sip_params *p,
		       struct diag *d)
{
	for (size_t i = 0; i < p->trunks_count; i++) {
		int err = tsip_trunk_open(s, i, &p->trunks[i], d);

		if (err)
			return err;
		s->trunks_count++;
	}
	return 0;
}

/* No thread where there are addresses alone. */
static int start_trunks(struct tel_sip *s, struct diag *d)
{
	for (size_t i = 0; i < s->trunks_count && !s->names; i++) {
		int err = 0;

		if (s->trunks[i].name[0])
			err = tsip_names_new(s->p.loop, s->p.lookup,
					     s->p.lookup_ctx, &s->names);
		if (err) {
			(void)diag_set(d, "no thread for names: %s",
				       strerrordesc_np(-err));
			return err;
		}
	}
	for (size_t i = 0; i < s->trunks_count; i++)
		tsip_trunk_start(&s->trunks[i]);
	return 0;
}

int tel_sip_new(const struct tel_sip_params *p, struct tel_sip **out,
		struct diag *d)
{
	AUTO(tel_sip) *s = NULL;
	int err;

	if (p->trunks_count > TEL_SIP_TRUNKS_MAX) {
		(void)diag_field(d, "trunks", "there may be %d of them",
				 (int)TEL_SIP_TRUNKS_MAX);
		return -E2BIG;
	}
	s = make(p);
	err = tsip_line_open(s, d);
	if (!err)
		err = open_trunks(s, p, d);
	if (!err)
		err = start_trunks(s, d);
	if (!err)
		*out = KEEP(s);
	return err;
}

void tel_sip_free(struct tel_sip *s)
{
	if (!s)
		return;
	tsip_names_free(s->names);
	for (size_t i = 0; i < s->trunks_count; i++)
		tsip_trunk_close(&s->trunks[i]);
	tsip_line_close(s);
	for (size_t i = 0; i < s->trunks_count; i++)
		tsip_way_free(&s->trunks[i]);
	map_free(s->by_id);
	disown(s->p.listen);
	disown(s->p.advertise);
	disown(s->p.advertise_media);
	disown(s->p.media);
	free(s);
}

void tel_sip_run(struct tel_sip *s)
{
	(void)s; /* there is one line in a process */
	tsip_timer_run();
}

bool tel_sip_turn(struct tel_sip *s)
{
	(void)s;
	return tsip_timer_turn();
}

unsigned tel_sip_unsaid(const struct tel_sip *s)
{
	return atomic_load(&s->unsaid);
}

struct tel *tel_sip_tel(struct tel_sip *s, size_t trunk)
{
	return trunk < s->trunks_count ? s->trunks[trunk].tel : NULL;
}

void tel_sip_ping(struct tel_sip *s, size_t trunk, tel_sip_pinged_h *done,
		  void *ctx)
{
	tsip_trunk_ping(&s->trunks[trunk], done, ctx);
}
