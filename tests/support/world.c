// SPDX-License-Identifier: Apache-2.0
/*
 * world.c - a whole service on a clock of ours.
 */
#include "support/world.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/code.h"

enum {
	PATH_BYTES = 512,
	CALLS = 8,
	TTL_MS = 600 * 1000,
	RING_MS = 28 * 1000,
	RETENTION_DAYS = 30,
	EARS_MAX = 3 * 20,
};

static struct {
	struct phrases *phrases;
	struct speech *speech;
} voices;

/* --- voices --------------------------------------------------------------------- */

static void path_of(const char *variable, const char *below, char *out)
{
	const char *root = getenv(variable); /* NOLINT: one thread */

	assert_non_null(root);
	(void)snprintf(out, PATH_BYTES, "%s/%s", root, below);
}

int world_voices(void **state)
{
	static const struct speech_choice choices[] = {{"en", "flite:rms"},
						       {NULL, NULL}};
	char prompts[PATH_BYTES], cache[PATH_BYTES];
	struct speech_params params = {
		.cache_dir = cache, .choices = choices, .clock = clock_real()};
	struct diag d = {0};

	(void)state;
	log_threshold(LOG_ERROR);
	path_of("VOICEOTP_SOURCE", "packaging/prompts", prompts);
	path_of("VOICEOTP_BUILD", "test-voices", cache);
	assert_int_equal(phrases_load(prompts, &voices.phrases, &d), 0);
	params.phrases = voices.phrases;
	assert_int_equal(file_make_dir(cache), 0);
	assert_int_equal(speech_new(&params, &voices.speech, &d), 0);
	assert_int_equal(speech_open(voices.speech, "en", &d), 0);
	return 0;
}

int world_voices_all(void **state)
{
	struct diag d = {0};

	(void)world_voices(state);
	assert_int_equal(speech_open(voices.speech, "es", &d), 0);
	assert_int_equal(speech_open(voices.speech, "de", &d), 0);
	return 0;
}

int world_no_voices(void **state)
{
	(void)state;
	speech_free(voices.speech);
	phrases_free(voices.phrases);
	return 0;
}

/* --- the telephone ----------------------------------------------------------------- */

void world_script(struct world *w, const char *to, enum tel_script script)
{
	assert_true(w->numbers_count < WORLD_NUMBERS_MAX);
	(void)snprintf(w->numbers[w->numbers_count].to, NUMBER_BYTES, "%s", to);
	w->numbers[w->numbers_count++].script = script;
}

static int script_of(const char *to, void *ctx)
{
	struct world *w = ctx;

	for (size_t i = 0; i < w->numbers_count; i++)
		if (strcmp(w->numbers[i].to, to) == 0)
			return (int)w->numbers[i].script;
	return w->others;
}

static void keyed(const char *call_id, const char *keys, void *ctx)
{
	struct world *w = ctx;
	size_t n = strlen(w->keyed);

	(void)call_id;
	/* nothing was said before them */
	assert_true(n > 0 || w->heard[0] == '\0');
	(void)snprintf(w->keyed + n, sizeof(w->keyed) - n, "%s ", keys);
}

static void heard(const char *call_id, char digit, void *ctx)
{
	struct world *w = ctx;
	size_t n = strlen(w->heard);

	(void)call_id;
	if (n + 1 < sizeof(w->heard)) {
		w->heard[n] = digit;
		w->heard[n + 1] = '\0';
	}
}

static const char *types(const char *call_id, void *ctx)
{
	struct world *w = ctx;

	(void)call_id;
	return w->types[0] ? w->types : NULL;
}

static void sandbox(struct world *w)
{
	world_script(w, "+15555550110", TEL_SCRIPT_LISTEN);
	world_script(w, "+15555550111", TEL_SCRIPT_TYPE);
	world_script(w, "+15555550120", TEL_SCRIPT_BUSY);
	world_script(w, "+15555550121", TEL_SCRIPT_NO_ANSWER);
	world_script(w, "+15555550122", TEL_SCRIPT_DECLINE);
	world_script(w, "+15555550123", TEL_SCRIPT_MAILBOX);
	world_script(w, "+15555550124", TEL_SCRIPT_LATE);
	world_script(w, "+15555550125", TEL_SCRIPT_HANG_UP);
	world_script(w, "+15555550126", TEL_SCRIPT_FORWARDED);
	world_script(w, "+15555550127", TEL_SCRIPT_REPORT);
}

