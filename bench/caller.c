// SPDX-License-Identifier: Apache-2.0
/*
 * caller.c - the program's telephone under load.
 *
 * Only what a call costs the telephone is in here: calls are kept in one array
 * and every prompt was encoded before, as the program has it.
 */
#include "bench/caller.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "bench/callee.h"
#include "bench/trunk.h"

enum {
	TURN_MS = 5,
	PLAYLISTS = 16,
	CLIPS = 40,
	CLIP_MS = 1500,
	CLIPS_IN_LIST = 60, /* longer than any call here */
	PITCH_HZ = 300,
	LOUD = 6000,
	RING_MS = 20 * 1000,
	SECOND_MS = 1000,
	US_NS = 1000,
	MS_NS = 1000000,
};

struct one {
	struct load *load;
	struct tel_call *call;
	int64_t dialled_ns, answered_ns;
	bool hung_up;
};

struct load {
	const struct caller_params *p;
	struct caller_figures *f;
	struct loop *loop;
	struct bench_trunk trunk;
	struct playlist *lists[PLAYLISTS];
	struct one *calls;
	size_t calls_max, ended;
	struct timer timer;
	int64_t phase_ms; /* when the phase began */
};

/* --- sound --------------------------------------------------------------------------- */

static struct clip *clip_at(unsigned i)
{
	struct pcm pcm = {.count = pcm_samples(CLIP_MS)};
	struct clip *c;

	pcm.samples = b_zero(pcm.count, sizeof(*pcm.samples));
	for (size_t n = 0; n < pcm.count; n++)
		pcm.samples[n] = (int16_t)lrint(
			LOUD * sin(2 * M_PI * (PITCH_HZ + 20.0 * i) *
				   (double)n / PCM_RATE));
	c = clip_new(&pcm, "sound");
	pcm_free(&pcm);
	return c;
}

static int make_lists(struct load *l)
{
	struct clip *clips[CLIPS];
	int err = 0;

	for (unsigned i = 0; i < CLIPS; i++)
		clips[i] = clip_at(i);
	for (unsigned i = 0; i < PLAYLISTS; i++) {
		l->lists[i] = playlist_new();
		for (unsigned k = 0; k < CLIPS_IN_LIST && !err; k++)
			err = playlist_add(l->lists[i],
					   clips[(i * 7 + k * 3) % CLIPS]);
	}
	for (unsigned i = 0; i < CLIPS; i++)
		clip_unref(clips[i]);
	return err;
}

/* --- calls ------------------------------------------------------------------------------ */

