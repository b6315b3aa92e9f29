// SPDX-License-Identifier: Apache-2.0
/*
 * test_import.c - drawings from elsewhere: what becomes of them, what is said
 * of the rest, and that the example which many began with still speaks.
 */
#include <errno.h>

#include "support/flow_bench.h"

/* In our terms: `text` has ' for ". */
static json_t *imported(const char *text, json_t **report)
{
	AUTO_BUF(quoted, 64 << 10);
	json_t *document = NULL;
	struct diag d = {0};

	buf_str(&quoted, text);
	for (size_t i = 0; i < quoted.n; i++)
		if (quoted.p[i] == '\'')
			quoted.p[i] = '"';
	assert_int_equal(flow_import(buf_view(&quoted), &document, report, &d),
			 0);
	return document;
}

static bool reports(const json_t *report, const char *kind, const char *path,
		    const char *part)
{
	size_t i;
	json_t *v;

	json_array_foreach(report, i, v)
	{
		const char *k = json_string_value(json_object_get(v, "kind"));
		const char *p = json_string_value(json_object_get(v, "path"));
		const char *m =
			json_string_value(json_object_get(v, "message"));

		if (strcmp(k, kind) == 0 && strcmp(p, path) == 0 &&
		    strstr(m, part))
			return true;
	}
	return false;
}

static const json_t *node_of(const json_t *document, const char *id)
{
	size_t i;
	json_t *v;

	json_array_foreach(json_object_get(document, "nodes"), i, v)
	{
		if (strcmp(json_string_value(json_object_get(v, "id")), id) ==
		    0)
			return v;
	}
	return NULL;
}

/* The node's member as compact text, "" where there is none. */
static void assert_member(const json_t *document, const char *id,
			  const char *member, const char *expected)
{
	const json_t *v = json_object_get(node_of(document, id), member);

	if (!v) {
		assert_string_equal("", expected);
		return;
	}
	AUTO_FREE char *text = js_text(v);
	assert_string_equal(text, expected);
}

static size_t count_findings(const struct bench *b, const json_t *document,
			     enum flow_severity worst)
{
	struct flow_world world = test_world(b->phrases);
	AUTO_FREE char *text = flow_canonical(document);
	struct flow_findings f;
	size_t n = 0;

	(void)!flow_load(span_of(text), &world, NULL, &f);
	for (size_t i = 0; i < f.count; i++) {
		if (f.items[i].severity > worst)
			continue;
		print_error("%s %s %s\n", f.items[i].code, f.items[i].path,
			    f.items[i].message);
		n++;
	}
	flow_findings_free(&f);
	return n;
}

/* --- the example ------------------------------------------------------------------- */

static json_t *example(void)
{
	char path[TEST_PATH_BYTES];
	json_t *document = NULL, *report = NULL;
	struct diag d = {0};
	size_t n;

	source_path(path, "tests/fixtures/phlo/voice-otp.json");
	AUTO_FREE char *text = test_read(path, &n);
	assert_int_equal(
		flow_import(span_make(text, n), &document, &report, &d), 0);
	assert_true(reports(report, "added", "/nodes/0/config", "secret"));
	assert_true(reports(report, "mapped", "/nodes/2/config", "Polly.Amy"));
	json_decref(report);
	return document;
}

TEST(the_example_becomes_the_document_that_is_shipped)
{
	AUTO_JSON json_t *document = example();
	char path[TEST_PATH_BYTES];
	size_t n;

	source_path(path, "docs/examples/voice-otp.json");
	AUTO_FREE char *shipped = test_read(path, &n);
	AUTO_FREE char *text = flow_canonical(document);

	assert_string_equal(text, shipped);
}

TEST(the_example_passes_the_checker)
{
	AUTO_JSON json_t *document = example();

	assert_int_equal(count_findings(*state, document, FLOW_WARNING), 0);
}

