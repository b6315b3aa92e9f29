// SPDX-License-Identifier: Apache-2.0
/*
 * keyring.c - the server's own keys: one makes, all check (A8).
 *
 * The keys of the file live only while it is read: what is kept are sub-keys,
 * one for each use, so that a sub-key that leaks through one use says nothing
 * about the others and nothing about the key.
 */
#include "core/keyring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

enum {
	ID_MAX = KEYRING_ID_BYTES - 1,
	HEX_MAX = 2 * CRYPTO_KEY_BYTES,
	PRINT_RAW = (KEYRING_PRINT_BYTES - 1) / 2,
	HASH_RAW = (KEYRING_HASH_BYTES - 1) / 2,
	MADE_MAX = 99999, /* the highest number in an id that we make: "k7" */
	/* what one sealed text may hold, so that it fits with any id */
	PLAIN_MAX = KEYRING_SEALED_MAX - 1 - ID_MAX - CRYPTO_SEAL_BYTES,
};

/* Never change one: everything that was made with it would be lost. */
static const char *const labels[KEYRING_USES] = {
	[KEYRING_CODE] = "voiceotp 1 code",
	[KEYRING_NUMBER_HASH] = "voiceotp 1 number hash",
	[KEYRING_NUMBER_SEAL] = "voiceotp 1 number seal",
	[KEYRING_TOKEN] = "voiceotp 1 token",
	[KEYRING_CODE_SEAL] = "voiceotp 1 code seal",
	[KEYRING_PARAM_SEAL] = "voiceotp 1 param seal",
	[KEYRING_WEBHOOK] = "voiceotp 1 webhook",
};

struct key {
	char id[KEYRING_ID_BYTES];
	size_t id_n;
	char print[KEYRING_PRINT_BYTES];
	uint8_t sub[KEYRING_USES][CRYPTO_KEY_BYTES];
	int line;
};

struct keyring {
	size_t count;
	struct key keys[KEYRING_KEYS_MAX];
};

/* --- reading ---------------------------------------------------------------- */

static bool id_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool id_good(struct span id)
{
	if (id.n == 0 || id.n > ID_MAX)
		return false;
	for (size_t i = 0; i < id.n; i++)
		if (!id_char(id.p[i]))
			return false;
	return true;
}

/* Either case is read, since people write these by hand. */
static bool hex_good(struct span text, uint8_t raw[CRYPTO_KEY_BYTES])
{
	char lower[HEX_MAX];
	bool good;

	if (text.n != HEX_MAX)
		return false;
	for (size_t i = 0; i < HEX_MAX; i++) {
		char c = text.p[i];

		if (c >= 'A' && c <= 'F')
			c = (char)(c + ('a' - 'A'));
		lower[i] = c;
	}
	good = crypto_unhex(span_make(lower, HEX_MAX), raw, CRYPTO_KEY_BYTES) ==
	       0;
	crypto_wipe(lower, sizeof(lower));
	return good;
}

static void key_fill(struct key *k, struct span id,
		     const uint8_t raw[CRYPTO_KEY_BYTES], int line)
{
	uint8_t print[CRYPTO_KEY_BYTES];

	memcpy(k->id, id.p, id.n);
	k->id[id.n] = '\0';
	k->id_n = id.n;
	k->line = line;
	for (size_t use = 0; use < KEYRING_USES; use++)
		crypto_subkey(raw, labels[use], k->sub[use]);
	crypto_subkey(raw, "voiceotp 1 fingerprint", print);
	crypto_hex(print, PRINT_RAW, k->print);
	crypto_wipe(print, sizeof(print));
}

static const struct key *find(const struct keyring *k, const char *id)
{
	for (size_t i = 0; i < k->count; i++)
		if (strcmp(k->keys[i].id, id) == 0)
			return &k->keys[i];
	return NULL;
}

/* The last of k->keys is new: is it new indeed? */
static int check_new(const struct keyring *k, int column, struct diag *d)
{
	const struct key *last = &k->keys[k->count - 1];

	for (const struct key *old = k->keys; old < last; old++) {
		if (strcmp(old->id, last->id) == 0)
			return diag_at(d, last->line, column,
				       "key %s stands on line %d already",
				       last->id, old->line);
		if (strcmp(old->print, last->print) == 0)
			return diag_at(d, last->line, column,
				       "the same key as %s on line %d", old->id,
				       old->line);
	}
	return 0;
}

/* The messages never show what stands behind the colon. */
static int read_line(struct keyring *k, struct span line, int number,
		     struct diag *d)
{
	struct span text = span_trim(line), rest = text, id, hex;
	int column = (int)(text.p - line.p) + 1;
	uint8_t raw[CRYPTO_KEY_BYTES];