static size_t resident(void)
{
	unsigned long pages = 0;
	FILE *in = fopen("/proc/self/statm", "re");

	if (!in)
		return 0;
	/* the second figure */
	if (fscanf(in, "%*u %lu", &pages) != 1) /* NOLINT: of the kernel */
		pages = 0;
	(void)fclose(in);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void enter(struct load *l, enum caller_phase phase)
{
	l->phase_ms = clock_mono_ms(loop_clock(l->loop));
	l->f->rss[phase] = resident();
	l->f->at_ns[phase] = bench_ns(CLOCK_MONOTONIC);
	l->f->cpu_ns[phase] = bench_ns(CLOCK_PROCESS_CPUTIME_ID);
	atomic_store(&l->f->phase, phase);
}

static void answered(struct one *o, size_t i)
{
	struct load *l = o->load;
	uint32_t n = atomic_fetch_add(&l->f->answered, 1);

	o->answered_ns = bench_ns(CLOCK_MONOTONIC);
	l->f->setup_us[n % CALLER_SETUPS_MAX] =
		(int32_t)((o->answered_ns - o->dialled_ns) / US_NS);
	if (l->p->calls == 0) {
		o->hung_up = true;
		tel_call_hang_up(o->call);
	} else if (tel_call_play(o->call, l->lists[i % PLAYLISTS], 1) != 0) {
		atomic_fetch_add(&l->f->lost, 1);
	}
}

static void ended(struct one *o, const struct tel_event *ev)
{
	struct load *l = o->load;

	if (!o->answered_ns) {
		atomic_fetch_add(&l->f->failed, 1);
		atomic_store(&l->f->last_code, ev->sip_code);
	} else {
		if (!o->hung_up)
			atomic_fetch_add(&l->f->lost, 1);
		atomic_fetch_add(
			&l->f->talked_us,
			(uint64_t)(bench_ns(CLOCK_MONOTONIC) - o->answered_ns) /
				US_NS);
	}
	tel_call_close(o->call);
	o->call = NULL;
	l->ended++;
	atomic_fetch_add(&l->f->ended, 1);
}

static void on_event(const struct tel_event *ev, void *ctx)
{
	struct one *o = ctx;

	if (ev->kind == TEL_ANSWERED)
		answered(o, (size_t)(o - o->load->calls));
	else if (ev->kind == TEL_ENDED)
		ended(o, ev);
}

static void dial(struct load *l)
{
	uint32_t i = atomic_fetch_add(&l->f->dialled, 1);
	struct one *o = &l->calls[i];
	char id[32], to[TEL_NUMBER_BYTES];
	const struct tel_params params = {
		.call_id = id,
		.to = to,
		.from = "+12125550100",
		.language = "en",
		.ring_ms = RING_MS,
		.event = on_event,
		.ctx = o,
	};

	(void)snprintf(id, sizeof(id), "bench-%u", i);
	(void)snprintf(to, sizeof(to), "+1415%07u", i);
	o->load = l;
	o->dialled_ns = bench_ns(CLOCK_MONOTONIC);
	if (tel_dial(l->trunk.tel, &params, &o->call) != 0) {
		atomic_fetch_add(&l->f->refused, 1);
		l->ended++;
	}
}

/* How many should have been dialled by now, or hung up. */
static size_t due(const struct load *l, int64_t now_ms)
{
	size_t n = (size_t)(now_ms - l->phase_ms) * l->p->rate / SECOND_MS;

	return n < l->calls_max ? n : l->calls_max;
}

static void dial_due(struct load *l, int64_t now_ms)
{
	size_t wanted = due(l, now_ms);

	while (atomic_load(&l->f->dialled) < wanted)
		dial(l);
	if (wanted < l->calls_max)
		return;
	if (l->p->calls == 0)
		enter(l, CALLER_ENDS);
	else if (atomic_load(&l->f->answered) + atomic_load(&l->f->failed) +
			 atomic_load(&l->f->refused) >=
		 l->calls_max)
		enter(l, CALLER_HOLDS);
}

static void hang_up_due(struct load *l, int64_t now_ms)
{
	size_t wanted = l->p->calls ? due(l, now_ms) : 0;

	for (size_t i = 0; i < wanted; i++) {
		struct one *o = &l->calls[i];

		if (!o->call || o->hung_up)
			continue;
		o->hung_up = true;
		tel_call_hang_up(o->call);
	}
	if (l->ended >= l->calls_max) {
		enter(l, CALLER_DONE);
		loop_stop(l->loop);
	}
}

static void tell_pump(struct load *l)
{
	struct pump_figures now;

	pump_figures(l->trunk.pump, &now);
	atomic_store(&l->f->skipped, now.skipped);
	atomic_store(&l->f->strange, now.strange);
	if ((uint64_t)now.phase_us_max > atomic_load(&l->f->phase_us_max))
		atomic_store(&l->f->phase_us_max, (uint64_t)now.phase_us_max);
}

static void on_turn(void *ctx)
{
	struct load *l = ctx;
	int64_t now_ms = clock_mono_ms(loop_clock(l->loop));

	timer_set(loop_timers(l->loop), &l->timer, TURN_MS, on_turn, l);
	tell_pump(l);
	switch ((enum caller_phase)atomic_load(&l->f->phase)) {
	case CALLER_READY:
		if (atomic_load(&l->f->go))
			enter(l, CALLER_DIALS);
		break;
	case CALLER_DIALS:
		dial_due(l, now_ms);
		break;
	case CALLER_HOLDS:
		if (now_ms - l->phase_ms >= l->p->for_ms)
			enter(l, CALLER_ENDS);
		break;
	case CALLER_ENDS:
		hang_up_due(l, now_ms);
		break;
	case CALLER_PHASES:
	case CALLER_STARTS:
	case CALLER_DONE:
		break;
	}
}

/* --- the process ---------------------------------------------------------------------- */

static int open_all(struct load *l, struct diag *d)
{
	int err = make_lists(l);

	l->loop = loop_new(clock_real());
	if (!err)
		err = bench_trunk_open(l->loop, l->p->trunk_port,
				       (unsigned)l->p->priority, &l->trunk, d);
	return err;
}

_Noreturn static void run(const struct caller_params *p,
			  struct caller_figures *f)
{
	struct load *l = b_zero(1, sizeof(*l));
	struct diag d = {0};
	int err;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bench_pin(p->cpu);
	bench_alone();
	log_threshold(LOG_ERROR);
	l->p = p;
	l->f = f;
	l->calls_max =
		p->calls ? p->calls : (size_t)p->rate * p->for_ms / SECOND_MS;
	l->calls = b_zero(l->calls_max, sizeof(*l->calls));
	err = open_all(l, &d);
	if (err) {
		(void)snprintf(f->why, sizeof(f->why), "%s: %.90s",
			       strerrordesc_np(-err), d.message);
		_exit(1);
	}
	enter(l, CALLER_READY);
	timer_set(loop_timers(l->loop), &l->timer, TURN_MS, on_turn, l);
	tel_sip_run(l->trunk.sip);
	_exit(0);
}

int caller_start(struct caller *c, const struct caller_params *p)
{
	c->figures = bench_shared(sizeof(*c->figures));
	c->pid = fork();
	if (c->pid == 0)
		run(p, c->figures);
	return c->pid < 0 ? -errno : 0;
}

/* True: it has. */
static bool has_ended(struct caller *c)
{
	int status = 0;

	if (c->pid <= 0 || waitpid(c->pid, &status, WNOHANG) != c->pid)
		return c->pid <= 0;
	c->pid = 0;
	if (WIFSIGNALED(status))
		(void)snprintf(c->figures->why, CALLER_WHY_BYTES,
			       "ended by signal %d", WTERMSIG(status));
	return true;
}

bool caller_wait(struct caller *c, enum caller_phase phase, int64_t ms)
{
	int64_t end = bench_ns(CLOCK_MONOTONIC) / MS_NS + ms;

	while (atomic_load(&c->figures->phase) < (int)phase) {
		if (has_ended(c))
			return atomic_load(&c->figures->phase) >= (int)phase;
		if (bench_ns(CLOCK_MONOTONIC) / MS_NS >= end) {
			(void)snprintf(c->figures->why, CALLER_WHY_BYTES,
				       "no end after %lld ms", (long long)ms);
			return false;
		}
		bench_wait_ms(2);
	}
	return true;
}

void caller_stop(struct caller *c)
{
	if (c->pid <= 0)
		return;
	(void)kill(c->pid, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
	c->pid = 0;
}
