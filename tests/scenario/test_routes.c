// SPDX-License-Identifier: Apache-2.0
/*
 * test_routes.c - which trunk rings, and which one next (B10); places and how
 * long they are waited for; what is noted of each leg.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "media/pump.h"
#include "support/trunks.h"

#define NUMBER "+12025550110"

enum { MANY = 50, A_SECOND_MS = 1000, HELD_MS = 30 * 1000 };

static const char price_list[] = "prefix,price,currency\n1,0.60,EUR\n";

static struct answer create(struct trunks *t)
{
	struct answer a;

	trunks_start(t);
	a = world_create(t->w, NUMBER, "speak");
	if (a.refused)
		fail_msg("%s: %s", a.no.code, a.no.detail);
	return a;
}

static void expect_leg(const struct answer *a, size_t i, const char *route,
		       enum outcome_leg outcome, int sip_code)
{
	const struct verification_leg *leg = &a->v.legs[i];

	assert_true(i < a->v.legs_count);
	assert_string_equal(leg->route, route);
	assert_int_equal(leg->outcome, outcome);
	assert_int_equal(leg->sip_code, sip_code);
	assert_int_equal(leg->state, VERIFICATION_LEG_ENDED);
}

static bool all_quiet(void *ctx)
{
	struct service_stats s;

	service_stats(((struct world *)ctx)->service, &s);
	return s.calls_now == 0 && s.queued_now == 0;
}

/* What became of it when nothing of it is under way any more. */
static struct answer outcome_of(struct trunks *t, const char *id)
{
	world_until(t->w, HOURS(1), all_quiet, t->w);
	return world_read(t->w, id);
}

static unsigned calls_on(struct trunks *t, size_t i)
{
	struct service_trunk out[SERVICE_TELS_MAX];

	assert_int_equal(service_trunks(t->w->service, out), t->count);
	return out[i].calls;
}

/* --- the next route ------------------------------------------------------------- */

TEST(after_503_the_second_trunk_is_dialled_and_approves)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct answer made, end;
	char code[CODE_BYTES], told[1024];

	(void)trunks_add(t, "b", NULL);
	trunk_faults(a, 503, 0);
	made = create(t);
	(void)world_until_spoken(t->w, made.v.id);
	world_code(t->w, &made.v, code);
	assert_int_equal(world_check(t->w, made.v.id, code).result,
			 CHECK_APPROVED);
	end = outcome_of(t, made.v.id);
	world_events(t->w, made.v.id, told, sizeof(told));

	assert_int_equal(end.v.legs_count, 2);
	expect_leg(&end, 0, "a", LEG_CONGESTION, 503);
	expect_leg(&end, 1, "b", LEG_ANSWERED, 0);
	assert_string_not_equal(end.v.legs[0].id, end.v.legs[1].id);
	assert_non_null(strstr(told,
			       "verification.created call.dialing call.ended "
			       "call.dialing call.ringing call.answered"));
}

TEST(busy_stays_on_its_route)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct trunk *b = trunks_add(t, "b", NULL);
	struct answer end;

	trunk_faults(a, 486, 0);
	end = outcome_of(t, create(t).v.id);

	assert_int_equal(end.v.legs_count, 1);
	expect_leg(&end, 0, "a", LEG_BUSY, 486);
	assert_int_equal(b->dials, 0);
}

TEST(a_404_without_a_cause_is_tried_elsewhere_once)
{
	struct trunks *t = *state;
	struct trunk *c;
	struct answer end;

	trunk_faults(trunks_add(t, "a", NULL), 404, 0);
	trunk_faults(trunks_add(t, "b", NULL), 404, 0);
	c = trunks_add(t, "c", NULL);
	end = outcome_of(t, create(t).v.id);

	assert_int_equal(end.v.legs_count, 2);
	expect_leg(&end, 0, "a", LEG_UNALLOCATED, 404);
	expect_leg(&end, 1, "b", LEG_UNALLOCATED, 404);
	assert_int_equal(c->dials, 0);
}

