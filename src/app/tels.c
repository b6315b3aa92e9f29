// SPDX-License-Identifier: Apache-2.0
/*
 * tels.c - see tels.h.
 */
#include "app/tels.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/trunks.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "media/pump.h"
#include "tel/scripted.h"
#include "tel/sip.h"

/* What the service is told of one; the settings that it came from may be
 * replaced while it lives. */
struct trunk {
	char *name, **from;
	size_t from_count;
};

struct app_tels {
	struct loop *line;
	struct service *service; /* NULL: there is none yet */
	struct tel_browser *browser;
	struct tel *page, *script;
	struct pump *pump;
	unsigned priority;   /* that its thread was to have */
	struct tel_sip *sip; /* NULL: there are no trunks */
	struct trunk trunks[TEL_SIP_TRUNKS_MAX];
	size_t trunks_count;
	char code[CODE_BYTES]; /* what a script was told last */
};

/* --- the sandbox -------------------------------------------------------------- */

/* What somebody who takes the call would have before them. */
static const char *types(const char *call_id, void *ctx)
{
	struct app_tels *t = ctx;

	if (!t->service || !service_sandbox_code(t->service, call_id, t->code))
		return NULL;
	return t->code;
}

/* The scripted phone hears with the clips that the voices made. */
static int open_script(struct app_tels *t, const struct app_tels_params *p)
{
	const struct settings_list *l = &p->settings->languages;
	struct tel_ear *ears = b_zero(l->count * 20 + 1, sizeof(*ears));
	struct tel_scripted_params params = {.loop = p->line,
					     .rng = rng_system(),
					     .ears = ears,
					     .types = types,
					     .ctx = t};
	size_t n = 0;
	int err;

	for (size_t i = 0; i < l->count; i++) {
		for (const char *c = "0123456789"; *c; c++) {
			for (int last = 0; last < 2; last++) {
				ears[n].digit = *c;
				ears[n++].clip = speech_digit(
					p->speech, l->items[i], *c, last);
			}
		}
	}
	params.ears_count = n;
	err = tel_scripted_new(&params, &t->script);
	free(ears);
	return err;
}

/* --- trunks ---------------------------------------------------------------------- */

static const char *why_text(enum tel_sip_why why)
{
	switch (why) {
	case TEL_SIP_ANSWERS:
		return "answers";
	case TEL_SIP_ASKED:
		return "asked_to_wait";
	case TEL_SIP_SILENT:
		return "silent";
	case TEL_SIP_UNKNOWN:
		return "unknown_host";
	case TEL_SIP_UNAUTHORIZED:
		return "unauthorized";
	}
	return "";
}

static void news(const struct tel_sip_news *n, void *ctx)
{
	const struct app_tels *t = ctx;
	const struct service_trunk_news told = {
		.trunk = n->trunk,
		.state = n->state,
		.why = why_text(n->why),
		.sip_code = n->sip_code,
		.rests_ms = n->rests_ms,
	};

	if (t->service)
		service_trunk_news(t->service, &told);
}

static int open_pump(struct app_tels *t, const struct app_tels_params *p,
		     struct diag *d)
{
	const struct settings *s = p->settings;
	struct pump_params params = {
		.listen = s->rtp_listen,
		.streams_max = s->call_max_calls < PUMP_STREAMS_MAX
				       ? (unsigned)s->call_max_calls
				       : PUMP_STREAMS_MAX,
		.priority = (unsigned)s->rtp_priority,
		.loop = p->line,
		.rng = rng_system(),
	};
	int err;

	t->priority = params.priority;
	err = settings_ports(s->rtp_ports, &params.port_min, &params.port_max,
			     d);

	return err ? err : pump_new(&params, &t->pump, d);
}

/* "auto": what we listen on. */
static const char *advertised(const char *setting)
{
	return strcmp(setting, "auto") == 0 ? "" : setting;
}

static void keep(struct app_tels *t, const struct tel_sip_trunk *made)
{
	struct trunk *k = &t->trunks[t->trunks_count++];

	k->name = b_strdup(made->name);
	k->from = b_zero(made->from_count + 1, sizeof(*k->from));
	for (; k->from_count < made->from_count; k->from_count++)
		k->from[k->from_count] = b_strdup(made->from[k->from_count]);
}

