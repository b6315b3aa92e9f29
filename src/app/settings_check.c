// SPDX-License-Identifier: Apache-2.0
/*
 * settings_check.c - rules over several settings, once all are read.
 */
#include "app/settings_priv.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xC0) != 0x80;
	return n;
}

static int check_brand(const char *field, const char *brand, struct diag *d)
{
	if (characters(brand) > 30)
		return diag_field(d, field, "is longer than 30 characters");
	return 0;
}

static int check_levels(const struct settings *s, struct diag *d)
{
	static const char *const levels[] = {"debug", "info", "warn", "error"};

	for (size_t i = 0; i < COUNT_OF(levels); i++)
		if (strcmp(levels[i], s->log_level) == 0)
			return 0;
	return diag_field(d, "log_level", "must be debug, info, warn or error");
}

/* --- Amazon Polly ---------------------------------------------------------------- */

/* What is signed is spoken in the clear on this machine alone. */
static bool good_endpoint(const char *url)
{
	static const char *const here[] = {"http://127.0.0.1", "http://[::1]",
					   "http://localhost"};
	const char *host = strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;

	for (size_t i = 0; !host && i < COUNT_OF(here); i++) {
		size_t n = strlen(here[i]);

		if (strncmp(url, here[i], n) == 0 &&
		    (url[n] == ':' || url[n] == 0))
			host = url + strlen("http://");
	}
	return host && *host &&
	       !host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789.-:[]")];
}

static int check_polly(const struct settings *s, struct diag *d)
{
	const char *region = s->polly_region;

	if (!*region || region[strspn(region, "abcdefghijklmnopqrstuvwxyz"
					      "0123456789-")])
		return diag_field(d, "polly.region",
				  "must be a region such as eu-west-1");
	if (strcmp(s->polly_engine, "standard") != 0 &&
	    strcmp(s->polly_engine, "neural") != 0)
		return diag_field(d, "polly.engine",
				  "must be standard or neural");
	if (*s->polly_endpoint && !good_endpoint(s->polly_endpoint))
		return diag_field(d, "polly.endpoint",
				  "must be https://HOST or https://HOST:PORT");
	return 0;
}

/* --- trunks ------------------------------------------------------------------- */

static int at_trunk(const struct settings_trunk *t, struct diag *d)
{
	d->line = t->line;
	d->column = t->column;
	return -EINVAL;
}

/* Names that records show must tell telephones apart, and so must the
 * environment variables of passwords, where '-' is '_' and case is lost. */
