// SPDX-License-Identifier: Apache-2.0
/*
 * rtpend.c - RTP far ends for tests: they hear digits and press keys.
 *
 *	rtpend serve PROMPTS CACHE PORT    speak with it over stdin and stdout
 *	rtpend search PROMPTS CACHE FILE   the digits in a WAV file
 *
 * Whoever does the signalling (sipp) names the ports of `serve` in its SDP.
 * What it is told, a line each, NAME being of its caller's choice:
 *
 *	open NAME [pcma] [mute] [tones] [follow] [late=MS] [rtcp=MS] [key=MS] [gap=MS]
 *	     [seed=N] [in=LOSS,TWICE,LATE] [out=LOSS,TWICE,LATE] [record=FILE]
 *	press NAME KEYS | mute NAME | unmute NAME | to NAME ADDRESS PORT
 *	bye NAME | stats NAME | close NAME
 *
 * and what it tells is JSON, a line each.  It ends with its standard input.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "media/clip.h"
#include "rtpend/line.h"

enum {
	LINES_MAX = 4096,
	COMMAND_MAX = 4096,
	WORDS_MAX = 24,
	KEY_MS = 100,
	GAP_MS = 100,
	WAV_MAX = 64 << 20,
	READY = 64,
};

struct end {
	struct ear_clips clips;
	struct line *lines[LINES_MAX];
	size_t count;
	unsigned next_port, tick;
	int poll, timer;
	char command[COMMAND_MAX];
	size_t length;
};

/* --- what it tells ------------------------------------------------------------------- */

static void on_heard(const struct ear_heard *h, void *ctx)
{
	const struct line *l = ctx;

	if (h->kind == EAR_DIGIT)
		(void)printf("{\"event\":\"digit\",\"line\":\"%s\","
			     "\"digit\":\"%c\",\"at_ms\":%u,\"got\":%u,"
			     "\"of\":%u}\n",
			     l->name, h->digit, h->at_ms, h->got, h->of);
	else
		(void)printf("{\"event\":\"quiet\",\"line\":\"%s\","
			     "\"at_ms\":%u}\n",
			     l->name, h->at_ms);
}

static void tell_types(const struct line_heard *h)
{
	const char *comma = "";

	(void)printf(",\"types\":[");
	for (unsigned pt = 0; pt < 128; pt++) {
		if (!(h->pts[pt / 64] & UINT64_C(1) << pt % 64))
			continue;
		(void)printf("%s%u", comma, pt);
		comma = ",";
	}
	(void)printf("]");
}

static void tell_stats(const char *event, const struct line *l)
{
	const struct line_heard *h = &l->heard;
	char far[INET_ADDRSTRLEN] = "";
	uint64_t span = h->packets ? h->top_seq - h->first_seq + 1 : 0;

	if (l->has_far)
		(void)inet_ntop(AF_INET, &l->far.sin_addr, far, sizeof(far));
	(void)printf("{\"event\":\"%s\",\"line\":\"%s\",\"far\":\"%s\","
		     "\"far_port\":%u,\"packets\":%" PRIu64 ",\"span\":%" PRIu64
		     ",\"doubles\":%" PRIu64,
		     event, l->name, far, ntohs(l->far.sin_port), h->packets,
		     span, h->doubles);
	(void)printf(",\"overtaken\":%" PRIu64 ",\"odd\":%" PRIu64
		     ",\"strange\":%" PRIu64 ",\"bad_times\":%" PRIu64
		     ",\"markers\":%u,\"sources\":%u,\"sent\":%" PRIu64,
		     h->overtaken, h->odd, h->strange, h->bad_times, h->markers,
		     h->sources, l->sent);
	(void)printf(",\"sender_reports\":%" PRIu64 ",\"cnames\":%" PRIu64
		     ",\"byes\":%" PRIu64 ",\"first_us\":%" PRId64
		     ",\"last_us\":%" PRId64 ",\"late_us\":%" PRId64
		     ",\"early_us\":%" PRId64,
		     h->sender_reports, h->cnames, h->byes, h->first_us,
		     h->last_us, h->late_us, h->early_us);
	tell_types(h);
	(void)printf("}\n");
}

