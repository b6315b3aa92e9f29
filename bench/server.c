// SPDX-License-Identifier: Apache-2.0
/*
 * server.c - a whole server in a process of its own, for loads.
 */
#include "bench/server.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/api.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "bench/callee.h"
#include "bench/trunk.h"
#include "core/code.h"
#include "core/routing.h"
#include "tel/scripted.h"

enum {
	PATH_BYTES = 512,
	LINE_BYTES = 128,
	TTL_MS = 600 * 1000,
	RING_MS = 28 * 1000,
	DAY_MS = 24 * 3600 * 1000,
	KEPT_DAYS = 30,
	PLENTY = 1000000000,
	THREADS = 2,
	CALLS_MAX = 1000,
};

static char bench_dir[64];

/* --- in the child: the rooms ---------------------------------------------------- */

struct world {
	char dir[64];
	struct rng *rng;
	struct clock *clock;
	struct keyring *ring;
	struct store *store;
	struct phrases *phrases;
	struct speech *speech;
	struct loop *line;
	struct tel *tel;
	struct bench_trunk trunk; /* zeros: there is none */
	struct routing *routing;
	struct service_rules rules;
	struct service *service;
	struct api *api;
	struct web *web;
	char token[SERVICE_TOKEN_BYTES];
};

static void must(int err, const char *what, const struct diag *d)
{
	if (!err)
		return;
	(void)fprintf(stderr, "bench: %s: %s (%d)\n", what, d ? d->message : "",
		      err);
	_exit(1);
}

static void path_of(const char *variable, const char *below, char *out)
{
	const char *root = getenv(variable); /* NOLINT: one thread */

	(void)snprintf(out, PATH_BYTES, "%s/%s", root ? root : ".", below);
}

static void open_speech(struct world *w)
{
	static const struct speech_choice choices[] = {{"en", "flite:rms"},
						       {NULL, NULL}};
	char prompts[PATH_BYTES], cache[PATH_BYTES];
	struct speech_params params = {
		.cache_dir = cache, .choices = choices, .clock = w->clock};
	struct diag d = {0};

	path_of("VOICEOTP_SOURCE", "packaging/prompts", prompts);
	path_of("VOICEOTP_BUILD", "test-voices", cache);
	must(phrases_load(prompts, &w->phrases, &d), "scripts", &d);
	params.phrases = w->phrases;
	must(file_make_dir(cache), "cache", NULL);
	must(speech_new(&params, &w->speech, &d), "voices", &d);
	must(speech_open(w->speech, "en", &d), "voices", &d);
}

static void open_store(struct world *w)
{
	AUTO_BUF(text, KEYRING_TEXT_MAX);
	char url[PATH_BYTES];
	const struct store_params params = {
		.url = url, .clock = w->clock, .node = "bench"};
	struct diag d = {0};

	(void)snprintf(url, sizeof(url), "sqlite:%s/store.db", w->dir);
	keyring_make(w->rng, &text);
	must(keyring_parse(buf_view(&text), &w->ring, &d), "ring", &d);
	must(store_open(&params, &w->store, &d), "store", &d);
}

static int rings_for_ever(const char *to, void *ctx)
{
	(void)to;
	(void)ctx;
	return TEL_SCRIPT_NO_ANSWER;
}

static void make_rules(struct world *w)
{
	struct policy *p = &w->rules.policy;
	struct diag d = {0};

	policy_defaults(p);
	must(policy_allow(p, "US", &d), "rules", &d);
	/* counted as ever, and never reached by this load */
	p->key.count = p->country.count = PLENTY;
	for (size_t i = 0; i < COUNT_OF(p->prefix); i++)
		p->prefix[i].count = PLENTY;
	w->rules.brand = "Acme";
	w->rules.callback = "";
	w->rules.from = "+15671234567";
	w->rules.ttl_ms = TTL_MS;
	w->rules.code_length = w->rules.min_code_length = 6;
	w->rules.wrong_max = 5;
	w->rules.require_client_ip = true;
	w->rules.ring_ms = RING_MS;
	w->rules.max_calls = 1;
	w->rules.retention_ms = (int64_t)KEPT_DAYS * DAY_MS;
}

static void make_key(struct world *w)
{
	const struct service_admin admin = {w->store, w->ring, w->clock,
					    w->rng};
	const struct service_key_new key = {.application = "shop",
					    .name = "bench",
					    .scopes = SERVICE_VERIFY};
	AUTO_FREE char *app = NULL, *text = NULL;
	AUTO_JSON json_t *o = NULL;
	const char *token = "";
	struct diag d = {0};

	must(service_app_add(&admin, "shop", &app, &d), "application", &d);
	must(service_key_add(&admin, &key, &text, &d), "key", &d);
	must(js_parse(span_of(text), &o, &d), "key", &d);
	must(js_get_text(o, "token", SERVICE_TOKEN_BYTES - 1, &token, &d),
	     "key", &d);
	(void)snprintf(w->token, sizeof(w->token), "%s", token);
}

