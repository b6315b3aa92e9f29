// SPDX-License-Identifier: Apache-2.0
/*
 * test_runs.c - flows that are tried in real time: the page rings with a draft,
 * a person hears it, and nothing of it counts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "service/flows.h"
#include "support/world.h"
#include "tel/browser.h"

#define FLOW                                                                   \
	"{\"format\":\"voiceflow/1\",\"name\":\"Draft\",\"start\":\"Start\","  \
	"\"nodes\":[{\"id\":\"Start\",\"type\":\"start\",\"config\":{"         \
	"\"params\":[{\"name\":\"to\",\"sample\":\"+15005550006\"}]},"         \
	"\"on\":{\"api_request\":\"Call\"}},"                                  \
	"{\"id\":\"Call\",\"type\":\"call\",\"config\":{"                      \
	"\"to\":\"{{Start.http.params.to}}\"},"                                \
	"\"on\":{\"answered\":\"Ask\",\"busy\":\"Bye\",\"rejected\":\"Bye\"}}" \
	","                                                                    \
	"{\"id\":\"Ask\",\"type\":\"input\",\"config\":{\"max_digits\":4,"     \
	"\"prompt\":{\"kind\":\"text\",\"text\":\"Now.\"}},"                   \
	"\"on\":{\"input\":\"Say\",\"no_input\":\"Bye\"}},"                    \
	"{\"id\":\"Say\",\"type\":\"speak-code\",\"on\":{\"completed\":"       \
	"\"Bye\",\"reported\":\"Bye\"}},"                                      \
	"{\"id\":\"Bye\",\"type\":\"hangup\"}]}"

enum { CODE_DIGITS = 6, EVENTS_MAX = 64 << 10 };

struct office {
	struct world *w;
	struct rng *rng; /* the world's own */
	struct tel_browser *browser;
	char session[TEL_BROWSER_ID_BYTES];
	/* what the page was told */
	char call[TEL_BROWSER_ID_BYTES];
	unsigned rings, rings_over, ends;
	char heard[256]; /* digits alone */
	/* the last answer */
	bool done, refused;
	char code[40], id[VERIFICATION_FLOW_BYTES];
	struct service_run run;
	char flow[VERIFICATION_FLOW_BYTES];
};

/* --- the page ------------------------------------------------------------------- */

static void hear(struct office *o, const json_t *captions)
{
	size_t i, n = strlen(o->heard);
	json_t *caption;

	json_array_foreach(captions, i, caption)
	{
		const char *text =
			json_string_value(json_array_get(caption, 1));
		size_t at = strcspn(text, "0123456789");

		if (strspn(text + at, "0123456789") == 1 &&
		    n + 1 < sizeof(o->heard))
			o->heard[n++] = text[at];
	}
}

static void on_event(const char *event, const char *json, void *ctx)
{
	struct office *o = ctx;
	AUTO_JSON json_t *data = json_loads(json, 0, NULL);
	const char *call = json_string_value(json_object_get(data, "call"));

	if (strcmp(event, "ring") == 0) {
		o->rings++;
		(void)snprintf(o->call, sizeof(o->call), "%s", call);
	}
	o->rings_over += strcmp(event, "ring_over") == 0;
	o->ends += strcmp(event, "ended") == 0;
	if (strcmp(event, "play") == 0)
		hear(o, json_object_get(data, "captions"));
}

static void page_does(struct office *o, enum tel_browser_act act, char key)
{
	const struct tel_browser_action what = {.act = act, .key = key};

	assert_int_equal(tel_browser_do(o->browser, o->session, o->call, &what),
			 0);
	(void)loop_turn(o->w->line);
}

static bool rings(void *ctx)
{
	const struct office *o = ctx;

	return o->rings > 0;
}

static bool is_dismissed(void *ctx)
{
	const struct office *o = ctx;

	return o->rings_over > 0;
}

static void open_page(struct office *o)
{
	struct world *w = o->w;
	struct service_tel *t = &w->more[w->more_count++];

	t->route = "page";
	assert_int_equal(tel_browser_new(w->line, rng_system(),
					 TEL_BROWSER_NUMBER, &o->browser,
					 &t->tel),
			 0);
	assert_int_equal(
		tel_browser_attach(o->browser, on_event, o, o->session), 0);
}

