// SPDX-License-Identifier: Apache-2.0
/*
 * talk.c - what a run says, and how much of it was heard.
 *
 * All that is known beforehand goes to the voices before anything is dialled,
 * with zeroes in the place of codes: digits never reach a voice, so the rest
 * is the same sentence.  A saying is put together only when it is due, and the
 * code is there for no longer than that takes.  What could not be known (a
 * variable) is rendered while the person waits.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "flow/run_priv.h"

enum {
	UTTERANCES_MAX = 1024, /* of one run, in all its languages */
	SECRET_ROOM = 2 * FLOW_TEXT_MAX,
};

static const char ENGLISH[] = "en";
static const char ZEROES[] = "0000000000";

/* How a line is to be put into words. */
struct manner {
	const char *language, *digits;
	enum speech_pace pace;
};

/* --- which phrase -------------------------------------------------------------------- */

static bool lacks(const char *text, const char *slot, const char *value)
{
	return (!value || !*value) && strstr(text, slot) != NULL;
}

/* NULL: none of the line's options can be said. */
static const char *choose(const struct flow_run *run,
			  const struct flow_line *line, const char *language)
{
	for (size_t i = 0; i < line->options_count; i++) {
		const char *text =
			phrases_find(run->phrases, language, line->options[i]);

		if (text && !lacks(text, "{amount}", run->amount) &&
		    !lacks(text, "{payee}", run->payee) &&
		    !lacks(text, "{number}", run->callback))
			return line->options[i];
	}
	return NULL;
}

/* --- one line --------------------------------------------------------------------------- */

static int say_phrase(struct flow_run *run, struct utterance *u,
		      const char *name, const struct manner *how)
{
	const struct utterance_values values = {
		.brand = run->brand,
		.purpose = run->purpose,
		.digits = how->digits,
		.code = run->code,
		.number = run->callback,
		.amount = run->amount,
		.payee = run->payee,
		.pace = how->pace,
	};
	struct diag d = {0};

	return utterance_phrase(u, run->phrases, name, &values, &d);
}

static int say_text(struct flow_run *run, struct utterance *u,
		    const struct flow_line *line)
{
	const struct flow_template *t = line->text;
	bool fixed = t->count == 1 && t->parts[0].literal;
	struct diag d = {0};
	struct buf text;
	int err;

	err = line->voice ? utterance_voice(u, line->voice, &d) : 0;
	if (err)
		return err;
	buf_init(&text, SECRET_ROOM);
	err = flow_run_expand(run, t, &text);
	if (!err && line->kind == FLOW_LINE_SSML)
		err = utterance_ssml(u, buf_view(&text), fixed, &d);
	else if (!err)
		err = utterance_text(u, buf_view(&text), fixed, &d);
	flow_run_wipe(&text);
	return err;
}

/* 0 and *out NULL: there is nothing to say. */
static int put_into_words(struct flow_run *run, const struct flow_line *line,
			  const struct manner *how, struct utterance **out)
{
	bool phrase = line->kind == FLOW_LINE_PHRASE;
	const char *language = how->language;
	const char *name = NULL;
	struct utterance *u;
	int err;

	*out = NULL;
	if (phrase) {
		name = choose(run, line, language);
		if (!name)
			return 0;
	} else if (run->flow->language) {
		language = run->flow->language;
	}
	u = utterance_new(language);
	err = phrase ? say_phrase(run, u, name, how) : say_text(run, u, line);
	if (err)
		utterance_free(u);
	else
		*out = u;
	return err;
}

/* --- before the dial ----------------------------------------------------------------------- */

static struct flow_prep *prep_new(struct flow_run *run)
{
	struct flow_prep *p = b_zero(1, sizeof(*p));

	p->run = run;
	p->voicing = run->voicing;
	return p;
}

static void prep_free(struct flow_prep *p)
{
	for (size_t i = 0; i < p->count; i++)
		utterance_free(p->items[i]);
	free(p->items);
	free(p);
}

void flow_talk_sent(struct flow_prep *p)
{
	p->pending = true;
	if (p->voicing)
		++*p->voicing;
}

void flow_talk_back(struct flow_prep *p)
{
	p->pending = false;
	if (p->voicing)
		--*p->voicing;
}

/* The voices may still be at work on it: then it goes when they are done. */
void flow_talk_forget(struct flow_prep **prep)
{
	struct flow_prep *p = *prep;

	*prep = NULL;
	if (!p)
		return;
	p->run = NULL;
	if (!p->pending)
		prep_free(p);
}

