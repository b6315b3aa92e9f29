// SPDX-License-Identifier: Apache-2.0
/*
 * test_powercut.c - the power fails at any moment, under load, and afterwards
 * everything that was answered is true, and no phone rings twice for one
 * attempt.
 *
 * A round is a life of the service up to the cut, an outage, and a second life
 * on the files that survived.  What applications were answered and what the
 * telephone was asked is written down here, and compared with what the second
 * life says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/powercut.h"
#include "support/receiver.h"
#include "support/tap.h"
#include "support/world.h"

enum {
	ROUNDS = 40,
	SOAK = 10,            /* times as many */
	ITEMS = 24,           /* creates in a round */
	SHOTS = 160,          /* everything else that is asked */
	TURN_MS = SECONDS(8), /* at most, between two requests */
	OUTAGE_MS = SECONDS(500),
	CALLS_MS = SECONDS(130), /* every call has ended by then */
	TRIES = 4,               /* of a receiver that fails now and then */
	LATEST_MS = SECONDS(90), /* A2: left at a dial, or half the life */
};

/* What somebody asked to be created, and was told. */
struct item {
	struct service_create req;
	char key[24];
	uint8_t body[CRYPTO_HASH_BYTES];
	struct answer made;
	char given[CODE_BYTES]; /* a code of its own, of some */
	char code[CODE_BYTES];
	struct verification before; /* as it survived */
	bool survived;
};

enum shot_kind { SHOT_RIGHT, SHOT_WRONG, SHOT_AGAIN, SHOT_CANCEL, SHOT_REPEAT };

struct shot {
	enum shot_kind kind;
	struct item *item;
	struct answer a;
};

/* What the rounds met, so that one knows that they meet it. */
struct met {
	unsigned cuts, created, refused, approved, canceled, again, interrupted,
		queued, dials, found, told;
};

struct round {
	struct met *met;
	struct world *w;
	struct powercut *pc;
	struct tap *tap;
	struct rng *dice;
	struct item items[ITEMS];
	struct shot shots[SHOTS];
	size_t items_count, shots_count;
};

static bool is_there(const struct answer *a)
{
	return __atomic_load_n(&a->done, __ATOMIC_ACQUIRE) && !a->refused;
}

/* --- the load --------------------------------------------------------------------- */

static void create(struct round *r)
{
	static const char *const numbers[] = {"+15555550110", "+15555550110",
					      "+15555550111", "+15555550111",
					      "+15555550120", "+15555550121",
					      "+15555550124", "+15555550126",
					      "+15555550127", "+15555550123"};
	static const char *const flows[] = {"speak", "keypad", "speak",
					    "plain", "speak",  "reverse"};
	size_t i = r->items_count++;
	struct item *it = &r->items[i];

	(void)snprintf(it->key, sizeof(it->key), "order-%zu", i);
	it->body[0] = (uint8_t)i;
	it->req = (struct service_create){
		.who = r->w->who,
		.to = numbers[rng_below(r->dice, COUNT_OF(numbers))],
		.flow = flows[rng_below(r->dice, COUNT_OF(flows))],
		.purpose = "signup",
		.ttl_ms = SECONDS(60 + rng_below(r->dice, 541)),
		.idempotency_key = it->key,
		.body_hash = it->body,
		.short_id = i % 3 == 0,
		.code = i % 3 == 1 ? it->given : NULL,
		.webhook = i % 2 ? "https://shop.example/" : NULL,
	};
	(void)snprintf(it->given, sizeof(it->given), "31415926%02zu", i);
	world_ask_soon(r->w, &it->req, &it->made);
}

static struct shot *shot_at(struct round *r, enum shot_kind kind,
			    struct item *it)
{
	struct shot *s;

	if (r->shots_count == SHOTS)
		return NULL;
	s = &r->shots[r->shots_count++];
	s->kind = kind;
	s->item = it;
	return s;
}

/* The same code several times at once. */
static void check(struct round *r, enum shot_kind kind, struct item *it)
{
	const char *code = kind == SHOT_RIGHT ? it->code : "000000";

	for (uint32_t n = 1 + rng_below(r->dice, 3); n > 0; n--) {
		struct shot *s = shot_at(r, kind, it);

		if (s)
			world_check_soon(r->w, it->made.v.id, code, &s->a);
	}
}

/* One that was given is gone from a record that is over. */
static void note_code(struct round *r, struct item *it)
{
	if (it->req.code)
		(void)snprintf(it->code, sizeof(it->code), "%s", it->req.code);
	else if (!it->code[0])
		world_code(r->w, &it->made.v, it->code);
}

