// SPDX-License-Identifier: Apache-2.0
/*
 * bench_calls.c - how many calls one core carries, and how well they sound.
 *
 * Three things run alternately on the first core: frames by sendmmsg and
 * nothing else (the wall), the program's telephone (SIP, line, pump) without a
 * service, and the whole server.  Their far end has the second core.  Where it
 * is allowed, they are real-time processes: what else runs on the machine has
 * no part in the figures.  Every load is bounded; the aim stands beside each
 * figure.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/mem.h"
#include "bench/callee.h"
#include "bench/caller.h"
#include "bench/sender.h"
#include "bench/server.h"

enum {
	PROGRAM_CPU = 0,
	PEER_CPU = 1,
	FIFO = 20, /* as a pump that may */
	FRAMES_PER_S = 50,
	SECOND_NS = 1000000000,
	SECOND_MS = 1000,
	US_PER_S = 1000000,

	WALL_STREAMS = 4000,
	WALL_MS = 2000,
	FLAT_OUT_MS = 1000,

	SETUP_MS = 4000,
	HOLD_MS = 5000,
	RATE_MAX = 1500, /* of dialling, until all are up */
	START_MS = 10000,
	PATIENCE_MS = 6000, /* beyond what a step should take */

	AIM_PROMPTS = 6000,
	AIM_SETUPS = 2000,
	AIM_KB = 16,
	AIM_SILENCE_MS = 40,
	ASTERISK_WALLS = 43, /* 2.39 ms where the wall was 0.056 ms */
	LATE_PER_MILLE = 1,
	LATE_5MS = 1, /* which of callee_late_us */

	ASKS = 400,
	FIRST_ASKS = 20,
	WARM_UP_MS = 3000,
	ASK_EVERY_MS = 10,
};

static struct {
	struct callee callee;
	int program_cpu, peer_cpu;
	double wall_us; /* CPU per call-second */
} b;

/* What the callee heard between two moments. */
struct heard {
	uint64_t frames, lost, late[CALLEE_LATES], repeated, invites;
};

static struct heard hear(void)
{
	struct callee_figures *f = b.callee.figures;
	struct heard h = {
		.frames = atomic_load(&f->frames),
		.lost = atomic_load(&f->lost),
		.repeated = atomic_load(&f->repeated),
		.invites = atomic_load(&f->invites),
	};

	for (unsigned i = 0; i < CALLEE_LATES; i++)
		h.late[i] = atomic_load(&f->late[i]);
	return h;
}

static struct heard since(const struct heard *before)
{
	struct heard h = hear();

