// SPDX-License-Identifier: Apache-2.0
/*
 * outcome.c - the words of outcome.def, and what the signalling meant (B10).
 *
 * A Q.850 cause was said by whoever knows most about the called line, so it
 * goes before the SIP status that some gateway made of it; causes that say
 * nothing (16, 31, 127) leave the word to the status.
 */
#include "core/outcome.h"

#include <assert.h>
#include <stddef.h>

#include "base/attr.h"

static const struct {
	const char *text, *event;
	bool final;
} statuses[STATUS_COUNT] = {
#define STATUS(name, text, final, event) [STATUS_##name] = {text, event, final},
#include "core/outcome.def"
};

static const struct {
	const char *text, *trigger;
} legs[LEG_COUNT] = {
#define LEG(name, text, trigger) [LEG_##name] = {text, trigger},
#include "core/outcome.def"
};

static const char *const checks[CHECK_COUNT] = {
#define CHECK(name, text) [CHECK_##name] = (text),
#include "core/outcome.def"
};

static const char *const events[EVENT_COUNT] = {
#define EVENT(name, text) [EVENT_##name] = (text),
#include "core/outcome.def"
};

const char *outcome_status_text(enum outcome_status s)
{
	assert(s < STATUS_COUNT);
	return statuses[s].text;
}

const char *outcome_status_event(enum outcome_status s)
{
	assert(s < STATUS_COUNT);
	return statuses[s].event;
}

bool outcome_status_final(enum outcome_status s)
{
	assert(s < STATUS_COUNT);
	return statuses[s].final;
}

const char *outcome_leg_text(enum outcome_leg l)
{
	assert(l < LEG_COUNT);
	return legs[l].text;
}

const char *outcome_leg_trigger(enum outcome_leg l)
{
	assert(l < LEG_COUNT);
	return legs[l].trigger;
}

const char *outcome_check_text(enum outcome_check c)
{
	assert(c < CHECK_COUNT);
	return checks[c];
}

const char *outcome_event_text(enum outcome_event e)
{
	assert(e < EVENT_COUNT);
	return events[e];
}

struct row {
	int first, last;
	enum outcome_leg leg;
};

/* Q.850 table 1, with RFC 3398 8.2.6 in mind. */
static const struct row causes[] = {
	{1, 1, LEG_UNALLOCATED},     /* unallocated number */
	{2, 3, LEG_NETWORK_ERROR},   /* no route */
	{17, 17, LEG_BUSY},          /* user busy */
	{18, 20, LEG_NO_ANSWER},     /* not responding, no answer, absent */
	{21, 21, LEG_DECLINED},      /* call rejected, by the person */
	{22, 22, LEG_UNALLOCATED},   /* number changed */
	{26, 27, LEG_NETWORK_ERROR}, /* misrouted, out of order */
	{28, 28, LEG_UNALLOCATED},   /* incomplete or invalid number */
	{29, 29, LEG_NETWORK_ERROR}, /* facility rejected */
	{34, 34, LEG_CONGESTION},    /* no circuit */
	{38, 38, LEG_NETWORK_ERROR}, /* network out of order */
	{41, 44, LEG_CONGESTION},    /* temporary failure, congestion */
	{46, 47, LEG_CONGESTION},    /* preempted, no resource */
	{50, 57, LEG_BLOCKED},       /* barred, not subscribed */
	{58, 88, LEG_NETWORK_ERROR}, /* not available, incompatible */
	{95, 111, LEG_NETWORK_ERROR},
};

static const struct row sip_codes[] = {
	{200, 299, LEG_ANSWERED},    {403, 403, LEG_BLOCKED},
	{404, 404, LEG_UNALLOCATED}, {408, 408, LEG_NO_ANSWER},
	{410, 410, LEG_UNALLOCATED}, {480, 480, LEG_NO_ANSWER},
	{484, 485, LEG_UNALLOCATED}, {486, 486, LEG_BUSY},
	{487, 487, LEG_NO_ANSWER},   {500, 599, LEG_CONGESTION},
	{600, 600, LEG_BUSY},        {603, 603, LEG_BLOCKED},
	{604, 604, LEG_UNALLOCATED}, {607, 608, LEG_BLOCKED},
};

static enum outcome_leg look_up(const struct row *rows, size_t n, int code)
{
	for (size_t i = 0; i < n; i++)
		if (code >= rows[i].first && code <= rows[i].last)
			return rows[i].leg;
	return LEG_NONE;
}

enum outcome_leg outcome_of_sip(int sip_code, int q850)
{
	enum outcome_leg leg = look_up(causes, COUNT_OF(causes), q850);

	if (leg == LEG_NONE)
		leg = look_up(sip_codes, COUNT_OF(sip_codes), sip_code);
	return leg == LEG_NONE ? LEG_NETWORK_ERROR : leg;
}

/* A cause is of the person or of the number where its leg says so; the network's
 * own causes and a gateway's 5xx leave another way to try. */
static enum outcome_again after_cause(int q850)
{
	enum outcome_leg leg = look_up(causes, COUNT_OF(causes), q850);

	return leg == LEG_CONGESTION || leg == LEG_NETWORK_ERROR
		       ? OUTCOME_ANOTHER
		       : OUTCOME_STAYS;
}

enum outcome_again outcome_another_route(int sip_code, int q850)
{
	if (look_up(causes, COUNT_OF(causes), q850) != LEG_NONE)
		return after_cause(q850);
	switch (sip_code) {
	case 403:
	case 404:
	case 480:
	case 603:
		return q850 ? OUTCOME_STAYS : OUTCOME_ONCE;
	case 0:
	case 408: /* nobody answered the request */
		return OUTCOME_ANOTHER;
	default:
		return sip_code >= 500 && sip_code < 600 ? OUTCOME_ANOTHER
							 : OUTCOME_STAYS;
	}
}
