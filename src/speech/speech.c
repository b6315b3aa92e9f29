// SPDX-License-Identifier: Apache-2.0
/*
 * speech.c - what the rest of the program asks of the voices.
 *
 * Nothing here waits for a voice except the two functions that say so: what is
 * in memory is answered at once, and the rest goes to the render thread.
 */
#include "speech/speech.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "speech/playing_priv.h"
#include "speech/speech_priv.h"

/* --- life ----------------------------------------------------------------- */

static void keep_polly(struct speech *sp, const struct speech_polly *from)
{
	sp->polly = (struct speech_polly){
		.region = b_strdup(from->region),
		.endpoint = b_strdup(from->endpoint),
		.engine = b_strdup(from->engine),
		.key_id = b_strdup(from->key_id),
		.secret = b_strdup(from->secret),
		.token = b_strdup(from->token),
	};
	sp->params.polly = &sp->polly;
}

static void keep_params(struct speech *sp, const struct speech_params *params)
{
	const struct speech_choice *from = params->choices;
	size_t n = 0;

	while (from && from[n].language)
		n++;
	sp->params = *params;
	sp->params.cache_dir = NULL; /* the cache has it */
	sp->params.flite = b_strdup(params->flite);
	sp->params.espeak_ng = b_strdup(params->espeak_ng);
	sp->params.recordings_dir = b_strdup(params->recordings_dir);
	if (params->polly)
		keep_polly(sp, params->polly);
	sp->choices = b_zero(n + 1, sizeof(*sp->choices));
	for (size_t i = 0; i < n; i++) {
		sp->choices[i].language = b_strdup(from[i].language);
		sp->choices[i].voice = b_strdup(from[i].voice);
	}
	sp->params.choices = sp->choices;
}

static void free_text(const char *s)
{
	union {
		const char *borrowed;
		char *owned;
	} text = {.borrowed = s}; /* keep_params() copied it */

	if (s)
		crypto_wipe(text.owned,
			    strlen(s)); /* a key may be among them */
	free(text.owned);
}

static void free_params(struct speech *sp)
{
	for (struct speech_choice *c = sp->choices; c && c->language; c++) {
		free_text(c->language);
		free_text(c->voice);
	}
	free(sp->choices);
	free_text(sp->params.flite);
	free_text(sp->params.espeak_ng);
	free_text(sp->params.recordings_dir);
	free_text(sp->polly.region);
	free_text(sp->polly.endpoint);
	free_text(sp->polly.engine);
	free_text(sp->polly.key_id);
	free_text(sp->polly.secret);
	free_text(sp->polly.token);
}

static void free_speaker(struct speech_speaker *l)
{
	for (size_t i = 0; i < SPEECH_DIGIT_CLIPS; i++)
		clip_unref(l->digit[i / SPEECH_TONES][i % SPEECH_TONES]);
	voice_close(&l->voice);
	free(l->asked);
	free(l);
}

/* Everything but the thread. */
static void free_rest(struct speech *sp)
{
	for (size_t i = 0; i < sp->speakers_count; i++)
		free_speaker(sp->speakers[i]);
	speech_cache_free(sp->cache);
	if (sp->wake_fd >= 0)
		(void)close(sp->wake_fd);
	if (sp->stop_fd >= 0)
		(void)close(sp->stop_fd);
	(void)pthread_mutex_destroy(&sp->lock);
	free_params(sp);
	free(sp);
}

static int check_choices(const struct speech *sp, struct diag *d)
{
	int err = 0;

	for (const struct speech_choice *c = sp->choices; c->language && !err;
	     c++)
		err = voice_check(c->voice, true, d);
	return err;
}

int speech_new(const struct speech_params *params, struct speech **out,
	       struct diag *d)
{
	struct speech *sp = b_zero(1, sizeof(*sp));
	int err;

