// SPDX-License-Identifier: Apache-2.0
/*
 * person.c - what a scripted person makes of what is heard.
 *
 * Nothing is known but sounds and the pauses between: three to five digits
 * said once are to be pressed, digits said again and again (or six and more of
 * them) are the code.  Time is the line's: here are only wishes, "this, after
 * so long".
 */
#include <string.h>

#include "base/crypto.h"
#include "tel/scripted_priv.h"

enum {
	REACTION_MS = 700,    /* to reach for the key */
	QUIET_MS = 1500,      /* nobody speaks: my turn */
	LONG_QUIET_MS = 4000, /* my turn, though nothing was asked of me */
	GO_AWAY_MS = 2000,    /* after the code, to type it elsewhere */
	HANG_UP_EARLY_MS = 1000,
	REPORT_MS = 4000, /* of listening before `9` */
	TYPE_TIMES = 3,
	REPEAT_TIMES = 3,
	CHECK_DIGITS_MIN = 3,  /* fewer are no human check */
	CODE_REPEATED_MIN = 4, /* a code this short is said twice */
	CODE_ONCE_MIN = 6,
	CODE_DIGITS_MAX = 10, /* more is a phone number */
	RUN_MAX = 32,         /* digits in a row; what is longer is cut */
	RUNS_MAX = 16,
	MAILBOX_SYMBOLS = 12,
	REPORTED = -1,
};

/* Digits said in one go, and how often. */
struct run {
	char digits[RUN_MAX + 1];
	unsigned times;
};

bool tel_person_listens(enum tel_script script)
{
	switch (script) {
	case TEL_SCRIPT_LISTEN:
	case TEL_SCRIPT_TYPE:
	case TEL_SCRIPT_LATE:
	case TEL_SCRIPT_FORWARDED:
	case TEL_SCRIPT_WRONG:
	case TEL_SCRIPT_REPEAT:
		return true;
	case TEL_SCRIPT_BUSY:
	case TEL_SCRIPT_NO_ANSWER:
	case TEL_SCRIPT_DECLINE:
	case TEL_SCRIPT_MAILBOX:
	case TEL_SCRIPT_HANG_UP:
	case TEL_SCRIPT_REPORT:
	case TEL_SCRIPT_SILENT:
	case TEL_SCRIPTS:
		break;
	}
	return false;
}

static struct tel_plan plan(enum tel_intent intent, unsigned after_ms)
{
	return (struct tel_plan){intent, after_ms};
}

static void one_key(struct tel_person *p, char key)
{
	p->keys[0] = key;
	p->keys[1] = '\0';
}

/* --- a greeting that was recorded ---------------------------------------- */

static struct tel_plan next_mailbox_key(struct tel_person *p)
{
	unsigned gap_ms;

	if (p->mailbox_keys == 0)
		return plan(TEL_WAIT, 0);
	/* on average the rest is spread over the rest of the greeting */
	gap_ms = rng_below(p->rng, 2 * p->mailbox_ms / p->mailbox_keys + 1);
	p->mailbox_ms -= gap_ms < p->mailbox_ms ? gap_ms : p->mailbox_ms;
	p->mailbox_keys--;
	one_key(p, "0123456789*#"[rng_below(p->rng, MAILBOX_SYMBOLS)]);
	return plan(TEL_PRESS, gap_ms);
}

struct tel_plan tel_person_answers(struct tel_person *p)
{
	if (p->script == TEL_SCRIPT_HANG_UP)
		return plan(TEL_GO_AWAY, HANG_UP_EARLY_MS);
	if (p->script == TEL_SCRIPT_MAILBOX)
		return next_mailbox_key(p);
	return plan(TEL_WAIT, 0);
}

