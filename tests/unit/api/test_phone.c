// SPDX-License-Identifier: Apache-2.0
/*
 * test_phone.c - the page's telephone over HTTP: who may be it, and a call from
 * ring to hang-up with a browser that is a socket.
 */
#include "api/phone.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/http.h"
#include "support/test.h"

enum { TOKEN_BYTES = 33, CALL_BYTES = 33, WAIT_MS = 10000 };

#define OURS "Origin: http://phone.example:8080\r\n"
#define JSON "Content-Type: application/json\r\n"
#define HOST "phone.example:8080"

static struct bench {
	struct clock *clock;
	struct loop *loop;
	struct tel *tel;
	struct tel_browser *browser;
	struct tel_call *call;
	struct tel_event last;
	struct api_phone *phone;
	struct web *web;
	unsigned port;
	pthread_mutex_t lock;
	char token[TOKEN_BYTES]; /* the newest link's */
	unsigned links;
	char cookie[128]; /* a line of a request */
} bench;

static void on_link(const char *token, void *ctx)
{
	(void)ctx;
	(void)pthread_mutex_lock(&bench.lock);
	(void)snprintf(bench.token, sizeof(bench.token), "%s", token);
	bench.links++;
	(void)pthread_mutex_unlock(&bench.lock);
}

static void on_event(const struct tel_event *ev, void *ctx)
{
	(void)ctx;
	bench.last = *ev;
}

#define HANDLER(name)                                           \
	static void on_##name(struct web_request *r, void *ctx) \
	{                                                       \
		api_phone_##name(ctx, r);                       \
	}
HANDLER(page)
HANDLER(session)
HANDLER(events)
HANDLER(act)
HANDLER(sound)

static const struct web_route routes[] = {
	{.method = "GET", .pattern = "/phone", .handler = on_page},
	{.method = "GET", .pattern = "/phone/phone.js", .handler = on_page},
	{.method = "GET", .pattern = "/phone/phone.css", .handler = on_page},
	{.method = "POST", .pattern = "/phone/session", .handler = on_session},
	{.method = "GET", .pattern = "/phone/events", .handler = on_events},
	{.method = "POST", .pattern = "/phone/calls/{}/{}", .handler = on_act},
	{.method = "GET",
	 .pattern = "/phone/calls/{}/sound/{}",
	 .handler = on_sound},
	{0}};

static void on_trouble(struct web_request *r, enum web_trouble t, void *ctx)
{
	(void)t;
	(void)ctx;
	web_answer(r, &(struct web_answer){.status = 500});
}

static void start_web(struct api_phone *phone)
{
	const struct web_params params = {.listen = "127.0.0.1:0",
					  .threads = 2,
					  .routes = routes,
					  .trouble = on_trouble,
					  .clock = clock_real(),
					  .ctx = phone};
	struct diag d = {0};

	if (web_start(&params, &bench.web, &d))
		fail_msg("%s", d.message);
	bench.port = web_port(bench.web);
}

static int new_phone(const char *dir, struct diag *d)
{
	const struct api_phone_params params = {.browser = bench.browser,
						.dir = dir,
						.origin = "http://" HOST,
						.clock = clock_real(),
						.rng = rng_system(),
						.link = on_link};

	return api_phone_new(&params, &bench.phone, d);
}

static int setup(void **state)
{
	const char *source =
		getenv("VOICEOTP_SOURCE"); // NOLINT(concurrency-mt-unsafe)
	char dir[4096];
	struct diag d = {0};

	(void)state;
	memset(&bench, 0, sizeof(bench));
	(void)pthread_mutex_init(&bench.lock, NULL);
	bench.clock = clock_manual(1700000000000);
	bench.loop = loop_new(bench.clock);
	assert_int_equal(tel_browser_new(bench.loop, rng_system(), "+1000",
					 &bench.browser, &bench.tel),
			 0);
	(void)snprintf(dir, sizeof(dir), "%s/packaging/phone",
		       source ? source : ".");
	if (new_phone(dir, &d))
		fail_msg("%s", d.message);
	start_web(bench.phone);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	web_stop(bench.web);
	loop_advance(bench.loop, 0);
	api_phone_free(bench.phone);
	tel_call_close(bench.call);
	tel_free(bench.tel);
	loop_free(bench.loop);
	clock_free(bench.clock);
	(void)pthread_mutex_destroy(&bench.lock);
	return 0;
}

