// SPDX-License-Identifier: Apache-2.0
/*
 * serve.c - the server: who gets which driver, in which order things start,
 * and how they end.
 *
 * Threads: this one waits for signals; the line thread turns the loop on which
 * calls live; the store, the renderer and the web workers have theirs.  Things
 * start from the bottom (store, speech, service, web) and end from the top, so
 * that nothing is asked of a room that is gone.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/api.h"
#include "api/phone.h"
#include "app/app_priv.h"
#include "app/dev.h"
#include "app/tels.h"
#include "app/warm.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

enum {
	DRAIN_MS = 60 * 1000, /* running calls finish or say goodbye by then */
	/* then for the answers to their BYEs: one that is lost is sent again
	 * after 0.5 s and 1.5 s (RFC 3261 T1) */
	UNSAID_MS = 3 * 1000,
	UNSAID_LOOK_MS = 20,
};

struct server {
	const char *config;
	bool dev;
	char data[APP_PATH_MAX], node[64];
	struct settings *settings; /* until the rules have them */
	char *secret_file;         /* the tick lies beside it */
	struct app_rules *rules;
	struct keyring *ring;
	struct phrases *phrases;
	struct store *store;
	struct speech *speech;
	struct app_warm *warm;
	struct loop *line;
	pthread_t line_thread;
	bool line_runs;
	struct app_tels *tels;
	struct outbound *outbound;
	struct net_list proxies, example_from;
	struct api_example example;
	char public_url[APP_URL_BYTES]; /* "": not known before it listens */
	struct service *service;
	struct api_phone *phone;
	struct api *api;
	struct web *web;
};

/* --- starting, from the bottom --------------------------------------------------- */

static int log_level(const struct settings *s)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(names[i], s->log_level) == 0)
			log_threshold((enum log_level)i);
	return 0;
}

static int open_bottom(struct server *sv, struct diag *d)
{
	struct settings *s = sv->rules->settings;
	const struct store_params params = {
		.url = s->store, .clock = clock_real(), .node = sv->node};
	int err = app_ring(s, true, &sv->ring, d);

	if (!err)
		err = app_store_dir(s, d);
	if (!err)
		err = store_open(&params, &sv->store, d);
	return err;
}

static int open_speech(struct server *sv, struct diag *d)
{
	struct settings *s = sv->rules->settings;
	int err = app_phrases(sv->data, &sv->phrases, d);

	if (!err)
		err = app_speech(s, sv->phrases, &sv->speech, d);
	for (size_t i = 0; !err && i < s->languages.count; i++) {
		log_info("speech.opening", "language",
			 LOG_S(s->languages.items[i]), NULL);
		err = speech_open(sv->speech, s->languages.items[i], d);
	}
	return err;
}

static int open_tels(struct server *sv, struct diag *d)
{
	struct app_tels_params params = {.settings = sv->rules->settings,
					 .speech = sv->speech,
					 .page = sv->dev};

	sv->line = loop_new(clock_real());
	params.line = sv->line;
	return app_tels_new(&params, &sv->tels, d);
}

static int open_reach(struct server *sv, struct diag *d)
{
	const struct settings *s = sv->rules->settings;
	int err = app_proxies(s, &sv->proxies, d);

	if (!err)
		err = app_example(s, &sv->example_from, d);
	app_public_url(s, 0, sv->public_url, sizeof(sv->public_url));
	return err ? err : app_outbound(s, &sv->outbound, d);
}

static void save_tick(int64_t tick, void *ctx)
{
	const struct server *sv = ctx;

	/* the file's name is not a thing that a reload may change */
	struct settings named = {.secret_file = sv->secret_file};

	app_tick_write(&named, tick);
}

static int open_service(struct server *sv, struct diag *d)
{
	struct service_tel tels[SERVICE_TELS_MAX];
	struct service_params params = {
		.line = sv->line,
		.store = sv->store,
		.speech = sv->speech,
		.phrases = sv->phrases,
		.ring = sv->ring,
		.clock = clock_real(),
		.rng = rng_system(),
		.node = sv->node,
		.tels = tels,
		.tels_count = app_tels_list(sv->tels, tels),
		.rules = &sv->rules->rules,
		.outbound = sv->outbound,
		.public_url = sv->public_url,
		.last_tick = app_tick_read(sv->rules->settings),
		.tick = save_tick,
		.tick_ctx = sv,
	};
	char flows[APP_PATH_MAX + 16];
	int err;

	sv->secret_file = b_strdup(sv->rules->settings->secret_file);
	(void)snprintf(flows, sizeof(flows), "%s/flows", sv->data);
	params.flows_dir = flows;
	err = service_new(&params, &sv->service, d);
	if (!err)
		app_tels_serve(sv->tels, sv->service);
	return err;
}

static void show_link(const char *token, void *ctx)
{
	struct server *sv = ctx;

	if (sv->web)
		app_dev_show_link(web_port(sv->web), sv->rules->settings,
				  token);
	else
		app_dev_keep_link(token);
}