	sp->wake_fd = sp->stop_fd = -1;
	ll_init(&sp->queue);
	keep_params(sp, params);
	sp->limits.clock = params->clock ? params->clock : clock_real();
	sp->limits.ms = SPEECH_RENDER_MS;
	sp->limits.bytes = SPEECH_OUTPUT_MAX;
	err = -pthread_mutex_init(&sp->lock, NULL);
	if (!err)
		err = check_choices(sp, d);
	if (!err)
		err = speech_cache_new(params->cache_dir, &sp->cache, d);
	if (!err)
		err = speech_render_start(sp);
	if (err) {
		free_rest(sp);
		return err;
	}
	*out = sp;
	return 0;
}

void speech_free(struct speech *sp)
{
	if (!sp)
		return;
	speech_render_stop(sp);
	free_rest(sp);
}

/* --- speakers --------------------------------------------------------------- */

void speech_language_name(const char *language, char out[SPEECH_LANGUAGE_BYTES])
{
	size_t n = strcspn(language, "-_");

	if (n >= SPEECH_LANGUAGE_BYTES)
		n = SPEECH_LANGUAGE_BYTES - 1;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)tolower((unsigned char)language[i]);
	out[n] = '\0';
}

/* With the lock held. */
static struct speech_speaker *find(struct speech *sp, const char *language,
				   const char *voice)
{
	for (size_t i = 0; i < sp->speakers_count; i++) {
		struct speech_speaker *l = sp->speakers[i];

		if (strcmp(l->language, language) == 0 &&
		    strcmp(l->asked, voice) == 0)
			return l;
	}
	return NULL;
}

/* With the lock held. */
static struct speech_speaker *add(struct speech *sp, const char *language,
				  const char *voice, struct diag *d)
{
	/* others' wishes do not take the places of the languages */
	size_t most = *voice ? SPEECH_SPEAKERS_MAX - PHRASES_LANGUAGES_MAX
			     : SPEECH_SPEAKERS_MAX;
	struct speech_speaker *l;

	if (sp->speakers_count >= most) {
		(void)diag_set(d, "%s: more than %zu voices",
			       *voice ? voice : language, most);
		return NULL;
	}
	l = b_zero(1, sizeof(*l));
	memcpy(l->language, language, strlen(language) + 1);
	l->asked = b_strdup(voice);
	sp->speakers[sp->speakers_count++] = l;
	return l;
}

struct speech_speaker *speech_speaker(struct speech *sp, const char *language,
				      const char *voice, struct diag *d)
{
	char key[SPEECH_LANGUAGE_BYTES];
	struct speech_speaker *l;

	speech_language_name(language, key);
	(void)pthread_mutex_lock(&sp->lock);
	l = find(sp, key, voice);
	if (!l)
		l = add(sp, key, voice, d);
	(void)pthread_mutex_unlock(&sp->lock);
	return l;
}

bool speech_speaker_known(struct speech *sp, const struct speech_speaker *l)
{
	bool known;

	(void)pthread_mutex_lock(&sp->lock);
	known = l->known;
	(void)pthread_mutex_unlock(&sp->lock);
	return known;
}

struct speech_speaker *speech_speaker_open(struct speech *sp,
					   const char *language,
					   const char *voice)
{
	char key[SPEECH_LANGUAGE_BYTES];
	struct speech_speaker *l;

	speech_language_name(language, key);
	(void)pthread_mutex_lock(&sp->lock);
	l = find(sp, key, voice);
	if (l && !l->open)
		l = NULL;
	(void)pthread_mutex_unlock(&sp->lock);
	return l;
}

bool speech_is_open(struct speech *sp, const char *language)
{
	return speech_speaker_open(sp, language, "") != NULL;
}

static struct clip *digit_of(const struct speech_speaker *l, char digit,
			     bool last)
{
	return l && digit >= '0' && digit <= '9' ? l->digit[digit - '0'][last]
						 : NULL;
}

struct clip *speech_digit(struct speech *sp, const char *language, char digit,
			  bool last)
{
	return digit_of(speech_speaker_open(sp, language, ""), digit, last);
}

struct clip *speech_speaker_digit(struct speech *sp,
				  const struct speech_piece *p, char digit,
				  bool last)
{
	return digit_of(speech_speaker_open(sp, p->language, p->voice), digit,
			last);
}