static void open_service(struct world *w)
{
	const struct service_tel tels[] = {
		{.route = "bench",
		 .tel = w->tel,
		 .trunk = w->trunk.sip != NULL},
	};
	char flows[PATH_BYTES];
	struct service_params params = {
		.line = w->line,
		.store = w->store,
		.speech = w->speech,
		.phrases = w->phrases,
		.ring = w->ring,
		.clock = w->clock,
		.rng = w->rng,
		.node = "bench",
		.flows_dir = flows,
		.tels = tels,
		.tels_count = COUNT_OF(tels),
		.rules = &w->rules,
	};
	struct diag d = {0};

	path_of("VOICEOTP_SOURCE", "packaging/flows", flows);
	must(service_new(&params, &w->service, &d), "service", &d);
}

static void open_web(struct world *w)
{
	const struct api_params api = {.service = w->service,
				       .store = w->store,
				       .clock = w->clock,
				       .rng = w->rng};
	struct web_params web = {.listen = "127.0.0.1:0",
				 .threads = THREADS,
				 .trouble = api_trouble,
				 .clock = w->clock};
	struct diag d = {0};

	must(api_new(&api, &w->api, &d), "api", &d);
	web.ctx = w->api;
	web.routes = api_routes(w->api);
	must(web_start(&web, &w->web, &d), "web", &d);
	api_attach(w->api, w->web);
}

static void *turn_line(void *ctx)
{
	struct world *w = ctx;

	if (w->trunk.sip)
		tel_sip_run(w->trunk.sip);
	else
		loop_run(w->line);
	return NULL;
}

static void open_tel(struct world *w)
{
	const struct tel_scripted_params params = {
		.loop = w->line, .rng = rng_system(), .script = rings_for_ever};

	must(tel_scripted_new(&params, &w->tel), "telephone", NULL);
}

static void open_trunk(struct world *w, unsigned port)
{
	static const char *const names[] = {"bench"};
	struct diag d = {0};

	must(bench_trunk_open(w->line, port, 0, &w->trunk, &d), "trunk", &d);
	w->tel = w->trunk.tel;
	w->routing = routing_new();
	must(routing_add(w->routing, "+", names, 1, &d), "routing", &d);
	w->rules.routing = w->routing;
	w->rules.max_calls = CALLS_MAX;
}

static void open_all(struct world *w, const char *dir, unsigned trunk_port)
{
	pthread_t line;

	log_threshold(LOG_ERROR);
	(void)snprintf(w->dir, sizeof(w->dir), "%s", dir);
	w->rng = rng_system();
	w->clock = clock_real();
	w->line = loop_new(w->clock);
	open_speech(w);
	open_store(w);
	make_rules(w);
	make_key(w);
	if (trunk_port)
		open_trunk(w, trunk_port);
	else
		open_tel(w);
	open_service(w);
	must(-pthread_create(&line, NULL, turn_line, w), "line", NULL);
	open_web(w);
}

/* --- in the child: codes that count ------------------------------------------------- */

struct deliver {
	struct world *w;
	FILE *out;
	pthread_mutex_t lock;
	pthread_cond_t come;
	unsigned waiting;
	char next[STORE_CURSOR_BYTES];
	int err;
};

struct spoken {
	struct deliver *d;
	struct verification v;
};

static int speak(struct store_tx *tx, void *ctx)
{
	struct spoken *s = ctx;
	AUTO_BUF(record, STORE_VALUE_MAX);
	struct verification *v = &s->v;

	v->deliverable_ms = v->answered_ms = store_tx_now(tx);
	verification_pack(v, &record);
	store_tx_put(tx, 0, buf_view(&record),
		     &(struct store_index){
			     .time_ms = v->created_ms,
			     .owner = v->application,
			     .hash = v->number_hash,
			     .label = outcome_status_text(v->status),
			     .group = v->country,
			     .expires_ms = v->created_ms +
					   (int64_t)KEPT_DAYS * DAY_MS,
		     });
	return 0;
}

static void come(struct deliver *d, int err)
{
	(void)pthread_mutex_lock(&d->lock);
	d->waiting--;
	if (err)
		d->err = err;
	(void)pthread_cond_signal(&d->come);
	(void)pthread_mutex_unlock(&d->lock);
}

static void spoke(const struct store_result *r, void *ctx)
{
	struct spoken *s = ctx;
	struct deliver *d = s->d;

	verification_free(&s->v);
	free(s);
	come(d, r->err);
}

static void write_code(struct deliver *d, const struct verification *v)
{
	const struct code_binding b = {
		.key_id = v->ring_key,
		.application = v->application,
		.verification = v->id,
		.nonce = v->nonce,
		.number = v->number_hash,
		.purpose = v->purpose,
	};
	char code[CODE_BYTES] = "";

	if (code_derive(d->w->ring, &b, v->code_length, v->code_even, code))
		return;
	(void)fprintf(d->out, "%s %s\n", v->id, code);
}

