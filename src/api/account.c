// SPDX-License-Identifier: Apache-2.0
/*
 * account.c - ids as vendors' clients want them to look.
 */
#include "api/account.h"

#include <string.h>

#include "base/attr.h"
#include "base/crypto.h"
#include "base/random.h"

enum { PLIVO_LETTERS = 36, UUID_RAW = 16 };

/* The bytes are one large number, whose digits are taken from its end.  18 of
 * them need 94 of the 128 bits, so each is as good as uniform. */
static unsigned take_digit(uint8_t number[VENDOR_ALIAS_BYTES])
{
	unsigned rest = 0;

	for (size_t i = 0; i < VENDOR_ALIAS_BYTES; i++) {
		rest = rest << 8 | number[i];
		number[i] = (uint8_t)(rest / PLIVO_LETTERS);
		rest %= PLIVO_LETTERS;
	}
	return rest;
}

void vendor_plivo_text(const uint8_t alias[VENDOR_ALIAS_BYTES],
		       char out[VENDOR_PLIVO_ID_BYTES])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint8_t number[VENDOR_ALIAS_BYTES];

	memcpy(number, alias, sizeof(number));
	memcpy(out, "MA", 2);
	for (size_t i = 2; i < VENDOR_PLIVO_ID_BYTES - 1; i++)
		out[i] = letters[take_digit(number)];
	out[VENDOR_PLIVO_ID_BYTES - 1] = '\0';
}

void vendor_twilio_text(const uint8_t alias[VENDOR_ALIAS_BYTES],
			char out[VENDOR_TWILIO_ID_BYTES])
{
	out[0] = 'A';
	out[1] = 'C';
	crypto_hex(alias, VENDOR_ALIAS_BYTES, out + 2);
}

/* 8-4-4-4-12 digits (RFC 9562 4). */
void vendor_uuid_text(const char *digits, char out[VENDOR_UUID_BYTES])
{
	static const size_t groups[] = {8, 4, 4, 4, 12};

	for (size_t i = 0; i < COUNT_OF(groups); i++) {
		memcpy(out, digits, groups[i]);
		digits += groups[i];
		out += groups[i];
		*out++ = '-';
	}
	out[-1] = '\0';
}

void vendor_uuid_new(char out[VENDOR_UUID_BYTES])
{
	uint8_t raw[UUID_RAW];
	char digits[2 * UUID_RAW + 1];

	rng_fill(rng_system(), raw, sizeof(raw));
	raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40); /* RFC 9562 5.4 */
	raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
	crypto_hex(raw, sizeof(raw), digits);
	vendor_uuid_text(digits, out);
}