/* --- jobs that somebody waits for --------------------------------------------- */

struct awaited {
	struct speech_job job;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool done;
};

static void finish_awaited(struct speech_job *job)
{
	struct awaited *a = (struct awaited *)(void *)job;

	(void)pthread_mutex_lock(&a->lock);
	a->done = true;
	(void)pthread_cond_signal(&a->ended);
	(void)pthread_mutex_unlock(&a->lock);
}

static int await(struct speech *sp, struct awaited *a, struct diag *d)
{
	int err;

	a->job.finish = finish_awaited;
	(void)pthread_mutex_init(&a->lock, NULL);
	(void)pthread_cond_init(&a->ended, NULL);
	err = speech_render(sp, &a->job);
	if (!err) {
		(void)pthread_mutex_lock(&a->lock);
		while (!a->done)
			(void)pthread_cond_wait(&a->ended, &a->lock);
		(void)pthread_mutex_unlock(&a->lock);
		err = a->job.err;
		if (err && d)
			*d = a->job.diag;
	}
	(void)pthread_cond_destroy(&a->ended);
	(void)pthread_mutex_destroy(&a->lock);
	return err;
}

int speech_open(struct speech *sp, const char *language, struct diag *d)
{
	struct awaited a = {.job = {.language = language}};

	return speech_is_open(sp, language) ? 0 : await(sp, &a, d);
}

int speech_say(struct speech *sp, struct utterance *u, struct playlist **out,
	       struct diag *d)
{
	struct utterance *one[] = {u};
	struct awaited a = {.job = {.u = one, .n = 1}};
	int err = await(sp, &a, d);

	return err ? err : speech_playlist(sp, u, out);
}

/* --- jobs that end on a loop --------------------------------------------------- */

struct posted {
	struct speech_job job;
	struct post post;
	struct loop *loop;
	speech_done_h *done;
	void *ctx;
};

static void tell(void *ctx)
{
	struct posted *p = ctx;

	p->done(p->job.err, &p->job.diag, p->ctx);
	free(p->job.u);
	free(p);
}

static void finish_posted(struct speech_job *job)
{
	struct posted *p = (struct posted *)(void *)job;

	loop_post(p->loop, &p->post, tell, p);
}

/* Take what is in memory; true: the piece is ready. */
static bool take_piece(struct speech *sp, struct speech_piece *p)
{
	struct speech_speaker *l;
	struct speech_key key;

	switch (p->kind) {
	case SPEECH_PIECE_PAUSE:
		return true;
	case SPEECH_PIECE_DIGITS:
		return speech_speaker_open(sp, p->language, p->voice) != NULL;
	case SPEECH_PIECE_TEXT:
		break;
	}
	if (p->clip)
		return true;
	l = speech_speaker(sp, p->language, p->voice, NULL);
	if (!l || !speech_speaker_known(sp, l))
		return false;
	speech_piece_key(l, p, &key);
	p->clip = speech_cache_get(sp->cache, &key);
	return p->clip != NULL;
}

int speech_prepare(struct speech *sp, struct utterance *const u[], size_t n,
		   struct loop *loop, speech_done_h *done, void *ctx)
{
	struct posted *p = b_zero(1, sizeof(*p));
	int err;

	p->loop = loop;
	p->done = done;
	p->ctx = ctx;
	p->job.finish = finish_posted;
	p->job.u = b_copy(u, n * sizeof(struct utterance *));
	p->job.n = n;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < u[i]->count; k++)
			p->job.texts += !take_piece(sp, &u[i]->pieces[k]);
	if (p->job.texts == 0) {
		finish_posted(&p->job);
		return 0;
	}
	err = speech_render(sp, &p->job);
	if (err) {
		free(p->job.u);
		free(p);
	}
	return err;
}

int speech_playlist(struct speech *sp, const struct utterance *u,
		    struct playlist **out)
{
	AUTO(playlist) *list = playlist_new();
	int err = speech_playing(sp, u, list);

	if (!err)
		*out = KEEP(list);
	return err;
}