/* The digits of what is said, without what stands between them. */
static void digits_of(const char *caption, char out[32])
{
	size_t n = 0;

	for (; *caption && n < 31; caption++)
		if (*caption >= '0' && *caption <= '9')
			out[n++] = *caption;
	out[n] = '\0';
}

struct heard {
	char digits[32];
	size_t n;
	unsigned last_ms;
};

/* Each digit is a clip of its own, behind the one before. */
static void hear(unsigned at_ms, const char *text, bool joined, void *ctx)
{
	struct heard *h = ctx;

	(void)joined;
	if (strlen(text) != 1 || *text < '0' || *text > '9')
		return;
	assert_true(h->n == 0 || at_ms > h->last_ms);
	h->last_ms = at_ms;
	h->digits[h->n++] = *text;
}

static void assert_speaks(struct bench *b, json_t *otp, const char *digits)
{
	AUTO_JSON json_t *document = example();
	AUTO_FREE char *text = flow_canonical(document);
	AUTO_JSON json_t *given = json_object();
	AUTO_JSON json_t *params = NULL;
	AUTO_BUF(to, 64);
	struct heard heard = {0};
	struct flow_findings f;
	struct diag d = {0};
	char said[32];

	json_object_set_new(given, "from", json_integer(15671234567));
	json_object_set_new(given, "to", json_integer(15005550006));
	json_object_set_new(given, "otp", otp);
	assert_int_equal(flow_load(span_of(text), NULL, &b->flow, &f), 0);
	flow_findings_free(&f);
	assert_int_equal(flow_params_read(b->flow, given, &params, &d), 0);
	assert_int_equal(flow_destination(b->flow, params, &to, &d), 0);
	assert_string_equal(to.p, BENCH_TO);
	b->params.params = params;
	bench_answer(b);
	bench_await_plays(b, 1);
	playlist_cues(bench_sound(b), hear, &heard);
	bench_hear_out(b);
	bench_finish(b, 1000);

	bench_assert_end(b, FLOW_HANGUP, "End");
	assert_string_equal(b->to, BENCH_TO);
	assert_string_equal(b->from, "+15671234567");
	assert_non_null(
		strstr(b->plays[0].caption, "Your verification code is"));
	digits_of(b->plays[0].caption, said);
	assert_string_equal(said, digits);
	assert_string_equal(heard.digits, digits);
	assert_non_null(strstr(b->trace, "\"otp\":\"[secret]\""));
	b->params.params = NULL;
}

TEST(the_example_speaks_a_number_digit_by_digit)
{
	assert_speaks(*state, json_integer(482913), "482913");
}

TEST(the_example_speaks_a_short_number)
{
	assert_speaks(*state, json_integer(7), "7");
}

TEST(the_example_keeps_leading_zeroes)
{
	assert_speaks(*state, json_string("000042"), "000042");
}

/* --- all kinds of nodes ----------------------------------------------------------------- */

#define STARTS                                                             \
	"{'name':'All','nodes':[{'name':'Start','type':'start','config':{" \
	"'params':['to','code']},'states':{'api_request':'Ring'}},"        \
	"{'name':'Ring','type':'initiate_call','config':{'to':"            \
	"'{{Start.http.params.to}}'},'states':{'answered':'Next'}},"

