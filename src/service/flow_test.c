// SPDX-License-Identifier: Apache-2.0
/*
 * flow_test.c - a flow is tried: the same engine, a person that is played, a
 * clock that runs as fast as the voices allow.
 *
 * Nothing is stored and nothing is dialled outside.  The run has a loop of its
 * own on a thread of this room's.  Its clock stands while a voice is at work or
 * an http node waits for its answer, and otherwise jumps to whatever is due, so
 * a call of minutes takes milliseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/crypto.h"
#include "service/flow_web_priv.h"
#include "service/flows_priv.h"
#include "tel/scripted.h"

enum {
	REAL_MS = 15 * 1000, /* at most, before the request's own deadline */
	LOOK_MS = 100,       /* ... at whether everything ends */
	CODE_DIGITS = 6,
	HUMAN_DIGITS = VERIFICATION_HUMAN,
	EARS = 20, /* ten digits in two languages */
	SIP_UNAVAILABLE = 503,
	NS = 1000 * 1000,
};
#define NUMBER "+15555550110" /* of the sandbox: nobody's */

struct test {
	struct service_flow_request *q;
	const struct service_flow_test *want;
	struct service *sv;
	struct flow *flow;
	struct service_box *rules;
	struct clock *clock;
	struct loop *loop;
	struct tel *tel;
	struct tel_script_fault fault;
	struct flow_run *run;
	struct service_web web;
	json_t *params, *http;
	char code[CODE_BYTES];
	unsigned wrong;
	unsigned voicing; /* sayings that the voices are at work on */
	bool over;
	/* the keys: which entry is typed, and how much of it was */
	size_t entry, typed;
	tel_event_h *event;
	void *event_ctx;
	/* an answer that comes from the loop */
	flow_answer_h *answer;
	int result;
	int64_t detail;
	struct timer soon, http_soon;
	struct flow_http_answer given;
	char *given_text;
	flow_http_h *http_done;
	/* waiting for the voices */
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool woken;
};

/* --- the flow's host --------------------------------------------------------------- */

static void answer_now(void *ctx)
{
	struct test *t = ctx;

	t->answer(t->run, t->result, t->detail);
}

static void answer_soon(struct test *t, flow_answer_h *done, int result,
			int64_t detail)
{
	t->answer = done;
	t->result = result;
	t->detail = detail;
	timer_set(loop_timers(t->loop), &t->soon, 0, answer_now, t);
}

static void host_may_dial(void *ctx, struct flow_run *run, flow_answer_h *done)
{
	(void)run;
	answer_soon(ctx, done, 0, 0);
}

/* What was pressed is taken off the keys that are to be typed. */
static void overhear(const struct tel_event *ev, void *ctx)
{
	struct test *t = ctx;

	if (ev->kind == TEL_KEY && t->entry < t->want->keys_count &&
	    ++t->typed == strlen(t->want->keys[t->entry])) {
		t->entry++;
		t->typed = 0;
	}
	t->event(ev, t->event_ctx);
}

static int host_dial(void *ctx, const struct tel_params *params,
		     const char *route, struct tel_call **out)
{
	struct test *t = ctx;
	struct tel_params mine = *params;

	(void)route;
	t->event = params->event;
	t->event_ctx = params->ctx;
	mine.to = NUMBER;
	mine.event = overhear;
	mine.ctx = t;
	return tel_dial(t->tel, &mine, out);
}

static void host_news(void *ctx, const struct flow_news *news)
{
	(void)ctx;
	(void)news;
}

static bool is_secret(const struct test *t, const char *digits)
{
	struct flow_param p;

	for (size_t i = 0; flow_param(t->flow, i, &p); i++) {
		const char *value =
			json_string_value(json_object_get(t->params, p.name));

		if (p.secret && value && strcmp(value, digits) == 0)
			return true;
	}
	return strcmp(t->code, digits) == 0;
}