	h.frames -= before->frames;
	h.lost -= before->lost;
	h.repeated -= before->repeated;
	h.invites -= before->invites;
	for (unsigned i = 0; i < CALLEE_LATES; i++)
		h.late[i] -= before->late[i];
	return h;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void print_late(const struct heard *h)
{
	(void)printf("  late>1ms=%.3f%%  >5ms=%.3f%%  >10ms=%.3f%%  "
		     ">20ms=%.3f%%  lost=%llu  max=%.1fms",
		     share(h->late[0], h->frames), share(h->late[1], h->frames),
		     share(h->late[2], h->frames), share(h->late[3], h->frames),
		     (unsigned long long)h->lost,
		     (double)atomic_load(&b.callee.figures->late_us_max) /
			     1000);
}

static int by_size(const void *a, const void *c)
{
	int32_t one = *(const int32_t *)a, other = *(const int32_t *)c;

	return (one > other) - (one < other);
}

/* Sorts. */
static double at_share(int32_t *us, size_t n, unsigned percent)
{
	size_t at = n * percent / 100;

	if (n == 0)
		return 0;
	qsort(us, n, sizeof(*us), by_size);
	return us[at < n ? at : n - 1] / 1000.0;
}

/* --- the wall ---------------------------------------------------------------- */

static void measure_wall(bool paced, unsigned ms)
{
	const struct sender_params p = {
		.streams = WALL_STREAMS,
		.ms = ms,
		.paced = paced,
		.cpu = b.program_cpu,
		.priority = FIFO,
	};
	struct heard before = hear(), h;
	struct sender_result r;
	double us;

	atomic_store(&b.callee.figures->late_us_max, 0);
	if (sender_run(&p, &r) != 0) {
		(void)printf("calls.wall             failed\n");
		return;
	}
	us = r.cpu_seconds * US_PER_S / (double)r.packets * FRAMES_PER_S;
	h = since(&before);
	(void)printf("calls.wall             %s  packets/s=%.0f  "
		     "cpu/call-s=%.1fus  calls/core=%.0f",
		     paced ? "calls=4000" : "flat-out",
		     (double)r.packets / r.seconds, us, US_PER_S / us);
	if (paced) {
		print_late(&h);
		b.wall_us = us;
	}
	(void)printf("\n");
	(void)fflush(stdout);
}

/* --- set-ups ------------------------------------------------------------------- */

static double seconds(const struct caller_figures *f, enum caller_phase from,
		      enum caller_phase to)
{
	return (double)(f->at_ns[to] - f->at_ns[from]) / SECOND_NS;
}

static double cpu_seconds(const struct caller_figures *f,
			  enum caller_phase from, enum caller_phase to)
{
	return (double)(f->cpu_ns[to] - f->cpu_ns[from]) / SECOND_NS;
}

static bool start(struct caller *c, const struct caller_params *p,
		  const char *name)
{
	if (caller_start(c, p) == 0 && caller_wait(c, CALLER_READY, START_MS)) {
		atomic_store(&c->figures->go, true);
		return true;
	}
	(void)printf("%-22s did not start: %s\n", name, c->figures->why);
	caller_stop(c);
	return false;
}

/* True: every call was answered, and nobody had to ask twice. */
static bool set_up(unsigned rate)
{
	const struct caller_params p = {
		.trunk_port = b.callee.port,
		.rate = rate,
		.for_ms = SETUP_MS,
		.cpu = b.program_cpu,
		.priority = FIFO,
	};
	struct heard before = hear(), h;
	struct caller_figures *f;
	struct caller c;
	bool done, clean;
	uint32_t n;

	if (!start(&c, &p, "calls.set-up"))
		return false;
	f = c.figures;
	done = caller_wait(&c, CALLER_DONE, SETUP_MS + PATIENCE_MS);
	caller_stop(&c);
	h = since(&before);
	n = atomic_load(&f->answered);
	clean = done && n == atomic_load(&f->dialled) && h.repeated == 0 &&
		atomic_load(&f->lost) == 0 &&
		seconds(f, CALLER_DIALS, CALLER_DONE) <
			1.1 * SETUP_MS / SECOND_MS;
	(void)printf(
		"calls.set-up           rate=%u/s  answered=%u  failed=%u  "
		"refused=%u  repeated=%llu  p50=%.2fms  p99=%.2fms",
		rate, n, atomic_load(&f->failed), atomic_load(&f->refused),
		(unsigned long long)h.repeated, at_share(f->setup_us, n, 50),
		at_share(f->setup_us, n, 99));
	if (done && n > 0)
		(void)printf("  cpu/call=%.0fus",
			     cpu_seconds(f, CALLER_DIALS, CALLER_DONE) *
				     US_PER_S / n);
	(void)printf("  %s  aim=%d/s\n", clean ? "clean" : "NOT clean",
		     AIM_SETUPS);
	(void)fflush(stdout);
	return clean;
}

static void measure_set_ups(void)
{
	static const unsigned rates[] = {500,  1000, 2000, 3000,
					 4000, 6000, 8000};
	unsigned best = 0;

	for (size_t i = 0; i < COUNT_OF(rates); i++) {
		if (!set_up(rates[i]))
			break;
		best = rates[i];
	}
	(void)printf("calls.set-ups          most=%u/s  aim=%d/s\n", best,
		     AIM_SETUPS);
	(void)fflush(stdout);
}

/* --- prompts -------------------------------------------------------------------- */

static void print_cost(const struct caller_figures *f, unsigned calls)
{
	double held = seconds(f, CALLER_HOLDS, CALLER_ENDS) * calls;
	double plateau =
		cpu_seconds(f, CALLER_HOLDS, CALLER_ENDS) * US_PER_S / held;
	double all = cpu_seconds(f, CALLER_DIALS, CALLER_DONE) *
		     (double)US_PER_S * US_PER_S /
		     (double)atomic_load(&f->talked_us);
	double kb = (double)(f->rss[CALLER_ENDS] - f->rss[CALLER_READY]) /
		    1024 / calls;

	(void)printf("calls.cost             calls=%u  cpu/call-s=%.1fus "
		     "(with set-ups %.1fus)  kb/call=%.1f aim=%d",
		     calls, plateau, all, kb, AIM_KB);
	if (b.wall_us > 0) /* Asterisk was measured elsewhere: in walls */
		(void)printf("  wall=%.2f aim=1.60  asterisk=1/%.0f aim=1/20",
			     plateau / b.wall_us,
			     ASTERISK_WALLS * b.wall_us / plateau);
	(void)printf("\n");
}

static void print_silence(unsigned calls)
{
	struct callee_figures *f = b.callee.figures;
	uint32_t n = atomic_load(&f->silences);

	if (n > CALLEE_SILENCES_MAX)
		n = CALLEE_SILENCES_MAX;
	(void)printf(
		"calls.after-ack        calls=%u  first-packet p50=%.1fms  "
		"p99=%.1fms  max=%.1fms  aim=%dms\n",
		calls, at_share(f->silence_us, n, 50),
		at_share(f->silence_us, n, 99), at_share(f->silence_us, n, 100),
		AIM_SILENCE_MS);
}

/* The hold, heard.  False: it was not reached. */
static bool hold(struct caller *c, unsigned calls, unsigned rate,
		 struct heard *h)
{
	struct heard before;

