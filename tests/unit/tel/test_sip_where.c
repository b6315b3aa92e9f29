// SPDX-License-Identifier: Apache-2.0
/*
 * test_sip_where.c - a trunk that is a name: known late, moved, at several
 * addresses.  What its name means is said by a book that a test owns; the trunk
 * itself is at 127.0.0.1, and at 127.0.0.2 a socket that hears and says nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/test.h"
#include "tel/sip_priv.h"
#include "unit/tel/sip_world.h"

#define HERE "127.0.0.1"
#define THERE "127.0.0.2"

enum { PING_MS = 30 * 1000, MESSAGE_MAX = 8192, PAGES = 2 };

/* --- the book ------------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock; /* the resolver reads it */
	const char *at[PAGES];
	unsigned asked;
} book = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_book(const char *first, const char *second)
{
	(void)pthread_mutex_lock(&book.lock);
	book.at[0] = first;
	book.at[1] = second;
	(void)pthread_mutex_unlock(&book.lock);
}

static unsigned asked(void)
{
	unsigned n;

	(void)pthread_mutex_lock(&book.lock);
	n = book.asked;
	(void)pthread_mutex_unlock(&book.lock);
	return n;
}

static int read_book(const char *host, sa_family_t family,
		     struct sockaddr_storage *out, int max, void *ctx)
{
	int n = 0;

	(void)ctx;
	(void)pthread_mutex_lock(&book.lock);
	book.asked++;
	if (strcmp(host, "trunk.example") == 0 && family == AF_INET)
		for (int i = 0; i < PAGES && n < max; i++)
			if (book.at[i] && !net_address(book.at[i], 0, &out[n]))
				n++;
	(void)pthread_mutex_unlock(&book.lock);
	return n;
}

/* --- a world with a name ----------------------------------------------------------- */

static int there; /* the socket */

static void open_there(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons((uint16_t)port)};

	there = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(there >= 0);
	assert_int_equal(inet_pton(AF_INET, THERE, &a.sin_addr), 1);
	assert_int_equal(bind(there, (struct sockaddr *)&a, sizeof(a)), 0);
}

/* Does the next that came there begin like that? */
static bool came_there(const char *start)
{
	char text[MESSAGE_MAX];
	ssize_t n = recv(there, text, sizeof(text), MSG_DONTWAIT);

	return n >= (ssize_t)strlen(start) &&
	       strncmp(text, start, strlen(start)) == 0;
}

static void begin(struct sip_world *w, unsigned ping_ms)
{
	sip_world_make(w);
	open_there(sip_peer_port(w->peer));
	book.asked = 0;
	w->conf.host = "trunk.example";
	w->conf.ping_ms = ping_ms;
	w->lookup = read_book;
	sip_world_open(w);
}

static void end(struct sip_world *w)
{
	sip_world_close(w);
	(void)close(there);
}

static bool is_at(const struct sip_world *w, const char *host)
{
	char text[NET_TEXT_BYTES];

	net_host(&w->sip->trunks[0].peer, text);
	return strcmp(text, host) == 0;
}

static bool is_heard(const struct sip_world *w, const char *host)
{
	struct sockaddr_storage a;

	assert_int_equal(net_address(host, 1, &a), 0);
	return tsip_gate_trunk(w->sip, &a) != NULL;
}

static void pass(struct sip_world *w, unsigned s)
{
	while (s-- > 0)
		sip_world_advance(w, 1000);
}

/* The next lookup's answer was told. */
static void look_again(struct sip_world *w, int64_t after_ms)
{
	unsigned before = asked();

	sip_world_advance(w, after_ms);
	UNTIL(w, asked() > before && !w->sip->trunks[0].asking);
}

static int dial_now(struct sip_world *w)
{
	const struct tel_params params = {.call_id = "v1",
					  .to = "+4915112345678",
					  .from = "",
					  .language = "de"};

	return tel_dial(w->tel, &params, &w->call);
}

/* --- known, or not ------------------------------------------------------------------ */

TEST(a_trunk_whose_name_is_unknown_is_down_and_comes_up_by_itself)
{
	struct sip_world w;

	write_book(NULL, NULL);
	begin(&w, 0);
	assert_int_equal(tel_state(w.tel), TEL_DOWN);
	UNTIL(&w, w.news_count == 1);
	assert_int_equal(w.news[0].state, TEL_DOWN);
	assert_int_equal(w.news[0].why, TEL_SIP_UNKNOWN);
	assert_int_equal(dial_now(&w), -EHOSTUNREACH);
	look_again(&w, TSIP_NAME_AGAIN_MS);
	assert_int_equal(w.news_count, 1);

	write_book(HERE, NULL);
	look_again(&w, TSIP_NAME_AGAIN_MS);
	assert_int_equal(tel_state(w.tel), TEL_UP);
	assert_int_equal(w.news_count, 2);
	assert_int_equal(w.news[1].why, TEL_SIP_ANSWERS);
	sip_world_dial(&w);
	assert_non_null(strstr(sip_peer_last(w.peer, "INVITE "),
			       "INVITE sip:+4915112345678@trunk.example:"));
	assert_non_null(strstr(sip_peer_last(w.peer, "INVITE "),
			       "Route: <sip:127.0.0.1:"));
	end(&w);
}