/* Copies: a reload takes the settings away that the texts lie in. */
static void keep_example(struct server *sv)
{
	const struct settings *s = sv->rules->settings;

	sv->example = (struct api_example){
		.prefix = b_strdup(s->example_prefix),
		.application = b_strdup(s->example_application),
		.flow = b_strdup(s->example_flow),
		.from = &sv->example_from};
}

static void forget_example(struct server *sv)
{
	union {
		const char *theirs;
		char *ours; /* keep_example() made them */
	} texts[] = {{sv->example.prefix},
		     {sv->example.application},
		     {sv->example.flow}};

	for (size_t i = 0; i < COUNT_OF(texts); i++)
		free(texts[i].ours);
}

static int open_api(struct server *sv, struct diag *d)
{
	char dir[APP_PATH_MAX + 16];
	const struct api_phone_params phone = {
		.browser = app_tels_browser(sv->tels),
		.dir = dir,
		.origin = "",
		.clock = clock_real(),
		.rng = rng_system(),
		.link = show_link,
		.ctx = sv};
	struct api_params params = {.service = sv->service,
				    .store = sv->store,
				    .outbound = sv->outbound,
				    .public_url = sv->public_url,
				    .clock = clock_real(),
				    .rng = rng_system()};
	int err = 0;

	keep_example(sv);
	if (*sv->example.prefix)
		params.example = &sv->example;
	(void)snprintf(dir, sizeof(dir), "%s/phone", sv->data);
	if (phone.browser)
		err = api_phone_new(&phone, &sv->phone, d);
	params.phone = sv->phone;
	if (!err)
		err = api_new(&params, &sv->api, d);
	return err;
}

static int open_web(struct server *sv, struct diag *d)
{
	const struct settings *s = sv->rules->settings;
	const struct web_params params = {
		.listen = s->listen,
		.threads = (unsigned)s->threads,
		.tls_cert = *s->tls_certificate ? s->tls_certificate : NULL,
		.tls_key = *s->tls_key ? s->tls_key : NULL,
		.routes = api_routes(sv->api),
		.trouble = api_trouble,
		.clock = clock_real(),
		.ctx = sv->api,
		.proxies = sv->proxies.count ? &sv->proxies : NULL,
	};
	char url[APP_URL_BYTES], origin[APP_URL_BYTES];
	int err = web_start(&params, &sv->web, d);

	if (err)
		return err;
	api_attach(sv->api, sv->web);
	app_public_url(s, web_port(sv->web), url, sizeof(url));
	app_origin(url, origin, sizeof(origin));
	if (sv->phone)
		api_phone_set_origin(sv->phone, origin);
	return 0;
}

static void *turn_line(void *ctx)
{
	app_tels_run(((struct server *)ctx)->tels);
	return NULL;
}

static int start_line(struct server *sv, struct diag *d)
{
	int err = pthread_create(&sv->line_thread, NULL, turn_line, sv);

	if (err)
		return diag_set(d, "no thread for the line");
	sv->line_runs = true;
	return 0;
}

static int open_key(struct server *sv, struct diag *d)
{
	const struct service_admin admin = {sv->store, sv->ring, clock_real(),
					    rng_system()};

	int err = sv->dev ? app_dev_key(&admin, d) : 0;

	if (!err)
		app_example_owner(sv->rules->settings, &admin);
	return err;
}

static int open_all(struct server *sv, struct diag *d)
{
	int err = app_data_dir(sv->settings, sv->data, d);

	app_node(sv->settings, sv->node, sizeof(sv->node));
	if (!err)
		err = app_rules_new(sv->settings, sv->data, &sv->rules, d);
	if (err)
		return err;
	sv->settings = NULL;
	err = open_bottom(sv, d);
	if (!err)
		err = open_key(sv, d);
	if (!err)
		err = open_speech(sv, d);
	if (!err)
		err = open_tels(sv, d);
	if (!err)
		err = open_reach(sv, d);
	if (!err)
		err = open_service(sv, d);
	if (!err)
		err = open_api(sv, d);
	if (!err)
		sv->warm = app_warm_new(sv->speech, sv->phrases, sv->line,
					sv->rules->settings);
	if (!err)
		err = start_line(sv, d);
	if (!err)
		err = open_web(sv, d);
	return err;
}

/* --- ending, from the top --------------------------------------------------------- */

static void drained(void *ctx)
{
	/* wakes the thread that waits for signals */
	(void)pthread_kill(*(pthread_t *)ctx, SIGUSR1);
}

static void wait_for_byes(const struct server *sv, const sigset_t *signals)
{
	const struct timespec look = {.tv_nsec = UNSAID_LOOK_MS * 1000000L};

	for (int ms = 0; ms < UNSAID_MS; ms += UNSAID_LOOK_MS) {
		int sig;

		if (app_tels_unsaid(sv->tels) == 0)
			return;
		sig = sigtimedwait(signals, NULL, &look);
		if (sig == SIGTERM || sig == SIGINT)
			return;
	}
}

