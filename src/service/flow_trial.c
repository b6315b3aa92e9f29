// SPDX-License-Identifier: Apache-2.0
/*
 * flow_trial.c - a flow is tried: the same engine with a host that knows no
 * verification, and a person that is played, or one at the page.
 *
 * Nothing is stored, nobody is told and nothing is dialled outside, whatever
 * number or route the flow names: what rings was chosen before.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/crypto.h"
#include "service/flow_trial_priv.h"
#include "tel/browser.h"

enum {
	HUMAN_DIGITS = VERIFICATION_HUMAN,
	EARS = 20, /* ten digits in two languages */
	SIP_UNAVAILABLE = 503,
};
#define NUMBER "+15555550110" /* of the sandbox: nobody's */

/* --- the flow's host --------------------------------------------------------------- */

static void answer_now(void *ctx)
{
	struct service_trial *t = ctx;

	t->answer(t->run, t->result, t->detail);
}

static void answer_soon(struct service_trial *t, flow_answer_h *done,
			int result, int64_t detail)
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
	struct service_trial *t = ctx;

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
	struct service_trial *t = ctx;
	struct tel_params mine = *params;

	(void)route;
	t->event = params->event;
	t->event_ctx = params->ctx;
	mine.to = t->tel == t->script ? NUMBER : TEL_BROWSER_NUMBER;
	mine.event = overhear;
	mine.ctx = t;
	return tel_dial(t->tel, &mine, out);
}

static void host_news(void *ctx, const struct flow_news *news)
{
	(void)ctx;
	(void)news;
}

static bool is_secret(const struct service_trial *t, const char *digits)
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
	struct service_trial *t = ctx;
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
	struct service_trial *t = ctx;

	memcpy(out, t->code, sizeof(t->code));
	return 0;
}

static void http_given(void *ctx)
{
	struct service_trial *t = ctx;

	t->http_done(t->run, &t->given);
}

/* By the node's id; the engine asks by URL alone, so what is given is found by
 * the text in front of the query, too. */
static const json_t *sample_of(const struct service_trial *t, const char *url)
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

static void give_sample(struct service_trial *t, const struct flow_http *ask)
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
	struct service_trial *t = ctx;
	const struct service_web_name name = {
		.application = t->want->who.application, .about = t->run_id};

	if (t->want->ask_http) {
		service_web_ask(&t->web, &name, run, ask, done);
		return;
	}
	give_sample(t, ask);
	t->http_done = done;
	timer_set(loop_timers(t->loop), &t->http_soon, 0, http_given, t);
}

static void host_step(void *ctx, const char *json)
{
	const struct service_trial *t = ctx;

	service_runs_step(t->sv, t->run_id, json);
}

static void host_over(void *ctx, const struct flow_end *end)
{
	struct service_trial *t = ctx;

	service_runs_over(t->sv, t->run_id, end);
	t->over(t, end); /* the last: it may be freed here */
}

static const struct flow_host host = {
	.may_dial = host_may_dial,
	.dial = host_dial,
	.news = host_news,
	.verify = host_verify,
	.code = host_code,
	.http = host_http,
	.step = host_step,
	.over = host_over,
};

/* --- the person ----------------------------------------------------------------------- */

static int script_of(const char *to, void *ctx)
{
	const struct service_trial *t = ctx;

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
	const struct service_trial *t = ctx;

	(void)call_id;
	if (t->want->keys_count == 0)
		return NULL; /* what was heard */
	return t->entry < t->want->keys_count ? t->want->keys[t->entry] : "";
}

static const struct tel_script_fault *fault_of(const char *to, void *ctx)
{
	const struct service_trial *t = ctx;

	(void)to;
	return t->want->outcome == SERVICE_FLOW_FAILS ? &t->fault : NULL;
}

static size_t add_ears(struct service_trial *t, const char *language,
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

static int open_phone(struct service_trial *t, const char *language)
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
		&t->script);
}

/* --- what is wanted ---------------------------------------------------------------- */

/* The samples of its Start, and what was given in their place. */
static bool read_params(struct service_trial *t, struct service_refusal *no)
{
	AUTO_JSON json_t *all = json_object();
	AUTO_JSON json_t *given = NULL;
	struct flow_param p;
	struct diag d = {0};
	bool fit;

	for (size_t i = 0; flow_param(t->flow, i, &p); i++)
		if (*p.sample)
			(void)json_object_set_new(all, p.name,
						  json_string(p.sample));
	if (t->want->params &&
	    (js_parse(span_of(t->want->params), &given, &d) != 0 ||
	     json_object_update(all, given) != 0)) {
		service_refuse(no, "invalid_field", "params",
			       "an object of texts and numbers is expected");
		return false;
	}
	fit = service_params_read(t->flow, all, &t->params, no);
	service_params_forget(all); /* and so what was given */
	return fit;
}

static bool read_samples(struct service_trial *t, struct service_refusal *no)
{
	struct diag d = {0};

	if (!t->want->http)
		return true;
	if (js_parse(span_of(t->want->http), &t->http, &d) == 0)
		return true;
	service_refuse(no, "invalid_field", "http", "%.200s", d.message);
	return false;
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

bool service_trial_read(struct service_trial *t, struct service_flow_request *q)
{
	return load_flow(q, &t->flow) && read_params(t, &q->no) &&
	       read_samples(t, &q->no);
}

/* --- a try --------------------------------------------------------------------------- */

static const char *language_of(const struct service_trial *t)
{
	const char *language =
		phrases_language(t->sv->p.phrases, t->want->locale, "");

	return speech_is_open(t->sv->p.speech, language) ? language : "en";
}

static int begin(struct service_trial *t, const char *language, struct diag *d)
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
		.code_length = SERVICE_TRIAL_CODE,
		.human_digits = HUMAN_DIGITS,
		.deadline_ms = clock_wall_ms(loop_clock(t->loop)) +
			       VERIFICATION_LIFE_MS,
		.ring_ms = rules->ring_ms,
		.params = t->params,
		.mode = "test",
		.version = t->want->version,
		.voicing = t->voicing,
	};

	if (flow_destination(t->flow, t->params, &to, NULL) == 0 && !to.err &&
	    to.n > 0)
		params.to = to.p;
	return flow_run_start(&params, &t->run, d);
}

static void make_code(struct service_trial *t)
{
	for (size_t i = 0; i < SERVICE_TRIAL_CODE; i++)
		t->code[i] = (char)('0' + rng_below(t->sv->p.rng, 10));
	t->code[SERVICE_TRIAL_CODE] = '\0';
}

int service_trial_start(struct service_trial *t, struct tel *tel,
			struct diag *d)
{
	const char *language = language_of(t);
	int err = tel ? 0 : open_phone(t, language);

	if (err)
		return err;
	t->tel = tel ? tel : t->script;
	t->web = (struct service_web){.sv = t->sv, .loop = t->loop};
	t->rules = service_rules_take(t->sv);
	make_code(t);
	return begin(t, language, d);
}

void service_trial_stop(struct service_trial *t)
{
	if (t->loop) {
		timer_stop(loop_timers(t->loop), &t->soon);
		timer_stop(loop_timers(t->loop), &t->http_soon);
	}
	service_web_drop(&t->web);
	flow_run_free(t->run);
	t->run = NULL;
}

void service_trial_end(struct service_trial *t)
{
	tel_free(t->script);
	flow_unref(t->flow);
	service_params_forget(t->params);
	json_decref(t->params);
	json_decref(t->http);
	service_rules_drop(t->rules);
	free(t->given_text);
	crypto_wipe(t->code, sizeof(t->code));
}
