// SPDX-License-Identifier: Apache-2.0
/*
 * verification.c - the life of one verification, as pure functions.
 *
 * Who may lock out whom?  Failures belong to a number, so somebody who does not
 * hold it might try to use them up.  Two things stand in the way.  A check
 * counts only once the code was spoken to a person past the human check, so a
 * stranger needs the victim's help on the victim's own phone for every handful
 * of guesses, and there the victim can press 9.  And a wait holds guesses up
 * without counting them: what is sent during it, by whomever, changes nothing,
 * so a flood of checks cannot make a wait longer or reach the hard stop.  The
 * price is that a right code is refused during a wait, too; otherwise the wait
 * would not slow a guesser at all.
 */
#include "core/verification.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

enum {
	WAIT_FREE = 2,                 /* failures in a row without a wait */
	WAIT_FIRST_MS = 30 * 1000,     /* then doubling ... */
	WAIT_LONGEST_MS = 3600 * 1000, /* ... up to an hour */
	WAIT_DOUBLINGS = 7,            /* 30 s << 7 is over an hour */
	CODE_LENGTH = 6,
	SIP_CODE_MAX = 999,
	Q850_MAX = 127,
	/* what is compared at once: a power of two over every text's size */
	COMPARED = 128,
};

static const int64_t day_ms = 86400000;

_Static_assert((int)VERIFICATION_PAYEE_BYTES <= (int)COMPARED,
	       "payees are compared");

/* --- states ------------------------------------------------------------------- */

enum cause {
	CAUSE_PROVED,
	CAUSE_GUESSED,
	CAUSE_LAPSED,
	CAUSE_WITHDRAWN,
	CAUSE_FORBIDDEN,
	CAUSE_DENIED,
	CAUSES
};

/* STATUS_PENDING, which is 0 and never a target, means: no such step. */
static const enum outcome_status steps[STATUS_COUNT][CAUSES] = {
#define STEP(from, cause, to) [STATUS_##from][CAUSE_##cause] = STATUS_##to,
#include "core/verification.def"
};

