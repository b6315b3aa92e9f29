// SPDX-License-Identifier: Apache-2.0
/*
 * test_record.c - is a record read back as it was, and nothing else read?
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/tlv.h"
#include "core/verification.h"
#include "support/test.h"

static void text(char *out, size_t size, char c)
{
	memset(out, c, size - 1);
	out[size - 1] = '\0';
}
#define FILL(member, c) text(member, sizeof(member), c)

static void fill_texts(struct verification *v)
{
	FILL(v->id, 'i');
	FILL(v->application, 'a');
	FILL(v->key_id, 'k');
	memset(v->number_sealed, 0xee, sizeof(v->number_sealed));
	FILL(v->number_hash, 'h');
	FILL(v->prefix6, '1');
	FILL(v->ring_key, 'r');
	memset(v->nonce, 0x11, sizeof(v->nonce));
	FILL(v->purpose, 'p');
	FILL(v->amount, '9');
	FILL(v->payee, 'y');
	FILL(v->flow, 'f');
	FILL(v->from, '2');
	FILL(v->locale, 'l');
	FILL(v->language, 'g');
	FILL(v->brand, 'b');
	FILL(v->webhook, 'w');
	FILL(v->client_net, 'c');
}

static void fill_legs(struct verification *v)
{
	for (size_t i = 0; i < VERIFICATION_LEGS_MAX; i++) {
		struct verification_leg *leg = &v->legs[i];

		*leg = (struct verification_leg){
			.state = VERIFICATION_LEG_ENDED,
			.outcome = LEG_NOT_CALLED,
			.sip_code = 999,
			.forwarded = true,
			.human = true,
			.spoken = true,
			.queued_ms = 1,
			.dialed_ms = 2,
			.ringing_ms = 3,
			.answered_ms = 4,
			.ended_ms = INT64_MAX,
			.price_micro = 6,
			.q850 = 127,
			.early_media = true,
			.priced = true,
			.cost_micro = 7,
			.media = {.known = true,
				  .sent = 8,
				  .received = 9,
				  .lost = INT64_MAX,
				  .jitter_us = UINT32_MAX,
				  .far_known = true,
				  .far_lost = 10,
				  .far_jitter_us = 11,
				  .rtt_us = 12},
		};
		text(leg->id, sizeof(leg->id), (char)('0' + (int)i));
		FILL(leg->route, 't');
		FILL(leg->currency, 'e');
	}
}

/* Every member set, texts to their ends. */
static struct verification full(void)
{
	struct verification v = {
		.status = STATUS_APPROVED,
		.number_sealed_n = sizeof(v.number_sealed),
		.country = "US",
		.last4 = "0100",
		.country_code = 1,
		.sandbox = true,
		.code_length = 10,
		.code_even = true,
		.epoch = UINT32_MAX,
		.currency = "EUR",
		.flow_version = 77,
		.method_allowed = VERIFICATION_BY_CALL,
		.human_digits = 5,
		.created_ms = 1700000000000,
		.expires_ms = 1700000600000,
		.ended_ms = 1700000500000,
		.answered_ms = 1700000010000,
		.ttl_ms = 600000,
		.deliverable_ms = 1700000020000,
		.wrong = 4,
		.wrong_max = 10,
		.checks = 12,
		.approved_by_keypad = true,
		.legs_count = VERIFICATION_LEGS_MAX,
		.warnings = 7,
		.hook = UINT8_MAX,
		.trace = true,
		.short_id = true,
		.code_given = true,
		.code_sealed_n = sizeof(v.code_sealed),
		.asked = 6,
	};

	fill_texts(&v);
	FILL(v.label, 'l');
	FILL(v.send_digits, '7');
	memset(v.code_sealed, 0xc0, sizeof(v.code_sealed));
	v.params_n = VERIFICATION_PARAMS_MAX;
	v.params = b_zero(v.params_n, 1);
	memset(v.params, 0xda, v.params_n);
	v.metadata = b_strdup("{\"user\":\"\xc3\xa9\"}");
	fill_legs(&v);
	return v;
}

/* The least that a created verification holds. */
static struct verification small(void)
{
	return (struct verification){.id = "ver_1",
				     .code_length = 6,
				     .wrong_max = 5,
				     .ttl_ms = 60000,
				     .created_ms = 1,
				     .expires_ms = 60001};
}