static void shoot(struct round *r)
{
	struct item *it = &r->items[rng_below(r->dice, (uint32_t)ITEMS)];
	uint32_t lot = rng_below(r->dice, 10);
	struct shot *s;

	if (!is_there(&it->made))
		return;
	note_code(r, it);
	if (lot < 6) {
		check(r, lot < 4 ? SHOT_RIGHT : SHOT_WRONG, it);
		return;
	}
	s = shot_at(r,
		    lot < 8    ? SHOT_AGAIN
		    : lot == 8 ? SHOT_CANCEL
			       : SHOT_REPEAT,
		    it);
	if (!s)
		return;
	if (s->kind == SHOT_AGAIN)
		world_call_soon(r->w, it->made.v.id, &s->a);
	else if (s->kind == SHOT_CANCEL)
		world_cancel_soon(r->w, it->made.v.id, &s->a);
	else
		world_ask_soon(r->w, &it->req, &s->a);
}

static void run_load(struct round *r)
{
	for (unsigned i = 0; i < SHOTS / 2 && !powercut_is_off(r->pc); i++) {
		if (r->items_count < ITEMS && rng_below(r->dice, 3) == 0)
			create(r);
		shoot(r);
		if (rng_below(r->dice, 3) == 0)
			world_pass(r->w, rng_below(r->dice, TURN_MS));
	}
	world_settle(r->w);
}

/* --- lives -------------------------------------------------------------------------- */

static void begin_life(struct round *r)
{
	r->w->tel = tap_put(r->tap, r->w->tel);
	world_start(r->w);
}

static bool was_refused(const struct outbound *o,
			const struct receiver_hit *hit)
{
	for (const struct receiver_hit *h = o->hits; h < hit; h++)
		if (h->status == 500 && strcmp(h->id, hit->id) == 0)
			return true;
	return false;
}

/* Now and then it cannot take what it is told; the same event once only, or the
 * pauses between tries become longer than the test. */
static unsigned says(const struct receiver_hit *hit, const char **body,
		     void *ctx)
{
	const struct round *r = ctx;
	const struct outbound *o = r->w->outbound;

	(void)body;
	return o->count % 7 || was_refused(o, hit) ? 204 : 500;
}

static struct round *round_new(uint64_t seed, struct met *met)
{
	struct round *r = b_zero(1, sizeof(*r));

	r->met = met;
	r->pc = powercut_new();
	r->dice = rng_seeded(seed);
	r->w = world_new_on("powercut");
	r->tap = tap_new(r->w->clock);
	world_add_app(r->w);
	r->w->outbound = receiver_new(r->w->clock);
	r->w->outbound->says = says;
	r->w->outbound->ctx = r;
	begin_life(r);
	return r;
}

static void round_free(struct round *r)
{
	struct outbound *outbound = r->w->outbound;

	for (size_t i = 0; i < ITEMS; i++)
		verification_free(&r->items[i].before);
	world_free(r->w);
	outbound_free(outbound);
	powercut_free(r->pc);
	tap_free(r->tap);
	rng_free(r->dice);
	free(r);
}

struct survivor {
	struct item *item;
	bool done;
};

static void survived(int err, const struct store_record *records, size_t count,
		     const char *next, void *ctx)
{
	struct survivor *s = ctx;

	(void)next;
	if (!err && count)
		s->item->survived = verification_unpack(records->value,
							&s->item->before) == 0;
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
}

static bool was_read(void *ctx)
{
	return __atomic_load_n(&((struct survivor *)ctx)->done,
			       __ATOMIC_ACQUIRE);
}

/* As the disk has it, before the service touches it again. */
static void read_survivors(struct round *r)
{
	for (size_t i = 0; i < r->items_count; i++) {
		struct survivor s = {.item = &r->items[i]};
		char hex[3] = "";

		if (!is_there(&s.item->made))
			continue;
		/* the partition is the last two digits of an id */
		memcpy(hex, s.item->made.v.id + strlen(s.item->made.v.id) - 2,
		       2);
		assert_int_equal(store_get(r->w->store,
					   (unsigned)strtoul(hex, NULL, 16),
					   "verification", s.item->made.v.id,
					   survived, &s),
				 0);
		world_turn(r->w, was_read, &s);
	}
}

static void end_life(struct round *r)
{
	world_settle(r->w); /* what had been asked has its answer, or none */
	r->met->cuts += powercut_is_off(r->pc);
	if (!powercut_is_off(r->pc) && rng_below(r->dice, 2))
		powercut_after(r->pc, 1);
	world_cut(r->w);
	powercut_back(r->pc, r->dice);
	if (rng_below(r->dice, 3) == 0)
		clock_advance(r->w->clock, rng_below(r->dice, OUTAGE_MS));
	world_back(r->w);
	read_survivors(r);
}

/* --- what must be true ---------------------------------------------------------------- */

