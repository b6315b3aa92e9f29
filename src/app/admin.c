// SPDX-License-Identifier: Apache-2.0
/*
 * admin.c - the operator's commands: applications, keys, numbers, the secret.
 *
 * They open the store as a guest, beside a running server or without one; a
 * server notices new and revoked keys by itself.  Where there is no store yet,
 * the first command makes it, with its key ring, as a first start would.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "api/account.h"
#include "app/app_priv.h"
#include "base/json.h"

void app_place_leave(struct app_place *p)
{
	store_close(p->store);
	keyring_free(p->ring);
	settings_free(p->settings);
}

static bool store_is_there(const struct settings *s)
{
	const char *colon = strchr(s->store, ':');
	struct stat st;

	return stat(colon ? colon + 1 : s->store, &st) == 0;
}

int app_place_enter(struct app_place *p, const char *config, bool dev)
{
	struct diag d = {0};
	char node[64];
	struct store_params params = {.clock = clock_real(), .guest = true};

	*p = (struct app_place){0};
	if (app_settings(config, dev, &p->settings))
		return APP_FAILED;
	app_node(p->settings, node, sizeof(node));
	params.url = p->settings->store;
	params.node = node;
	if (!store_is_there(p->settings))
		params.guest = false;
	if (app_ring(p->settings, !params.guest, &p->ring, &d) ||
	    app_store_dir(p->settings, &d) ||
	    store_open(&params, &p->store, &d)) {
		app_place_leave(p);
		return app_fail(config, &d);
	}
	p->admin = (struct service_admin){p->store, p->ring, clock_real(),
					  rng_system()};
	return APP_FINE;
}

/* Objects as `name: value` lines, a blank line between the items of a list. */
static void print_object(json_t *o)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value)
	{
		if (json_is_string(value)) {
			(void)printf("%-14s %s\n", key,
				     json_string_value(value));
		} else {
			AUTO_FREE char *text =
				json_dumps(value, JSON_ENCODE_ANY);

			(void)printf("%-14s %s\n", key, text ? text : "");
		}
	}
}

void app_print(const char *text, bool json)
{
	AUTO_JSON json_t *o = NULL;
	size_t i;
	json_t *item;

	if (json || js_parse(span_of(text), &o, NULL)) {
		(void)printf("%s\n", text);
		return;
	}
	if (!json_is_array(o)) {
		print_object(o);
		return;
	}
	json_array_foreach(o, i, item)
	{
		if (i > 0)
			(void)printf("\n");
		print_object(item);
	}
}

/* What all of them take, and one word. */
struct common {
	const char *config, *word;
	bool dev, json;
};
#define COMMON_OPTIONS(c)                            \
	{.name = "--config", .value = &(c).config},  \
		{.name = "--dev", .flag = &(c).dev}, \
	{                                            \
		.name = "--json", .flag = &(c).json  \
	}

typedef int admin_call_h(const struct service_admin *a, const char *word,
			 char **json, struct diag *d);

static int on_word(const char *command, const char *what, int argc, char **argv,
		   admin_call_h *call)
{
	struct common c = {0};
	const struct app_option options[] = {COMMON_OPTIONS(c), {0}};
	AUTO_FREE char *json = NULL;
	struct diag d = {0};
	struct app_place p;
	int err;

	if (!app_options(command, argc, argv, options, &c.word, what ? 1 : 0))
		return APP_USAGE;
	if (what && !c.word)
		return app_usage(command, "which %s?", what);
	if (app_place_enter(&p, c.config, c.dev))
		return APP_FAILED;
	err = call(&p.admin, c.word, &json, &d);
	app_place_leave(&p);
	if (err)
		return app_fail(NULL, &d);
	if (json)
		app_print(json, c.json);
	return APP_FINE;
}

/* What an application is called by vendors' clients. */
static void name_accounts(const struct service_admin *a, json_t *app)
{
	const char *name =
		json_string_value(json_object_get(app, "application"));
	char plivo[VENDOR_PLIVO_ID_BYTES], twilio[VENDOR_TWILIO_ID_BYTES];
	uint8_t alias[VENDOR_ALIAS_BYTES];

	if (!name)
		return;
	service_admin_alias(a, VENDOR_PLIVO_ALIAS, name, alias);
	vendor_plivo_text(alias, plivo);
	service_admin_alias(a, VENDOR_TWILIO_ALIAS, name, alias);
	vendor_twilio_text(alias, twilio);
	json_object_set_new(app, "plivo_account", json_string(plivo));
	json_object_set_new(app, "twilio_account", json_string(twilio));
}

/* The same text, of one or of a list, with those ids. */
static void with_accounts(const struct service_admin *a, char **json)
{
	AUTO_JSON json_t *o = NULL;
	size_t i;
	json_t *app;

	if (js_parse(span_of(*json), &o, NULL) != 0)
		return;
	if (json_is_array(o)) {
		json_array_foreach(o, i, app)
		{
			name_accounts(a, app);
		}
	} else {
		name_accounts(a, o);
	}
	free(*json);
	*json = js_text(o);
}

static int add_app(const struct service_admin *a, const char *word, char **json,
		   struct diag *d)
{
	int err = service_app_add(a, word, json, d);

