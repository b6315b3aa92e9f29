// SPDX-License-Identifier: Apache-2.0
/*
 * keyring.h - the server's own keys: one makes, all check (A8).
 *
 * Text form, one key a line: `id: 64 hex digits`; blank lines and lines that
 * begin with # are skipped.  The first key makes.  Keys are never used
 * themselves: each use has a sub-key, by HKDF, under a label of its own.
 * Immutable once parsed: any thread.
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/diag.h"
#include "base/random.h"
#include "base/span.h"

struct keyring;

enum {
	KEYRING_KEYS_MAX = 16,
	KEYRING_ID_BYTES = 17, /* letters, digits, - and _, with NUL */
	KEYRING_TEXT_MAX = 8 << 10,
	KEYRING_PRINT_BYTES = 17, /* hex of a key's fingerprint, with NUL */
};

enum keyring_use {
	KEYRING_CODE,        /* codes are derived with it */
	KEYRING_NUMBER_HASH, /* looks numbers up; only the oldest key's is used,
			      * so that rotation does not blind the look-up */
	KEYRING_NUMBER_SEAL, /* encrypts numbers at rest */
	KEYRING_TOKEN,       /* hashes API tokens; the oldest key's, as above */
	KEYRING_CODE_SEAL,   /* seals codes that a caller supplies */
	KEYRING_PARAM_SEAL,  /* seals a flow's parameters */
	KEYRING_WEBHOOK,     /* secrets of webhooks are derived with it; the
			      * oldest key's, as above */
	KEYRING_USES
};

MUST_CHECK int keyring_parse(struct span text, struct keyring **out,
			     struct diag *d); /* d: line, column */
void keyring_free(struct keyring *k);         /* wiped; NULL is fine */

/* The text of a new ring with one key; of `old` with a new key in front. */
void keyring_make(struct rng *r, struct buf *out);
MUST_CHECK int keyring_rotate(struct span old, struct rng *r, struct buf *out,
			      struct diag *d);

const char *keyring_maker(
	const struct keyring *k); /* id of the key that makes */
/* The sub-key, or NULL if there is no key of that id.  id NULL: the maker, or
 * the oldest for the uses that say so. */
const uint8_t *keyring_key(const struct keyring *k, const char *id,
			   enum keyring_use use);

/*
 * What the store keeps about its ring: "id=fingerprint" pairs.  A ring fits if
 * it has every key that `known` names, with the same fingerprint.  known "":
 * a new store, any ring fits.  On a fit *now is what to keep from here on.
 * -EINVAL with d: another ring, or a key is missing (named).
 */
MUST_CHECK int keyring_fits(const struct keyring *k, const char *known,
			    struct buf *now, struct diag *d);

/* Numbers at rest (F1): seal with the maker's key; the id goes in front. */
enum { KEYRING_SEALED_MAX = 96 };
MUST_CHECK int keyring_seal(const struct keyring *k, enum keyring_use use,
			    struct span bound, struct span plain,
			    uint8_t out[KEYRING_SEALED_MAX], size_t *n);
MUST_CHECK int keyring_open(const struct keyring *k, enum keyring_use use,
			    struct span bound, struct span sealed, char *out,
			    size_t size);
/* The same for texts of any length, in the same form.  open: room for the whole
 * plain text is made at once, and what was in it can be wiped by its owner. */
void keyring_seal_text(const struct keyring *k, enum keyring_use use,
		       struct span bound, struct span plain, struct buf *out);
MUST_CHECK int keyring_open_text(const struct keyring *k, enum keyring_use use,
				 struct span bound, struct span sealed,
				 struct buf *out);
/* Keyed hash of a number, 16 bytes as hex: what it is looked up by.  Its first
 * byte is the partition. */
enum { KEYRING_HASH_BYTES = 33 };
void keyring_hash_number(const struct keyring *k, const char *e164,
			 char out[KEYRING_HASH_BYTES]);

CLEANUP(keyring, keyring_free)
