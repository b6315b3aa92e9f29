// SPDX-License-Identifier: Apache-2.0
/*
 * store.c - the door: arguments are checked and copied here, once for all
 * drivers, and handed on as one operation.
 */
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "store/store_priv.h"

static const struct store_driver *const drivers[] = {
	&store_sqlite,
};

/* --- operations ----------------------------------------------------------- */

/* Hands out the room behind an operation. */
struct shelf {
	char *at;
};

static struct store_op *op_new(enum store_op_kind kind, void *ctx, size_t extra,
			       struct shelf *shelf)
{
	struct store_op *op = b_zero(1, sizeof(*op) + extra);

	ll_init(&op->link);
	op->kind = kind;
	op->ctx = ctx;
	shelf->at = (char *)(op + 1);
	return op;
}

void store_op_free(struct store_op *op)
{
	if (!op)
		return;
	free(op->leased);
	free(op);
}

static size_t size_of(const char *s)
{
	return s ? strlen(s) + 1 : 0;
}

static const char *put_text(struct shelf *shelf, const char *s)
{
	size_t n = size_of(s);
	char *to = shelf->at;

	if (n == 0)
		return NULL;
	shelf->at += n;
	return memcpy(to, s, n);
}

static int submit(struct store *st, struct store_op *op)
{
	int err = st->driver->submit(st, op);

	if (err)
		store_op_free(op);
	return err;
}

/* --- limits --------------------------------------------------------------- */

/* A text that must be there. */
static int check_text(const char *s, size_t max)
{
	if (!s || !*s)
		return -EINVAL;
	return strnlen(s, max + 1) > max ? -E2BIG : 0;
}

static int check_key(const char *kind, const char *id)
{
	int err = check_text(kind, STORE_KIND_MAX);

	return err ? err : check_text(id, STORE_ID_MAX);
}

static bool same_key(const struct store_key *a, const struct store_key *b)
{
	return strcmp(a->id, b->id) == 0 && strcmp(a->kind, b->kind) == 0;
}

static int check_keys(const struct store_key *keys, size_t count)
{
	if (count > STORE_KEYS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		int err = check_key(keys[i].kind, keys[i].id);

		if (err)
			return err;
		for (size_t j = 0; j < i; j++)
			if (same_key(&keys[i], &keys[j]))
				return -EINVAL;
	}
	return 0;
}

static int check_counters(const struct store_counter *c, size_t count)
{
	if (count == 0)
		return -EINVAL;
	if (count > STORE_COUNTERS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		int err = check_text(c[i].name, STORE_ID_MAX);

		if (err)
			return err;
		if (c[i].window_ms < 0 || c[i].amount < 0)
			return -EINVAL;
		if (c[i].holder &&
		    strnlen(c[i].holder, STORE_ID_MAX + 1) > STORE_ID_MAX)
			return -E2BIG;
	}
	return 0;
}

/* --- change and queue ------------------------------------------------------- */

/* One parameter more than elsewhere: every caller has all of them, and a struct
 * to pass them would be written out at each call. */
/* NOLINTNEXTLINE(readability-function-size) */
int store_change(struct store *st, unsigned partition,
		 const struct store_key *keys, size_t count,
		 store_apply_h *apply, store_done_h *done, void *ctx)
{
	struct store_op *op;
	struct shelf shelf;
	size_t extra = 0;
	int err = check_keys(keys, count);

	if (err)
		return err;
	if (partition >= STORE_PARTITIONS || !apply || !done)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		extra += size_of(keys[i].kind) + size_of(keys[i].id);
	op = op_new(STORE_OP_CHANGE, ctx, extra, &shelf);
	op->partition = partition;
	op->count = count;
	op->done.plain = done;
	op->of.change.apply = apply;
	op->of.change.apply_ctx = ctx;
	for (size_t i = 0; i < count; i++)
		op->of.change.keys[i] = (struct store_key){
			.kind = put_text(&shelf, keys[i].kind),
			.id = put_text(&shelf, keys[i].id),
		};
	return submit(st, op);
}

int store_lease(struct store *st, enum store_lane lane, size_t max,
		int64_t lease_ms, store_leases_h *done, void *ctx)
{
	struct store_op *op;
	struct shelf shelf;

	if (max == 0 || max > STORE_PAGE_MAX || lease_ms <= 0 || !done ||
	    (unsigned)lane >= STORE_LANES)
		return -EINVAL;
	op = op_new(STORE_OP_LEASE, ctx, 0, &shelf);
	op->count = max;
	op->done.leases = done;
	op->of.lease.lane = lane;
	op->of.lease.lease_ms = lease_ms;
	return submit(st, op);
}

