// SPDX-License-Identifier: Apache-2.0
/*
 * reach.c - how this server and the outside reach each other: the address that
 * others know it by, the proxies in front of it, what it may ask.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "base/json.h"
#include "base/log.h"

void app_public_url(const struct settings *s, unsigned port, char *out,
		    size_t n)
{
	const char *colon = strrchr(s->listen, ':');
	size_t host = colon ? (size_t)(colon - s->listen) : 0;
	const char *scheme = *s->tls_certificate ? "https" : "http";
	uint64_t listens = 0;

	if (port == 0 && colon &&
	    !span_uint(span_of(colon + 1), 65535, &listens))
		port = (unsigned)listens;
	if (*s->public_url)
		(void)snprintf(out, n, "%s", s->public_url);
	else if (port == 0)
		out[0] = '\0';
	else if (host == 0 || strncmp(s->listen, "0.0.0.0", host) == 0 ||
		 strncmp(s->listen, "[::]", host) == 0)
		(void)snprintf(out, n, "%s://127.0.0.1:%u", scheme, port);
	else
		(void)snprintf(out, n, "%s://%.*s:%u", scheme, (int)host,
			       s->listen, port);
}

void app_origin(const char *url, char *out, size_t n)
{
	const char *host = strstr(url, "://");
	size_t length = host ? (size_t)(host + 3 - url) : 0;

	length += strcspn(url + length, "/");
	(void)snprintf(out, n, "%.*s", (int)length, url);
}

static int networks(const struct settings_list *items, const char *name,
		    struct net_list *out, struct diag *d)
{
	*out = (struct net_list){0};
	for (size_t i = 0; i < items->count; i++) {
		struct net one;
		int err = net_parse(items->items[i], &one, d);

		if (!err)
			err = net_list_add(out, &one);
		if (err)
			return diag_field(d, name, "%s is not a network",
					  items->items[i]);
	}
	return 0;
}

int app_proxies(const struct settings *s, struct net_list *out, struct diag *d)
{
	return networks(&s->trusted_proxies, "trusted_proxies", out, d);
}

int app_example(const struct settings *s, struct net_list *out, struct diag *d)
{
	return networks(&s->example_from, "example.from", out, d);
}

/* By the list, as an operator reads it: once, at the start. */
static bool is_application(const struct service_admin *admin, const char *name)
{
	AUTO_FREE char *list = NULL;
	AUTO_JSON json_t *apps = NULL;
	struct diag d = {0};
	size_t i;
	json_t *app;

	if (service_app_list(admin, &list, &d) ||
	    js_parse(span_of(list), &apps, NULL))
		return true; /* not known; the store has other ways to say so */
	json_array_foreach(apps, i, app)
	{
		const char *known =
			json_string_value(json_object_get(app, "application"));

		if (known && strcmp(known, name) == 0)
			return true;
	}
	return false;
}

void app_example_owner(const struct settings *s,
		       const struct service_admin *admin)
{
	const char *name = s->example_application;

	if (!*s->example_prefix || !*name || is_application(admin, name))
		return;
	log_warn("example.no_application", "application", LOG_S(name), "why",
		 LOG_S("there is no such application; add it by `voiceotp app "
		       "add`, or mend example.application"),
		 NULL);
}

int app_outbound(const struct settings *s, struct outbound **out,
		 struct diag *d)
{
	const struct outbound_params params = {
		.clock = clock_real(),
		.allow = (const char *const *)s->outbound_allow.items,
		.allow_count = s->outbound_allow.count,
	};

	return outbound_new(&params, out, d);
}
