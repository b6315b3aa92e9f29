// SPDX-License-Identifier: Apache-2.0
/*
 * keep.c - what is done again and again: ticks, sweeps, a look for new keys.
 *
 * The store keeps its ring's fingerprint, an epoch and a tick (A8).  The tick
 * goes up every few seconds and is told to the machine, which keeps it outside
 * the store: a store that is behind what its machine saw last is a restored
 * copy.  Codes that were used since would be live again in it, so it gets a new
 * epoch, which ends them all.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/tlv.h"
#include "service/service_priv.h"

enum { META_RING = 1, META_EPOCH, META_TICK };
enum { RING_TEXT_MAX = 1024, SWEEP_PIECES_MAX = 1000 };

static const struct store_key meta_key = {SERVICE_KIND_META, "service"};

struct meta {
	char ring[RING_TEXT_MAX];
	int64_t epoch, tick;
};

struct ticking {
	struct service *sv;
	struct meta meta;
	struct diag d;
	int err;
	bool first, restored;
	struct post post;
};

static int meta_read(const struct store_tx *tx, struct meta *m)
{
	struct span record;
	struct tlv f;
	int n = 0, err = 0;

	*m = (struct meta){0};
	if (!store_tx_get(tx, 0, &record))
		return 0;
	while (!err && (n = tlv_next(&record, &f)) > 0)
		switch (f.tag) {
		case META_RING:
			err = tlv_get_text(&f, m->ring, sizeof(m->ring));
			break;
		case META_EPOCH:
			err = tlv_get_int(&f, &m->epoch);
			break;
		case META_TICK:
			err = tlv_get_int(&f, &m->tick);
			break;
		default:
			break;
		}
	return err ? err : n;
}

static void meta_write(struct store_tx *tx, const struct meta *m)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);

	tlv_text(&record, META_RING, m->ring);
	tlv_int(&record, META_EPOCH, m->epoch);
	tlv_int(&record, META_TICK, m->tick);
	store_tx_put(tx, 0, buf_view(&record), NULL);
}

/* A refused ring is no error of the store: err says it, with d. */
static int fit_ring(struct ticking *t)
{
	AUTO_BUF(now, RING_TEXT_MAX - 1);
	int err = keyring_fits(t->sv->p.ring, t->meta.ring, &now, &t->d);

	if (err || now.err)
		return err ? err : now.err;
	(void)snprintf(t->meta.ring, sizeof(t->meta.ring), "%s",
		       now.p ? now.p : "");
	return 0;
}

static int apply_tick(struct store_tx *tx, void *ctx)
{
	struct ticking *t = ctx;
	int64_t last = t->sv->p.last_tick;
	int err = meta_read(tx, &t->meta);

	if (!err && t->first)
		err = fit_ring(t);
	if (err)
		return err;
	t->restored = t->first && t->meta.tick < last && t->meta.epoch > 0;
	if (t->meta.epoch == 0 || t->restored)
		t->meta.epoch++;
	if (t->first && t->meta.tick < last)
		t->meta.tick = last;
	t->meta.tick++;
	meta_write(tx, &t->meta);
	return 0;
}

static void adopt(const struct ticking *t)
{
	struct service *sv = t->sv;

	atomic_store(&sv->epoch, (unsigned)t->meta.epoch);
	if (sv->p.tick)
		sv->p.tick(t->meta.tick, sv->p.tick_ctx);
}

int service_meta_start(struct service *sv, struct diag *d)
{
	struct ticking t = {.sv = sv, .first = true};
	int err = service_wait_change(sv->p.store, 0, &meta_key, 1, apply_tick,
				      &t);

	if (err == -EINVAL && t.d.message[0]) {
		*d = t.d;
		return err;
	}
	if (err) {
		(void)diag_set(d, "the store cannot be used: %s",
			       strerrordesc_np(-err));
		return err;
	}
	if (t.restored)
		log_warn("store.restored_copy", "epoch", LOG_I(t.meta.epoch),
			 NULL);
	adopt(&t);
	return 0;
}

/* --- ticking -------------------------------------------------------------------- */

static void tick(void *ctx);
static void look_for_keys(void *ctx);
static void sweep(void *ctx);
static void poll(void *ctx);

static struct timers *timers_of(const struct service *sv)
{
	return loop_timers(sv->p.line);
}