TEST(a_404_that_says_unallocated_is_believed)
{
	struct trunks *t = *state;
	struct trunk *b;
	struct answer end;

	trunk_faults(trunks_add(t, "a", NULL), 404, 1);
	b = trunks_add(t, "b", NULL);
	end = outcome_of(t, create(t).v.id);

	assert_int_equal(end.v.legs_count, 1);
	expect_leg(&end, 0, "a", LEG_UNALLOCATED, 404);
	assert_int_equal(end.v.legs[0].q850, 1);
	assert_int_equal(b->dials, 0);
}

TEST(where_nobody_answers_at_all_the_next_is_asked)
{
	struct trunks *t = *state;
	struct answer end;

	trunk_faults(trunks_add(t, "a", NULL), 0, 0);
	trunk_faults(trunks_add(t, "b", NULL), 502, 34);
	(void)trunks_add(t, "c", NULL);
	end = outcome_of(t, create(t).v.id);

	assert_int_equal(end.v.legs_count, 3);
	expect_leg(&end, 0, "a", LEG_NETWORK_ERROR, 0);
	expect_leg(&end, 1, "b", LEG_CONGESTION, 502);
	expect_leg(&end, 2, "c", LEG_ANSWERED, 0);
}

TEST(what_rang_is_only_dialled_again_after_a_server_failure)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct trunk *b = trunks_add(t, "b", NULL);
	struct answer end;

	trunk_faults(a, 480, 0);
	a->fault.rings = true;
	end = outcome_of(t, create(t).v.id);
	assert_int_equal(end.v.legs_count, 1);
	assert_int_equal(b->dials, 0);

	a->fault.sip_code = 500;
	end = outcome_of(t, world_create(t->w, NUMBER, "speak").v.id);
	assert_int_equal(end.v.legs_count, 2);
	expect_leg(&end, 1, "b", LEG_ANSWERED, 0);
}

TEST(when_all_are_at_fault_the_last_one_has_the_word)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct trunk *b = trunks_add(t, "b", NULL);
	struct answer made, end;

	trunk_faults(a, 503, 0);
	trunk_faults(b, 603, 0);
	made = create(t);
	end = outcome_of(t, made.v.id);
	assert_int_equal(end.v.status, STATUS_PENDING);
	assert_int_equal(end.v.legs_count, 2);
	expect_leg(&end, 1, "b", LEG_BLOCKED, 603);

	/* and it is called again like any other */
	a->at_fault = false;
	assert_false(world_call(t->w, made.v.id).refused);
	end = outcome_of(t, made.v.id);
	assert_int_equal(end.v.legs_count, 3);
	expect_leg(&end, 2, "a", LEG_ANSWERED, 0);
}

TEST(the_next_route_is_no_further_call_to_the_number)
{
	struct trunks *t = *state;
	struct answer made, end;

	policy_end(&t->w->rules.policy);
	policy_defaults(&t->w->rules.policy);
	assert_int_equal(policy_allow(&t->w->rules.policy, "US", NULL), 0);
	trunk_faults(trunks_add(t, "a", NULL), 503, 0);
	(void)trunks_add(t, "b", NULL);
	made = create(t);
	end = outcome_of(t, made.v.id);

	assert_int_equal(end.v.legs_count, 2);
	expect_leg(&end, 1, "b", LEG_ANSWERED, 0);
}

/* A send, so that vendors' clients can ask about each of its calls. */
TEST(a_leg_by_another_route_is_found_by_its_short_id_and_is_no_send)
{
	struct trunks *t = *state;
	const struct service_create req = {.to = NUMBER,
					   .flow = "speak",
					   .purpose = "signup",
					   .label = "VA1",
					   .short_id = true};
	struct answer made, end;

	trunk_faults(trunks_add(t, "a", NULL), 503, 0);
	(void)trunks_add(t, "b", NULL);
	trunks_start(t);
	made = world_send(t->w, &req, 1);
	end = outcome_of(t, made.v.id);

	assert_int_equal(end.v.legs_count, 2);
	assert_int_equal(end.v.asked, 1);
	expect_leg(&end, 1, "b", LEG_ANSWERED, 0);
	for (size_t i = 0; i < end.v.legs_count; i++) {
		char short_id[SERVICE_SHORT_BYTES];
		const struct service_find by = {.short_id = short_id};

		service_short_id(end.v.legs[i].id, short_id);
		assert_string_equal(world_find(t->w, &by).v.id, made.v.id);
	}
}

