// SPDX-License-Identifier: Apache-2.0
/*
 * decoy.c - what a check of an unknown id is made on (D4).
 *
 * Such a check must take as long as one of an id that is known.  So there are
 * pairs of records that nobody can approve, a few in each partition, which are
 * read, unpacked, checked, changed and written as real ones are.  They are laid
 * out when the store is new: to add a record takes longer than to change it,
 * and would show.  They never expire, for the same reason, and no two writes
 * of one are alike, since sqlite leaves out what does not change.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/service_priv.h"

enum {
	PAIRS = STORE_KEYS_MAX / 2, /* in a partition: laid out in one change */
	FREE_FAILURES = 2,          /* of a number that need not wait */
	HASH_FACTOR = 31,
};

static void name(unsigned partition, unsigned row,
		 struct service_decoy_names *out)
{
	(void)snprintf(out->verification, sizeof(out->verification), "v%02x%x",
		       partition, row);
	(void)snprintf(out->number, sizeof(out->number), "n%02x%x", partition,
		       row);
}

void service_decoy_find(unsigned partition, const char *id,
			struct service_decoy_names *out)
{
	unsigned row = 0;

	for (; *id; id++)
		row = row * HASH_FACTOR + (unsigned char)*id;
	name(partition, row % PAIRS, out);
}

/* The keys of a pair stand side by side. */
void service_decoy_read(const struct store_tx *tx, size_t key,
			const struct service *sv, struct service_pair *p)
{
	struct verification *v = &p->v;
	struct verification_number *n = &p->n;
	struct span value;
	unsigned checks = 0;

	memset(n, 0, sizeof(*n));
	if (store_tx_get(tx, key, &value) &&
	    verification_unpack(value, v) == 0) {
		checks = v->checks;
		verification_free(v);
	}
	*v = sv->made_up;
	v->checks = checks;
	v->deliverable_ms = store_tx_now(tx);
	v->expires_ms = v->deliverable_ms + v->ttl_ms;
	if (!store_tx_get(tx, key + 1, &value) ||
	    verification_number_unpack(value, n) != 0 ||
	    n->failures[0].in_row >= FREE_FAILURES)
		memset(n, 0, sizeof(*n));
}

void service_decoy_write(struct store_tx *tx, size_t key,
			 const struct service_pair *p)
{
	AUTO_BUF(record, SERVICE_RECORD_MAX);
	AUTO_BUF(number, SERVICE_RECORD_MAX);

	verification_pack(&p->v, &record);
	store_tx_put(tx, key, buf_view(&record), NULL);
	verification_number_pack(&p->n, &number);
	store_tx_put(tx, key + 1, buf_view(&number), NULL);
}

/* --- when the store is new ------------------------------------------------------ */

struct laying {
	const struct service *sv;
	pthread_mutex_t lock; /* over these: */
	pthread_cond_t come;
	unsigned out;
	int err;
};

static int apply(struct store_tx *tx, void *ctx)
{
	const struct laying *l = ctx;

	for (size_t key = 0; key < STORE_KEYS_MAX; key += 2) {
		struct service_pair p = {0};

		service_decoy_read(tx, key, l->sv, &p);
		service_decoy_write(tx, key, &p);
	}
	return 0;
}

static void come(struct laying *l, int err)
{
	(void)pthread_mutex_lock(&l->lock);
	if (err)
		l->err = err;
	if (--l->out == 0)
		(void)pthread_cond_signal(&l->come);
	(void)pthread_mutex_unlock(&l->lock);
}

static void done(const struct store_result *r, void *ctx)
{
	come(ctx, r->err);
}

static int lay_out(struct laying *l, unsigned partition)
{
	struct service_decoy_names names[PAIRS];
	struct store_key keys[STORE_KEYS_MAX];

	for (unsigned row = 0; row < PAIRS; row++) {
		struct store_key *k = &keys[2 * (size_t)row];

		name(partition, row, &names[row]);
		k[0] = (struct store_key){SERVICE_KIND_DECOY,
					  names[row].verification};
		k[1] = (struct store_key){SERVICE_KIND_DECOY,
					  names[row].number};
	}
	return store_change(l->sv->p.store, partition, keys, COUNT_OF(keys),
			    apply, done, l);
}

static int lay_all_out(const struct service *sv)
{
	struct laying l = {.sv = sv,
			   .lock = PTHREAD_MUTEX_INITIALIZER,
			   .come = PTHREAD_COND_INITIALIZER,
			   .out = STORE_PARTITIONS};

	for (unsigned i = 0; i < STORE_PARTITIONS; i++) {
		int err = lay_out(&l, i);

		if (err)
			come(&l, err);
	}
	(void)pthread_mutex_lock(&l.lock);
	while (l.out)
		(void)pthread_cond_wait(&l.come, &l.lock);
	(void)pthread_mutex_unlock(&l.lock);
	return l.err;
}

int service_decoys_start(const struct service *sv, struct diag *d)
{
	struct service_found *last = NULL;
	struct service_decoy_names names;
	size_t count = 0;
	int err;

	/* they are committed in order */
	name(STORE_PARTITIONS - 1, PAIRS - 1, &names);
	err = service_wait_get(sv->p.store, STORE_PARTITIONS - 1,
			       SERVICE_KIND_DECOY, names.number, &last, &count);
	if (!err && count == 0)
		err = lay_all_out(sv);
	service_found_free(last, count);
	if (err)
		(void)diag_set(d, "the store cannot be used: %s",
			       strerrordesc_np(-err));
	return err;
}