struct tel_plan tel_person_keys_pressed(struct tel_person *p)
{
	if (p->script == TEL_SCRIPT_MAILBOX)
		return next_mailbox_key(p);
	if (p->script == TEL_SCRIPT_REPORT)
		p->report_at_ms = REPORTED;
	if (p->check == TEL_CHECK_ASKED)
		p->check = TEL_CHECK_DONE;
	p->turn = TEL_TURN_NONE;
	return plan(TEL_WAIT, 0);
}

/* --- when to speak up ---------------------------------------------------- */

/* `9`, not before the mark of what is being said. */
static struct tel_plan report(struct tel_person *p,
			      const struct playlist *sound, int64_t now_ms)
{
	unsigned mark_ms = playlist_mark_ms(sound);
	int64_t wait_ms;

	if (p->report_at_ms == REPORTED)
		return plan(TEL_WAIT, 0);
	if (p->report_at_ms == 0)
		p->report_at_ms = now_ms + REPORT_MS;
	wait_ms = p->report_at_ms - now_ms;
	if (mark_ms > 0 && wait_ms < mark_ms + REACTION_MS)
		wait_ms = mark_ms + REACTION_MS;
	one_key(p, '9');
	return plan(TEL_PRESS, wait_ms > 0 ? (unsigned)wait_ms : 0);
}

struct tel_plan tel_person_sound_begins(struct tel_person *p,
					const struct playlist *sound,
					int64_t now_ms)
{
	p->code_just_said = false;
	if (p->script == TEL_SCRIPT_REPORT)
		return report(p, sound, now_ms);
	/* somebody speaks: wait until that is over */
	return plan(p->turn == TEL_TURN_NONE ? TEL_KEEP : TEL_WAIT, 0);
}

/* REPEAT: 1 (again), 2 (slower), 1, then it is enough. */
static struct tel_plan repeat(struct tel_person *p)
{
	if (p->code_just_said && p->repeated == REPEAT_TIMES)
		return plan(TEL_GO_AWAY, GO_AWAY_MS);
	if (p->code_just_said) {
		p->turn = TEL_TURN_REPEAT;
		one_key(p, p->repeated++ == 1 ? '2' : '1');
	}
	return p->turn == TEL_TURN_NONE ? plan(TEL_KEEP, 0)
					: plan(TEL_PRESS, QUIET_MS);
}

static struct tel_plan type(struct tel_person *p)
{
	bool asked = p->code[0] != '\0' || p->check == TEL_CHECK_DONE;

	if (p->typed == (p->types_max ? p->types_max : TYPE_TIMES) ||
	    (p->code[0] == '\0' && !p->knows_code))
		return plan(TEL_KEEP, 0);
	p->turn = TEL_TURN_TYPE;
	return plan(TEL_TYPE, asked ? QUIET_MS : LONG_QUIET_MS);
}

struct tel_plan tel_person_sound_ends(struct tel_person *p)
{
	struct tel_plan next = plan(TEL_KEEP, 0);

	/* the keys of a human check come first */
	if (p->check != TEL_CHECK_ASKED) {
		if (p->script == TEL_SCRIPT_TYPE)
			next = type(p);
		else if (p->script == TEL_SCRIPT_REPEAT)
			next = repeat(p);
		else if (p->code_just_said && p->script != TEL_SCRIPT_WRONG)
			next = plan(TEL_GO_AWAY, GO_AWAY_MS);
	}
	p->code_just_said = false;
	return next;
}

void tel_person_types(struct tel_person *p, const char *given)
{
	const char *code = given ? given : p->code;
	size_t n = strnlen(code, TEL_PERSON_KEYS_MAX);

	memcpy(p->keys, code, n);
	p->keys[n] = '\0';
	p->typed++;
}

/* --- what was said ------------------------------------------------------- */

/* Take the next run of heard[*i..n). */
static void take_run(const struct tel_heard *heard, size_t n, size_t *i,
		     struct run *run)
{
	size_t count = 0;

	do {
		if (count < RUN_MAX)
			run->digits[count++] = heard[*i].digit;
		(*i)++;
	} while (*i < n && heard[*i].joined);
	run->digits[count] = '\0';
	run->times = 1;
}