int store_renew(struct store *st, const struct store_lease *lease,
		int64_t lease_ms, store_done_h *done, void *ctx)
{
	struct store_op *op;
	struct shelf shelf;

	if (lease->partition >= STORE_PARTITIONS || lease_ms <= 0 || !done)
		return -EINVAL;
	op = op_new(STORE_OP_RENEW, ctx, size_of(lease->id), &shelf);
	op->partition = lease->partition;
	op->done.plain = done;
	op->of.lease.lease_ms = lease_ms;
	op->of.lease.fence = lease->fence;
	op->of.lease.id = put_text(&shelf, lease->id);
	return submit(st, op);
}

/* --- counters ---------------------------------------------------------------- */

static struct store_op *counters_op(enum store_op_kind kind, void *ctx,
				    const struct store_counter *c, size_t count)
{
	struct store_op *op;
	struct shelf shelf;
	size_t extra = count * sizeof(*c);

	for (size_t i = 0; i < count; i++)
		extra += size_of(c[i].name) + size_of(c[i].holder);
	op = op_new(kind, ctx, extra, &shelf);
	op->counters = (struct store_counter *)(void *)shelf.at;
	op->counter_count = count;
	shelf.at += count * sizeof(*c);
	for (size_t i = 0; i < count; i++) {
		op->counters[i] = c[i];
		op->counters[i].name = put_text(&shelf, c[i].name);
		op->counters[i].holder = put_text(&shelf, c[i].holder);
	}
	return op;
}

/* The apply of a change that is counters alone. */
static int apply_counters(struct store_tx *tx, void *ctx)
{
	const struct store_op *op = ctx;

	for (size_t i = 0; i < op->counter_count; i++)
		if (op->release)
			store_tx_release(tx, &op->counters[i], op->at_ms);
		else
			store_tx_reserve(tx, &op->counters[i]);
	return 0;
}

static int claim_counters(struct store *st, struct store_op *op,
			  store_done_h *done)
{
	op->done.plain = done;
	op->of.change.apply = apply_counters;
	op->of.change.apply_ctx = op;
	return submit(st, op);
}

int store_reserve(struct store *st, const struct store_counter *c, size_t count,
		  store_done_h *done, void *ctx)
{
	int err = check_counters(c, count);

	if (err || !done)
		return err ? err : -EINVAL;
	return claim_counters(st, counters_op(STORE_OP_CHANGE, ctx, c, count),
			      done);
}

int store_release(struct store *st, const struct store_counter *c, size_t count,
		  int64_t at_ms, store_done_h *done, void *ctx)
{
	struct store_op *op;
	int err = check_counters(c, count);

	if (err || !done)
		return err ? err : -EINVAL;
	op = counters_op(STORE_OP_CHANGE, ctx, c, count);
	op->release = true;
	op->at_ms = at_ms;
	return claim_counters(st, op, done);
}

int store_count(struct store *st, const struct store_counter *c, size_t count,
		store_counts_h *done, void *ctx)
{
	struct store_op *op;
	int err = check_counters(c, count);

	if (err || !done)
		return err ? err : -EINVAL;
	op = counters_op(STORE_OP_COUNT, ctx, c, count);
	op->done.counts = done;
	return submit(st, op);
}

/* --- reading -------------------------------------------------------------------- */

int store_get(struct store *st, unsigned partition, const char *kind,
	      const char *id, store_records_h *done, void *ctx)
{
	struct store_op *op;
	struct shelf shelf;
	int err = check_key(kind, id);

	if (err)
		return err;
	if (partition >= STORE_PARTITIONS || !done)
		return -EINVAL;
	op = op_new(STORE_OP_GET, ctx, size_of(kind) + size_of(id), &shelf);
	op->partition = partition;
	op->count = 1;
	op->done.records = done;
	op->of.change.keys[0] = (struct store_key){
		.kind = put_text(&shelf, kind), .id = put_text(&shelf, id)};
	return submit(st, op);
}

/* What is asked for, "" like NULL: not asked. */
static const char *asked(const char *s)
{
	return s && *s ? s : NULL;
}

static int check_query(const struct store_query *q)
{
	const char *const narrow[] = {q->owner, q->hash, q->label, q->group};

	for (size_t i = 0; i < COUNT_OF(narrow); i++)
		if (narrow[i] &&
		    strnlen(narrow[i], STORE_ID_MAX + 1) > STORE_ID_MAX)
			return -E2BIG;
	if (q->limit == 0 || q->limit > STORE_PAGE_MAX)
		return -EINVAL;
	if (q->since_ms < 0 || q->until_ms < 0)
		return -EINVAL;
	return check_text(q->kind, STORE_KIND_MAX);
}