static int prep_add(struct flow_prep *p, struct utterance *u)
{
	if (!u)
		return 0;
	if (p->count == UTTERANCES_MAX) {
		utterance_free(u);
		return -E2BIG;
	}
	p->items = b_grow(p->items, p->count + 1, sizeof(struct utterance *));
	p->items[p->count++] = u;
	return 0;
}

static int prepare_line(struct flow_run *run, struct flow_prep *p,
			const struct flow_line *line, const char *language)
{
	const struct manner how = {.language = language, .digits = "0"};
	struct utterance *u;
	int err;

	if (line->kind != FLOW_LINE_PHRASE && !line->text->early)
		return 0; /* when it is known */
	err = put_into_words(run, line, &how, &u);
	return err ? err : prep_add(p, u);
}

static int prepare_own(struct flow_run *run, struct flow_prep *p,
		       const char *phrase, const char *language)
{
	const struct flow_line line = {.kind = FLOW_LINE_PHRASE,
				       .options = {phrase},
				       .options_count = 1};

	return prepare_line(run, p, &line, language);
}

static int prepare_language(struct flow_run *run, struct flow_prep *p,
			    const char *language)
{
	int err = prepare_own(run, p, "common.failed", language);

	if (!err)
		err = prepare_own(run, p, "common.interrupted", language);
	for (size_t i = 0; i < run->flow->lines_count && !err; i++)
		err = prepare_line(run, p, run->flow->lines[i], language);
	return err;
}

int flow_talk_prepare(struct flow_run *run, speech_done_h *done, struct diag *d)
{
	struct flow_prep *p = run->fixed = prep_new(run);
	int err;

	memcpy(run->code, ZEROES, sizeof(run->code));
	run->code[run->code_length] = '\0';
	err = prepare_language(run, p, run->language);
	if (!err && flow_run_has_english(run)) {
		err = prepare_language(run, p, ENGLISH);
		if (!err)
			err = prepare_own(run, p, "english.offer", ENGLISH);
	}
	crypto_wipe(run->code, sizeof(run->code));
	if (err)
		return diag_set(d, "what the flow says cannot be said: %s",
				strerrorname_np(-err));
	err = speech_prepare(run->speech, p->items, p->count, run->loop, done,
			     p);
	if (!err)
		flow_talk_sent(p);
	return err;
}

/* --- a saying ---------------------------------------------------------------------------------- */

/* Lines as utterances, in order; NULL where a pause stands for itself. */
static int collect(struct flow_run *run, struct flow_prep *p)
{
	int err = 0;

	for (size_t i = 0; i < run->says_count; i++) {
		const struct flow_says *s = &run->says[i];
		const struct manner how = {
			.language = s->language ? s->language : run->language,
			.digits = s->digits,
			.pace = s->pace};

		for (size_t k = 0; s->script && k < s->script->count && !err;
		     k++) {
			struct utterance *u;

			err = put_into_words(run, s->script->lines[k], &how,
					     &u);
			/* a place for each line, said or not */
			if (!err && !u)
				u = utterance_new(how.language);
			if (!err && s->mark && k + 1 == s->script->count)
				utterance_mark(u); /* before its last pause */
			if (!err)
				err = prep_add(p, u);
		}
	}
	return err;
}

static int add_line(struct flow_run *run, struct playlist *list,
		    struct utterance *u)
{
	AUTO(playlist) *sound = NULL;
	int err = speech_playlist(run->speech, u, &sound);

	if (err || playlist_ms(sound) == 0)
		return err;
	if (playlist_ms(list) > 0) {
		err = playlist_silence(list, FLOW_LINE_GAP_MS);
		if (err)
			return err;
	}
	return playlist_append(list, sound);
}

static int add_part(struct flow_run *run, struct playlist *list,
		    const struct flow_says *s, struct utterance **lines)
{
	int err = s->pause_ms ? playlist_silence(list, s->pause_ms) : 0;

	for (size_t k = 0; s->script && k < s->script->count && !err; k++)
		err = add_line(run, list, lines[k]);
	return err;
}

/* B9: the first word after the answer waits until the ear is at the phone. */
static int add_first_pause(struct flow_run *run, struct playlist *list)
{
	int64_t since = flow_run_now(run) - run->leg.answered_ms;

	if (since >= FLOW_FIRST_PAUSE_MS)
		return 0;
	return playlist_silence(list, (unsigned)(FLOW_FIRST_PAUSE_MS - since));
}

static int assemble(struct flow_run *run, struct flow_prep *p,
		    struct playlist **out)
{
	AUTO(playlist) *list = playlist_new();
	struct utterance **lines = p->items;
	int err = add_first_pause(run, list);

