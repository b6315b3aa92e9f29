// SPDX-License-Identifier: Apache-2.0
/*
 * record.c - where records are, and how they are read and written.
 *
 * A check knows an id and nothing else, yet it must change the verification
 * and the number's failures in one step.  So the id says where both are: 16
 * bytes that no other id has, 8 bytes of the number's keyed hash, masked with a
 * keyed hash of the 16, and the partition.  Whoever has the ring finds the
 * number's record without a look-up; to everybody else two ids of one number
 * have nothing in common but the partition.
 *
 * The 16 bytes are the time, to the millisecond, and 86 random bits.  The time
 * is in front, so what is new lies together in every tree of the store, and a
 * batch changes few of its pages: in whole seconds, those of one busy second
 * would be spread over a hundred.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/tlv.h"
#include "service/service_priv.h"

enum {
	PREFIX = 4, /* "ver_" */
	PARTITION_HEX = 2,
	TIME_BYTES = 6, /* seconds in four, then thousandths and random bits */
	MS_SHIFT = 6,
	RANDOM_BYTES = 16, /* with the time in front */
	TAG_BYTES = 8,     /* of the hash, behind its first byte */
	TAG_HEX = 2 * TAG_BYTES,
	TAIL_BYTES = RANDOM_BYTES + TAG_BYTES,
	TAIL_TEXT = TAIL_BYTES * 4 / 3,
	ID_TEXT = PREFIX + PARTITION_HEX + TAIL_TEXT,
	LEG_MASK = 0x0f,
	ALIAS_PARTITION_AT = RANDOM_BYTES - 2, /* a byte that is all random */
};
static const char CALL[] = "call_";
static_assert((int)VERIFICATION_LEGS_MAX <= (int)LEG_MASK, "a place for each");
static_assert((int)SERVICE_SHORT_BYTES == 2 * (int)RANDOM_BYTES + 1, "hex");
static_assert((int)ID_TEXT < (int)VERIFICATION_ID_BYTES, "an id fits");
static_assert((int)SERVICE_LABEL_BYTES == (int)VERIFICATION_LABEL_BYTES,
	      "one length");

/* B4 and E4 look back so far; what nobody touched for longer is forgotten. */
static const int64_t number_kept_days = 90;
static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

enum { PHONE_FIVE = 1, PHONE_FORWARDED = 2 };

/* --- ids ---------------------------------------------------------------------- */

static void fill_random(struct service *sv, uint8_t out[RANDOM_BYTES])
{
	int64_t ms = clock_wall_ms(sv->p.clock);
	uint64_t t = (uint64_t)(uint32_t)(ms / 1000) << 16 |
		     (uint64_t)(ms % 1000) << MS_SHIFT;

	rng_fill(sv->p.rng, out, RANDOM_BYTES);
	t |= out[TIME_BYTES - 1] & ((1U << MS_SHIFT) - 1);
	for (size_t i = TIME_BYTES; i-- > 0; t >>= 8)
		out[i] = (uint8_t)t;
}

static void mask(const struct keyring *ring, const uint8_t random[RANDOM_BYTES],
		 uint8_t out[CRYPTO_HASH_BYTES])
{
	static const char label[] = "voiceotp 1 id";
	uint8_t text[sizeof(label) + RANDOM_BYTES];

	memcpy(text, label, sizeof(label));
	memcpy(text + sizeof(label), random, RANDOM_BYTES);
	crypto_hmac(keyring_key(ring, NULL, KEYRING_TOKEN), text, sizeof(text),
		    out);
}

/* The low bits of the 16 bytes, where a family has the place of a call. */
static uint8_t *place_of(uint8_t random[RANDOM_BYTES])
{
	return &random[RANDOM_BYTES - 1];
}

void service_id_make(struct service *sv, const char *number_hash, bool family,
		     char out[VERIFICATION_ID_BYTES])
{
	uint8_t tail[TAIL_BYTES], over[CRYPTO_HASH_BYTES], tag[TAG_BYTES];
	char text[TAIL_TEXT + 1];
	int err = crypto_unhex(span_make(number_hash + PARTITION_HEX, TAG_HEX),
			       tag, TAG_BYTES);

	assert(!err);
	fill_random(sv, tail);
	if (family)
		*place_of(tail) &= (uint8_t)~LEG_MASK;
	mask(sv->p.ring, tail, over);
	for (size_t i = 0; i < TAG_BYTES; i++)
		tail[RANDOM_BYTES + i] = tag[i] ^ over[i];
	crypto_base64url(tail, TAIL_BYTES, text);
	(void)snprintf(out, VERIFICATION_ID_BYTES, "ver_%s%.*s", text,
		       PARTITION_HEX, number_hash);
}

void service_call_id(struct service *sv, char out[VERIFICATION_ID_BYTES])
{
	uint8_t random[RANDOM_BYTES];

	fill_random(sv, random);
	(void)snprintf(out, VERIFICATION_ID_BYTES, CALL);
	crypto_hex(random, sizeof(random), out + strlen(CALL));
}

