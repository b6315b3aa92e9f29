// SPDX-License-Identifier: Apache-2.0
/*
 * trunks.c - which telephones ring a number, and how the trunks are.
 *
 * A telephone that serves a number by itself (the page, the sandbox) comes
 * before all trunks, so that what stands for a person in a trial is never
 * dialled for money.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/service_priv.h"

/* --- routes ------------------------------------------------------------------- */

static void find_trunks(const struct service *sv, const struct routing *routing,
			const char *to, struct service_routes *out)
{
	const char *names[ROUTING_TRUNKS_MAX];
	size_t n = routing_find(routing, to, names);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < sv->p.tels_count; j++) {
			const struct service_tel *t = &sv->tels[j];

			if (t->trunk && strcmp(t->route, names[i]) == 0 &&
			    tel_serves(t->tel, to))
				out->at[out->count++] = t;
		}
}

void service_routes_find(const struct service *sv,
			 const struct service_rules *rules, const char *to,
			 struct service_routes *out)
{
	struct number nobody;

	out->count = 0;
	for (size_t i = 0; i < sv->p.tels_count; i++)
		if (!sv->tels[i].trunk && tel_serves(sv->tels[i].tel, to))
			out->at[out->count++] = &sv->tels[i];
	if (out->count == 0 && rules->routing &&
	    !number_sandbox(span_of(to), &nobody))
		find_trunks(sv, rules->routing, to, out);
}

struct service_line *service_line_of(struct service *sv,
				     const struct service_tel *tel)
{
	return &sv->lines[tel - sv->tels];
}

/* --- how they are ---------------------------------------------------------------- */

void service_lines_start(struct service *sv)
{
	for (size_t i = 0; i < sv->p.tels_count; i++)
		sv->lines[i].since_ms = clock_wall_ms(sv->p.clock);
}

const char *service_trunk_text(enum tel_state state)
{
	static const char *const texts[] = {
		[TEL_UP] = "up",
		[TEL_RESTING] = "resting",
		[TEL_DOWN] = "down",
	};

	return texts[state];
}

size_t service_trunks(struct service *sv,
		      struct service_trunk out[SERVICE_TELS_MAX])
{
	size_t n = 0;

	(void)pthread_mutex_lock(&sv->lines_lock);
	for (size_t i = 0; i < sv->p.tels_count; i++) {
		struct service_line *l = &sv->lines[i];
		struct service_trunk *t = &out[n];

		if (!sv->tels[i].trunk)
			continue;
		*t = (struct service_trunk){
			.name = sv->tels[i].route,
			.state = tel_state(sv->tels[i].tel),
			.sip_code = l->sip_code,
			.since_ms = l->since_ms,
			.until_ms = l->until_ms,
			.calls = (unsigned)atomic_load(&l->calls),
			.waiting = (unsigned)atomic_load(&l->waiting),
			.dials = atomic_load(&l->dials),
			.faults = atomic_load(&l->faults),
			.failures = atomic_load(&l->failures),
		};
		memcpy(t->why, l->why, sizeof(t->why));
		n++;
	}
	(void)pthread_mutex_unlock(&sv->lines_lock);
	return n;
}

/* --- news ------------------------------------------------------------------------- */

struct telling {
	struct service *sv;
	char type[24];
	char trunk[ROUTING_NAME_BYTES], why[24];
	int sip_code;
	int64_t rests_ms;
};

static int append(struct store_tx *tx, void *ctx)
{
	const struct telling *t = ctx;
	AUTO_BUF(json, SERVICE_EVENT_BYTES);
	char when[CLOCK_TEXT_BYTES];

	clock_text(store_tx_now(tx), when);
	buf_str(&json, "{\"trunk\":");
	buf_json(&json, span_of(t->trunk));
	buf_printf(&json, ",\"type\":\"%s\",\"time\":\"%s\",\"why\":", t->type,
		   when);
	buf_json(&json, span_of(t->why));
	if (t->sip_code)
		buf_printf(&json, ",\"sip_code\":%d", t->sip_code);
	if (t->rests_ms > 0)
		buf_printf(&json, ",\"rests_ms\":%lld", (long long)t->rests_ms);
	buf_byte(&json, '}');
	store_tx_event(tx, SERVICE_TRUNK_TOPIC, NULL, t->type, buf_view(&json));
	return 0;
}

static void appended(const struct store_result *r, void *ctx)
{
	struct telling *t = ctx;
	struct service *sv = t->sv;

	if (r->err)
		log_warn("trunk.untold", "trunk", LOG_S(t->trunk), "why",
			 LOG_S(strerrordesc_np(-r->err)), NULL);
	free(t);
	service_out_came_back(sv);
}

static void tell(struct service *sv, const struct service_trunk_news *news)
{
	static const struct store_key key = {SERVICE_KIND_META, "trunks"};
	struct telling *t = b_zero(1, sizeof(*t));
	int err;

	t->sv = sv;
	(void)snprintf(t->type, sizeof(t->type), "trunk.%s",
		       service_trunk_text(news->state));
	(void)snprintf(t->trunk, sizeof(t->trunk), "%s", news->trunk);
	(void)snprintf(t->why, sizeof(t->why), "%s", news->why);
	t->sip_code = news->sip_code;
	t->rests_ms = news->rests_ms;
	if (news->state == TEL_UP)
		log_info(t->type, "trunk", LOG_S(t->trunk), "why",
			 LOG_S(t->why), NULL);
	else
		log_warn(t->type, "trunk", LOG_S(t->trunk), "why",
			 LOG_S(t->why), "sip_code", LOG_I(t->sip_code),
			 "rests_ms", LOG_I(t->rests_ms), NULL);
	service_out_begin(sv);
	err = store_change(sv->p.store, 0, &key, 1, append, appended, t);
	if (err)
		appended(&(struct store_result){.err = err}, t);
	service_out_ended(sv); /* nothing of it comes to the line */
}

static void note(struct service *sv, struct service_line *l,
		 const struct service_trunk_news *news)
{
	int64_t now = clock_wall_ms(sv->p.clock);

	(void)pthread_mutex_lock(&sv->lines_lock);
	(void)snprintf(l->why, sizeof(l->why), "%s", news->why);
	l->sip_code = news->sip_code;
	l->since_ms = now;
	l->until_ms = news->rests_ms > 0 ? now + news->rests_ms : 0;
	(void)pthread_mutex_unlock(&sv->lines_lock);
	if (news->state != TEL_UP)
		atomic_fetch_add(&l->failures, 1);
}

void service_trunk_news(struct service *sv,
			const struct service_trunk_news *news)
{
	if (atomic_load(&sv->ended))
		return;
	for (size_t i = 0; i < sv->p.tels_count; i++)
		if (sv->tels[i].trunk &&
		    strcmp(sv->tels[i].route, news->trunk) == 0) {
			note(sv, &sv->lines[i], news);
			tell(sv, news);
			return;
		}
}