	if (!caller_wait(c, CALLER_HOLDS,
			 (int64_t)calls * SECOND_MS / rate + PATIENCE_MS))
		return false;
	atomic_store(&b.callee.figures->late_us_max, 0);
	before = hear();
	if (!caller_wait(c, CALLER_ENDS, HOLD_MS + PATIENCE_MS))
		return false;
	*h = since(&before);
	return true;
}

/*
 * True: it sounded well.  The pump may have refused some: *out are up.
 */
static bool prompts(unsigned calls, unsigned *out)
{
	const struct caller_params p = {
		.trunk_port = b.callee.port,
		.calls = calls,
		.rate = calls / 2 < RATE_MAX ? calls / 2 : RATE_MAX,
		.for_ms = HOLD_MS,
		.cpu = b.program_cpu,
		.priority = FIFO,
	};
	struct heard h = {0};
	struct caller_figures *f;
	struct caller c;
	bool held, done, well;
	uint32_t up;

	atomic_store(&b.callee.figures->silences, 0);
	if (!start(&c, &p, "calls.prompts"))
		return false;
	f = c.figures;
	held = hold(&c, calls, p.rate, &h);
	done = held &&
	       caller_wait(&c, CALLER_DONE,
			   (int64_t)calls * SECOND_MS / p.rate + PATIENCE_MS);
	caller_stop(&c);
	*out = up = atomic_load(&f->answered);
	well = done && up + atomic_load(&f->refused) == calls &&
	       atomic_load(&f->lost) == 0 &&
	       h.late[LATE_5MS] * SECOND_MS <= h.frames * LATE_PER_MILLE;
	(void)printf("calls.prompts          calls=%u  up=%u  failed=%u "
		     "(%d)  refused=%u  cut=%u",
		     calls, up, atomic_load(&f->failed),
		     atomic_load(&f->last_code), atomic_load(&f->refused),
		     atomic_load(&f->lost));
	print_late(&h);
	(void)printf("  skipped=%llu  phase-max=%.2fms  %s\n",
		     (unsigned long long)atomic_load(&f->skipped),
		     (double)atomic_load(&f->phase_us_max) / 1000,
		     well ? "well" : "NOT well");
	if (done)
		print_cost(f, up);
	print_silence(up);
	(void)fflush(stdout);
	return well;
}

static void measure_prompts(void)
{
	static const unsigned counts[] = {500,  1000, 2000, 3000,
					  4000, 5000, 6000, 8000};
	unsigned best = 0, up = 0;

	for (size_t i = 0; i < COUNT_OF(counts); i++)
		if (prompts(counts[i], &up) && up > best)
			best = up;
		else
			break;
	(void)printf("calls.concurrent       most=%u  aim=%d (>5ms late: at "
		     "most 0.1%%)\n",
		     best, AIM_PROMPTS);
}

/* --- from the API to the wire ------------------------------------------------------ */

struct asked {
	char to[CALLEE_NUMBER_BYTES]; /* digits */
	int64_t wall_ns;
};

static struct {
	struct asked asks[ASKS];
	int32_t answer_us[ASKS], wire_us[ASKS];
} api;

static int connect_to(unsigned port)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr =
					       htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	(void)close(fd);
	return -EIO;
}

