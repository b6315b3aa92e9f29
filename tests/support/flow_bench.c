// SPDX-License-Identifier: Apache-2.0
/*
 * flow_bench.c - a run under test: the host, the phone, the voices.
 *
 * The voices are the real ones, because times are measured with them; what they
 * said is kept in the build folder, so only the first run waits for them.
 */
#include "support/flow_bench.h"

#include <errno.h>
#include <sched.h>

#include "base/mem.h"

enum { PATIENCE_MS = 120000 }; /* with voices, on a busy machine */

static struct speech *voices;
static struct phrases *scripts;

static const int64_t WALL = (int64_t)1700000000 * BENCH_WALL_MS;

/* --- the phone in the hand --------------------------------------------------- */

struct bench_call {
	struct tel_call base;
	struct bench *bench;
	tel_event_h *event;
	void *ctx;
	struct timer played, gone;
	struct playlist *sound;
	struct tel_event end;
	uint32_t id;
	int64_t began_ms;
	unsigned heard_ms; /* of what sounded last */
	enum { RINGS, UP, DOWN } line;
};

static int64_t now(const struct bench *b)
{
	return clock_mono_ms(b->clock);
}

static void tell(struct bench_call *c, const struct tel_event *ev)
{
	c->event(ev, c->ctx);
}

static unsigned heard_ms(const struct bench_call *c)
{
	return c->sound ? (unsigned)(now(c->bench) - c->began_ms) : c->heard_ms;
}

static void fall_silent(struct bench_call *c)
{
	c->heard_ms = heard_ms(c);
	timer_stop(loop_timers(c->bench->loop), &c->played);
	playlist_unref(c->sound);
	c->sound = NULL;
}

static void played(void *ctx)
{
	struct bench_call *c = ctx;

	fall_silent(c);
	c->bench->plays[c->bench->plays_count - 1].whole = true;
	tell(c, &(struct tel_event){.kind = TEL_PLAYED,
				    .play_id = c->id,
				    .played_ms = c->heard_ms});
}

static int phone_play(struct tel_call *call, struct playlist *p, uint32_t id)
{
	struct bench_call *c = (struct bench_call *)call;
	struct bench *b = c->bench;
	struct bench_play *play = &b->plays[b->plays_count];
	AUTO_BUF(caption, sizeof(play->caption) - 1);

	if (c->line != UP)
		return -ENOTCONN;
	assert_true(b->plays_count < BENCH_PLAYS_MAX);
	fall_silent(c);
	c->sound = playlist_ref(p);
	c->id = id;
	c->began_ms = now(b);
	b->plays_count++;
	playlist_caption(p, &caption);
	(void)snprintf(play->caption, sizeof(play->caption), "%s",
		       caption.p ? caption.p : "");
	play->id = id;
	play->ms = playlist_ms(p);
	play->mark_ms = playlist_mark_ms(p);
	play->at_ms = now(b);
	timer_set(loop_timers(b->loop), &c->played, play->ms, played, c);
	return 0;
}

static void phone_stop(struct tel_call *call)
{
	fall_silent((struct bench_call *)call);
}

static void gone(void *ctx)
{
	struct bench_call *c = ctx;

	tell(c, &c->end);
}

static void end_call(struct bench_call *c, struct tel_event end)
{
	if (c->line == DOWN)
		return;
	fall_silent(c);
	c->line = DOWN;
	c->end = end;
	c->end.kind = TEL_ENDED;
	timer_set(loop_timers(c->bench->loop), &c->gone, 0, gone, c);
}

static void phone_hang_up(struct tel_call *call)
{
	end_call((struct bench_call *)call,
		 (struct tel_event){.cause = TEL_WE_HUNG_UP});
}

static void phone_close(struct tel_call *call)
{
	struct bench_call *c = (struct bench_call *)call;

	fall_silent(c);
	timer_stop(loop_timers(c->bench->loop), &c->gone);
	c->bench->call = NULL;
	free(c);
}

static const struct tel_driver phone = {
	.name = "hand",
	.play = phone_play,
	.stop = phone_stop,
	.hang_up = phone_hang_up,
	.close = phone_close,
};

