// SPDX-License-Identifier: Apache-2.0
/*
 * trunks.c - see trunks.h.
 *
 * A password is never a setting: it comes from the environment or from a file
 * that only its owner may read, lives here until the telephones have it, and
 * is wiped.
 */
#include "app/trunks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/mem.h"

_Static_assert((int)SETTINGS_FORMAT_E164 == (int)TEL_SIP_E164 &&
		       (int)SETTINGS_FORMAT_PLUS == (int)TEL_SIP_PLUS &&
		       (int)SETTINGS_FORMAT_NATIONAL == (int)TEL_SIP_NATIONAL,
	       "the words of number_format");
_Static_assert(G711_PCMU == 0 && G711_PCMA == 1, "the words of codec");
_Static_assert((int)TEL_SIP_NO_REDIRECTS == 0 &&
		       (int)TEL_SIP_FOLLOW_REDIRECTS == 1,
	       "the words of redirects");
_Static_assert((int)SETTINGS_UNROUTED_MAX == (int)ROUTING_TRUNKS_MAX,
	       "what one route can hold");

/* --- passwords ----------------------------------------------------------------- */

void app_trunks_variable(const char *name,
			 char out[APP_PASSWORD_VARIABLE_BYTES])
{
	char *at = out;

	(void)snprintf(out, APP_PASSWORD_VARIABLE_BYTES,
		       "VOICEOTP_TRUNK_%.31s_PASSWORD", name);
	for (; *at; at++) {
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
		else if (*at == '-')
			*at = '_';
	}
}

static int in_file(struct diag *d, const struct settings_trunk *t,
		   const char *why)
{
	(void)diag_field(d, "trunks.password_file", "%s: %s", t->password_file,
			 why);
	return -EINVAL;
}

/* The first line of the file. */
static int read_file(const struct settings_trunk *t, char **out, struct diag *d)
{
	struct buf text = {.max = 4096};
	struct span rest, line;
	struct stat st;
	char why[96];
	int err;

	if (stat(t->password_file, &st) == 0 && (st.st_mode & 077) != 0)
		return in_file(d, t, "may be read by others: chmod 600 it");
	err = file_read(t->password_file, &text);
	if (err)
		return in_file(d, t, strerror_r(-err, why, sizeof(why)));
	rest = buf_view(&text);
	(void)span_cut(&rest, '\n', &line);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (line.n == 0)
		err = in_file(d, t, "its first line is empty");
	else if (line.n > APP_PASSWORD_MAX || memchr(line.p, 0, line.n))
		err = in_file(d, t, "its first line is no password");
	else
		*out = b_strndup(line.p, line.n);
	if (text.p)
		crypto_wipe(text.p, text.n);
	buf_free(&text);
	return err;
}

static int read_password(const struct settings_trunk *t, char **out,
			 struct diag *d)
{
	char variable[APP_PASSWORD_VARIABLE_BYTES];
	const char *given;

	app_trunks_variable(t->name, variable);
	/* once, before there are threads */
	given = getenv(variable); // NOLINT(concurrency-mt-unsafe)
	if (given && *given) {
		if (strlen(given) > APP_PASSWORD_MAX)
			return diag_field(d, variable, "is no password");
		*out = b_strdup(given);
		return 0;
	}
	if (*t->password_file)
		return read_file(t, out, d);
	if (*t->user)
		return diag_field(d, "trunks.user",
				  "has no password: set trunks.password_file "
				  "or the environment variable %s",
				  variable);
	*out = b_strdup("");
	return 0;
}

/* --- one trunk --------------------------------------------------------------------- */

static int add_networks(const struct settings_list *l, struct net_list *out,
			struct diag *d)
{
	for (size_t i = 0; i < l->count; i++) {
		struct net n;

		if (net_parse(l->items[i], &n, d) || net_list_add(out, &n))
			return -EINVAL; /* they were looked at before */
	}
	return 0;
}