/* One verification asked for.  Its answer's status, or -errno. */
static int ask(int fd, const struct bench_server *s, unsigned n,
	       struct asked *a)
{
	char body[128], text[512], answer[4096];
	ssize_t got;
	int len;

	(void)snprintf(a->to, sizeof(a->to), "1415%03u%04u", 200 + n / 40,
		       n * 7919 % 10000);
	len = snprintf(body, sizeof(body),
		       "{\"to\":\"+%s\",\"client_ip\":\"10.0.%u.%u\"}", a->to,
		       n >> 8, n & 255);
	len = snprintf(text, sizeof(text),
		       "POST /v1/verifications HTTP/1.1\r\n"
		       "Host: 127.0.0.1\r\nAuthorization: Bearer %s\r\n"
		       "Content-Type: application/json\r\n"
		       "Content-Length: %d\r\n\r\n%s",
		       s->token, len, body);
	a->wall_ns = bench_ns(CLOCK_REALTIME);
	if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		return -EIO;
	got = recv(fd, answer, sizeof(answer) - 1, 0);
	if (got <= 0)
		return -EIO;
	answer[got] = '\0';
	return (int)strtol(answer + sizeof("HTTP/1.1 ") - 1, NULL, 10);
}

/* How long each of the first `n` took that reached the callee. */
static size_t match(size_t n)
{
	const struct callee_figures *f = b.callee.figures;
	uint32_t came = atomic_load(&f->asked), k;
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		const struct asked *a = &api.asks[i];

		for (k = 0; k < came; k++)
			if (strcmp(a->to, f->asks[k].to) == 0)
				break;
		if (k < came)
			api.wire_us[found++] =
				(int32_t)((f->asks[k].wall_ns - a->wall_ns) /
					  1000);
	}
	return found;
}

/* Ask `count` times, with numbers from the `first` on.  How often it was
 * answered as it should. */
static size_t ask_some(int fd, const struct bench_server *s, unsigned first,
		       unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct asked *a = &api.asks[i];

		if (ask(fd, s, first + i, a) != 201)
			return i;
		api.answer_us[i] =
			(int32_t)((bench_ns(CLOCK_REALTIME) - a->wall_ns) /
				  1000);
		bench_wait_ms(ASK_EVERY_MS);
	}
	return count;
}

static void ask_all(const struct bench_server *s)
{
	int fd = connect_to(s->port);
	size_t n = 0, found;

	if (fd >= 0) {
		/* what every call says is rendered with the first of them */
		(void)ask_some(fd, s, 0, FIRST_ASKS);
		bench_wait_ms(WARM_UP_MS);
		n = ask_some(fd, s, FIRST_ASKS, ASKS);
		bench_wait_ms(SECOND_MS);
		(void)close(fd);
	}
	found = match(n);
	(void)printf("calls.api-to-wire      asked=%zu  dialled=%zu  "
		     "answer p50=%.2fms  invite p50=%.2fms  p99=%.2fms  "
		     "aim=2.00ms%s\n",
		     n, found, at_share(api.answer_us, n, 50),
		     at_share(api.wire_us, found, 50),
		     at_share(api.wire_us, found, 99),
		     n < ASKS ? "  (an answer was not 201)" : "");
	(void)fflush(stdout);
}

/* The callee is busy for everybody: the calls are over as they come. */
static void measure_server(void)
{
	struct bench_server s = {.trunk_port = b.callee.port,
				 .pinned = true,
				 .cpu = b.program_cpu};
	struct callee_figures *f = b.callee.figures;

	if (bench_server_start(&s) != 0) {
		(void)printf("calls.api-to-wire      did not start\n");
		return;
	}
	atomic_store(&f->refuse, 486);
	atomic_store(&f->keeps, true);
	ask_all(&s);
	atomic_store(&f->keeps, false);
	atomic_store(&f->refuse, 0);
	bench_server_stop(&s);
}

int main(void)
{
	int err;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		b.program_cpu = b.peer_cpu = -1;
	else
		b.peer_cpu = PEER_CPU;
	err = callee_start(&b.callee, b.peer_cpu);
	if (err) {
		(void)printf("calls                  no callee: %d\n", err);
		return 1;
	}
	bench_pin(b.peer_cpu);
	measure_wall(true, WALL_MS);
	measure_wall(false, FLAT_OUT_MS);
	measure_server();
	measure_set_ups();
	measure_prompts();
	measure_wall(true, WALL_MS);
	callee_stop(&b.callee);
	return 0;
}