TEST(keys_are_asked_for_and_compared)
{
	AUTO_JSON json_t *report = NULL;
	AUTO_JSON json_t *document = imported(
		STARTS
		"{'name':'Next','type':'Get Input','config':{'prompt':"
		"{'text':'Press one.'},'max_input_size':99,'input_timeout':5,"
		"'tries':2},'states':{'Successful Input(s)':'Which one?',"
		"'No Input':'Bye'}},"
		"{'name':'Which one?','type':'Branch','config':{'conditions':["
		"{'name':'Is one','variable':'{{Next.input}}','operation':"
		"'equal to','value':'1'},{'variable':'{{Next.input}}',"
		"'operation':'greater than','value':5}]},'states':{'Is one':"
		"'Bye','Condition2':'Bye','No Match':'Again'}},"
		"{'name':'Again','type':'Counter','config':{'max_count':20},"
		"'states':{'Count Not Reached':'Next','Count Reached':'Bye'}},"
		"{'name':'Bye','type':'Hangup'}]}",
		&report);

	assert_member(document, "Next", "config",
		      "{\"first_digit_timeout_ms\":5000,\"inter_digit_timeout_"
		      "ms\":5000,\"max_digits\":32,\"prompt\":{\"kind\":"
		      "\"text\",\"text\":\"Press one.\"},\"tries\":2}");
	assert_member(document, "Next", "on",
		      "{\"input\":\"Which_one_\",\"no_input\":\"Bye\"}");
	assert_member(
		document, "Which_one_", "config",
		"{\"cases\":[{\"left\":\"{{Next.digits}}\",\"name\":\"Is_one\","
		"\"op\":\"equals\",\"right\":\"1\"},{\"as\":\"number\","
		"\"left\":\"{{Next.digits}}\",\"name\":\"Condition2\",\"op\":"
		"\"more\",\"right\":\"5\"}]}");
	assert_member(document, "Which_one_", "on",
		      "{\"Condition2\":\"Bye\",\"Is_one\":\"Bye\","
		      "\"otherwise\":\"Again\"}");
	assert_member(document, "Again", "config", "{\"max\":9}");
	assert_true(reports(report, "mapped", "/nodes/2/config", "32"));
	assert_true(reports(report, "mapped", "/nodes/4/config", "9"));
}

TEST(an_http_request_is_taken_over_without_credentials)
{
	AUTO_JSON json_t *report = NULL;
	AUTO_JSON json_t *document = imported(
		STARTS
		"{'name':'Next','type':'HTTP Request','config':{'url':"
		"'https://app.example/{{Ring.status}}','method':'post',"
		"'auth':{'user':'me'},'body':{'list':['{{Ring.from_country}}']}"
		"},'states':{'Success':'Say','Failed':'Say'}},"
		"{'name':'Say','type':'play audio','config':{'text':"
		"'{{Next.user.name}} {{Next.status_code}}'},'states':{}}]}",
		&report);

	assert_member(document, "Next", "config",
		      "{\"body\":{\"list\":[\"{{Ring.country}}\"]},\"method\":"
		      "\"POST\",\"url\":\"https://app.example/{{Ring.status}}\""
		      "}");
	assert_member(document, "Next", "on",
		      "{\"client_error\":\"Say\",\"ok\":\"Say\",\"server_"
		      "error\":\"Say\",\"timeout\":\"Say\"}");
	assert_member(document, "Say", "config",
		      "{\"speech\":{\"kind\":\"text\",\"text\":"
		      "\"{{Next.body.user.name}} {{Next.status}}\"}}");
	assert_true(reports(report, "dropped", "/nodes/2/config/auth", "sign"));
}

TEST(what_has_no_place_here_is_reported)
{
	AUTO_JSON json_t *report = NULL;
	AUTO_JSON json_t *document = imported(
		STARTS
		"{'name':'Next','type':'Play Audio','config':{'text':'Hi.',"
		"'voice':'WOMAN','colour':'red'},'states':{'Prompt Completed':"
		"'Send','Shouted':'Send'}},"
		"{'name':'Send','type':'Send SMS','config':{}}]}",
		&report);

	assert_null(node_of(document, "Send"));
	assert_member(document, "Next", "on", "{\"completed\":\"End\"}");
	assert_true(reports(report, "dropped", "/nodes/3", "Send SMS"));
	assert_true(reports(report, "dropped", "/nodes/2/config/colour", ""));
	assert_true(reports(report, "dropped", "/nodes/2/config", "WOMAN"));
	assert_true(reports(report, "dropped",
			    "/nodes/2/states/Prompt Completed", "Send"));
}

/* --- what is said --------------------------------------------------------------------------- */