static struct tel_call *phone_dial(struct bench *b,
				   const struct tel_params *params)
{
	struct bench_call *c = b_zero(1, sizeof(*c));

	assert_null(b->call); /* one at a time */
	c->base.driver = &phone;
	c->bench = b;
	c->event = params->event;
	c->ctx = params->ctx;
	b->call = c;
	return &c->base;
}

void bench_tell(struct bench *b, const struct tel_event *ev)
{
	assert_non_null(b->call);
	tell(b->call, ev);
	bench_go(b, 0);
}

void bench_ring(struct bench *b)
{
	bench_tell(b, &(struct tel_event){.kind = TEL_RINGING});
}

void bench_pick_up(struct bench *b)
{
	assert_non_null(b->call);
	b->call->line = UP;
	bench_tell(b, &(struct tel_event){.kind = TEL_ANSWERED});
}

void bench_key(struct bench *b, char key)
{
	assert_non_null(b->call);
	bench_tell(b, &(struct tel_event){.kind = TEL_KEY,
					  .key = key,
					  .play_id = b->call->id,
					  .played_ms = heard_ms(b->call)});
}

void bench_keys(struct bench *b, const char *keys)
{
	for (; *keys; keys++) {
		bench_key(b, *keys);
		if (keys[1])
			bench_go(b, 300);
	}
}

void bench_put_down(struct bench *b)
{
	assert_non_null(b->call);
	end_call(b->call, (struct tel_event){.cause = TEL_HUNG_UP});
	bench_go(b, 0);
}

void bench_key_and_put_down(struct bench *b, char key)
{
	tell(b->call, &(struct tel_event){.kind = TEL_KEY,
					  .key = key,
					  .play_id = b->call->id,
					  .played_ms = heard_ms(b->call)});
	(void)loop_turn(b->loop);
	end_call(b->call, (struct tel_event){.cause = TEL_HUNG_UP});
	bench_go(b, 0);
}

void bench_refuse(struct bench *b, int sip_code, int q850)
{
	assert_non_null(b->call);
	end_call(b->call, (struct tel_event){.cause = sip_code ? TEL_REFUSED
							       : TEL_NO_ANSWER,
					     .sip_code = sip_code,
					     .q850 = q850});
	bench_go(b, 0);
}

void bench_go_dead(struct bench *b)
{
	b->call->line = DOWN;
}

bool bench_sounds(const struct bench *b)
{
	return b->call && b->call->sound;
}

struct playlist *bench_sound(const struct bench *b)
{
	return b->call ? b->call->sound : NULL;
}

/* --- the host ----------------------------------------------------------------- */

struct question {
	struct bench *bench;
	flow_answer_h *done;
	int result;
	int64_t detail;
};

static void answer(void *ctx)
{
	struct question *q = ctx;

	if (q->bench->run)
		q->done(q->bench->run, q->result, q->detail);
	free(q);
}

static void ask(struct bench *b, flow_answer_h *done, int result,
		int64_t detail)
{
	struct question *q = b_zero(1, sizeof(*q));

	*q = (struct question){b, done, result, detail};
	loop_call(b->loop, answer, q);
}

static void host_may_dial(void *ctx, struct flow_run *run, flow_answer_h *done)
{
	struct bench *b = ctx;

	(void)run;
	b->asked++;
	if (!b->mute)
		ask(b, done, b->may_dial, 0);
}

static bool host_another(void *ctx, const struct flow_news *how)
{
	struct bench *b = ctx;

	b->fault = *how;
	return b->routes > 0 && b->routes-- > 0;
}

static int host_dial(void *ctx, const struct tel_params *params,
		     const char *route, struct tel_call **out)
{
	struct bench *b = ctx;

	b->dials++;
	(void)snprintf(b->to, sizeof(b->to), "%s", params->to);
	(void)snprintf(b->from, sizeof(b->from), "%s", params->from);
	(void)snprintf(b->route, sizeof(b->route), "%s", route);
	(void)snprintf(b->language, sizeof(b->language), "%s",
		       params->language);
	b->ring_ms = params->ring_ms;
	if (b->dial_error)
		return b->dial_error;
	if (b->tel)
		return tel_dial(b->tel, params, out);
	*out = phone_dial(b, params);
	return 0;
}