static void host_verify(void *ctx, struct flow_run *run, const char *digits,
			flow_answer_h *done)
{
	struct test *t = ctx;
	unsigned most = VERIFICATION_WRONG;

	(void)run;
	if (t->wrong < most && is_secret(t, digits)) {
		answer_soon(t, done, CHECK_APPROVED, most - t->wrong);
		return;
	}
	t->wrong += t->wrong < most;
	answer_soon(t, done, t->wrong < most ? CHECK_WRONG : CHECK_LOCKED,
		    most - t->wrong);
}

static int host_code(void *ctx, char out[CODE_BYTES])
{
	struct test *t = ctx;

	memcpy(out, t->code, sizeof(t->code));
	return 0;
}

static void http_given(void *ctx)
{
	struct test *t = ctx;

	t->http_done(t->run, &t->given);
}

/* By the node's id; the engine asks by URL alone, so what is given is found by
 * the text in front of the query, too. */
static const json_t *sample_of(const struct test *t, const char *url)
{
	const char *key;
	json_t *value;
	size_t n = strcspn(url, "?");

	json_object_foreach(t->http, key, value)
	{
		if (strcmp(key, "*") == 0 || strcmp(key, url) == 0 ||
		    (strlen(key) == n && strncmp(key, url, n) == 0))
			return value;
	}
	return NULL;
}

static void give_sample(struct test *t, const struct flow_http *ask)
{
	const json_t *sample = sample_of(t, ask->url);
	const json_t *body = json_object_get(sample, "body");
	json_int_t status =
		json_integer_value(json_object_get(sample, "status"));

	free(t->given_text);
	t->given_text = NULL;
	if (json_is_string(body))
		t->given_text = b_strdup(json_string_value(body));
	else if (body)
		t->given_text = json_dumps(body, JSON_ENCODE_ANY);
	t->given = (struct flow_http_answer){
		.status = (unsigned)status,
		.timeout = json_is_true(json_object_get(sample, "timeout")),
		.why = sample ? "" : "no sample is given",
		.body = span_of(t->given_text ? t->given_text : ""),
	};
}

static void host_http(void *ctx, struct flow_run *run,
		      const struct flow_http *ask, flow_http_h *done)
{
	struct test *t = ctx;
	const struct service_web_name name = {
		.application = t->want->who.application, .about = t->want->id};

	if (t->want->ask_http) {
		service_web_ask(&t->web, &name, run, ask, done);
		return;
	}
	give_sample(t, ask);
	t->http_done = done;
	timer_set(loop_timers(t->loop), &t->http_soon, 0, http_given, t);
}

static void host_over(void *ctx, const struct flow_end *end)
{
	struct test *t = ctx;

	t->over = true;
	t->q->text = b_strdup(end->trace);
	t->q->a.trace = t->q->text;
}

static const struct flow_host host = {
	.may_dial = host_may_dial,
	.dial = host_dial,
	.news = host_news,
	.verify = host_verify,
	.code = host_code,
	.http = host_http,
	.over = host_over,
};

/* --- the person ----------------------------------------------------------------------- */

static int script_of(const char *to, void *ctx)
{
	const struct test *t = ctx;

	(void)to;
	switch (t->want->outcome) {
	case SERVICE_FLOW_NO_ANSWER:
		return TEL_SCRIPT_NO_ANSWER;
	case SERVICE_FLOW_BUSY:
		return TEL_SCRIPT_BUSY;
	case SERVICE_FLOW_MACHINE:
		return TEL_SCRIPT_MAILBOX;
	case SERVICE_FLOW_ANSWERED:
	case SERVICE_FLOW_FAILS:
		break;
	}
	return t->want->keys_count > 0 ||
			       flow_method(t->flow) != VERIFICATION_BY_API
		       ? TEL_SCRIPT_TYPE
		       : TEL_SCRIPT_LISTEN;
}

static const char *types(const char *call_id, void *ctx)
{
	const struct test *t = ctx;

	(void)call_id;
	if (t->want->keys_count == 0)
		return NULL; /* what was heard */
	return t->entry < t->want->keys_count ? t->want->keys[t->entry] : "";
}

