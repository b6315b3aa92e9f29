// SPDX-License-Identifier: Apache-2.0
/*
 * test_hooks.c - what is kept of a receiver, and who may be told at once.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "service/hook_priv.h"
#include "support/test.h"

static void text(char *out, size_t size, char c)
{
	memset(out, c, size - 1);
	out[size - 1] = '\0';
}
#define FILL(member, c) text(member, sizeof(member), c)

/* Every member set, texts to their ends. */
static void fill(struct hook *h)
{
	*h = (struct hook){
		.state = SERVICE_HOOK_OFF,
		.failures = 7,
		.created_ms = 1900000000000,
		.next_ms = 1900000000001,
		.row = 3,
		.gone = true,
		.again_failures = 2,
		.again_count = HOOK_AGAIN_MAX,
		.tries_count = SERVICE_HOOK_TRIES_MAX,
	};
	FILL(h->application, 'a');
	FILL(h->url, 'u');
	FILL(h->form, 'f');
	FILL(h->cursor, 'c');
	for (size_t i = 0; i < h->again_count; i++)
		FILL(h->again[i], (char)('0' + (int)i));
	for (size_t i = 0; i < h->tries_count; i++) {
		struct service_hook_try *t = &h->tries[i];

		FILL(t->event, 'e');
		FILL(t->type, 't');
		FILL(t->webhook_id, 'w');
		FILL(t->fault, 'x');
		t->time_ms = 1900000000002 + (int64_t)i;
		t->took_ms = 10000;
		t->status = 599;
		t->told = i % 2;
	}
}

TEST(a_record_comes_back_as_it_was)
{
	struct hook *h = b_zero(1, sizeof(*h)), *back = b_zero(1, sizeof(*h));
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	(void)state;
	fill(h);
	service_hook_pack(h, &record);

	assert_int_equal(record.err, 0);
	assert_int_equal(service_hook_unpack(buf_view(&record), back), 0);
	assert_memory_equal(h, back, sizeof(*h));
	free(h);
	free(back);
}

TEST(a_record_that_was_cut_is_refused)
{
	struct hook *h = b_zero(1, sizeof(*h));
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	(void)state;
	fill(h);
	service_hook_pack(h, &record);

	assert_int_equal(service_hook_unpack(span_make(record.p, record.n - 1),
					     h),
			 -EBADMSG);
	free(h);
}

TEST(of_many_tries_the_newest_are_kept)
{
	struct hook *h = b_zero(1, sizeof(*h));
	struct service_hook_try t = {0};

	(void)state;
	for (int i = 0; i < SERVICE_HOOK_TRIES_MAX + 10; i++) {
		t.time_ms = i;
		service_hook_note(h, &t);
	}

	assert_int_equal(h->tries_count, SERVICE_HOOK_TRIES_MAX);
	assert_int_equal(h->tries[0].time_ms, 10);
	assert_int_equal(h->tries[SERVICE_HOOK_TRIES_MAX - 1].time_ms,
			 SERVICE_HOOK_TRIES_MAX + 9);
	free(h);
}

TEST(an_event_has_one_id_and_no_other_has_it)
{
	char a[SERVICE_HOOK_ID_BYTES], b[SERVICE_HOOK_ID_BYTES],
		c[SERVICE_HOOK_ID_BYTES];

	(void)state;
	service_hook_id("ver_1", "23", a);
	service_hook_id("ver_1", "23", b);
	service_hook_id("ver_12", "3", c);

	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	assert_int_equal(strlen(a), SERVICE_HOOK_ID_BYTES - 1);
	assert_null(strchr(a, '.'));
}

TEST(what_is_signed_agrees_with_the_standard)
{
	/* as the npm package standardwebhooks signs it */
	static const char wanted[] =
		"v1,YO/ulmd+VFtlnbodv7yLOOsS6RlBZ48h++gXZrGOpZo=";
	struct service_hook_secrets s = {.count = 1};
	struct service_hook_signature out;

	(void)state;
	memset(s.raw[0], 7, sizeof(s.raw[0]));
	service_hook_sign_with(&s, "msg_p5jXN8AQM9LWM0D4loKWxJek",
			       1614265330000, span_of("{\"test\": 2432232314}"),
			       &out);

	assert_string_equal(out.timestamp, "1614265330");
	assert_string_equal(out.signature, wanted);
}

