// SPDX-License-Identifier: Apache-2.0
/*
 * test_twilio_forms.c - how Twilio's clients for Ruby, Python, Go and Java write
 * requests, and whether each gets its answer.
 *
 * Headers, paths and forms are as the clients' sources say: who sorts names, who
 * escapes what, how a truth, a nothing and a JSON text are written.  The client
 * for Node itself is in tests/faces.
 */
#include <stdio.h>
#include <string.h>

#include "api/vendor.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "support/api_world.h"
#include "support/test.h"

#define LISTENS "+15555550110"
#define FORM_TYPE "Content-Type: application/x-www-form-urlencoded\r\n"

enum { PATH_BYTES = 512, BODY_BYTES = 512, HEAD_BYTES = 1024 };

struct client {
	const char *name;
	/* of requests with a form, and of those without */
	const char *posts, *gets;
	bool bare; /* no token but of letters and digits leaves it */
	/* %S service, %V verification, %C its code, %W a wrong one */
	const char *service, *start, *fetch, *wrong, *check, *attempts, *cancel;
};

#define RUBY                                           \
	"User-Agent: twilio-ruby/7 (linux) Ruby/3\r\n" \
	"Accept-Charset: utf-8\r\n"                    \
	"Accept: application/json\r\n"                 \
	"Accept-Encoding: gzip;q=1.0,deflate;q=0.6,"   \
	"identity;q=0.3\r\n"
#define PYTHON                                             \
	"User-Agent: twilio-python/9 (Linux) Python/3\r\n" \
	"Accept-Encoding: gzip, deflate\r\n"               \
	"Accept: application/json\r\n"                     \
	"Connection: keep-alive\r\n"                       \
	"X-Twilio-Client: python-9\r\n"                    \
	"Accept-Charset: utf-8\r\n"
#define GO                                                 \
	"User-Agent: twilio-go/1 (linux amd64) go/go1\r\n" \
	"Accept-Encoding: gzip\r\n"
#define JAVA                                             \
	"X-Twilio-Client: java-10\r\n"                   \
	"User-Agent: twilio-java/10 (Linux) Java/17\r\n" \
	"Accept: application/json\r\n"                   \
	"Accept-Encoding: utf-8\r\n"                     \
	"Connection: Keep-Alive\r\n"