/* --- a browser ------------------------------------------------------------------ */

static void send_request(int fd, const char *method, const char *path,
			 const char *headers, const char *body)
{
	AUTO_BUF(text, HTTP_MAX);

	buf_printf(&text, "%s %s HTTP/1.1\r\n%s", method, path, headers);
	if (!strstr(headers, "Host:"))
		buf_str(&text, "Host: " HOST "\r\n");
	if (body)
		buf_printf(&text, "Content-Length: %zu\r\n", strlen(body));
	buf_printf(&text, "\r\n%s", body ? body : "");
	http_send_bytes(fd, text.p, text.n);
}

static void ask(const char *method, const char *path, const char *headers,
		const char *body, struct http_answer *out)
{
	int fd = http_connect(bench.port);

	send_request(fd, method, path, headers, body);
	http_read(fd, false, out);
	(void)close(fd);
	/* what was told of a new link is there for this thread, too */
	(void)pthread_mutex_lock(&bench.lock);
	(void)pthread_mutex_unlock(&bench.lock);
}

static int status_of(const char *method, const char *path, const char *headers,
		     const char *body)
{
	struct http_answer a;

	ask(method, path, headers, body, &a);
	http_answer_free(&a);
	return a.status;
}

static int exchange(const char *token)
{
	struct http_answer a;
	const char *cookie;
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"token\":\"%s\"}", token);
	ask("POST", "/phone/session", OURS JSON, body, &a);
	cookie = http_header(&a, "Set-Cookie");
	if (cookie)
		(void)snprintf(bench.cookie, sizeof(bench.cookie),
			       "Cookie: other=1; %.*s\r\n",
			       (int)strcspn(cookie, ";"), cookie);
	http_answer_free(&a);
	return a.status;
}

/* A page with a session: its stream, and its name. */
struct page {
	int fd;
	char id[TEL_BROWSER_ID_BYTES];
	struct buf events;
};

static void read_events(struct page *p, const char *until)
{
	buf_reset(&p->events);
	http_read_until(p->fd, until, &p->events);
	http_read_until(p->fd, "}\n\n", &p->events);
}

static void copy_member(const struct page *p, const char *name, char out[33])
{
	const char *at = strstr(p->events.p, name);

	assert_non_null(at);
	(void)snprintf(out, 33, "%s", at + strlen(name));
	assert_int_equal(strspn(out, "0123456789abcdef"), 32);
}

static void wait_for_page(void)
{
	int64_t end = clock_mono_ms(clock_real()) + WAIT_MS;

	/* the worker posts; then this thread, which is the line, greets */
	while (!loop_turn(bench.loop))
		assert_true(clock_mono_ms(clock_real()) < end);
	loop_advance(bench.loop, 0);
}

static void open_page(struct page *p)
{
	char headers[512];

	if (!bench.cookie[0])
		assert_int_equal(exchange(bench.token), 204);
	buf_init(&p->events, HTTP_MAX);
	p->fd = http_connect(bench.port);
	(void)snprintf(headers, sizeof(headers),
		       "Sec-Fetch-Site: same-origin\r\n%s", bench.cookie);
	send_request(p->fd, "GET", "/phone/events", headers, NULL);
	wait_for_page();
	read_events(p, "event: ready\n");
	copy_member(p, "\"page\":\"", p->id);
}

static void close_page(struct page *p)
{
	(void)close(p->fd);
	buf_free(&p->events);
}

static void dial(void)
{
	const struct tel_params params = {.call_id = "call-1",
					  .to = "+1000",
					  .from = "+15671234567",
					  .language = "en",
					  .ring_ms = 28000,
					  .event = on_event};

	assert_int_equal(tel_dial(bench.tel, &params, &bench.call), 0);
	loop_advance(bench.loop, 0);
}