/* --- who may be told at once --------------------------------------------------------- */

static void crowds_new(struct service_hooks *all)
{
	*all = (struct service_hooks){.crowds = map_new()};
	ll_init(&all->tellings);
}

TEST(so_many_are_told_at_one_host_and_the_next_waits)
{
	struct hook_place places[SERVICE_HOOKS_PER_HOST], one;
	struct service_hooks all;

	(void)state;
	crowds_new(&all);
	for (size_t i = 0; i < SERVICE_HOOKS_PER_HOST; i++)
		assert_int_equal(
			service_hook_place_take(&all, "shop",
						i % 2 ? "https://A.example/x?y"
						      : "https://a.example#z",
						&places[i]),
			0);

	assert_true(service_hook_place_take(&all, "shop", "https://a.example/",
					    &one) > 0);
	assert_int_equal(service_hook_place_take(&all, "shop",
						 "https://a.example:81/", &one),
			 0);
	service_hook_place_drop(&all, &one);
	service_hook_place_drop(&all, &places[0]);
	assert_int_equal(service_hook_place_take(&all, "shop",
						 "https://a.example/", &one),
			 0);
	service_hook_place_drop(&all, &one);
	for (size_t i = 1; i < SERVICE_HOOKS_PER_HOST; i++)
		service_hook_place_drop(&all, &places[i]);
	assert_int_equal(map_count(all.crowds), 0);
	map_free(all.crowds);
}

TEST(who_is_sent_away_among_many_stays_away_longer)
{
	struct hook_place places[SERVICE_HOOKS_PER_HOST], one;
	struct service_hooks all;
	int64_t first, later = 0;

	(void)state;
	crowds_new(&all);
	for (size_t i = 0; i < SERVICE_HOOKS_PER_HOST; i++)
		assert_int_equal(service_hook_place_take(&all, "shop",
							 "https://a.example/",
							 &places[i]),
				 0);
	first = service_hook_place_take(&all, "shop", "https://a.example/",
					&one);
	for (int i = 0; i < 100000; i++)
		later = service_hook_place_take(&all, "shop",
						"https://a.example/", &one);

	assert_int_equal(first, HOOK_BUSY_MS);
	assert_int_equal(later, HOOK_BUSY_MAX_MS);
	for (size_t i = 0; i < SERVICE_HOOKS_PER_HOST; i++)
		service_hook_place_drop(&all, &places[i]);
	map_free(all.crowds);
}

TEST(one_application_does_not_have_all_places)
{
	struct hook_place places[SERVICE_HOOKS_PER_APP], one;
	struct service_hooks all;
	char url[64];

	(void)state;
	crowds_new(&all);
	for (size_t i = 0; i < SERVICE_HOOKS_PER_APP; i++) {
		(void)snprintf(url, sizeof(url), "https://%zu.example/", i);
		assert_int_equal(service_hook_place_take(&all, "shop", url,
							 &places[i]),
				 0);
	}

	assert_true(service_hook_place_take(&all, "shop", "https://x.example/",
					    &one) > 0);
	assert_int_equal(service_hook_place_take(&all, "other",
						 "https://x.example/", &one),
			 0);
	service_hook_place_drop(&all, &one);
	for (size_t i = 0; i < SERVICE_HOOKS_PER_APP; i++)
		service_hook_place_drop(&all, &places[i]);
	map_free(all.crowds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_comes_back_as_it_was),
		cmocka_unit_test(a_record_that_was_cut_is_refused),
		cmocka_unit_test(of_many_tries_the_newest_are_kept),
		cmocka_unit_test(an_event_has_one_id_and_no_other_has_it),
		cmocka_unit_test(what_is_signed_agrees_with_the_standard),
		cmocka_unit_test(
			so_many_are_told_at_one_host_and_the_next_waits),
		cmocka_unit_test(who_is_sent_away_among_many_stays_away_longer),
		cmocka_unit_test(one_application_does_not_have_all_places),
	};

	return cmocka_run_group_tests_name("service/hooks", tests, NULL, NULL);
}
