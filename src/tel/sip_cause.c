// SPDX-License-Identifier: Apache-2.0
/*
 * sip_cause.c - why it ended, and what happened to it on the way, out of
 * headers.
 *
 * Header values come as they stand in the message; where a message has several
 * headers of a name, they are joined by commas (RFC 3261 7.3.1).  Whatever
 * cannot be read says nothing: no call may fail over a Reason.
 */
#include "tel/sip_text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum {
	Q850_MAX = 127,
	RETRY_MAX_S = 24 * 60 * 60, /* far beyond what is obeyed */
	MS_PER_S = 1000,
};

/* --- texts of headers ------------------------------------------------------- */

bool tsip_text_is(struct span s, const char *word)
{
	return s.n == strlen(word) && strncasecmp(s.p, word, s.n) == 0;
}

/* Case does not matter. */
static bool contains(struct span s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++) {
		if (strncasecmp(s.p + i, word, n) == 0)
			return true;
	}
	return false;
}

bool tsip_text_cut(struct span *rest, char sep, struct span *item)
{
	struct span all = *rest;
	bool quoted = false, angled = false;
	size_t i;

	if (!all.p)
		return false;
	for (i = 0; i < all.n; i++) {
		char c = all.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			quoted = c != '"';
		} else if (angled) {
			angled = c != '>';
		} else if (c == sep) {
			break;
		} else {
			quoted = c == '"';
			angled = c == '<';
		}
	}
	if (i >= all.n) {
		*item = span_trim(all);
		*rest = (struct span){0};
		return true;
	}
	*item = span_trim(span_make(all.p, i));
	*rest = span_make(all.p + i + 1, all.n - i - 1);
	return true;
}

bool tsip_text_param(struct span params, char sep, const char *name,
		     struct span *value)
{
	struct span item, key;

	while (tsip_text_cut(&params, sep, &item)) {
		if (!span_cut(&item, '=', &key))
			continue;
		if (!tsip_text_is(span_trim(key), name))
			continue;
		*value = span_trim(item);
		return true;
	}
	return false;
}

/* --- causes ------------------------------------------------------------------- */

int tsip_cause_q850(struct span reason)
{
	struct span one, protocol, value;
	uint64_t cause;

	while (tsip_text_cut(&reason, ',', &one)) {
		if (!tsip_text_cut(&one, ';', &protocol) ||
		    !tsip_text_is(protocol, "Q.850"))
			continue;
		if (tsip_text_param(one, ';', "cause", &value) &&
		    span_uint(value, Q850_MAX, &cause) == 0 && cause > 0)
			return (int)cause;
	}
	return 0;
}

int64_t tsip_cause_retry_ms(struct span header)
{
	struct span digits = span_trim(header);
	uint64_t seconds;
	size_t n = 0;

	if (!header.p)
		return -1;
	while (n < digits.n && digits.p[n] >= '0' && digits.p[n] <= '9')
		n++;
	digits.n = n;
	switch (span_uint(digits, RETRY_MAX_S, &seconds)) {
	case 0:
		return (int64_t)seconds * MS_PER_S;
	case -ERANGE:
		return (int64_t)RETRY_MAX_S * MS_PER_S;
	default:
		return TSIP_REST_MS;
	}
}

/* --- forwarding ----------------------------------------------------------------- */

/*
 * Does an entry say that the call was sent to somebody else?  That is its `mp`
 * parameter (RFC 7044 5), a cause in its URI (RFC 4458), or an escaped Reason
 * (RFC 4244).  `rc`, `np` and a mere index are steps on the way to the same
 * person.
 */
static bool entry_forwarded(struct span entry)
{
	static const char *const causes[] = {
		"cause=302", "cause=408",   "cause=480",   "cause=486",
		"cause=487", "cause=404",   "cause=503",   "cause%3D302",
		"cause%3D4", "cause%3D503", "cause%3D181", "cause=181",
	};
	const char *end = entry.n ? memchr(entry.p, '>', entry.n) : NULL;
	struct span value, params = entry;

	if (end) {
		size_t inside = (size_t)(end - entry.p);

		params = span_make(end + 1, entry.n - inside - 1);
		entry.n = inside;
	}
	for (size_t i = 0; i < COUNT_OF(causes); i++) {
		if (contains(entry, causes[i]))
			return true;
	}
	return tsip_text_param(params, ';', "mp", &value);
}

bool tsip_cause_forwarded(struct span history_info, struct span diversion)
{
	struct span entry;

	while (tsip_text_cut(&diversion, ',', &entry)) {
		if (entry.n > 0)
			return true;
	}
	while (tsip_text_cut(&history_info, ',', &entry)) {
		if (entry_forwarded(entry))
			return true;
	}
	return false;
}