static int act(const char *call, const char *name, const char *body)
{
	char path[128], headers[512];
	int status;

	(void)snprintf(path, sizeof(path), "/phone/calls/%s/%s", call, name);
	(void)snprintf(headers, sizeof(headers), OURS JSON "%s", bench.cookie);
	status = status_of("POST", path, headers, body);
	loop_advance(bench.loop, 0);
	return status;
}

static int plain_act(const struct page *p, const char *call, const char *name)
{
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"page\":\"%s\"}", p->id);
	return act(call, name, body);
}

static void play(unsigned ms, uint32_t id)
{
	struct pcm pcm = {b_zero(pcm_samples(ms), 2), pcm_samples(ms)};
	AUTO(clip) *c = clip_new(&pcm, "Hello.");
	AUTO(playlist) *p = playlist_new();

	pcm_free(&pcm);
	assert_int_equal(playlist_add(p, c), 0);
	assert_int_equal(tel_call_play(bench.call, p, id), 0);
}

/* --- the page --------------------------------------------------------------------- */

static void assert_file(const char *path, const char *type, const char *text)
{
	struct http_answer a;

	ask("GET", path, "", NULL, &a);

	assert_int_equal(a.status, 200);
	assert_string_equal(http_header(&a, "Content-Type"), type);
	assert_string_equal(http_header(&a, "Cache-Control"), "no-store");
	assert_string_equal(http_header(&a, "X-Content-Type-Options"),
			    "nosniff");
	assert_string_equal(http_header(&a, "Referrer-Policy"), "no-referrer");
	assert_non_null(strstr(http_header(&a, "Content-Security-Policy"),
			       "default-src 'none'; script-src 'self'"));
	assert_non_null(strstr(http_header(&a, "Content-Security-Policy"),
			       "frame-ancestors 'none'"));
	assert_null(http_header(&a, "Access-Control-Allow-Origin"));
	assert_non_null(strstr(a.body.p, text));
	http_answer_free(&a);
}

TEST(the_page_is_served_to_anybody_with_a_strict_policy)
{
	assert_file("/phone", "text/html; charset=utf-8", "id=\"answer\"");
	assert_file("/phone/phone.js", "text/javascript; charset=utf-8",
		    "EventSource");
	assert_file("/phone/phone.css", "text/css; charset=utf-8",
		    "prefers-color-scheme");
}

TEST(nothing_in_the_page_is_inline)
{
	struct http_answer a;

	ask("GET", "/phone", "", NULL, &a);

	assert_null(strstr(a.body.p, "<style"));
	assert_null(strstr(a.body.p, "style="));
	assert_null(strstr(a.body.p, "<script>"));
	assert_null(strstr(a.body.p, "onclick"));
	assert_null(strstr(a.body.p, "://"));
	http_answer_free(&a);
}

TEST(a_name_that_was_made_to_point_here_is_refused)
{
	assert_int_equal(status_of("GET", "/phone", "Host: evil.example\r\n",
				   NULL),
			 403);
	assert_int_equal(status_of("GET", "/phone",
				   "Host: evil.example:8080\r\n", NULL),
			 403);
	assert_int_equal(status_of("GET", "/phone", "Host: phone.example\r\n",
				   NULL),
			 403);
	assert_int_equal(status_of("GET", "/phone",
				   "Host: 127.0.0.1.evil.example\r\n", NULL),
			 403);
}

TEST(an_address_cannot_be_rebound)
{
	assert_int_equal(status_of("GET", "/phone", "Host: 127.0.0.1:80\r\n",
				   NULL),
			 200);
	assert_int_equal(
		status_of("GET", "/phone", "Host: 192.0.2.7\r\n", NULL), 200);
	assert_int_equal(
		status_of("GET", "/phone", "Host: [::1]:8080\r\n", NULL), 200);
	assert_int_equal(status_of("GET", "/phone", "Host: localhost:8080\r\n",
				   NULL),
			 200);
}

TEST(without_a_phone_there_is_no_page)
{
	web_stop(KEEP(bench.web));
	start_web(NULL);

	assert_int_equal(status_of("GET", "/phone", "", NULL), 404);
	assert_int_equal(status_of("POST", "/phone/session", OURS JSON, "{}"),
			 404);
	assert_int_equal(status_of("GET", "/phone/events", "", NULL), 404);
}