static void assert_short_id_leads(struct round *r, const struct item *it)
{
	char short_id[SERVICE_SHORT_BYTES];
	struct answer found;

	if (!it->req.short_id)
		return;
	service_short_id(it->made.v.id, short_id);
	found = world_find(r->w, &(struct service_find){.short_id = short_id});
	assert_false(found.refused);
	assert_string_equal(found.v.id, it->made.v.id);
	r->met->found++;
}

/* As the disk had it: a code that was given is there while it may be used. */
static void assert_given_is_gone(const struct item *it)
{
	assert_int_equal(it->before.code_given, it->req.code != NULL);
	assert_int_equal(it->before.code_sealed_n > 0,
			 it->before.code_given &&
				 it->before.status == STATUS_PENDING);
}

static void assert_answered_is_there(struct round *r, const struct item *it)
{
	struct answer again;

	r->met->created++;
	assert_true(it->survived);
	again = world_read(r->w, it->made.v.id);
	assert_false(again.refused);
	assert_string_equal(again.to, it->req.to);
	again = world_ask(r->w, &it->req);
	assert_false(again.refused);
	assert_string_equal(again.v.id, it->made.v.id);
	/* one that was given is not shown once it is over */
	if (!it->req.code)
		assert_string_equal(again.code, it->made.code);
	assert_short_id_leads(r, it);
	assert_given_is_gone(it);
}

static void assert_what_was_answered_is_there(struct round *r)
{
	for (size_t i = 0; i < r->items_count; i++) {
		struct item *it = &r->items[i];

		if (is_there(&it->made)) {
			assert_answered_is_there(r, it);
			continue;
		}
		/* who got no answer asks again, and it is made now, unless a
		 * rule is against it that was not before */
		r->met->refused++;
		it->made = world_ask(r->w, &it->req);
		if (it->made.refused)
			assert_string_not_equal(it->made.no.code,
						"store_unavailable");
		else
			assert_string_equal(world_ask(r->w, &it->req).v.id,
					    it->made.v.id);
	}
}

static void assert_shots_hold(struct round *r)
{
	for (size_t i = 0; i < r->shots_count; i++) {
		const struct shot *s = &r->shots[i];
		const struct verification *v = &s->item->before;

		if (!is_there(&s->a))
			continue;
		r->met->canceled += s->kind == SHOT_CANCEL;
		r->met->again += s->kind == SHOT_AGAIN;
		if (s->kind == SHOT_CANCEL)
			assert_int_equal(v->status, STATUS_CANCELED);
		if (s->kind == SHOT_REPEAT)
			assert_string_equal(s->a.v.id, s->item->made.v.id);
		if (s->kind == SHOT_AGAIN)
			assert_true(v->legs_count >= s->a.v.legs_count);
	}
}

static unsigned approvals_of(const struct round *r, const struct item *it)
{
	unsigned n = 0;

	for (size_t i = 0; i < r->shots_count; i++)
		n += r->shots[i].item == it && r->shots[i].a.done &&
		     r->shots[i].kind == SHOT_RIGHT && !r->shots[i].a.refused &&
		     r->shots[i].a.result == CHECK_APPROVED;
	return n;
}

static void assert_approved_at_most_once(struct round *r)
{
	for (size_t i = 0; i < r->items_count; i++) {
		struct item *it = &r->items[i];
		unsigned n = approvals_of(r, it);
		bool was = it->before.status == STATUS_APPROVED;
		struct answer a;

		if (!is_there(&it->made))
			continue;
		assert_in_range(n, 0, 1);
		r->met->approved += n;
		if (n)
			assert_true(was);
		note_code(r, it);
		for (unsigned k = 0; k < 3; k++) {
			a = world_check(r->w, it->made.v.id, it->code);
			assert_false(a.refused);
			if (was)
				assert_int_equal(a.result, CHECK_USED);
			n += a.result == CHECK_APPROVED;
		}
		assert_in_range(n, 0, 1);
	}
}

/* A2: when this leg could last be dialled. */
static int64_t latest_dial(const struct verification *v, size_t leg)
{
	int64_t from = v->created_ms, end;
	int64_t least = v->ttl_ms / 2 < LATEST_MS ? v->ttl_ms / 2 : LATEST_MS;

	for (size_t i = 0; i < leg; i++)
		if (v->legs[i].answered_ms > from)
			from = v->legs[i].answered_ms;
	end = from + v->ttl_ms;
	if (end > v->created_ms + VERIFICATION_LIFE_MS)
		end = v->created_ms + VERIFICATION_LIFE_MS;
	return end - least;
}