/* --- asking ------------------------------------------------------------------------- */

static void replied(const struct service_refusal *no,
		    const struct service_flow_answer *a, void *ctx)
{
	struct office *o = ctx;

	o->refused = no != NULL;
	(void)snprintf(o->code, sizeof(o->code), "%s", no ? no->code : "");
	if (a->head)
		(void)snprintf(o->id, sizeof(o->id), "%s", a->head->id);
	if (a->run) {
		service_run_free(&o->run);
		o->run = *a->run;
		o->run.trace = NULL;
	}
	__atomic_store_n(&o->done, true, __ATOMIC_RELEASE);
}

static bool has_reply(void *ctx)
{
	const struct office *o = ctx;

	return __atomic_load_n(&o->done, __ATOMIC_ACQUIRE);
}

static void ask_flows(struct office *o, service_flow_do *what,
		      struct service_flow_ask *ask)
{
	o->done = false;
	ask->who = o->w->who;
	what(o->w->service, ask, replied, o);
	world_turn(o->w, has_reply, o);
	assert_false(o->refused);
}

static struct service_run_name name_of(const struct office *o)
{
	return (struct service_run_name){
		.who = o->w->who, .flow = o->flow, .id = o->run.id};
}

/* The last run, as it is now; 0 or -ENOENT. */
static int look(struct office *o)
{
	const struct service_run_name name = name_of(o);

	service_run_free(&o->run);
	return service_run_read(o->w->service, &name, &o->run);
}

static bool is_over(void *ctx)
{
	struct office *o = ctx;

	return look(o) == 0 && o->run.state != SERVICE_RUN_GOES;
}

static bool has_step(void *ctx, const char *node)
{
	struct office *o = ctx;
	char text[64];

	(void)snprintf(text, sizeof(text), "\"node\":\"%s\"", node);
	return look(o) == 0 && strstr(o->run.trace, text);
}

static bool has_called(void *ctx)
{
	return has_step(ctx, "Call");
}

static bool has_started(void *ctx)
{
	return has_step(ctx, "Start");
}

static void try_it(struct office *o, struct service_flow_test *t)
{
	o->done = false;
	t->who = o->w->who;
	t->id = o->flow;
	service_flow_test(o->w->service, t, replied, o);
	world_turn(o->w, has_reply, o);
}

/* Time stands until the voices have spoken. */
static void try_live(struct office *o, struct service_flow_test *t)
{
	t->real = true;
	try_it(o, t);
	assert_false(o->refused);
	assert_int_equal(o->run.state, SERVICE_RUN_GOES);
	world_turn(o->w, has_started, o);
}

static int setup(void **state)
{
	struct office *o = b_zero(1, sizeof(*o));

	o->w = world_new();
	o->rng = o->w->rng;
	o->w->rng = rng_system(); /* flows have threads of their own */
	open_page(o);
	world_start(o->w);
	ask_flows(o, service_flow_add,
		  &(struct service_flow_ask){.document = span_of(FLOW)});
	memcpy(o->flow, o->id, sizeof(o->flow));
	*state = o;
	return 0;
}

static int teardown(void **state)
{
	struct office *o = *state;

	tel_browser_detach(o->browser, o->session, o);
	world_free(o->w);
	rng_free(o->rng);
	service_run_free(&o->run);
	free(o);
	return 0;
}

/* --- the tests -------------------------------------------------------------------------- */

static void type(struct office *o, const char *keys)
{
	for (; *keys; keys++)
		page_does(o, TEL_BROWSER_KEY, *keys);
}