static void tick_back(void *ctx)
{
	struct ticking *t = ctx;
	struct service *sv = t->sv;

	sv->ticking = false;
	if (t->err == 0)
		adopt(t);
	free(t);
	service_out_ended(sv);
}

static void tick_done(const struct store_result *r, void *ctx)
{
	struct ticking *t = ctx;
	struct service *sv = t->sv;

	t->err = r->err;
	loop_post(sv->p.line, &t->post, tick_back, t);
	service_out_came_back(sv);
}

static void tick(void *ctx)
{
	struct service *sv = ctx;
	struct ticking *t;

	timer_set(timers_of(sv), &sv->tick_timer, SERVICE_TICK_MS, tick, sv);
	if (sv->ticking)
		return;
	t = b_zero(1, sizeof(*t));
	t->sv = sv;
	sv->ticking = true;
	service_out_begin(sv);
	if (store_change(sv->p.store, 0, &meta_key, 1, apply_tick, tick_done,
			 t) != 0)
		tick_done(&(struct store_result){.err = -EAGAIN}, t);
}

/* --- sweeping ------------------------------------------------------------------------ */

struct sweeping {
	struct service *sv;
	unsigned pieces, removed;
	bool more;
	struct post post;
};

static void sweep_piece(struct sweeping *w);

static void sweep_back(void *ctx)
{
	struct sweeping *w = ctx;
	struct service *sv = w->sv;

	if (w->more && !atomic_load(&sv->draining)) {
		sweep_piece(w);
		service_out_ended(sv);
		return;
	}
	if (w->removed)
		log_info("store.swept", "removed", LOG_I(w->removed), NULL);
	sv->sweeping = false;
	free(w);
	service_out_ended(sv);
}

static void sweep_done(const struct store_result *r, void *ctx)
{
	struct sweeping *w = ctx;
	struct service *sv = w->sv;

	w->more =
		r->err == 0 && r->counter > 0 && ++w->pieces < SWEEP_PIECES_MAX;
	w->removed += r->err ? 0 : r->counter;
	loop_post(sv->p.line, &w->post, sweep_back, w);
	service_out_came_back(sv);
}

static void sweep_piece(struct sweeping *w)
{
	struct service *sv = w->sv;

	service_out_begin(sv);
	if (store_sweep(sv->p.store, atomic_load(&sv->retention_ms), sweep_done,
			w) != 0)
		sweep_done(&(struct store_result){.err = -EAGAIN}, w);
}

static void sweep(void *ctx)
{
	struct service *sv = ctx;
	struct sweeping *w;

	timer_set(timers_of(sv), &sv->sweep_timer, SERVICE_SWEEP_MS, sweep, sv);
	if (sv->sweeping)
		return;
	w = b_zero(1, sizeof(*w));
	w->sv = sv;
	sv->sweeping = true;
	sweep_piece(w);
}

/* --- the rest --------------------------------------------------------------------------- */

static void look_for_keys(void *ctx)
{
	struct service *sv = ctx;

	timer_set(timers_of(sv), &sv->keys_timer, SERVICE_KEYS_POLL_MS,
		  look_for_keys, sv);
	service_keys_look(sv);
}

static void poll(void *ctx)
{
	struct service *sv = ctx;

	timer_set(timers_of(sv), &sv->poll_timer, SERVICE_POLL_MS, poll, sv);
	service_lease_round(sv);
}

static void start(void *ctx)
{
	struct service *sv = ctx;
	struct timers *t = timers_of(sv);

	if (!atomic_load(&sv->ended)) {
		timer_set(t, &sv->poll_timer, 0, poll, sv);
		timer_set(t, &sv->keys_timer, SERVICE_KEYS_POLL_MS,
			  look_for_keys, sv);
		timer_set(t, &sv->tick_timer, SERVICE_TICK_MS, tick, sv);
		timer_set(t, &sv->sweep_timer, SERVICE_SWEEP_MS, sweep, sv);
	}
	service_out_ended(sv);
}

void service_keep_start(struct service *sv)
{
	service_out_begin(sv);
	service_out_came_back(sv);
	loop_call(sv->p.line, start, sv);
}

void service_keep_stop(struct service *sv)
{
	struct timers *t = timers_of(sv);

	timer_stop(t, &sv->poll_timer);
	timer_stop(t, &sv->tick_timer);
	timer_stop(t, &sv->keys_timer);
	timer_stop(t, &sv->sweep_timer);
}