static const struct client clients[] = {
	/* Names sorted; a nil is a name without a value. */
	{
		.name = "Ruby",
		.posts = RUBY FORM_TYPE,
		.gets = RUBY,
		.service = "CodeLength=6&CustomCodeEnabled=true&"
			   "DtmfInputRequired=false&FriendlyName=Acme+Shop&"
			   "TtsName",
		.start = "Channel=call&CustomFriendlyName&Locale=en&"
			 "SendDigits=ww1%2A%23&"
			 "Tags=%7B%22user%22%3A%22a%20b%22%7D&"
			 "To=%2B15555550110",
		.fetch = "/v2/Services/%S/Verifications/+15555550110",
		.wrong = "Code=%W&To=%2B15555550110",
		.check = "Code=%C&To=%2B15555550110",
		.attempts = "/v2/Attempts?ChannelData.To=%2B15555550110&"
			    "DateCreatedAfter=2020-01-31T00%3A00%3A00Z&"
			    "PageSize=50",
		.cancel = "Status=canceled",
	},
	/* In the order of the arguments; what is None is left out, a truth has
	 * a capital in older ones, JSON has blanks. */
	{
		.name = "Python",
		.posts = PYTHON FORM_TYPE,
		.gets = PYTHON,
		.service = "FriendlyName=Acme+Shop&CodeLength=6&"
			   "DtmfInputRequired=False&CustomCodeEnabled=True",
		.start = "To=%2B15555550110&Channel=call&"
			 "CustomFriendlyName=&SendDigits=ww1%2A%23&Locale=en&"
			 "Tags=%7B%22user%22%3A+%22a+b%22%7D",
		.fetch = "/v2/Services/%S/Verifications/+15555550110",
		.wrong = "Code=%W&To=%2B15555550110",
		.check = "Code=%C&VerificationSid=%V",
		.attempts = "/v2/Attempts?"
			    "DateCreatedAfter=2020-01-31T00%3A00%3A00Z&"
			    "ChannelData.To=%2B15555550110&Channel=call&"
			    "PageSize=50",
		.cancel = "Status=canceled",
	},
	/* Names sorted, dots in those of a query escaped; the type of a form
	 * twice, and of a request without one as well; times with an offset. */
	{
		.name = "Go",
		.posts = GO FORM_TYPE FORM_TYPE,
		.gets = GO FORM_TYPE,
		.bare = true,
		.service = "CodeLength=6&CustomCodeEnabled=true&"
			   "DtmfInputRequired=false&FriendlyName=Acme+Shop",
		.start = "Channel=call&Locale=en&SendDigits=ww1%2A%23&"
			 "Tags=%7B%22user%22%3A%22a+b%22%7D&"
			 "To=%2B15555550110",
		.fetch = "/v2/Services/%S/Verifications/+15555550110",
		.wrong = "Code=%W&To=%2B15555550110",
		.check = "Code=%C&To=%2B15555550110",
		.attempts = "/v2/Attempts?Channel=CALL&"
			    "ChannelData%5C.To=%2B15555550110&"
			    "DateCreatedAfter=2020-01-31T00%3A00%3A00%2B01%3A00"
			    "&PageSize=50",
		.cancel = "Status=canceled",
	},
	/* In no order; a number of a path is escaped; * is not. */
	{
		.name = "Java",
		.posts = JAVA FORM_TYPE,
		.gets = JAVA,
		.service = "DtmfInputRequired=false&FriendlyName=Acme+Shop&"
			   "CustomCodeEnabled=true&CodeLength=6",
		.start = "SendDigits=ww1*%23&To=%2B15555550110&Locale=en&"
			 "Channel=call&Tags=%7B%22user%22%3A%22a+b%22%7D",
		.fetch = "/v2/Services/%S/Verifications/%2B15555550110",
		.wrong = "To=%2B15555550110&Code=%W",
		.check = "To=%2B15555550110&Code=%C",
		.attempts = "/v2/Attempts?PageSize=50&"
			    "ChannelData.To=%2B15555550110&"
			    "DateCreatedAfter=2020-01-31T00%3A00%3A00.123Z&"
			    "Channel=call",
		.cancel = "Status=canceled",
	},
};

/* --- asking ---------------------------------------------------------------------- */

struct visit {
	struct api_world *aw;
	const struct client *client;
	char service[VENDOR_TWILIO_ID_BYTES], sid[VENDOR_TWILIO_ID_BYTES];
	char code[CODE_BYTES], wrong[CODE_BYTES];
};

static const char *value_of(const struct visit *v, char letter)
{
	switch (letter) {
	case 'S':
		return v->service;
	case 'V':
		return v->sid;
	case 'C':
		return v->code;
	case 'W':
		return v->wrong;
	default:
		return NULL; /* a percent sign of the form's own */
	}
}

/* %C0 to %CF are bytes: what stands for the code is not followed by a digit. */
static void fill(const struct visit *v, const char *form, char *out,
		 size_t size)
{
	struct buf b = {.max = size - 1};

	for (; *form; form++) {
		const char *value =
			*form == '%' && (!form[2] || strchr("/&", form[2]))
				? value_of(v, form[1])
				: NULL;

		if (value) {
			buf_str(&b, value);
			form++;
		} else {
			buf_byte(&b, (unsigned char)*form);
		}
	}
	assert_int_equal(b.err, 0);
	(void)snprintf(out, size, "%s", b.p);
	buf_free(&b);
}

static void bare(const char *token, char out[SERVICE_TOKEN_BYTES])
{
	size_t n = 0;

	for (; *token; token++)
		if (*token != '_')
			out[n++] = *token;
	out[n] = '\0';
	assert_int_equal(n, SERVICE_TOKEN_BARE);
	for (size_t i = 0; i < n; i++) /* what that client looks at */
		assert_true((out[i] >= '0' && out[i] <= '9') ||
			    (out[i] >= 'A' && out[i] <= 'Z') ||
			    (out[i] >= 'a' && out[i] <= 'z'));
}