static void assert_leg(struct round *r, const struct item *it,
		       const struct verification *v, size_t i)
{
	const struct verification_leg *leg = &v->legs[i];
	unsigned dials = tap_dials_of(r->tap, leg->id);

	assert_int_equal(leg->state, VERIFICATION_LEG_ENDED);
	assert_in_range(dials, 0, 1);
	if (dials) /* it was written down before */
		assert_true(leg->dialed_ms > 0);
	if (!it->survived || i >= it->before.legs_count)
		return;
	r->met->queued += it->before.legs[i].state == VERIFICATION_LEG_QUEUED;
	if (it->before.legs[i].state == VERIFICATION_LEG_QUEUED ||
	    it->before.legs[i].state == VERIFICATION_LEG_ENDED)
		return;
	r->met->interrupted++;
	assert_int_equal(leg->outcome, it->before.status == STATUS_CANCELED
					       ? LEG_CANCELED
					       : LEG_INTERRUPTED);
}

static void assert_dial(struct round *r, const struct verification *v,
			size_t leg)
{
	for (size_t d = 0; d < tap_count(r->tap); d++) {
		const struct tap_dial *dial = tap_dial(r->tap, d);

		if (strcmp(dial->call_id, v->legs[leg].id) == 0)
			assert_true(dial->wall_ms <= latest_dial(v, leg));
	}
}

static void assert_calls(struct round *r)
{
	unsigned known = 0;

	for (size_t i = 0; i < r->items_count; i++) {
		const struct item *it = &r->items[i];
		struct answer a;

		if (!is_there(&it->made))
			continue;
		a = world_read(r->w, it->made.v.id);
		assert_false(a.refused);
		for (size_t k = 0; k < a.v.legs_count; k++) {
			assert_leg(r, it, &a.v, k);
			assert_dial(r, &a.v, k);
			known += tap_dials_of(r->tap, a.v.legs[k].id);
		}
	}
	r->met->dials += known;
	/* none was dialled that no record knows */
	assert_int_equal(known, tap_count(r->tap));
}

/* Of every verification: what happened, in either life. */
static void assert_told(struct round *r)
{
	for (size_t i = 0; i < r->items_count; i++) {
		const struct item *it = &r->items[i];
		char happened[4096];
		size_t events = 1;

		if (!is_there(&it->made) || !it->req.webhook)
			continue;
		world_events(r->w, it->made.v.id, happened, sizeof(happened));
		for (const char *c = happened; *c; c++)
			events += *c == ' ';
		assert_int_equal(receiver_events(r->w->outbound, it->made.v.id),
				 events);
		r->met->told += (unsigned)events;
	}
}

static void one_round(uint64_t seed, uint64_t *steps, struct met *met)
{
	struct round *r = round_new(seed, met);
	uint64_t begun = powercut_steps(r->pc);

	if (*steps)
		powercut_after(r->pc, 1 + rng_below(r->dice, (uint32_t)*steps));
	run_load(r);
	if (!*steps)
		*steps = powercut_steps(r->pc) - begun;
	end_life(r);
	begin_life(r);
	assert_shots_hold(r);
	assert_what_was_answered_is_there(r);
	assert_approved_at_most_once(r);
	world_pass(r->w, CALLS_MS);
	assert_approved_at_most_once(r);
	world_skip(r->w, VERIFICATION_LIFE_MS);
	world_pass(r->w, SECONDS(3));
	assert_calls(r);
	for (int i = 0; i < TRIES; i++) { /* what it did not take */
		world_skip(r->w, MINUTES(31));
		world_pass(r->w, SECONDS(10));
	}
	assert_told(r);
	round_free(r);
}

static int rounds(void)
{
	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	const char *soak = getenv("VOICEOTP_SOAK");

	return soak && *soak ? ROUNDS * SOAK : ROUNDS;
}

TEST(what_was_answered_is_true_after_the_power_failed_at_any_moment)
{
	uint64_t steps = 0; /* of a life; the first one is not cut */
	struct met met = {0};

	(void)state;
	for (int i = 0; i < rounds(); i++) {
		print_message("seed %d\n", i);
		one_round(7000 + (uint64_t)i, &steps, &met);
	}
	print_message("%u cuts, %u created, %u refused, %u approved, %u "
		      "canceled, %u called again, %u waiting, %u interrupted, "
		      "%u dials\n",
		      met.cuts, met.created, met.refused, met.approved,
		      met.canceled, met.again, met.queued, met.interrupted,
		      met.dials);
	assert_true(met.cuts >= 20);
	assert_true(met.created >= 50 && met.refused >= 5);
	assert_true(met.approved >= 5 && met.canceled >= 5 && met.again >= 5);
	assert_true(met.queued >= 5 && met.interrupted >= 10);
	assert_true(met.found >= 10);
	assert_true(met.told >= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_was_answered_is_true_after_the_power_failed_at_any_moment),
	};

	return cmocka_run_group_tests_name("scenario/powercut", tests,
					   world_voices, world_no_voices);
}