/* One more than the state that follows; 0: out of order. */
static const unsigned char leg_steps[VERIFICATION_LEG_ENDED + 1][EVENT_COUNT] =
	{
#define LEG_STEP(from, event, to) \
	[VERIFICATION_LEG_##from][EVENT_##event] = VERIFICATION_LEG_##to + 1,
#include "core/verification.def"
};

/* The others keep their order. */
static void live_drop(struct verification_number *n, size_t i)
{
	n->live_count--;
	for (; i < n->live_count; i++)
		n->live[i] = n->live[i + 1];
	n->live[i] = (struct verification_live){0};
}

static void live_free(struct verification_number *n, const char *id)
{
	for (size_t i = 0; i < n->live_count; i++)
		if (strcmp(n->live[i].id, id) == 0) {
			live_drop(n, i);
			return;
		}
}

/* What was given for it is of no use any more, and so is not kept (A6). */
static void forget_given(struct verification *v)
{
	crypto_wipe(v->code_sealed, sizeof(v->code_sealed));
	v->code_sealed_n = 0;
	free(v->params);
	v->params = NULL;
	v->params_n = 0;
}

/* The one place where a verification ends. */
static void set_state(struct verification *v, struct verification_number *n,
		      enum cause cause, int64_t now)
{
	enum outcome_status to = steps[v->status][cause];

	assert(to != STATUS_PENDING);
	v->status = to;
	v->ended_ms = now;
	live_free(n, v->id);
	forget_given(v);
}

static bool lapsed(const struct verification *v, int64_t now)
{
	return now >= v->expires_ms;
}

/* A2: ringing does not eat the time to type, and nothing lives longer. */
static int64_t expiry(const struct verification *v)
{
	int64_t longest = v->created_ms + VERIFICATION_LIFE_MS;
	int64_t from =
		v->answered_ms > v->created_ms ? v->answered_ms : v->created_ms;

	return from + v->ttl_ms < longest ? from + v->ttl_ms : longest;
}

/* --- failures ------------------------------------------------------------------ */

int64_t verification_wait_ms(unsigned in_row)
{
	unsigned doublings = in_row - WAIT_FREE - 1;
	int64_t ms;

	if (in_row <= WAIT_FREE)
		return 0;
	if (doublings > WAIT_DOUBLINGS)
		doublings = WAIT_DOUBLINGS;
	ms = (int64_t)WAIT_FIRST_MS << doublings;
	return ms < WAIT_LONGEST_MS ? ms : WAIT_LONGEST_MS;
}

/*
 * The failures that speak about a purpose, or NULL: none yet.  Where the table
 * is full, a purpose that is not in it stands for the oldest one's: an
 * application that lets its visitors name purposes must not thereby give them
 * fresh guesses.
 */
static struct verification_failures *failures_of(struct verification_number *n,
						 const char *purpose)
{
	struct verification_failures *oldest = NULL;

	for (size_t i = 0; i < n->failures_count; i++) {
		struct verification_failures *f = &n->failures[i];

		if (strcmp(f->purpose, purpose) == 0)
			return f;
		if (!oldest || f->last_ms < oldest->last_ms)
			oldest = f;
	}
	return n->failures_count == VERIFICATION_PURPOSES_MAX ? oldest : NULL;
}

static void failure_count(struct verification_number *n, const char *purpose,
			  int64_t now)
{
	struct verification_failures *f = failures_of(n, purpose);

	if (!f)
		f = &n->failures[n->failures_count++];
	(void)snprintf(f->purpose, sizeof(f->purpose), "%s", purpose);
	f->in_row++;
	f->last_ms = now;
	f->wait_until_ms = now + verification_wait_ms(f->in_row);
}

static void failures_forget(struct verification_number *n, const char *purpose)
{
	struct verification_failures *f = failures_of(n, purpose);

	if (!f || strcmp(f->purpose, purpose) != 0)
		return;
	*f = n->failures[--n->failures_count];
	n->failures[n->failures_count] = (struct verification_failures){0};
}

void verification_unlock(struct verification_number *n)
{
	memset(n->failures, 0, sizeof(n->failures));
	n->failures_count = 0;
}

/* Is the number held for this purpose, and for how long? */
static enum verification_refusal held(struct verification_number *n,
				      const char *purpose, int64_t now,
				      int64_t *ms)
{
	const struct verification_failures *f = failures_of(n, purpose);

	*ms = 0;
	if (n->blocked)
		return VERIFICATION_BLOCKED;
	if (f && f->in_row >= VERIFICATION_HARD_STOP)
		return VERIFICATION_STOPPED;
	if (n->paused_until_ms > now) {
		*ms = n->paused_until_ms - now;
		return VERIFICATION_PAUSED;
	}
	if (f && f->wait_until_ms > now) {
		*ms = f->wait_until_ms - now;
		return VERIFICATION_WAITING;
	}
	return VERIFICATION_FINE;
}

/* --- create ---------------------------------------------------------------------- */

/* Whoever was lost on the way (a record that was erased) gives way in time. */
static void live_sweep(struct verification_number *n, int64_t now)
{
	for (size_t i = n->live_count; i-- > 0;)
		if (n->live[i].expires_ms <= now)
			live_drop(n, i);
}

void verification_live_yield(struct verification_number *n)
{
	if (n->live_count == VERIFICATION_LIVE_MAX)
		live_drop(n, 0);
}

static int64_t live_soonest(const struct verification_number *n)
{
	int64_t soonest = INT64_MAX;

	for (size_t i = 0; i < n->live_count; i++)
		if (n->live[i].expires_ms < soonest)
			soonest = n->live[i].expires_ms;
	return soonest;
}

static void live_take(struct verification_number *n,
		      const struct verification *v)
{
	struct verification_live *live = &n->live[n->live_count++];

	(void)snprintf(live->id, sizeof(live->id), "%s", v->id);
	(void)snprintf(live->label, sizeof(live->label), "%s", v->label);
	live->expires_ms = v->expires_ms;
}

static unsigned within(unsigned value, unsigned otherwise, unsigned max)
{
	if (value == 0)
		return otherwise;
	return value < max ? value : max;
}

enum verification_refusal verification_create(struct verification *v,
					      struct verification_number *n,
					      int64_t now, int64_t *retry_ms)
{
	enum verification_refusal no = held(n, v->purpose, now, retry_ms);

	if (no != VERIFICATION_FINE)
		return no;
	live_sweep(n, now);
	if (n->live_count == VERIFICATION_LIVE_MAX) {
		*retry_ms = live_soonest(n) - now;
		return VERIFICATION_TOO_MANY_LIVE;
	}
	v->status = STATUS_PENDING;
	if (v->ttl_ms <= 0 || v->ttl_ms > VERIFICATION_LIFE_MS)
		v->ttl_ms = VERIFICATION_LIFE_MS;
	v->code_length = within(v->code_length, CODE_LENGTH, CODE_DIGITS_MAX);
	v->wrong_max = within(v->wrong_max, VERIFICATION_WRONG,
			      VERIFICATION_WRONG_MAX);
	v->human_digits = n->five_digits_until_ms > now ? VERIFICATION_HUMAN_MAX
							: VERIFICATION_HUMAN;
	v->created_ms = now;
	v->answered_ms = v->ended_ms = v->deliverable_ms = 0;
	v->wrong = v->checks = 0;
	v->asked = 1;
	v->approved_by_keypad = false;
	v->legs_count = 0;
	v->expires_ms = expiry(v);
	live_take(n, v);
	return VERIFICATION_FINE;
}

/* --- check ----------------------------------------------------------------------- */

/*
 * Equal texts, in a time that says nothing about ours.  Both are laid into
 * blocks of one size and compared whole; only the length of what was given,
 * which the giver knows, shows.  NULL is "".
 */
static unsigned same(const char *given, const char *ours)
{
	char a[COMPARED] = "", b[COMPARED] = "";
	size_t n = given ? strnlen(given, COMPARED) : 0;
	unsigned fits = n < COMPARED;
	unsigned equal;

	if (n < COMPARED && n > 0)
		memcpy(a, given, n);
	for (size_t i = 0; ours && i < COMPARED - 1 && ours[i]; i++)
		b[i] = ours[i];
	equal = fits & (unsigned)crypto_equal(a, b, sizeof(a));
	crypto_wipe(a, sizeof(a));
	crypto_wipe(b, sizeof(b));
	return equal;
}

/* Which part is wrong does not show, not even in time: all are compared (A7). */
static unsigned proves(const struct verification *v,
		       const struct verification_attempt *a)
{
	unsigned code = same(a->code, a->expected);
	unsigned amount = same(a->amount, v->amount);
	unsigned currency = same(a->currency, v->currency);
	unsigned payee = same(a->payee, v->payee);
	unsigned unsaid = !a->currency || a->currency[0] == '\0';
	unsigned keypad = a->keypad;

	return code & (keypad | (amount & (currency | unsaid) & payee));
}

/*
 * May this way of answering approve at all?  BY_CALL takes either: the keypad
 * of the call as B5 says, and also the application, since a code that was heard
 * on the phone and typed where it was asked for proves more than the keypad.
 */
static bool way_open(const struct verification *v, bool keypad)
{
	switch (v->method_allowed) {
	case VERIFICATION_BY_API:
		return !keypad;
	case VERIFICATION_BY_KEYPAD:
		return keypad;
	case VERIFICATION_BY_CALL:
		return true;
	}
	return false;
}

static enum outcome_check over_already(const struct verification *v)
{
	switch (v->status) {
	case STATUS_APPROVED:
		return CHECK_USED;
	case STATUS_FAILED:
		return CHECK_LOCKED;
	case STATUS_PENDING:
	case STATUS_EXPIRED:
	case STATUS_CANCELED:
	case STATUS_REPORTED:
	case STATUS_COUNT:
		break;
	}
	return CHECK_EXPIRED;
}

/* Everything that keeps a check from being a guess. */
static enum outcome_check no_guess(struct verification *v,
				   struct verification_number *n,
				   const struct verification_attempt *a,
				   int64_t now)
{
	int64_t ms;

	if (v->status != STATUS_PENDING)
		return over_already(v);
	if (lapsed(v, now) || a->epoch != v->epoch || !a->expected ||
	    a->expected[0] == '\0') {
		set_state(v, n, CAUSE_LAPSED, now);
		return CHECK_EXPIRED;
	}
	if (v->deliverable_ms == 0)
		return CHECK_NOT_DELIVERED;
	/* Also during a pause: somebody at that phone has just said that a code
	 * for this application was not asked for. */
	if (held(n, v->purpose, now, &ms) != VERIFICATION_FINE)
		return CHECK_LOCKED;
	return CHECK_COUNT;
}

static enum outcome_check guess(struct verification *v,
				struct verification_number *n, unsigned right,
				bool keypad, int64_t now)
{
	if (right) {
		v->approved_by_keypad = keypad;
		n->approved_ms = now;
		failures_forget(n, v->purpose);
		set_state(v, n, CAUSE_PROVED, now);
		return CHECK_APPROVED;
	}
	v->wrong++;
	failure_count(n, v->purpose, now);
	if (v->wrong >= v->wrong_max)
		set_state(v, n, CAUSE_GUESSED, now);
	return CHECK_WRONG;
}

enum outcome_check verification_check(struct verification *v,
				      struct verification_number *n,
				      const struct verification_attempt *a,
				      int64_t now, unsigned *left)
{
	/* first, so that every answer has cost the same */
	unsigned right = proves(v, a) & (unsigned)way_open(v, a->keypad);
	enum outcome_check answer;

	if (v->checks < UINT32_MAX)
		v->checks++;
	answer = no_guess(v, n, a, now);
	if (answer == CHECK_COUNT)
		answer = guess(v, n, right, a->keypad, now);
	*left = v->status == STATUS_PENDING ? v->wrong_max - v->wrong : 0;
	return answer;
}

/* --- the rest of its life ----------------------------------------------------------- */

bool verification_cancel(struct verification *v, struct verification_number *n,
			 int64_t now)
{
	if (v->status != STATUS_PENDING || lapsed(v, now))
		return false;
	set_state(v, n, CAUSE_WITHDRAWN, now);
	return true;
}

bool verification_forbid(struct verification *v, struct verification_number *n,
			 int64_t now)
{
	if (v->status != STATUS_PENDING || lapsed(v, now))
		return false;
	set_state(v, n, CAUSE_FORBIDDEN, now);
	return true;
}

bool verification_expire(struct verification *v, struct verification_number *n,
			 int64_t now)
{
	if (v->status != STATUS_PENDING || !lapsed(v, now))
		return false;
	set_state(v, n, CAUSE_LAPSED, now);
	return true;
}

/* A2: a call that nobody could finish is not made. */
int64_t verification_dial_until(const struct verification *v)
{
	int64_t half = v->ttl_ms / 2;
	int64_t least =
		half < VERIFICATION_DIAL_MS ? half : VERIFICATION_DIAL_MS;

	return v->expires_ms - least;
}

static bool time_to_dial(const struct verification *v, int64_t now)
{
	return now <= verification_dial_until(v);
}

enum verification_again verification_may_call(const struct verification *v,
					      int64_t now)
{
	if (v->status != STATUS_PENDING)
		return VERIFICATION_OVER;
	for (size_t i = 0; i < v->legs_count; i++)
		if (v->legs[i].state != VERIFICATION_LEG_ENDED)
			return VERIFICATION_BUSY;
	if (!time_to_dial(v, now))
		return VERIFICATION_TOO_LATE;
	if (v->legs_count == VERIFICATION_LEGS_MAX)
		return VERIFICATION_TOO_OFTEN;
	return VERIFICATION_CALL;
}

struct verification_leg *verification_add_leg(struct verification *v,
					      const char *id, int64_t now)
{
	struct verification_leg *leg;

	assert(v->legs_count < VERIFICATION_LEGS_MAX);
	leg = &v->legs[v->legs_count++];
	*leg = (struct verification_leg){
		.state = VERIFICATION_LEG_QUEUED,
		.queued_ms = now,
	};
	(void)snprintf(leg->id, sizeof(leg->id), "%s", id);
	return leg;
}

struct verification_leg *verification_leg_find(struct verification *v,
					       const char *id)
{
	for (size_t i = 0; i < v->legs_count; i++)
		if (strcmp(v->legs[i].id, id) == 0)
			return &v->legs[i];
	return NULL;
}

/* --- what the phone reports ----------------------------------------------------------- */

static void deliverable(struct verification *v, int64_t now)
{
	if (v->status == STATUS_PENDING && v->deliverable_ms == 0)
		v->deliverable_ms = now;
}

static bool leg_dialing(struct verification *v, struct verification_leg *leg,
			const struct verification_news *news, int64_t now)
{
	if (v->status != STATUS_PENDING || lapsed(v, now) ||
	    !time_to_dial(v, now))
		return false;
	leg->dialed_ms = now;
	(void)snprintf(leg->route, sizeof(leg->route), "%s",
		       news->route ? news->route : "");
	return true;
}

static void leg_answered(struct verification *v, struct verification_number *n,
			 struct verification_leg *leg, int64_t now)
{
	leg->answered_ms = now;
	n->forwarded = leg->forwarded;
	if (v->status != STATUS_PENDING || lapsed(v, now))
		return;
	v->answered_ms = now;
	v->expires_ms = expiry(v);
	for (size_t i = 0; i < n->live_count; i++)
		if (strcmp(n->live[i].id, v->id) == 0)
			n->live[i].expires_ms = v->expires_ms;
}

static bool leg_human(struct verification *v, struct verification_leg *leg,
		      int64_t now)
{
	if (leg->human)
		return false;
	leg->human = true;
	/* reverse asks for the code from here on; it has nothing to speak */
	if (v->method_allowed == VERIFICATION_BY_KEYPAD)
		deliverable(v, now);
	return true;
}

static bool leg_spoken(struct verification *v, struct verification_leg *leg,
		       int64_t now)
{
	bool plain = v->warnings & VERIFICATION_WARN_PLAIN;

	if (leg->spoken || !(leg->human || plain))
		return false;
	leg->spoken = true;
	deliverable(v, now);
	return true;
}

static bool leg_forwarded(struct verification_number *n,
			  struct verification_leg *leg)
{
	if (leg->forwarded)
		return false;
	leg->forwarded = true;
	if (leg->state == VERIFICATION_LEG_ANSWERED)
		n->forwarded = true;
	return true;
}

/* B4: harder for machines, and never a lock. */
static void machine(struct verification_number *n, int64_t now)
{
	n->five_digits_until_ms = now + VERIFICATION_HUMAN_DAYS * day_ms;
}

static void leg_ended(struct verification_number *n,
		      struct verification_leg *leg,
		      const struct verification_news *news, int64_t now)
{
	leg->ended_ms = now;
	leg->outcome = news->outcome;
	if (leg->outcome == LEG_NONE) /* nobody knows how: the node went away */
		leg->outcome = LEG_INTERRUPTED;
	if (news->sip_code > 0 && news->sip_code <= SIP_CODE_MAX)
		leg->sip_code = news->sip_code;
	if (news->q850 > 0 && news->q850 <= Q850_MAX)
		leg->q850 = news->q850;
	leg->early_media = news->early_media;
	if (news->media)
		leg->media = *news->media;
	if (leg->outcome == LEG_MACHINE_SUSPECTED)
		machine(n, now);
}

/* B8.  After an approval it cannot cancel, but it still says that the next one
 * should wait. */
static void reported(struct verification *v, struct verification_number *n,
		     int64_t now)
{
	n->paused_until_ms = now + VERIFICATION_PAUSE_MS;
	if (v->status == STATUS_PENDING)
		set_state(v, n, CAUSE_DENIED, now);
}

static bool take_news(struct verification *v, struct verification_number *n,
		      struct verification_leg *leg,
		      const struct verification_news *news, int64_t now)
{
	/* NOLINTNEXTLINE: leg_steps lets no other event through */
	switch ((int)news->event) {
	case EVENT_DIALING:
		return leg_dialing(v, leg, news, now);
	case EVENT_RINGING:
		leg->ringing_ms = now;
		break;
	case EVENT_ANSWERED:
		leg_answered(v, n, leg, now);
		break;
	case EVENT_HUMAN:
		return leg_human(v, leg, now);
	case EVENT_SPOKEN:
		return leg_spoken(v, leg, now);
	case EVENT_FORWARDED:
		return leg_forwarded(n, leg);
	case EVENT_MACHINE_SUSPECTED:
		machine(n, now);
		break;
	case EVENT_REPORTED:
		reported(v, n, now);
		break;
	case EVENT_ENDED:
		leg_ended(n, leg, news, now);
		break;
	default: /* EVENT_KEY_WRONG: told, and nothing to keep */
		break;
	}
	return true;
}

bool verification_deliver(struct verification *v, struct verification_number *n,
			  const struct verification_news *news, int64_t now)
{
	struct verification_leg *leg = verification_leg_find(v, news->leg);
	unsigned next;

	if (!leg)
		return false;
	next = leg_steps[leg->state][news->event];
	if (next == 0 || !take_news(v, n, leg, news, now))
		return false;
	leg->state = (enum verification_leg_state)(next - 1);
	return true;
}
