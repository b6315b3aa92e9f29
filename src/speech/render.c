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
	const struct speech_language *l;
	const char *text, *caption;
	struct speech_style style;
	bool fixed;
	struct speech_key key;
};

static int make_sound(struct speech *sp, const struct order *o, struct pcm *out,
		      struct diag *d)
{
	int err =
		voice_say(&o->l->voice, o->text, o->style, &sp->limits, out, d);

	if (err)
		return err;
	if (speech_sound_prepare(out, voice_treble(&o->l->voice),
				 o->style.volume)) {
		pcm_free(out);
		(void)diag_set(d, "%s: said nothing", o->l->voice.spec);
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

/* --- a language --------------------------------------------------------------- */

static int make_digit(struct speech *sp, const struct speech_language *l,
		      char digit, bool last, struct clip **out, struct diag *d)
{
	const char caption[] = {digit, '\0'};
	const char *word =
		sp->params.phrases
			? phrases_digit(sp->params.phrases, l->name, digit)
			: NULL;
	char text[64];
	struct order o = {
		.l = l, .text = text, .caption = caption, .fixed = true};

	(void)snprintf(text, sizeof(text), "%s%c", word ? word : caption,
		       last ? '.' : ',');
	speech_cache_key(l->voice.spec, l->name, o.style, text, &o.key);
	return make(sp, &o, out, d);
}

static int open_language(struct speech *sp, const char *name, struct diag *d)
{
	struct speech_language *l = speech_language(sp, name, d);
	struct clip *clips[10][SPEECH_TONES] = {{0}};
	int err = 0;

	if (!l)
		return -EINVAL;
	if (l->open) /* this thread sets it, so it may look */
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

/* --- a job ------------------------------------------------------------------ */

void speech_piece_key(const struct speech_language *l,
		      const struct speech_piece *p, struct speech_key *out)
{
	speech_cache_key(l->voice.spec, l->name, p->style, p->text, out);
}

static int make_piece(struct speech *sp, struct speech_piece *p, struct diag *d)
{
	struct order o = {.text = p->text,
			  .caption = p->text,
			  .style = p->style,
			  .fixed = p->fixed};

	if (p->kind == SPEECH_PIECE_DIGITS)
		return open_language(sp, p->language, d);
	if (p->kind == SPEECH_PIECE_PAUSE || p->clip)
		return 0;
	o.l = speech_language(sp, p->language, d);
	if (!o.l)
		return -EINVAL;
	speech_piece_key(o.l, p, &o.key);
	return make(sp, &o, &p->clip, d);
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
