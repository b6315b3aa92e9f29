// SPDX-License-Identifier: Apache-2.0
/*
 * test_secrets.c - after every flow in every language no code, whole number or
 * token is anywhere (A6, D5, F1).
 *
 * Each is noted where it is known: a code from its answer or its derivation
 * (and the person on the phone has heard it), a number and a guess from the
 * request, a token from the answer that shows it once.  Then everything that
 * the process left behind or tells is searched, in many forms.  Codes have ten
 * digits here: six are found by chance in any file.  The digits of the human
 * check prove nothing later and are not looked for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "support/api_world.h"
#include "support/secrets.h"

enum {
	PATH_BYTES = 512,
	DIGITS = 10,
	CREATED = 201,
	TELLING_MAX = 16 << 20,
	TOKENS = 2 * 4, /* whole, and their secret part */
};

static const char *const languages[] = {"en", "es", "de"};
static const char *const built_in[] = {"speak", "reverse", "keypad", "plain"};

struct search {
	struct api_world *aw;
	struct secrets *secrets; /* that are nowhere */
	struct secrets *codes;   /* that are not even told to their owner */
	char log_path[PATH_BYTES];
	int log;
	unsigned next; /* number */
};

/* A token is "vok_", the rest of the key's id, "_", and what is secret. */
static void add_token(struct search *s, const char *token)
{
	const char *secret = strchr(token + strlen("vok_"), '_');

	assert_non_null(secret);
	secrets_add(s->secrets, "token", token);
	secrets_add(s->secrets, "token", secret + 1);
}

static int setup(void **state)
{
	struct search *s = b_zero(1, sizeof(*s));
	void *aw;

	(void)api_world_setup(&aw);
	s->aw = aw;
	s->secrets = secrets_new();
	s->codes = secrets_new();
	(void)snprintf(s->log_path, sizeof(s->log_path), "%s/all.log",
		       s->aw->w->dir);
	s->log = open(s->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		      0600);
	assert_true(s->log >= 0);
	log_to(s->log);
	log_threshold(LOG_DEBUG);
	add_token(s, s->aw->verify);
	add_token(s, s->aw->check);
	add_token(s, s->aw->flows);
	add_token(s, s->aw->other);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct search *s = *state;
	void *aw = s->aw;

	log_threshold(LOG_ERROR);
	log_to(2);
	(void)close(s->log);
	(void)api_world_teardown(&aw);
	secrets_free(s->secrets);
	secrets_free(s->codes);
	free(s);
	return 0;
}

/* --- one verification, from the request to the approval ---------------------------- */

static void post(struct search *s, const char *id, const char *what,
		 const char *code)
{
	char path[PATH_BYTES], body[PATH_BYTES];
	const struct api_ask ask = {.method = "POST",
				    .path = path,
				    .token = s->aw->verify,
				    .body = body};
	struct http_answer a;

	(void)snprintf(path, sizeof(path), "/v1/verifications/%s/check", id);
	(void)snprintf(body, sizeof(body), "{\"%s\":\"%s\"}", what, code);
	api_world_ask(s->aw, &ask, &a);
	/* nothing of what was sent comes back, not even in an error */
	assert_int_equal(secrets_in(s->codes, "the answer of a check",
				    buf_view(&a.body)),
			 0);
	http_answer_free(&a);
}

static void guess(struct search *s, const char *id)
{
	char wrong[DIGITS + 1];

	for (size_t i = 0; i < DIGITS; i++)
		wrong[i] = (char)('0' + rng_below(s->aw->w->rng, 10));
	wrong[DIGITS] = '\0';
	secrets_add(s->secrets, "guess", wrong);
	secrets_add(s->codes, "guess", wrong);
	post(s, id, "code", wrong);
	post(s, id, "cod", wrong);
}

static void create(struct search *s, const char *flow, const char *locale,
		   char id[VERIFICATION_ID_BYTES])
{
	char body[PATH_BYTES], to[NUMBER_BYTES], code[CODE_BYTES];
	bool types =
		strcmp(flow, "reverse") == 0 || strcmp(flow, "keypad") == 0;
	struct http_answer a;

	(void)snprintf(to, sizeof(to), "+1202555%04u", 1000 + s->next++);
	world_script(s->aw->w, to, types ? TEL_SCRIPT_TYPE : TEL_SCRIPT_LISTEN);
	(void)snprintf(body, sizeof(body),
		       "{\"to\":\"%s\",\"flow\":\"%s\",\"locale\":\"%s\","
		       "\"purpose\":\"signup\",\"code_length\":%d}",
		       to, flow, locale, DIGITS);
	api_world_post(s->aw, "/v1/verifications", body, CREATED, &a);
	(void)snprintf(id, VERIFICATION_ID_BYTES, "%s",
		       api_world_text(&a, "id"));
	(void)snprintf(code, sizeof(code), "%s", api_world_text(&a, "code"));
	http_answer_free(&a);
	(void)snprintf(s->aw->w->types, sizeof(s->aw->w->types), "%s", code);
	if (!code[0])
		api_world_code(s->aw, id, code);
	secrets_add(s->secrets, "number", to + 1);
	secrets_add(s->secrets, "code", code);
	secrets_add(s->codes, "code", code);
}

