// SPDX-License-Identifier: Apache-2.0
/*
 * refuse.c - why not, in the words of the API's table.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"
#include "service/service_priv.h"

void service_refuse(struct service_refusal *no, const char *code,
		    const char *field, const char *fmt, ...)
{
	va_list args;

	*no = (struct service_refusal){.code = code};
	(void)snprintf(no->field, sizeof(no->field), "%s", field);
	va_start(args, fmt);
	(void)vsnprintf(no->detail, sizeof(no->detail), fmt, args);
	va_end(args);
}

void service_refuse_store(struct service_refusal *no, int err)
{
	if (err == -EAGAIN) {
		service_refuse(no, "overloaded", "",
			       "too much is waiting to be stored");
		return;
	}
	if (err != -ENOSPC && err != -EIO && err != -ESHUTDOWN)
		log_error("store.refused", "errno", LOG_I(-err), NULL);
	service_refuse(no, "store_unavailable", "",
		       err == -ENOSPC ? "the disk is full"
				      : "the store cannot be reached");
}

static void rule(struct service_refusal *no, const char *name, int64_t retry_ms)
{
	(void)snprintf(no->rule, sizeof(no->rule), "%s", name);
	no->retry_ms = retry_ms;
}

void service_refuse_create(struct service_refusal *no,
			   enum verification_refusal why, int64_t retry_ms)
{
	switch (why) {
	case VERIFICATION_FINE:
		*no = (struct service_refusal){.code = ""};
		return;
	case VERIFICATION_TOO_MANY_LIVE:
		service_refuse(no, "rate_limited", "to",
			       "%d codes for this number are live; call again "
			       "with one of them, or cancel one",
			       VERIFICATION_LIVE_MAX);
		rule(no, "number.live_codes", retry_ms);
		return;
	case VERIFICATION_WAITING:
		service_refuse(no, "rate_limited", "to",
			       "too many wrong codes for this number lately");
		rule(no, "number.failures", retry_ms);
		return;
	case VERIFICATION_STOPPED:
		service_refuse(no, "number_blocked", "to",
			       "%d wrong codes in a row: an operator must "
			       "unlock this number",
			       VERIFICATION_HARD_STOP);
		rule(no, "number.hard_stop", 0);
		return;
	case VERIFICATION_PAUSED:
		service_refuse(no, "rate_limited", "to",
			       "somebody at this number said that they had "
			       "not asked for a call");
		rule(no, "number.reported", retry_ms);
		return;
	case VERIFICATION_BLOCKED:
		service_refuse(no, "number_blocked", "to",
			       "this number is blocked");
		rule(no, "number.blocked", 0);
		return;
	}
}
