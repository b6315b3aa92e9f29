// SPDX-License-Identifier: Apache-2.0
/*
 * hook_record.h - the record of how far somebody was told.
 */
#pragma once

#include "base/buf.h"
#include "service/hooks.h"

enum {
	HOOK_AGAIN_MAX = 8, /* events asked for once more */
	HOOK_FORM_BYTES = 16,
};

/* How far somebody was told: the record beside the verification, of its id.
 * There is none before the first try. */
struct hook {
	char application[VERIFICATION_APP_BYTES];
	char url[VERIFICATION_URL_BYTES]; /* "": the application's own */
	char form[HOOK_FORM_BYTES];
	enum service_hook_state state;
	char cursor[STORE_CURSOR_BYTES]; /* told up to here */
	unsigned failures;               /* in a row */
	int64_t created_ms, next_ms;     /* not before; 0: at once */
	unsigned row; /* which row of the queue is its own, */
	bool gone;    /* ... and that is not queued any more */
	unsigned again_failures;
	size_t again_count;
	char again[HOOK_AGAIN_MAX][STORE_CURSOR_BYTES];
	size_t tries_count;
	struct service_hook_try tries[SERVICE_HOOK_TRIES_MAX];
};

/* Records.  -EBADMSG. */
MUST_CHECK int service_hook_unpack(struct span record, struct hook *out);
void service_hook_pack(const struct hook *h, struct buf *out);