static void close_trunks(struct app_tels *t)
{
	for (size_t i = 0; t->sip && i < t->trunks_count; i++)
		tel_free(tel_sip_tel(t->sip, i));
	tel_sip_free(t->sip);
	pump_free(t->pump);
	for (size_t i = 0; i < t->trunks_count; i++) {
		struct trunk *k = &t->trunks[i];

		for (size_t n = 0; n < k->from_count; n++)
			free(k->from[n]);
		free(k->from);
		free(k->name);
	}
}

static int open_sip(struct app_tels *t, const struct app_tels_params *p,
		    struct diag *d)
{
	const struct settings *s = p->settings;
	struct tel_sip_params params = {
		.loop = p->line,
		.rng = rng_system(),
		.pump = t->pump,
		.listen = s->sip_listen,
		.advertise = advertised(s->sip_advertise),
		.advertise_media = advertised(s->rtp_advertise),
		.media = s->rtp_listen,
		.news = news,
		.ctx = t,
	};
	AUTO(app_trunks) *made = NULL;
	int err = app_trunks_new(s, &made, d);

	if (err)
		return err;
	params.trunks = made->trunks;
	params.trunks_count = made->count;
	for (size_t i = 0; i < made->count; i++) {
		params.tcp |= made->trunks[i].transport == TEL_SIP_TCP;
		keep(t, &made->trunks[i]);
	}
	return tel_sip_new(&params, &t->sip, d);
}

/* --- all of them ---------------------------------------------------------------- */

int app_tels_new(const struct app_tels_params *p, struct app_tels **out,
		 struct diag *d)
{
	AUTO(app_tels) *t = b_zero(1, sizeof(*t));
	int err = 0;

	t->line = p->line;
	if (p->settings->sandbox)
		err = open_script(t, p);
	if (!err && p->page)
		err = tel_browser_new(p->line, rng_system(), TEL_BROWSER_NUMBER,
				      &t->browser, &t->page);
	if (err) {
		(void)diag_set(d, "no telephone: %d", err);
		return err;
	}
	if (p->settings->trunks.count > 0) {
		err = open_pump(t, p, d);
		if (!err)
			err = open_sip(t, p, d);
	}
	if (!err)
		*out = KEEP(t);
	return err;
}

size_t app_tels_list(const struct app_tels *t,
		     struct service_tel out[SERVICE_TELS_MAX])
{
	size_t n = 0;

	if (t->page)
		out[n++] =
			(struct service_tel){.route = "page", .tel = t->page};
	if (t->script)
		out[n++] = (struct service_tel){.route = "sandbox",
						.tel = t->script};
	for (size_t i = 0; t->sip && i < t->trunks_count; i++) {
		const struct trunk *k = &t->trunks[i];

		out[n++] = (struct service_tel){
			.route = k->name,
			.tel = tel_sip_tel(t->sip, i),
			.trunk = true,
			.from = (const char *const *)k->from,
			.from_count = k->from_count,
		};
	}
	return n;
}

struct tel_browser *app_tels_browser(const struct app_tels *t)
{
	return t->browser;
}

void app_tels_serve(struct app_tels *t, struct service *sv)
{
	t->service = sv;
}

/* Calls sound well without it; under other load, better with it. */
static void say_priority(const struct app_tels *t)
{
	struct pump_figures f;

	pump_figures(t->pump, &f);
	if (t->priority > 0 && !f.realtime)
		log_warn("sound.no_priority", "setting", LOG_S("rtp.priority"),
			 "why", LOG_S("the system does not allow it"), NULL);
}

void app_tels_run(struct app_tels *t)
{
	if (t->pump)
		say_priority(t);
	if (t->sip)
		tel_sip_run(t->sip);
	else
		loop_run(t->line);
}

unsigned app_tels_unsaid(const struct app_tels *t)
{
	return t->sip ? tel_sip_unsaid(t->sip) : 0;
}

void app_tels_free(struct app_tels *t)
{
	if (!t)
		return;
	close_trunks(t);
	tel_free(t->page);
	tel_free(t->script);
	crypto_wipe(t->code, sizeof(t->code));
	free(t);
}