static void host_news(void *ctx, const struct flow_news *news)
{
	struct bench *b = ctx;

	assert_true(b->news_count < BENCH_NEWS_MAX);
	b->news[b->news_count++] = (struct bench_news){news->event, news->leg,
						       news->sip_code, now(b)};
}

static void host_verify(void *ctx, struct flow_run *run, const char *digits,
			flow_answer_h *done)
{
	struct bench *b = ctx;
	unsigned i = b->verified++ % COUNT_OF(b->verify);

	(void)run;
	(void)snprintf(b->digits[i], sizeof(b->digits[i]), "%s", digits);
	if (!b->mute)
		ask(b, done,
		    b->verify_error ? b->verify_error : (int)b->verify[i],
		    b->verify_left[i]);
}

static int host_code(void *ctx, char out[CODE_BYTES])
{
	const struct bench *b = ctx;

	if (!b->code)
		return -ENOKEY;
	(void)snprintf(out, CODE_BYTES, "%s", b->code);
	return 0;
}

static void answer_http(void *ctx)
{
	struct bench *b = ctx;
	const struct bench_answer *a =
		&b->http[(b->asks_count - 1) % COUNT_OF(b->http)];

	if (b->run && b->http_done)
		bench_http_answer(b, a);
}

void bench_http_answer(struct bench *b, const struct bench_answer *a)
{
	const struct flow_http_answer answer = {
		.status = a->status,
		.timeout = a->timeout,
		.unasked = a->unasked,
		.why = a->why,
		.body = span_of(a->body),
	};
	flow_http_h *done = b->http_done;

	b->http_done = NULL;
	assert_non_null(done);
	done(b->run, &answer);
}

static void host_http(void *ctx, struct flow_run *run,
		      const struct flow_http *ask, flow_http_h *done)
{
	struct bench *b = ctx;
	struct bench_ask *to;
	AUTO_BUF(headers, sizeof(to->headers) - 1);

	(void)run;
	assert_true(b->asks_count < BENCH_ASKS_MAX);
	assert_null(b->http_done);
	to = &b->asks[b->asks_count++];
	for (const struct flow_http_header *h = ask->headers; h->name; h++)
		buf_printf(&headers, "%s: %s\n", h->name, h->value);
	(void)snprintf(to->method, sizeof(to->method), "%s", ask->method);
	(void)snprintf(to->url, sizeof(to->url), "%s", ask->url);
	(void)snprintf(to->headers, sizeof(to->headers), "%s",
		       headers.p ? headers.p : "");
	(void)snprintf(to->body, sizeof(to->body), "%.*s", (int)ask->body.n,
		       ask->body.p ? ask->body.p : "");
	(void)snprintf(to->type, sizeof(to->type), "%s",
		       ask->type ? ask->type : "");
	to->timeout_ms = ask->timeout_ms;
	to->sign = ask->sign;
	to->at_ms = now(b);
	b->http_done = done;
	if (!b->http_waits)
		loop_call(b->loop, answer_http, b);
}

static void host_step(void *ctx, const char *json)
{
	struct bench *b = ctx;

	assert_true(b->steps_count < BENCH_STEPS_MAX);
	b->steps[b->steps_count++] = b_strdup(json);
}

static void host_over(void *ctx, const struct flow_end *end)
{
	struct bench *b = ctx;

	assert_false(b->over);
	b->over = true;
	b->end = *end;
	b->trace = b_strdup(end->trace);
	b->http_done = NULL;
	b->end.node = b_strdup(end->node);
	/* what a host does */
	flow_run_free(b->run);
	b->run = NULL;
}

static const struct flow_host host = {
	.may_dial = host_may_dial,
	.another = host_another,
	.dial = host_dial,
	.news = host_news,
	.verify = host_verify,
	.code = host_code,
	.http = host_http,
	.step = host_step,
	.over = host_over,
};

/* --- setting up ------------------------------------------------------------------ */

