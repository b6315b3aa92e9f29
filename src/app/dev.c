// SPDX-License-Identifier: Apache-2.0
/*
 * dev.c - the first minute with the program: everything needed to make a phone
 * ring stands in a few printed lines.
 *
 * They go to standard output; the log is on standard error.
 */
#include "app/dev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/json.h"

#define TOKEN_FILE "var/dev.token"
#define APPLICATION "dev"

enum { TOKEN_MAX = 256 };

static char kept[64]; /* the page's token, between its making and the welcome */

void app_dev_keep_link(const char *token)
{
	(void)snprintf(kept, sizeof(kept), "%s", token);
}

void app_dev_show_link(unsigned port, const struct settings *s,
		       const char *token)
{
	char origin[APP_URL_BYTES];

	app_public_url(s, port, origin, sizeof(origin));
	(void)printf("\nAnother page:  %s/phone#%s\n", origin, token);
	(void)fflush(stdout);
}

/* The token of an earlier start. */
static int read_token(char *out, size_t n)
{
	AUTO_BUF(text, TOKEN_MAX);
	struct span token;

	if (file_read(TOKEN_FILE, &text))
		return -ENOENT;
	token = span_trim(buf_view(&text));
	if (token.n == 0 || token.n >= n)
		return -ENOENT;
	(void)snprintf(out, n, "%.*s", (int)token.n, token.p);
	crypto_wipe(text.p, text.n);
	return 0;
}

/* Is it of a key in this store?  "vok_ID_SECRET" is of "key_ID". */
static bool is_of_a_key(const char *token, const json_t *keys)
{
	struct span name = span_of(token);
	size_t i;
	json_t *key;

	if (!span_starts(name, "vok_"))
		return false;
	name = span_make(name.p + 4, name.n - 4);
	json_array_foreach(keys, i, key)
	{
		const char *id = json_string_value(json_object_get(key, "id"));

		if (id && span_starts(span_of(id), "key_") &&
		    span_starts(name, id + 4))
			return true;
	}
	return false;
}

static int find_token(const struct service_admin *admin, char *out, size_t n,
		      struct diag *d)
{
	AUTO_FREE char *json = NULL;
	AUTO_JSON json_t *keys = NULL;

	if (read_token(out, n) ||
	    service_key_list(admin, APPLICATION, &json, d) ||
	    js_parse(span_of(json), &keys, d))
		return -ENOENT;
	return is_of_a_key(out, keys) ? 0 : -ENOENT;
}

static int make_token(const struct service_admin *admin, char *out, size_t n,
		      struct diag *d)
{
	AUTO_FREE char *app = NULL;
	AUTO_FREE char *json = NULL;
	AUTO_JSON json_t *o = NULL;
	char name[48];
	const struct service_key_new key = {
		.application = APPLICATION,
		.name = name,
		.scopes = SERVICE_CHECK | SERVICE_VERIFY | SERVICE_FLOWS |
			  SERVICE_ADMIN};
	const char *token = NULL;
	int err;

	/* a name of its own: whoever lost the token may start as often as
	 * they like */
	(void)snprintf(name, sizeof(name), "dev-%lld",
		       (long long)clock_wall_ms(admin->clock));
	/* the application may be there from before */
	err = service_app_add(admin, APPLICATION, &app, d);
	if (err && err != -EEXIST)
		return err;
	err = service_key_add(admin, &key, &json, d);
	if (err)
		return err;
	if (js_parse(span_of(json), &o, d) ||
	    js_get_text(o, "token", n - 1, &token, d) || !token)
		return -EPROTO;
	(void)snprintf(out, n, "%s", token);
	crypto_wipe(json, strlen(json));
	return 0;
}

static int keep_token(const char *token, struct diag *d)
{
	int err = file_make_dir("var");
	char why[96];

	if (!err)
		err = file_write(TOKEN_FILE, token, strlen(token), 0600);
	if (err)
		(void)diag_set(d, TOKEN_FILE ": %s",
			       strerror_r(-err, why, sizeof(why)));
	return err;
}

static void print_welcome(const char *origin, const char *token)
{
	(void)printf("\nvoiceotp " VOICEOTP_VERSION " is ready.\n\n"
		     "1. Open the phone in a browser:\n\n"
		     "   %s/phone#%s\n\n"
		     "2. Let it ring:\n\n"
		     "   curl -sS %s/v1/verifications \\\n"
		     "     -H 'Authorization: Bearer %s' \\\n"
		     "     -d '{\"to\":\"+15555550100\"}'\n\n"
		     "3. Answer, press the three keys, and check the code you "
		     "hear:\n\n"
		     "   curl -sS %s/v1/verifications/ID/check \\\n"
		     "     -H 'Authorization: Bearer %s' \\\n"
		     "     -d '{\"code\":\"CODE\"}'\n\n",
		     origin, kept, origin, token, origin, token);
	(void)fflush(stdout);
}

int app_dev_key(const struct service_admin *admin, struct diag *d)
{
	char token[TOKEN_MAX];
	int err = 0;

	if (find_token(admin, token, sizeof(token), d)) {
		err = make_token(admin, token, sizeof(token), d);
		if (!err)
			err = keep_token(token, d);
	}
	crypto_wipe(token, sizeof(token));
	return err;
}

int app_dev_welcome(struct service *service, unsigned port,
		    const struct settings *s, struct diag *d)
{
	char token[TOKEN_MAX], origin[APP_URL_BYTES];
	struct service_who who;

	if (read_token(token, sizeof(token)) ||
	    !service_authorize(service, NULL, span_of(token), &who))
		return diag_set(d, TOKEN_FILE
				" is not the key's any more: remove it");
	app_public_url(s, port, origin, sizeof(origin));
	print_welcome(origin, token);
	crypto_wipe(token, sizeof(token));
	return 0;
}