TEST(an_address_is_there_at_once_and_never_looked_up)
{
	struct sip_world w;

	sip_world_make(&w);
	book.asked = 0;
	w.lookup = read_book;
	sip_world_open(&w);

	assert_int_equal(tel_state(w.tel), TEL_UP);
	assert_null(w.sip->names);
	pass(&w, TSIP_NAME_MS / 1000 + 1);
	assert_int_equal(asked(), 0);
	sip_world_close(&w);
}

TEST(what_cannot_be_a_name_is_an_error_of_the_setting)
{
	static const char *const wrong[] = {
		"no such host",   "-a", ".", "", "trunk.example:x",
		"trunk.example:0"};
	struct sip_world w;

	sip_world_make(&w);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct diag d = {.message = ""};
		struct tel_sip_params params = {.loop = w.loop,
						.rng = w.rng,
						.pump = w.pump,
						.listen = "127.0.0.1:0",
						.media = "127.0.0.1",
						.trunks = &w.conf,
						.trunks_count = 1};

		w.conf.host = wrong[i];
		assert_int_equal(tel_sip_new(&params, &w.sip, &d), -EINVAL);
		assert_string_equal(d.field, "host");
	}
	w.conf.host = HERE;
	sip_world_open(&w);
	sip_world_close(&w);
}

TEST(a_name_that_ceases_to_resolve_keeps_its_address)
{
	struct sip_world w;

	write_book(HERE, NULL);
	begin(&w, 0);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	write_book(NULL, NULL);
	look_again(&w, TSIP_NAME_MS);
	look_again(&w, TSIP_NAME_AGAIN_MS);

	assert_int_equal(tel_state(w.tel), TEL_UP);
	assert_true(is_at(&w, HERE));
	assert_int_equal(w.news_count, 1);
	sip_world_dial(&w);
	end(&w);
}

/* --- another address ----------------------------------------------------------------- */

TEST(another_address_takes_over_and_calls_go_on_at_the_old_one)
{
	struct sip_world w;

	write_book(HERE, NULL);
	begin(&w, 0);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	sip_world_dial(&w);
	sip_world_pick_up(&w, NULL);
	write_book(THERE, NULL);
	look_again(&w, TSIP_NAME_MS);

	assert_true(is_at(&w, THERE));
	assert_true(is_heard(&w, THERE));
	pass(&w, 60);
	assert_true(is_heard(&w, HERE));
	sip_peer_ask(w.peer, "BYE", NULL, NULL, NULL);
	sip_world_ends(&w, TEL_HUNG_UP, 0, 0);
	tel_call_close(w.call);
	w.call = NULL;
	UNTIL(&w, w.sip->call_count == 0);
	/* the last retransmission, and no longer */
	assert_true(is_heard(&w, HERE));
	pass(&w, 33);
	assert_false(is_heard(&w, HERE));

	assert_int_equal(dial_now(&w), 0);
	UNTIL(&w, came_there("INVITE "));
	end(&w);
}

TEST(a_call_of_before_is_ended_at_the_old_address)
{
	struct sip_world w;

	write_book(HERE, NULL);
	begin(&w, 0);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	sip_world_dial(&w);
	/* a name that nobody looks up: it is led back to the trunk */
	sip_peer_answer(w.peer,
			&(struct sip_peer_answer){
				.code = 200,
				.contact = "Contact: <sip:p@gw.example>\r\n",
				.sdp = sip_peer_sdp(w.peer, NULL)});
	UNTIL(&w, sip_world_saw(&w, TEL_ANSWERED));
	write_book(THERE, NULL);
	look_again(&w, TSIP_NAME_MS);
	assert_true(is_at(&w, THERE));
	tel_call_hang_up(w.call);

	UNTIL(&w, sip_peer_heard(w.peer, "BYE ") == 1);
	assert_non_null(strstr(sip_peer_last(w.peer, "BYE "),
			       "BYE sip:p@gw.example SIP/2.0"));
	assert_false(came_there("BYE "));
	end(&w);
}

TEST(an_old_address_without_calls_is_soon_forgotten)
{
	struct sip_world w;

	write_book(HERE, NULL);
	begin(&w, 0);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	write_book(THERE, NULL);
	look_again(&w, TSIP_NAME_MS);

	assert_true(is_heard(&w, HERE));
	pass(&w, 33);
	assert_false(is_heard(&w, HERE));
	assert_true(is_heard(&w, THERE));
	end(&w);
}

TEST(a_silent_trunk_is_asked_for_soon_and_found_where_it_went)
{
	struct sip_world w;

	write_book(THERE, NULL);
	begin(&w, PING_MS);
	UNTIL(&w, came_there("OPTIONS "));
	write_book(HERE, NULL);
	pass(&w, 6); /* that ping is lost */
	look_again(&w, TSIP_NAME_AGAIN_MS);

	UNTIL(&w, sip_peer_heard(w.peer, "OPTIONS ") > 0);
	assert_true(is_at(&w, HERE));
	assert_int_equal(tel_state(w.tel), TEL_UP);
	end(&w);
}