TEST(a_page_without_its_files_is_an_error_that_names_one)
{
	struct diag d = {0};

	api_phone_free(KEEP(bench.phone));
	assert_int_equal(new_phone("/nonexistent", &d), -ENOENT);
	assert_non_null(strstr(d.message, "/nonexistent/index.html"));
	assert_null(bench.phone);
}

/* --- the session -------------------------------------------------------------------- */

TEST(a_link_works_once_and_then_there_is_another)
{
	char first[TOKEN_BYTES];

	memcpy(first, bench.token, sizeof(first));
	assert_int_equal(bench.links, 1);
	assert_int_equal(exchange(first), 204);
	assert_int_equal(bench.links, 2);
	assert_string_not_equal(first, bench.token);

	assert_int_equal(exchange(first), 403);
	assert_int_equal(exchange("00000000000000000000000000000000"), 403);
	assert_int_equal(exchange(""), 403);
	assert_int_equal(bench.links, 2);
	assert_int_equal(exchange(bench.token), 204);
}

TEST(the_cookie_is_for_this_page_alone)
{
	struct http_answer a;
	const char *cookie;
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"token\":\"%s\"}", bench.token);
	ask("POST", "/phone/session", OURS JSON, body, &a);
	cookie = http_header(&a, "Set-Cookie");

	assert_non_null(strstr(cookie, "; Path=/phone; HttpOnly; "
				       "SameSite=Strict"));
	assert_null(strstr(cookie, "Secure"));
	http_answer_free(&a);

	api_phone_set_origin(bench.phone, "https://" HOST);
	(void)snprintf(body, sizeof(body), "{\"token\":\"%s\"}", bench.token);
	ask("POST", "/phone/session",
	    "Origin: https://phone.example:8080\r\n" JSON, body, &a);
	assert_non_null(strstr(http_header(&a, "Set-Cookie"), "; Secure"));
	http_answer_free(&a);
}

/* The proxy asks under a host of its own; the page is where others reach us. */
TEST(a_page_behind_a_proxy_is_ours_by_its_public_address)
{
	struct http_answer a;
	char body[64];

	api_phone_set_origin(bench.phone, "https://voice.example");
	(void)snprintf(body, sizeof(body), "{\"token\":\"%s\"}", bench.token);
	ask("POST", "/phone/session",
	    "Host: 127.0.0.1:8080\r\n"
	    "Origin: https://other.example\r\n" JSON,
	    body, &a);
	assert_int_equal(a.status, 403);
	http_answer_free(&a);

	ask("POST", "/phone/session",
	    "Host: 127.0.0.1:8080\r\n"
	    "Origin: https://voice.example\r\n" JSON,
	    body, &a);
	assert_int_equal(a.status, 204);
	assert_non_null(strstr(http_header(&a, "Set-Cookie"), "; Secure"));
	http_answer_free(&a);
}

TEST(a_page_that_is_loaded_again_needs_no_link)
{
	char headers[512], body[64];

	(void)snprintf(body, sizeof(body), "{\"token\":\"%s\"}", bench.token);
	assert_int_equal(exchange(bench.token), 204);
	(void)snprintf(headers, sizeof(headers), OURS JSON "%s", bench.cookie);

	assert_int_equal(status_of("POST", "/phone/session", headers, "{}"),
			 204);
	assert_int_equal(status_of("POST", "/phone/session", headers, body),
			 204);
	assert_int_equal(status_of("POST", "/phone/session", OURS JSON, "{}"),
			 403);
	assert_int_equal(bench.links, 2);
}