TEST(money_counts_for_each_leg)
{
	struct trunks *t = *state;
	struct policy *p = &t->w->rules.policy;
	AUTO(prices) *prices = NULL;
	struct diag d = {0};
	struct answer end;

	assert_int_equal(prices_parse(span_of(price_list), "EUR", &prices, &d),
			 0);
	t->w->rules.prices = prices;
	p->prices = prices;
	p->cap_hour = INT64_C(2) * PRICES_UNIT; /* a call may cost 1.20 */
	p->reserved_percent = 0;
	trunk_faults(trunks_add(t, "a", NULL), 503, 0);
	(void)trunks_add(t, "b", NULL);
	end = outcome_of(t, create(t).v.id);

	/* what the first leg did not use was given back before */
	assert_int_equal(end.v.legs_count, 2);
	assert_int_equal(end.v.legs[0].price_micro, end.v.legs[1].price_micro);
	assert_true(end.v.legs[0].priced);
	assert_int_equal(end.v.legs[0].cost_micro, 0);
	assert_int_equal(end.v.legs[1].cost_micro, 600000);
	assert_string_equal(end.v.legs[1].currency, "EUR");

	/* with 1.40 left, one is called; with 0.80 none */
	end = outcome_of(t, world_create(t->w, NUMBER, "speak").v.id);
	assert_int_equal(end.v.legs_count, 2);
	assert_string_equal(world_create(t->w, NUMBER, "speak").no.code,
			    "budget_exhausted");
	p->prices = t->w->rules.prices = NULL;
}

TEST(a_sandbox_number_never_goes_out)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct answer made;

	t->w->numbers_count = 0; /* nobody plays the sandbox */
	trunks_start(t);
	made = world_create(t->w, "+15555550110", "speak");

	assert_string_equal(made.no.code, "no_route");
	assert_int_equal(a->dials, 0);
}

/* --- places ----------------------------------------------------------------------- */

TEST(a_place_is_kept_until_the_call_is_closed)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", &(struct tel_limits){.calls = 1});
	struct answer first, second;

	first = create(t);
	second = world_create(t->w, "+12025550111", "speak");
	(void)world_until_spoken(t->w, first.v.id);
	assert_int_equal(calls_on(t, 0), 1);
	assert_int_equal(a->dials, 1);
	first = world_until_ended(t->w, first.v.id);
	second = world_until_spoken(t->w, second.v.id);

	assert_int_equal(calls_on(t, 0), 1);
	assert_true(second.v.legs[0].dialed_ms >= first.v.legs[0].ended_ms);
	(void)outcome_of(t, second.v.id);
	assert_int_equal(calls_on(t, 0), 0);
}

TEST(those_who_wait_for_a_trunk_that_goes_down_take_the_next)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", &(struct tel_limits){.calls = 1});
	struct trunk *b = trunks_add(t, "b", NULL);
	struct answer first, second;

	first = create(t);
	second = world_create(t->w, "+12025550111", "speak");
	(void)world_until_spoken(t->w, first.v.id);
	assert_int_equal(b->dials, 0);
	trunk_turns(a, TEL_DOWN);
	second = world_until_spoken(t->w, second.v.id);

	assert_string_equal(second.v.legs[0].route, "b");
	assert_int_equal(second.v.legs_count, 1);
}

TEST(while_all_are_down_a_call_waits_in_the_queue)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct answer made, end;

	a->state = TEL_RESTING;
	made = create(t);
	world_pass(t->w, MINUTES(1));
	assert_int_equal(world_read(t->w, made.v.id).v.legs[0].state,
			 VERIFICATION_LEG_QUEUED);
	assert_int_equal(a->dials, 0);
	trunk_turns(a, TEL_UP);
	end = world_until_spoken(t->w, made.v.id);

	assert_string_equal(end.v.legs[0].route, "a");
	assert_int_equal(end.v.legs_count, 1);
	assert_true(end.v.legs[0].dialed_ms - made.v.created_ms <
		    MINUTES(1) + SECONDS(5));
}

