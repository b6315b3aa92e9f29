// SPDX-License-Identifier: Apache-2.0
/*
 * verification_record.c - a verification and its number's state, as records.
 *
 * What is read may have been written by a newer program (unknown tags are
 * skipped) or by nobody in particular (a damaged file): everything is bounded
 * before it is believed, and a record that contradicts itself is refused.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "core/record_priv.h"
#include "core/verification.h"

enum {
	/* raised only when an old tag changes its meaning */
	RECORD_VERSION = 1,
	/* tags that need more than a table; they are the same in both records */
	TAG_VERSION = 1,
	TAG_LEG = 2,
	TAG_METADATA = 3,
	TAG_SEALED = 4,
	TAG_FAILURES = 5,
	TAG_LIVE = 6,
	TAG_CODE = 7,
	TAG_PARAMS = 8,
	TAG_HOOK_KEY = 9,
	PURPOSE_TRIES_MAX = 1000000,
};

#define TEXT(tag, member) CORE_TEXT_FIELD(tag, struct verification, member)
#define TIME(tag, member) CORE_TIME_FIELD(tag, struct verification, member)
#define BOOL(tag, member) CORE_BOOL_FIELD(tag, struct verification, member)
#define COUNT(tag, member, max) \
	CORE_COUNT_FIELD(tag, struct verification, member, max)

/* clang-format off */
static const struct core_field fields[] = {
	TEXT(10, id),
	TEXT(11, application),
	TEXT(12, key_id),
	CORE_ENUM_FIELD(13, struct verification, status, STATUS_COUNT),
	TEXT(14, number_hash),
	TEXT(15, country),
	TEXT(16, prefix6),
	TEXT(17, last4),
	COUNT(18, country_code, 999),
	BOOL(19, sandbox),
	TEXT(20, ring_key),
	CORE_BYTES_FIELD(21, struct verification, nonce),
	COUNT(22, code_length, CODE_DIGITS_MAX),
	BOOL(23, code_even),
	COUNT(24, epoch, UINT32_MAX),
	TEXT(25, purpose),
	TEXT(26, amount),
	TEXT(27, currency),
	TEXT(28, payee),
	TEXT(29, flow),
	COUNT(30, flow_version, UINT32_MAX),
	CORE_ENUM_FIELD(31, struct verification, method_allowed,
			VERIFICATION_BY_CALL + 1),
	TEXT(32, from),
	TEXT(33, locale),
	TEXT(34, language),
	TEXT(35, brand),
	COUNT(36, human_digits, VERIFICATION_HUMAN_MAX),
	TEXT(37, webhook),
	TEXT(38, client_net),
	TIME(39, created_ms),
	TIME(40, expires_ms),
	TIME(41, ended_ms),
	TIME(42, answered_ms),
	TIME(43, ttl_ms),
	TIME(44, deliverable_ms),
	COUNT(45, wrong, VERIFICATION_WRONG_MAX),
	COUNT(46, wrong_max, VERIFICATION_WRONG_MAX),
	BOOL(47, approved_by_keypad),
	COUNT(48, warnings, UINT32_MAX),
	COUNT(49, checks, UINT32_MAX),
	BOOL(50, trace),
	TEXT(51, label),
	BOOL(52, short_id),
	BOOL(53, code_given),
	COUNT(54, asked, UINT32_MAX),
	TEXT(55, send_digits),
	COUNT(60, hook, UINT8_MAX),
};

#undef TEXT
#undef TIME
#undef BOOL
#define TEXT(tag, member) CORE_TEXT_FIELD(tag, struct verification_leg, member)
#define TIME(tag, member) CORE_TIME_FIELD(tag, struct verification_leg, member)
#define BOOL(tag, member) CORE_BOOL_FIELD(tag, struct verification_leg, member)

static const struct core_field leg_fields[] = {
	TEXT(1, id),
	TEXT(2, route),
	CORE_ENUM_FIELD(3, struct verification_leg, state,
			VERIFICATION_LEG_ENDED + 1),
	CORE_ENUM_FIELD(4, struct verification_leg, outcome, LEG_COUNT),
	CORE_COUNT_FIELD(5, struct verification_leg, sip_code, 999),
	BOOL(6, forwarded),
	BOOL(7, human),
	BOOL(8, spoken),
	TIME(9, queued_ms),
	TIME(10, dialed_ms),
	TIME(11, ringing_ms),
	TIME(12, answered_ms),
	TIME(13, ended_ms),
	TIME(14, price_micro),
	CORE_COUNT_FIELD(15, struct verification_leg, q850, 127),
	BOOL(16, early_media),
	BOOL(17, priced),
	TIME(18, cost_micro),
	TEXT(19, currency),
	BOOL(20, media.known),
	TIME(21, media.sent),
	TIME(22, media.received),
	TIME(23, media.lost),
	CORE_COUNT_FIELD(24, struct verification_leg, media.jitter_us,
			 UINT32_MAX),
	BOOL(25, media.far_known),
	TIME(26, media.far_lost),
	CORE_COUNT_FIELD(27, struct verification_leg, media.far_jitter_us,
			 UINT32_MAX),
	CORE_COUNT_FIELD(28, struct verification_leg, media.rtt_us, UINT32_MAX),
};