TEST(other_pages_may_not_ask)
{
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"token\":\"%s\"}", bench.token);
	assert_int_equal(status_of("POST", "/phone/session", JSON, body), 403);
	assert_int_equal(status_of("POST", "/phone/session",
				   "Origin: http://evil.example\r\n" JSON,
				   body),
			 403);
	assert_int_equal(status_of("POST", "/phone/session",
				   "Origin: null\r\n" JSON, body),
			 403);
	assert_int_equal(
		status_of("POST", "/phone/session",
			  "Origin: https://phone.example:8080\r\n" JSON, body),
		403);
	assert_int_equal(status_of("POST", "/phone/session",
				   OURS JSON "Sec-Fetch-Site: cross-site\r\n",
				   body),
			 403);
	assert_int_equal(bench.links, 1);
}

TEST(without_a_session_there_is_nothing_to_hear)
{
	const char *wrong = "Cookie: voiceotp_phone="
			    "00000000000000000000000000000000\r\n";

	assert_int_equal(status_of("GET", "/phone/events", "", NULL), 403);
	assert_int_equal(status_of("GET", "/phone/events", wrong, NULL), 403);
	assert_int_equal(status_of("GET", "/phone/calls/1/sound/1?page=2", "",
				   NULL),
			 403);
	assert_int_equal(status_of("POST", "/phone/calls/1/answer", OURS JSON,
				   "{\"page\":\"1\"}"),
			 403);
}

/* --- a call ---------------------------------------------------------------------------- */

TEST(a_call_goes_its_way_from_ring_to_hang_up)
{
	struct page p;
	char call[CALL_BYTES], path[160], body[160];
	struct http_answer a;
	struct pcm pcm = {0};

	open_page(&p);
	assert_non_null(strstr(p.events.p, "\"number\":\"+1000\""));
	dial();
	read_events(&p, "event: ring\n");
	assert_non_null(strstr(p.events.p, "\"from\":\"+15671234567\""));
	copy_member(&p, "\"call\":\"", call);
	assert_int_equal(plain_act(&p, call, "answer"), 204);
	assert_int_equal(bench.last.kind, TEL_ANSWERED);

	play(1000, 1);
	read_events(&p, "event: play\n");
	assert_non_null(strstr(p.events.p, "[[0,\"Hello.\"]]"));
	(void)snprintf(path, sizeof(path), "/phone/calls/%s/sound/1?page=%s",
		       call, p.id);
	ask("GET", path, bench.cookie, NULL, &a);
	assert_int_equal(a.status, 200);
	assert_string_equal(http_header(&a, "Content-Type"), "audio/wav");
	assert_string_equal(http_header(&a, "Cache-Control"), "no-store");
	assert_int_equal(wav_read(buf_view(&a.body), &pcm), 0);
	assert_int_equal(pcm.count, 8000);
	pcm_free(&pcm);
	http_answer_free(&a);

	loop_advance(bench.loop, 1000);
	(void)snprintf(body, sizeof(body),
		       "{\"page\":\"%s\",\"key\":\"#\",\"play\":1,"
		       "\"at_ms\":700}",
		       p.id);
	assert_int_equal(act(call, "key", body), 204);
	assert_int_equal(bench.last.kind, TEL_KEY);
	assert_int_equal(bench.last.key, '#');
	assert_int_equal(bench.last.played_ms, 700);
	(void)snprintf(body, sizeof(body), "{\"page\":\"%s\",\"play\":1}",
		       p.id);
	assert_int_equal(act(call, "played", body), 204);
	assert_int_equal(bench.last.kind, TEL_PLAYED);

	assert_int_equal(plain_act(&p, call, "hangup"), 204);
	assert_int_equal(bench.last.kind, TEL_ENDED);
	read_events(&p, "event: ended\n");
	assert_int_equal(plain_act(&p, call, "hangup"), 409);
	close_page(&p);
}

