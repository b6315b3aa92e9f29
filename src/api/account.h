// SPDX-License-Identifier: Apache-2.0
/*
 * account.h - ids as vendors' clients want them to look.
 *
 * Their clients refuse ids of another shape before they send anything, so an
 * application has an account's id of each vendor; they are made from its name
 * and the key ring and are no secret.
 */
#pragma once

#include <stdint.h>

enum {
	VENDOR_PLIVO_ID_BYTES = 21,  /* "MA" and 18 of A-Z0-9, with NUL */
	VENDOR_TWILIO_ID_BYTES = 35, /* two letters and 32 hex digits */
	VENDOR_ALIAS_BYTES = 16,
	VENDOR_UUID_BYTES = 37,
};

/* The kinds that the bytes are asked for by: service_alias(). */
#define VENDOR_PLIVO_ALIAS "plivo.account"
#define VENDOR_TWILIO_ALIAS "twilio.account"

/* "MA" and 18 of A-Z0-9. */
void vendor_plivo_text(const uint8_t alias[VENDOR_ALIAS_BYTES],
		       char out[VENDOR_PLIVO_ID_BYTES]);
/* "AC" and 32 hex digits. */
void vendor_twilio_text(const uint8_t alias[VENDOR_ALIAS_BYTES],
			char out[VENDOR_TWILIO_ID_BYTES]);
/* 32 hex digits with hyphens between. */
void vendor_uuid_text(const char *digits, char out[VENDOR_UUID_BYTES]);
/* A fresh random one: api_id of an answer. */
void vendor_uuid_new(char out[VENDOR_UUID_BYTES]);