static void authorize(const struct visit *v, const char *more,
		      char out[HEAD_BYTES])
{
	char account[VENDOR_TWILIO_ID_BYTES], pair[256], coded[512];
	char token[SERVICE_TOKEN_BYTES];

	vendor_twilio_account(v->aw->api, "shop", account);
	if (v->client->bare)
		bare(v->aw->verify, token);
	else
		(void)snprintf(token, sizeof(token), "%s", v->aw->verify);
	(void)snprintf(pair, sizeof(pair), "%s:%s", account, token);
	crypto_base64(pair, strlen(pair), coded);
	(void)snprintf(out, HEAD_BYTES, "%sAuthorization: Basic %s\r\n", more,
		       coded);
}

/* form NULL: a request without one.  The answer's object, or NULL. */
static json_t *ask(const struct visit *v, const char *method, const char *path,
		   const char *form, int status)
{
	char where[PATH_BYTES], body[BODY_BYTES], headers[HEAD_BYTES];
	struct api_ask what = {.method = method, .path = where};
	struct http_answer a;
	json_t *o = NULL;

	fill(v, path, where, sizeof(where));
	if (form) {
		fill(v, form, body, sizeof(body));
		what.body = body;
	}
	authorize(v, form ? v->client->posts : v->client->gets, headers);
	what.headers = headers;
	api_world_ask(v->aw, &what, &a);
	if (a.status != status)
		fail_msg("%s: %s %s %s answered %d: %.*s", v->client->name,
			 method, where, form ? body : "", a.status,
			 (int)a.body.n, a.body.p);
	if (status != 204) {
		/* none of them unpacks what it did not ask for */
		assert_string_equal(http_header(&a, "Content-Type"),
				    "application/json");
		assert_null(http_header(&a, "Content-Encoding"));
		assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	}
	http_answer_free(&a);
	return o;
}

static const char *text(const json_t *o, const char *name)
{
	const char *t = json_string_value(json_object_get(o, name));

	return t ? t : "";
}

static void keep(char *out, size_t size, const json_t *o)
{
	(void)snprintf(out, size, "%s", text(o, "sid"));
}

/* --- what each client does ---------------------------------------------------------- */

static void make_service(struct visit *v)
{
	AUTO_JSON json_t *o =
		ask(v, "POST", "/v2/Services", v->client->service, 201);

	keep(v->service, sizeof(v->service), o);
	assert_string_equal(text(o, "friendly_name"), "Acme Shop");
	assert_int_equal(json_integer_value(json_object_get(o, "code_length")),
			 6);
	assert_true(json_is_false(json_object_get(o, "dtmf_input_required")));
	assert_true(json_is_true(json_object_get(o, "custom_code_enabled")));
	assert_true(json_is_null(json_object_get(o, "tts_name")));
}

static void newest(struct api_world *aw, char id[VERIFICATION_ID_BYTES])
{
	AUTO_JSON json_t *o = NULL;
	struct http_answer a;

	api_world_post(aw, "/v1/verifications/search",
		       "{\"to\":\"" LISTENS "\"}", 200, &a);
	assert_int_equal(js_parse(buf_view(&a.body), &o, NULL), 0);
	http_answer_free(&a);
	(void)snprintf(id, VERIFICATION_ID_BYTES, "%s",
		       text(json_array_get(json_object_get(o, "items"), 0),
			    "id"));
}

static void start(struct visit *v)
{
	AUTO_JSON json_t *o = ask(v, "POST", "/v2/Services/%S/Verifications",
				  v->client->start, 201);
	char id[VERIFICATION_ID_BYTES];
	struct answer a;

	keep(v->sid, sizeof(v->sid), o);
	assert_string_equal(text(o, "to"), LISTENS);
	newest(v->aw, id);
	a = world_until_spoken(v->aw->w, id);
	assert_string_equal(a.v.send_digits, "ww1*#");
	assert_string_equal(a.v.brand, "Acme Shop");
	assert_string_equal(a.v.locale, "en");
	api_world_code(v->aw, id, v->code);
	(void)snprintf(v->wrong, sizeof(v->wrong), "%s", v->code);
	v->wrong[0] = (char)(v->wrong[0] == '9' ? '0' : v->wrong[0] + 1);
}

