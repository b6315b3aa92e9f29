// SPDX-License-Identifier: Apache-2.0
/*
 * test_hooks.c - does whoever is to be told hear of everything, in order?
 *
 * The receiver is ours and so is the clock: the days of a receiver that is down
 * pass in moments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "service/hooks.h"
#include "support/receiver.h"
#include "support/world.h"

#define LISTENS "+15555550110"
#define BUSY "+15555550120"
#define URL "https://shop.example/hooks"

static const char *const all_told =
	"verification.created call.dialing call.ringing call.answered "
	"call.human call.spoken call.ended";

static struct service_admin admin_of(struct world *w)
{
	return (struct service_admin){.store = w->store,
				      .ring = w->ring,
				      .clock = w->clock,
				      .rng = w->rng};
}

static void set_webhook(struct world *w, const char *url, bool rotate)
{
	const struct service_webhook_rule rule = {.url = url, .rotate = rotate};
	const struct service_admin a = admin_of(w);
	struct diag d = {0};
	char *json = NULL;

	assert_int_equal(service_app_webhook(&a, w->outbound, "shop", &rule,
					     &json, &d),
			 0);
	free(json);
	/* the server looks for what a command beside it did */
	if (w->service)
		world_pass(w, SECONDS(5));
}

static int setup(void **state)
{
	struct world *w = world_new();

	world_add_app(w);
	w->outbound = receiver_new(w->clock);
	world_start(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	struct outbound *o = w->outbound;

	world_free(w);
	outbound_free(o);
	return 0;
}

static struct answer ask(struct world *w, const char *to, const char *url)
{
	const struct service_create req = {
		.who = w->who, .to = to, .webhook = url};
	struct answer a = world_ask(w, &req);

	assert_false(a.refused);
	return a;
}

static const struct receiver_hit *hit(const struct world *w, size_t i)
{
	assert_true(i < w->outbound->count);
	return &w->outbound->hits[i];
}

static unsigned never(const struct receiver_hit *h, const char **body,
		      void *ctx)
{
	(void)h;
	(void)body;
	(void)ctx;
	return 0;
}

static unsigned down(const struct receiver_hit *h, const char **body, void *ctx)
{
	(void)h;
	(void)body;
	(void)ctx;
	return 503;
}

/* Long times, in strides: what falls due meanwhile is a little late. */
static void go_on_for(struct world *w, int64_t ms)
{
	enum { STRIDE_MS = 240 * 1000 };

	for (int64_t at = 0; at < ms; at += STRIDE_MS) {
		world_skip(w, STRIDE_MS);
		world_skip(w, 1);
		world_skip(w, 1);
	}
}

/* --- what is told ----------------------------------------------------------------- */

TEST(everything_is_told_once_and_in_order)
{
	struct world *w = *state;
	struct answer made = ask(w, LISTENS, URL);
	char told[512], happened[512];

	(void)world_until_ended(w, made.v.id);
	world_pass(w, SECONDS(5));
	receiver_types(w->outbound, made.v.id, told, sizeof(told));
	world_events(w, made.v.id, happened, sizeof(happened));

	assert_string_equal(told, happened);
	assert_string_equal(told, all_told);
	assert_string_equal(hit(w, 0)->url, URL);
}

TEST(an_event_is_told_soon_after_it_happened)
{
	struct world *w = *state;
	struct answer made = ask(w, BUSY, URL);
	size_t last;

	(void)world_until_ended(w, made.v.id);
	world_pass(w, SECONDS(3));
	last = w->outbound->count - 1;

	assert_string_equal(hit(w, last)->type, "call.ended");
	assert_int_equal(receiver_told(w->outbound, made.v.id, NULL),
			 w->outbound->count);
}

TEST(the_end_is_told_however_late_it_comes)
{
	struct world *w = *state;
	struct answer made = ask(w, BUSY, URL);

	(void)world_until_over(w, made.v.id);
	world_pass(w, SECONDS(5));

	assert_int_equal(receiver_told(w->outbound, made.v.id,
				       "verification.expired"),
			 1);
}

TEST(the_application_has_an_address_of_its_own)
{
	struct world *w = *state;
	struct answer made;

	set_webhook(w, "https://shop.example/all", false);
	made = ask(w, BUSY, NULL);
	(void)world_until_ended(w, made.v.id);
	world_pass(w, SECONDS(5));

	assert_string_equal(hit(w, 0)->url, "https://shop.example/all");
	assert_int_equal(receiver_told(w->outbound, made.v.id, "call.ended"),
			 1);
}

TEST(nobody_is_told_where_nobody_asked_for_it)
{
	struct world *w = *state;
	struct answer made = ask(w, BUSY, NULL);

	(void)world_until_over(w, made.v.id);

	assert_int_equal(w->outbound->count, 0);
	assert_int_equal(made.v.hook, 0);
}

TEST(an_address_that_may_not_be_asked_is_refused)
{
	struct world *w = *state;
	const struct service_create req = {
		.who = w->who, .to = BUSY, .webhook = "http://10.0.0.1/x"};
	struct answer a = world_ask(w, &req);

	assert_true(a.refused);
	assert_string_equal(a.no.code, "invalid_field");
	assert_string_equal(a.no.field, "webhook");
}

TEST(no_number_and_no_code_is_told)
{
	struct world *w = *state;
	struct answer made = ask(w, LISTENS, URL);
	char code[CODE_BYTES];

	world_code(w, &made.v, code);
	(void)world_until_ended(w, made.v.id);
	(void)world_check(w, made.v.id, code);
	world_pass(w, SECONDS(5));

	assert_int_equal(receiver_told(w->outbound, made.v.id,
				       "verification.approved"),
			 1);
	for (size_t i = 0; i < w->outbound->count; i++) {
		assert_null(strstr(hit(w, i)->body, "5555550110"));
		assert_null(strstr(hit(w, i)->body, code));
	}
}

/* --- signed ------------------------------------------------------------------------- */

static void sign(const struct receiver_hit *h, const uint8_t key[32],
		 char out[64])
{
	AUTO_BUF(text, 1 << 16);
	uint8_t mac[CRYPTO_HASH_BYTES];
	char base64[48];

	buf_printf(&text, "%s.%s.%s", h->id, h->timestamp, h->body);
	crypto_hmac(key, text.p, text.n, mac);
	crypto_base64(mac, sizeof(mac), base64);
	(void)snprintf(out, 64, "v1,%s", base64);
}

TEST(what_is_told_is_signed)
{
	struct world *w = *state;
	struct answer made = ask(w, BUSY, URL);
	struct service_hook_secrets s;
	char wanted[64];

	(void)world_until_ended(w, made.v.id);
	assert_int_equal(service_hook_secrets(w->service, "shop", &s), 0);
	sign(hit(w, 0), s.raw[0], wanted);

	assert_int_equal(s.count, 1);
	assert_string_equal(hit(w, 0)->signature, wanted);
	assert_int_equal(strncmp(hit(w, 0)->id, "msg_", 4), 0);
}

TEST(for_a_day_after_a_rotation_both_secrets_sign)
{
	struct world *w = *state;
	struct service_hook_secrets before, after, later;
	struct answer made;
	char both[128], old[64], new[64];

	assert_int_equal(service_hook_secrets(w->service, "shop", &before), 0);
	set_webhook(w, NULL, true);
	assert_int_equal(service_hook_secrets(w->service, "shop", &after), 0);
	made = ask(w, BUSY, URL);
	(void)world_until_ended(w, made.v.id);
	sign(hit(w, 0), before.raw[0], old);
	sign(hit(w, 0), after.raw[0], new);
	(void)snprintf(both, sizeof(both), "%s %s", new, old);
	world_skip(w, DAYS(1));
	assert_int_equal(service_hook_secrets(w->service, "shop", &later), 0);

	assert_int_equal(after.count, 2);
	assert_memory_not_equal(before.raw[0], after.raw[0], 32);
	assert_memory_equal(before.raw[0], after.raw[1], 32);
	assert_string_equal(hit(w, 0)->signature, both);
	assert_int_equal(later.count, 1);
	assert_memory_equal(later.raw[0], after.raw[0], 32);
}

/* --- a receiver in trouble -------------------------------------------------------------- */

struct shown {
	struct service_hook_view view;
	struct service_hook_try tries[SERVICE_HOOK_TRIES_MAX];
	char url[VERIFICATION_URL_BYTES], id[VERIFICATION_ID_BYTES];
	struct service_refusal no;
	size_t count; /* of a list */
	bool refused, done;
};

static void keep_view(struct shown *s, const struct service_hook_view *view)
{
	s->view = *view;
	(void)snprintf(s->url, sizeof(s->url), "%s", view->url);
	(void)snprintf(s->id, sizeof(s->id), "%s", view->id);
	memcpy(s->tries, view->tries, view->tries_count * sizeof(s->tries[0]));
}

static void shown(const struct service_refusal *no,
		  const struct service_hook_view *view, void *ctx)
{
	struct shown *s = ctx;

	s->refused = no != NULL;
	if (no)
		s->no = *no;
	else
		keep_view(s, view);
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
}

static void listed(const struct service_refusal *no,
		   const struct service_hook_view *views, size_t count,
		   const char *next, void *ctx)
{
	struct shown *s = ctx;

	(void)next;
	s->refused = no != NULL;
	s->count = count;
	if (count)
		keep_view(s, views);
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
}

static bool is_shown(void *ctx)
{
	return __atomic_load_n(&((struct shown *)ctx)->done, __ATOMIC_ACQUIRE);
}

static void show(struct world *w, const char *id, struct shown *s)
{
	memset(s, 0, sizeof(*s));
	service_hook_read(w->service, &w->who, id, shown, s);
	world_turn(w, is_shown, s);
}

static void resend(struct world *w, const char *id, const char *event,
		   struct shown *s)
{
	memset(s, 0, sizeof(*s));
	service_hook_resend(w->service, &w->who, id, event, shown, s);
	world_turn(w, is_shown, s);
}

static void list(struct world *w, const char *state, struct shown *s)
{
	memset(s, 0, sizeof(*s));
	service_hooks_list(w->service,
			   &(struct service_hooks_query){
				   .who = w->who, .state = state, .limit = 10},
			   listed, s);
	world_turn(w, is_shown, s);
}

TEST(a_receiver_that_is_down_is_asked_for_a_day_with_longer_and_longer_pauses)
{
	static const int64_t pauses_s[] = {5,     300,   1800, 7200,
					   18000, 36000, 23095};
	struct world *w = *state;
	struct answer made;
	struct shown s;

	w->outbound->says = down;
	made = ask(w, BUSY, URL);
	go_on_for(w, DAYS(2));
	show(w, made.v.id, &s);

	assert_int_equal(w->outbound->count, COUNT_OF(pauses_s) + 1);
	for (size_t i = 0; i < COUNT_OF(pauses_s); i++) {
		int64_t ms = hit(w, i + 1)->at_ms - hit(w, i)->at_ms;

		assert_in_range(ms, SECONDS(pauses_s[i]),
				SECONDS(pauses_s[i] + 500));
		assert_string_equal(hit(w, i)->id, hit(w, i + 1)->id);
		assert_string_equal(hit(w, i)->body, hit(w, i + 1)->body);
		assert_string_not_equal(hit(w, i)->timestamp,
					hit(w, i + 1)->timestamp);
	}
	assert_int_equal(s.view.state, SERVICE_HOOK_FAILED);
	assert_int_equal(s.view.tries_count, COUNT_OF(pauses_s) + 1);
	assert_int_equal(s.tries[0].status, 503);
	assert_false(s.tries[0].told);
}

TEST(later_events_wait_for_the_one_that_fails)
{
	struct world *w = *state;
	struct answer made;
	char told[512];

	w->outbound->says = down;
	made = ask(w, LISTENS, URL);
	(void)world_until_ended(w, made.v.id);
	for (size_t i = 0; i < w->outbound->count; i++)
		assert_string_equal(hit(w, i)->type, "verification.created");
	w->outbound->says = NULL;
	world_pass(w, MINUTES(10));
	receiver_types(w->outbound, made.v.id, told, sizeof(told));

	assert_int_equal(strncmp(told, all_told, strlen(all_told)), 0);
}

TEST(an_event_does_not_cut_a_pause_short)
{
	struct world *w = *state;
	struct answer made;

	w->outbound->says = down;
	made = ask(w, LISTENS, URL);
	(void)world_until_ended(w, made.v.id);

	/* at once, and 5 s later; then it is left alone for 5 minutes, whatever
	 * happens */
	assert_in_range(w->outbound->count, 1, 2);
}

TEST(what_was_given_up_is_told_when_asked_for_and_in_order)
{
	struct world *w = *state;
	struct answer made;
	struct shown s;
	char told[512], happened[512];

	w->outbound->says = down;
	made = ask(w, BUSY, URL);
	go_on_for(w, DAYS(2));
	w->outbound->says = NULL;
	list(w, "failed", &s);
	assert_int_equal(s.count, 1);
	assert_string_equal(s.id, made.v.id);
	resend(w, made.v.id, NULL, &s);
	assert_false(s.refused);
	world_pass(w, SECONDS(5));
	receiver_types(w->outbound, made.v.id, told, sizeof(told));
	world_events(w, made.v.id, happened, sizeof(happened));
	show(w, made.v.id, &s);

	assert_string_equal(told, happened);
	assert_int_equal(s.view.state, SERVICE_HOOK_TOLD);
	list(w, "failed", &s);
	assert_int_equal(s.count, 0);
}

TEST(one_event_is_told_once_more_with_its_id)
{
	struct world *w = *state;
	struct answer made = ask(w, BUSY, URL);
	struct shown s, first;
	size_t before;

	(void)world_until_over(w, made.v.id);
	go_on_for(w, HOURS(1));
	show(w, made.v.id, &first);
	before = w->outbound->count;
	resend(w, made.v.id, first.tries[1].event, &s);
	assert_false(s.refused);
	world_pass(w, SECONDS(5));

	assert_int_equal(w->outbound->count, before + 1);
	assert_string_equal(hit(w, before)->id, hit(w, 1)->id);
	assert_string_equal(hit(w, before)->body, hit(w, 1)->body);
	resend(w, made.v.id, first.tries[0].event, &s);
	world_pass(w, SECONDS(5));
	assert_int_equal(w->outbound->count, before + 2);
}

TEST(an_event_that_there_never_was_is_refused)
{
	struct world *w = *state;
	struct answer made = ask(w, BUSY, URL), other = ask(w, LISTENS, URL);
	struct shown s, of_other;

	(void)world_until_ended(w, made.v.id);
	world_pass(w, SECONDS(5));
	show(w, other.v.id, &of_other);
	resend(w, made.v.id, of_other.tries[0].event, &s);

	assert_true(s.refused);
	assert_string_equal(s.no.code, "invalid_field");
	resend(w, "ver_nonsense", NULL, &s);
	assert_string_equal(s.no.code, "not_found");
}

static unsigned gone(const struct receiver_hit *h, const char **body, void *ctx)
{
	(void)h;
	(void)body;
	(void)ctx;
	return 410;
}

TEST(a_receiver_that_says_410_is_left_alone)
{
	struct world *w = *state;
	struct answer made;
	struct shown s;

	w->outbound->says = gone;
	made = ask(w, LISTENS, URL);
	(void)world_until_over(w, made.v.id);
	go_on_for(w, DAYS(2));
	show(w, made.v.id, &s);

	assert_int_equal(w->outbound->count, 1);
	assert_int_equal(s.view.state, SERVICE_HOOK_GONE);
}

TEST(without_an_address_any_more_nobody_is_told)
{
	struct world *w = *state;
	struct answer made;
	struct shown s;

	set_webhook(w, URL, false);
	w->outbound->says = down;
	made = ask(w, BUSY, NULL);
	(void)world_until_ended(w, made.v.id);
	set_webhook(w, "", false);
	go_on_for(w, DAYS(2));
	show(w, made.v.id, &s);

	assert_int_equal(s.view.state, SERVICE_HOOK_OFF);
	assert_string_equal(s.url, "");
}

/* --- a receiver that never answers ---------------------------------------------------------- */

enum { SLOW = 40, OTHERS = 100 };

static unsigned slow_host(const struct receiver_hit *h, const char **body,
			  void *ctx)
{
	(void)body;
	(void)ctx;
	return strstr(h->url, "slow") ? 0 : 204;
}

static const char *number(size_t i)
{
	static char to[NUMBER_BYTES];

	/* few of one prefix: the guard counts them */
	(void)snprintf(to, sizeof(to), "+1213%03zu0100", 221 + i);
	return to;
}

static struct answer ask_many(struct world *w, size_t i, const char *url)
{
	const struct service_create req = {
		.who = w->who, .to = number(i), .webhook = url};
	struct answer a = world_ask(w, &req);

	if (a.refused)
		fail_msg("%s: %s", a.no.code, a.no.detail);
	return a;
}

TEST(who_never_answers_holds_up_nobody_else)
{
	struct world *w = *state;
	static struct answer others[OTHERS];
	unsigned asked = 0;

	w->others = TEL_SCRIPT_BUSY;
	w->outbound->says = slow_host;
	for (size_t i = 0; i < SLOW; i++)
		(void)ask_many(w, i, "https://slow.example/");
	for (size_t i = 0; i < OTHERS; i++)
		others[i] = ask_many(w, SLOW + i, URL);
	world_pass(w, SECONDS(5));

	for (size_t i = 0; i < OTHERS; i++)
		assert_int_equal(receiver_told(w->outbound, others[i].v.id,
					       "verification.created"),
				 1);
	for (size_t i = 0; i < w->outbound->count; i++)
		asked += strstr(hit(w, i)->url, "slow") != NULL;
	assert_int_equal(asked, SERVICE_HOOKS_PER_HOST);
	assert_int_equal(w->outbound->most, 2 * SERVICE_HOOKS_PER_HOST);
}

/* --- going away ------------------------------------------------------------------------------- */

TEST(an_event_that_was_under_way_is_told_again_with_the_same_id)
{
	struct world *w = *state;
	struct answer made;

	w->outbound->says = never;
	made = ask(w, BUSY, URL);
	world_settle(w);
	world_kill(w);
	w->outbound->says = NULL;
	world_start(w);
	(void)world_until_over(w, made.v.id);
	world_pass(w, SECONDS(5));

	assert_string_equal(hit(w, 0)->type, "verification.created");
	assert_string_equal(hit(w, 1)->type, "verification.created");
	assert_string_equal(hit(w, 0)->id, hit(w, 1)->id);
	assert_int_equal(receiver_told(w->outbound, made.v.id,
				       "verification.created"),
			 1);
	assert_int_equal(receiver_told(w->outbound, made.v.id,
				       "verification.expired"),
			 1);
}

enum { CRASHES = 12, EACH = 3 };

static unsigned moody(const struct receiver_hit *h, const char **body,
		      void *ctx)
{
	static const unsigned says[] = {204, 500, 200, 0, 204, 204};
	unsigned *n = ctx;

	(void)h;
	(void)body;
	return says[(*n)++ % COUNT_OF(says)];
}

TEST(over_crashes_every_event_of_every_201_is_told)
{
	struct world *w = *state;
	struct answer made[CRASHES * EACH];
	unsigned mood = 0;
	size_t n = 0;

	w->others = TEL_SCRIPT_LISTEN;
	w->outbound->says = moody;
	w->outbound->ctx = &mood;
	for (size_t i = 0; i < CRASHES; i++) {
		for (size_t k = 0; k < EACH; k++, n++)
			made[n] = ask_many(w, n, URL);
		world_pass(w, (int64_t)rng_below(w->rng, 9000));
		world_kill(w);
		world_start(w);
	}
	go_on_for(w, MINUTES(30));
	w->outbound->says = NULL;
	go_on_for(w, DAYS(2));

	for (size_t i = 0; i < n; i++) {
		char happened[1024], *rest = happened, *type;

		world_events(w, made[i].v.id, happened, sizeof(happened));
		assert_non_null(strstr(happened, "verification.expired"));
		while ((type = strsep(&rest, " ")))
			assert_in_range(receiver_told(w->outbound, made[i].v.id,
						      type),
					1, 4);
	}
}

TEST(a_drain_waits_a_moment_and_the_rest_is_told_later)
{
	struct world *w = *state;
	struct answer made;
	int64_t begun;

	w->outbound->says = never;
	made = ask(w, BUSY, URL);
	(void)world_until_ended(w, made.v.id);
	begun = clock_mono_ms(w->clock);
	world_drain(w, SECONDS(60));
	assert_in_range(clock_mono_ms(w->clock) - begun, 0, SECONDS(3));
	assert_int_equal(w->outbound->running, 0);
	world_cut(w);
	world_back(w);
	w->outbound->says = NULL;
	world_start(w);
	(void)world_until_over(w, made.v.id);
	world_pass(w, SECONDS(5));

	assert_int_equal(receiver_told(w->outbound, made.v.id,
				       "verification.expired"),
			 1);
}

TEST(what_was_erased_is_not_told_any_more)
{
	struct world *w = *state;
	const struct service_admin a = admin_of(w);
	struct answer made;
	struct diag d = {0};
	struct shown s;
	char *json = NULL;
	size_t before;

	w->outbound->says = down;
	made = ask(w, BUSY, URL);
	(void)world_until_over(w, made.v.id);
	go_on_for(w, HOURS(1));
	before = w->outbound->count;
	assert_int_equal(service_number_erase(&a, BUSY, &json, &d), 0);
	free(json);
	go_on_for(w, DAYS(2));
	show(w, made.v.id, &s);

	assert_int_equal(w->outbound->count, before);
	assert_true(s.refused);
	list(w, NULL, &s);
	assert_int_equal(s.count, 0);
}

/* --- before a call (E7) ------------------------------------------------------------------------ */

static void set_rule(struct world *w, int otherwise)
{
	const struct service_admin a = admin_of(w);
	struct service_ask_rule rule = {.url = "https://shop.example/may",
					.timeout_ms = 3000};
	struct diag d = {0};
	char *json = NULL;

	rule.otherwise = otherwise;
	assert_int_equal(
		service_app_ask(&a, w->outbound, "shop", &rule, &json, &d), 0);
	free(json);
	world_pass(w, SECONDS(5));
}

static unsigned says_allow(const struct receiver_hit *h, const char **body,
			   void *ctx)
{
	(void)h;
	(void)ctx;
	*body = "{\"action\":\"allow\"}";
	return 200;
}

static unsigned says_deny(const struct receiver_hit *h, const char **body,
			  void *ctx)
{
	(void)h;
	(void)ctx;
	*body = "{\"action\":\"deny\",\"reason\":\"swapped at +14155550100, "
		"also +1 415-555-0100, 2 of 3\"}";
	return 200;
}

static unsigned says_nonsense(const struct receiver_hit *h, const char **body,
			      void *ctx)
{
	(void)h;
	(void)ctx;
	*body = "perhaps";
	return 200;
}

TEST(an_application_that_wants_to_be_asked_is_asked_before_the_dial)
{
	struct world *w = *state;
	struct answer made, end;

	set_rule(w, SERVICE_ASK_ALLOW);
	w->outbound->says = says_allow;
	made = ask(w, BUSY, NULL);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(w->outbound->count, 1);
	assert_string_equal(hit(w, 0)->type, "call.asked");
	assert_non_null(strstr(hit(w, 0)->body, "\"to\":\"" BUSY "\""));
	assert_non_null(strstr(hit(w, 0)->body, "\"attempt\":1"));
	assert_int_equal(hit(w, 0)->signature[0], 'v');
	assert_int_equal(end.v.legs[0].outcome, LEG_BUSY);
}

TEST(what_it_denies_is_not_dialled_and_has_failed)
{
	struct world *w = *state;
	struct answer made, end;
	char happened[512];

	set_rule(w, SERVICE_ASK_ALLOW);
	w->outbound->says = says_deny;
	made = ask(w, LISTENS, NULL);
	end = world_until_over(w, made.v.id);
	world_events(w, made.v.id, happened, sizeof(happened));

	assert_int_equal(end.v.status, STATUS_FAILED);
	assert_int_equal(end.v.legs[0].outcome, LEG_NOT_CALLED);
	assert_int_equal(end.v.legs[0].dialed_ms, 0);
	assert_string_equal(happened, "verification.created call.ended "
				      "verification.failed");
	assert_true(world_call(w, made.v.id).refused);
}

TEST(a_denial_is_told_with_its_reason_and_no_number_in_it)
{
	struct world *w = *state;
	const struct receiver_hit *last;
	struct answer made;

	set_rule(w, SERVICE_ASK_ALLOW);
	w->outbound->says = says_deny;
	made = ask(w, LISTENS, URL);
	(void)world_until_over(w, made.v.id);
	world_pass(w, SECONDS(5));
	last = hit(w, w->outbound->count - 1);

	assert_string_equal(last->type, "verification.failed");
	assert_non_null(strstr(last->body, "\"why\":\"denied\""));
	assert_non_null(strstr(last->body,
			       "\"reason\":\"swapped at +141########, also "
			       "+1 41#-###-####, 2 of 3\""));
}

TEST(without_an_answer_the_setting_decides)
{
	struct world *w = *state;
	struct answer made, end;

	set_rule(w, SERVICE_ASK_ALLOW);
	w->outbound->says = never;
	made = ask(w, BUSY, NULL);
	end = world_until_ended(w, made.v.id);
	assert_int_equal(end.v.legs[0].outcome, LEG_BUSY);
	assert_in_range(end.v.legs[0].dialed_ms - end.v.legs[0].queued_ms, 3000,
			5000);
	set_rule(w, SERVICE_ASK_DENY);
	made = ask(w, LISTENS, NULL);
	end = world_until_over(w, made.v.id);
	assert_int_equal(end.v.status, STATUS_FAILED);
	w->outbound->says = says_nonsense;
	made = ask(w, "+15555550111", NULL);
	end = world_until_over(w, made.v.id);
	assert_int_equal(end.v.status, STATUS_FAILED);
}

TEST(a_call_is_canceled_while_the_answer_is_waited_for)
{
	struct world *w = *state;
	struct answer made, end;

	set_rule(w, SERVICE_ASK_ALLOW);
	w->outbound->says = never;
	made = ask(w, LISTENS, NULL);
	world_until(w, SECONDS(1), NULL, NULL);
	assert_false(world_cancel(w, made.v.id).refused);
	end = world_until_ended(w, made.v.id);
	world_pass(w, SECONDS(10));

	assert_int_equal(end.v.legs[0].outcome, LEG_CANCELED);
	assert_int_equal(end.v.legs[0].dialed_ms, 0);
	assert_int_equal(w->outbound->running, 0);
}

TEST(a_crash_while_the_answer_is_waited_for_asks_again)
{
	struct world *w = *state;
	struct answer made, end;

	set_rule(w, SERVICE_ASK_DENY);
	w->outbound->says = never;
	made = ask(w, BUSY, NULL);
	world_pass(w, SECONDS(1));
	world_kill(w);
	w->outbound->says = says_allow;
	world_start(w);
	end = world_until_ended(w, made.v.id);

	assert_int_equal(w->outbound->count, 2);
	assert_string_equal(hit(w, 0)->id, hit(w, 1)->id);
	assert_int_equal(end.v.legs[0].outcome, LEG_BUSY);
}

/* --- ids of questions (the receiver may refuse what it has seen) ------------------------------ */

static char folder[512];

static int setup_asking(void **state)
{
	struct world *w = world_new();

	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	(void)snprintf(folder, sizeof(folder), "%s/tests/fixtures/flows-asking",
		       getenv("VOICEOTP_SOURCE"));
	w->flows = folder;
	world_add_app(w);
	w->outbound = receiver_new(w->clock);
	world_start(w);
	*state = w;
	return 0;
}

TEST(each_question_of_a_call_has_an_id_of_its_own)
{
	struct world *w = *state;
	struct answer made;

	set_rule(w, SERVICE_ASK_DENY);
	w->outbound->says = says_allow;
	made = world_ask(w, &(struct service_create){.who = w->who,
						     .to = BUSY,
						     .flow = "asks",
						     .purpose = "signup"});
	(void)world_until_ended(w, made.v.id);

	assert_int_equal(w->outbound->count, 3);
	assert_string_equal(hit(w, 0)->url, "https://shop.example/first");
	assert_string_equal(hit(w, 1)->url, "https://shop.example/second");
	assert_string_equal(hit(w, 2)->url, "https://shop.example/may");
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(strncmp(hit(w, i)->id, "msg_", 4), 0);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(hit(w, i)->id, hit(w, k)->id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(everything_is_told_once_and_in_order),
		T(an_event_is_told_soon_after_it_happened),
		T(the_end_is_told_however_late_it_comes),
		T(the_application_has_an_address_of_its_own),
		T(nobody_is_told_where_nobody_asked_for_it),
		T(an_address_that_may_not_be_asked_is_refused),
		T(no_number_and_no_code_is_told),
		T(what_is_told_is_signed),
		T(for_a_day_after_a_rotation_both_secrets_sign),
		T(a_receiver_that_is_down_is_asked_for_a_day_with_longer_and_longer_pauses),
		T(later_events_wait_for_the_one_that_fails),
		T(an_event_does_not_cut_a_pause_short),
		T(what_was_given_up_is_told_when_asked_for_and_in_order),
		T(one_event_is_told_once_more_with_its_id),
		T(an_event_that_there_never_was_is_refused),
		T(a_receiver_that_says_410_is_left_alone),
		T(without_an_address_any_more_nobody_is_told),
		T(who_never_answers_holds_up_nobody_else),
		T(an_event_that_was_under_way_is_told_again_with_the_same_id),
		T(over_crashes_every_event_of_every_201_is_told),
		T(a_drain_waits_a_moment_and_the_rest_is_told_later),
		T(what_was_erased_is_not_told_any_more),
		T(an_application_that_wants_to_be_asked_is_asked_before_the_dial),
		T(what_it_denies_is_not_dialled_and_has_failed),
		T(a_denial_is_told_with_its_reason_and_no_number_in_it),
		T(without_an_answer_the_setting_decides),
		T(a_call_is_canceled_while_the_answer_is_waited_for),
		T(a_crash_while_the_answer_is_waited_for_asks_again),
		cmocka_unit_test_setup_teardown(
			each_question_of_a_call_has_an_id_of_its_own,
			setup_asking, teardown),
	};

	return cmocka_run_group_tests_name("scenario/hooks", tests,
					   world_voices, world_no_voices);
}