	for (size_t i = 0; i < run->says_count && !err; i++) {
		err = add_part(run, list, &run->says[i], lines);
		if (run->says[i].script)
			lines += run->says[i].script->count;
	}
	if (!err)
		*out = KEEP(list);
	return err;
}

static void unsaid(struct flow_run *run)
{
	flow_run_happens(run, &(struct flow_happening){.what = FLOW_UNSAID});
}

static void mark_reached(void *ctx)
{
	flow_talk_mark(ctx);
}

static void sound(struct flow_run *run, struct playlist *list)
{
	if (flow_run_is_late(run)) {
		playlist_unref(list);
		flow_run_expire(run);
		return;
	}
	run->talk = list;
	run->talk_mark_ms = playlist_mark_ms(list);
	run->mark_passed = run->talk_mark_ms == 0;
	if (tel_call_play(run->leg.call, list, ++run->play_id))
		return; /* it ended: TEL_ENDED is under way */
	if (!run->mark_passed)
		timer_set(loop_timers(run->loop), &run->mark, run->talk_mark_ms,
			  mark_reached, run);
}

static int fetch_code(struct flow_run *run)
{
	bool needed = false;

	for (size_t i = 0; i < run->says_count; i++) {
		const struct flow_script *s = run->says[i].script;

		for (size_t k = 0; s && k < s->count; k++) {
			const struct flow_line *line = s->lines[k];

			needed = needed || line->may_have_code ||
				 (line->text && line->text->holds_secret);
		}
	}
	return needed ? run->host->code(run->ctx, run->code) : 0;
}

/* What is to be said, as words that the voices know, or will. */
static int put_all_into_words(struct flow_run *run, struct flow_prep *p)
{
	int err = fetch_code(run);

	if (!err)
		err = collect(run, p);
	crypto_wipe(run->code, sizeof(run->code));
	return err;
}

static void rendered(int err, const struct diag *d, void *ctx)
{
	struct flow_prep *p = ctx;
	struct flow_run *run = p->run;
	struct playlist *list = NULL;

	(void)d;
	flow_talk_back(p);
	if (!run) {
		prep_free(p);
		return;
	}
	if (!err)
		err = assemble(run, p, &list);
	flow_talk_forget(&run->saying);
	if (err)
		unsaid(run);
	else
		sound(run, list);
}

void flow_run_say(struct flow_run *run, const struct flow_says *says, size_t n)
{
	struct flow_prep *p;
	int err;

	flow_run_hush(run);
	if (flow_run_is_late(run)) {
		flow_run_expire(run);
		return;
	}
	run->talk_mark_ms = UINT_MAX; /* no key counts before it sounds */
	memcpy(run->says, says, n * sizeof(*says));
	run->says_count = n;
	p = prep_new(run);
	err = put_all_into_words(run, p);
	if (!err)
		err = speech_prepare(run->speech, p->items, p->count, run->loop,
				     rendered, p);
	if (err) {
		prep_free(p);
		unsaid(run);
		return;
	}
	flow_talk_sent(p);
	run->saying = p;
}

void flow_talk_own(struct flow_run *run, const char *phrase)
{
	run->own_line = (struct flow_line){.kind = FLOW_LINE_PHRASE,
					   .options = {phrase},
					   .options_count = 1};
	run->own_script = (struct flow_script){{&run->own_line}, 1};
	flow_run_say(run, &(struct flow_says){.script = &run->own_script}, 1);
}

static void silence(struct flow_run *run)
{
	timer_stop(loop_timers(run->loop), &run->mark);
	playlist_unref(run->talk);
	run->talk = NULL;
}

void flow_run_hush(struct flow_run *run)
{
	if (run->talk && run->leg.call && !run->leg.ended)
		tel_call_stop(run->leg.call);
	silence(run);
	flow_talk_forget(&run->saying);
}

bool flow_run_is_talking(const struct flow_run *run)
{
	return run->talk || run->saying;
}

unsigned flow_run_mark_ms(const struct flow_run *run)
{
	return run->talk_mark_ms;
}

void flow_talk_mark(struct flow_run *run)
{
	if (run->mark_passed)
		return;
	run->mark_passed = true;
	timer_stop(loop_timers(run->loop), &run->mark);
	flow_run_happens(run, &(struct flow_happening){.what = FLOW_MARK});
}

void flow_talk_played(struct flow_run *run, uint32_t play_id)
{
	if (!run->talk || play_id != run->play_id)
		return; /* of something that was replaced meanwhile */
	flow_talk_mark(run);
	silence(run);
	flow_run_happens(run, &(struct flow_happening){.what = FLOW_PLAYED});
}
