// SPDX-License-Identifier: Apache-2.0
/*
 * test_pump_heard.c - whom a pump listens to, and where sound goes (C6).
 */
#include "media/pump.h"

#include <string.h>

#include "support/test.h"
#include "unit/media/pump_bench.h"

enum {
	MANY = 12,
	MANY_TWICE = 2 * MANY,
	WITH_KEY = MANY + 6, /* packets */
	WITH_KEY_TWICE = 2 * WITH_KEY,
};

static struct net_list network(const char *text)
{
	struct net_list l = {.count = 0};
	struct net n;

	assert_int_equal(net_parse(text, &n, NULL), 0);
	assert_int_equal(net_list_add(&l, &n), 0);
	return l;
}

static uint64_t strange(const struct bench *b)
{
	struct pump_figures fig;

	pump_figures(b->pump, &fig);
	return fig.strange;
}

static void silences(struct far *f, struct call *to, int n)
{
	for (int i = 0; i < n; i++)
		far_silence(f, to);
}

/* A call whose SDP named another place than it speaks from. */
static struct call *behind_nat(struct bench *b, struct far **named,
			       const struct net_list *networks)
{
	struct call *c = call_new(b);
	struct pump_far far = call_far(c);

	*named = far_new(b);
	far.rtp = (*named)->at;
	far.rtcp = (*named)->rtcp_at;
	far.networks = networks;
	call_connect(c, &far);
	return c;
}

TEST(who_was_named_is_heard)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);

	silences(c->far, c, PUMP_LATCH_PACKETS - 1);
	bench_for(b, 50);
	assert_int_equal(call_told(c, PUMP_HEARD), 0);
	silences(c->far, c, MANY);
	UNTIL(b, call_told(c, PUMP_HEARD) == 1);
	bench_for(b, 50);
	call_close(c);

	assert_int_equal(c->stats.received, PUMP_LATCH_PACKETS - 1 + MANY);
	assert_int_equal(c->stats.strange, 0);
	assert_int_equal(c->stats.lost, 0);
	assert_int_equal(strange(b), 0);
}

TEST(who_was_named_may_begin_late)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);

	bench_for(b, PUMP_LATCH_MS + 300);
	silences(c->far, c, MANY);
	UNTIL(b, call_told(c, PUMP_HEARD) == 1);
}

TEST(a_stranger_changes_nothing_and_gets_nothing)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);
	struct far *stranger = far_new(b);

	/* before anybody was heard */
	silences(stranger, c, MANY);
	far_key(stranger, c, '1');
	UNTIL(b, strange(b) >= WITH_KEY);
	assert_int_equal(call_told(c, PUMP_HEARD), 0);

	/* and after, with the very numbers of the true one */
	far_locked(c);
	stranger->next = c->far->next;
	silences(stranger, c, MANY);
	far_key(stranger, c, '2');
	UNTIL(b, strange(b) >= WITH_KEY_TWICE);
	far_key(c->far, c, '3');
	UNTIL(b, call_told(c, PUMP_KEY) > 0);
	call_close(c);

	assert_int_equal(call_told(c, PUMP_KEY), 1);
	assert_int_equal(call_event(c, PUMP_KEY)->key, '3');
	assert_int_equal(stranger->count + stranger->report_count, 0);
	assert_int_equal(c->stats.strange, WITH_KEY_TWICE);
}

TEST(a_source_inside_the_networks_is_locked_and_sound_goes_there)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("127.0.0.0/8");
	struct far *named;
	struct call *c = behind_nat(b, &named, &nets);
	size_t count;

	UNTIL(b, named->count > 2);
	far_locked(c);
	UNTIL(b, c->far->count > 2);
	count = named->count;
	far_key(c->far, c, '5');
	UNTIL(b, call_told(c, PUMP_KEY) == 1 && c->far->count > 10);

	assert_int_equal(named->count, count);
	/* the one that was named first is a stranger from here on */
	silences(named, c, MANY);
	far_key(named, c, '6');
	UNTIL(b, strange(b) >= WITH_KEY);
	assert_int_equal(call_told(c, PUMP_KEY), 1);
}

TEST(a_source_outside_of_them_is_not)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("192.0.2.0/24");
	struct far *named;
	struct call *c = behind_nat(b, &named, &nets);

	silences(c->far, c, MANY);
	UNTIL(b, strange(b) == MANY);

	assert_int_equal(call_told(c, PUMP_HEARD), 0);
	assert_int_equal(c->far->count, 0);
	silences(named, c, MANY);
	UNTIL(b, call_told(c, PUMP_HEARD) == 1);
}

TEST(a_source_that_sends_something_else_is_not)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("127.0.0.1");
	struct far *named;
	struct call *c = behind_nat(b, &named, &nets);

	for (int i = 0; i < MANY; i++)
		far_say(c->far, c, 96, "?", 1);
	UNTIL(b, strange(b) == MANY);
	assert_int_equal(call_told(c, PUMP_HEARD), 0);
}

