// SPDX-License-Identifier: Apache-2.0
/*
 * test_plivo_forms.c - how Plivo's clients for Ruby, Python, Go and Java ask for
 * Verify sessions, and whether each gets its answer.
 *
 * Paths, headers and bodies are as the clients' sources say: who puts a slash
 * behind, who sends nulls, numbers as numbers, an id twice.  The client for Node
 * itself is in tests/faces.
 */
#include <stdio.h>
#include <string.h>

#include "api/vendor.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/api_world.h"
#include "support/test.h"

#define LISTENS "15555550110"
#define SESSIONS "/v1/Account/%a/Verify/Session"
#define JSON_TYPE "Content-Type: application/json\r\n"

enum { TEXT_BYTES = 512, HEAD_BYTES = 1024 };

struct client {
	const char *name;
	const char *posts, *gets; /* headers */
	/* %a account, %s session, %c what is typed */
	const char *sessions, *session, *list;
	const char *create, *validate;
};

static const struct client clients[] = {
	/* All that it knows, null where it was not given; a number as one. */
	{
		.name = "Ruby",
		.posts = "User-Agent: plivo-ruby/4\r\nAccept: */*\r\n"
			 "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,"
			 "identity;q=0.3\r\n" JSON_TYPE,
		.gets = "User-Agent: plivo-ruby/4\r\nAccept: */*\r\n" JSON_TYPE,
		.sessions = SESSIONS "/",
		.session = SESSIONS "/%s/",
		.list = SESSIONS "/?limit=5&offset=0&recipient=" LISTENS,
		.create = "{\"app_uuid\":null,\"recipient\":" LISTENS
			  ",\"channel\":\"voice\",\"url\":null,"
			  "\"method\":null,\"locale\":\"en_US\","
			  "\"brand_name\":null,\"app_hash\":null,"
			  "\"code_length\":6,\"dtmf\":null,"
			  "\"fraud_check\":null}",
		.validate = "{\"otp\":\"%c\"}",
	},
	/* What was given, and the method always; the session's id once more. */
	{
		.name = "Python",
		.posts = "User-Agent: plivo-python/4\r\nAccept: */*\r\n"
			 "Accept-Encoding: gzip, deflate\r\n"
			 "Connection: keep-alive\r\n" JSON_TYPE,
		.gets = "User-Agent: plivo-python/4\r\nAccept: */*\r\n"
			"Accept-Encoding: gzip, deflate\r\n"
			"Connection: keep-alive\r\n",
		.sessions = SESSIONS "/",
		.session = SESSIONS "/%s/",
		.list = SESSIONS "/?limit=20&offset=0&"
				 "session_time__gte=2020-01-31+09%3A05",
		.create = "{\"recipient\": \"+" LISTENS "\", "
			  "\"channel\": \"voice\", \"method\": \"POST\", "
			  "\"code_length\": 6}",
		.validate = "{\"session_uuid\": \"%s\", \"otp\": \"%c\"}",
	},
	/* What is not empty, a line end behind it. */
	{
		.name = "Go",
		.posts = "User-Agent: plivo-go/7\r\nAccept-Encoding: "
			 "gzip\r\n" JSON_TYPE,
		.gets = "User-Agent: plivo-go/7\r\nAccept-Encoding: "
			"gzip\r\n" JSON_TYPE,
		.sessions = SESSIONS "/",
		.session = SESSIONS "/%s/",
		.list = SESSIONS "/?limit=20&session_time__gt="
				 "2020-01-31+09%3A05&status=in-progress",
		.create = "{\"recipient\":\"" LISTENS
			  "\",\"channel\":\"voice\",\"locale\":\"en\"}\n",
		.validate = "{\"otp\":\"%c\"}\n",
	},
	/* Nulls; its type has a character set. */
	{
		.name = "Java",
		.posts = "User-Agent: plivo-java/5 (Implementation: null)\r\n"
			 "Accept-Encoding: gzip\r\nConnection: Keep-Alive\r\n"
			 "Content-Type: application/json; charset=UTF-8\r\n",
		.gets = "User-Agent: plivo-java/5 (Implementation: null)\r\n"
			"Accept-Encoding: gzip\r\nConnection: Keep-Alive\r\n",
		.sessions = SESSIONS "/",
		.session = SESSIONS "/%s/",
		.list = SESSIONS "/?limit=20&offset=0",
		.create = "{\"app_uuid\":null,\"recipient\":\"" LISTENS
			  "\",\"channel\":\"voice\",\"locale\":null,"
			  "\"url\":null,\"method\":null}",
		.validate = "{\"otp\":\"%c\"}",
	},
	/* Whoever forgets the slash, and says no more than must be said. */
	{
		.name = "none",
		.posts = JSON_TYPE,
		.gets = "",
		.sessions = SESSIONS,
		.session = SESSIONS "/%s",
		.list = SESSIONS,
		.create = "{\"recipient\":\"" LISTENS "\"}",
		.validate = "{\"otp\":\"%c\"}",
	},
};

/* --- asking ---------------------------------------------------------------------- */

struct visit {
	struct api_world *aw;
	const struct client *client;
	char account[VENDOR_PLIVO_ID_BYTES], session[VENDOR_UUID_BYTES];
	char code[CODE_BYTES];
};

static const char *value_of(const struct visit *v, char letter)
{
	switch (letter) {
	case 'a':
		return v->account;
	case 's':
		return v->session;
	case 'c':
		return v->code;
	default:
		return NULL;
	}
}