TEST(a_person_at_the_page_hears_the_draft)
{
	struct office *o = *state;
	char code[CODE_DIGITS + 1] = {0};

	try_live(o, &(struct service_flow_test){.page = true});
	world_until(o->w, MINUTES(1), rings, o);
	page_does(o, TEL_BROWSER_ANSWER, 0);
	world_until(o->w, MINUTES(1), has_called, o);
	type(o, "7391");
	world_until(o->w, MINUTES(5), is_over, o);

	assert_int_equal(o->run.state, SERVICE_RUN_OVER);
	assert_non_null(strstr(o->run.trace, "\"mode\":\"test\""));
	assert_non_null(strstr(o->run.trace, "\"spoken\":true"));
	assert_true(strlen(o->heard) >= CODE_DIGITS);
	memcpy(code, o->heard, CODE_DIGITS);
	assert_null(strstr(o->run.trace, code));
	assert_null(strstr(o->run.trace, "7391"));
	assert_null(strstr(o->run.trace, "15005550006"));
	assert_int_equal(o->ends, 1);
}

TEST(a_test_run_is_no_verification_and_dials_nobody)
{
	struct office *o = *state;
	struct service_stats stats;
	char events[256];

	try_live(o, &(struct service_flow_test){.page = true});
	world_until(o->w, MINUTES(1), rings, o);
	page_does(o, TEL_BROWSER_DECLINE, 0);
	world_until(o->w, MINUTES(1), is_over, o);
	service_stats(o->w->service, &stats);
	world_events(o->w, o->w->who.application, events, sizeof(events));

	assert_non_null(strstr(o->run.trace, "\"trigger\":\"rejected\""));
	assert_int_equal(stats.created, 0);
	assert_int_equal(o->w->dials, 0);
	assert_string_equal(events, "");
}

TEST(an_outcome_that_is_played_rings_nobody)
{
	struct office *o = *state;

	try_live(o, &(struct service_flow_test){.page = true,
						.outcome = SERVICE_FLOW_BUSY});
	world_until(o->w, MINUTES(1), is_over, o);

	assert_non_null(strstr(o->run.trace, "\"outcome\":\"busy\""));
	assert_int_equal(o->rings, 0);
}

TEST(a_played_person_takes_the_time_that_people_take)
{
	struct office *o = *state;
	int64_t began = clock_mono_ms(o->w->clock);
	struct service_flow_test t = {
		.real = true, .keys = {"1234"}, .keys_count = 1};

	try_live(o, &t);
	world_until(o->w, MINUTES(5), is_over, o);

	assert_non_null(strstr(o->run.trace, "\"spoken\":true"));
	assert_true(clock_mono_ms(o->w->clock) - began > SECONDS(5));
	assert_int_equal(o->rings + o->w->dials, 0);
}

TEST(a_run_that_is_removed_hangs_up)
{
	struct office *o = *state;
	struct service_run was = {0};
	struct service_run_name name;

	try_live(o, &(struct service_flow_test){.page = true});
	world_until(o->w, MINUTES(1), rings, o);
	name = name_of(o);
	assert_int_equal(service_run_remove(o->w->service, &name, &was), 0);
	world_turn(o->w, is_dismissed, o);

	assert_non_null(strstr(was.trace, "\"end\":null"));
	assert_int_equal(look(o), -ENOENT);
	service_run_free(&was);
}

TEST(a_flow_that_is_removed_takes_its_runs_along)
{
	struct office *o = *state;

	try_live(o, &(struct service_flow_test){.page = true});
	world_until(o->w, MINUTES(1), rings, o);
	ask_flows(o, service_flow_remove,
		  &(struct service_flow_ask){.id = o->flow});
	world_turn(o->w, is_dismissed, o);

	assert_int_equal(look(o), -ENOENT);
}

TEST(a_run_is_its_application_s_alone)
{
	struct office *o = *state;
	struct service_run_name name;
	struct service_run run;

	try_it(o, &(struct service_flow_test){0});
	name = name_of(o);
	assert_int_equal(look(o), 0);
	(void)snprintf(name.who.application, sizeof(name.who.application),
		       "other");

	assert_int_equal(service_run_read(o->w->service, &name, &run), -ENOENT);
	assert_int_equal(service_run_remove(o->w->service, &name, &run),
			 -ENOENT);
}

TEST(so_many_go_on_in_real_time_and_no_more)
{
	struct office *o = *state;

	for (unsigned i = 0; i < SERVICE_FLOW_TESTS_WAITING; i++) {
		try_live(o, &(struct service_flow_test){0});
	}
	try_it(o, &(struct service_flow_test){.real = true});
	assert_true(o->refused);
	assert_string_equal(o->code, "overloaded");
	try_it(o, &(struct service_flow_test){0});
	assert_false(o->refused);
}

