// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_flow_run.c - any text as a flow, and what is judged well is run: it
 * ends, and no secret leaves it.
 *
 * Voices, telephone and applications are ours, and as wilful as the input's
 * bytes say.  The secrets that are planted come from the input too, so that
 * none can be learnt and written into a document.  What is given to a voice is
 * read on its way into the utterances: only within a say-as, where digits become
 * clips, may a secret stand.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flow/flow.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SECRET_DIGITS = 10,
	CODE_DIGITS = 6,
	/* FLOW_STEPS_MAX steps, of which each may ring and talk */
	END_S = FLOW_STEPS_MAX * (120 + FLOW_SECONDS_MAX + 30),
	MS_A_CHARACTER = 20,
};

static const char NUMBER[] = "+15005550006";

struct call {
	struct tel_call base;
	struct world *world;
	tel_event_h *event;
	void *ctx;
	struct timer timer, played;
	struct tel_event next;
	uint32_t id;
	bool up, ended;
};

struct world {
	struct clock *clock;
	struct loop *loop;
	struct rng *rng;
	struct flow *flow;
	struct flow_run *run;
	struct call *call;
	flow_http_h *http_done;
	char secret[SECRET_DIGITS + 1], code[CODE_BYTES];
	bool over;
};

static struct world *the_world; /* speech has no context of ours */

static unsigned below(struct world *w, unsigned n)
{
	return rng_below(w->rng, n);
}

/* --- no secret leaves ------------------------------------------------------------- */

static bool has(struct span hay, const char *digits)
{
	size_t n = strlen(digits), at = 0;

	/* also with blanks between them */
	for (size_t i = 0; i < hay.n; i++) {
		if (hay.p[i] == ' ')
			continue;
		at = hay.p[i] == digits[at] ? at + 1 : hay.p[i] == digits[0];
		if (at == n)
			return true;
	}
	return false;
}

static void assert_clean(const struct world *w, struct span hay)
{
	assert(!has(hay, w->secret));
	assert(!has(hay, w->code));
}

/* --- speech: what a run calls of its room is ours, by the linker ------------------------ */

#define IN_PLACE_OF(name) __asm__("__wrap_" name)

bool fake_is_open(struct speech *sp, const char *language)
	IN_PLACE_OF("speech_is_open");
int fake_prepare(struct speech *sp, struct utterance *const u[], size_t n,
		 struct loop *loop, speech_done_h *done, void *ctx)
	IN_PLACE_OF("speech_prepare");
int fake_playlist(struct speech *sp, const struct utterance *u,
		  struct playlist **out) IN_PLACE_OF("speech_playlist");
int fake_text(struct utterance *u, struct span text, bool fixed, struct diag *d)
	IN_PLACE_OF("utterance_text");
int fake_ssml(struct utterance *u, struct span ssml, bool fixed, struct diag *d)
	IN_PLACE_OF("utterance_ssml");
/* ... and theirs, behind it */
int real_text(struct utterance *u, struct span text, bool fixed,
	      struct diag *d) __asm__("__real_utterance_text");
int real_ssml(struct utterance *u, struct span ssml, bool fixed,
	      struct diag *d) __asm__("__real_utterance_ssml");

int fake_text(struct utterance *u, struct span text, bool fixed, struct diag *d)
{
	if (the_world)
		assert_clean(the_world, text);
	return real_text(u, text, fixed, d);
}

/* What stands in the open: all that is not within a say-as. */
int fake_ssml(struct utterance *u, struct span ssml, bool fixed, struct diag *d)
{
	AUTO_BUF(open, 16 << 10);
	bool within = false;

	for (size_t i = 0; i < ssml.n; i++) {
		struct span rest = span_make(ssml.p + i, ssml.n - i);

		if (span_starts(rest, "<say-as"))
			within = true;
		else if (span_starts(rest, "</say-as"))
			within = false;
		if (!within)
			buf_byte(&open, (unsigned char)ssml.p[i]);
	}
	if (the_world)
		assert_clean(the_world, buf_view(&open));
	return real_ssml(u, ssml, fixed, d);
}

bool fake_is_open(struct speech *sp, const char *language)
{
	(void)sp;
	return strcmp(language, "en") == 0;
}

struct prepared {
	struct post post;
	speech_done_h *done;
	void *ctx;
	int err;
};

static void tell_prepared(void *ctx)
{
	struct prepared *p = ctx;
	struct diag d = {0};

	p->done(p->err, &d, p->ctx);
	free(p);
}