	if (!span_cut(&rest, ':', &id) || !rest.p)
		return diag_at(d, number, column,
			       "not `id: 64 hex digits`: there is no colon");
	id = span_trim(id);
	hex = span_trim(rest);
	if (!id_good(id))
		return diag_at(d, number, column,
			       "an id is 1 to %d letters, digits, - and _",
			       ID_MAX);
	if (k->count == KEYRING_KEYS_MAX)
		return diag_at(d, number, column, "more than %d keys",
			       KEYRING_KEYS_MAX);
	if (!hex_good(hex, raw)) {
		column = (int)(hex.p - line.p) + 1;
		return diag_at(d, number, column,
			       "a key is 64 hex digits, here are %zu "
			       "characters or other ones",
			       hex.n);
	}
	key_fill(&k->keys[k->count++], id, raw, number);
	crypto_wipe(raw, sizeof(raw));
	return check_new(k, column, d);
}

static int read_lines(struct keyring *k, struct span text, struct diag *d)
{
	struct span rest = text, line;
	int number = 0;

	while (span_cut(&rest, '\n', &line)) {
		struct span body = span_trim(line);
		int err;

		number++;
		if (body.n == 0 || body.p[0] == '#')
			continue;
		err = read_line(k, line, number, d);
		if (err)
			return err;
	}
	if (k->count == 0)
		return diag_at(d, 0, 0, "there is no key in it");
	return 0;
}

int keyring_parse(struct span text, struct keyring **out, struct diag *d)
{
	AUTO(keyring) *k = NULL;
	int err;

	if (text.n > KEYRING_TEXT_MAX)
		return diag_at(d, 0, 0, "larger than %d bytes",
			       KEYRING_TEXT_MAX);
	k = b_zero(1, sizeof(*k));
	err = read_lines(k, text, d);
	if (err)
		return err;
	*out = KEEP(k);
	return 0;
}

void keyring_free(struct keyring *k)
{
	if (!k)
		return;
	crypto_wipe(k, sizeof(*k));
	free(k);
}

/* --- writing ---------------------------------------------------------------- */

static void add_line(struct buf *out, unsigned number, struct rng *r)
{
	uint8_t raw[CRYPTO_KEY_BYTES];
	char hex[HEX_MAX + 1];

	rng_fill(r, raw, sizeof(raw));
	crypto_hex(raw, sizeof(raw), hex);
	buf_printf(out, "k%u: ", number);
	buf_str(out, hex);
	buf_byte(out, '\n');
	crypto_wipe(raw, sizeof(raw));
	crypto_wipe(hex, sizeof(hex));
}

void keyring_make(struct rng *r, struct buf *out)
{
	add_line(out, 1, r);
}

/* One more than the highest "k<number>"; a name is not used twice. */
static unsigned next_number(const struct keyring *k)
{
	uint64_t highest = k->count, n;

	for (size_t i = 0; i < k->count; i++)
		if (k->keys[i].id[0] == 'k' &&
		    span_uint(span_of(k->keys[i].id + 1), MADE_MAX, &n) == 0 &&
		    n > highest)
			highest = n;
	return (unsigned)highest + 1;
}

int keyring_rotate(struct span old, struct rng *r, struct buf *out,
		   struct diag *d)
{
	AUTO(keyring) *k = NULL;
	int err = keyring_parse(old, &k, d);

	if (!k)
		return err;
	if (k->count == KEYRING_KEYS_MAX)
		return diag_at(d, 0, 0, "it has %d keys already, the most",
			       KEYRING_KEYS_MAX);
	add_line(out, next_number(k), r);
	buf_span(out, old);
	return 0;
}

/* --- asking ----------------------------------------------------------------- */

const char *keyring_maker(const struct keyring *k)
{
	return k->keys[0].id;
}

const uint8_t *keyring_key(const struct keyring *k, const char *id,
			   enum keyring_use use)
{
	bool oldest = use == KEYRING_NUMBER_HASH || use == KEYRING_TOKEN ||
		      use == KEYRING_WEBHOOK;
	const struct key *key = &k->keys[oldest ? k->count - 1 : 0];

	assert(use < KEYRING_USES);
	if (id)
		key = find(k, id);
	return key ? key->sub[use] : NULL;
}

/* One "id=fingerprint" of what the store keeps. */
static int fits_one(const struct keyring *k, struct span pair,
		    const struct key **found, struct diag *d)
{
	struct span rest = pair, id;
	char name[KEYRING_ID_BYTES];

	if (!span_cut(&rest, '=', &id) || !rest.p || !id_good(id))
		return diag_set(d,
				"the store's note about its keys is damaged");
	memcpy(name, id.p, id.n);
	name[id.n] = '\0';
	*found = find(k, name);
	if (!*found)
		return diag_set(d,
				"key %s is missing: the store was made with it",
				name);
	if (!span_is(rest, (*found)->print))
		return diag_set(d,
				"key %s is not the one that the store was made "
				"with: another ring",
				name);
	return 0;
}

int keyring_fits(const struct keyring *k, const char *known, struct buf *now,
		 struct diag *d)
{
	struct span rest = span_of(known), pair;
	const struct key *found = NULL;