/* Running calls finish, or say goodbye; a second signal does not wait. */
static void drain(struct server *sv, const sigset_t *signals)
{
	pthread_t self = pthread_self();
	int sig = 0;

	if (sv->web)
		web_quiesce(sv->web);
	if (!sv->service || !sv->line_runs)
		return;
	service_drain(sv->service, DRAIN_MS, drained, &self);
	do {
		if (sigwait(signals, &sig))
			return;
	} while (sig == SIGHUP);
	if (sig == SIGUSR1)
		wait_for_byes(sv, signals);
}

static void close_all(struct server *sv)
{
	web_stop(sv->web);
	if (sv->line_runs) {
		loop_stop(sv->line);
		(void)pthread_join(sv->line_thread, NULL);
	}
	service_free(sv->service);
	api_free(sv->api);
	forget_example(sv);
	api_phone_free(sv->phone);
	outbound_free(sv->outbound);
	app_tels_free(sv->tels);
	speech_free(sv->speech);
	app_warm_free(sv->warm);
	store_close(sv->store);
	loop_free(sv->line);
	phrases_free(sv->phrases);
	keyring_free(sv->ring);
	app_rules_free(sv->rules);
	settings_free(sv->settings);
	free(sv->secret_file);
}

/* --- while it runs -------------------------------------------------------------------- */

static void old_rules_done(const struct service_rules *old, void *ctx)
{
	(void)old; /* the first member of what is freed */
	app_rules_free(ctx);
}

/* SIGHUP: new settings, or the old ones and a line that says why. */
static void reload(struct server *sv)
{
	struct settings *s = NULL;
	struct app_rules *new = NULL;
	struct app_rules *old = sv->rules;
	struct diag d = {0};
	char text[1024];

	if (app_settings(sv->config, sv->dev, &s)) {
		log_error("settings.refused", NULL);
		return;
	}
	if (app_rules_new(s, sv->data, &new, &d)) {
		diag_text(&d, sv->config, text, sizeof(text));
		log_error("settings.refused", "why", LOG_S(text), NULL);
		settings_free(s);
		return;
	}
	(void)log_level(new->settings);
	if (!settings_same_trunks(old->settings, new->settings))
		log_warn("trunks.unchanged", "why",
			 LOG_S("trunks, sip and rtp are read at the start; "
			       "restart the server"),
			 NULL);
	if (!settings_same_reach(old->settings, new->settings))
		log_warn("reach.unchanged", "why",
			 LOG_S("public_url, trusted_proxies, outbound and "
			       "example are read at the start; restart the "
			       "server"),
			 NULL);
	sv->rules = new;
	service_reload(sv->service, &new->rules, old_rules_done, old);
	log_info("settings.reloaded", NULL);
}

static void wait_for_the_end(struct server *sv, const sigset_t *signals)
{
	int sig = 0;

	while (sigwait(signals, &sig) == 0) {
		if (sig == SIGHUP) {
			reload(sv);
			continue;
		}
		if (sig != SIGUSR1)
			return;
	}
}

static void block_signals(sigset_t *signals)
{
	(void)sigemptyset(signals);
	(void)sigaddset(signals, SIGTERM);
	(void)sigaddset(signals, SIGINT);
	(void)sigaddset(signals, SIGHUP);
	(void)sigaddset(signals, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static int run(struct server *sv)
{
	const struct rlimit none = {0, 0};
	struct diag d = {0};
	sigset_t signals;

	/* a core file would hold keys and codes */
	(void)setrlimit(RLIMIT_CORE, &none);
	block_signals(&signals);
	(void)log_level(sv->settings);
	if (open_all(sv, &d))
		return app_fail(sv->config, &d);
	if (sv->dev && app_dev_welcome(sv->service, web_port(sv->web),
				       sv->rules->settings, &d))
		return app_fail(sv->config, &d);
	log_info("server.ready", "listen", LOG_S(sv->rules->settings->listen),
		 "port", LOG_I(web_port(sv->web)), "version",
		 LOG_S(VOICEOTP_VERSION), NULL);
	wait_for_the_end(sv, &signals);
	log_info("server.stopping", NULL);
	drain(sv, &signals);
	return APP_FINE;
}

int app_serve(int argc, char **argv)
{
	struct server sv = {0};
	const struct app_option options[] = {
		{.name = "--config", .value = &sv.config},
		{.name = "--dev", .flag = &sv.dev},
		{0},
	};
	int res;

	if (!app_options("serve", argc, argv, options, NULL, 0))
		return APP_USAGE;
	if (app_settings(sv.config, sv.dev, &sv.settings))
		return APP_FAILED;
	res = run(&sv);
	close_all(&sv);
	if (res == APP_FINE)
		log_info("server.stopped", NULL);
	return res;
}
