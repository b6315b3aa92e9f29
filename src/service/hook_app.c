// SPDX-License-Identifier: Apache-2.0
/*
 * hook_app.c - the operator's side: whom an application's events are told, and
 * whom it wants asked before a call.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "service/admin_priv.h"
#include "service/hook_priv.h"
#include "web/outbound.h"

static int check_url(const struct outbound *o, const char *url, struct diag *d)
{
	if (!url || !*url)
		return 0;
	if (strnlen(url, VERIFICATION_URL_BYTES) == VERIFICATION_URL_BYTES)
		return diag_set(d, "a URL is at most %d bytes",
				VERIFICATION_URL_BYTES - 1);
	return outbound_check(o, url, d);
}

static void set_url(char out[VERIFICATION_URL_BYTES], const char *url)
{
	if (url)
		(void)snprintf(out, VERIFICATION_URL_BYTES, "%s", url);
}

/* --- webhook --------------------------------------------------------------------- */

struct webhook {
	const struct service_admin *a;
	const struct service_webhook_rule *given;
	struct service_app app;
};

/* The old secret lives on for a day, beside one that nobody knows yet. */
static void rotate(struct webhook *w, int64_t now)
{
	struct service_app *a = &w->app;

	a->old_secret = a->secret;
	a->old_until_ms = now + SERVICE_HOOK_OVERLAP_MS;
	a->secret.generation++;
	(void)snprintf(a->secret.key, sizeof(a->secret.key), "%s",
		       keyring_maker(w->a->ring));
}

static void set_webhook(struct store_tx *tx, struct service_app *a, void *ctx)
{
	struct webhook *w = ctx;

	w->app = *a;
	set_url(w->app.webhook, w->given->url);
	if (w->given->rotate)
		rotate(w, store_tx_now(tx));
	*a = w->app;
}

static int add_secret(json_t *o, const char *name, const struct keyring *ring,
		      const char *application,
		      const struct service_app_secret *s)
{
	uint8_t raw[CRYPTO_KEY_BYTES];
	char text[SERVICE_HOOK_SECRET_BYTES];
	int err = service_hook_secret(ring, application, s, raw);

	if (err)
		return err;
	service_hook_secret_text(raw, text);
	(void)json_object_set_new(o, name, json_string(text));
	crypto_wipe(raw, sizeof(raw));
	crypto_wipe(text, sizeof(text));
	return 0;
}

static void add_url(json_t *o, const char *url)
{
	(void)json_object_set_new(o, "url",
				  *url ? json_string(url) : json_null());
}

static int webhook_json(const struct webhook *w, char **json)
{
	const struct keyring *ring = w->a->ring;
	const struct service_app *a = &w->app;
	AUTO_JSON json_t *o = json_object();
	char when[CLOCK_TEXT_BYTES];
	int err;

	(void)json_object_set_new(o, "application", json_string(a->name));
	add_url(o, a->webhook);
	err = add_secret(o, "secret", ring, a->name, &a->secret);
	if (!err && a->old_until_ms > clock_wall_ms(w->a->clock)) {
		err = add_secret(o, "old_secret", ring, a->name,
				 &a->old_secret);
		clock_text(a->old_until_ms, when);
		(void)json_object_set_new(o, "old_until", json_string(when));
	}
	if (!err)
		*json = js_text(o);
	return err;
}

int service_app_webhook(const struct service_admin *a, const struct outbound *o,
			const char *name,
			const struct service_webhook_rule *rule, char **json,
			struct diag *d)
{
	struct webhook w = {.a = a, .given = rule};
	int err = check_url(o, rule->url, d);

	if (err)
		return err;
	if (rule->url || rule->rotate)
		err = service_app_change(a, name, "app.webhook", set_webhook,
					 &w, d);
	else
		err = service_app_read(a, name, &w.app, d);
	if (!err)
		err = webhook_json(&w, json);
	if (err == -ENOKEY)
		(void)diag_set(d, "the ring lacks the key of its secret");
	return err ? service_admin_failed(d, err) : 0;
}

/* --- asked before a call ------------------------------------------------------------- */

struct rule {
	const struct service_ask_rule *given;
	struct service_app app;
};

static void set_rule(struct store_tx *tx, struct service_app *a, void *ctx)
{
	struct rule *r = ctx;

	(void)tx;
	set_url(a->ask, r->given->url);
	if (r->given->timeout_ms)
		a->ask_ms = r->given->timeout_ms;
	if (a->ask_ms == 0)
		a->ask_ms = SERVICE_ASK_MS;
	if (r->given->otherwise != SERVICE_ASK_AS_IT_IS)
		a->ask_deny = r->given->otherwise == SERVICE_ASK_DENY;
	r->app = *a;
}

static int rule_json(const struct service_app *a, char **json)
{
	AUTO_JSON json_t *o = json_object();
	int64_t ms = a->ask_ms ? a->ask_ms : SERVICE_ASK_MS;

	(void)json_object_set_new(o, "application", json_string(a->name));
	add_url(o, a->ask);
	(void)json_object_set_new(o, "timeout_ms", json_integer(ms));
	(void)json_object_set_new(o, "otherwise",
				  json_string(a->ask_deny ? "deny" : "allow"));
	*json = js_text(o);
	return 0;
}

int service_app_ask(const struct service_admin *a, const struct outbound *o,
		    const char *name, const struct service_ask_rule *rule,
		    char **json, struct diag *d)
{
	struct rule r = {.given = rule};
	bool changes = rule->url || rule->timeout_ms ||
		       rule->otherwise != SERVICE_ASK_AS_IT_IS;
	int err = check_url(o, rule->url, d);

	if (err)
		return err;
	if (rule->timeout_ms && (rule->timeout_ms < SERVICE_ASK_MIN_MS ||
				 rule->timeout_ms > SERVICE_ASK_MAX_MS))
		return diag_set(d, "an answer may take %d to %d ms",
				SERVICE_ASK_MIN_MS, SERVICE_ASK_MAX_MS);
	if (changes)
		err = service_app_change(a, name, "app.hook", set_rule, &r, d);
	else
		err = service_app_read(a, name, &r.app, d);
	if (!err)
		err = rule_json(&r.app, json);
	return err ? service_admin_failed(d, err) : 0;
}