static void tell_wrong(const char *what, const char *name)
{
	(void)printf("{\"event\":\"wrong\",\"line\":\"%s\",\"why\":\"%s\"}\n",
		     name, what);
}

/* --- what it is told ------------------------------------------------------------------- */

static unsigned number(const char *s)
{
	return (unsigned)strtoul(s, NULL, 10);
}

static void set_wire(struct wire *w, const char *s)
{
	char *end;

	w->loss = (unsigned)strtoul(s, &end, 10);
	w->twice = *end ? (unsigned)strtoul(end + 1, &end, 10) : 0;
	w->late = *end ? (unsigned)strtoul(end + 1, &end, 10) : 0;
}

static bool set_flag(struct line_conf *c, const char *word)
{
	if (strcmp(word, "pcma") == 0)
		c->pcma = true;
	else if (strcmp(word, "mute") == 0)
		c->sends = false;
	else if (strcmp(word, "tones") == 0)
		c->tones = true;
	else if (strcmp(word, "follow") == 0)
		c->follows = true;
	else
		return false;
	return true;
}

static bool set_option(struct line_conf *c, const char *word, uint64_t *seed)
{
	const char *value = strchr(word, '=');
	size_t n = value ? (size_t)(value++ - word) : 0;
	const struct {
		const char *name;
		unsigned *to;
	} times[] = {{"late", &c->late_ms},
		     {"rtcp", &c->rtcp_ms},
		     {"key", &c->key_ms},
		     {"gap", &c->gap_ms}};

	if (!value)
		return set_flag(c, word);
	for (size_t i = 0; i < COUNT_OF(times); i++) {
		if (strncmp(word, times[i].name, n) == 0 &&
		    strlen(times[i].name) == n) {
			*times[i].to = number(value);
			return true;
		}
	}
	if (strncmp(word, "seed=", n + 1) == 0)
		*seed = strtoull(value, NULL, 10);
	else if (strncmp(word, "in=", n + 1) == 0)
		set_wire(&c->in, value);
	else if (strncmp(word, "out=", n + 1) == 0)
		set_wire(&c->out, value);
	else if (strncmp(word, "record=", n + 1) == 0)
		(void)snprintf(c->record, sizeof(c->record), "%s", value);
	else
		return false;
	return true;
}