static int folded(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

static bool same_name(const char *a, const char *b)
{
	while (*a && folded(*a) == folded(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

static int check_name(const struct settings *s, size_t i, struct diag *d)
{
	static const char *const ours[] = {"page", "sandbox"};
	const char *name = settings_trunk(s, i)->name;

	if (!*name)
		return diag_field(d, "trunks.name", "must be set");
	for (size_t n = 0; n < COUNT_OF(ours); n++)
		if (same_name(name, ours[n]))
			return diag_field(d, "trunks.name",
					  "\"%s\" is a telephone of our own",
					  name);
	for (size_t n = 0; n < i; n++)
		if (same_name(name, settings_trunk(s, n)->name))
			return diag_field(d, "trunks.name",
					  "there is a trunk \"%s\" already",
					  settings_trunk(s, n)->name);
	return 0;
}

static int check_trunk(const struct settings *s, size_t i, struct diag *d)
{
	const struct settings_trunk *t = settings_trunk(s, i);
	bool national = t->number_format == SETTINGS_FORMAT_NATIONAL;
	int err = check_name(s, i, d);

	if (!err && !*t->uri)
		err = diag_field(d, "trunks.uri", "must be set");
	if (!err && *t->password_file && !*t->user)
		err = diag_field(d, "trunks.password_file",
				 "needs trunks.user beside it");
	if (!err && national && !*t->country_code)
		err = diag_field(d, "trunks.country_code",
				 "must be set for number_format national");
	if (!err && !national && (*t->country_code || *t->national_prefix))
		err = diag_field(d, "trunks.number_format",
				 "must be national for country_code and "
				 "national_prefix to mean anything");
	if (!err && t->keys == 0)
		err = diag_field(d, "trunks.keys",
				 "must name one way at least");
	return err ? at_trunk(t, d) : 0;
}

static bool is_a_trunk(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->trunks.count; i++)
		if (strcmp(settings_trunk(s, i)->name, name) == 0)
			return true;
	return false;
}

static int check_prefix(const struct settings *s, size_t i, struct diag *d)
{
	const char *prefix = settings_route(s, i)->prefix;

	if (!*prefix)
		return diag_field(d, "routes.prefix", "must be set");
	for (size_t n = 0; n < i; n++)
		if (strcmp(settings_route(s, n)->prefix, prefix) == 0)
			return diag_field(d, "routes.prefix",
					  "there is a route for \"%s\" "
					  "already",
					  prefix);
	return 0;
}

static int check_route(const struct settings *s, size_t i, struct diag *d)
{
	const struct settings_route *r = settings_route(s, i);
	int err = check_prefix(s, i, d);

	if (!err && r->trunks.count == 0)
		err = diag_field(d, "routes.trunks",
				 "must name one trunk at least");
	for (size_t n = 0; !err && n < r->trunks.count; n++)
		if (!is_a_trunk(s, r->trunks.items[n]))
			err = diag_field(d, "routes.trunks",
					 "there is no trunk \"%s\"",
					 r->trunks.items[n]);
	if (!err)
		return 0;
	d->line = r->line;
	d->column = r->column;
	return err;
}

/* --- the two endpoints of the original example ---------------------------------- */

static int check_example(const struct settings *s, struct diag *d)
{
	static const char *const taken[] = {"/v1", "/v2", "/phone"};
	const char *p = s->example_prefix;

	for (size_t i = 0; i < COUNT_OF(taken); i++) {
		size_t n = strlen(taken[i]);

		if (strncmp(p, taken[i], n) == 0 && (!p[n] || p[n] == '/'))
			return diag_field(d, "example.prefix",
					  "%s is served already", taken[i]);
	}
	if (s->example_from.count > 0 && !*s->example_application)
		return diag_field(d, "example.application",
				  "must say whose those are that ask without "
				  "a key");
	return 0;
}

/* --- all of them ---------------------------------------------------------------- */

int settings_check(const struct settings *s, struct diag *d)
{
	int err = check_brand("brand", s->brand, d);

	for (size_t i = 0; !err && i < s->brands.count; i++)
		err = check_brand("brands", s->brands.items[i], d);
	if (!err)
		err = check_levels(s, d);
	if (!err)
		err = check_polly(s, d);
	if (!err)
		err = check_example(s, d);
	if (!err && s->code_length < s->code_min_length)
		err = diag_field(d, "code.length",
				 "is less than code.min_length");
	if (!err && (*s->tls_certificate == 0) != (*s->tls_key == 0))
		err = diag_field(d, "tls",
				 "needs both certificate and key, or neither");
	if (!err && (s->quiet_from < 0) != (s->quiet_to < 0))
		err = diag_field(d, "quiet_hours", "needs both from and to");
	if (!err && strncmp(s->store, "sqlite:", 7) != 0)
		err = diag_field(d, "store", "must be sqlite:PATH");
	for (size_t i = 0; !err && i < s->trunks.count; i++)
		err = check_trunk(s, i, d);
	if (!err && s->routes.count == 0 &&
	    s->trunks.count > SETTINGS_UNROUTED_MAX)
		err = diag_field(d, "routes",
				 "must say which of more than %d trunks are "
				 "asked for a number",
				 SETTINGS_UNROUTED_MAX);
	for (size_t i = 0; !err && i < s->routes.count; i++)
		err = check_route(s, i, d);
	return err;
}