TEST(after_the_first_second_none_is_learnt)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("127.0.0.1");
	struct far *named;
	struct call *c = behind_nat(b, &named, &nets);

	bench_for(b, PUMP_LATCH_MS + 50);
	silences(c->far, c, MANY);
	UNTIL(b, strange(b) == MANY);
	assert_int_equal(call_told(c, PUMP_HEARD), 0);
	assert_int_equal(c->far->count, 0);
}

TEST(who_was_named_and_speaks_is_not_replaced)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("127.0.0.1");
	struct far *named;
	struct call *c = behind_nat(b, &named, &nets);

	silences(named, c, 1);
	silences(c->far, c, MANY);
	UNTIL(b, strange(b) == MANY);
	assert_int_equal(c->far->count, 0);
	silences(named, c, 2);
	UNTIL(b, call_told(c, PUMP_HEARD) == 1);
}

TEST(another_ssrc_is_heard_after_a_new_answer_alone)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);
	struct pump_far far = call_far(c);

	far_locked(c);
	c->far->next.ssrc++;
	silences(c->far, c, MANY);
	far_key(c->far, c, '1');
	UNTIL(b, strange(b) >= WITH_KEY);
	assert_int_equal(call_told(c, PUMP_KEY), 0);

	call_connect(c, &far);
	bench_for(b, 20);
	silences(c->far, c, MANY);
	far_key(c->far, c, '2');
	UNTIL(b, call_told(c, PUMP_KEY) == 1);
	assert_int_equal(call_event(c, PUMP_KEY)->key, '2');
}

TEST(a_new_answer_may_name_another_place)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *c = call_connected(b);
	struct pump_far far = call_far(c);
	struct far *next = far_new(b);
	size_t count;

	far_locked(c);
	far.rtp = next->at;
	far.rtcp = next->rtcp_at;
	call_connect(c, &far);
	UNTIL(b, next->count > 0);
	bench_for(b, 40);
	count = c->far->count;
	silences(c->far, c, MANY);
	UNTIL(b, strange(b) == MANY);
	silences(next, c, MANY);
	far_key(next, c, '7');
	UNTIL(b, call_told(c, PUMP_KEY) == 1);

	assert_int_equal(c->far->count, count);
	assert_int_equal(next->packets[0].h.ssrc, c->far->packets[0].h.ssrc);
	assert_int_equal(call_told(c, PUMP_BEGAN), 1);
}

TEST(of_two_unknown_on_one_port_neither_learns_a_source)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("127.0.0.1");
	struct far *named[2];
	struct call *one = behind_nat(b, &named[0], &nets);
	struct call *two = behind_nat(b, &named[1], &nets);

	bench_for(b, 30);
	silences(one->far, one, MANY);
	silences(two->far, two, MANY);
	UNTIL(b, strange(b) == MANY_TWICE);
	assert_int_equal(one->far->count + two->far->count, 0);

	/* but both are heard from where they said */
	silences(named[0], one, MANY);
	silences(named[1], two, MANY);
	UNTIL(b, call_told(one, PUMP_HEARD) + call_told(two, PUMP_HEARD) == 2);
}

TEST(calls_of_unknown_source_get_ports_of_their_own)
{
	enum { CALLS = 24 };
	AUTO(bench) *b = bench_new("127.0.0.1", CALLS, 3 * CALLS);
	struct net_list nets = network("127.0.0.1");
	struct far *named[CALLS];
	struct pump_figures fig;

	for (int i = 0; i < CALLS; i++) {
		struct call *c = behind_nat(b, &named[i], &nets);

		for (int k = 0; k < i; k++)
			assert_int_not_equal(pump_stream_port(c->s),
					     pump_stream_port(b->calls[k].s));
	}
	bench_for(b, 10);
	for (int i = 0; i < CALLS; i++)
		silences(b->calls[i].far, &b->calls[i], MANY);
	UNTIL(b, bench_told(b, PUMP_HEARD) == CALLS);
	pump_figures(b->pump, &fig);

	assert_int_equal(fig.ports, CALLS);
	for (int i = 0; i < CALLS; i++)
		UNTIL(b, b->calls[i].far->count > 0);
}

TEST(an_ended_call_that_still_speaks_is_not_taken_for_the_next)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("127.0.0.1");
	struct call *old = call_connected(b);
	unsigned port = pump_stream_port(old->s);
	struct far *named;
	struct call *c;

	far_locked(old);
	call_close(old);
	c = behind_nat(b, &named, &nets);
	assert_int_equal(pump_stream_port(c->s), port);
	silences(old->far, c, MANY);
	UNTIL(b, strange(b) == MANY);

	assert_int_equal(call_told(c, PUMP_HEARD), 0);
	far_locked(c);
	UNTIL(b, c->far->count > 0);
}

TEST(after_a_call_that_was_never_heard_a_port_rests)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct net_list nets = network("127.0.0.1");
	struct call *old = call_connected(b);
	struct far *named;
	struct call *c;

	call_close(old);
	c = behind_nat(b, &named, &nets);
	silences(old->far, c, MANY);
	UNTIL(b, strange(b) == MANY);
	assert_int_equal(call_told(c, PUMP_HEARD), 0);
}

