// SPDX-License-Identifier: Apache-2.0
/*
 * record_priv.h - structs to records and back, by a table of their members.
 *
 * Tags are for ever: a new member takes a new tag, and a dropped one leaves a
 * hole.  Unknown tags are skipped, members that a record lacks keep what they
 * were set to before.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/tlv.h"

enum core_field_kind {
	CORE_TEXT,  /* char[size] */
	CORE_TIME,  /* int64_t, not negative */
	CORE_COUNT, /* unsigned, at most `max` */
	CORE_ENUM,  /* the same; an enum's size is unsigned's */
	CORE_BOOL,
	CORE_BYTES, /* uint8_t[size], exactly */
};

struct core_field {
	unsigned tag;
	enum core_field_kind kind;
	size_t at, size;
	uint32_t max;
};

#define CORE_FIELD_SIZE(type, member) sizeof(((type *)0)->member)
#define CORE_FIELD_(tag, kind, type, member, max)          \
	{                                                  \
		tag, kind, offsetof(type, member),         \
			CORE_FIELD_SIZE(type, member), max \
	}
#define CORE_TEXT_FIELD(tag, type, member) \
	CORE_FIELD_(tag, CORE_TEXT, type, member, 0)
#define CORE_TIME_FIELD(tag, type, member) \
	CORE_FIELD_(tag, CORE_TIME, type, member, 0)
#define CORE_COUNT_FIELD(tag, type, member, max) \
	CORE_FIELD_(tag, CORE_COUNT, type, member, max)
#define CORE_ENUM_FIELD(tag, type, member, count) \
	CORE_FIELD_(tag, CORE_ENUM, type, member, (count)-1)
#define CORE_BOOL_FIELD(tag, type, member) \
	CORE_FIELD_(tag, CORE_BOOL, type, member, 1)
#define CORE_BYTES_FIELD(tag, type, member) \
	CORE_FIELD_(tag, CORE_BYTES, type, member, 0)

void core_fields_pack(struct buf *out, const struct core_field *fields,
		      size_t count, const void *from);
/* 1: taken; 0: no tag of these; -EBADMSG. */
MUST_CHECK int core_fields_take(const struct tlv *f,
				const struct core_field *fields, size_t count,
				void *to);
/* A whole record that holds nothing but these: 0 or -EBADMSG. */
MUST_CHECK int core_fields_unpack(struct span record,
				  const struct core_field *fields, size_t count,
				  void *to);