static int watch(struct end *e, int fd, struct line *l)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l};

	return epoll_ctl(e->poll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

static int start(struct end *e, struct line *l, uint64_t seed)
{
	int err = line_open(l, e->next_port, seed);

	if (!err) {
		e->next_port = l->port + 2;
		err = watch(e, l->rtp, l);
	}
	if (!err)
		err = watch(e, l->rtcp, l);
	return err;
}

static void do_open(struct end *e, char **words, size_t n)
{
	struct line *l = b_zero(1, sizeof(*l));
	uint64_t seed = 1;

	(void)snprintf(l->name, sizeof(l->name), "%s", words[1]);
	l->conf = (struct line_conf){
		.sends = true, .key_ms = KEY_MS, .gap_ms = GAP_MS};
	l->ear = (struct ear){.known = &e->clips, .heard = on_heard, .ctx = l};
	l->rtp = l->rtcp = -1;
	for (size_t i = 2; i < n; i++) {
		if (set_option(&l->conf, words[i], &seed))
			continue;
		tell_wrong("no such option", l->name);
		free(l);
		return;
	}
	l->conf.in.chance = seed;
	l->conf.out.chance = ~seed;
	if (e->count == LINES_MAX || start(e, l, seed)) {
		tell_wrong("no ports or no file", l->name);
		line_close(l);
		free(l);
		return;
	}
	e->lines[e->count++] = l;
	(void)printf("{\"event\":\"open\",\"line\":\"%s\",\"port\":%u}\n",
		     l->name, l->port);
}

static void do_press(struct end *e, struct line *l, char **words, size_t n)
{
	(void)e;
	if (n != 3 || line_press(l, words[2]))
		tell_wrong("no such keys", l->name);
}

static void do_mute(struct end *e, struct line *l, char **words, size_t n)
{
	(void)e;
	(void)n;
	l->conf.sends = words[0][0] == 'u';
}

static void do_to(struct end *e, struct line *l, char **words, size_t n)
{
	struct sockaddr_in to = {.sin_family = AF_INET};

	(void)e;
	if (n != 4 || inet_pton(AF_INET, words[2], &to.sin_addr) != 1) {
		tell_wrong("no such address", l->name);
		return;
	}
	to.sin_port = htons((uint16_t)number(words[3]));
	line_set_far(l, &to);
}

static void do_bye(struct end *e, struct line *l, char **words, size_t n)
{
	(void)e;
	(void)words;
	(void)n;
	line_bye(l);
}

static void do_stats(struct end *e, struct line *l, char **words, size_t n)
{
	(void)e;
	(void)words;
	(void)n;
	tell_stats("stats", l);
}

static void do_close(struct end *e, struct line *l, char **words, size_t n)
{
	(void)words;
	(void)n;
	for (size_t i = 0; i < e->count; i++) {
		if (e->lines[i] != l)
			continue;
		e->lines[i] = e->lines[--e->count];
		break;
	}
	line_close(l);
	tell_stats("closed", l);
	free(l);
}

static struct line *line_of(const struct end *e, const char *name)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->lines[i]->name, name) == 0)
			return e->lines[i];
	return NULL;
}

static void obey_line(struct end *e, struct line *l, char **words, size_t n)
{
	static const struct {
		const char *word;
		void (*obey)(struct end *e, struct line *l, char **words,
			     size_t n);
	} COMMANDS[] = {
		{"press", do_press}, {"mute", do_mute}, {"unmute", do_mute},
		{"to", do_to},       {"bye", do_bye},   {"stats", do_stats},
		{"close", do_close},
	};

	for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
		if (strcmp(words[0], COMMANDS[i].word) == 0) {
			COMMANDS[i].obey(e, l, words, n);
			return;
		}
	}
	tell_wrong("no such command", l->name);
}

