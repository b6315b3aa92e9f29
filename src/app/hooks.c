// SPDX-License-Identifier: Apache-2.0
/*
 * hooks.c - whom an application wants told, and asked before a call.
 */
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "base/json.h"
#include "service/hooks.h"
#include "web/outbound.h"

/* --- what both take --------------------------------------------------------------- */

struct hook {
	const char *command, *config, *word, *url;
	bool dev, json, off;
};

#define HOOK_OPTIONS(h)                                \
	{.name = "--config", .value = &(h).config},    \
		{.name = "--dev", .flag = &(h).dev},   \
		{.name = "--json", .flag = &(h).json}, \
		{.name = "--url", .value = &(h).url},  \
	{                                              \
		.name = "--off", .flag = &(h).off      \
	}

static bool read_words(struct hook *h, int argc, char **argv,
		       const struct app_option *options)
{
	if (!app_options(h->command, argc, argv, options, &h->word, 1))
		return false;
	if (!h->word)
		return app_usage(h->command, "which application?") == APP_FINE;
	if (h->off && h->url)
		return app_usage(h->command, "--url or --off, not both") ==
		       APP_FINE;
	if (h->off)
		h->url = "";
	return true;
}

typedef int hook_call_h(const struct service_admin *a, const struct outbound *o,
			const struct hook *h, const void *what, char **json,
			struct diag *d);

static int run(const struct hook *h, hook_call_h *call, const void *what,
	       char **json)
{
	AUTO(outbound) *o = NULL;
	struct app_place p;
	struct diag d = {0};
	int err;

	if (app_place_enter(&p, h->config, h->dev))
		return APP_FAILED;
	err = app_outbound(p.settings, &o, &d);
	if (!err)
		err = call(&p.admin, o, h, what, json, &d);
	app_place_leave(&p);
	return err ? app_fail(NULL, &d) : APP_FINE;
}

/* --- webhook -------------------------------------------------------------------------- */

static int set_webhook(const struct service_admin *a, const struct outbound *o,
		       const struct hook *h, const void *what, char **json,
		       struct diag *d)
{
	return service_app_webhook(a, o, h->word, what, json, d);
}

/* A secret is printed only where it was asked for. */
static int print_webhook(const struct hook *h, const char *json, bool secret)
{
	AUTO_JSON json_t *o = NULL;
	AUTO_FREE char *text = NULL;
	struct diag d = {0};

	if (js_parse(span_of(json), &o, &d))
		return app_fail(NULL, &d);
	if (!secret) {
		(void)json_object_del(o, "secret");
		(void)json_object_del(o, "old_secret");
	}
	text = js_text(o);
	app_print(text, h->json);
	return APP_FINE;
}

int app_app_webhook(int argc, char **argv)
{
	struct hook h = {.command = "app webhook"};
	struct service_webhook_rule rule = {0};
	const char *secret = NULL;
	const struct app_option options[] = {
		HOOK_OPTIONS(h), {.name = "--secret", .value = &secret}, {0}};
	AUTO_FREE char *json = NULL;
	int res;

	if (!read_words(&h, argc, argv, options))
		return APP_USAGE;
	if (secret && strcmp(secret, "rotate") == 0)
		rule.rotate = true;
	else if (secret && strcmp(secret, "show") != 0)
		return app_usage(h.command, "--secret is show or rotate");
	rule.url = h.url;
	res = run(&h, set_webhook, &rule, &json);
	return res == APP_FINE ? print_webhook(&h, json, secret != NULL) : res;
}

/* --- asked before a call ----------------------------------------------------------------- */

static int set_rule(const struct service_admin *a, const struct outbound *o,
		    const struct hook *h, const void *what, char **json,
		    struct diag *d)
{
	return service_app_ask(a, o, h->word, what, json, d);
}

static bool read_otherwise(const char *text, struct service_ask_rule *rule)
{
	if (!text)
		return true;
	if (strcmp(text, "allow") == 0)
		rule->otherwise = SERVICE_ASK_ALLOW;
	else if (strcmp(text, "deny") == 0)
		rule->otherwise = SERVICE_ASK_DENY;
	else
		return app_usage("app hook", "--otherwise is allow or deny") ==
		       APP_FINE;
	return true;
}

int app_app_hook(int argc, char **argv)
{
	struct hook h = {.command = "app hook"};
	struct service_ask_rule rule = {0};
	const char *ms = NULL, *otherwise = NULL;
	const struct app_option options[] = {
		HOOK_OPTIONS(h),
		{.name = "--timeout-ms", .value = &ms},
		{.name = "--otherwise", .value = &otherwise},
		{0}};
	AUTO_FREE char *json = NULL;
	uint64_t n = 0;
	int res;

	if (!read_words(&h, argc, argv, options) ||
	    !read_otherwise(otherwise, &rule))
		return APP_USAGE;
	if (ms && (span_uint(span_of(ms), SERVICE_ASK_MAX_MS, &n) ||
		   n < SERVICE_ASK_MIN_MS))
		return app_usage(h.command, "--timeout-ms is %d to %d",
				 SERVICE_ASK_MIN_MS, SERVICE_ASK_MAX_MS);
	rule.url = h.url;
	rule.timeout_ms = (int64_t)n;
	res = run(&h, set_rule, &rule, &json);
	if (res == APP_FINE)
		app_print(json, h.json);
	return res;
}