static void same(const struct verification *a, const struct verification *b)
{
	struct verification x = *a, y = *b;

	if (a->metadata || b->metadata)
		assert_string_equal(a->metadata, b->metadata);
	assert_int_equal(a->params_n, b->params_n);
	if (a->params || b->params)
		assert_memory_equal(a->params, b->params, a->params_n);
	x.metadata = y.metadata = NULL;
	x.params = y.params = NULL;
	assert_memory_equal(&x, &y, sizeof(x));
}

TEST(a_verification_is_read_back_as_it_was)
{
	AUTO_BUF(b, 64 << 10);
	struct verification v = full(), got;

	verification_pack(&v, &b);
	assert_int_equal(b.err, 0);
	memset(&got, 0x55, sizeof(got));
	assert_int_equal(verification_unpack(buf_view(&b), &got), 0);

	same(&v, &got);
	verification_free(&v);
	verification_free(&got);
}

TEST(a_small_one_too_with_an_empty_leg)
{
	AUTO_BUF(b, 64 << 10);
	struct verification v = small(), got;

	v.legs_count = 2;
	verification_pack(&v, &b);
	assert_int_equal(verification_unpack(buf_view(&b), &got), 0);

	same(&v, &got);
	assert_int_equal(got.legs_count, 2);
	assert_true(b.n < 100);
}

TEST(fields_of_a_newer_program_are_skipped)
{
	AUTO_BUF(b, 64 << 10);
	struct verification v = small(), got;

	tlv_text(&b, 200, "what is this");
	verification_pack(&v, &b);
	tlv_int(&b, 201, 77);

	assert_int_equal(verification_unpack(buf_view(&b), &got), 0);
	same(&v, &got);
}

TEST(a_record_whose_meaning_changed_is_refused)
{
	AUTO_BUF(b, 64 << 10);
	struct verification v = small(), got = {.wrong = 77};
	struct verification_number n = {.live_count = 3};

	verification_pack(&v, &b);
	tlv_int(&b, 1, 2);

	assert_int_equal(verification_unpack(buf_view(&b), &got), -EBADMSG);
	assert_int_equal(got.wrong, 77);
	buf_reset(&b);
	tlv_int(&b, 1, 2);
	assert_int_equal(verification_number_unpack(buf_view(&b), &n),
			 -EBADMSG);
	assert_int_equal(n.live_count, 3);
}

static void refused(const struct verification *v)
{
	AUTO_BUF(b, 64 << 10);
	struct verification got;

	verification_pack(v, &b);
	assert_int_equal(verification_unpack(buf_view(&b), &got), -EBADMSG);
}

TEST(a_record_that_contradicts_itself_is_refused)
{
	struct verification v = small();

	v.id[0] = '\0';
	refused(&v);
	v = small();
	v.wrong_max = 0;
	refused(&v);
	v = small();
	v.wrong = 6;
	refused(&v);
	v = small();
	v.code_length = 3;
	refused(&v);
	v.code_length = 0;
	refused(&v);
	v = small();
	v.ttl_ms = 600001;
	refused(&v);
	v = small();
	v.expires_ms = 600002;
	refused(&v);
	v = small();
	v.created_ms = INT64_MAX;
	refused(&v);
}

TEST(values_out_of_range_are_refused)
{
	static const struct {
		unsigned tag;
		int64_t value;
	} cases[] = {
		{13, STATUS_COUNT},
		{13, -1},
		{18, 1000},
		{19, 2},
		{22, 11},
		{24, -1},
		{31, 3},
		{24, 1LL << 32},
		{36, 6},
		{39, -5},
		{46, 11},
		{45, 11},
	};
	struct verification v = small(), got;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_BUF(b, 64 << 10);

		verification_pack(&v, &b);
		tlv_int(&b, cases[i].tag, cases[i].value);
		assert_int_equal(verification_unpack(buf_view(&b), &got),
				 -EBADMSG);
	}
}

TEST(too_many_of_a_kind_and_bad_text_are_refused)
{
	static const struct {
		unsigned tag;
		const char *bytes;
		size_t n, times;
	} cases[] = {
		{2, "\xff\0", 2, 7},                      /* legs */
		{3, "{}", 2, 2},                          /* metadata */
		{3, "\xff", 1, 1},                        /* not UTF-8 */
		{15, "USSR", 4, 1},                       /* a country */
		{15, "U\0", 2, 1},   {21, "short", 5, 1}, /* the nonce */
		{2, "\x01", 1, 1}, /* a leg that is cut short */
	};
	struct verification v = small(), got;

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO_BUF(b, 64 << 10);

		verification_pack(&v, &b);
		for (size_t t = 0; t < cases[i].times; t++)
			tlv_bytes(&b, cases[i].tag, cases[i].bytes, cases[i].n);
		assert_int_equal(verification_unpack(buf_view(&b), &got),
				 -EBADMSG);
	}
}

