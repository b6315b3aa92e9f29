// SPDX-License-Identifier: Apache-2.0
/*
 * test_polly.c - voices of Amazon's without Amazon: their names, a file of
 * credentials, and a service that says nothing.  tests/faces has one that does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "speech/credentials.h"
#include "speech/polly_priv.h"
#include "speech/speech.h"
#include "support/test.h"

TEST(a_voice_knows_what_it_speaks)
{
	static const struct {
		const char *voice, *wanted, *language;
	} rows[] = {
		{"Polly.Amy", "de", "en"},
		{"Polly.Vicki-Neural", "en", "de"},
		{"Polly.Zhiyu", "en", "zh"},
		{"Polly.Zeina", "en", "ar"},
		{"Polly.Aditi", "hi", "hi"},
		{"Polly.Aditi", "en", "en"},
		{"Polly.Newcomer", "fr", "fr"},
		{"Polly.Geraint", "fr", "en"},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char out[SPEECH_LANGUAGE_BYTES];
		struct diag d = {0};

		assert_int_equal(voice_check(rows[i].voice, false, &d), 0);
		voice_language(rows[i].voice, rows[i].wanted, out);
		assert_string_equal(out, rows[i].language);
	}
}

TEST(a_name_that_cannot_be_is_refused)
{
	static const char *const names[] = {"Polly.",      "Polly.A b",
					    "Polly.Amy-",  "Polly.Amy-Loud",
					    "Polly.\"x\"", "Polly.Amy.Amy"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct diag d = {0};

		assert_int_equal(voice_check(names[i], false, &d), -EINVAL);
		assert_non_null(strstr(d.message, "a voice of Amazon is"));
	}
}

TEST(credentials_are_read_from_the_section_default)
{
	struct speech_credentials c;
	struct diag d = {0};

	assert_int_equal(speech_credentials_read(
				 span_of("[work]\naws_access_key_id = X\n"
					 " [default] \r\n# ours\n"
					 "aws_access_key_id=AKID\r\n"
					 " aws_secret_access_key = a/b+c= \n"
					 "region = eu-west-1"),
				 &c, &d),
			 0);

	assert_string_equal(c.key_id, "AKID");
	assert_string_equal(c.secret, "a/b+c=");
	assert_string_equal(c.token, "");
}

TEST(what_is_wrong_with_credentials_is_said_without_them)
{
	static const struct {
		const char *text, *why;
		int line;
	} rows[] = {
		{"", "aws_access_key_id is missing", 0},
		{"aws_access_key_id=A", "aws_secret_access_key is missing", 0},
		{"[work]\naws_access_key_id=A\naws_secret_access_key=hush",
		 "aws_access_key_id is missing", 0},
		{"\nhush", "is no `name = value`", 2},
		{"aws_secret_access_key=hush\naws_secret_access_key=hush",
		 "aws_secret_access_key is there twice", 2},
		{"aws_access_key_id=A\naws_secret_access_key=hu sh",
		 "aws_secret_access_key has a blank or a character that no "
		 "key has",
		 0},
		{"aws_access_key_id=A\naws_secret_access_key=hush\n"
		 "aws_session_token=a\tb",
		 "aws_session_token has a blank or a character that no key "
		 "has",
		 0},
	};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct speech_credentials c;
		struct diag d = {0};

		assert_int_equal(speech_credentials_read(span_of(rows[i].text),
							 &c, &d),
				 -EINVAL);
		assert_string_equal(d.message, rows[i].why);
		assert_int_equal(d.line, rows[i].line);
	}
}

/* --- a service that takes the connection and says nothing ----------------------- */

struct silent {
	int listening, taken;
	char url[64];
};

static void silent_open(struct silent *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listening >= 0);
	assert_int_equal(bind(s->listening, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(s->listening, 1), 0);
	assert_int_equal(getsockname(s->listening, (struct sockaddr *)&a, &n),
			 0);
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d",
		       ntohs(a.sin_port));
}

/* Until a whole request has begun to arrive. */
static void silent_take(struct silent *s)
{
	char byte;

	s->taken = accept4(s->listening, NULL, NULL, SOCK_CLOEXEC);
	assert_true(s->taken >= 0);
	assert_int_equal(read(s->taken, &byte, 1), 1);
}

static void silent_close(struct silent *s)
{
	(void)close(s->taken);
	(void)close(s->listening);
}

struct heard {
	struct loop *loop;
	bool told;
	int err;
	char why[DIAG_MESSAGE_BYTES];
};

static void told(int err, const struct diag *d, void *ctx)
{
	struct heard *h = ctx;

	h->told = true;
	h->err = err;
	(void)snprintf(h->why, sizeof(h->why), "%s", d->message);
	loop_stop(h->loop);
}

/* Amy says something on `sp`, and the service has been asked. */
static void begin(struct speech *sp, struct silent *s, struct utterance *u,
		  struct heard *h)
{
	struct utterance *one[] = {u};
	struct diag d = {0};