#undef TIME
#define TIME(tag, member)                                                      \
	CORE_TIME_FIELD(tag, struct verification_number, member)

static const struct core_field number_fields[] = {
	TIME(10, paused_until_ms),
	TIME(11, five_digits_until_ms),
	TIME(12, approved_ms),
	CORE_BOOL_FIELD(13, struct verification_number, blocked),
	CORE_BOOL_FIELD(14, struct verification_number, forwarded),
};

static const struct core_field failure_fields[] = {
	CORE_TEXT_FIELD(1, struct verification_failures, purpose),
	CORE_COUNT_FIELD(2, struct verification_failures, in_row,
			 PURPOSE_TRIES_MAX),
	CORE_TIME_FIELD(3, struct verification_failures, wait_until_ms),
	CORE_TIME_FIELD(4, struct verification_failures, last_ms),
};

static const struct core_field live_fields[] = {
	CORE_TEXT_FIELD(1, struct verification_live, id),
	CORE_TIME_FIELD(2, struct verification_live, expires_ms),
	CORE_TEXT_FIELD(3, struct verification_live, label),
};
/* clang-format on */

enum { NESTED_MAX = 1024 /* bytes of a leg, a purpose or a slot */ };

static void pack_nested(struct buf *out, unsigned tag,
			const struct core_field *f, size_t count,
			const void *from)
{
	AUTO_BUF(b, NESTED_MAX);

	core_fields_pack(&b, f, count, from);
	/* one that is all zero is still there */
	if (b.n == 0)
		buf_add(&b, "\xff\0", 2);
	tlv_bytes(out, tag, b.p, b.n);
}

void verification_pack(const struct verification *v, struct buf *out)
{
	tlv_int(out, TAG_VERSION, RECORD_VERSION);
	core_fields_pack(out, fields, COUNT_OF(fields), v);
	tlv_bytes(out, TAG_SEALED, v->number_sealed, v->number_sealed_n);
	tlv_text(out, TAG_METADATA, v->metadata);
	if (v->code_sealed_n)
		tlv_bytes(out, TAG_CODE, v->code_sealed, v->code_sealed_n);
	if (v->params)
		tlv_bytes(out, TAG_PARAMS, v->params, v->params_n);
	if (v->hook_key_n)
		tlv_bytes(out, TAG_HOOK_KEY, v->hook_key, v->hook_key_n);
	for (size_t i = 0; i < v->legs_count; i++)
		pack_nested(out, TAG_LEG, leg_fields, COUNT_OF(leg_fields),
			    &v->legs[i]);
}

static int take_version(const struct tlv *t)
{
	int64_t version;

	if (tlv_get_int(t, &version) || version > RECORD_VERSION)
		return -EBADMSG;
	return 0;
}

static int take_leg(const struct tlv *t, struct verification *v)
{
	struct verification_leg *leg = &v->legs[v->legs_count];

	if (v->legs_count == VERIFICATION_LEGS_MAX)
		return -EBADMSG;
	v->legs_count++;
	return core_fields_unpack(t->bytes, leg_fields, COUNT_OF(leg_fields),
				  leg);
}

static int take_sealed(const struct tlv *t, struct verification *v)
{
	if (t->bytes.n > sizeof(v->number_sealed))
		return -EBADMSG;
	v->number_sealed_n = t->bytes.n;
	return tlv_get_bytes(t, v->number_sealed, t->bytes.n);
}

static int take_code(const struct tlv *t, struct verification *v)
{
	if (t->bytes.n > sizeof(v->code_sealed))
		return -EBADMSG;
	v->code_sealed_n = t->bytes.n;
	return tlv_get_bytes(t, v->code_sealed, t->bytes.n);
}

static int take_hook_key(const struct tlv *t, struct verification *v)
{
	if (t->bytes.n > sizeof(v->hook_key))
		return -EBADMSG;
	v->hook_key_n = t->bytes.n;
	return tlv_get_bytes(t, v->hook_key, t->bytes.n);
}