static void finish(struct visit *v)
{
	static const char path[] = "/v2/Services/%S/VerificationCheck";
	AUTO_JSON json_t *found = ask(v, "GET", v->client->fetch, NULL, 200);
	AUTO_JSON json_t *no = ask(v, "POST", path, v->client->wrong, 200);
	AUTO_JSON json_t *yes = ask(v, "POST", path, v->client->check, 200);
	AUTO_JSON json_t *gone = ask(v, "POST", path, v->client->check, 404);

	assert_string_equal(text(found, "sid"), v->sid);
	assert_string_equal(text(no, "status"), "pending");
	assert_true(json_is_false(json_object_get(no, "valid")));
	assert_string_equal(text(yes, "status"), "approved");
	assert_int_equal(json_integer_value(json_object_get(gone, "code")),
			 20404);
}

/* Those of this service, of that number. */
static void count(struct visit *v)
{
	AUTO_JSON json_t *o = ask(v, "GET", v->client->attempts, NULL, 200);
	const json_t *list = json_object_get(o, "attempts"), *one;
	size_t i, its = 0;

	json_array_foreach(list, i, one)
	{
		assert_string_equal(text(json_object_get(one, "channel_data"),
					 "to"),
				    LISTENS);
		its += strcmp(text(one, "service_sid"), v->service) == 0;
	}
	assert_int_equal(its, 1);
}

static void cancel(struct visit *v)
{
	AUTO_JSON json_t *again =
		ask(v, "POST", "/v2/Services/%S/Verifications",
		    v->client->start, 201);
	keep(v->sid, sizeof(v->sid), again);
	AUTO_JSON json_t *o = ask(v, "POST", "/v2/Services/%S/Verifications/%V",
				  v->client->cancel, 200);

	assert_string_equal(text(o, "status"), "canceled");
	assert_null(ask(v, "DELETE", "/v2/Services/%S", NULL, 204));
}

static void serves(struct api_world *aw, const char *name)
{
	struct visit v = {.aw = aw, .client = clients};

	while (strcmp(v.client->name, name) != 0)
		v.client++;
	make_service(&v);
	start(&v);
	finish(&v);
	count(&v);
	cancel(&v);
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

TEST(a_truth_is_a_truth_however_it_is_written)
{
	static const char *const yes[] = {"true", "True", "TRUE"},
				 *const no[] = {"false", "False", "FALSE"};
	struct visit v = {.aw = *state, .client = clients};
	char form[64];

	for (size_t i = 0; i < COUNT_OF(yes); i++) {
		(void)snprintf(form, sizeof(form),
			       "FriendlyName=A&Psd2Enabled=%s&"
			       "DtmfInputRequired=%s",
			       yes[i], no[i]);
		AUTO_JSON json_t *o =
			ask(&v, "POST", "/v2/Services", form, 201);

		assert_true(json_is_true(json_object_get(o, "psd2_enabled")));
		assert_true(json_is_false(
			json_object_get(o, "dtmf_input_required")));
	}
}

/* A token without its marks is that token, and nothing else is. */
TEST(a_bare_token_is_as_good_and_no_other)
{
	struct visit v = {.aw = *state, .client = &clients[2]};
	char token[SERVICE_TOKEN_BYTES] = "";
	struct service_who who;
	struct service *sv = v.aw->w->service;

	assert_true(clients[2].bare);
	bare(v.aw->verify, token);
	assert_true(service_authorize(sv, NULL, span_of(token), &who));
	assert_string_equal(who.application, "shop");
	assert_true(
		service_authorize(sv, v.aw->verify_id, span_of(token), &who));
	assert_false(service_authorize(sv, "key_other", span_of(token), &who));
	token[SERVICE_TOKEN_BARE - 1] ^= 1;
	assert_false(service_authorize(sv, NULL, span_of(token), &who));
	token[SERVICE_TOKEN_BARE - 1] ^= 1;
	token[SERVICE_TOKEN_BARE] = 'x';
	token[SERVICE_TOKEN_BARE + 1] = '\0';
	assert_false(service_authorize(sv, NULL, span_of(token), &who));
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
		IN_WORLD(a_truth_is_a_truth_however_it_is_written),
		IN_WORLD(a_bare_token_is_as_good_and_no_other),
	};

	return cmocka_run_group_tests_name("api/twilio_forms", tests,
					   world_voices, world_no_voices);
}