int bench_open(void **state)
{
	static const struct speech_choice choices[] = {{"en", "flite:rms"},
						       {NULL, NULL}};
	const char *build = getenv("VOICEOTP_BUILD"); /* NOLINT: one thread */
	char cache[TEST_PATH_BYTES];
	struct speech_params params = {.cache_dir = cache, .choices = choices};
	static const char *const languages[] = {"en", "es", "de"};
	struct diag d = {0};

	(void)state;
	scripts = test_phrases();
	params.phrases = scripts;
	(void)snprintf(cache, sizeof(cache), "%s/speech-cache",
		       build ? build : ".");
	assert_int_equal(speech_new(&params, &voices, &d), 0);
	for (size_t i = 0; i < COUNT_OF(languages); i++)
		assert_int_equal(speech_open(voices, languages[i], &d), 0);
	return 0;
}

int bench_close(void **state)
{
	(void)state;
	speech_free(voices);
	phrases_free(scripts);
	return 0;
}

int bench_setup(void **state)
{
	struct bench *b = b_zero(1, sizeof(*b));

	b->clock = clock_manual(WALL);
	b->loop = loop_new(b->clock);
	b->rng = rng_seeded(1);
	b->speech = voices;
	b->phrases = scripts;
	b->code = BENCH_CODE;
	for (size_t i = 0; i < COUNT_OF(b->verify); i++) {
		b->verify[i] = CHECK_WRONG;
		b->verify_left[i] = 4 - (int64_t)i;
		b->http[i] = (struct bench_answer){.status = 200, .body = "{}"};
	}
	b->params = (struct flow_params){
		.host = &host,
		.ctx = b,
		.loop = b->loop,
		.rng = b->rng,
		.speech = voices,
		.phrases = scripts,
		.verification_id = "ver_test",
		.call_id = "call_test",
		.to = BENCH_TO,
		.from = "+15671234567",
		.language = "en",
		.purpose = "login",
		.brand = BENCH_BRAND,
		.attempt = 1,
		.code_length = 6,
		.human_digits = 3,
		.deadline_ms = WALL + 600000,
		.ring_ms = 28000,
		.mode = "test",
	};
	*state = b;
	return 0;
}

/* A run that went away early may have left work with the voices, whose answer
 * goes to our loop: they work in order, so new work is done after it. */
static void wait_for_voices(const struct bench *b)
{
	static unsigned count;
	AUTO(utterance) *u = utterance_new("en");
	AUTO(playlist) *sound = NULL;
	struct diag d = {0};
	char text[32];

	(void)snprintf(text, sizeof(text), "%u", count++);
	assert_int_equal(utterance_text(u, span_of(text), false, &d), 0);
	assert_int_equal(speech_say(b->speech, u, &sound, &d), 0);
}

void bench_forget(struct bench *b)
{
	for (size_t i = 0; i < b->steps_count; i++)
		free(b->steps[i]);
	b->steps_count = b->news_count = b->plays_count = b->asks_count = 0;
	if (b->over) {
		union {
			const char *borrowed;
			char *owned;
		} node = {.borrowed = b->end.node};

		free(node.owned);
	}
	free(b->trace);
	b->trace = NULL;
	b->over = false;
}

int bench_teardown(void **state)
{
	struct bench *b = *state;

	flow_run_free(b->run);
	if (b->asked == 0 && b->asks_count == 0)
		wait_for_voices(b);
	while (loop_turn(b->loop))
		; /* answers that nobody waits for */
	tel_free(b->tel);
	flow_unref(b->flow);
	bench_forget(b);
	rng_free(b->rng);
	loop_free(b->loop);
	clock_free(b->clock);
	free(b);
	return 0;
}