static const struct tel_script_fault *fault_of(const char *to, void *ctx)
{
	const struct test *t = ctx;

	(void)to;
	return t->want->outcome == SERVICE_FLOW_FAILS ? &t->fault : NULL;
}

static size_t add_ears(struct test *t, const char *language,
		       struct tel_ear *ears)
{
	size_t n = 0;

	for (int i = 0; i < EARS / 2; i++) {
		char digit = (char)('0' + i);
		struct clip *clip =
			speech_digit(t->sv->p.speech, language, digit, false);

		if (clip)
			ears[n++] = (struct tel_ear){digit, clip};
	}
	return n;
}

static int open_phone(struct test *t, const char *language)
{
	struct tel_ear ears[EARS];
	size_t n = add_ears(t, language, ears);

	if (strcmp(language, "en") != 0)
		n += add_ears(t, "en", ears + n);
	t->fault = (struct tel_script_fault){.sip_code = SIP_UNAVAILABLE};
	return tel_scripted_new(
		&(struct tel_scripted_params){
			.loop = t->loop,
			.rng = t->sv->p.rng,
			.ears = ears,
			.ears_count = n,
			.script = script_of,
			.types = types,
			.types_max = SERVICE_FLOW_KEYS_MAX,
			.fault = fault_of,
			.ctx = t,
		},
		&t->tel);
}

/* --- the clock -------------------------------------------------------------------------- */

static void wake(void *ctx)
{
	struct test *t = ctx;

	(void)pthread_mutex_lock(&t->lock);
	t->woken = true;
	(void)pthread_cond_signal(&t->come);
	(void)pthread_mutex_unlock(&t->lock);
}

/* Until somebody posts, or for a while. */
static void rest(struct test *t)
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

static bool goes_on(const struct test *t, int64_t until_ms)
{
	return clock_mono_ms(clock_real()) < until_ms &&
	       !atomic_load(&t->sv->ended);
}