static unsigned pump_keys(const struct settings_trunk *t)
{
	unsigned keys = PUMP_KEYS_NONE;

	if (t->keys & SETTINGS_KEYS_EVENTS)
		keys |= PUMP_KEYS_EVENTS;
	if (t->keys & SETTINGS_KEYS_TONES)
		keys |= PUMP_KEYS_TONES;
	return keys;
}

static void set_from(const struct app_trunks *a, const struct settings_trunk *t,
		     struct tel_sip_trunk *out)
{
	out->from = (const char *const *)t->from.items;
	out->from_count = t->from.count;
	if (t->from.count == 0 && *a->usual_from) {
		out->from = &a->usual_from;
		out->from_count = 1;
	}
}

static int fill(struct app_trunks *a, size_t i, const struct settings_trunk *t,
		struct diag *d)
{
	struct tel_sip_trunk *out = &a->trunks[i];
	const struct settings_uri *uri = &a->uris[i];
	int err = settings_uri(t->uri, &a->uris[i], d);

	if (!err)
		err = read_password(t, &a->passwords[i], d);
	if (err)
		return err;
	*out = (struct tel_sip_trunk){
		.name = t->name,
		.host = uri->host,
		.port = uri->port,
		.transport = uri->tcp ? TEL_SIP_TCP : TEL_SIP_UDP,
		.outbound_proxy = t->outbound_proxy,
		.user = t->user,
		.password = a->passwords[i],
		.from_user = t->from_user,
		.from_domain = t->from_domain,
		.format = (enum tel_sip_format)t->number_format,
		.prefix = t->prefix,
		.country_code = t->country_code,
		.national_prefix = t->national_prefix,
		.pai = t->pai,
		.privacy = t->privacy,
		.redirects = (enum tel_sip_redirects)t->redirects,
		.codec = (enum g711_codec)t->codec,
		.keys = pump_keys(t),
		.info_keys = (t->keys & SETTINGS_KEYS_INFO) != 0,
		.calls_per_second = (unsigned)t->calls_per_second,
		.max_calls = (unsigned)t->max_calls,
		.ping_ms = (unsigned)t->ping_s * 1000,
	};
	set_from(a, t, out);
	err = add_networks(&t->sources, &out->sources, d);
	return err ? err : add_networks(&t->media_networks, &out->media, d);
}

/* --- all of them ---------------------------------------------------------------------- */

int app_trunks_new(const struct settings *s, struct app_trunks **out,
		   struct diag *d)
{
	AUTO(app_trunks) *a = b_zero(1, sizeof(*a));
	size_t n = s->trunks.count;

	a->trunks = b_zero(n + 1, sizeof(*a->trunks));
	a->uris = b_zero(n + 1, sizeof(*a->uris));
	a->passwords = b_zero(n + 1, sizeof(*a->passwords));
	a->usual_from = s->from;
	for (size_t i = 0; i < n; i++) {
		const struct settings_trunk *t = settings_trunk(s, i);

		a->count++;
		if (fill(a, i, t, d)) {
			d->line = t->line;
			d->column = t->column;
			return -EINVAL;
		}
	}
	*out = KEEP(a);
	return 0;
}

void app_trunks_free(struct app_trunks *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		if (t->passwords[i])
			crypto_wipe(t->passwords[i], strlen(t->passwords[i]));
		free(t->passwords[i]);
	}
	free(t->passwords);
	free(t->uris);
	free(t->trunks);
	free(t);
}

int app_trunks_routing(const struct settings *s, struct routing **out,
		       struct diag *d)
{
	AUTO(routing) *r = routing_new();
	const char *all[TEL_SIP_TRUNKS_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < s->routes.count; i++) {
		const struct settings_route *route = settings_route(s, i);

		err = routing_add(r, route->prefix,
				  (const char *const *)route->trunks.items,
				  route->trunks.count, d);
	}
	if (s->routes.count == 0 && s->trunks.count > 0) {
		for (size_t i = 0; i < s->trunks.count; i++)
			all[i] = settings_trunk(s, i)->name;
		err = routing_add(r, "+", all, s->trunks.count, d);
	}
	if (!err)
		*out = KEEP(r);
	return err;
}
