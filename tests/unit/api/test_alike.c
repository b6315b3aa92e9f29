// SPDX-License-Identifier: Apache-2.0
/*
 * test_alike.c - can a front end's key tell by time why a check failed (D4)?
 *
 * Wrong, expired, another's and unknown are asked in random order over one connection, and
 * each two are compared: the chance that one of the first kind takes longer
 * than one of the second.  One half is no knowledge at all.
 *
 * The work itself is held to be alike, roughly; what a front end's key gets to
 * see is held to the requirement, with enough of them in `make soak`.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/api_world.h"
#include "support/test.h"

#define LISTENS "+15555550110"

enum kind { WRONG, EXPIRED, FOREIGN, UNKNOWN, KINDS };

enum {
	WORK_ROUNDS = 300,
	SEEN_ROUNDS = 50,
	SOAK_ROUNDS = 1700, /* over 10,000 timings */
	EACH = 2,           /* of a kind in a round */
	SECOND_NS = 1000000000,
};

/* How far from one half may be chance: 4 standard deviations and more; the
 * work of one kind may also find its pages a little warmer. */
static const double work_bound = 0.2, seen_bound = 0.2, soak_bound = 0.05;

struct timing {
	struct api_world *aw;
	const char *token;
	int fd;
	char ids[KINDS][VERIFICATION_ID_BYTES];
	double *took[KINDS];
	size_t count[KINDS];
};

static int64_t now_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* --- records that a check finds as it should ---------------------------------- */

struct spoken {
	struct verification v;
	bool expired;
};

static int speak(struct store_tx *tx, void *ctx)
{
	struct spoken *s = ctx;
	AUTO_BUF(record, STORE_VALUE_MAX);
	struct verification *v = &s->v;
	struct span was;

	assert_true(store_tx_get(tx, 0, &was));
	assert_int_equal(verification_unpack(was, v), 0);
	v->deliverable_ms = v->answered_ms = store_tx_now(tx);
	if (s->expired)
		v->expires_ms = store_tx_now(tx) - 1;
	verification_pack(v, &record);
	verification_free(v);
	store_tx_put(tx, 0, buf_view(&record),
		     &(struct store_index){.time_ms = v->created_ms,
					   .owner = v->application,
					   .hash = v->number_hash,
					   .label = "pending",
					   .group = v->country});
	return 0;
}

static void stored(const struct store_result *r, void *ctx)
{
	assert_int_equal(r->err, 0);
	free(ctx);
}

/* Somebody else's: it has not even to be spoken. */
static void make_foreign(struct timing *t)
{
	const struct api_ask ask = {
		.method = "POST",
		.path = "/v1/verifications",
		.token = t->aw->other,
		.body = "{\"to\":\"" LISTENS "\",\"purpose\":\"signup\"}",
	};
	struct http_answer a;

	api_world_ask(t->aw, &ask, &a);
	assert_int_equal(a.status, 201);
	(void)snprintf(t->ids[FOREIGN], sizeof(t->ids[FOREIGN]), "%s",
		       api_world_text(&a, "id"));
	http_answer_free(&a);
}

/* Made, and spoken as if a call had been; expired at once if it shall be. */
static void make(struct timing *t, enum kind kind)
{
	struct spoken *s = b_zero(1, sizeof(*s));
	const struct store_key key = {"verification", t->ids[kind]};
	struct answer a;

	api_world_create(t->aw, LISTENS, "speak", t->ids[kind]);
	a = world_read(t->aw->w, t->ids[kind]);
	s->expired = kind == EXPIRED;
	assert_int_equal(
		store_change(t->aw->w->store,
			     (unsigned)strtoul((char[3]){a.v.number_hash[0],
							 a.v.number_hash[1], 0},
					       NULL, 16),
			     &key, 1, speak, stored, s),
		0);
}

/* --- timing ----------------------------------------------------------------------- */