int fake_prepare(struct speech *sp, struct utterance *const u[], size_t n,
		 struct loop *loop, speech_done_h *done, void *ctx)
{
	struct world *w = the_world;
	struct prepared *p;

	(void)sp;
	(void)u;
	(void)n;
	if (below(w, 100) == 0)
		return -EAGAIN;
	p = b_zero(1, sizeof(*p));
	p->done = done;
	p->ctx = ctx;
	p->err = below(w, 100) == 0 ? -EIO : 0;
	loop_call(loop, tell_prepared, p);
	return 0;
}

int fake_playlist(struct speech *sp, const struct utterance *u,
		  struct playlist **out)
{
	struct playlist *list = playlist_new();
	int err;

	(void)sp;
	err = playlist_silence(list,
			       MS_A_CHARACTER * (utterance_characters(u) + 1));
	if (below(the_world, 2) == 0)
		playlist_mark(list);
	if (err)
		playlist_unref(list);
	else
		*out = list;
	return err;
}

/* --- the telephone -------------------------------------------------------------------- */

static void tell(void *ctx)
{
	struct call *c = ctx;
	struct tel_event ev = c->next;

	c->event(&ev, c->ctx);
}

static void soon(struct call *c, struct tel_event ev)
{
	c->next = ev;
	timer_set(loop_timers(c->world->loop), &c->timer, 0, tell, c);
}

static void end(struct call *c, struct tel_event ev)
{
	if (c->ended)
		return;
	c->ended = true;
	c->up = false;
	timer_stop(loop_timers(c->world->loop), &c->played);
	ev.kind = TEL_ENDED;
	soon(c, ev);
}

static void played(void *ctx)
{
	struct call *c = ctx;

	c->event(&(struct tel_event){.kind = TEL_PLAYED, .play_id = c->id},
		 c->ctx);
}

static int play(struct tel_call *call, struct playlist *list, uint32_t id)
{
	struct call *c = (struct call *)call;

	if (!c->up)
		return -ENOTCONN;
	c->id = id;
	timer_set(loop_timers(c->world->loop), &c->played, playlist_ms(list),
		  played, c);
	return 0;
}

static void stop(struct tel_call *call)
{
	struct call *c = (struct call *)call;

	timer_stop(loop_timers(c->world->loop), &c->played);
}

static void hang_up(struct tel_call *call)
{
	end((struct call *)call, (struct tel_event){.cause = TEL_WE_HUNG_UP});
}

static void close_call(struct tel_call *call)
{
	struct call *c = (struct call *)call;

	timer_stop(loop_timers(c->world->loop), &c->timer);
	timer_stop(loop_timers(c->world->loop), &c->played);
	c->world->call = NULL;
	free(c);
}

static const struct tel_driver phone = {
	.name = "fuzz",
	.play = play,
	.stop = stop,
	.hang_up = hang_up,
	.close = close_call,
};

/* --- the host --------------------------------------------------------------------------- */

struct question {
	struct world *world;
	flow_answer_h *done;
	int result;
};

static void tell_answer(void *ctx)
{
	struct question *q = ctx;
	struct world *w = q->world;

	if (w->run)
		q->done(w->run, q->result, below(w, 3));
	free(q);
}

static void ask(struct world *w, flow_answer_h *done, int result)
{
	struct question *q = b_zero(1, sizeof(*q));

	*q = (struct question){w, done, result};
	loop_call(w->loop, tell_answer, q);
}

static void may_dial(void *ctx, struct flow_run *run, flow_answer_h *done)
{
	struct world *w = ctx;

	(void)run;
	ask(w, done, below(w, 20) == 0 ? -ETIME : 0);
}

static bool another(void *ctx, const struct flow_news *how)
{
	(void)how;
	return below(ctx, 3) == 0;
}

static int dial(void *ctx, const struct tel_params *params, const char *route,
		struct tel_call **out)
{
	struct world *w = ctx;
	struct call *c;

	assert(!w->call);
	assert(strcmp(params->to, NUMBER) == 0);
	assert_clean(w, span_of(params->from));
	assert_clean(w, span_of(route));
	if (below(w, 20) == 0)
		return -EBUSY;
	c = b_zero(1, sizeof(*c));
	c->base.driver = &phone;
	c->world = w;
	c->event = params->event;
	c->ctx = params->ctx;
	w->call = c;
	*out = &c->base;
	return 0;
}

static void news(void *ctx, const struct flow_news *what)
{
	(void)ctx;
	(void)what;
}