/* It understands the digits of the languages that are open. */
static size_t fill_ears(struct tel_ear ears[EARS_MAX])
{
	static const char *const languages[] = {"en", "es", "de"};
	size_t n = 0;

	for (size_t i = 0; i < COUNT_OF(languages); i++) {
		if (!speech_is_open(voices.speech, languages[i]))
			continue;
		for (const char *c = "0123456789"; *c; c++)
			for (int last = 0; last < 2; last++)
				ears[n++] = (struct tel_ear){
					.digit = *c,
					.clip = speech_digit(voices.speech,
							     languages[i], *c,
							     last != 0),
				};
	}
	return n;
}

void world_open_tel(struct world *w, struct tel_scripted_params *p,
		    struct tel **out)
{
	struct tel_ear ears[EARS_MAX];

	p->loop = w->line;
	p->rng = w->rng;
	p->ears = ears;
	p->ears_count = fill_ears(ears);
	assert_int_equal(tel_scripted_new(p, out), 0);
}

static void free_tels(struct world *w)
{
	tel_free(KEEP(w->tel));
	while (w->more_count > 0)
		tel_free(w->more[--w->more_count].tel);
}

static void open_tel(struct world *w)
{
	struct tel_scripted_params params = {.script = script_of,
					     .heard = heard,
					     .types = types,
					     .keyed = keyed,
					     .ctx = w};

	world_open_tel(w, &params, &w->tel);
}

/* --- the whole ------------------------------------------------------------------------ */

static void make_ring(struct world *w)
{
	AUTO_BUF(text, KEYRING_TEXT_MAX);
	struct diag d = {0};

	keyring_make(w->rng, &text);
	assert_int_equal(keyring_parse(buf_view(&text), &w->ring, &d), 0);
}

static void make_rules(struct world *w)
{
	struct diag d = {0};

	policy_defaults(&w->rules.policy);
	w->rules.policy.sandbox = true;
	assert_int_equal(policy_allow(&w->rules.policy, "US", &d), 0);
	w->rules.brand = "Acme";
	w->rules.callback = "";
	w->rules.from = "+15671234567";
	w->rules.ttl_ms = TTL_MS;
	w->rules.code_length = 6;
	w->rules.min_code_length = 6;
	w->rules.wrong_max = 5;
	w->rules.ring_ms = RING_MS;
	w->rules.max_calls = CALLS;
	w->rules.retention_ms = DAYS(RETENTION_DAYS);
}

static void open_store(struct world *w)
{
	char url[PATH_BYTES];
	const struct store_params params = {
		.url = url, .clock = w->clock, .node = "one"};
	struct diag d = {0};

	(void)snprintf(url, sizeof(url), "sqlite:%s/store.db%s%s", w->dir,
		       w->vfs ? "?vfs=" : "", w->vfs ? w->vfs : "");
	assert_int_equal(store_open(&params, &w->store, &d), 0);
}

static void told_tick(int64_t tick, void *ctx)
{
	struct world *w = ctx;

	w->told_tick = tick;
}

int world_try_start(struct world *w, struct diag *d)
{
	struct service_tel tels[SERVICE_TELS_MAX] = {
		{.route = "script", .tel = w->tel}};
	char flows[PATH_BYTES];
	const struct service_params params = {
		.line = w->line,
		.store = w->store,
		.outbound = w->outbound,
		.speech = voices.speech,
		.phrases = voices.phrases,
		.ring = w->ring,
		.clock = w->clock,
		.rng = w->rng,
		.node = "one",
		.flows_dir = w->flows ? w->flows : flows,
		.tels = tels,
		.tels_count = 1 + w->more_count,
		.rules = &w->rules,
		.last_tick = w->last_tick,
		.tick = told_tick,
		.tick_ctx = w,
	};

	memcpy(tels + 1, w->more, sizeof(w->more));
	path_of("VOICEOTP_SOURCE", "packaging/flows", flows);
	return service_new(&params, &w->service, d);
}

void world_start(struct world *w)
{
	struct diag d = {0};

	if (world_try_start(w, &d) != 0)
		fail_msg("%s: %s", d.field, d.message);
}

struct world *world_new_on(const char *vfs)
{
	struct world *w = b_zero(1, sizeof(*w));

	w->vfs = vfs;
	w->others = -ENOENT;
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/voiceotp-world-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	w->clock = clock_manual((int64_t)WORLD_START_MS * 1000);
	w->rng = rng_seeded(7);
	w->line = loop_new(w->clock);
	make_ring(w);
	make_rules(w);
	sandbox(w);
	open_store(w);
	open_tel(w);
	(void)snprintf(w->who.application, sizeof(w->who.application), "shop");
	(void)snprintf(w->who.key_id, sizeof(w->who.key_id), "key_1");
	w->who.scopes = SERVICE_VERIFY | SERVICE_CHECK;
	return w;
}