TEST(the_newest_runs_are_kept_and_for_a_while)
{
	struct office *o = *state;
	char first[SERVICE_RUN_ID_BYTES], last[SERVICE_RUN_ID_BYTES];

	for (unsigned i = 0; i <= SERVICE_FLOW_RUNS_KEPT; i++) {
		try_it(o, &(struct service_flow_test){
				  .outcome = SERVICE_FLOW_BUSY});
		memcpy(i ? last : first, o->run.id, sizeof(last));
	}
	assert_int_equal(look(o), 0);
	memcpy(o->run.id, first, sizeof(first));
	assert_int_equal(look(o), -ENOENT);
	memcpy(o->run.id, last, sizeof(last));
	world_skip(o->w, SERVICE_FLOW_RUN_KEPT_MS - 1);
	assert_int_equal(look(o), 0);
	world_skip(o->w, 1);
	assert_int_equal(look(o), -ENOENT);
}

TEST(a_server_that_stops_says_goodbye_to_who_hears_a_draft)
{
	struct office *o = *state;

	try_live(o, &(struct service_flow_test){.page = true});
	world_until(o->w, MINUTES(1), rings, o);
	page_does(o, TEL_BROWSER_ANSWER, 0);
	world_until(o->w, MINUTES(1), has_called, o);
	world_drain(o->w, MINUTES(1));

	assert_int_equal(look(o), 0);
	assert_non_null(strstr(o->run.trace, "\"reason\":\"stopped\""));
	assert_int_equal(o->ends, 1);
	try_it(o, &(struct service_flow_test){.page = true});
	world_turn(o->w, is_over, o);
	assert_int_equal(o->run.state, SERVICE_RUN_FAILED);
	assert_int_equal(o->rings, 1);
}

struct told {
	struct buf types;
	char last[STORE_CURSOR_BYTES];
	int err;
};

static void on_events(int err, const struct store_event *events, size_t count,
		      void *ctx)
{
	struct told *t = ctx;

	t->err = err;
	for (size_t i = 0; i < count; i++) {
		buf_printf(&t->types, "%s ", events[i].type);
		memcpy(t->last, events[i].cursor, sizeof(t->last));
	}
}

TEST(the_steps_of_a_run_are_told_from_where_one_was)
{
	struct office *o = *state;
	struct told t = {.types = {.max = EVENTS_MAX}};
	struct service_run_name name;

	try_it(o, &(struct service_flow_test){.outcome = SERVICE_FLOW_BUSY});
	name = name_of(o);
	service_run_events(o->w->service, &name, "", 2, on_events, &t);
	assert_string_equal(t.types.p, "run.step run.step ");
	service_run_events(o->w->service, &name, t.last, 9, on_events, &t);
	assert_string_equal(t.types.p, "run.step run.step run.step run.ended ");
	service_run_events(o->w->service, &name, t.last, 9, on_events, &t);
	assert_string_equal(t.types.p, "run.step run.step run.step run.ended ");
	assert_int_equal(t.err, 0);
	service_run_events(o->w->service, &name, "x", 9, on_events, &t);
	assert_int_equal(t.err, -EINVAL);
	buf_free(&t.types);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_person_at_the_page_hears_the_draft),
		CASE(a_test_run_is_no_verification_and_dials_nobody),
		CASE(an_outcome_that_is_played_rings_nobody),
		CASE(a_played_person_takes_the_time_that_people_take),
		CASE(a_run_that_is_removed_hangs_up),
		CASE(a_flow_that_is_removed_takes_its_runs_along),
		CASE(a_run_is_its_application_s_alone),
		CASE(so_many_go_on_in_real_time_and_no_more),
		CASE(the_newest_runs_are_kept_and_for_a_while),
		CASE(a_server_that_stops_says_goodbye_to_who_hears_a_draft),
		CASE(the_steps_of_a_run_are_told_from_where_one_was),
	};

	return cmocka_run_group_tests_name("scenario/runs", tests, world_voices,
					   world_no_voices);
}
