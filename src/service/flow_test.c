// SPDX-License-Identifier: Apache-2.0
/*
 * flow_test.c - a flow is tried: in an instant, on a clock that runs as fast as
 * the voices allow; or it is sent to the line, for real time.
 *
 * A run in an instant has a loop of its own on a thread of this room's.  Its
 * clock stands while a voice is at work or an http node waits for its answer,
 * and otherwise jumps to whatever is due, so a call of minutes takes
 * milliseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "service/flow_trial_priv.h"

enum {
	REAL_MS = 15 * 1000, /* at most, before the request's own deadline */
	LOOK_MS = 100,       /* ... at whether everything ends */
	NS = 1000 * 1000,
};

struct instant {
	struct service_trial trial;
	struct service *sv;
	struct clock *clock;
	struct loop *loop;
	unsigned voicing; /* sayings that the voices are at work on */
	bool over;
	/* waiting for the voices */
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool woken;
};

/* --- the clock -------------------------------------------------------------------------- */

static void wake(void *ctx)
{
	struct instant *t = ctx;

	(void)pthread_mutex_lock(&t->lock);
	t->woken = true;
	(void)pthread_cond_signal(&t->come);
	(void)pthread_mutex_unlock(&t->lock);
}

/* Until somebody posts, or for a while. */
static void rest(struct instant *t)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += (long)LOOK_MS * NS;
	until.tv_sec += until.tv_nsec / (1000L * NS);
	until.tv_nsec %= 1000L * NS;
	if (loop_rest_begin(t->loop) != 0) {
		(void)pthread_mutex_lock(&t->lock);
		while (!t->woken &&
		       pthread_cond_timedwait(&t->come, &t->lock, &until) == 0)
			;
		t->woken = false;
		(void)pthread_mutex_unlock(&t->lock);
	}
	loop_rest_end(t->loop);
}

static bool goes_on(const struct instant *t, int64_t until_ms)
{
	return clock_mono_ms(clock_real()) < until_ms &&
	       !atomic_load(&t->sv->ended);
}

static void turn(struct instant *t)
{
	int64_t until_ms = clock_mono_ms(clock_real()) + REAL_MS;

	while (!t->over && goes_on(t, until_ms)) {
		int64_t ms;

		if (loop_turn(t->loop))
			continue;
		if (t->voicing > 0 || t->trial.web.call) {
			rest(t);
			continue;
		}
		ms = timers_wait_ms(loop_timers(t->loop));
		if (ms < 0)
			return; /* nothing is due, ever: it hangs */
		clock_advance(t->clock, ms);
	}
}

/* The voices speak to this loop: it stays until they have. */
static void let_finish(struct instant *t)
{
	while (t->voicing > 0)
		if (!loop_turn(t->loop))
			rest(t);
}

/* --- in an instant ------------------------------------------------------------------------- */

static void is_over(struct service_trial *trial, const struct flow_end *end)
{
	struct instant *t = ll_entry(trial, struct instant, trial);

	(void)end;
	t->over = true;
}

static void run_it(struct instant *t, struct service_refusal *no)
{
	struct diag d = {0};
	int err = service_trial_start(&t->trial, NULL, &d);

	if (!err)
		turn(t);
	if (err == -EAGAIN || (!err && !t->over))
		service_refuse(no, "overloaded", "",
			       "the voices had no time for it");
	else if (err)
		service_refuse(no, "invalid_field", "params", "%.200s",
			       d.message);
	service_trial_stop(&t->trial);
	let_finish(t);
}

static int instant_init(struct instant *t)
{
	int err = pthread_mutex_init(&t->lock, NULL);

	if (err)
		return -err;
	err = pthread_cond_init(&t->come, NULL);
	if (err)
		(void)pthread_mutex_destroy(&t->lock);
	return -err;
}

static void in_an_instant(const struct service_trial *trial,
			  struct service_flow_request *q)
{
	struct instant t = {.trial = *trial, .sv = q->sv};
	int err = instant_init(&t);