	while (span_cut(&rest, ' ', &pair)) {
		int err = pair.n ? fits_one(k, pair, &found, d) : 0;

		if (err)
			return err;
	}
	/* Numbers and tokens are looked up by the oldest key's hashes. */
	if (found && found != &k->keys[k->count - 1])
		return diag_set(d,
				"key %s was the oldest and must stay the last "
				"line: numbers are looked up with it",
				found->id);
	for (size_t i = 0; i < k->count; i++)
		buf_printf(now, "%s%s=%s", i ? " " : "", k->keys[i].id,
			   k->keys[i].print);
	return 0;
}

/* --- sealing ---------------------------------------------------------------- */

static bool seals(enum keyring_use use)
{
	return use == KEYRING_NUMBER_SEAL || use == KEYRING_CODE_SEAL ||
	       use == KEYRING_PARAM_SEAL;
}

/* Length of the id, the id, and what crypto_seal() makes. */
int keyring_seal(const struct keyring *k, enum keyring_use use,
		 struct span bound, struct span plain,
		 uint8_t out[KEYRING_SEALED_MAX], size_t *n)
{
	const struct key *maker = &k->keys[0];
	size_t id_n = maker->id_n;

	assert(seals(use));
	if (plain.n > PLAIN_MAX)
		return -E2BIG;
	out[0] = (uint8_t)id_n;
	memcpy(out + 1, maker->id, id_n);
	crypto_seal(maker->sub[use], bound, plain.p, plain.n, out + 1 + id_n);
	*n = 1 + id_n + plain.n + CRYPTO_SEAL_BYTES;
	return 0;
}

/* What it was sealed with, and the rest.  -EBADMSG; -ENOKEY. */
static int key_of(const struct keyring *k, enum keyring_use use,
		  struct span *sealed, const uint8_t **key)
{
	char id[KEYRING_ID_BYTES] = "";
	size_t id_n;

	if (sealed->n < 1)
		return -EBADMSG;
	id_n = (uint8_t)sealed->p[0];
	if (id_n > ID_MAX || sealed->n < 1 + id_n + CRYPTO_SEAL_BYTES)
		return -EBADMSG;
	memcpy(id, sealed->p + 1, id_n);
	*key = keyring_key(k, id, use);
	*sealed = span_make(sealed->p + 1 + id_n, sealed->n - 1 - id_n);
	return *key ? 0 : -ENOKEY;
}

int keyring_open(const struct keyring *k, enum keyring_use use,
		 struct span bound, struct span sealed, char *out, size_t size)
{
	char plain[PLAIN_MAX];
	const uint8_t *key;
	size_t n;
	int err;

	if (sealed.n > KEYRING_SEALED_MAX)
		return -EBADMSG;
	err = key_of(k, use, &sealed, &key);
	if (err)
		return err;
	n = sealed.n - CRYPTO_SEAL_BYTES;
	if (n > PLAIN_MAX)
		return -EBADMSG;
	if (n >= size)
		return -E2BIG;
	err = crypto_open(key, bound, sealed.p, sealed.n, plain);
	if (!err) {
		memcpy(out, plain, n);
		out[n] = '\0';
	}
	crypto_wipe(plain, sizeof(plain));
	return err;
}

void keyring_seal_text(const struct keyring *k, enum keyring_use use,
		       struct span bound, struct span plain, struct buf *out)
{
	const struct key *maker = &k->keys[0];
	size_t n = plain.n + CRYPTO_SEAL_BYTES;
	uint8_t *sealed = b_zero(n, 1);

	assert(seals(use));
	crypto_seal(maker->sub[use], bound, plain.p, plain.n, sealed);
	buf_byte(out, (unsigned)maker->id_n);
	buf_add(out, maker->id, maker->id_n);
	buf_add(out, sealed, n);
	free(sealed);
}

int keyring_open_text(const struct keyring *k, enum keyring_use use,
		      struct span bound, struct span sealed, struct buf *out)
{
	const uint8_t *key;
	char *plain;
	size_t n;
	int err = key_of(k, use, &sealed, &key);

	if (err)
		return err;
	n = sealed.n - CRYPTO_SEAL_BYTES;
	plain = b_zero(n + 1, 1);
	err = crypto_open(key, bound, sealed.p, sealed.n, plain);
	if (!err)
		buf_add(out, plain, n);
	crypto_wipe(plain, n);
	free(plain);
	return err ? err : out->err;
}

void keyring_hash_number(const struct keyring *k, const char *e164,
			 char out[KEYRING_HASH_BYTES])
{
	uint8_t hash[CRYPTO_HASH_BYTES];

	crypto_hmac(keyring_key(k, NULL, KEYRING_NUMBER_HASH), e164,
		    strlen(e164), hash);
	crypto_hex(hash, HASH_RAW, out);
	crypto_wipe(hash, sizeof(hash));
}
