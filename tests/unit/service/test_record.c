// SPDX-License-Identifier: Apache-2.0
/*
 * test_record.c - an id leads to its records, and tells nobody else anything.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"
#include "support/test.h"

/* Where an id begins to be random (its time is in front) and ends to be so. */
enum { IDS = 1000, RANDOM_AT = 11, PARTITION_AT = 36, SOME_DAY_MS = 1000 };

static struct service sv;
static struct keyring *own;

static struct keyring *ring_of(uint64_t seed)
{
	AUTO(rng) *rng = rng_seeded(seed);
	AUTO_BUF(text, KEYRING_TEXT_MAX);
	struct keyring *ring = NULL;
	struct diag d = {0};

	keyring_make(rng, &text);
	assert_int_equal(keyring_parse(buf_view(&text), &ring, &d), 0);
	return ring;
}

static int setup(void **state)
{
	(void)state;
	own = ring_of(1);
	sv.p.ring = own;
	sv.p.rng = rng_seeded(2);
	sv.p.clock = clock_manual(SOME_DAY_MS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	keyring_free(own);
	rng_free(sv.p.rng);
	clock_free(sv.p.clock);
	return 0;
}

static void hash_of(const char *number, char out[KEYRING_HASH_BYTES])
{
	keyring_hash_number(sv.p.ring, number, out);
}

TEST(an_id_leads_to_the_number_that_it_was_made_for)
{
	char hash[KEYRING_HASH_BYTES], id[VERIFICATION_ID_BYTES];
	struct service_place from_hash, from_id;

	hash_of("+14155550100", hash);
	service_place_of_hash("shop", hash, &from_hash);
	for (unsigned i = 0; i < IDS; i++) {
		service_id_make(&sv, hash, false, id);
		service_place_find(sv.p.ring, "shop", id, &from_id);

		assert_true(from_id.well_formed);
		assert_int_equal(from_id.partition, from_hash.partition);
		assert_string_equal(from_id.number_key, from_hash.number_key);
		assert_string_equal(from_id.phone_key, from_hash.phone_key);
	}
}

TEST(two_ids_of_one_number_share_time_and_partition_alone)
{
	char hash[KEYRING_HASH_BYTES];
	char a[VERIFICATION_ID_BYTES], b[VERIFICATION_ID_BYTES];
	unsigned same = 0;

	hash_of("+14155550100", hash);
	for (unsigned i = 0; i < IDS; i++) {
		service_id_make(&sv, hash, false, a);
		service_id_make(&sv, hash, false, b);
		assert_string_equal(a + PARTITION_AT, b + PARTITION_AT);
		for (size_t at = RANDOM_AT; at < PARTITION_AT; at++)
			same += a[at] == b[at];
	}
	/* of 25 letters out of 64, two in five ids by chance */
	assert_in_range(same, IDS / 4, IDS);
}

TEST(a_crooked_id_leads_somewhere_all_the_same)
{
	static const char *const crooked[] = {
		"",
		"ver_",
		"ver_zz0123456789012345678901234567890123",
		"ver_0012345678901234567890123456789012",
		"ver_00AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!",
		"call_0123456789012345678901234567890123",
		"ver_00AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	struct service_place p;

	for (size_t i = 0; i < COUNT_OF(crooked); i++) {
		service_place_find(sv.p.ring, "shop", crooked[i], &p);
		if (i != 3) /* this one is well-formed: 32 letters behind 00 */
			assert_false(p.well_formed);
		assert_true(p.partition < STORE_PARTITIONS);
		assert_memory_equal(p.number_key, "shop:", 5);
	}
}

TEST(a_family_of_ids_differs_in_its_last_place_alone)
{
	struct verification v = {.short_id = true};
	char hash[KEYRING_HASH_BYTES], call[VERIFICATION_ID_BYTES];
	char mine[SERVICE_SHORT_BYTES], of_call[SERVICE_SHORT_BYTES];
	char family[SERVICE_SHORT_BYTES];
	unsigned partition, other, leg;

	hash_of("+14155550100", hash);
	for (unsigned i = 0; i < IDS; i++) {
		service_id_make(&sv, hash, true, v.id);
		v.legs_count = i % VERIFICATION_LEGS_MAX;
		service_call_id_of(&v, call);
		service_short_id(v.id, mine);
		service_short_id(call, of_call);

		assert_int_equal(
			service_short_split(mine, family, &partition, &leg), 0);
		assert_int_equal(leg, 0);
		assert_string_equal(family, mine);
		assert_int_equal(
			service_short_split(of_call, family, &other, &leg), 0);
		assert_int_equal(leg, v.legs_count + 1);
		assert_string_equal(family, mine);
		assert_int_equal(other, partition);
	}
}

TEST(a_call_of_no_family_keeps_the_id_that_it_has)
{
	struct verification v = {.id = "ver_1"};
	char call[VERIFICATION_ID_BYTES] = "call_1";

	service_call_id_of(&v, call);

	assert_string_equal(call, "call_1");
}

TEST(a_code_that_was_given_takes_the_place_of_the_derived_one)
{
	struct service_wish w = {
		.v = {.id = "ver_one", .code_given = true, .code_length = 4},
		.code = "0420"};
	char code[CODE_BYTES];

	(void)snprintf(w.v.ring_key, sizeof(w.v.ring_key), "%s",
		       keyring_maker(sv.p.ring));
	assert_int_equal(service_given_seal(&sv, &w), 0);
	assert_int_equal(service_code(sv.p.ring, &w.v, code), 0);
	assert_string_equal(code, "0420");

	w.v.code_sealed_n = 0; /* it is over */
	assert_int_equal(service_code(sv.p.ring, &w.v, code), -ENOKEY);
	assert_string_equal(code, "");
}

/* What was made with the ring of a setup, opened with that ring rotated. */
static struct keyring *rotated(void)
{
	AUTO(rng) *rng = rng_seeded(1); /* as the ring was made */
	AUTO_BUF(old, KEYRING_TEXT_MAX);
	AUTO_BUF(text, KEYRING_TEXT_MAX);
	struct keyring *ring = NULL;
	struct diag d = {0};

	keyring_make(rng, &old);
	assert_int_equal(keyring_rotate(buf_view(&old), rng, &text, &d), 0);
	assert_int_equal(keyring_parse(buf_view(&text), &ring, &d), 0);
	return ring;
}

TEST(after_a_rotation_a_name_stands_for_the_same)
{
	uint8_t before[SERVICE_ALIAS_RAW], after[SERVICE_ALIAS_RAW];
	AUTO(keyring) *ring = rotated();

	service_alias(&sv, "account", "shop", before);
	sv.p.ring = ring;
	service_alias(&sv, "account", "shop", after);
	sv.p.ring = own;

	assert_memory_equal(before, after, sizeof(after));
}

TEST(after_a_rotation_what_was_given_still_opens)
{
	AUTO(keyring) *ring = rotated();
	struct service_wish w = {
		.v = {.id = "ver_one", .code_given = true, .code_length = 4},
		.code = "0420",
		.params = json_pack("{s:s}", "otp", "000042")};
	json_t *params = NULL;
	char code[CODE_BYTES];

	(void)snprintf(w.v.ring_key, sizeof(w.v.ring_key), "%s",
		       keyring_maker(own));
	assert_int_equal(service_given_seal(&sv, &w), 0);

	assert_string_not_equal(keyring_maker(ring), keyring_maker(own));
	assert_int_equal(service_code(ring, &w.v, code), 0);
	assert_string_equal(code, "0420");
	assert_int_equal(service_params_open(ring, &w.v, &params), 0);
	assert_string_equal(json_string_value(json_object_get(params, "otp")),
			    "000042");
	service_params_forget(params);
	assert_string_equal(json_string_value(json_object_get(params, "otp")),
			    "");
	json_decref(params);
	json_decref(w.params);
	verification_free(&w.v);
}

TEST(with_another_ring_an_id_leads_elsewhere)
{
	struct keyring *other = ring_of(3);
	char hash[KEYRING_HASH_BYTES], id[VERIFICATION_ID_BYTES];
	struct service_place ours, theirs;

	hash_of("+14155550100", hash);
	service_id_make(&sv, hash, false, id);
	service_place_find(sv.p.ring, "shop", id, &ours);
	service_place_find(other, "shop", id, &theirs);

	assert_string_not_equal(ours.number_key, theirs.number_key);
	keyring_free(other);
}

TEST(a_sealed_number_opens_for_its_own_record_only)
{
	struct verification v = {.id = "ver_one"};
	char to[NUMBER_BYTES];

	assert_int_equal(service_number_seal(sv.p.ring, "+14155550100", &v), 0);
	assert_int_equal(service_number_open(sv.p.ring, &v, to), 0);
	assert_string_equal(to, "+14155550100");
	(void)snprintf(v.id, sizeof(v.id), "ver_two");
	assert_int_not_equal(service_number_open(sv.p.ring, &v, to), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_id_leads_to_the_number_that_it_was_made_for),
		cmocka_unit_test(
			two_ids_of_one_number_share_time_and_partition_alone),
		cmocka_unit_test(a_crooked_id_leads_somewhere_all_the_same),
		cmocka_unit_test(
			a_family_of_ids_differs_in_its_last_place_alone),
		cmocka_unit_test(a_call_of_no_family_keeps_the_id_that_it_has),
		cmocka_unit_test(
			a_code_that_was_given_takes_the_place_of_the_derived_one),
		cmocka_unit_test(after_a_rotation_a_name_stands_for_the_same),
		cmocka_unit_test(after_a_rotation_what_was_given_still_opens),
		cmocka_unit_test(with_another_ring_an_id_leads_elsewhere),
		cmocka_unit_test(a_sealed_number_opens_for_its_own_record_only),
	};

	return cmocka_run_group_tests_name("service/record", tests, setup,
					   teardown);
}