static void listed(int err, const struct store_record *records, size_t count,
		   const char *next, void *ctx)
{
	struct deliver *d = ctx;

	for (size_t i = 0; i < count && !err; i++) {
		const struct store_key key = {records[i].kind, records[i].id};
		struct spoken *s = b_zero(1, sizeof(*s));

		s->d = d;
		err = verification_unpack(records[i].value, &s->v);
		if (err)
			break;
		write_code(d, &s->v);
		(void)pthread_mutex_lock(&d->lock);
		d->waiting++;
		(void)pthread_mutex_unlock(&d->lock);
		err = store_change(d->w->store, records[i].partition, &key, 1,
				   speak, spoke, s);
	}
	(void)snprintf(d->next, sizeof(d->next), "%s", next ? next : "");
	come(d, err);
}

static void deliver(struct world *w, FILE *out)
{
	struct deliver d = {.w = w,
			    .out = out,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .come = PTHREAD_COND_INITIALIZER};
	struct store_query q = {.kind = "verification",
				.limit = STORE_PAGE_MAX};

	do {
		d.waiting = 1;
		q.cursor = d.next[0] ? d.next : NULL;
		must(store_list(w->store, &q, listed, &d), "list", NULL);
		(void)pthread_mutex_lock(&d.lock);
		while (d.waiting)
			(void)pthread_cond_wait(&d.come, &d.lock);
		(void)pthread_mutex_unlock(&d.lock);
		must(d.err, "deliver", NULL);
	} while (d.next[0]);
	(void)fprintf(out, "\n");
	(void)fflush(out);
}

static void serve(const struct bench_server *s, int commands, int answers)
{
	struct world *w = b_zero(1, sizeof(*w));
	FILE *out = fdopen(answers, "w");
	char command;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (s->pinned) {
		bench_pin(s->cpu);
		bench_alone();
	}
	open_all(w, bench_dir, s->trunk_port);
	(void)fprintf(out, "%u %s\n", web_port(w->web), w->token);
	(void)fflush(out);
	while (read(commands, &command, 1) == 1)
		deliver(w, out);
	_exit(0);
}

/* --- in the parent ------------------------------------------------------------------ */

static FILE *answers_of(struct bench_server *s)
{
	return fdopen(fcntl(s->answers, F_DUPFD_CLOEXEC, 0), "r");
}

static int read_hello(struct bench_server *s)
{
	FILE *in = answers_of(s);
	char line[LINE_BYTES] = "";
	char *space;

	if (!in)
		return -EIO;
	(void)setvbuf(in, NULL, _IONBF, 0);
	if (!fgets(line, sizeof(line), in))
		line[0] = '\0';
	(void)fclose(in);
	space = strchr(line, ' ');
	if (!space)
		return -EIO;
	s->port = (unsigned)strtoul(line, NULL, 10);
	line[strcspn(line, "\n")] = '\0';
	(void)snprintf(s->token, sizeof(s->token), "%s", space + 1);
	return 0;
}

int bench_server_start(struct bench_server *s)
{
	int to[2], from[2];

	(void)snprintf(bench_dir, sizeof(bench_dir),
		       "/tmp/voiceotp-bench-XXXXXX");
	if (!mkdtemp(bench_dir) || pipe2(to, O_CLOEXEC) ||
	    pipe2(from, O_CLOEXEC))
		return -errno;
	s->pid = fork();
	if (s->pid == 0) {
		(void)close(to[1]);
		(void)close(from[0]);
		serve(s, to[0], from[1]);
	}
	(void)close(to[0]);
	(void)close(from[1]);
	s->commands = to[1];
	s->answers = from[0];
	return s->pid < 0 ? -errno : read_hello(s);
}

static int remove_entry(const char *path, const struct stat *st, int flag,
			struct FTW *at)
{
	(void)st;
	(void)flag;
	(void)at;
	return remove(path);
}

void bench_server_stop(struct bench_server *s)
{
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	(void)close(s->commands);
	(void)close(s->answers);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread is left */
	(void)nftw(bench_dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

long bench_server_deliver(struct bench_server *s,
			  void (*each)(const char *id, const char *code,
				       void *ctx),
			  void *ctx)
{
	FILE *in = answers_of(s);
	char line[LINE_BYTES];
	long n = 0;

	if (!in || write(s->commands, "D", 1) != 1)
		return -EIO;
	while (fgets(line, sizeof(line), in) && line[0] != '\n') {
		char *space = strchr(line, ' ');

		if (!space)
			continue;
		*space = '\0';
		line[strlen(line)] = '\0';
		space[1 + strcspn(space + 1, "\n")] = '\0';
		each(line, space + 1, ctx);
		n++;
	}
	(void)fclose(in);
	return n;
}

size_t bench_server_memory(const struct bench_server *s)
{
	char path[64];
	unsigned long pages = 0;
	FILE *in;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)s->pid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	/* the second figure */
	if (fscanf(in, "%*u %lu", &pages) != 1) /* NOLINT: of the kernel */
		pages = 0;
	(void)fclose(in);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}
