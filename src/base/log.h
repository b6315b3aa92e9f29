// SPDX-License-Identifier: Apache-2.0
/*
 * log.h - one JSON object per line, to stderr.  Any thread.
 *
 * Only flow, api, service and app log; lower rooms return errors.  Never a
 * code, a whole phone number, or a key (log_number() is how a number goes in).
 * A line is at most LOG_LINE_MAX bytes; longer ones are cut and say so.
 *
 *   log_info("call.ended", "id", LOG_S(id), "pdd_ms", LOG_I(pdd), NULL);
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum { LOG_LINE_MAX = 4096, LOG_NUMBER_BYTES = 32 };

/* Fields are pairs of a name and a tagged value, ended by NULL. */
struct log_value {
	enum { LOG_IS_TEXT, LOG_IS_INT } kind;
	const char *text;
	int64_t number;
};
#define LOG_S(s) (&(struct log_value){.kind = LOG_IS_TEXT, .text = (s)})
#define LOG_I(i) \
	(&(struct log_value){.kind = LOG_IS_INT, .number = (int64_t)(i)})

void log_threshold(enum log_level least); /* default LOG_INFO */
void log_to(int fd); /* default 2; tests may point it elsewhere */
void log_write(enum log_level level, const char *event, ...)
	__attribute__((sentinel));
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)

/* "+14155550100" with country code 1 -> "+1...00": what F1 allows in a log. */
void log_number(const char *e164, unsigned country_code,
		char out[LOG_NUMBER_BYTES]);
