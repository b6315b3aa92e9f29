// SPDX-License-Identifier: Apache-2.0
/*
 * render.c - the one thread that makes clips, and the queue before it.
 *
 * One is enough: everything but names and amounts is made once per language and
 * comes from the cache ever after, and two voices at once would only take the
 * processor from the calls.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "speech/sound_priv.h"
#include "speech/speech_priv.h"

/* --- one clip --------------------------------------------------------------- */

/* What is to be said, and how it may be kept. */
struct order {
	const struct speech_speaker *l;
	struct voice_ask ask;
	const char *caption;
	bool fixed;
	struct speech_key key;
};

static int make_sound(struct speech *sp, const struct order *o, struct pcm *out,
		      struct diag *d)
{
	const struct voice *v = &o->l->voice;
	int err = voice_say(v, &o->ask, &sp->limits, out, d);

	if (err)
		return err;
	if (speech_sound_prepare(out, v->engine->treble, o->ask.style.volume)) {
		pcm_free(out);
		(void)diag_set(d, "%s: said nothing", v->spec);
		return -EIO;
	}
	return 0;
}

static int make(struct speech *sp, const struct order *o, struct clip **out,
		struct diag *d)
{
	struct pcm pcm = {0};
	int err;

	*out = speech_cache_get(sp->cache, &o->key);
	if (*out)
		return 0;
	if (!o->fixed || speech_cache_load(sp->cache, &o->key, &pcm)) {
		err = make_sound(sp, o, &pcm, d);
		if (err)
			return err;
		if (o->fixed)
			speech_cache_store(sp->cache, &o->key, &pcm);
	}
	*out = clip_new(&pcm, o->caption);
	pcm_free(&pcm);
	speech_cache_put(sp->cache, &o->key, *out);
	return 0;
}

/* --- a voice ------------------------------------------------------------------ */

static void warn(struct speech *sp, const char *voice, const char *why)
{
	if (sp->params.warn)
		sp->params.warn(voice, why, sp->params.warn_ctx);
}

/* What the language itself is spoken by. */
static int find_own(struct speech *sp, const char *language, struct voice *out,
		    struct diag *d)
{
	char spec[SPEECH_VOICE_BYTES];
	struct diag why = {0};
	int err;

	voice_choice(&sp->params, language, spec);
	err = voice_open(&sp->params, spec, language, out, &why);
	if (err == -ENOKEY) {
		voice_close(out);
		warn(sp, spec, why.message);
		voice_local(&sp->params, language, spec);
		err = voice_open(&sp->params, spec, language, out, &why);
	}
	if (err) {
		voice_close(out);
		*d = why;
	}
	return err;
}

static int find_voice(struct speech *sp, struct speech_speaker *l,
		      struct diag *d)
{
	struct diag why = {0};
	int err = -ENOENT;

	if (l->known) /* this thread sets it, so it may look */
		return 0;
	if (*l->asked) {
		err = voice_open(&sp->params, l->asked, l->language, &l->voice,
				 &why);
		if (err) {
			voice_close(&l->voice);
			warn(sp, l->asked, why.message);
		}
	}
	if (err)
		err = find_own(sp, l->language, &l->voice, d);
	if (err)
		return err;
	if (l->voice.engine->remote && !*l->asked)
		voice_local(&sp->params, l->language, l->stand_in);
	(void)pthread_mutex_lock(&sp->lock);
	l->known = true;
	(void)pthread_mutex_unlock(&sp->lock);
	return 0;
}

static int make_digit(struct speech *sp, const struct speech_speaker *l,
		      char digit, bool last, struct clip **out, struct diag *d)
{
	const char caption[] = {digit, '\0'};
	const char *word =
		sp->params.phrases
			? phrases_digit(sp->params.phrases, l->language, digit)
			: NULL;
	char text[64];
	struct order o = {.l = l,
			  .ask = {.text = text, .digit = digit, .last = last},
			  .caption = caption,
			  .fixed = true};

	(void)snprintf(text, sizeof(text), "%s%c", word ? word : caption,
		       last ? '.' : ',');
	speech_cache_key(l->voice.id, l->language, o.ask.style, text, &o.key);
	return make(sp, &o, out, d);
}

static int open_speaker(struct speech *sp, struct speech_speaker *l,
			struct diag *d)
{
	struct clip *clips[10][SPEECH_TONES] = {{0}};
	int err = find_voice(sp, l, d);

	if (l->open)
		return 0;
	for (size_t i = 0; i < SPEECH_DIGIT_CLIPS && !err; i++) {
		size_t digit = i / SPEECH_TONES, tone = i % SPEECH_TONES;

		err = make_digit(sp, l, (char)('0' + digit), tone == 1,
				 &clips[digit][tone], d);
	}
	if (err) {
		for (size_t i = 0; i < SPEECH_DIGIT_CLIPS; i++)
			clip_unref(clips[i / SPEECH_TONES][i % SPEECH_TONES]);
		return err;
	}
	(void)pthread_mutex_lock(&sp->lock);
	memcpy(l->digit, clips, sizeof(clips));
	l->open = true;
	(void)pthread_mutex_unlock(&sp->lock);
	return 0;
}

static int open_language(struct speech *sp, const char *name, struct diag *d)
{
	struct speech_speaker *l = speech_speaker(sp, name, "", d);

	return l ? open_speaker(sp, l, d) : -EINVAL;
}

/* --- a job ------------------------------------------------------------------ */

void speech_piece_key(const struct speech_speaker *l,
		      const struct speech_piece *p, struct speech_key *out)
{
	speech_cache_key(l->voice.id, l->language, p->style, p->text, out);
}