static void obey(struct end *e, char *command)
{
	char *words[WORDS_MAX], *rest = NULL;
	struct line *l;
	size_t n = 0;
	bool opens;

	for (char *w = strtok_r(command, " ", &rest); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	if (n < 2)
		return;
	l = line_of(e, words[1]);
	opens = strcmp(words[0], "open") == 0;
	if (l && opens)
		tell_wrong("it is open", words[1]);
	else if (opens)
		do_open(e, words, n);
	else if (l)
		obey_line(e, l, words, n);
	else
		tell_wrong("no such line", words[1]);
}

/* False: there will be no more. */
static bool listen_to_caller(struct end *e)
{
	ssize_t n = read(STDIN_FILENO, e->command + e->length,
			 sizeof(e->command) - 1 - e->length);
	char *at = e->command, *end;

	if (n <= 0)
		return false;
	e->length += (size_t)n;
	e->command[e->length] = '\0';
	while ((end = strchr(at, '\n'))) {
		*end = '\0';
		obey(e, at);
		at = end + 1;
	}
	e->length -= (size_t)(at - e->command);
	memmove(e->command, at, e->length);
	return e->length < sizeof(e->command) - 1;
}

/* --- serving ------------------------------------------------------------------------------ */

/* A line's turn is one of four, as its port says. */
static void tick(struct end *e)
{
	uint64_t times = 0;
	int64_t now = line_now_us();

	if (read(e->timer, &times, sizeof(times)) != (ssize_t)sizeof(times))
		return;
	for (; times > 0; times--, e->tick++)
		for (size_t i = 0; i < e->count; i++)
			if (e->lines[i]->port / 2 % LINE_PHASES ==
			    e->tick % LINE_PHASES)
				line_tick(e->lines[i], now);
}

static bool turn(struct end *e)
{
	struct epoll_event ready[READY];
	int n = epoll_wait(e->poll, ready, READY, -1);
	bool ticks = false, told = false;

	for (int i = 0; i < n; i++) {
		void *what = ready[i].data.ptr;

		if (what == &e->timer)
			ticks = true;
		else if (what == e)
			told = true;
		else
			line_read(what);
	}
	if (ticks)
		tick(e);
	/* last: it may end lines that were ready */
	return !told || listen_to_caller(e);
}

static int serve(struct end *e, const char *port)
{
	const long step = LINE_TICK_MS / LINE_PHASES * 1000000L;
	const struct itimerspec every = {{0, step}, {0, step}};
	struct rlimit files;
	struct epoll_event ev = {.events = EPOLLIN};

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	e->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	e->poll = epoll_create1(EPOLL_CLOEXEC);
	e->next_port = number(port);
	ev.data.ptr = &e->timer;
	if (e->timer < 0 || e->poll < 0 ||
	    timerfd_settime(e->timer, 0, &every, NULL) ||
	    epoll_ctl(e->poll, EPOLL_CTL_ADD, e->timer, &ev))
		return -errno;
	ev.data.ptr = e;
	if (epoll_ctl(e->poll, EPOLL_CTL_ADD, STDIN_FILENO, &ev))
		return -errno;
	(void)printf("{\"event\":\"ready\",\"line\":\"\"}\n");
	while (turn(e))
		;
	while (e->count > 0) {
		line_close(e->lines[--e->count]);
		free(e->lines[e->count]);
	}
	return 0;
}

/* --- searching -------------------------------------------------------------------------------- */

static void on_found(char digit, unsigned at_ms, double alike, void *ctx)
{
	(void)ctx;
	(void)printf("{\"event\":\"digit\",\"line\":\"\",\"digit\":\"%c\","
		     "\"at_ms\":%u,\"alike\":%.3f}\n",
		     digit, at_ms, alike);
}

static int search(struct end *e, const char *path)
{
	AUTO_BUF(file, WAV_MAX);
	struct pcm sound = {NULL, 0};
	int err = file_read(path, &file);

	if (!err)
		err = wav_read(buf_view(&file), &sound);
	if (err)
		return err;
	ear_search(&e->clips, &sound, on_found, NULL);
	pcm_free(&sound);
	return 0;
}

static int run(struct end *e, char **argv, struct phrases *ph)
{
	static const struct speech_choice CHOICES[] = {{"en", "flite:rms"},
						       {NULL, NULL}};
	const struct speech_params params = {.cache_dir = argv[3],
					     .choices = CHOICES,
					     .phrases = ph,
					     .clock = clock_real()};
	AUTO(speech) *sp = NULL;
	int err = speech_new(&params, &sp, NULL);

	if (!err)
		err = speech_open(sp, "en", NULL);
	if (!err)
		err = ear_learn(&e->clips, sp, "en");
	if (err)
		return err;
	return strcmp(argv[1], "serve") == 0 ? serve(e, argv[4])
					     : search(e, argv[4]);
}

int main(int argc, char **argv)
{
	AUTO(phrases) *ph = NULL;
	struct end *e = b_zero(1, sizeof(*e));
	int err;

	if (argc != 5) {
		(void)fputs("usage: rtpend serve|search PROMPTS CACHE "
			    "PORT|FILE\n",
			    stderr);
		free(e);
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	err = phrases_load(argv[2], &ph, NULL);
	if (!err)
		err = run(e, argv, ph);
	if (err)
		(void)fprintf(stderr, "rtpend: %s\n", strerrordesc_np(-err));
	free(e);
	return err ? 1 : 0;
}
