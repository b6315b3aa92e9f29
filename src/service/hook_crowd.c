// SPDX-License-Identifier: Apache-2.0
/*
 * hook_crowd.c - how many are told at once at one host and for one application.
 *
 * A receiver that never answers holds each request for its whole time.  Were
 * there no bound, its verifications would fill every place, and everybody
 * else's would wait behind them.  Who finds no place goes back to the queue, for
 * the longer the more of them there are, so that a crowd does not come back at
 * once.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "service/hook_priv.h"

enum { NAME_BYTES = 300 };

struct hook_crowd {
	char name[NAME_BYTES];
	unsigned running, away; /* told now; sent away since */
};

static struct hook_crowd *find(struct service_hooks *all, const char *name)
{
	struct hook_crowd *c = map_get(all->crowds, name);

	if (c)
		return c;
	c = b_zero(1, sizeof(*c));
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
	(void)map_put(all->crowds, c->name, c);
	return c;
}

static void look(struct service_hooks *all, struct hook_crowd *c)
{
	if (c->running > 0)
		return;
	(void)map_remove(all->crowds, c->name);
	free(c);
}

/* Scheme, host and port: whatever else stands in a URL leads to one machine. */
static void name_host(const char *url, char out[NAME_BYTES])
{
	const char *host = strstr(url, "://");
	size_t n;

	host = host ? host + 3 : url;
	n = (size_t)(host - url) + strcspn(host, "/?#");
	(void)snprintf(out, NAME_BYTES, "host %.*s", (int)n, url);
	for (char *c = out; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

static int64_t wait_of(struct hook_crowd *c, unsigned most)
{
	int64_t ms;

	if (c->running < most)
		return 0;
	ms = HOOK_BUSY_MS * (1 + (int64_t)(c->away++ / most));
	return ms < HOOK_BUSY_MAX_MS ? ms : HOOK_BUSY_MAX_MS;
}

int64_t service_hook_place_take(struct service_hooks *all,
				const char *application, const char *url,
				struct hook_place *out)
{
	char host[NAME_BYTES], app[NAME_BYTES];
	struct hook_place p;
	int64_t ms;

	name_host(url, host);
	(void)snprintf(app, sizeof(app), "application %s", application);
	p.host = find(all, host);
	p.application = find(all, app);
	ms = wait_of(p.host, SERVICE_HOOKS_PER_HOST);
	if (ms == 0)
		ms = wait_of(p.application, SERVICE_HOOKS_PER_APP);
	if (ms == 0) {
		p.host->running++;
		p.application->running++;
		*out = p;
		return 0;
	}
	look(all, p.host);
	look(all, p.application);
	return ms;
}

static void leave(struct service_hooks *all, struct hook_crowd *c)
{
	if (!c)
		return;
	c->running--;
	if (c->away > 0)
		c->away--;
	look(all, c);
}

void service_hook_place_drop(struct service_hooks *all, struct hook_place *p)
{
	leave(all, p->host);
	leave(all, p->application);
	*p = (struct hook_place){0};
}