TEST(what_found_no_trunk_in_time_is_expired_and_not_called)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	const struct service_create req = {
		.who = t->w->who, .to = NUMBER, .ttl_ms = SECONDS(60)};
	struct answer made, end;

	a->state = TEL_DOWN;
	trunks_start(t);
	made = world_ask(t->w, &req);
	world_pass(t->w, SECONDS(34));
	trunk_turns(a, TEL_UP);
	end = world_until_ended(t->w, made.v.id);

	assert_int_equal(end.v.legs[0].outcome, LEG_EXPIRED);
	assert_int_equal(end.v.legs[0].dialed_ms, 0);
	assert_int_equal(a->dials, 0);
}

TEST(a_cancel_takes_a_waiting_call_out_of_the_line)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", &(struct tel_limits){.calls = 1});
	struct answer made[3], end;

	made[0] = create(t);
	made[1] = world_create(t->w, "+12025550111", "speak");
	made[2] = world_create(t->w, "+12025550112", "speak");
	(void)world_until_spoken(t->w, made[0].v.id);
	(void)world_cancel(t->w, made[1].v.id);
	end = world_until_ended(t->w, made[1].v.id);
	(void)world_until_spoken(t->w, made[2].v.id);

	assert_int_equal(end.v.legs[0].outcome, LEG_CANCELED);
	assert_int_equal(end.v.legs[0].dialed_ms, 0);
	assert_int_equal(a->dials, 2);
	assert_string_equal(a->dialled[1], "+12025550112");
}

TEST(who_waited_for_a_place_when_the_process_died_is_called_once)
{
	const struct tel_limits one = {.calls = 1};
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", &one);
	struct answer first, second;

	first = create(t);
	second = world_create(t->w, "+12025550111", "speak");
	(void)world_until_spoken(t->w, first.v.id);
	assert_int_equal(a->dials, 1);
	world_kill(t->w);
	memset(t->at, 0, sizeof(t->at));
	t->count = 0;
	a = trunks_add(t, "a", &one);
	world_start(t->w);
	second = world_until_ended(t->w, second.v.id);
	first = outcome_of(t, first.v.id);

	assert_int_equal(first.v.legs[0].outcome, LEG_INTERRUPTED);
	assert_int_equal(second.v.legs[0].outcome, LEG_ANSWERED);
	assert_int_equal(second.v.legs_count, 1);
	assert_int_equal(a->dials, 1);
	assert_string_equal(a->dialled[0], "+12025550111");
}

TEST(a_drain_gives_those_who_wait_back)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", &(struct tel_limits){.calls = 1});
	struct answer first, second;

	first = create(t);
	second = world_create(t->w, "+12025550111", "speak");
	(void)world_until_spoken(t->w, first.v.id);
	world_drain(t->w, MINUTES(1));
	second = world_read(t->w, second.v.id);

	assert_int_equal(a->dials, 1);
	assert_int_equal(second.v.legs[0].state, VERIFICATION_LEG_QUEUED);
	assert_int_equal(second.v.legs[0].outcome, LEG_NONE);
}

static void many(struct trunks *t, struct answer made[MANY], int64_t ttl_ms)
{
	char to[NUMBER_BYTES];

	t->w->rules.max_calls = MANY;
	trunks_start(t);
	for (unsigned i = 0; i < MANY; i++) {
		const struct service_create req = {
			.who = t->w->who, .to = to, .ttl_ms = ttl_ms};

		(void)snprintf(to, sizeof(to), "+120255501%02u", i);
		made[i] = world_ask(t->w, &req);
		assert_false(made[i].refused);
	}
}

TEST(five_a_second_go_out_in_order)
{
	struct trunks *t = *state;
	struct trunk *a =
		trunks_add(t, "a", &(struct tel_limits){.per_second = 5});
	struct answer made[MANY];
	char to[NUMBER_BYTES];

	a->script = TEL_SCRIPT_BUSY;
	many(t, made, 0);
	world_until(t->w, MINUTES(2), all_quiet, t->w);

	assert_int_equal(a->dials, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(to, sizeof(to), "+120255501%02u", i);
		assert_string_equal(a->dialled[i], to);
		if (i >= 5)
			assert_true(a->dialled_ms[i] - a->dialled_ms[i - 5] >=
				    A_SECOND_MS);
	}
	assert_in_range(a->dialled_ms[MANY - 1] - a->dialled_ms[0], 9800, 9900);
}

