// SPDX-License-Identifier: Apache-2.0
/*
 * ask.c - what the policy wants to know, and what becomes of its counters.
 *
 * A record outlives the answer that it was made with: a call may be made again,
 * on another node, after a restart.  The counters of an answer follow from the
 * record and its time alone, so they are asked for again wherever they are
 * taken or given back, and nobody has to remember them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

/* E4: such a number keeps its lane of the caps. */
static const int64_t lately_ms = INT64_C(90) * 24 * 3600 * 1000;

enum { V4_BYTES = 4, V6_BYTES = 16, V6_NET_BYTES = 8, V6_V4_AT = 12 };

int service_client_net(const char *address, char *out, size_t size)
{
	unsigned char raw[V6_BYTES];
	char text[INET6_ADDRSTRLEN];
	int family = AF_INET6;
	const char *behind = "/64";

	if (inet_pton(AF_INET, address, raw) == 1) {
		family = AF_INET;
		behind = "";
	} else if (inet_pton(AF_INET6, address, raw) != 1) {
		return -EINVAL;
	} else if (IN6_IS_ADDR_V4MAPPED((const void *)raw)) {
		memmove(raw, raw + V6_V4_AT, V4_BYTES);
		family = AF_INET;
		behind = "";
	} else {
		memset(raw + V6_NET_BYTES, 0, V6_BYTES - V6_NET_BYTES);
	}
	if (!inet_ntop(family, raw, text, sizeof(text)))
		return -errno;
	(void)snprintf(out, size, "%s%s", text, behind);
	return 0;
}

/* What a record says of its flow, which need not be in memory. */
void service_ask_flow(const struct verification *v, struct policy_request *r)
{
	r->flow = v->flow;
	r->no_human_check = (v->warnings & VERIFICATION_WARN_PLAIN) != 0;
	r->keypad_confirms = v->method_allowed == VERIFICATION_BY_CALL;
}

/* A record does not say what kind of number it is of; it was one that may be
 * called when it was made. */
static enum number_type some_type(const struct policy *p)
{
	for (size_t t = 0; t < NUMBER_UNKNOWN; t++)
		if (p->types[t])
			return (enum number_type)t;
	return NUMBER_UNKNOWN;
}

void service_ask_of(const struct policy *policy, const struct verification *v,
		    const char *to, struct service_ask *out)
{
	struct number *number = &out->number;

	*out = (struct service_ask){0};
	(void)snprintf(number->e164, sizeof(number->e164), "%s", to);
	(void)snprintf(number->region, sizeof(number->region), "%s",
		       v->country);
	number->country_code = v->country_code;
	number->type = v->sandbox ? NUMBER_SANDBOX : some_type(policy);
	number->valid = true;
	out->request = (struct policy_request){
		.number = number,
		.application = v->application,
		.key_id = v->key_id,
		.number_hash = v->number_hash,
		.client_net = v->client_net,
		.flow = v->flow,
		.purpose = v->purpose,
	};
	service_ask_flow(v, &out->request);
}

void service_counter(const struct policy_counter *c, const char *holder,
		     int64_t hold_ms, struct store_counter *out)
{
	*out = (struct store_counter){
		.name = c->name,
		.amount = c->amount,
		.limit = c->limit,
		.window_ms = c->hold ? 0 : c->window_ms,
		.holder = c->hold ? holder : NULL,
		.ttl_ms = c->hold ? hold_ms : 0,
	};
}

static bool is_money(const struct policy_counter *c)
{
	return !c->hold && strcmp(c->code, "budget_exhausted") == 0;
}

static void reserve(struct store_tx *tx, const struct policy_answer *answer,
		    bool money_alone)
{
	for (size_t i = 0; i < answer->counters_count; i++) {
		const struct policy_counter *counter = &answer->counters[i];
		struct store_counter c;

		if (counter->hold || (money_alone && !is_money(counter)))
			continue;
		service_counter(counter, NULL, 0, &c);
		store_tx_reserve(tx, &c);
	}
}

void service_reserve(struct store_tx *tx, const struct policy_answer *answer)
{
	reserve(tx, answer, false);
}

void service_reserve_money(struct store_tx *tx,
			   const struct policy_answer *answer)
{
	reserve(tx, answer, true);
}