static void live(struct search *s, const char *flow, const char *locale)
{
	struct world *w = s->aw->w;
	char id[VERIFICATION_ID_BYTES], code[CODE_BYTES];
	bool spoken = strcmp(flow, "reverse") != 0;
	struct answer end;

	w->heard[0] = '\0';
	create(s, flow, locale, id);
	api_world_code(s->aw, id, code);
	if (strcmp(flow, "keypad") != 0 && spoken) {
		(void)world_until_spoken(w, id);
		guess(s, id);
		post(s, id, "code", code);
	}
	end = world_until_ended(w, id);

	assert_string_equal(end.v.language, locale);
	assert_int_equal(end.v.status, STATUS_APPROVED);
	assert_int_equal(end.v.legs[0].outcome, LEG_ANSWERED);
	if (spoken)
		assert_non_null(strstr(w->heard, code));
}

static void live_all(struct search *s)
{
	for (size_t i = 0; i < COUNT_OF(languages); i++)
		for (size_t k = 0; k < COUNT_OF(built_in); k++)
			live(s, built_in[k], languages[i]);
	assert_int_equal(secrets_count(s->codes),
			 COUNT_OF(languages) * (COUNT_OF(built_in) + 2));
	assert_int_equal(secrets_count(s->secrets),
			 TOKENS + COUNT_OF(languages) *
					  (2 * COUNT_OF(built_in) + 2));
}

/* --- what was signalled ------------------------------------------------------------- */

#define ROUTED "+18085551234"

/* A trunk's words, with the number as it wants it. */
static void live_traced(struct search *s)
{
	static const struct tel_record record = {
		.trace = "INVITE sip:08085551234@192.0.2.1 SIP/2.0\r\n"
			 "To: <sip:+18085551234@192.0.2.1>\r\n"
			 "SIP/2.0 503 Service Unavailable\r\n"};
	struct trunk *trunk = &s->aw->trunks->at[0];
	char path[PATH_BYTES], id[VERIFICATION_ID_BYTES];
	struct api_ask ask = {.method = "POST",
			      .path = "/v1/verifications",
			      .token = s->aw->admin,
			      .body = "{\"to\":\"" ROUTED "\",\"trace\":true}"};
	struct http_answer a;

	secrets_add(s->secrets, "number", &ROUTED[1]);
	trunk->record = &record;
	trunk_faults(trunk, 503, 0);
	api_world_ask(s->aw, &ask, &a);
	assert_int_equal(a.status, CREATED);
	(void)snprintf(id, sizeof(id), "%s", api_world_text(&a, "id"));
	http_answer_free(&a);
	(void)world_until_ended(s->aw->w, id);
	(void)snprintf(path, sizeof(path), "/v1/verifications/%s/trace", id);
	ask = (struct api_ask){
		.method = "GET", .path = path, .token = s->aw->admin};
	api_world_ask(s->aw, &ask, &a);

	assert_int_equal(a.status, 200);
	assert_non_null(memmem(a.body.p, a.body.n, "SIP/2.0 503", 11));
	assert_int_equal(secrets_in(s->secrets, path, buf_view(&a.body)), 0);
	http_answer_free(&a);
}

/* --- what is told ---------------------------------------------------------------------- */

static void told(struct search *s, const char *path,
		 const struct secrets * not )
{
	const struct api_ask ask = {
		.method = "GET", .path = path, .token = s->aw->verify};
	struct http_answer a;

	api_world_ask(s->aw, &ask, &a);
	assert_int_equal(a.status, 200);
	assert_true(a.body.n > 0);
	assert_int_equal(secrets_in(not, path, buf_view(&a.body)), 0);
	assert_int_equal(secrets_in(not, path, buf_view(&a.head)), 0);
	http_answer_free(&a);
}

struct telling {
	struct buf text;
	char cursor[STORE_CURSOR_BYTES];
	size_t count;
	bool done;
};

static void tell(int err, const struct store_event *events, size_t count,
		 void *ctx)
{
	struct telling *t = ctx;

	assert_int_equal(err, 0);
	for (size_t i = 0; i < count; i++)
		buf_add(&t->text, events[i].json.p, events[i].json.n);
	if (count)
		(void)snprintf(t->cursor, sizeof(t->cursor), "%s",
			       events[count - 1].cursor);
	t->count = count;
	__atomic_store_n(&t->done, true, __ATOMIC_RELEASE);
}

static bool is_told(void *ctx)
{
	return __atomic_load_n(&((struct telling *)ctx)->done,
			       __ATOMIC_ACQUIRE);
}

static void assert_events_tell_nothing(struct search *s)
{
	struct telling t = {.text = {.max = TELLING_MAX}};
	const struct service_follow req = {.who = s->aw->w->who,
					   .cursor = t.cursor,
					   .max = STORE_PAGE_MAX};

	do {
		t.done = false;
		service_events(s->aw->w->service, &req, tell, &t);
		world_turn(s->aw->w, is_told, &t);
	} while (t.count);
	assert_true(t.text.n > 1000);
	assert_int_equal(secrets_in(s->secrets, "events", buf_view(&t.text)),
			 0);
	buf_free(&t.text);
}