TEST(none_of_a_line_goes_out_after_its_last_moment)
{
	struct trunks *t = *state;
	struct trunk *a =
		trunks_add(t, "a", &(struct tel_limits){.per_second = 1});
	struct answer made[MANY], end;
	unsigned called = 0;

	a->script = TEL_SCRIPT_BUSY;
	many(t, made, SECONDS(60));
	world_until(t->w, MINUTES(2), all_quiet, t->w);

	for (unsigned i = 0; i < MANY; i++) {
		end = world_read(t->w, made[i].v.id);
		if (end.v.legs[0].dialed_ms == 0) {
			assert_int_equal(end.v.legs[0].outcome, LEG_EXPIRED);
			continue;
		}
		called++;
		assert_true(end.v.legs[0].dialed_ms - end.v.created_ms <=
			    HELD_MS);
	}
	assert_int_equal(called, a->dials);
	assert_in_range(called, 30, 31);
}

/* --- what is noted ------------------------------------------------------------------- */

TEST(a_leg_keeps_what_was_counted_of_it)
{
	static const struct pump_stats media = {
		.sent = 900,
		.received = 850,
		.lost = 12,
		.jitter_us = 2300,
		.reported = true,
		.far_lost = 3,
		.far_jitter_us = 4100,
		.rtt_us = 56000,
	};
	static const struct tel_record record = {.media = &media};
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	const struct verification_media *m;
	struct answer end;

	a->record = &record;
	end = outcome_of(t, create(t).v.id);
	m = &end.v.legs[0].media;

	assert_true(m->known && m->far_known);
	assert_int_equal(m->sent, 900);
	assert_int_equal(m->received, 850);
	assert_int_equal(m->lost, 12);
	assert_int_equal(m->jitter_us, 2300);
	assert_int_equal(m->far_lost, 3);
	assert_int_equal(m->far_jitter_us, 4100);
	assert_int_equal(m->rtt_us, 56000);
	assert_false(end.v.legs[0].priced);
}

TEST(early_media_is_noted_and_is_no_answer)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct answer end;

	trunk_faults(a, 486, 17);
	a->fault.early_media = true;
	end = outcome_of(t, create(t).v.id);

	expect_leg(&end, 0, "a", LEG_BUSY, 486);
	assert_true(end.v.legs[0].early_media);
	assert_int_equal(end.v.legs[0].answered_ms, 0);
	assert_int_equal(end.v.legs[0].q850, 17);
}

/* --- traces ---------------------------------------------------------------------------- */

struct said {
	char text[1024], code[32];
	bool done;
};

static void said(const struct service_refusal *no, const char *text, void *ctx)
{
	struct said *s = ctx;

	(void)snprintf(s->text, sizeof(s->text), "%s", text ? text : "");
	(void)snprintf(s->code, sizeof(s->code), "%s", no ? no->code : "");
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
}

static bool is_said(void *ctx)
{
	return __atomic_load_n(&((struct said *)ctx)->done, __ATOMIC_ACQUIRE);
}

static struct said trace_of(struct trunks *t, const char *application,
			    const char *id)
{
	struct service_who who = t->w->who;
	struct said s = {0};

	(void)snprintf(who.application, sizeof(who.application), "%s",
		       application);
	service_trace(t->w->service, &who, id, said, &s);
	world_turn(t->w, is_said, &s);
	return s;
}

static const struct tel_record traced = {
	.trace = "INVITE sip:02025550110@example.net SIP/2.0\r\n"
		 "To: <sip:+12025550110@example.net>\r\n"
		 "Diversion: <tel:+498912345678>\r\n"};

TEST(a_trace_is_kept_on_request_without_whole_numbers)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct service_create req = {.to = NUMBER, .trace = true};
	struct answer made;
	struct said s;

	trunk_faults(a, 503, 0);
	(void)trunks_add(t, "b", NULL)->record;
	a->record = t->at[1].record = &traced;
	t->w->who.scopes |= SERVICE_ADMIN;
	req.who = t->w->who;
	trunks_start(t);
	made = world_ask(t->w, &req);
	(void)outcome_of(t, made.v.id);
	s = trace_of(t, "shop", made.v.id);

	assert_non_null(strstr(s.text, "INVITE sip:0xxxxxxxx10@example.net"));
	assert_non_null(strstr(s.text, "<sip:+1xxxxxxxx10@example.net>"));
	assert_non_null(strstr(s.text, "<tel:+49xxxxxxxx78>"));
	assert_null(strstr(s.text, "2025550110"));
	/* both legs are in it */
	s.text[4] = '-';
	assert_non_null(strstr(s.text, "=== call_"));
	assert_string_equal(trace_of(t, "other", made.v.id).code, "not_found");
}

