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

void app_dev_origin(unsigned port, const struct settings *s, char *out,
		    size_t n)
{
	const char *colon = strrchr(s->listen, ':');
	size_t host = colon ? (size_t)(colon - s->listen) : 0;
	const char *scheme = *s->tls_certificate ? "https" : "http";

	if (host == 0 || strncmp(s->listen, "0.0.0.0", host) == 0 ||
	    strncmp(s->listen, "[::]", host) == 0)
		(void)snprintf(out, n, "%s://127.0.0.1:%u", scheme, port);
	else
		(void)snprintf(out, n, "%s://%.*s:%u", scheme, (int)host,
			       s->listen, port);
}

void app_dev_keep_link(const char *token)
{
	(void)snprintf(kept, sizeof(kept), "%s", token);
}

void app_dev_show_link(unsigned port, const struct settings *s,
		       const char *token)
{
	char origin[320];

	app_dev_origin(port, s, origin, sizeof(origin));
	(void)printf("\nAnother page:  %s/phone#%s\n", origin, token);
	(void)fflush(stdout);
}

/* The token of an earlier start, if it still opens the door. */
static int find_token(struct service *service, char *out, size_t n)
{
	AUTO_BUF(text, TOKEN_MAX);
	struct service_who who;
	struct span token;

	if (file_read(TOKEN_FILE, &text))
		return -ENOENT;
	token = span_trim(buf_view(&text));
	if (token.n >= n || !service_authorize(service, NULL, token, &who))
		return -ENOENT;
	(void)snprintf(out, n, "%.*s", (int)token.n, token.p);
	return 0;
}

static int make_token(const struct service_admin *admin, char *out, size_t n,
		      struct diag *d)
{
	AUTO_FREE char *app = NULL;
	AUTO_FREE char *json = NULL;
	AUTO_JSON json_t *o = NULL;
	const struct service_key_new key = {
		.application = APPLICATION,
		.name = "dev",
		.scopes = SERVICE_CHECK | SERVICE_VERIFY | SERVICE_FLOWS |
			  SERVICE_ADMIN};
	const char *token = NULL;
	int err;

	/* it may be there from before, without its token */
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

int app_dev_welcome(const struct service_admin *admin, struct service *service,
		    unsigned port, const struct settings *s, struct diag *d)
{
	char token[TOKEN_MAX], origin[320];
	int err = 0;

	if (find_token(service, token, sizeof(token))) {
		err = make_token(admin, token, sizeof(token), d);
		if (!err)
			err = keep_token(token, d);
	}
	if (err)
		return err;
	app_dev_origin(port, s, origin, sizeof(origin));
	print_welcome(origin, token);
	crypto_wipe(token, sizeof(token));
	return 0;
}