/* What was reserved at this place: see service_reserve(). */
static const struct policy_counter *counter_at(
	const struct policy_answer *answer, unsigned place)
{
	for (size_t i = 0; i < answer->counters_count; i++)
		if (!answer->counters[i].hold && place-- == 0)
			return &answer->counters[i];
	return NULL;
}

/* They were reserved behind those of the policy. */
static const char *own_at(const struct policy_answer *answer,
			  const struct service_own *own, unsigned place)
{
	for (size_t i = 0; i < answer->counters_count; i++)
		place -= !answer->counters[i].hold;
	return own && place < own->count ? own->at[place].rule : "";
}

void service_refuse_counter(struct service_refusal *no,
			    const struct policy_answer *answer,
			    const struct service_own *own,
			    const struct store_result *r)
{
	const struct policy_counter *c = counter_at(answer, r->counter);
	const char *rule = c ? c->rule : own_at(answer, own, r->counter);

	service_refuse(no, c ? c->code : "rate_limited", "to",
		       "the limit %s is reached", rule);
	(void)snprintf(no->rule, sizeof(no->rule), "%s", rule);
	no->retry_ms = r->retry_ms;
}

bool service_ask_past(const struct verification_number *n, int64_t now,
		      struct policy_request *r)
{
	bool forwarded = n->forwarded;
	bool machine = n->five_digits_until_ms > now;
	bool lately = n->approved_ms > 0 && n->approved_ms > now - lately_ms;
	bool same = r->forwarded_before == forwarded &&
		    r->machine_suspected == machine &&
		    r->approved_lately == lately;

	r->forwarded_before = forwarded;
	r->machine_suspected = machine;
	r->approved_lately = lately;
	return !same;
}

static int64_t paid(const struct policy_answer *answer,
		    const struct verification_leg *leg)
{
	if (leg->answered_ms == 0 || leg->ended_ms <= leg->answered_ms)
		return 0;
	return prices_of(answer->price_per_minute,
			 leg->ended_ms - leg->answered_ms);
}

static void note_cost(const struct policy *policy,
		      const struct policy_answer *answer,
		      struct verification_leg *leg)
{
	if (!answer->price_known || !policy->prices || leg->dialed_ms == 0)
		return;
	leg->priced = true;
	leg->cost_micro = paid(answer, leg);
	(void)snprintf(leg->currency, sizeof(leg->currency), "%s",
		       prices_currency(policy->prices));
}

void service_give_back(struct store_tx *tx, const struct service *sv,
		       const struct policy *policy,
		       const struct verification *v,
		       struct verification_leg *leg)
{
	struct policy then = *policy;
	struct policy_answer answer;
	struct service_ask ask;
	char to[NUMBER_BYTES];
	int64_t rest;

	if (service_number_open(sv->p.ring, v, to) != 0)
		return; /* holds have an end, and money its window */
	service_ask_of(policy, v, to, &ask);
	ask.request.now = leg->queued_ms;
	then.kill_switch = false; /* no reason to keep what was taken */
	policy_ask_again(&then, &ask.request, &answer);
	note_cost(policy, &answer, leg);
	rest = leg->price_micro - paid(&answer, leg);
	for (size_t i = 0; i < answer.counters_count; i++) {
		struct store_counter c;

		service_counter(&answer.counters[i], leg->id, 0, &c);
		if (is_money(&answer.counters[i]))
			c.amount = rest;
		else if (!answer.counters[i].hold)
			continue;
		if (c.amount > 0)
			store_tx_release(tx, &c, leg->queued_ms);
	}
}

void service_count_report(struct store_tx *tx, const struct service *sv,
			  const struct policy *policy,
			  const struct verification *v)
{
	struct policy_answer all, again;
	struct service_ask ask;
	char to[NUMBER_BYTES];

	if (service_number_open(sv->p.ring, v, to) != 0)
		return;
	service_ask_of(policy, v, to, &ask);
	ask.request.now = store_tx_now(tx);
	policy_ask(policy, &ask.request, &all);
	policy_ask_again(policy, &ask.request, &again);
	/* those of who asked come last, and a further call has none of them */
	for (size_t i = again.counters_count; i < all.counters_count; i++) {
		struct store_counter c;

		service_counter(&all.counters[i], NULL, 0, &c);
		c.amount *= SERVICE_REPORT_WEIGHT;
		c.limit = INT64_MAX; /* it is counted, also above */
		store_tx_reserve(tx, &c);
	}
}