TEST(nobody_else_has_a_trace_made_or_kept)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	const struct service_create req = {
		.who = t->w->who, .to = NUMBER, .trace = true};
	struct answer made;

	a->record = &traced;
	made = create(t);
	(void)outcome_of(t, made.v.id);

	assert_string_equal(trace_of(t, "shop", made.v.id).code, "not_found");
	assert_string_equal(world_ask(t->w, &req).no.code, "forbidden");
	assert_string_equal(trace_of(t, "shop", "ver_nothing").code,
			    "not_found");
}

/* --- how they are ------------------------------------------------------------------------ */

TEST(a_trunk_s_turns_are_told_and_counted)
{
	struct trunks *t = *state;
	struct trunk *a = trunks_add(t, "a", NULL);
	struct service_trunk out[SERVICE_TELS_MAX];
	const struct service_trunk_news rests = {.trunk = "a",
						 .state = TEL_RESTING,
						 .why = "asked",
						 .sip_code = 503,
						 .rests_ms = 30000};
	char told[256];

	trunk_faults(a, 503, 0);
	(void)outcome_of(t, create(t).v.id);
	a->state = TEL_RESTING;
	service_trunk_news(t->w->service, &rests);
	world_settle(t->w);

	assert_int_equal(service_trunks(t->w->service, out), 1);
	assert_string_equal(out[0].name, "a");
	assert_int_equal(out[0].state, TEL_RESTING);
	assert_string_equal(out[0].why, "asked");
	assert_int_equal(out[0].sip_code, 503);
	assert_int_equal(out[0].until_ms - out[0].since_ms, 30000);
	assert_int_equal(out[0].dials, 1);
	assert_int_equal(out[0].faults, 1);
	assert_int_equal(out[0].failures, 1);
	trunk_turns(a, TEL_UP);
	world_settle(t->w);
	world_events(t->w, "~trunks", told, sizeof(told));
	assert_string_equal(told, "trunk.resting trunk.up");
}

#define WITH(test) \
	cmocka_unit_test_setup_teardown(test, trunks_setup, trunks_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(after_503_the_second_trunk_is_dialled_and_approves),
		WITH(busy_stays_on_its_route),
		WITH(a_404_without_a_cause_is_tried_elsewhere_once),
		WITH(a_404_that_says_unallocated_is_believed),
		WITH(where_nobody_answers_at_all_the_next_is_asked),
		WITH(what_rang_is_only_dialled_again_after_a_server_failure),
		WITH(when_all_are_at_fault_the_last_one_has_the_word),
		WITH(the_next_route_is_no_further_call_to_the_number),
		WITH(a_leg_by_another_route_is_found_by_its_short_id_and_is_no_send),
		WITH(money_counts_for_each_leg),
		WITH(a_sandbox_number_never_goes_out),
		WITH(a_place_is_kept_until_the_call_is_closed),
		WITH(those_who_wait_for_a_trunk_that_goes_down_take_the_next),
		WITH(while_all_are_down_a_call_waits_in_the_queue),
		WITH(what_found_no_trunk_in_time_is_expired_and_not_called),
		WITH(a_cancel_takes_a_waiting_call_out_of_the_line),
		WITH(who_waited_for_a_place_when_the_process_died_is_called_once),
		WITH(a_drain_gives_those_who_wait_back),
		WITH(five_a_second_go_out_in_order),
		WITH(none_of_a_line_goes_out_after_its_last_moment),
		WITH(a_leg_keeps_what_was_counted_of_it),
		WITH(early_media_is_noted_and_is_no_answer),
		WITH(a_trace_is_kept_on_request_without_whole_numbers),
		WITH(nobody_else_has_a_trace_made_or_kept),
		WITH(a_trunk_s_turns_are_told_and_counted),
	};

	return cmocka_run_group_tests(tests, world_voices, world_no_voices);
}