/* --- what is left behind ----------------------------------------------------------------- */

/* The log is in the world's folder, beside the database. */
static void assert_files_hold_nothing(struct search *s, unsigned least)
{
	char cache[PATH_BYTES];
	unsigned files;

	assert_int_equal(secrets_in_folder(s->secrets, s->aw->w->dir, &files),
			 0);
	assert_true(files >= least);
	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	(void)snprintf(cache, sizeof(cache), "%s/test-voices",
		       getenv("VOICEOTP_BUILD"));
	assert_int_equal(secrets_in_folder(s->secrets, cache, &files), 0);
	assert_true(files > 20);
}

static void assert_log_was_written(struct search *s)
{
	AUTO_BUF(log, TELLING_MAX);

	assert_int_equal(file_read(s->log_path, &log), 0);
	assert_non_null(memmem(log.p, log.n, "call.ended", 10));
	assert_non_null(memmem(log.p, log.n, "\"level\":\"debug\"", 15));
}

/* The database is folded into one file when it is closed. */
static void close_and_open(struct search *s)
{
	struct api_world *aw = s->aw;

	if (aw->web)
		web_stop(aw->web);
	aw->web = NULL;
	world_drain(aw->w, 0);
	world_cut(aw->w);
	assert_files_hold_nothing(s, 2);
	world_back(aw->w);
	world_start(aw->w);
}

/* --- what a caller gives --------------------------------------------------------------------- */

#define GIVEN_CODE "8305172964"
#define GIVEN_PARAM "2718460593"

/* A code of its own, and a secret parameter of a flow: both are spoken, and the
 * store is searched while they are live and when they are over. */
static void live_given(struct search *s)
{
	struct world *w = s->aw->w;
	const struct service_create req = {.who = w->who,
					   .to = "+12025552468",
					   .flow = "both",
					   .purpose = "signup",
					   .code = GIVEN_CODE,
					   .params = "{\"pin\":" GIVEN_PARAM
						     ",\"note\":\"a note\"}"};
	struct answer made;

	world_script(w, req.to, TEL_SCRIPT_SILENT);
	secrets_add(s->secrets, "number", &req.to[1]);
	secrets_add(s->secrets, "code", GIVEN_CODE);
	secrets_add(s->secrets, "parameter", GIVEN_PARAM);
	w->heard[0] = '\0';
	made = world_ask(w, &req);
	assert_false(made.refused);
	(void)world_until_spoken(w, made.v.id);
	assert_non_null(strstr(w->heard, GIVEN_PARAM GIVEN_CODE));
	assert_files_hold_nothing(s, 2);
	assert_int_equal(world_check(w, made.v.id, GIVEN_CODE).result,
			 CHECK_APPROVED);
	(void)world_until_ended(w, made.v.id);
}

TEST(after_every_flow_in_every_language_no_secret_is_anywhere)
{
	struct search *s = *state;
	char flows[PATH_BYTES];

	live_all(s);
	live_traced(s);

	assert_log_was_written(s);
	assert_files_hold_nothing(s, 3);
	assert_events_tell_nothing(s);
	told(s, "/metrics", s->secrets);
	told(s, "/healthz", s->secrets);
	told(s, "/v1/verifications?limit=100", s->codes);
	/* nobody sets it while tests run: NOLINTNEXTLINE(concurrency-mt-unsafe) */
	(void)snprintf(flows, sizeof(flows), "%s/tests/fixtures/flows-given",
		       getenv("VOICEOTP_SOURCE"));
	s->aw->w->flows = flows;
	close_and_open(s);
	live_given(s);
	assert_events_tell_nothing(s);
	close_and_open(s);
}

/* --- the search itself ----------------------------------------------------------------------- */

TEST(a_secret_that_is_planted_is_found_in_each_form)
{
	struct search *s = *state;
	char path[2 * PATH_BYTES];
	struct span form;
	unsigned files;

	secrets_add(s->secrets, "code", "4951087326");
	(void)snprintf(path, sizeof(path), "%s/planted", s->aw->w->dir);
	for (size_t n = 0; n < secrets_count(s->secrets); n++)
		for (size_t i = 0; secrets_form(s->secrets, n, i, &form); i++) {
			AUTO_BUF(text, TELLING_MAX);

			buf_str(&text, "before");
			buf_add(&text, form.p, form.n);
			buf_str(&text, "behind");
			assert_int_equal(file_write(path, text.p, text.n, 0600),
					 0);
			assert_true(secrets_in_folder(s->secrets, s->aw->w->dir,
						      &files) > 0);
		}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(secrets_in_folder(s->secrets, s->aw->w->dir, &files),
			 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(after_every_flow_in_every_language_no_secret_is_anywhere),
		CASE(a_secret_that_is_planted_is_found_in_each_form),
	};

	return cmocka_run_group_tests_name("scenario/secrets", tests,
					   world_voices_all, world_no_voices);
}