static void verify(void *ctx, struct flow_run *run, const char *digits,
		   flow_answer_h *done)
{
	struct world *w = ctx;

	(void)run;
	(void)digits;
	ask(w, done,
	    below(w, 20) == 0 ? -EIO : (int)below(w, (unsigned)CHECK_COUNT));
}

static int code(void *ctx, char out[CODE_BYTES])
{
	const struct world *w = ctx;

	memcpy(out, w->code, CODE_BYTES);
	return 0;
}

static void answer_http(void *ctx)
{
	static const unsigned STATUS[] = {200, 200, 200, 204, 302,
					  404, 500, 503, 0};
	static const char *const BODIES[] = {
		"{\"name\":\"Ada\",\"n\":7,\"list\":[{\"x\":true}]}",
		"{\"name\":\"{{verification.code}}<&\\\"\"}", "nothing", ""};
	struct world *w = ctx;
	struct flow_http_answer a = {
		.status = STATUS[below(w, COUNT_OF(STATUS))],
		.timeout = below(w, 2) == 0,
		.why = "",
		.body = span_of(BODIES[below(w, COUNT_OF(BODIES))]),
	};
	flow_http_h *done = w->http_done;

	w->http_done = NULL;
	if (w->run && done)
		done(w->run, &a);
}

static void http(void *ctx, struct flow_run *run, const struct flow_http *asked,
		 flow_http_h *done)
{
	struct world *w = ctx;

	(void)run;
	assert(!w->http_done);
	assert(asked->timeout_ms <= 10000);
	assert_clean(w, span_of(asked->url));
	assert_clean(w, asked->body);
	for (const struct flow_http_header *h = asked->headers; h->name; h++) {
		assert_clean(w, span_of(h->name));
		assert_clean(w, span_of(h->value));
		assert(!strpbrk(h->value, "\r\n"));
	}
	w->http_done = done;
	if (below(w, 20) > 0)
		loop_call(w->loop, answer_http, w);
}

static void step(void *ctx, const char *json)
{
	assert_clean(ctx, span_of(json));
}

static void over(void *ctx, const struct flow_end *how)
{
	struct world *w = ctx;
	AUTO_JSON json_t *trace = NULL;
	struct diag d;

	assert(!w->over);
	assert(strlen(how->trace) <= FLOW_TRACE_MAX);
	assert(js_parse(span_of(how->trace), &trace, &d) == 0);
	assert_clean(w, span_of(how->trace));
	w->over = true;
	w->http_done = NULL;
	flow_run_free(w->run);
	w->run = NULL;
}

static const struct flow_host host = {
	.may_dial = may_dial,
	.another = another,
	.dial = dial,
	.news = news,
	.verify = verify,
	.code = code,
	.http = http,
	.step = step,
	.over = over,
};

/* --- a run ---------------------------------------------------------------------------------- */

static void happen(struct world *w)
{
	static const char KEYS[] = "0123456789*#";
	static const int CODES[] = {486, 603, 404, 503, 0};
	struct call *c = w->call;

	if (!c || c->ended)
		return;
	if (!c->up && below(w, 3) == 0) {
		end(c, (struct tel_event){
			       .cause = TEL_REFUSED,
			       .sip_code = CODES[below(w, COUNT_OF(CODES))]});
	} else if (!c->up) {
		c->up = true;
		soon(c, (struct tel_event){.kind = TEL_ANSWERED});
	} else if (below(w, 200) == 0) {
		end(c, (struct tel_event){.cause = TEL_HUNG_UP});
	} else {
		const struct tel_event key = {.kind = TEL_KEY,
					      .key = KEYS[below(w, 12)],
					      .play_id = c->id,
					      .played_ms = below(w, 60000)};

		c->event(&key, c->ctx);
	}
}

static void wish(struct world *w)
{
	unsigned what = below(w, 2000);

	if (!w->run)
		return;
	if (what == 0)
		flow_run_stop(w->run);
	else if (what == 1)
		flow_run_settle(w->run);
	else if (what == 2)
		flow_run_expire(w->run);
	else if (what < 700)
		happen(w);
}

static void until_over(struct world *w)
{
	int64_t last = clock_mono_ms(w->clock) + (int64_t)END_S * 1000;

	while (!w->over) {
		while (!w->over && loop_turn(w->loop))
			;
		if (!w->over)
			wish(w);
		loop_advance(w->loop, below(w, 4000));
		assert(w->over || clock_mono_ms(w->clock) < last);
	}
	while (loop_turn(w->loop))
		;
}

/* Whatever the flow takes: a number where it may be one, nasty text, and the
 * secret where it asks for one. */