	if (!err)
		with_accounts(a, json);
	return err;
}

int app_app_add(int argc, char **argv)
{
	return on_word("app add", "name", argc, argv, add_app);
}

static int list_apps(const struct service_admin *a, const char *word,
		     char **json, struct diag *d)
{
	int err = service_app_list(a, json, d);

	(void)word;
	if (!err)
		with_accounts(a, json);
	return err;
}

int app_app_list(int argc, char **argv)
{
	return on_word("app list", NULL, argc, argv, list_apps);
}

static int revoke(const struct service_admin *a, const char *word, char **json,
		  struct diag *d)
{
	(void)json;
	return service_key_revoke(a, word, d);
}

int app_key_revoke(int argc, char **argv)
{
	return on_word("key revoke", "key id", argc, argv, revoke);
}

int app_number_unlock(int argc, char **argv)
{
	return on_word("number unlock", "number", argc, argv,
		       service_number_unlock);
}

int app_number_reveal(int argc, char **argv)
{
	return on_word("number reveal", "verification id", argc, argv,
		       service_number_reveal);
}

int app_number_erase(int argc, char **argv)
{
	return on_word("number erase", "number", argc, argv,
		       service_number_erase);
}

/* --- keys ---------------------------------------------------------------------- */

static int parse_scopes(const char *text, unsigned *out)
{
	static const struct {
		const char *name;
		unsigned bit;
	} scopes[] = {
		{"check", SERVICE_CHECK},
		{"verify", SERVICE_VERIFY},
		{"flows", SERVICE_FLOWS},
		{"admin", SERVICE_ADMIN},
	};
	struct span rest = span_of(text), one;
	unsigned bits = 0;

	while (span_cut(&rest, ',', &one)) {
		unsigned bit = 0;

		for (size_t i = 0; i < COUNT_OF(scopes); i++)
			if (span_is(span_trim(one), scopes[i].name))
				bit = scopes[i].bit;
		if (!bit)
			return app_usage("key add",
					 "\"%.*s\" is not a scope: check, "
					 "verify, flows, admin",
					 (int)one.n, one.p);
		bits |= bit;
	}
	*out = bits;
	return bits ? APP_FINE : app_usage("key add", "which scope?");
}

int app_key_add(int argc, char **argv)
{
	struct common c = {0};
	const char *app = NULL, *name = "", *scope = "verify", *days = NULL;
	const struct app_option options[] = {
		COMMON_OPTIONS(c),
		{.name = "--app", .value = &app},
		{.name = "--name", .value = &name},
		{.name = "--scope", .value = &scope},
		{.name = "--days", .value = &days},
		{0},
	};
	struct service_key_new key = {0};
	AUTO_FREE char *json = NULL;
	struct diag d = {0};
	struct app_place p;
	uint64_t n = 0;
	int err;

	if (!app_options("key add", argc, argv, options, NULL, 0))
		return APP_USAGE;
	if (!app)
		return app_usage("key add", "--app is missing");
	if (days && (span_uint(span_of(days), 36500, &n) || n == 0))
		return app_usage("key add", "--days is a number of days");
	if (parse_scopes(scope, &key.scopes))
		return APP_USAGE;
	key.application = app;
	key.name = name;
	if (days)
		key.expires_ms = clock_wall_ms(clock_real()) +
				 (int64_t)n * 24 * 3600 * 1000;
	if (app_place_enter(&p, c.config, c.dev))
		return APP_FAILED;
	err = service_key_add(&p.admin, &key, &json, &d);
	if (!err)
		with_accounts(&p.admin, &json);
	app_place_leave(&p);
	if (err)
		return app_fail(NULL, &d);
	app_print(json, c.json);
	return APP_FINE;
}

int app_key_list(int argc, char **argv)
{
	struct common c = {0};
	const char *app = NULL;
	const struct app_option options[] = {
		COMMON_OPTIONS(c), {.name = "--app", .value = &app}, {0}};
	AUTO_FREE char *json = NULL;
	struct diag d = {0};
	struct app_place p;
	int err;

	if (!app_options("key list", argc, argv, options, NULL, 0))
		return APP_USAGE;
	if (app_place_enter(&p, c.config, c.dev))
		return APP_FAILED;
	err = service_key_list(&p.admin, app, &json, &d);
	app_place_leave(&p);
	if (err)
		return app_fail(NULL, &d);
	app_print(json, c.json);
	return APP_FINE;
}

/* --- the secret ------------------------------------------------------------------ */

int app_secret_rotate(int argc, char **argv)
{
	struct common c = {0};
	const struct app_option options[] = {COMMON_OPTIONS(c), {0}};
	AUTO(settings) *s = NULL;
	char id[KEYRING_ID_BYTES];
	struct diag d = {0};

	if (!app_options("secret rotate", argc, argv, options, NULL, 0))
		return APP_USAGE;
	if (app_settings(c.config, c.dev, &s))
		return APP_FAILED;
	if (app_ring_rotate(s, id, sizeof(id), &d))
		return app_fail(c.config, &d);
	(void)printf("key %s now makes, in %s; back the file up, then restart "
		     "the server\n",
		     id, s->secret_file);
	return APP_FINE;
}