const char BENCH_CODE_INPUT[] =
	"{'id':'Begin','type':'input','config':{'max_digits':'code',"
	"'restart_key':'*','tries':2,'prompt':{'kind':'text','text':'Type it.'"
	"},'invalid_prompt':{'kind':'text','text':'Once more.'}},"
	"'on':{'input':'Check','no_input':'None'}},"
	"{'id':'Check','type':'verify','config':{'input':'{{Begin.digits}}'},"
	"'on':{'match':'Good','mismatch':'Wrong','expired':'Late','too_many':"
	"'Over'}},"
	"{'id':'Good','type':'play','config':{'speech':{'kind':'text','text':"
	"'Good.'}},'on':{'completed':'Bye'}},"
	"{'id':'Wrong','type':'play','config':{'speech':{'kind':'text','text':"
	"'Wrong.'}},'on':{'completed':'Bye'}},"
	"{'id':'Late','type':'play','config':{'speech':{'kind':'text','text':"
	"'Late.'}},'on':{'completed':'Bye'}},"
	"{'id':'Over','type':'play','config':{'speech':{'kind':'text','text':"
	"'Over.'}},'on':{'completed':'Bye'}},"
	"{'id':'None','type':'play','config':{'speech':{'kind':'text','text':"
	"'None.'}},'on':{'completed':'Bye'}}";

/* --- flows and runs ----------------------------------------------------------------- */

static void load(struct bench *b, const char *text, size_t n)
{
	struct flow_world world = test_world(b->phrases);
	struct flow_findings findings;

	flow_unref(b->flow);
	b->flow = NULL;
	if (flow_load(span_make(text, n), &world, &b->flow, &findings))
		for (size_t i = 0; i < findings.count; i++)
			print_error("%s %s: %s\n", findings.items[i].code,
				    findings.items[i].path,
				    findings.items[i].message);
	flow_findings_free(&findings);
	assert_non_null(b->flow);
}

/* Single quotes stand for double ones. */
static void load_quoted(struct bench *b, struct buf *text)
{
	for (size_t i = 0; i < text->n; i++)
		if (text->p[i] == '\'')
			text->p[i] = '"';
	load(b, text->p, text->n);
}

void bench_built_in(struct bench *b, const char *name)
{
	char below[64], path[TEST_PATH_BYTES];
	char *text;
	size_t n;

	(void)snprintf(below, sizeof(below), "packaging/flows/%s.json", name);
	source_path(path, below);
	text = test_read(path, &n);
	load(b, text, n);
	free(text);
}

void bench_flow(struct bench *b, const char *nodes)
{
	AUTO_BUF(text, 64 << 10);

	buf_printf(&text,
		   "{'format':'voiceflow/1','name':'Test','start':'Start',"
		   "'nodes':[%s,{'id':'Bye','type':'hangup'}]}",
		   nodes);
	load_quoted(b, &text);
}

void bench_document(struct bench *b, const char *fields, const char *nodes)
{
	AUTO_BUF(text, 64 << 10);

	buf_printf(&text,
		   "{'format':'voiceflow/1','name':'Test','start':'Start',%s"
		   "'nodes':[{'id':'Start','type':'start','on':{'api_request':"
		   "'Call'}},{'id':'Call','type':'call','config':{'to':"
		   "'{{verification.to}}'},'on':{'answered':'Begin'}},%s,"
		   "{'id':'Bye','type':'hangup'}]}",
		   fields, nodes);
	load_quoted(b, &text);
}

void bench_call_flow(struct bench *b, const char *nodes)
{
	AUTO_BUF(text, 64 << 10);

	buf_printf(&text,
		   "{'id':'Start','type':'start','on':{'api_request':'Call'}},"
		   "{'id':'Call','type':'call','config':{'to':'{{verification."
		   "to}}'},'on':{'answered':'Begin','busy':'Bye','no_answer':"
		   "'Bye','rejected':'Bye','failed':'Bye'}},%s",
		   nodes);
	bench_flow(b, text.p);
}

/* One turn of the loop while a voice speaks; false when that takes too long.
 * Voices have a thread of their own, and real time. */
static bool wait_a_turn(const struct bench *b, int64_t *since)
{
	int64_t at = clock_mono_ms(clock_real());

	if (*since == 0)
		*since = at;
	if (!loop_turn(b->loop))
		(void)sched_yield();
	return at - *since < PATIENCE_MS;
}

