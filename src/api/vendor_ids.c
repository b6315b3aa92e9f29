// SPDX-License-Identifier: Apache-2.0
/*
 * vendor_ids.c - our names in the shapes that vendors' clients expect.
 */
#include "api/vendor.h"

#include <ctype.h>
#include <string.h>

enum {
	SHORT_DIGITS = SERVICE_SHORT_BYTES - 1,
	UUID_LETTERS = VENDOR_UUID_BYTES - 1,
	SID_LETTERS = 2,
};

void vendor_plivo_account(const struct api *a, const char *application,
			  char out[VENDOR_PLIVO_ID_BYTES])
{
	uint8_t alias[VENDOR_ALIAS_BYTES];

	service_alias(a->p.service, VENDOR_PLIVO_ALIAS, application, alias);
	vendor_plivo_text(alias, out);
}

void vendor_twilio_account(const struct api *a, const char *application,
			   char out[VENDOR_TWILIO_ID_BYTES])
{
	uint8_t alias[VENDOR_ALIAS_BYTES];

	service_alias(a->p.service, VENDOR_TWILIO_ALIAS, application, alias);
	vendor_twilio_text(alias, out);
}

void vendor_uuid(const char *id, char out[VENDOR_UUID_BYTES])
{
	char digits[SERVICE_SHORT_BYTES];

	service_short_id(id, digits);
	vendor_uuid_text(digits, out);
}

void vendor_sid(const char letters[2], const char *id,
		char out[VENDOR_TWILIO_ID_BYTES])
{
	memcpy(out, letters, SID_LETTERS);
	service_short_id(id, out + SID_LETTERS);
}

static char small(char c)
{
	return (char)tolower((unsigned char)c);
}

/* Hex digits of either case as small ones. */
static bool copy_hex(const char *from, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++) {
		if (!isxdigit((unsigned char)from[i]))
			return false;
		out[i] = small(from[i]);
	}
	return true;
}

static bool hyphen_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool vendor_uuid_read(struct span text, char out[SERVICE_SHORT_BYTES])
{
	char digits[SERVICE_SHORT_BYTES] = "";
	size_t n = 0;

	if (text.n != UUID_LETTERS)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (hyphen_at(i) ? text.p[i] != '-'
				 : !copy_hex(text.p + i, 1, digits + n++))
			return false;
	memcpy(out, digits, sizeof(digits));
	return true;
}

bool vendor_sid_read(const char letters[2], struct span text,
		     char out[SERVICE_SHORT_BYTES])
{
	char digits[SERVICE_SHORT_BYTES] = "";

	if (text.n != SID_LETTERS + SHORT_DIGITS ||
	    memcmp(text.p, letters, SID_LETTERS) != 0 ||
	    !copy_hex(text.p + SID_LETTERS, SHORT_DIGITS, digits))
		return false;
	memcpy(out, digits, sizeof(digits));
	return true;
}
