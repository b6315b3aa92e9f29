// SPDX-License-Identifier: Apache-2.0
/*
 * record.c - structs to records and back, by a table of their members.
 *
 * One loop writes and one loop reads every record of this room, so a bound
 * that is checked here is checked for each member of each of them.
 */
#include "core/record_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static void pack_one(struct buf *out, const struct core_field *f,
		     const uint8_t *at)
{
	int64_t number = 0;
	unsigned count;
	bool yes;

	switch (f->kind) {
	case CORE_TEXT:
		assert(memchr(at, '\0', f->size));
		tlv_text(out, f->tag, (const char *)at);
		return;
	case CORE_BYTES:
		tlv_bytes(out, f->tag, at, f->size);
		return;
	case CORE_TIME:
		memcpy(&number, at, sizeof(number));
		break;
	case CORE_COUNT:
	case CORE_ENUM:
		assert(f->size == sizeof(count));
		memcpy(&count, at, sizeof(count));
		number = count;
		break;
	case CORE_BOOL:
		memcpy(&yes, at, sizeof(yes));
		number = yes;
		break;
	}
	tlv_int(out, f->tag, number);
}

void core_fields_pack(struct buf *out, const struct core_field *fields,
		      size_t count, const void *from)
{
	const uint8_t *base = from;

	for (size_t i = 0; i < count; i++)
		pack_one(out, &fields[i], base + fields[i].at);
}

static int take_number(const struct tlv *t, const struct core_field *f,
		       uint8_t *at)
{
	int64_t number;
	int err = tlv_get_int(t, &number);

	if (err)
		return err;
	if (number < 0 || (f->kind != CORE_TIME && number > f->max))
		return -EBADMSG;
	if (f->kind == CORE_TIME) {
		memcpy(at, &number, sizeof(number));
	} else if (f->kind == CORE_BOOL) {
		bool yes = number != 0;

		memcpy(at, &yes, sizeof(yes));
	} else {
		unsigned count = (unsigned)number;

		memcpy(at, &count, sizeof(count));
	}
	return 0;
}

static int take_one(const struct tlv *t, const struct core_field *f,
		    uint8_t *at)
{
	switch (f->kind) {
	case CORE_TEXT:
		return tlv_get_text(t, (char *)at, f->size);
	case CORE_BYTES:
		return tlv_get_bytes(t, at, f->size);
	case CORE_TIME:
	case CORE_COUNT:
	case CORE_ENUM:
	case CORE_BOOL:
		break;
	}
	return take_number(t, f, at);
}

int core_fields_take(const struct tlv *t, const struct core_field *fields,
		     size_t count, void *to)
{
	uint8_t *base = to;

	for (size_t i = 0; i < count; i++)
		if (fields[i].tag == t->tag) {
			int err = take_one(t, &fields[i], base + fields[i].at);

			return err ? err : 1;
		}
	return 0;
}

int core_fields_unpack(struct span record, const struct core_field *fields,
		       size_t count, void *to)
{
	struct tlv t;
	int err;

	while ((err = tlv_next(&record, &t)) > 0) {
		err = core_fields_take(&t, fields, count, to);
		if (err < 0)
			return err;
	}
	return err;
}