static void assert_speech(const char *text, const char *expected)
{
	AUTO_JSON json_t *report = NULL;
	AUTO_BUF(all, 8 << 10);

	buf_printf(&all,
		   STARTS "{'name':'Next','type':'play','config':{'text':'%s'}}"
			  "]}",
		   text);
	AUTO_JSON json_t *document = imported(all.p, &report);
	AUTO_BUF(config, 8 << 10);
	buf_printf(&config, "{\"speech\":%s}", expected);
	assert_member(document, "Next", "config", config.p);
}

TEST(a_secret_in_the_open_is_spelt)
{
	assert_speech("Your code is {{Start.http.params.code}} & bye.",
		      "{\"kind\":\"ssml\",\"ssml\":\"<speak>Your code is "
		      "<say-as interpret-as=\\\"digits\\\">{{Start.http.params."
		      "code}}</say-as> &amp; bye.</speak>\"}");
}

TEST(tags_are_ours_and_entities_stay)
{
	assert_speech("<SPEAK><Break/>A &amp; B</SPEAK>",
		      "{\"kind\":\"ssml\",\"ssml\":\"<speak><break/>A &amp; "
		      "B</speak>\"}");
}

TEST(elements_that_no_voice_knows_leave_their_text)
{
	assert_speech("<speak><lang xml:lang=\\\"fr\\\">Bonjour</lang>"
		      "<w role=\\\"x\\\">read</w></speak>",
		      "{\"kind\":\"ssml\",\"ssml\":\"<speak>Bonjourread"
		      "</speak>\"}");
}

TEST(plain_text_stays_plain)
{
	assert_speech("Hello & {{Start.http.params.to}}",
		      "{\"kind\":\"text\",\"text\":\"Hello & "
		      "{{Start.http.params.to}}\"}");
}

/* --- the whole ------------------------------------------------------------------------------- */

TEST(our_own_documents_come_back_as_they_are)
{
	AUTO_JSON json_t *report = NULL;
	AUTO_JSON json_t *document =
		imported("{'format':'voiceflow/1','nodes':[],'x':1}", &report);
	AUTO_FREE char *text = js_text(document);

	assert_string_equal(text,
			    "{\"format\":\"voiceflow/1\",\"nodes\":[],\"x\":"
			    "1}");
	assert_int_equal(json_array_size(report), 0);
}

TEST(what_is_no_drawing_is_refused)
{
	static const char *const BAD[] = {"", "[]", "{}", "{\"nodes\":1}",
					  "{\"nodes\":"};
	json_t *document = NULL, *report = NULL;
	struct diag d = {0};

	for (size_t i = 0; i < COUNT_OF(BAD); i++)
		assert_int_equal(flow_import(span_of(BAD[i]), &document,
					     &report, &d),
				 -EINVAL);
	assert_null(document);
	assert_null(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_example_becomes_the_document_that_is_shipped),
		WITH_BENCH(the_example_passes_the_checker),
		WITH_BENCH(the_example_speaks_a_number_digit_by_digit),
		WITH_BENCH(the_example_speaks_a_short_number),
		WITH_BENCH(the_example_keeps_leading_zeroes),
		cmocka_unit_test(keys_are_asked_for_and_compared),
		cmocka_unit_test(
			an_http_request_is_taken_over_without_credentials),
		cmocka_unit_test(what_has_no_place_here_is_reported),
		cmocka_unit_test(a_secret_in_the_open_is_spelt),
		cmocka_unit_test(tags_are_ours_and_entities_stay),
		cmocka_unit_test(elements_that_no_voice_knows_leave_their_text),
		cmocka_unit_test(plain_text_stays_plain),
		cmocka_unit_test(our_own_documents_come_back_as_they_are),
		cmocka_unit_test(what_is_no_drawing_is_refused),
	};

	return cmocka_run_group_tests_name("flow/import", tests, bench_open,
					   bench_close);
}