TEST(what_makes_no_sense_is_refused_each_in_its_way)
{
	struct page p;
	char call[CALL_BYTES], path[160], long_text[2100];

	open_page(&p);
	dial();
	read_events(&p, "event: ring\n");
	copy_member(&p, "\"call\":\"", call);
	memset(long_text, ' ', sizeof(long_text));
	memcpy(long_text + sizeof(long_text) - 3, "{}", 3);

	assert_int_equal(act(call, "answer", "{}"), 400);
	assert_int_equal(act(call, "answer", "{\"page\":1}"), 400);
	assert_int_equal(act(call, "answer", "{\"page\":\"1\",\"x\":1}"), 400);
	assert_int_equal(act(call, "answer", "[]"), 400);
	assert_int_equal(act(call, "answer", "{"), 400);
	assert_int_equal(act(call, "answer", long_text), 400);
	assert_int_equal(act(call, "key", "{\"page\":\"1\",\"play\":-1}"), 400);
	assert_int_equal(act(call, "answer", "{\"page\":\"1\"}"), 404);
	assert_int_equal(plain_act(&p, call, "whistle"), 404);
	assert_int_equal(plain_act(&p, "1", "answer"), 404);
	assert_int_equal(plain_act(&p, call, "key"), 409);
	(void)snprintf(path, sizeof(path), "/phone/calls/%s/sound/1?page=%s",
		       call, p.id);
	assert_int_equal(status_of("GET", path, bench.cookie, NULL), 404);
	(void)snprintf(path, sizeof(path), "/phone/calls/%s/answer", call);
	assert_int_equal(status_of("POST", path,
				   OURS "Content-Type: text/plain\r\n", "{}"),
			 403);
	assert_int_equal(bench.last.kind, TEL_RINGING);
	assert_int_equal(plain_act(&p, call, "decline"), 204);
	assert_int_equal(bench.last.cause, TEL_REFUSED);
	close_page(&p);
}

TEST(other_kinds_of_body_are_not_read)
{
	assert_int_equal(status_of("POST", "/phone/session",
				   OURS "Content-Type: text/plain\r\n", "{}"),
			 415);
	assert_int_equal(
		status_of("POST", "/phone/session",
			  OURS "Content-Type: application/json; charset=utf-8"
			       "\r\n",
			  "{}"),
		403);
}

TEST(a_page_that_is_closed_has_hung_up)
{
	struct page p;
	char call[CALL_BYTES];
	int64_t end;

	open_page(&p);
	dial();
	read_events(&p, "event: ring\n");
	copy_member(&p, "\"call\":\"", call);
	assert_int_equal(plain_act(&p, call, "answer"), 204);
	close_page(&p);

	end = clock_mono_ms(clock_real()) + WAIT_MS;
	while (bench.last.kind != TEL_ENDED) {
		assert_true(clock_mono_ms(clock_real()) < end);
		loop_advance(bench.loop, 100);
	}
	assert_int_equal(bench.last.cause, TEL_HUNG_UP);
}

TEST(the_server_may_stop_while_pages_are_open)
{
	struct page a, b;

	open_page(&a);
	open_page(&b);
	dial();
	web_stop(KEEP(bench.web));
	loop_advance(bench.loop, 60000);

	assert_int_equal(bench.last.kind, TEL_ENDED);
	close_page(&a);
	close_page(&b);
}

#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BENCH(the_page_is_served_to_anybody_with_a_strict_policy),
		WITH_BENCH(nothing_in_the_page_is_inline),
		WITH_BENCH(a_name_that_was_made_to_point_here_is_refused),
		WITH_BENCH(an_address_cannot_be_rebound),
		WITH_BENCH(without_a_phone_there_is_no_page),
		WITH_BENCH(a_page_without_its_files_is_an_error_that_names_one),
		WITH_BENCH(a_link_works_once_and_then_there_is_another),
		WITH_BENCH(the_cookie_is_for_this_page_alone),
		WITH_BENCH(a_page_behind_a_proxy_is_ours_by_its_public_address),
		WITH_BENCH(a_page_that_is_loaded_again_needs_no_link),
		WITH_BENCH(other_pages_may_not_ask),
		WITH_BENCH(without_a_session_there_is_nothing_to_hear),
		WITH_BENCH(a_call_goes_its_way_from_ring_to_hang_up),
		WITH_BENCH(what_makes_no_sense_is_refused_each_in_its_way),
		WITH_BENCH(other_kinds_of_body_are_not_read),
		WITH_BENCH(a_page_that_is_closed_has_hung_up),
		WITH_BENCH(the_server_may_stop_while_pages_are_open),
	};

	return cmocka_run_group_tests_name("api/phone", tests, NULL, NULL);
}