/* --- short ids ------------------------------------------------------------------ */

/*
 * The 16 bytes alone, for vendors whose ids have no room for more.  Where they
 * are asked for, the last four bits of a verification's are 0, and those of its
 * calls are their places: so one record leads from all of them to it, and a
 * call that is made later needs none of its own.
 */
void service_short_id(const char *id, char out[SERVICE_SHORT_BYTES])
{
	uint8_t tail[TAIL_BYTES];

	out[0] = '\0';
	if (strncmp(id, CALL, strlen(CALL)) == 0)
		(void)snprintf(out, SERVICE_SHORT_BYTES, "%s",
			       id + strlen(CALL));
	else if (strnlen(id, ID_TEXT + 1) == ID_TEXT &&
		 crypto_unbase64url(span_make(id + PREFIX, TAIL_TEXT), tail,
				    TAIL_BYTES) == 0)
		crypto_hex(tail, RANDOM_BYTES, out);
}

void service_call_id_of(const struct verification *v,
			char id[VERIFICATION_ID_BYTES])
{
	uint8_t tail[TAIL_BYTES];

	if (!v->short_id ||
	    crypto_unbase64url(span_make(v->id + PREFIX, TAIL_TEXT), tail,
			       TAIL_BYTES) != 0)
		return;
	*place_of(tail) |= (uint8_t)(v->legs_count + 1);
	(void)snprintf(id, VERIFICATION_ID_BYTES, CALL);
	crypto_hex(tail, RANDOM_BYTES, id + strlen(CALL));
}

int service_short_split(const char *short_id, char family[SERVICE_SHORT_BYTES],
			unsigned *partition, unsigned *leg)
{
	uint8_t random[RANDOM_BYTES];

	if (strnlen(short_id, SERVICE_SHORT_BYTES) != SERVICE_SHORT_BYTES - 1 ||
	    crypto_unhex(span_make(short_id, SERVICE_SHORT_BYTES - 1), random,
			 RANDOM_BYTES) != 0)
		return -EINVAL;
	*leg = *place_of(random) & LEG_MASK;
	*place_of(random) &= (uint8_t)~LEG_MASK;
	crypto_hex(random, RANDOM_BYTES, family);
	*partition = random[ALIAS_PARTITION_AT];
	return 0;
}

static void name(const char *application, unsigned partition, const char *tag,
		 struct service_place *out)
{
	out->partition = partition;
	(void)snprintf(out->phone_key, sizeof(out->phone_key), "%02x%.*s",
		       partition, TAG_HEX, tag);
	(void)snprintf(out->number_key, sizeof(out->number_key), "%s:%s",
		       application, out->phone_key);
}

void service_place_of_hash(const char *application, const char *number_hash,
			   struct service_place *out)
{
	uint8_t first = 0;
	int err =
		crypto_unhex(span_make(number_hash, PARTITION_HEX), &first, 1);

	assert(!err);
	out->well_formed = true;
	name(application, first, number_hash + PARTITION_HEX, out);
}

void service_place_find(const struct keyring *ring, const char *application,
			const char *id, struct service_place *out)
{
	size_t n = strnlen(id, ID_TEXT + 1);
	uint8_t partition = 0, tail[TAIL_BYTES] = {0};
	uint8_t over[CRYPTO_HASH_BYTES];
	char tag[TAG_HEX + 1];

	out->well_formed =
		n == ID_TEXT && memcmp(id, "ver_", PREFIX) == 0 &&
		crypto_unhex(span_make(id + PREFIX + TAIL_TEXT, PARTITION_HEX),
			     &partition, 1) == 0 &&
		crypto_unbase64url(span_make(id + PREFIX, TAIL_TEXT), tail,
				   TAIL_BYTES) == 0;
	mask(ring, tail, over);
	for (size_t i = 0; i < TAG_BYTES; i++)
		over[i] ^= tail[RANDOM_BYTES + i];
	crypto_hex(over, TAG_BYTES, tag);
	name(application, partition, tag, out);
}

/* --- the records of one change ----------------------------------------------------- */

void service_pair_free(struct service_pair *p)
{
	verification_free(&p->v);
	p->found = false;
}

int service_phone_read(struct span record, struct service_phone *p)
{
	struct tlv f;
	int n;

	*p = (struct service_phone){.known = true};
	while ((n = tlv_next(&record, &f)) > 0) {
		int64_t value = 0;
		int err = tlv_get_int(&f, &value);

		if (err)
			return err;
		if (f.tag == PHONE_FIVE)
			p->five_digits_until_ms = value;
		else if (f.tag == PHONE_FORWARDED)
			p->forwarded = value != 0;
	}
	return n;
}

int service_pair_read(const struct store_tx *tx, bool phone,
		      struct service_pair *p)
{
	struct span value;
	int err = 0;