	if (err) {
		service_flow_fail(q, -EAGAIN);
		service_trial_end(&t.trial);
		return;
	}
	t.clock = clock_manual(clock_wall_ms(q->sv->p.clock));
	t.loop = loop_new(t.clock);
	loop_own(t.loop, wake, &t);
	t.trial.loop = t.loop;
	t.trial.voicing = &t.voicing;
	t.trial.over = is_over;
	run_it(&t, &q->no);
	service_trial_end(&t.trial);
	loop_free(t.loop);
	clock_free(t.clock);
	(void)pthread_mutex_destroy(&t.lock);
	(void)pthread_cond_destroy(&t.come);
}

/* --- in real time --------------------------------------------------------------------------- */

/* What the request holds goes with the trial. */
static void take_texts(struct service_trial *t, struct service_flow_request *q)
{
	memcpy(t->owned, q->owned, sizeof(t->owned));
	t->owned_count = q->owned_count;
	q->owned_count = 0;
	q->test = NULL;
	q->ask = (struct service_flow_ask){0};
}

static void in_real_time(const struct service_trial *trial,
			 struct service_flow_request *q)
{
	struct service_trial *t = b_copy(trial, sizeof(*trial));

	take_texts(t, q);
	service_live_start(t);
}

/* --- either ------------------------------------------------------------------------------------ */

static bool add_run(struct service_trial *t, struct service_flow_request *q)
{
	struct service_run r = {.version = t->want->version,
				.real = t->want->real,
				.page = t->want->page,
				.began_ms = clock_wall_ms(q->sv->p.clock)};

	(void)snprintf(r.flow, sizeof(r.flow), "%s", q->r.head.id);
	(void)snprintf(r.name, sizeof(r.name), "%s", flow_name(t->flow));
	if (service_runs_add(q->sv, q->ask.who.application, &r) != 0) {
		service_refuse(&q->no, "overloaded", "",
			       "%d tests go on in real time",
			       SERVICE_FLOW_TESTS_WAITING);
		return false;
	}
	memcpy(t->run_id, r.id, sizeof(t->run_id));
	return true;
}

/* Who is at the page hears what a person would; what no person does is played. */
static bool has_phone(struct service_flow_request *q)
{
	if (!q->test->page || service_live_page(q->sv))
		return true;
	service_refuse(&q->no, "invalid_field", "phone",
		       "this server has no page that is a phone");
	return false;
}

static void act_test(struct service_flow_request *q)
{
	struct service_trial t = {.want = q->test, .sv = q->sv};

	if (!service_trial_read(&t, q) || !has_phone(q) || !add_run(&t, q)) {
		service_trial_end(&t);
		return;
	}
	if (t.want->real)
		in_real_time(&t, q);
	else
		in_an_instant(&t, q);
	if (q->no.code)
		service_runs_drop(q->sv, t.run_id);
	else if (service_runs_copy(q->sv, t.run_id, &q->run) == 0)
		q->a.run = &q->run;
	else
		service_flow_fail(q, -ENOENT); /* it went with its flow */
}

/* --- asking for one ---------------------------------------------------------------------------- */

void service_flow_test(struct service *sv, const struct service_flow_test *t,
		       service_flow_h *done, void *ctx)
{
	const struct service_flow_ask ask = {
		.who = t->who, .id = t->id, .version = t->version};
	struct service_flow_test *mine = b_copy(t, sizeof(*t));
	struct service_flow_request *q =
		service_flow_request_new(sv, &ask, done, ctx);

	mine->id = q->ask.id;
	mine->params = service_flow_keep(q, t->params);
	mine->http = service_flow_keep(q, t->http);
	mine->locale = service_flow_keep(q, t->locale);
	for (size_t i = 0; i < t->keys_count; i++)
		mine->keys[i] = service_flow_keep(q, t->keys[i]);
	mine->real |= mine->page; /* nobody hears in an instant */
	q->test = mine;
	q->act = act_test;
	service_flow_submit(SERVICE_FLOW_TESTING, sv, &q->job);
}