/* How long it took. */
static double ask(struct timing *t, enum kind kind)
{
	static const char body[] = "{\"code\":\"not it\"}";
	AUTO_BUF(request, 1024);
	struct http_answer a;
	int64_t began;
	double took;

	buf_printf(&request,
		   "POST /v1/verifications/%s/check HTTP/1.1\r\nHost: a\r\n"
		   "Authorization: Bearer %s\r\nContent-Length: %zu\r\n\r\n%s",
		   t->ids[kind], t->token, sizeof(body) - 1, body);
	/* time goes on: no two checks write the same */
	clock_advance(t->aw->w->clock, 3);
	began = now_ns();
	http_send_bytes(t->fd, request.p, request.n);
	http_read(t->fd, false, &a);
	took = (double)(now_ns() - began);
	if (!span_starts(buf_view(&a.body), "{\"approved\":false"))
		fail_msg("%.*s", (int)a.body.n, a.body.p);
	http_answer_free(&a);
	return took;
}

static void time_one(struct timing *t, enum kind kind)
{
	t->took[kind][t->count[kind]++] = ask(t, kind);
}

static void play_round(struct timing *t, struct rng *rng)
{
	enum kind order[KINDS * EACH];

	make(t, WRONG);
	make(t, EXPIRED);
	make_foreign(t);
	(void)ask(t, EXPIRED); /* it is known to be over then */
	/* well-formed, and nobody's */
	memcpy(t->ids[UNKNOWN], t->ids[WRONG], sizeof(t->ids[WRONG]));
	t->ids[UNKNOWN][20] = t->ids[WRONG][20] == 'a' ? 'b' : 'a';
	for (size_t i = 0; i < COUNT_OF(order); i++)
		order[i] = (enum kind)(i % KINDS);
	for (size_t i = COUNT_OF(order) - 1; i > 0; i--) {
		size_t k = rng_below(rng, (uint32_t)i + 1);
		enum kind was = order[i];

		order[i] = order[k];
		order[k] = was;
	}
	for (size_t i = 0; i < COUNT_OF(order); i++)
		time_one(t, order[i]);
}

/* The area under the curve: how often a is the longer one. */
static double longer(const struct timing *t, enum kind a, enum kind b)
{
	double wins = 0;

	for (size_t i = 0; i < t->count[a]; i++)
		for (size_t k = 0; k < t->count[b]; k++)
			wins += t->took[a][i] > t->took[b][k]   ? 1
				: t->took[a][i] < t->took[b][k] ? 0
								: 0.5;
	return wins / (double)(t->count[a] * t->count[b]);
}

static void compare(struct timing *t, unsigned rounds, double bound)
{
	AUTO(rng) *rng = rng_seeded(5);

	for (int i = 0; i < KINDS; i++)
		t->took[i] = b_zero((size_t)rounds * EACH, sizeof(double));
	t->fd = http_connect(t->aw->port);
	for (unsigned i = 0; i < rounds; i++)
		play_round(t, rng);
	(void)close(t->fd);

	for (int a = 0; a < KINDS; a++)
		for (int b = a + 1; b < KINDS; b++) {
			double auc = longer(t, (enum kind)a, (enum kind)b);

			print_message("%d against %d: %.3f\n", a, b, auc);
			assert_true(fabs(auc - 0.5) < bound);
		}
	for (int i = 0; i < KINDS; i++)
		free(t->took[i]);
}

TEST(every_check_is_about_as_much_work)
{
	struct api_world *aw = *state;
	struct timing t = {.aw = aw, .token = aw->verify};

	compare(&t, WORK_ROUNDS, work_bound);
}

TEST(time_does_not_tell_a_front_end_why_a_check_failed)
{
	const char *soak = getenv("VOICEOTP_SOAK"); /* NOLINT: one thread */
	struct api_world *aw = *state;
	struct timing t = {.aw = aw, .token = aw->check};

	if (soak && *soak)
		compare(&t, SOAK_ROUNDS, soak_bound);
	else
		compare(&t, SEEN_ROUNDS, seen_bound);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			every_check_is_about_as_much_work,
			api_world_setup_timed, api_world_teardown),
		cmocka_unit_test_setup_teardown(
			time_does_not_tell_a_front_end_why_a_check_failed,
			api_world_setup_timed, api_world_teardown),
	};

	return cmocka_run_group_tests_name("api/alike", tests, world_voices,
					   world_no_voices);
}
