// SPDX-License-Identifier: Apache-2.0
/*
 * app_priv.h - what the files of the program share.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "app/settings.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/net.h"
#include "core/keyring.h"
#include "service/service.h"
#include "speech/phrases.h"
#include "web/outbound.h"

enum { APP_PATH_MAX = 4096 };

/* Exit codes of every command. */
enum { APP_FINE = 0, APP_FAILED = 1, APP_USAGE = 2 };

/* --- command line ----------------------------------------------------------- */

struct app_command {
	const char *name;      /* "key add" */
	const char *arguments; /* after the name */
	const char *sentence;  /* for --help */
	const char *options;   /* lines for `NAME --help`; may be NULL */
	int (*run)(int argc, char **argv); /* argv[0] is the name's last word */
};
extern const struct app_command app_commands[]; /* ended by { NULL } */

/* "voiceotp: key add: ..." on stderr; returns APP_USAGE. */
int app_usage(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "voiceotp: ..." on stderr, from a diag; returns APP_FAILED. */
int app_fail(const char *file, const struct diag *d);

/*
 * One pass over the options of a command: `--name value`, `--name=value`,
 * `--flag`; the rest are words.  False and a usage error on what is not known.
 */
struct app_option {
	const char *name;   /* "--config" */
	const char **value; /* takes a value; or NULL */
	bool *flag;         /* or is a flag */
};
bool app_options(const char *command, int argc, char **argv,
		 const struct app_option *options, const char **words,
		 size_t words_max);

/* --- settings, as commands find them ------------------------------------------ */

/* `config` as given, else the usual places; `dev`: the defaults of serve --dev
 * laid over it.  Says what is wrong by itself. */
MUST_CHECK int app_settings(const char *config, bool dev,
			    struct settings **out);
/* The folder of scripts, flows and the page: the setting, else where the
 * program came from. */
MUST_CHECK int app_data_dir(const struct settings *s, char out[APP_PATH_MAX],
			    struct diag *d);
/* The folder that an embedded store lies in. */
MUST_CHECK int app_store_dir(const struct settings *s, struct diag *d);
void app_node(const struct settings *s, char *out, size_t n);

/* --- the secret ----------------------------------------------------------------- */

/* From VOICEOTP_SECRET or the file; `make`: a missing file is made. */
MUST_CHECK int app_ring(const struct settings *s, bool make,
			struct keyring **out, struct diag *d);
MUST_CHECK int app_ring_rotate(const struct settings *s, char *id, size_t n,
			       struct diag *d);
/* The tick beside it (A8): what this machine last saw of its store. */
int64_t app_tick_read(const struct settings *s);
void app_tick_write(const struct settings *s, int64_t tick);

/* --- rules ------------------------------------------------------------------------ */

/* service_rules made from settings, with the files that they name; takes the
 * settings over on success. */
struct app_rules {
	struct service_rules rules;
	struct settings *settings;
	struct routing *routing;
};
MUST_CHECK int app_rules_new(struct settings *s, const char *data_dir,
			     struct app_rules **out, struct diag *d);
void app_rules_free(struct app_rules *r); /* NULL is fine */

/* --- speech ------------------------------------------------------------------------ */

MUST_CHECK int app_phrases(const char *data_dir, struct phrases **out,
			   struct diag *d);
MUST_CHECK int app_speech(const struct settings *s, const struct phrases *ph,
			  struct speech **out, struct diag *d);
/* What can be said of the voices without letting them speak. */
MUST_CHECK int app_voices_check(const struct settings *s,
				const struct phrases *ph, struct diag *d);

/* --- the outside -------------------------------------------------------------------- */

enum { APP_URL_BYTES = 320 };
/* public_url, or what listen says, an any-address by the loopback one.  `port`
 * is the one that it listens on, 0: not known yet; "" where it takes any. */
void app_public_url(const struct settings *s, unsigned port, char *out,
		    size_t n);
/* What a browser calls a page at this URL: without its path. */
void app_origin(const char *url, char *out, size_t n);
MUST_CHECK int app_proxies(const struct settings *s, struct net_list *out,
			   struct diag *d);
/* A warning in the log where the application of those that ask the example's
 * endpoints without a key is none. */
void app_example_owner(const struct settings *s,
		       const struct service_admin *admin);
/* Who may ask them without a key. */
MUST_CHECK int app_example(const struct settings *s, struct net_list *out,
			   struct diag *d);
MUST_CHECK int app_outbound(const struct settings *s, struct outbound **out,
			    struct diag *d);

/* --- a running server, through its API (remote.c) --------------------------------------- */

enum { APP_TOKEN_MAX = 512, APP_URL_MAX = 1024, APP_ANSWER_MS = 30000 };

struct app_remote {
	const char *url, *token;
	char token_text[APP_TOKEN_MAX];
};
/* VOICEOTP_URL and VOICEOTP_TOKEN, then the token of a --dev server.  Not 0:
 * there is none, and it was said. */
MUST_CHECK int app_remote_find(struct app_remote *r);
/* APP_FINE: there was an answer; or APP_FAILED, and said. */
MUST_CHECK int app_remote_ask(const struct app_remote *r, const char *method,
			      const char *path, const char *json, long *status,
			      struct buf *body);
/* Say what a problem document says; APP_FAILED. */
int app_remote_refused(long status, const struct buf *body);
int app_remote_senseless(void);
/* Follow events until one of them is the last: happened() is true. */
typedef bool app_event_h(const char *event, struct span data, void *ctx);
MUST_CHECK int app_remote_follow(const struct app_remote *r, const char *path,
				 app_event_h *happened, void *ctx);

/* --- a store, opened for one command (admin.c) ---------------------------------------- */

struct app_place {
	struct settings *settings;
	struct keyring *ring;
	struct store *store;
	struct service_admin admin;
};
/* APP_FINE, or APP_FAILED, and said; leave it only after the former. */
int app_place_enter(struct app_place *p, const char *config, bool dev);
void app_place_leave(struct app_place *p);
/* A JSON text for people (`name: value` lines), or as it is. */
void app_print(const char *text, bool json);

/* --- commands ------------------------------------------------------------------------ */

int app_serve(int argc, char **argv);
int app_check_config(int argc, char **argv);
int app_call(int argc, char **argv);
int app_say(int argc, char **argv);
int app_flow_check(int argc, char **argv);
int app_flow_list(int argc, char **argv);
int app_flow_show(int argc, char **argv);
int app_flow_import(int argc, char **argv);
int app_flow_publish(int argc, char **argv);
int app_flow_test(int argc, char **argv);
int app_trunk_test(int argc, char **argv);
int app_voice_check(int argc, char **argv);
int app_version(int argc, char **argv);
int app_app_add(int argc, char **argv);
int app_app_list(int argc, char **argv);
int app_app_webhook(int argc, char **argv);
int app_app_hook(int argc, char **argv);
int app_key_add(int argc, char **argv);
int app_key_list(int argc, char **argv);
int app_key_revoke(int argc, char **argv);
int app_secret_rotate(int argc, char **argv);
int app_number_unlock(int argc, char **argv);
int app_number_reveal(int argc, char **argv);
int app_number_erase(int argc, char **argv);

CLEANUP(app_rules, app_rules_free)