void world_add_app(struct world *w)
{
	const struct service_admin a = {.store = w->store,
					.ring = w->ring,
					.clock = w->clock,
					.rng = w->rng};
	struct diag d = {0};
	char *json = NULL;

	assert_int_equal(service_app_add(&a, w->who.application, &json, &d), 0);
	free(json);
}

struct world *world_new(void)
{
	return world_new_on(NULL);
}

int world_setup(void **state)
{
	struct world *w = world_new();

	world_start(w);
	*state = w;
	return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

void world_cut(struct world *w)
{
	service_free(KEEP(w->service));
	store_close(KEEP(w->store));
	free_tels(w);
	loop_free(KEEP(w->line));
}

void world_back(struct world *w)
{
	w->line = loop_new(w->clock);
	open_store(w);
	open_tel(w);
}

void world_kill(struct world *w)
{
	/* the voices are not killed with it: they would post to a line that
	 * is gone */
	world_settle(w);
	world_kill_now(w);
}

void world_kill_now(struct world *w)
{
	world_cut(w);
	world_back(w);
}

static void noted(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

void world_drain(struct world *w, int64_t ms)
{
	bool drained = false;

	world_settle(w);
	service_drain(w->service, ms, noted, &drained);
	world_until(w, HOURS(10), is_true, &drained);
}

void world_free(struct world *w)
{
	if (w->service) {
		world_drain(w, 0);
		service_free(w->service);
	}
	store_close(w->store);
	free_tels(w);
	loop_free(w->line);
	keyring_free(w->ring);
	policy_end(&w->rules.policy);
	rng_free(w->rng);
	clock_free(w->clock);
	assert_int_equal(nftw(w->dir, /* NOLINT(concurrency-mt-unsafe) */
			      remove_entry, 8, FTW_DEPTH | FTW_PHYS),
			 0);
	free(w);
}

int world_teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* --- time -------------------------------------------------------------------------------- */

struct gate {
	pthread_mutex_t lock;
	pthread_cond_t come;
	unsigned out;
};

static int nothing(struct store_tx *tx, void *ctx)
{
	(void)tx;
	(void)ctx;
	return 0;
}

static void come(struct gate *g)
{
	(void)pthread_mutex_lock(&g->lock);
	if (--g->out == 0)
		(void)pthread_cond_signal(&g->come);
	(void)pthread_mutex_unlock(&g->lock);
}

static void changed(const struct store_result *r, void *ctx)
{
	(void)r;
	come(ctx);
}

static void got(int err, const struct store_record *records, size_t count,
		const char *next, void *ctx)
{
	(void)err;
	(void)records;
	(void)count;
	(void)next;
	come(ctx);
}

/* What was given to the store before this has come back after it: its threads
 * take things in order. */
static void wait_for_store(struct world *w)
{
	const struct store_key key = {"meta", "gate"};
	struct gate g = {.lock = PTHREAD_MUTEX_INITIALIZER,
			 .come = PTHREAD_COND_INITIALIZER,
			 .out = 2};

	assert_int_equal(
		store_change(w->store, 0, &key, 1, nothing, changed, &g), 0);
	assert_int_equal(store_get(w->store, 0, "meta", "gate", got, &g), 0);
	(void)pthread_mutex_lock(&g.lock);
	while (g.out)
		(void)pthread_cond_wait(&g.come, &g.lock);
	(void)pthread_mutex_unlock(&g.lock);
}

/* Words of a call are being rendered, or it waits for something else: what was
 * given to the voices before this has been said after it. */
static void wait_for_speech(struct world *w)
{
	struct service_stats s;
	AUTO(utterance) *u = NULL;
	AUTO(playlist) *said = NULL;
	struct diag d = {0};

	if (!w->service)
		return;
	service_stats(w->service, &s);
	if (s.queued_now == 0)
		return;
	u = utterance_new("en");
	assert_int_equal(utterance_digits(u, "0", SPEECH_NORMAL), 0);
	assert_int_equal(speech_say(voices.speech, u, &said, &d), 0);
}

/* Everything that is on its way has arrived, and so has what it led to.  True
 * if there was any. */
static bool settle(struct world *w)
{
	bool any = false;

	for (unsigned quiet = 0; quiet < 2;) {
		bool ran = loop_turn(w->line);

		any |= ran;
		wait_for_store(w);
		wait_for_speech(w);
		quiet = ran ? 0 : quiet + 1;
	}
	return any;
}

static void step(struct world *w, int64_t most_ms)
{
	int64_t wait = timers_wait_ms(loop_timers(w->line));

	if (wait < 0 || wait > most_ms)
		wait = most_ms;
	loop_advance(w->line, wait < 1 ? 1 : wait);
}

static void go(struct world *w, int64_t ms, bool (*cond)(void *), void *ctx)
{
	int64_t give_up = clock_mono_ms(clock_real()) + WORLD_WAIT_MS;
	int64_t end = clock_mono_ms(w->clock) + ms;

	for (;;) {
		int64_t left;

		(void)settle(w);
		left = end - clock_mono_ms(w->clock);
		if (cond && cond(ctx))
			return;
		if (clock_mono_ms(clock_real()) > give_up)
			fail_msg("%s", "it took too long");
		if (left <= 0)
			break;
		step(w, left);
	}
	if (cond)
		fail_msg("%s", "what was waited for did not happen");
}

void world_until(struct world *w, int64_t ms, bool (*cond)(void *), void *ctx)
{
	go(w, ms, cond, ctx);
}

void world_pass(struct world *w, int64_t ms)
{
	go(w, ms, NULL, NULL);
}

void world_skip(struct world *w, int64_t ms)
{
	(void)settle(w);
	clock_advance(w->clock, ms);
	(void)settle(w);
}

void world_settle(struct world *w)
{
	(void)settle(w);
}

void world_turn(struct world *w, bool (*cond)(void *), void *ctx)
{
	int64_t give_up = clock_mono_ms(clock_real()) + WORLD_WAIT_MS;

	do {
		(void)settle(w);
		if (cond(ctx))
			return;
		(void)sched_yield();
	} while (clock_mono_ms(clock_real()) < give_up);
	fail_msg("%s", "no answer came");
}

/* --- requests ------------------------------------------------------------------------------ */

static void answered(const struct service_refusal *no,
		     const struct service_view *view, void *ctx)
{
	struct answer *a = ctx;

	if (no) {
		a->refused = true;
		a->no = *no;
	} else {
		a->v = *view->v;
		a->v.metadata = NULL;
		a->has_params = view->v->params != NULL;
		a->v.params = NULL;
		(void)snprintf(a->to, sizeof(a->to), "%s", view->to);
		(void)snprintf(a->code, sizeof(a->code), "%s",
			       view->code ? view->code : "");
	}
	__atomic_store_n(&a->done, true, __ATOMIC_RELEASE);
}

static void checked(const struct service_refusal *no, enum outcome_check result,
		    unsigned left, enum outcome_status status, void *ctx)
{
	struct answer *a = ctx;

	if (no) {
		a->refused = true;
		a->no = *no;
	}
	a->result = result;
	a->left = left;
	a->status = status;
	__atomic_store_n(&a->done, true, __ATOMIC_RELEASE);
}

static bool is_done(void *ctx)
{
	return __atomic_load_n(&((struct answer *)ctx)->done, __ATOMIC_ACQUIRE);
}

static void sent(const struct service_refusal *no,
		 const struct service_view *view, bool again, void *ctx)
{
	struct answer *a = ctx;

	a->again = again;
	answered(no, view, ctx);
}

void world_send_soon(struct world *w, const struct service_create *req,
		     unsigned sends, struct answer *a)
{
	struct service_create mine = *req;

	mine.who = w->who;
	service_send(w->service, &mine, sends, sent, a);
}

struct answer world_send(struct world *w, const struct service_create *req,
			 unsigned sends)
{
	struct answer a = {0};

	world_send_soon(w, req, sends, &a);
	world_turn(w, is_done, &a);
	return a;
}

struct answer world_find(struct world *w, const struct service_find *req)
{
	struct service_find mine = *req;
	struct answer a = {0};

	mine.who = w->who;
	service_find(w->service, &mine, answered, &a);
	world_turn(w, is_done, &a);
	return a;
}

void world_ask_soon(struct world *w, const struct service_create *req,
		    struct answer *a)
{
	service_create(w->service, req, answered, a);
}

struct answer world_ask(struct world *w, const struct service_create *req)
{
	struct answer a = {0};

	world_ask_soon(w, req, &a);
	world_turn(w, is_done, &a);
	return a;
}

struct answer world_ask_only(struct world *w, const struct service_create *req)
{
	struct answer a = {0};

	world_ask_soon(w, req, &a);
	while (!is_done(&a))
		wait_for_store(w);
	return a;
}

struct answer world_create(struct world *w, const char *to, const char *flow)
{
	const struct service_create req = {
		.who = w->who, .to = to, .flow = flow, .purpose = "signup"};

	return world_ask(w, &req);
}

struct answer world_check_as(struct world *w, const struct service_check *req)
{
	struct answer a = {0};

	service_check(w->service, req, checked, &a);
	world_turn(w, is_done, &a);
	return a;
}

void world_check_soon(struct world *w, const char *id, const char *code,
		      struct answer *a)
{
	const struct service_check req = {
		.who = w->who, .id = id, .code = code};

	service_check(w->service, &req, checked, a);
}

struct answer world_check(struct world *w, const char *id, const char *code)
{
	const struct service_check req = {
		.who = w->who, .id = id, .code = code};

	return world_check_as(w, &req);
}

static struct answer on_one(struct world *w, const char *id,
			    void (*ask)(struct service *sv,
					const struct service_who *who,
					const char *id, service_done_h *done,
					void *ctx))
{
	struct answer a = {0};

	ask(w->service, &w->who, id, answered, &a);
	world_turn(w, is_done, &a);
	return a;
}

struct answer world_read(struct world *w, const char *id)
{
	return on_one(w, id, service_read);
}

struct answer world_cancel(struct world *w, const char *id)
{
	return on_one(w, id, service_cancel);
}

struct answer world_call(struct world *w, const char *id)
{
	return on_one(w, id, service_call);
}

void world_cancel_soon(struct world *w, const char *id, struct answer *a)
{
	service_cancel(w->service, &w->who, id, answered, a);
}

void world_call_soon(struct world *w, const char *id, struct answer *a)
{
	service_call(w->service, &w->who, id, answered, a);
}

/* --- looking ---------------------------------------------------------------------------------- */

void world_code(struct world *w, const struct verification *v,
		char out[CODE_BYTES])
{
	const struct code_binding b = {
		.key_id = v->ring_key,
		.application = v->application,
		.verification = v->id,
		.nonce = v->nonce,
		.number = v->number_hash,
		.purpose = v->purpose,
		.amount = v->amount,
		.currency = v->currency,
		.payee = v->payee,
	};

	assert_int_equal(
		code_derive(w->ring, &b, v->code_length, v->code_even, out), 0);
}

struct looking {
	struct world *w;
	const char *id;
	struct answer last;
	bool (*enough)(const struct verification *v);
};

/* Only reads what is there: it must not turn the loop itself. */
static bool looks(void *ctx)
{
	struct looking *l = ctx;
	struct answer a = {0};

	service_read(l->w->service, &l->w->who, l->id, answered, &a);
	while (!is_done(&a))
		wait_for_store(l->w);
	assert_false(a.refused);
	l->last = a;
	return l->enough(&a.v);
}

static struct answer look_until(struct world *w, const char *id,
				bool (*enough)(const struct verification *v))
{
	struct looking l = {.w = w, .id = id, .enough = enough};

	world_until(w, HOURS(1), looks, &l);
	return l.last;
}

static bool has_ended(const struct verification *v)
{
	return v->legs_count > 0 &&
	       v->legs[v->legs_count - 1].state == VERIFICATION_LEG_ENDED;
}

static bool is_over(const struct verification *v)
{
	return outcome_status_final(v->status);
}

static bool is_spoken(const struct verification *v)
{
	return v->deliverable_ms > 0;
}

struct answer world_until_ended(struct world *w, const char *id)
{
	return look_until(w, id, has_ended);
}

struct answer world_until_over(struct world *w, const char *id)
{
	return look_until(w, id, is_over);
}

struct answer world_until_spoken(struct world *w, const char *id)
{
	return look_until(w, id, is_spoken);
}

struct gathering {
	char *out;
	size_t size;
	bool done;
};

static void gather(int err, const struct store_event *events, size_t count,
		   void *ctx)
{
	struct gathering *g = ctx;
	size_t n = 0;

	g->out[0] = '\0';
	for (size_t i = 0; !err && i < count && n < g->size; i++)
		n += (size_t)snprintf(g->out + n, g->size - n, "%s%s",
				      i ? " " : "", events[i].type);
	__atomic_store_n(&g->done, true, __ATOMIC_RELEASE);
}

static bool gathered(void *ctx)
{
	return __atomic_load_n(&((struct gathering *)ctx)->done,
			       __ATOMIC_ACQUIRE);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is filled in */
void world_events(struct world *w, const char *topic, char *out, size_t size)
{
	struct gathering g = {.out = out, .size = size};

	assert_int_equal(store_follow(w->store, topic, "", STORE_PAGE_MAX,
				      gather, &g),
			 0);
	world_turn(w, gathered, &g);
}