int store_list(struct store *st, const struct store_query *q,
	       store_records_h *done, void *ctx)
{
	struct store_op *op;
	struct store_query *to;
	struct shelf shelf;
	int err = check_query(q);

	if (err || !done)
		return err ? err : -EINVAL;
	op = op_new(STORE_OP_LIST, ctx,
		    size_of(q->kind) + size_of(q->owner) + size_of(q->hash) +
			    size_of(q->label) + size_of(q->group),
		    &shelf);
	op->count = q->limit;
	op->done.records = done;
	to = &op->of.list.query;
	*to = *q;
	to->kind = put_text(&shelf, q->kind);
	to->owner = put_text(&shelf, asked(q->owner));
	to->hash = put_text(&shelf, asked(q->hash));
	to->label = put_text(&shelf, asked(q->label));
	to->group = put_text(&shelf, asked(q->group));
	to->cursor = NULL;
	op->of.list.place = (struct store_place){INT64_MAX, INT64_MAX};
	if (q->cursor)
		op->of.list.bad_cursor =
			store_cursor_read_list(q->cursor, &op->of.list.place) !=
			0;
	return submit(st, op);
}

int store_follow(struct store *st, const char *topic, const char *cursor,
		 size_t max, store_events_h *done, void *ctx)
{
	struct store_op *op;
	struct shelf shelf;
	int err = check_text(topic, STORE_ID_MAX);

	if (err)
		return err;
	if (max == 0 || max > STORE_PAGE_MAX || !done)
		return -EINVAL;
	op = op_new(STORE_OP_FOLLOW, ctx, size_of(topic), &shelf);
	op->count = max;
	op->done.events = done;
	op->of.follow.topic = put_text(&shelf, topic);
	op->of.follow.behind = -1;
	if (cursor && strcmp(cursor, "end") == 0)
		op->of.follow.at_end = true;
	else if (cursor && *cursor)
		op->of.follow.bad_cursor =
			store_cursor_read_event(cursor,
						&op->of.follow.behind) != 0;
	return submit(st, op);
}

int store_sweep(struct store *st, int64_t events_older_than_ms,
		store_done_h *done, void *ctx)
{
	struct store_op *op;
	struct shelf shelf;

	if (events_older_than_ms < 0 || !done)
		return -EINVAL;
	op = op_new(STORE_OP_SWEEP, ctx, 0, &shelf);
	op->done.plain = done;
	op->of.sweep.events_older_than_ms = events_older_than_ms;
	return submit(st, op);
}

/* --- cursors ---------------------------------------------------------------------- */

void store_cursor_list(const struct store_place *at,
		       char out[STORE_CURSOR_BYTES])
{
	(void)snprintf(out, STORE_CURSOR_BYTES, "r%" PRId64 ".%" PRId64,
		       at->time_ms, at->n);
}

/* Decimal digits up to the end, not more than an int64_t holds. */
static int read_number(struct span s, int64_t *out)
{
	uint64_t v;
	int err = span_uint(s, INT64_MAX, &v);

	if (!err)
		*out = (int64_t)v;
	return err;
}

int store_cursor_read_list(const char *text, struct store_place *at)
{
	struct store_place read;
	struct span rest = span_of(text), head;

	if (rest.n >= STORE_CURSOR_BYTES || !span_starts(rest, "r"))
		return -EINVAL;
	rest = span_make(rest.p + 1, rest.n - 1);
	if (!span_cut(&rest, '.', &head) || read_number(head, &read.time_ms) ||
	    !rest.p || read_number(rest, &read.n))
		return -EINVAL;
	*at = read;
	return 0;
}

void store_cursor_event(int64_t seq, char out[STORE_CURSOR_BYTES])
{
	(void)snprintf(out, STORE_CURSOR_BYTES, "e%" PRId64, seq);
}

int store_cursor_read_event(const char *text, int64_t *seq)
{
	struct span s = span_of(text);

	if (s.n >= STORE_CURSOR_BYTES || !span_starts(s, "e"))
		return -EINVAL;
	return read_number(span_make(s.p + 1, s.n - 1), seq) ? -EINVAL : 0;
}

/* --- open and close --------------------------------------------------------------- */

int store_open(const struct store_params *params, struct store **out,
	       struct diag *d)
{
	const char *url = params->url ? params->url : "";
	size_t scheme = strcspn(url, ":");

	if (strnlen(url, STORE_URL_MAX) == STORE_URL_MAX)
		return diag_set(d, "the store's url is too long");
	for (size_t i = 0; i < COUNT_OF(drivers); i++) {
		const char *name = drivers[i]->name;

		if (url[scheme] == ':' && strlen(name) == scheme &&
		    strncmp(url, name, scheme) == 0)
			return drivers[i]->open(params, url + scheme + 1, out,
						d);
	}
	/* the scheme alone: a url may carry a password */
	return diag_set(d, "\"%.*s\" is no kind of store: expected sqlite:PATH",
			(int)scheme, url);
}

void store_close(struct store *st)
{
	if (st)
		st->driver->close(st);
}

void store_watch(struct store *st, store_watch_h *watch, void *ctx)
{
	st->driver->watch(st, watch, ctx);
}

void store_stats(const struct store *st, struct store_stats *out)
{
	st->driver->stats(st, out);
}