static void turn(struct test *t)
{
	int64_t until_ms = clock_mono_ms(clock_real()) + REAL_MS;

	while (!t->over && goes_on(t, until_ms)) {
		int64_t ms;

		if (loop_turn(t->loop))
			continue;
		if (t->voicing > 0 || t->web.call) {
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
static void let_finish(struct test *t)
{
	while (t->voicing > 0)
		if (!loop_turn(t->loop))
			rest(t);
}

/* --- a test --------------------------------------------------------------------------------- */

/* The samples of its Start, and what was given in their place. */
static bool read_params(struct test *t)
{
	AUTO_JSON json_t *all = json_object();
	AUTO_JSON json_t *given = NULL;
	struct flow_param p;
	struct diag d = {0};

	for (size_t i = 0; flow_param(t->flow, i, &p); i++)
		if (*p.sample)
			(void)json_object_set_new(all, p.name,
						  json_string(p.sample));
	if (t->want->params &&
	    (js_parse(span_of(t->want->params), &given, &d) != 0 ||
	     json_object_update(all, given) != 0)) {
		service_refuse(&t->q->no, "invalid_field", "params",
			       "an object of texts and numbers is expected");
		return false;
	}
	if (flow_params_read(t->flow, all, &t->params, &d) == 0)
		return true;
	service_refuse(&t->q->no, "invalid_field", "params", "%.200s",
		       d.message);
	return false;
}

static bool read_samples(struct test *t)
{
	struct diag d = {0};

	if (!t->want->http)
		return true;
	if (js_parse(span_of(t->want->http), &t->http, &d) == 0)
		return true;
	service_refuse(&t->q->no, "invalid_field", "http", "%.200s", d.message);
	return false;
}

static const char *language_of(const struct test *t)
{
	const char *language =
		phrases_language(t->sv->p.phrases, t->want->locale, "");

	return speech_is_open(t->sv->p.speech, language) ? language : "en";
}

static int begin(struct test *t, const char *language, struct diag *d)
{
	const struct service_rules *rules = t->rules->rules;
	AUTO_BUF(to, NUMBER_BYTES);
	struct flow_params params = {
		.flow = t->flow,
		.host = &host,
		.ctx = t,
		.loop = t->loop,
		.rng = t->sv->p.rng,
		.speech = t->sv->p.speech,
		.phrases = t->sv->p.phrases,
		.verification_id = "ver_test",
		.call_id = "call_test",
		.to = NUMBER,
		.from = rules->from ? rules->from : "",
		.language = language,
		.purpose = "login",
		.brand = rules->brand ? rules->brand : "",
		.amount = "",
		.payee = "",
		.callback = rules->callback,
		.attempt = 1,
		.code_length = CODE_DIGITS,
		.human_digits = HUMAN_DIGITS,
		.deadline_ms = clock_wall_ms(t->clock) + VERIFICATION_LIFE_MS,
		.ring_ms = rules->ring_ms,
		.params = t->params,
		.mode = "test",
		.version = t->want->version,
		.voicing = &t->voicing,
	};

	if (flow_destination(t->flow, t->params, &to, NULL) == 0 && !to.err &&
	    to.n > 0)
		params.to = to.p;
	return flow_run_start(&params, &t->run, d);
}

static void make_code(struct test *t)
{
	for (size_t i = 0; i < CODE_DIGITS; i++)
		t->code[i] = (char)('0' + rng_below(t->sv->p.rng, 10));
	t->code[CODE_DIGITS] = '\0';
}

static void run_it(struct test *t)
{
	const char *language = language_of(t);
	struct diag d = {0};
	int err = open_phone(t, language);

	if (!err) {
		make_code(t);
		err = begin(t, language, &d);
	}
	if (!err)
		turn(t);
	if (err == -EAGAIN || (!err && !t->over))
		service_refuse(&t->q->no, "overloaded", "",
			       "the voices had no time for it");
	else if (err)
		service_refuse(&t->q->no, "invalid_field", "params", "%.200s",
			       d.message);
	flow_run_free(t->run);
	service_web_drop(&t->web);
	let_finish(t);
	tel_free(t->tel);
}

static void test_free(struct test *t)
{
	flow_unref(t->flow);
	json_decref(t->params);
	json_decref(t->http);
	service_rules_drop(t->rules);
	loop_free(t->loop);
	clock_free(t->clock);
	free(t->given_text);
	crypto_wipe(t->code, sizeof(t->code));
	(void)pthread_mutex_destroy(&t->lock);
	(void)pthread_cond_destroy(&t->come);
}

static bool load_flow(struct service_flow_request *q, struct flow **flow)
{
	char *text = NULL;
	bool good = service_flow_own(q, false) &&
		    service_flow_text(q, q->ask.version, &text);

	if (good && service_flow_check(q, text, flow) != 0) {
		service_refuse(&q->no, "flow_invalid", "",
			       "the document has errors: see findings");
		good = false;
	}
	free(text);
	return good;
}

static void act_test(struct service_flow_request *q)
{
	struct test t = {.q = q, .want = q->test, .sv = q->sv};
	int err;

	if (!load_flow(q, &t.flow))
		return;
	err = pthread_mutex_init(&t.lock, NULL);
	if (!err)
		err = pthread_cond_init(&t.come, NULL);
	if (err) {
		flow_unref(t.flow);
		service_flow_fail(q, -EAGAIN);
		return;
	}
	t.rules = service_rules_take(q->sv);
	t.clock = clock_manual(clock_wall_ms(q->sv->p.clock));
	t.loop = loop_new(t.clock);
	loop_own(t.loop, wake, &t);
	t.web = (struct service_web){.sv = q->sv, .loop = t.loop};
	if (read_params(&t) && read_samples(&t))
		run_it(&t);
	test_free(&t);
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
	q->test = mine;
	q->act = act_test;
	service_flow_submit(SERVICE_FLOW_TESTING, sv, &q->job);
}
