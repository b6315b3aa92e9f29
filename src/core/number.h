// SPDX-License-Identifier: Apache-2.0
/*
 * number.h - is this a number, whose, of what kind (E1)?
 *
 * libphonenumber knows the plans; an overlay of ours lies over it, because
 * plans age.  A parse costs about 20 us and does not scale over threads.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/span.h"

enum {
	NUMBER_BYTES = 20, /* "+" and up to 15 digits, with NUL */
	/* ISO 3166 alpha-2; "001": of no country (+800, +870, ...); "ZZ": of a
	 * country code that several share, and it is not known which */
	NUMBER_REGION_BYTES = 4,
	NUMBER_TEXT_MAX = 40,
	NUMBER_OVERLAY_MAX = 4096, /* rows */
	NUMBER_ZONE_BYTES = 40,
};

#define NUMBER_TYPES(X)                                                 \
	X(FIXED, "fixed_line")                                          \
	X(MOBILE, "mobile")                                             \
	X(FIXED_OR_MOBILE, "fixed_line_or_mobile")                      \
	X(TOLL_FREE, "toll_free")                                       \
	X(PREMIUM, "premium_rate")                                      \
	X(SHARED_COST, "shared_cost")                                   \
	X(VOIP, "voip")                                                 \
	X(PERSONAL, "personal")                                         \
	X(PAGER, "pager")                                               \
	X(UAN, "uan")                                                   \
	X(VOICEMAIL, "voicemail")                                       \
	/* with the international networks: +870 +881 +882 +883 +888 */ \
	X(SATELLITE, "satellite")                                       \
	X(UNKNOWN, "unknown")                                           \
	X(SANDBOX, "sandbox")

enum number_type {
#define X(name, text) NUMBER_##name,
	NUMBER_TYPES(X)
#undef X
};
const char *number_type_text(enum number_type t);
MUST_CHECK int number_type_parse(const char *text, enum number_type *out);

struct number {
	char e164[NUMBER_BYTES];
	unsigned country_code;
	char region[NUMBER_REGION_BYTES];
	enum number_type type;
	bool valid; /* false: possible by length, but no plan knows it */
	/* The region's IANA time zone; "" where it has several. */
	char zone[NUMBER_ZONE_BYTES];
};

/* Is it a region that can be listed: ISO 3166 alpha-2, or 001? */
bool number_is_region(struct span text);
/* Minutes that local time is away from UTC: the least and the most over the
 * region and the year; over the world where the region is not known. */
void number_offsets(const char *region, int *least, int *most);

/*
 * The overlay, CSV: `prefix,region,type` with digits without plus, for example
 * `1947,US,fixed_line_or_mobile`; a line with these three words in front and
 * comments after # are fine.  The longest match wins over the library, which
 * still judges the length.  Immutable: any thread.
 */
struct number_plan;
MUST_CHECK int number_plan_parse(struct span csv, struct number_plan **out,
				 struct diag *d);
void number_plan_free(struct number_plan *p); /* NULL is fine */

enum number_verdict {
	NUMBER_OK,
	NUMBER_NOT_A_NUMBER, /* not E.164 at all */
	NUMBER_IMPOSSIBLE,   /* too long, too short, no such country */
};

/*
 * `text` is E.164 with plus, or its digits alone; spaces, dots, hyphens and
 * parentheses between them are passed over.  plan may be NULL.  `why` (may be
 * NULL) says what is wrong, and never shows the number.  out is written for
 * NUMBER_OK only; its e164 is canonical: two spellings that ring one telephone
 * for the library are one text.  Any thread.
 */
enum number_verdict number_parse(struct span text,
				 const struct number_plan *plan,
				 struct number *out, struct diag *why);

/* The sandbox: +1 555 555 0100, 0110, 0111 and 0120 to 0127.  True if `text` is
 * one of them; out is then filled with region "ZZ" and type NUMBER_SANDBOX. */
bool number_sandbox(struct span text, struct number *out);

CLEANUP(number_plan, number_plan_free)