static void fill(const struct visit *v, const char *form, char out[TEXT_BYTES])
{
	struct buf b = {.max = TEXT_BYTES - 1};

	for (; *form; form++) {
		const char *value = *form == '%' ? value_of(v, form[1]) : NULL;

		if (value) {
			buf_str(&b, value);
			form++;
		} else {
			buf_byte(&b, (unsigned char)*form);
		}
	}
	assert_int_equal(b.err, 0);
	(void)snprintf(out, TEXT_BYTES, "%s", b.p);
	buf_free(&b);
}

static json_t *ask(const struct visit *v, const char *path, const char *form,
		   int status)
{
	char where[TEXT_BYTES], body[TEXT_BYTES], headers[HEAD_BYTES];
	char pair[256], coded[512];
	struct api_ask what = {.method = form ? "POST" : "GET", .path = where};
	struct http_answer a;
	json_t *o = NULL;

	fill(v, path, where);
	if (form) {
		fill(v, form, body);
		what.body = body;
	}
	(void)snprintf(pair, sizeof(pair), "%s:%s", v->account, v->aw->verify);
	crypto_base64(pair, strlen(pair), coded);
	(void)snprintf(headers, sizeof(headers),
		       "%sAuthorization: Basic %s\r\n",
		       form ? v->client->posts : v->client->gets, coded);
	what.headers = headers;
	api_world_ask(v->aw, &what, &a);
	if (a.status != status)
		fail_msg("%s: %s %s answered %d: %.*s", v->client->name, where,
			 form ? body : "", a.status, (int)a.body.n, a.body.p);
	assert_string_equal(http_header(&a, "Content-Type"),
			    "application/json");
	assert_null(http_header(&a, "Content-Encoding"));
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	return o;
}

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "";
}

/* --- what each client does ---------------------------------------------------------- */

static void hear_code(struct visit *v)
{
	AUTO_JSON json_t *o = NULL;
	struct http_answer a;
	const char *id;

	api_world_post(v->aw, "/v1/verifications/search",
		       "{\"to\":\"+" LISTENS "\"}", 200, &a);
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	id = text(json_array_get(json_object_get(o, "items"), 0), "id");
	(void)world_until_spoken(v->aw->w, id);
	api_world_code(v->aw, id, v->code);
}

static void begin(struct visit *v)
{
	AUTO_JSON json_t *made =
		ask(v, v->client->sessions, v->client->create, 202);

	assert_string_equal(text(made, "message"), "Session initiated");
	(void)snprintf(v->session, sizeof(v->session), "%s",
		       text(made, "session_uuid"));
	/* the same while its code lives */
	AUTO_JSON json_t *again =
		ask(v, v->client->sessions, v->client->create, 202);
	assert_string_equal(text(again, "session_uuid"), v->session);
}

static void read_it(const struct visit *v, const char *status)
{
	AUTO_JSON json_t *o = ask(v, v->client->session, NULL, 200);

	assert_string_equal(text(o, "session_uuid"), v->session);
	assert_string_equal(text(o, "recipient"), LISTENS);
	assert_string_equal(text(o, "status"), status);
	assert_true(json_is_object(json_object_get(o, "charges")));
}

static void find_it(const struct visit *v)
{
	AUTO_JSON json_t *o = ask(v, v->client->list, NULL, 200);
	const json_t *sessions = json_object_get(o, "sessions");

	assert_int_equal(json_array_size(sessions), 1);
	assert_string_equal(text(json_array_get(sessions, 0), "session_uuid"),
			    v->session);
}

static void validate(struct visit *v)
{
	char right = v->code[0];

	v->code[0] = (char)(right == '9' ? '1' : right + 1);
	AUTO_JSON json_t *no =
		ask(v, v->client->session, v->client->validate, 400);
	assert_string_equal(text(no, "error"), "invalid otp");
	v->code[0] = right;
	AUTO_JSON json_t *yes =
		ask(v, v->client->session, v->client->validate, 200);
	assert_string_equal(text(yes, "message"),
			    "session validated successfully.");
}

static void serves(struct api_world *aw, const char *name)
{
	struct visit v = {.aw = aw, .client = clients};

	while (strcmp(v.client->name, name) != 0)
		v.client++;
	vendor_plivo_account(aw->api, "shop", v.account);
	begin(&v);
	hear_code(&v);
	read_it(&v, "in-progress");
	find_it(&v);
	validate(&v);
	read_it(&v, "verified");
}

TEST(the_client_for_ruby_is_served)
{
	serves(*state, "Ruby");
}

TEST(the_client_for_python_is_served)
{
	serves(*state, "Python");
}

TEST(the_client_for_go_is_served)
{
	serves(*state, "Go");
}

TEST(the_client_for_java_is_served)
{
	serves(*state, "Java");
}

TEST(who_asks_without_a_client_is_served)
{
	serves(*state, "none");
}

int main(void)
{
#define IN_WORLD(f) \
	cmocka_unit_test_setup_teardown(f, api_world_setup, api_world_teardown)
	const struct CMUnitTest tests[] = {
		IN_WORLD(the_client_for_ruby_is_served),
		IN_WORLD(the_client_for_python_is_served),
		IN_WORLD(the_client_for_go_is_served),
		IN_WORLD(the_client_for_java_is_served),
		IN_WORLD(who_asks_without_a_client_is_served),
	};

	return cmocka_run_group_tests_name("api/plivo_forms", tests,
					   world_voices, world_no_voices);
}
