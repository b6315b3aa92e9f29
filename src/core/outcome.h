// SPDX-License-Identifier: Apache-2.0
/*
 * outcome.h - the words of outcome.def as enums, and the table that makes a
 * leg's outcome of what the signalling said.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

enum outcome_status {
#define STATUS(name, text, final, event) STATUS_##name,
#include "core/outcome.def"
	STATUS_COUNT
};

enum outcome_leg {
#define LEG(name, text, trigger) LEG_##name,
#include "core/outcome.def"
	LEG_COUNT
};

enum outcome_check {
#define CHECK(name, text) CHECK_##name,
#include "core/outcome.def"
	CHECK_COUNT
};

enum outcome_event {
#define EVENT(name, text) EVENT_##name,
#include "core/outcome.def"
	EVENT_COUNT
};

const char *outcome_status_text(enum outcome_status s);
const char *outcome_status_event(enum outcome_status s); /* "" for pending */
bool outcome_status_final(enum outcome_status s);
const char *outcome_leg_text(enum outcome_leg l);
const char *outcome_leg_trigger(enum outcome_leg l); /* of a flow's call node */
const char *outcome_check_text(enum outcome_check c);
const char *outcome_event_text(enum outcome_event e);

/* How an unanswered leg ended: SIP status and Q.850 cause (0: none). */
enum outcome_leg outcome_of_sip(int sip_code, int q850);
/* May another route be tried after this end of an unanswered leg (B10)? */
enum outcome_again {
	OUTCOME_STAYS, /* it speaks of the called person, or of the number */
	OUTCOME_ONCE,  /* 403, 404, 480, 603 without a Q.850 cause: one more */
	OUTCOME_ANOTHER, /* a route's fault: 5xx, no answer of the network */
};
/* sip_code 0: nobody answered at all. */
enum outcome_again outcome_another_route(int sip_code, int q850);
