// SPDX-License-Identifier: Apache-2.0
/*
 * flow.c - `voiceotp flow list|show|import|publish|test`: the flows of a
 * running server, through its public API.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/app_priv.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "flow/flow.h"
#include "web/client.h"

enum {
	ID_MAX = 64,
	KEYS_MAX = 16, /* of a test: entries of them */
	MOMENT = 20,   /* "2026-01-31T09:05:07" and a blank of a time */
};
#define FLOWS "/v1/flows"
#define DEFAULT_MESSAGE "published from the command line"

/* --- what is common -------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static long long number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* An id goes into a path as it is. */
static bool is_id(const char *id)
{
	size_t n = strspn(id, "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n > 0 && n <= ID_MAX && id[n] == '\0';
}

static bool has_id(const char *command, const char *id)
{
	if (id && is_id(id))
		return true;
	(void)app_usage(command,
			id ? "\"%.40s\" is not an id of a flow"
			   : "which flow%s?",
			id ? id : "");
	return false;
}

static void print_compact(const json_t *o)
{
	AUTO_FREE char *text = js_text(o);

	(void)printf("%s\n", text);
	(void)fflush(stdout);
}

static void show_findings(const json_t *findings, FILE *out)
{
	size_t i;
	json_t *f;

	json_array_foreach(findings, i, f)
	{
		const char *node = text_of(f, "node");

		(void)fprintf(out, "%s: %s: %s%s%s\n", text_of(f, "severity"),
			      text_of(f, "code"), node, *node ? ": " : "",
			      text_of(f, "message"));
	}
}

/* Of a flow that has errors they are told, too. */
static int refused(long status, const struct buf *body)
{
	AUTO_JSON json_t *o = NULL;
	int res = app_remote_refused(status, body);

	if (js_parse(buf_view(body), &o, NULL) == 0)
		show_findings(json_object_get(o, "findings"), stderr);
	return res;
}

/* Ask, and parse what is answered with one of two statuses. */
struct request {
	const struct app_remote *server;
	const char *method, *json;
	long good, fine; /* statuses; fine 0: there is one */
};
static int ask(const struct request *r, const char *path, long *status,
	       json_t **out)
{
	AUTO_BUF(body, WEB_CLIENT_BODY_MAX);

	if (app_remote_ask(r->server, r->method, path, r->json, status, &body))
		return APP_FAILED;
	if (*status != r->good && (r->fine == 0 || *status != r->fine))
		return refused(*status, &body);
	if (js_parse(buf_view(&body), out, NULL) || !json_is_object(*out)) {
		json_decref(*out);
		*out = NULL;
		return app_remote_senseless();
	}
	return APP_FINE;
}

static int get(const struct app_remote *server, const char *path, json_t **out)
{
	const struct request r = {
		.server = server, .method = "GET", .good = 200};
	long status = 0;

	return ask(&r, path, &status, out);
}

/* --- list --------------------------------------------------------------------------- */

static void show_row(const json_t *f)
{
	(void)printf("%-30s %-28s %s\n", text_of(f, "id"), text_of(f, "state"),
		     text_of(f, "name"));
}

static void show_page(const json_t *items)
{
	size_t i;
	json_t *f;

	json_array_foreach(items, i, f) show_row(f);
}

/* All pages, one after the other. */
static int list(const struct app_remote *server, bool json)
{
	AUTO_JSON json_t *all = json_array();
	AUTO_FREE char *next = NULL;

	do {
		AUTO_JSON json_t *page = NULL;
		char path[APP_URL_MAX];
		json_t *items;

		(void)snprintf(path, sizeof(path), FLOWS "?limit=200%s%s",
			       next ? "&cursor=" : "", next ? next : "");
		if (get(server, path, &page))
			return APP_FAILED;
		items = json_object_get(page, "items");
		(void)json_array_extend(all, items);
		if (!json)
			show_page(items);
		free(next);
		next = b_strdup(
			json_string_value(json_object_get(page, "next")));
	} while (next);
	if (json)
		print_compact(all);
	return APP_FINE;
}

int app_flow_list(int argc, char **argv)
{
	struct app_remote server = {0};
	bool json = false;
	const struct app_option options[] = {{.name = "--json", .flag = &json},
					     {0}};

	if (!app_options("flow list", argc, argv, options, NULL, 0))
		return APP_USAGE;
	if (app_remote_find(&server))
		return APP_FAILED;
	return list(&server, json);
}

/* --- show --------------------------------------------------------------------------- */

static void show_versions(const json_t *items)
{
	size_t i;
	json_t *v;

	json_array_foreach(items, i, v)(void)
		printf("  v%-5lld %.*s  %s\n", number_of(v, "version"),
		       MOMENT - 1, text_of(v, "published_at"),
		       text_of(v, "message"));
}

static void show_flow(const json_t *f)
{
	const json_t *draft = json_object_get(f, "draft");

	show_row(f);
	(void)printf("draft %s: %lld errors, %lld warnings\n",
		     text_of(draft, "etag"), number_of(draft, "errors"),
		     number_of(draft, "warnings"));
}

static int show(const struct app_remote *server, const char *id, bool json)
{
	AUTO_JSON json_t *flow = NULL;
	AUTO_JSON json_t *versions = NULL;
	char path[APP_URL_MAX];

	(void)snprintf(path, sizeof(path), FLOWS "/%s", id);
	if (get(server, path, &flow))
		return APP_FAILED;
	(void)snprintf(path, sizeof(path), FLOWS "/%s/versions", id);
	if (get(server, path, &versions))
		return APP_FAILED;
	if (json) {
		print_compact(flow);
		return APP_FINE;
	}
	show_flow(flow);
	show_versions(json_object_get(versions, "items"));
	return APP_FINE;
}

/* As the API has it: in canonical form. */
static int show_document(const struct app_remote *server, const char *id,
			 const char *version)
{
	AUTO_BUF(body, WEB_CLIENT_BODY_MAX);
	char path[APP_URL_MAX];
	long status = 0;

	(void)snprintf(path, sizeof(path), FLOWS "/%s/export%s%s", id,
		       version ? "?version=" : "", version ? version : "");
	if (app_remote_ask(server, "GET", path, NULL, &status, &body))
		return APP_FAILED;
	if (status != 200)
		return app_remote_refused(status, &body);
	(void)fwrite(body.p, 1, body.n, stdout);
	return APP_FINE;
}

static bool is_version(const char *command, const char *version)
{
	size_t n = version ? strspn(version, "0123456789") : 0;

	if (!version || (n > 0 && n < 5 && version[n] == '\0'))
		return true;
	(void)app_usage(command, "a version is a number");
	return false;
}

int app_flow_show(int argc, char **argv)
{
	struct app_remote server = {0};
	const char *id = NULL, *version = NULL;
	bool json = false, document = false;
	const struct app_option options[] = {
		{.name = "--document", .flag = &document},
		{.name = "--version", .value = &version},
		{.name = "--json", .flag = &json},
		{0},
	};

	if (!app_options("flow show", argc, argv, options, &id, 1) ||
	    !has_id("flow show", id) || !is_version("flow show", version))
		return APP_USAGE;
	if (app_remote_find(&server))
		return APP_FAILED;
	return document || version ? show_document(&server, id, version)
				   : show(&server, id, json);
}

/* --- import -------------------------------------------------------------------------- */

static void show_report(const json_t *report)
{
	size_t i;
	json_t *r;

	json_array_foreach(report, i, r)(void)
		printf("%s: %s: %s\n", text_of(r, "kind"), text_of(r, "path"),
		       text_of(r, "message"));
}

static int import(const struct app_remote *server, const char *text, bool json)
{
	const struct request r = {
		.server = server, .method = "POST", .json = text, .good = 201};
	AUTO_JSON json_t *o = NULL;
	long status = 0;

	if (ask(&r, FLOWS "/import", &status, &o))
		return APP_FAILED;
	if (json) {
		print_compact(o);
		return APP_FINE;
	}
	show_report(json_object_get(o, "report"));
	show_findings(json_object_get(o, "findings"), stdout);
	show_row(json_object_get(o, "flow"));
	return APP_FINE;
}

static int read_document(const char *file, struct buf *text)
{
	struct diag d = {0};
	char why[96];
	int err = file_read(file, text);

	if (!err && memchr(text->p ? text->p : "", '\0', text->n))
		err = -EILSEQ;
	if (!err && text->n > 0)
		return APP_FINE;
	(void)diag_set(&d, "%s",
		       err == -E2BIG    ? "is longer than a flow may be"
		       : err == -EILSEQ ? "is no text"
		       : err            ? strerror_r(-err, why, sizeof(why))
					: "is empty");
	return app_fail(file, &d);
}

int app_flow_import(int argc, char **argv)
{
	struct app_remote server = {0};
	const char *file = NULL;
	bool json = false;
	const struct app_option options[] = {{.name = "--json", .flag = &json},
					     {0}};
	AUTO_BUF(text, FLOW_DOCUMENT_MAX);

	if (!app_options("flow import", argc, argv, options, &file, 1))
		return APP_USAGE;
	if (!file)
		return app_usage("flow import", "which file?");
	if (read_document(file, &text) || app_remote_find(&server))
		return APP_FAILED;
	return import(&server, text.p, json);
}

/* --- publish -------------------------------------------------------------------------- */

int app_flow_publish(int argc, char **argv)
{
	struct app_remote server = {0};
	const char *id = NULL, *message = DEFAULT_MESSAGE;
	bool json = false;
	const struct app_option options[] = {
		{.name = "-m", .value = &message},
		{.name = "--message", .value = &message},
		{.name = "--json", .flag = &json},
		{0},
	};
	AUTO_JSON json_t *body = NULL;
	AUTO_JSON json_t *o = NULL;
	AUTO_FREE char *text = NULL;
	struct request r = {.server = &server, .method = "POST", .good = 200};
	char path[APP_URL_MAX];
	long status = 0;

	if (!app_options("flow publish", argc, argv, options, &id, 1) ||
	    !has_id("flow publish", id))
		return APP_USAGE;
	if (app_remote_find(&server))
		return APP_FAILED;
	body = json_pack("{ss}", "message", message);
	if (!body)
		return app_usage("flow publish", "the message is no text");
	text = js_text(body);
	r.json = text;
	(void)snprintf(path, sizeof(path), FLOWS "/%s/publish", id);
	if (ask(&r, path, &status, &o))
		return APP_FAILED;
	if (json)
		print_compact(o);
	else
		show_row(json_object_get(o, "flow"));
	return APP_FINE;
}

/* --- test --------------------------------------------------------------------------------- */

struct trying {
	const char *id, *version, *outcome, *keys, *params;
	bool page, json;
	bool good; /* it ended as flows do */
};

static void show_step(const json_t *s)
{
	const char *to = text_of(s, "to");

	(void)printf("%8.2f s  %-20s %s%s%s\n",
		     (double)(number_of(s, "t_ms") + number_of(s, "dur_ms")) /
			     1000,
		     text_of(s, "node"), text_of(s, "trigger"),
		     *to ? " -> " : "", to);
	(void)fflush(stdout);
}

/* Did it come to an end that a drawing has? */
static bool is_good(const char *reason)
{
	return strcmp(reason, "hangup") == 0 ||
	       strcmp(reason, "callee_hangup") == 0 ||
	       strcmp(reason, "unconnected") == 0;
}

static void show_end(struct trying *t, const char *outcome, const json_t *end,
		     const char *why)
{
	const char *reason = text_of(end, "reason");

	t->good = is_good(reason);
	if (t->json)
		return;
	if (*why)
		(void)printf("it failed: %s\n", why);
	else
		(void)printf("call: %s; end: %s at %s\n", outcome, reason,
			     text_of(end, "node"));
}

static bool happened(const char *event, struct span data, void *ctx)
{
	struct trying *t = ctx;
	AUTO_JSON json_t *o = NULL;
	bool last = strcmp(event, "run.ended") == 0;

	if (js_parse(data, &o, NULL))
		return false;
	if (t->json)
		print_compact(o);
	else if (!last)
		show_step(json_object_get(o, "step"));
	if (last)
		show_end(t, text_of(o, "outcome"), json_object_get(o, "end"),
			 text_of(o, "why"));
	return last;
}

static int follow(const struct app_remote *server, struct trying *t,
		  const char *run)
{
	char path[APP_URL_MAX];

	if (!is_id(run))
		return app_remote_senseless();
	(void)snprintf(path, sizeof(path), FLOWS "/%s/runs/%s/events", t->id,
		       run);
	if (app_remote_follow(server, path, happened, t))
		return APP_FAILED;
	return t->good ? APP_FINE : APP_FAILED;
}

static int show_run(struct trying *t, const json_t *o)
{
	const json_t *run = json_object_get(o, "run");
	size_t i;
	json_t *s;

	if (t->json)
		print_compact(o);
	else
		json_array_foreach(json_object_get(run, "steps"), i, s)
			show_step(s);
	show_end(t, text_of(run, "outcome"), json_object_get(run, "end"),
		 text_of(o, "why"));
	return t->good ? APP_FINE : APP_FAILED;
}

/* "123,45#": entries. */
static json_t *keys_of(const char *keys)
{
	struct span rest = span_of(keys), one;
	json_t *all = json_array();

	while (json_array_size(all) <= KEYS_MAX && span_cut(&rest, ',', &one))
		(void)json_array_append_new(all, json_stringn(one.p, one.n));
	return all;
}

/* NULL: usage, and said. */
static char *test_body(const struct trying *t)
{
	AUTO_JSON json_t *o = json_object();
	json_t *params = NULL;

	if (t->params && (js_parse(span_of(t->params), &params, NULL) ||
			  !json_is_object(params))) {
		json_decref(params);
		(void)app_usage("flow test", "--params is a JSON object");
		return NULL;
	}
	if (params)
		(void)json_object_set_new(o, "params", params);
	if (t->version)
		(void)json_object_set_new(
			o, "version",
			json_integer(strtol(t->version, NULL, 10)));
	if (t->outcome)
		(void)json_object_set_new(o, "outcome",
					  json_string(t->outcome));
	if (t->keys)
		(void)json_object_set_new(o, "keys", keys_of(t->keys));
	if (t->page)
		(void)json_object_set_new(o, "phone", json_string("page"));
	return js_text(o);
}

static int try_it(const struct app_remote *server, struct trying *t,
		  const char *body)
{
	const struct request r = {.server = server,
				  .method = "POST",
				  .json = body,
				  .good = 200,
				  .fine = 202};
	AUTO_JSON json_t *o = NULL;
	char path[APP_URL_MAX];
	long status = 0;

	(void)snprintf(path, sizeof(path), FLOWS "/%s/test", t->id);
	if (ask(&r, path, &status, &o))
		return APP_FAILED;
	return status == 202 ? follow(server, t, text_of(o, "id"))
			     : show_run(t, o);
}

int app_flow_test(int argc, char **argv)
{
	struct app_remote server = {0};
	struct trying t = {0};
	const struct app_option options[] = {
		{.name = "--version", .value = &t.version},
		{.name = "--outcome", .value = &t.outcome},
		{.name = "--keys", .value = &t.keys},
		{.name = "--params", .value = &t.params},
		{.name = "--page", .flag = &t.page},
		{.name = "--json", .flag = &t.json},
		{0},
	};
	AUTO_FREE char *body = NULL;

	if (!app_options("flow test", argc, argv, options, &t.id, 1) ||
	    !has_id("flow test", t.id) || !is_version("flow test", t.version))
		return APP_USAGE;
	body = test_body(&t);
	if (!body)
		return APP_USAGE;
	if (app_remote_find(&server))
		return APP_FAILED;
	return try_it(&server, &t, body);
}
