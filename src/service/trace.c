// SPDX-License-Identifier: Apache-2.0
/*
 * trace.c - what the calls of one verification signalled, kept on request.
 *
 * The driver has blanked codes and credentials.  Numbers are blanked here
 * before they reach the store (F1): of the called one, in whatever form a trunk
 * wants it, two digits stay; of others that stand in addresses (a diversion
 * names somebody's), two in front and two behind.  What a number began with
 * stays where it is not the number's own, since a wrong prefix is what traces
 * are read for.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "service/attempt_priv.h"
#include "service/flows.h"

enum {
	TRACE_LEG_MAX = 32 << 10, /* bytes kept of one call */
	TRACE_MAX = VERIFICATION_LEGS_MAX * (TRACE_LEG_MAX + 128),
	SHOWN_BEHIND = 2,
	SHOWN_BEFORE = 2,
	NUMBER_LEAST = 7, /* digits; fewer are a port, a code, an extension */
	OWN_LEAST = 4,
};
_Static_assert((int)TRACE_MAX < (int)STORE_VALUE_MAX, "it fits a record");

/* --- blanking ------------------------------------------------------------------ */

static size_t digits_at(const char *p)
{
	return strspn(p, "0123456789");
}

static void blank(char *p, size_t n, size_t before)
{
	for (size_t i = before; i + SHOWN_BEHIND < n; i++)
		p[i] = 'x';
}

/* The number without its country code: so it stands in every form. */
static const char *own_part(const struct verification *v, const char *number)
{
	const char *p = number + (number[0] == '+');
	char cc[NUMBER_BYTES];
	size_t n;

	(void)snprintf(cc, sizeof(cc), "%u", v->country_code);
	n = strlen(cc);
	if (strncmp(p, cc, n) == 0 && strlen(p) >= n + OWN_LEAST)
		p += n;
	return p;
}

static void blank_own(char *text, const char *own)
{
	size_t n = strlen(own);

	if (n == 0)
		return;
	for (char *p = text; (p = strstr(p, own)) != NULL; p += n)
		blank(p, n, 0);
}

static void blank_addresses(char *text, const char *scheme)
{
	size_t n = strlen(scheme);

	for (char *p = text; (p = strstr(p, scheme)) != NULL;) {
		size_t digits;

		p += n;
		p += *p == '+';
		digits = digits_at(p);
		if (digits >= NUMBER_LEAST)
			blank(p, digits, SHOWN_BEFORE);
		p += digits;
	}
}

char *service_trace_mask(const char *text, const struct verification *v,
			 const char *number)
{
	char *out = b_strndup(text, strnlen(text, TRACE_LEG_MAX));

	blank_own(out, own_part(v, number));
	blank_addresses(out, "sip:");
	blank_addresses(out, "sips:");
	blank_addresses(out, "tel:");
	blank_addresses(out, "\"");
	return out;
}

/* --- keeping ---------------------------------------------------------------------- */

/* As long as the verification. */
static void keep(struct store_tx *tx, size_t key, const struct service *sv,
		 const struct verification *v, const struct buf *b)
{
	store_tx_put(tx, key, buf_view(b),
		     &(struct store_index){
			     .time_ms = v->created_ms,
			     .owner = v->application,
			     .hash = v->number_hash,
			     .expires_ms = v->created_ms +
					   atomic_load(&sv->retention_ms)});
}

void service_trace_add(struct store_tx *tx, size_t key,
		       const struct service *sv, const struct verification *v,
		       const char *leg, const char *text)
{
	struct buf b = {.max = TRACE_MAX};
	struct span was;

	if (store_tx_get(tx, key, &was))
		buf_add(&b, was.p, was.n);
	buf_printf(&b, "=== %s ===\n", leg);
	buf_str(&b, text);
	buf_str(&b, "\n");
	if (!b.err)
		keep(tx, key, sv, v, &b);
	buf_free(&b);
}

void service_run_add(struct store_tx *tx, size_t key, const struct service *sv,
		     const struct verification *v, const char *leg,
		     const char *trace)
{
	struct buf b = {.max = TRACE_MAX};
	struct span was;

	if (store_tx_get(tx, key, &was)) {
		buf_add(&b, was.p, was.n);
		buf_byte(&b, ',');
	}
	buf_printf(&b, "{\"call\":\"%s\",\"trace\":%s}", leg, trace);
	if (!b.err)
		keep(tx, key, sv, v, &b);
	buf_free(&b);
}

/* --- reading ------------------------------------------------------------------------ */

struct reading {
	struct service *sv;
	service_said_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES], id[VERIFICATION_ID_BYTES];
	const char *kind; /* static */
	unsigned partition;
	struct service_refusal no;
};

static void refuse(struct reading *r, int err)
{
	if (err == -ENOENT)
		service_refuse(&r->no, "not_found", "",
			       "no signalling was kept under this id");
	else
		service_refuse_store(&r->no, err);
	r->done(&r->no, NULL, r->ctx);
	free(r);
}

static void read_text(int err, const struct store_record *records, size_t count,
		      const char *next, void *ctx)
{
	struct reading *r = ctx;
	char *text;

	(void)next;
	/* a verification that has not run yet has no runs */
	if (!err && count == 0 && strcmp(r->kind, SERVICE_KIND_RUNS) != 0)
		err = -ENOENT;
	if (err) {
		refuse(r, err);
		return;
	}
	text = count ? b_strndup(records->value.p, records->value.n)
		     : b_strdup("");
	r->done(NULL, text, r->ctx);
	free(text);
	free(r);
}

static void read_owner(int err, const struct store_record *records,
		       size_t count, const char *next, void *ctx)
{
	struct reading *r = ctx;
	struct verification v = {0};

	(void)next;
	if (!err)
		err = count ? verification_unpack(records->value, &v) : -ENOENT;
	if (!err && strcmp(v.application, r->application) != 0)
		err = -ENOENT;
	verification_free(&v);
	if (!err)
		err = store_get(r->sv->p.store, r->partition, r->kind, r->id,
				read_text, r);
	if (err)
		refuse(r, err);
}

static void not_found(void *ctx)
{
	refuse(ctx, -ENOENT);
}

static void no_store(void *ctx)
{
	refuse(ctx, -EAGAIN);
}

/* r: what is read, and for whom */
static void start(struct service *sv, const struct service_who *who,
		  const char *id, struct reading *r)
{
	struct service_place place;

	r->sv = sv;
	memcpy(r->application, who->application, sizeof(r->application));
	(void)snprintf(r->id, sizeof(r->id), "%s", id ? id : "");
	service_place_find(sv->p.ring, r->application, r->id, &place);
	r->partition = place.partition;
	if (!place.well_formed)
		loop_call(sv->p.line, not_found, r);
	else if (store_get(sv->p.store, place.partition,
			   SERVICE_KIND_VERIFICATION, r->id, read_owner,
			   r) != 0)
		loop_call(sv->p.line, no_store, r);
}

void service_trace(struct service *sv, const struct service_who *who,
		   const char *id, service_said_h *done, void *ctx)
{
	struct reading *r = b_zero(1, sizeof(*r));

	r->kind = SERVICE_KIND_TRACE;
	r->done = done;
	r->ctx = ctx;
	start(sv, who, id, r);
}

void service_runs(struct service *sv, const struct service_who *who,
		  const char *id, service_said_h *done, void *ctx)
{
	struct reading *r = b_zero(1, sizeof(*r));

	r->kind = SERVICE_KIND_RUNS;
	r->done = done;
	r->ctx = ctx;
	start(sv, who, id, r);
}