static json_t *params_for(struct world *w)
{
	json_t *params = json_object();
	struct flow_param p;

	for (size_t i = 0; flow_param(w->flow, i, &p); i++) {
		if (p.secret)
			json_object_set_new(params, p.name,
					    json_string(w->secret));
		else if (strcmp(p.name, "to") == 0 || below(w, 2) == 0)
			json_object_set_new(params, p.name,
					    json_string(NUMBER));
		else if (p.required || below(w, 2) == 0)
			json_object_set_new(
				params, p.name,
				json_string("{{verification.code}}\"<&\r\n/"));
	}
	return params;
}

static void run(struct world *w, const struct phrases *ph)
{
	AUTO_JSON json_t *given = params_for(w);
	AUTO_JSON json_t *params = NULL;
	AUTO_BUF(to, 2048);
	struct diag d;
	struct flow_params p = {
		.flow = w->flow,
		.host = &host,
		.ctx = w,
		.loop = w->loop,
		.rng = w->rng,
		.phrases = ph,
		.verification_id = "ver_1",
		.call_id = "call_1",
		.to = NUMBER,
		.from = "+15671234567",
		.language = below(w, 2) ? "en" : "de",
		.purpose = "login",
		.brand = "Acme",
		.code_length = CODE_DIGITS,
		.human_digits = 3,
		.ring_ms = 20000,
		.mode = "test",
	};

	assert(flow_params_read(w->flow, given, &params, &d) == 0);
	(void)!flow_destination(w->flow, params, &to, &d);
	p.params = params;
	if (flow_run_start(&p, &w->run, &d) == 0)
		until_over(w);
	while (loop_turn(w->loop))
		;
}

/* FNV-1a */
static uint64_t hash(const uint8_t *p, size_t n)
{
	uint64_t h = 14695981039346656037ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211ULL;
	return h;
}

static void plant(struct world *w)
{
	for (size_t i = 0; i < SECRET_DIGITS; i++)
		w->secret[i] = (char)('0' + below(w, 10));
	for (size_t i = 0; i < CODE_DIGITS; i++)
		w->code[i] = (char)('0' + below(w, 10));
}

static void run_in_a_world(struct flow *flow, const struct phrases *ph,
			   uint64_t seed)
{
	struct world w = {.flow = flow};

	the_world = &w;
	w.clock = clock_manual((int64_t)1700000000 * 1000);
	w.loop = loop_new(w.clock);
	w.rng = rng_seeded(seed);
	plant(&w);
	run(&w, ph);
	assert(!w.call);
	rng_free(w.rng);
	loop_free(w.loop);
	clock_free(w.clock);
	the_world = NULL;
}

static struct phrases *script(void)
{
	static const char ENGLISH[] =
		"language: en\nname: English\nnative_review: no\n"
		"digits: [zero, one, two, three, four, five, six, seven, "
		"eight, nine]\n"
		"purposes: {login: sign-in, other: check}\n"
		"phrases:\n"
		"  common.failed: \"That did not work.\"\n"
		"  common.interrupted: \"We have to stop.\"\n"
		"  common.goodbye: \"Goodbye.\"\n"
		"  common.not_you: \"If this was not you, press nine.\"\n"
		"  keypad.type: \"Type the code.\"\n"
		"  speak.greeting: \"This is {brand}, for the {purpose}.\"\n"
		"  speak.warning: \"Never tell anyone.\"\n"
		"  speak.code_first: \"Your code is: {code}.\"\n"
		"  speak.again: \"Again: {code}.\"\n"
		"  speak.menu: \"To hear it again, press one.\"\n"
		"  check.first: \"Press {digits}.\"\n"
		"  check.wrong: \"No. Press {digits}.\"\n"
		"  english.offer: \"For English, press zero.\"\n";
	struct phrases *ph = phrases_new();
	struct diag d = {0};
	int err = phrases_parse(span_of(ENGLISH), "en", ph, &d);

	if (err)
		(void)fprintf(stderr, "%d:%d: %s: %s\n", d.line, d.column,
			      d.field, d.message);
	assert(err == 0);
	return ph;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct phrases *ph;
	struct flow_findings findings;
	struct flow *flow = NULL;
	const uint8_t *end_of_text = size ? memchr(data, 0, size) : NULL;
	size_t n = end_of_text ? (size_t)(end_of_text - data) : size;

	if (!ph)
		ph = script();
	if (flow_load(span_make(data, n), NULL, &flow, &findings) == 0)
		run_in_a_world(flow, ph, hash(data, size));
	flow_unref(flow);
	flow_findings_free(&findings);
	return 0;
}