TEST(a_record_that_is_cut_anywhere_is_never_read_past_its_end)
{
	AUTO_BUF(b, 64 << 10);
	struct verification v = full(), got;

	verification_pack(&v, &b);
	for (size_t n = 0; n < b.n; n++) {
		char *copy = b_copy(b.p, n); /* so that a sanitizer sees */

		if (verification_unpack(span_make(copy, n), &got) == 0)
			verification_free(&got);
		free(copy);
	}
	verification_free(&v);
}

TEST(a_damaged_record_is_refused_or_read_within_its_bounds)
{
	AUTO_BUF(b, 64 << 10);
	AUTO(rng) *r = rng_seeded(9);
	struct verification v = full(), got;

	verification_pack(&v, &b);
	for (int i = 0; i < 20000; i++) {
		size_t at = rng_below(r, (uint32_t)b.n);
		char was = b.p[at];

		b.p[at] = (char)(signed char)rng_below(r, 128);
		if (verification_unpack(buf_view(&b), &got) == 0) {
			assert_true(got.legs_count <= VERIFICATION_LEGS_MAX);
			assert_true(got.wrong <= got.wrong_max);
			assert_true(strlen(got.id) < sizeof(got.id));
			verification_free(&got);
		}
		b.p[at] = was;
	}
	verification_free(&v);
}

TEST(a_numbers_state_is_read_back_as_it_was)
{
	AUTO_BUF(b, 64 << 10);
	struct verification_number n = {
		.failures_count = VERIFICATION_PURPOSES_MAX,
		.live_count = VERIFICATION_LIVE_MAX,
		.paused_until_ms = 1,
		.five_digits_until_ms = 2,
		.approved_ms = 3,
		.blocked = true,
		.forwarded = true,
	};
	struct verification_number got;

	for (size_t i = 0; i < VERIFICATION_PURPOSES_MAX; i++) {
		n.failures[i] = (struct verification_failures){
			.in_row = 99 + (unsigned)i,
			.wait_until_ms = 4,
			.last_ms = 5};
		text(n.failures[i].purpose, sizeof(n.failures[i].purpose),
		     (char)('a' + (int)i));
	}
	for (size_t i = 0; i < VERIFICATION_LIVE_MAX; i++) {
		n.live[i].expires_ms = 6;
		FILL(n.live[i].label, 'l');
		text(n.live[i].id, sizeof(n.live[i].id), 'v');
	}
	verification_number_pack(&n, &b);
	assert_int_equal(b.err, 0);
	memset(&got, 0x55, sizeof(got));

	assert_int_equal(verification_number_unpack(buf_view(&b), &got), 0);
	assert_memory_equal(&n, &got, sizeof(n));
}

TEST(a_number_that_has_no_record_is_all_zero)
{
	struct verification_number zero = {0}, got = {.blocked = true};

	assert_int_equal(verification_number_unpack((struct span){0}, &got), 0);
	assert_memory_equal(&zero, &got, sizeof(zero));
}

TEST(too_many_purposes_or_slots_are_refused)
{
	struct verification_number n;

	for (unsigned tag = 5; tag <= 6; tag++) {
		AUTO_BUF(b, 1024);

		for (int i = 0; i < 9; i++)
			tlv_bytes(&b, tag, "\xff\0", 2);
		assert_int_equal(verification_number_unpack(buf_view(&b), &n),
				 -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verification_is_read_back_as_it_was),
		cmocka_unit_test(a_small_one_too_with_an_empty_leg),
		cmocka_unit_test(fields_of_a_newer_program_are_skipped),
		cmocka_unit_test(a_record_whose_meaning_changed_is_refused),
		cmocka_unit_test(a_record_that_contradicts_itself_is_refused),
		cmocka_unit_test(values_out_of_range_are_refused),
		cmocka_unit_test(too_many_of_a_kind_and_bad_text_are_refused),
		cmocka_unit_test(
			a_record_that_is_cut_anywhere_is_never_read_past_its_end),
		cmocka_unit_test(
			a_damaged_record_is_refused_or_read_within_its_bounds),
		cmocka_unit_test(a_numbers_state_is_read_back_as_it_was),
		cmocka_unit_test(a_number_that_has_no_record_is_all_zero),
		cmocka_unit_test(too_many_purposes_or_slots_are_refused),
	};

	return cmocka_run_group_tests_name("core/record", tests, NULL, NULL);
}