/* --- several ---------------------------------------------------------------------------- */

TEST(the_first_of_several_is_used_and_all_are_heard)
{
	struct sip_world w;

	write_book(HERE, THERE);
	begin(&w, 0);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	assert_true(is_at(&w, HERE));
	assert_true(is_heard(&w, HERE));
	assert_true(is_heard(&w, THERE));
	assert_false(is_heard(&w, "127.0.0.3"));

	/* the order is nobody's wish */
	write_book(THERE, HERE);
	look_again(&w, TSIP_NAME_MS);
	assert_true(is_at(&w, HERE));
	end(&w);
}

TEST(the_next_is_used_when_a_ping_stays_unanswered)
{
	struct sip_world w;

	write_book(THERE, HERE);
	begin(&w, PING_MS);
	UNTIL(&w, came_there("OPTIONS "));
	pass(&w, 6);
	UNTIL(&w, sip_peer_heard(w.peer, "OPTIONS ") > 0);
	sip_peer_answer_to(w.peer, "OPTIONS ",
			   &(struct sip_peer_answer){.code = 200});
	UNTIL(&w, w.sip->trunks[0].unanswered == 0);

	assert_true(is_at(&w, HERE));
	assert_int_equal(tel_state(w.tel), TEL_UP);
	assert_int_equal(w.news_count, 1);
	end(&w);
}

TEST(the_next_is_used_when_a_call_gets_no_answer)
{
	struct sip_world w;

	write_book(THERE, HERE);
	begin(&w, 0);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	sip_world_try(&w);
	UNTIL(&w, came_there("INVITE "));
	pass(&w, 11);
	sip_world_ends(&w, TEL_UNREACHABLE, 408, 0);
	tel_call_close(w.call);
	w.call = NULL;

	assert_true(is_at(&w, HERE));
	assert_int_equal(tel_state(w.tel), TEL_UP);
	sip_world_dial(&w);
	end(&w);
}

TEST(what_many_say_of_one_address_counts_once)
{
	struct sip_world w;
	struct sockaddr_storage first;

	write_book(THERE, HERE);
	begin(&w, 0);
	UNTIL(&w, tel_state(w.tel) == TEL_UP);
	first = w.sip->trunks[0].peer;

	assert_true(tsip_where_failed(&w.sip->trunks[0], &first));
	assert_true(is_at(&w, HERE));
	assert_false(tsip_where_failed(&w.sip->trunks[0], &first));
	assert_true(is_at(&w, HERE));
	end(&w);
}

/* --- pings that somebody asked for -------------------------------------------------------- */

static unsigned pinged;
static int pinged_err, pinged_code;

static void on_pinged(int err, int sip_code, const char *reason,
		      int64_t took_us, void *ctx)
{
	(void)reason;
	(void)took_us;
	(void)ctx;
	pinged++;
	pinged_err = err;
	pinged_code = sip_code;
}

TEST(a_ping_waits_for_the_name)
{
	struct sip_world w;

	write_book(HERE, NULL);
	begin(&w, 0);
	pinged = 0;
	tel_sip_ping(w.sip, 0, on_pinged, NULL);
	UNTIL(&w, sip_peer_heard(w.peer, "OPTIONS ") == 1);
	sip_peer_answer_to(w.peer, "OPTIONS ",
			   &(struct sip_peer_answer){.code = 200});
	UNTIL(&w, pinged == 1);

	assert_int_equal(pinged_code, 200);
	end(&w);
}

TEST(a_ping_says_that_the_name_does_not_resolve)
{
	struct sip_world w;

	write_book(NULL, NULL);
	begin(&w, 0);
	pinged = 0;
	tel_sip_ping(w.sip, 0, on_pinged, NULL);
	UNTIL(&w, pinged == 1);
	assert_int_equal(pinged_err, -ENOENT);
	assert_int_equal(pinged_code, 0);

	/* and one that waits at the end is nobody's loss */
	tel_sip_ping(w.sip, 0, on_pinged, NULL);
	end(&w);
	assert_int_equal(pinged, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test(name)
		T(a_trunk_whose_name_is_unknown_is_down_and_comes_up_by_itself),
		T(an_address_is_there_at_once_and_never_looked_up),
		T(what_cannot_be_a_name_is_an_error_of_the_setting),
		T(a_name_that_ceases_to_resolve_keeps_its_address),
		T(another_address_takes_over_and_calls_go_on_at_the_old_one),
		T(a_call_of_before_is_ended_at_the_old_address),
		T(an_old_address_without_calls_is_soon_forgotten),
		T(a_silent_trunk_is_asked_for_soon_and_found_where_it_went),
		T(the_first_of_several_is_used_and_all_are_heard),
		T(the_next_is_used_when_a_ping_stays_unanswered),
		T(the_next_is_used_when_a_call_gets_no_answer),
		T(what_many_say_of_one_address_counts_once),
		T(a_ping_waits_for_the_name),
		T(a_ping_says_that_the_name_does_not_resolve),
	};

	return cmocka_run_group_tests_name("tel/sip_where", tests, NULL, NULL);
}