	service_pair_free(p);
	if (store_tx_get(tx, SERVICE_AT_VERIFICATION, &value)) {
		err = verification_unpack(value, &p->v);
		p->found = !err;
	}
	memset(&p->n, 0, sizeof(p->n));
	if (!err && store_tx_get(tx, SERVICE_AT_NUMBER, &value))
		err = verification_number_unpack(value, &p->n);
	p->phone = (struct service_phone){0};
	if (!err && phone && store_tx_get(tx, SERVICE_AT_PHONE, &value))
		err = service_phone_read(value, &p->phone);
	/* these are the number's, whichever application's call it was */
	if (p->phone.known) {
		p->n.five_digits_until_ms = p->phone.five_digits_until_ms;
		p->n.forwarded = p->phone.forwarded;
	}
	return err;
}

/* In whole days: an end that moved with each change would move its entry in
 * the index as well, and so tell by time whether the last one was lately (D4). */
static int64_t kept_until(const struct store_tx *tx)
{
	return (store_tx_now(tx) / day_ms + 1 + number_kept_days) * day_ms;
}

/* In no list: whoever looks for these two knows their keys (numbers.c). */
void service_number_write(struct store_tx *tx, size_t key,
			  const struct verification_number *n)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	verification_number_pack(n, &record);
	store_tx_put(tx, key, buf_view(&record),
		     &(struct store_index){
			     .expires_ms = n->blocked ? 0 : kept_until(tx),
		     });
}

static void phone_write(struct store_tx *tx, const struct service_phone *p)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	tlv_int(&record, PHONE_FIVE, p->five_digits_until_ms);
	tlv_int(&record, PHONE_FORWARDED, p->forwarded);
	store_tx_put(tx, SERVICE_AT_PHONE, buf_view(&record),
		     &(struct store_index){.expires_ms = kept_until(tx)});
}

static void verification_write(struct store_tx *tx, const struct service *sv,
			       const struct verification *v)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	verification_pack(v, &record);
	store_tx_put(tx, SERVICE_AT_VERIFICATION, buf_view(&record),
		     &(struct store_index){
			     .time_ms = v->created_ms,
			     .owner = v->application,
			     .hash = v->number_hash,
			     .label = outcome_status_text(v->status),
			     .group = v->country,
			     .expires_ms =
				     v->created_ms +
				     atomic_load_explicit(&sv->retention_ms,
							  memory_order_relaxed),
		     });
}

void service_pair_write(struct store_tx *tx, const struct service *sv,
			bool phone, const struct service_pair *p)
{
	struct service_phone now = {
		.five_digits_until_ms = p->n.five_digits_until_ms,
		.forwarded = p->n.forwarded,
	};

	verification_write(tx, sv, &p->v);
	service_number_write(tx, SERVICE_AT_NUMBER, &p->n);
	if (phone &&
	    (now.five_digits_until_ms != p->phone.five_digits_until_ms ||
	     now.forwarded != p->phone.forwarded))
		phone_write(tx, &now);
}

/* --- what records hold ---------------------------------------------------------------- */

static int given_code(const struct keyring *ring, const struct verification *v,
		      char out[CODE_BYTES])
{
	if (v->code_sealed_n == 0)
		return -ENOKEY; /* it is over */
	return keyring_open(ring, KEYRING_CODE_SEAL, span_of(v->id),
			    span_make(v->code_sealed, v->code_sealed_n), out,
			    CODE_BYTES);
}

int service_code(const struct keyring *ring, const struct verification *v,
		 char out[CODE_BYTES])
{
	/* The number's keyed hash stands for the number: it binds the code to
	 * it as well, and a check need not open the sealed one. */
	struct code_binding b = {
		.key_id = v->ring_key,
		.application = v->application,
		.verification = v->id,
		.nonce = v->nonce,
		.number = v->number_hash,
		.purpose = v->purpose,
		.amount = v->amount,
		.currency = v->currency,
		.payee = v->payee,
	};

	/* derived in any case, so that a check costs no less than others do */
	int err = code_derive(ring, &b, v->code_length, v->code_even, out);

	if (!v->code_given)
		return err;
	crypto_wipe(out, CODE_BYTES);
	return given_code(ring, v, out);
}

int service_number_seal(const struct keyring *ring, const char *e164,
			struct verification *v)
{
	return keyring_seal(ring, KEYRING_NUMBER_SEAL, span_of(v->id),
			    span_of(e164), v->number_sealed,
			    &v->number_sealed_n);
}

int service_number_open(const struct keyring *ring,
			const struct verification *v, char out[NUMBER_BYTES])
{
	return keyring_open(ring, KEYRING_NUMBER_SEAL, span_of(v->id),
			    span_make(v->number_sealed, v->number_sealed_n),
			    out, NUMBER_BYTES);
}

bool service_is_calling(const struct verification *v)
{
	for (size_t i = 0; i < v->legs_count; i++)
		if (v->legs[i].state != VERIFICATION_LEG_ENDED)
			return true;
	return false;
}

void service_view_open(const struct service *sv, const struct verification *v,
		       int64_t now, struct service_opened *out)
{
	if (service_number_open(sv->p.ring, v, out->to) != 0)
		out->to[0] = '\0'; /* erased, or altered by somebody */
	out->view = (struct service_view){.v = v, .to = out->to, .now = now};
}