/* "482913482913" is a code read twice without a word between. */
static void fold(struct run *run, size_t times)
{
	size_t n = strlen(run->digits), part = n / times;

	if (n % times != 0 || part < CODE_REPEATED_MIN ||
	    memcmp(run->digits, run->digits + part, n - part) != 0)
		return;
	run->digits[part] = '\0';
	run->times = (unsigned)times;
}

/* The different runs of a sound, with how often each was said. */
static size_t collect(const struct tel_heard *heard, size_t n,
		      struct run runs[RUNS_MAX])
{
	size_t count = 0, i = 0;

	while (i < n && count < RUNS_MAX) {
		struct run *run = &runs[count];
		size_t same = 0;

		take_run(heard, n, &i, run);
		while (same < count &&
		       strcmp(runs[same].digits, run->digits) != 0)
			same++;
		if (same < count)
			runs[same].times++;
		else
			count++;
	}
	for (i = 0; i < count; i++) {
		for (size_t times = 3; times > 1 && runs[i].times == 1; times--)
			fold(&runs[i], times);
	}
	return count;
}

static bool is_check(const struct run *run)
{
	size_t n = strlen(run->digits);

	return n == CHECK_DIGITS_MIN ||
	       (n > CHECK_DIGITS_MIN && n < CODE_ONCE_MIN && run->times == 1);
}

static bool is_repeated_code(const struct run *run)
{
	size_t n = strlen(run->digits);

	return run->times > 1 && n >= CODE_REPEATED_MIN && n <= CODE_DIGITS_MAX;
}

static bool is_code_said_once(const struct run *run)
{
	size_t n = strlen(run->digits);

	return n >= CODE_ONCE_MIN && n <= CODE_DIGITS_MAX;
}

static const struct run *find(const struct run *runs, size_t count,
			      bool (*is)(const struct run *run))
{
	while (count-- > 0)
		if (is(&runs[count]))
			return &runs[count];
	return NULL;
}

static void learn_code(struct tel_person *p, const struct run *run)
{
	memcpy(p->code, run->digits, strlen(run->digits) + 1);
	p->code_is_sure = run->times > 1;
	p->code_just_said = true;
}

/* Asked for again, a code is said once only. */
static bool says_code_again(const struct tel_person *p, const struct run *runs,
			    size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(runs[i].digits, p->code) == 0)
			return true;
	return false;
}

static void answer_check(struct tel_person *p, const struct run *run)
{
	memcpy(p->keys, run->digits, strlen(run->digits) + 1);
	if (p->script == TEL_SCRIPT_WRONG)
		p->keys[0] = p->keys[0] == '1' ? '2' : '1';
	p->check = TEL_CHECK_ASKED;
	p->turn = TEL_TURN_NONE;
}

struct tel_plan tel_person_digits_said(struct tel_person *p,
				       const struct playlist *sound,
				       const struct tel_heard *heard, size_t n)
{
	unsigned said_ms = heard[n - 1].end_ms;
	unsigned mark_ms = playlist_mark_ms(sound);
	struct tel_plan next = plan(TEL_KEEP, 0);
	const struct run *code, *check, *once;
	struct run runs[RUNS_MAX];
	size_t count = collect(heard, n, runs);

	code = find(runs, count, is_repeated_code);
	check = find(runs, count, is_check);
	once = find(runs, count, is_code_said_once);
	if (code) {
		learn_code(p, code);
	} else if (says_code_again(p, runs, count)) {
		p->code_just_said = true;
	} else if (check) {
		answer_check(p, check);
		next = plan(TEL_PRESS,
			    REACTION_MS + (mark_ms > said_ms ? mark_ms - said_ms
							     : 0));
	} else if (once && !p->code_is_sure) {
		learn_code(p, once);
	}
	crypto_wipe(runs, sizeof(runs));
	return next;
}