static int make_by(struct speech *sp, struct speech_speaker *l,
		   struct speech_piece *p, struct diag *d)
{
	struct order o = {.l = l,
			  .ask = {.text = p->text, .style = p->style},
			  .caption = p->text,
			  .fixed = p->fixed};
	int err;

	if (p->kind == SPEECH_PIECE_DIGITS)
		return open_speaker(sp, l, d);
	err = find_voice(sp, l, d);
	if (err)
		return err;
	speech_piece_key(l, p, &o.key);
	return make(sp, &o, &p->clip, d);
}

/* Who speaks when this one does not; NULL: nobody. */
static const char *instead(struct speech *sp, struct speech_speaker *l, int err,
			   const struct diag *why)
{
	const char *next = *l->asked ? "" : *l->stand_in ? l->stand_in : NULL;

	if (err != -EIO && err != -ETIMEDOUT && err != -ENOENT)
		return NULL;
	l->rest_until = clock_mono_ms(sp->limits.clock) + SPEECH_REST_MS;
	if (next && !l->failing)
		warn(sp, *l->asked ? l->asked : l->voice.spec, why->message);
	l->failing = true;
	return next;
}

/* The same while that one rests. */
static const char *rests(struct speech *sp, const struct speech_speaker *l)
{
	if (clock_mono_ms(sp->limits.clock) >= l->rest_until)
		return NULL;
	return *l->asked ? "" : *l->stand_in ? l->stand_in : NULL;
}

/*
 * A voice that is far away may be out of reach: the call goes on by another,
 * and what that one says is its own in the cache, too.
 */
static int make_piece(struct speech *sp, struct speech_piece *p, struct diag *d)
{
	enum {
		STEPS = 3
	}; /* what was asked for, the language's, a local one */
	int err = -EIO;

	if (p->kind == SPEECH_PIECE_PAUSE || p->clip)
		return 0;
	(void)diag_set(d, "no voice has answered a moment ago");
	for (int step = 0; step < STEPS; step++) {
		struct speech_speaker *l =
			speech_speaker(sp, p->language, p->voice, d);
		const char *next = l ? rests(sp, l) : "";

		if (l && !next) {
			err = make_by(sp, l, p, d);
			if (!err)
				l->failing = false;
			next = err ? instead(sp, l, err, d) : NULL;
		} else if (!l) {
			warn(sp, p->voice, d->message);
		}
		if (!next)
			return err;
		p->voice = next;
	}
	return err;
}

static void work(struct speech *sp, struct speech_job *job)
{
	int err = 0;

	if (job->language)
		err = open_language(sp, job->language, &job->diag);
	for (size_t i = 0; i < job->n && !err; i++) {
		struct utterance *u = job->u[i];

		for (size_t k = 0; k < u->count && !err; k++)
			err = make_piece(sp, &u->pieces[k], &job->diag);
	}
	job->err = err;
	job->finish(job);
}

/* --- the thread --------------------------------------------------------------- */

static struct speech_job *take(struct speech *sp, bool *stopped)
{
	struct speech_job *job = NULL;
	struct link *first;

	(void)pthread_mutex_lock(&sp->lock);
	*stopped = sp->stopped;
	first = ll_first(&sp->queue);
	if (first && !sp->stopped) {
		ll_remove(first);
		job = ll_entry(first, struct speech_job, link);
		sp->waiting -= job->texts;
	}
	(void)pthread_mutex_unlock(&sp->lock);
	return job;
}

static void wait_for_work(struct speech *sp)
{
	struct pollfd fds[] = {{.fd = sp->wake_fd, .events = POLLIN},
			       {.fd = sp->stop_fd, .events = POLLIN}};
	uint64_t ignored;

	if (poll(fds, COUNT_OF(fds), -1) > 0 && fds[0].revents)
		if (read(sp->wake_fd, &ignored, sizeof(ignored)) < 0)
			return; /* somebody else's wake-up: look again */
}

static void *run(void *ctx)
{
	struct speech *sp = ctx;
	bool stopped = false;

	while (!stopped) {
		struct speech_job *job = take(sp, &stopped);

		if (job)
			work(sp, job);
		else if (!stopped)
			wait_for_work(sp);
	}
	return NULL;
}

static void ring(int fd)
{
	const uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

int speech_render(struct speech *sp, struct speech_job *job)
{
	int err = 0;

	ll_init(&job->link);
	(void)pthread_mutex_lock(&sp->lock);
	if (sp->stopped || sp->waiting + job->texts > SPEECH_QUEUE_MAX) {
		err = -EAGAIN;
	} else {
		ll_append(&sp->queue, &job->link);
		sp->waiting += job->texts;
	}
	(void)pthread_mutex_unlock(&sp->lock);
	if (!err)
		ring(sp->wake_fd);
	return err;
}

int speech_render_start(struct speech *sp)
{
	sigset_t all, before;
	int err;

	sp->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sp->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (sp->wake_fd < 0 || sp->stop_fd < 0)
		return -errno;
	sp->limits.stop_fd = sp->stop_fd;
	/* signals are for the main thread */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&sp->thread, NULL, run, sp);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err)
		return -err;
	(void)pthread_setname_np(sp->thread, "render");
	return 0;
}

void speech_render_stop(struct speech *sp)
{
	struct link *first;

	(void)pthread_mutex_lock(&sp->lock);
	sp->stopped = true;
	(void)pthread_mutex_unlock(&sp->lock);
	ring(sp->stop_fd);
	(void)pthread_join(sp->thread, NULL);
	while ((first = ll_first(&sp->queue))) {
		struct speech_job *job =
			ll_entry(first, struct speech_job, link);

		ll_remove(first);
		job->err = -ECANCELED;
		job->finish(job);
	}
}
