// SPDX-License-Identifier: Apache-2.0
/*
 * number_priv.h - what number.c asks libphonenumber, in C.
 */
#pragma once

#include "core/number.h"

#ifdef __cplusplus
extern "C" {
#endif

enum number_lib_verdict {
	NUMBER_LIB_OK,         /* possible by its length */
	NUMBER_LIB_NO_COUNTRY, /* no such country code */
	NUMBER_LIB_SHORT,
	NUMBER_LIB_LONG,
	NUMBER_LIB_BAD, /* anything else */
};

struct number_lib_answer {
	char e164[NUMBER_BYTES]; /* canonical: trunk zeros and such are gone */
	unsigned country_code;
	char region[NUMBER_REGION_BYTES]; /* "ZZ": none of the plan's */
	enum number_type type;
	bool valid;
};

/* e164: "+" and digits.  Never throws, never prints; any thread.  *out is
 * written for NUMBER_LIB_OK only. */
enum number_lib_verdict number_lib_ask(const char *e164,
				       struct number_lib_answer *out);

#ifdef __cplusplus
}
#endif