TEST(two_calls_to_one_place_have_two_ports)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 2);
	struct call *one = call_connected(b), *two = call_new(b);
	struct pump_far far = call_far(one);
	struct far *f = one->far;

	call_connect(two, &far);
	assert_int_not_equal(pump_stream_port(one->s),
			     pump_stream_port(two->s));
	silences(f, one, MANY);
	far_key(f, one, '1');
	silences(f, two, MANY);
	far_key(f, two, '2');
	UNTIL(b, bench_told(b, PUMP_KEY) == 2);

	assert_int_equal(call_event(one, PUMP_KEY)->key, '1');
	assert_int_equal(call_event(two, PUMP_KEY)->key, '2');
}

TEST(on_one_port_they_are_told_apart_by_ssrc)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *one = call_connected(b), *two;
	struct pump_far far = call_far(one);
	struct rtp_header first, second;
	struct far *f = one->far;

	far_locked(one);
	first = f->next;
	two = call_new(b);
	call_connect(two, &far);
	bench_for(b, 20);
	f->next.ssrc++;
	silences(f, two, MANY);
	far_key(f, two, '2');
	second = f->next;
	f->next = first;
	far_key(f, one, '1');
	f->next = second;
	far_key(f, two, '3');
	UNTIL(b, bench_told(b, PUMP_KEY) == 3);

	char keys[BENCH_EVENTS + 1];

	assert_int_equal(call_keys(one, keys), 1);
	assert_string_equal(keys, "1");
	assert_int_equal(call_keys(two, keys), 2);
	assert_string_equal(keys, "23");
}

TEST(where_it_cannot_be_said_whose_it_is_nobody_gets_it)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	struct call *one = call_connected(b), *two = call_new(b);
	struct pump_far far = call_far(one);

	call_connect(two, &far);
	bench_for(b, 20);
	silences(one->far, one, MANY);
	far_key(one->far, one, '1');
	UNTIL(b, strange(b) == WITH_KEY);

	assert_int_equal(bench_told(b, PUMP_HEARD), 0);
	assert_int_equal(bench_told(b, PUMP_KEY), 0);
	call_close(two);
	silences(one->far, one, MANY);
	UNTIL(b, call_told(one, PUMP_HEARD) == 1);
}

TEST(nonsense_is_counted_and_nothing_else)
{
	AUTO(bench) *b = bench_new("127.0.0.1", 4, 1);
	AUTO(rng) *r = rng_seeded(1);
	struct call *c = call_connected(b);
	struct pump_figures fig;
	uint8_t bytes[1600];
	unsigned sent = 0;

	far_locked(c);
	for (int i = 0; i < 400; i++) {
		size_t n = rng_below(r, i % 20 ? 40 : sizeof(bytes));

		rng_fill(r, bytes, n);
		if (i % 3 && n > 1)
			bytes[0] = 0x80;
		if (i % 5 == 0 && n > 1)
			bytes[1] = (uint8_t)(200 + i % 4);
		far_send(i % 2 ? c->far->rtp : c->far->rtcp, c, i % 2 == 0,
			 bytes, n);
		sent++;
		if (i % 50 == 0)
			bench_step(b, 1);
	}
	UNTIL(b, strange(b) == sent);
	far_key(c->far, c, '4');
	UNTIL(b, call_told(c, PUMP_KEY) == 1);
	pump_figures(b->pump, &fig);
	assert_int_equal(fig.streams, 1);
	assert_int_equal(call_told(c, PUMP_LOST), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_named_is_heard),
		cmocka_unit_test(who_was_named_may_begin_late),
		cmocka_unit_test(a_stranger_changes_nothing_and_gets_nothing),
		cmocka_unit_test(
			a_source_inside_the_networks_is_locked_and_sound_goes_there),
		cmocka_unit_test(a_source_outside_of_them_is_not),
		cmocka_unit_test(a_source_that_sends_something_else_is_not),
		cmocka_unit_test(after_the_first_second_none_is_learnt),
		cmocka_unit_test(who_was_named_and_speaks_is_not_replaced),
		cmocka_unit_test(
			another_ssrc_is_heard_after_a_new_answer_alone),
		cmocka_unit_test(a_new_answer_may_name_another_place),
		cmocka_unit_test(
			of_two_unknown_on_one_port_neither_learns_a_source),
		cmocka_unit_test(
			calls_of_unknown_source_get_ports_of_their_own),
		cmocka_unit_test(
			an_ended_call_that_still_speaks_is_not_taken_for_the_next),
		cmocka_unit_test(
			after_a_call_that_was_never_heard_a_port_rests),
		cmocka_unit_test(two_calls_to_one_place_have_two_ports),
		cmocka_unit_test(on_one_port_they_are_told_apart_by_ssrc),
		cmocka_unit_test(
			where_it_cannot_be_said_whose_it_is_nobody_gets_it),
		cmocka_unit_test(nonsense_is_counted_and_nothing_else),
	};

	return cmocka_run_group_tests_name("media/pump_heard", tests, NULL,
					   NULL);
}