/* Until the voices have answered: they have threads of their own. */
static void prepare(struct bench *b)
{
	int64_t since = 0;

	while (!b->over && b->asked == 0 && b->asks_count == 0 &&
	       wait_a_turn(b, &since))
		;
	assert_true(b->over || b->asked > 0 || b->asks_count > 0);
}

void bench_await_plays(struct bench *b, size_t count)
{
	int64_t since = 0;

	while (b->plays_count < count && wait_a_turn(b, &since))
		;
	assert_true(b->plays_count >= count);
}

void bench_await_over(struct bench *b)
{
	int64_t since = 0;

	while (!b->over && wait_a_turn(b, &since))
		;
	assert_true(b->over);
}

void bench_start(struct bench *b)
{
	struct diag d = {0};

	b->params.flow = b->flow;
	assert_int_equal(flow_run_start(&b->params, &b->run, &d), 0);
	prepare(b);
	bench_go(b, 0);
}

void bench_answer(struct bench *b)
{
	bench_start(b);
	bench_ring(b);
	bench_go(b, 2000);
	bench_pick_up(b);
}

void bench_go(struct bench *b, int64_t ms)
{
	while (loop_turn(b->loop))
		;
	loop_advance(b->loop, ms);
	while (loop_turn(b->loop))
		;
}

void bench_finish(struct bench *b, int64_t ms)
{
	for (int64_t i = 0; i < ms && !b->over; i += 100)
		bench_go(b, 100);
	assert_true(b->over);
}

void bench_hear(struct bench *b)
{
	size_t before = b->plays_count;

	for (int i = 0; i < 3000 && b->plays_count == before && !b->over; i++)
		bench_go(b, 20);
	assert_true(b->plays_count > before);
}

void bench_hear_out(struct bench *b)
{
	size_t before = b->plays_count;

	assert_true(bench_sounds(b));
	while (bench_sounds(b) && b->plays_count == before)
		bench_go(b, 20);
}

void bench_hear_to_mark(struct bench *b)
{
	const struct bench_play *p = bench_last(b);
	int64_t left = p->at_ms + p->mark_ms - now(b);

	if (left > 0)
		bench_go(b, left);
}

void bench_asked_digits(const struct bench *b, char out[16])
{
	const char *caption = bench_last(b)->caption;
	size_t n = strlen(caption), count = 0;
	char back[16];

	while (n > 0 && !strchr("0123456789", caption[n - 1]))
		n--;
	while (n > 0 && count < sizeof(back) &&
	       strchr("0123456789 ", caption[n - 1])) {
		n--;
		if (caption[n] != ' ')
			back[count++] = caption[n];
	}
	for (size_t i = 0; i < count; i++)
		out[i] = back[count - 1 - i];
	out[count] = '\0';
}

/* --- what came of it --------------------------------------------------------------------- */

bool bench_has_news(const struct bench *b, enum outcome_event event)
{
	for (size_t i = 0; i < b->news_count; i++)
		if (b->news[i].event == event)
			return true;
	return false;
}

size_t bench_count_said(const struct bench *b, const char *part)
{
	size_t n = 0;

	for (size_t i = 0; i < b->plays_count; i++)
		for (const char *at = strstr(b->plays[i].caption, part); at;
		     at = strstr(at + 1, part))
			n++;
	return n;
}

const struct bench_play *bench_last(const struct bench *b)
{
	assert_true(b->plays_count > 0);
	return &b->plays[b->plays_count - 1];
}

void bench_assert_end(const struct bench *b, enum flow_end_reason reason,
		      const char *node)
{
	assert_true(b->over);
	assert_string_equal(flow_end_text(b->end.reason),
			    flow_end_text(reason));
	assert_string_equal(b->end.node, node);
}

bool bench_took(const struct bench *b, const char *node, const char *trigger)
{
	AUTO_BUF(one, 256);

	buf_printf(&one, "\"node\":\"%s\",", node);
	for (size_t i = 0; i < b->steps_count; i++) {
		AUTO_BUF(two, 256);

		buf_printf(&two, "\"trigger\":\"%s\"", trigger);
		if (strstr(b->steps[i], one.p) && strstr(b->steps[i], two.p))
			return true;
	}
	return false;
}
