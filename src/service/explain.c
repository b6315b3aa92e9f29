// SPDX-License-Identifier: Apache-2.0
/*
 * explain.c - what a create would meet, and which rule says so; changes nothing.
 *
 * It asks the same questions in the same order, but looks at the counters in
 * place of taking them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/extension.h"
#include "service/service_priv.h"

/* How long a call takes, about: measured on the English script, where a voice
 * says some 14 characters a second. */
enum {
	CHARACTERS_A_SECOND = 14,
	DIGIT_MS = 900,  /* B6 */
	LEAD_MS = 800,   /* B9 */
	CHECK_MS = 3000, /* a person presses the keys */
	TIMES = 2,       /* the code is said */
	SECOND_MS = 1000,
};

struct explaining {
	struct service *sv;
	service_explain_h *done;
	void *ctx;
	struct service_wish wish;
	struct service_refusal no;
	struct store_counter counters[STORE_COUNTERS_MAX];
	size_t which[STORE_COUNTERS_MAX]; /* their places in the answer */
	size_t count;
};

static void explain_free(struct explaining *x)
{
	service_wish_free(&x->wish);
	free(x);
}

static void refuse(void *ctx)
{
	struct explaining *x = ctx;

	x->done(&x->no, NULL, x->ctx);
	explain_free(x);
}

static size_t characters_of(const struct explaining *x, const char *phrase)
{
	const struct verification *v = &x->wish.v;
	char name[PHRASES_NAME_MAX + 1];
	const char *text;

	(void)snprintf(name, sizeof(name), "%s.%s", v->flow, phrase);
	text = phrases_find(x->sv->p.phrases, v->language, name);
	return text ? strlen(text) : 0;
}

static unsigned seconds(const struct explaining *x)
{
	static const char *const said[] = {"greeting", "warning",    "ask",
					   "type",     "code_first", "again",
					   "done",     "goodbye"};
	const struct verification *v = &x->wish.v;
	size_t digits = v->code_length;
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(said); i++)
		n += characters_of(x, said[i]);
	if (n == 0)
		return 0; /* a flow with words of its own */
	digits = digits * TIMES + VERIFICATION_HUMAN;
	return (unsigned)((LEAD_MS + number_extension_ms(v->send_digits) +
			   n * SECOND_MS / CHARACTERS_A_SECOND +
			   digits * DIGIT_MS + CHECK_MS) /
			  SECOND_MS);
}

/* The one that would be dialled now; or the first, if none is up. */
static const char *route_of(const struct explaining *x)
{
	struct service_routes routes;

	service_routes_find(x->sv, x->wish.rules->rules, x->wish.number.e164,
			    &routes);
	for (size_t i = 0; i < routes.count; i++)
		if (tel_state(routes.at[i]->tel) == TEL_UP)
			return routes.at[i]->route;
	return routes.count ? routes.at[0]->route : NULL;
}

static void explain(struct explaining *x)
{
	const struct verification *v = &x->wish.v;
	const struct prices *prices = x->wish.rules->rules->prices;
	struct service_explanation e = {
		.number = x->wish.number,
		.answer = &x->wish.answer,
		.language = v->language,
		.from = v->from,
		.seconds = seconds(x),
		.currency = prices ? prices_currency(prices) : "",
	};

	e.route = route_of(x);
	x->done(NULL, &e, x->ctx);
	explain_free(x);
}

/* --- the counters ------------------------------------------------------------------ */

static void counted(int err, const int64_t *used, size_t count, void *ctx)
{
	struct explaining *x = ctx;
	struct policy_answer *answer = &x->wish.answer;

	if (err) {
		service_refuse_store(&x->no, err);
		refuse(x);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct policy_counter *c = &answer->counters[x->which[i]];

		if (used[i] + c->amount <= c->limit)
			continue;
		answer->verdict = POLICY_LIMIT;
		(void)snprintf(answer->rule, sizeof(answer->rule), "%s",
			       c->rule);
		(void)snprintf(answer->sentence, sizeof(answer->sentence),
			       "the limit %s is reached", c->rule);
		break;
	}
	explain(x);
}

static bool count(struct explaining *x)
{
	const struct policy_answer *answer = &x->wish.answer;

	for (size_t i = 0; i < answer->counters_count; i++) {
		if (answer->counters[i].hold)
			continue;
		service_counter(&answer->counters[i], NULL, 0,
				&x->counters[x->count]);
		x->which[x->count++] = i;
	}
	return x->count > 0;
}

/* --- the number's past ----------------------------------------------------------------- */

static int look(struct store_tx *tx, void *ctx)
{
	struct explaining *x = ctx;
	struct service_wish *w = &x->wish;
	struct verification_number n = {0};
	struct service_phone phone = {0};
	struct span value;

	if (store_tx_get(tx, 0, &value) &&
	    verification_number_unpack(value, &n) != 0)
		return -EBADMSG;
	if (store_tx_get(tx, 1, &value) &&
	    service_phone_read(value, &phone) == 0) {
		n.forwarded = phone.forwarded;
		n.five_digits_until_ms = phone.five_digits_until_ms;
	}
	(void)service_ask_past(&n, store_tx_now(tx), &w->ask);
	policy_ask(&w->rules->rules->policy, &w->ask, &w->answer);
	return 0;
}

static void looked(const struct store_result *r, void *ctx)
{
	struct explaining *x = ctx;
	int err = r->err;

	x->count = 0;
	if (!err && (x->wish.answer.verdict != POLICY_ALLOWED || !count(x))) {
		explain(x);
		return;
	}
	if (!err)
		err = store_count(x->sv->p.store, x->counters, x->count,
				  counted, x);
	if (err) {
		service_refuse_store(&x->no, err);
		refuse(x);
	}
}

static int begin(struct explaining *x)
{
	const struct store_key keys[] = {
		{SERVICE_KIND_NUMBER, x->wish.place.number_key},
		{SERVICE_KIND_PHONE, x->wish.place.phone_key},
	};

	return store_change(x->sv->p.store, x->wish.place.partition, keys,
			    COUNT_OF(keys), look, looked, x);
}

void service_explain(struct service *sv, const struct service_create *req,
		     service_explain_h *done, void *ctx)
{
	struct explaining *x;
	int err;

	if (service_explain_waits(sv, req, done, ctx))
		return;
	x = b_zero(1, sizeof(*x));
	x->sv = sv;
	x->done = done;
	x->ctx = ctx;
	if (!service_wish_read(sv, req, &x->wish, &x->no)) {
		loop_call(sv->p.line, refuse, x);
		return;
	}
	err = begin(x);
	if (err) {
		service_refuse_store(&x->no, err);
		loop_call(sv->p.line, refuse, x);
	}
}