static int take_params(const struct tlv *t, struct verification *v)
{
	if (v->params || t->bytes.n == 0 ||
	    t->bytes.n > VERIFICATION_PARAMS_MAX)
		return -EBADMSG;
	v->params = b_copy(t->bytes.p, t->bytes.n);
	v->params_n = t->bytes.n;
	return 0;
}

static int take_metadata(const struct tlv *t, struct verification *v)
{
	struct span s = t->bytes;

	if (v->metadata || s.n > VERIFICATION_METADATA_MAX || !span_utf8(s))
		return -EBADMSG;
	v->metadata = b_strndup(s.p, s.n);
	return 0;
}

static int take(const struct tlv *t, struct verification *v)
{
	int err;

	switch (t->tag) {
	case TAG_VERSION:
		return take_version(t);
	case TAG_LEG:
		return take_leg(t, v);
	case TAG_SEALED:
		return take_sealed(t, v);
	case TAG_METADATA:
		return take_metadata(t, v);
	case TAG_CODE:
		return take_code(t, v);
	case TAG_PARAMS:
		return take_params(t, v);
	case TAG_HOOK_KEY:
		return take_hook_key(t, v);
	default:
		err = core_fields_take(t, fields, COUNT_OF(fields), v);
		return err < 0 ? err : 0;
	}
}

/* What the rest of the room takes for granted. */
static bool sound(const struct verification *v)
{
	if (v->id[0] == '\0' || v->code_length < CODE_DIGITS_MIN ||
	    v->wrong_max == 0 || v->wrong > v->wrong_max ||
	    v->ttl_ms > VERIFICATION_LIFE_MS)
		return false;
	if (v->created_ms > INT64_MAX - VERIFICATION_LIFE_MS)
		return false;
	return v->expires_ms <= v->created_ms + VERIFICATION_LIFE_MS;
}

int verification_unpack(struct span record, struct verification *v)
{
	struct verification got = {0};
	struct tlv t;
	int err;

	while ((err = tlv_next(&record, &t)) > 0) {
		err = take(&t, &got);
		if (err)
			break;
	}
	if (err || !sound(&got)) {
		verification_free(&got);
		return -EBADMSG;
	}
	*v = got;
	return 0;
}

void verification_free(struct verification *v)
{
	if (!v)
		return;
	free(v->metadata);
	v->metadata = NULL;
	free(v->params);
	v->params = NULL;
	v->params_n = 0;
}

struct verification verification_copy(const struct verification *v)
{
	struct verification copy = *v;

	copy.metadata = b_strdup(v->metadata);
	copy.params = b_copy(v->params, v->params_n);
	return copy;
}

/* --- the number's state ------------------------------------------------------- */

void verification_number_pack(const struct verification_number *n,
			      struct buf *out)
{
	tlv_int(out, TAG_VERSION, RECORD_VERSION);
	core_fields_pack(out, number_fields, COUNT_OF(number_fields), n);
	for (size_t i = 0; i < n->failures_count; i++)
		pack_nested(out, TAG_FAILURES, failure_fields,
			    COUNT_OF(failure_fields), &n->failures[i]);
	for (size_t i = 0; i < n->live_count; i++)
		pack_nested(out, TAG_LIVE, live_fields, COUNT_OF(live_fields),
			    &n->live[i]);
}

static int take_failures(const struct tlv *t, struct verification_number *n)
{
	struct verification_failures *f = &n->failures[n->failures_count];

	if (n->failures_count == VERIFICATION_PURPOSES_MAX)
		return -EBADMSG;
	n->failures_count++;
	return core_fields_unpack(t->bytes, failure_fields,
				  COUNT_OF(failure_fields), f);
}

static int take_live(const struct tlv *t, struct verification_number *n)
{
	struct verification_live *live = &n->live[n->live_count];

	if (n->live_count == VERIFICATION_LIVE_MAX)
		return -EBADMSG;
	n->live_count++;
	return core_fields_unpack(t->bytes, live_fields, COUNT_OF(live_fields),
				  live);
}

static int take_of_number(const struct tlv *t, struct verification_number *n)
{
	int err;

	switch (t->tag) {
	case TAG_VERSION:
		return take_version(t);
	case TAG_FAILURES:
		return take_failures(t, n);
	case TAG_LIVE:
		return take_live(t, n);
	default:
		err = core_fields_take(t, number_fields,
				       COUNT_OF(number_fields), n);
		return err < 0 ? err : 0;
	}
}

int verification_number_unpack(struct span record,
			       struct verification_number *n)
{
	struct verification_number got = {0};
	struct tlv t;
	int err;

	while ((err = tlv_next(&record, &t)) > 0) {
		err = take_of_number(&t, &got);
		if (err)
			return -EBADMSG;
	}
	if (err)
		return -EBADMSG;
	*n = got;
	return 0;
}