	assert_int_equal(utterance_text(u, span_of("Hello."), false, &d), 0);
	assert_int_equal(speech_prepare(sp, one, 1, h->loop, told, h), 0);
	silent_take(s);
}

static struct speech *open_speech(const struct silent *s, struct clock *clock)
{
	static const struct speech_choice choices[] = {{"en", "Polly.Amy"},
						       {0}};
	const struct speech_polly polly = {.region = "eu-west-1",
					   .endpoint = s->url,
					   .key_id = "AKID",
					   .secret = "hush"};
	/* nobody here could stand in */
	const struct speech_params params = {.choices = choices,
					     .clock = clock,
					     .polly = &polly,
					     .flite = "/nonexistent"};
	struct speech *sp = NULL;
	struct diag d = {0};

	assert_int_equal(speech_new(&params, &sp, &d), 0);
	return sp;
}

TEST(a_service_that_hangs_is_given_up_when_its_time_is_over)
{
	struct clock *c = clock_manual(0);
	struct silent s = {0};
	AUTO(loop) *l = loop_new(clock_real());
	AUTO(utterance) *u = utterance_new("en");
	struct heard h = {.loop = l};
	struct speech *sp;

	silent_open(&s);
	sp = open_speech(&s, c);
	begin(sp, &s, u, &h);
	clock_advance(c, SPEECH_RENDER_MS);
	loop_run(l);

	assert_true(h.told);
	assert_int_equal(h.err, -ENOENT); /* of the one in its place */
	assert_non_null(strstr(h.why, "/nonexistent"));
	speech_free(sp);
	silent_close(&s);
	clock_free(c);
}

TEST(a_service_that_hangs_is_let_go_when_the_program_stops)
{
	struct silent s = {0};
	AUTO(loop) *l = loop_new(clock_real());
	AUTO(utterance) *u = utterance_new("en");
	struct heard h = {.loop = l};
	struct speech *sp;

	silent_open(&s);
	sp = open_speech(&s, NULL);
	begin(sp, &s, u, &h);
	speech_free(sp);
	(void)loop_turn(l);

	assert_true(h.told);
	assert_int_equal(h.err, -ECANCELED);
	silent_close(&s);
}

/* Refuses with what was said, far enough behind that only a part is kept. */
static void *refuse_all(void *ctx)
{
	static const char head[] = "HTTP/1.1 403 Forbidden\r\n"
				   "Connection: close\r\n"
				   "Content-Type: application/json\r\n\r\n";
	struct silent *s = ctx;
	char said[256], body[512];
	int n;

	silent_take(s);
	memset(said, 'x', sizeof(said));
	said[190] = '\0';
	n = snprintf(body, sizeof(body),
		     "%s{\"message\":\"%s Dear Ada Lovelace, hello.\"}", head,
		     said);
	assert_int_equal(send(s->taken, body, (size_t)n, MSG_NOSIGNAL), n);
	(void)shutdown(s->taken, SHUT_WR);
	return NULL;
}

TEST(what_amazon_quotes_is_not_passed_on_not_even_its_beginning)
{
	struct silent s = {0};
	struct diag d = {0};
	struct pcm out = {0};
	struct voice v;
	pthread_t thread;

	silent_open(&s);
	assert_int_equal(pthread_create(&thread, NULL, refuse_all, &s), 0);
	assert_int_equal(
		voice_open(
			&(struct speech_params){
				.polly = &(
					struct speech_polly){.region = "x",
							     .endpoint = s.url,
							     .key_id = "AKID",
							     .secret = "hush"}},
			"Polly.Amy", "en", &v, &d),
		0);
	assert_int_equal(voice_say(&v,
				   &(struct voice_ask){
					   .text = "Dear Ada Lovelace, hello."},
				   &(struct voice_limits){.clock = clock_real(),
							  .ms = 10000,
							  .bytes = 4096,
							  .stop_fd = -1},
				   &out, &d),
			 -EIO);
	(void)pthread_join(thread, NULL);

	assert_non_null(strstr(d.message, "Amazon answered 403"));
	assert_null(strstr(d.message, "Dear"));
	voice_close(&v);
	silent_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_voice_knows_what_it_speaks),
		cmocka_unit_test(a_name_that_cannot_be_is_refused),
		cmocka_unit_test(credentials_are_read_from_the_section_default),
		cmocka_unit_test(
			what_is_wrong_with_credentials_is_said_without_them),
		cmocka_unit_test(
			a_service_that_hangs_is_given_up_when_its_time_is_over),
		cmocka_unit_test(
			a_service_that_hangs_is_let_go_when_the_program_stops),
		cmocka_unit_test(
			what_amazon_quotes_is_not_passed_on_not_even_its_beginning),
	};

	return cmocka_run_group_tests_name("speech/polly", tests, NULL, NULL);
}
