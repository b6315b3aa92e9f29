// SPDX-License-Identifier: Apache-2.0
/*
 * check.c - is this the code?  One change, and every one commits something.
 *
 * Somebody who guesses must not learn from the time or the work of an answer
 * whether there is such an id (D4).  So an unknown one is checked as well, on a
 * decoy.  Every check asks for both, since only reading tells which it is of.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "service/service_priv.h"

enum { AT_DECOY = SERVICE_AT_NUMBER + 1, AT_DECOY_NUMBER };

struct check {
	struct service *sv;
	service_checked_h *done;
	void *ctx;
	char application[VERIFICATION_APP_BYTES];
	char given[SERVICE_GIVEN_MAX];
	char *amount, *currency, *payee; /* NULL for none */
	struct service_pair pair;
	enum outcome_check result;
	enum outcome_status status;
	unsigned left;
	bool calling; /* it ended while a call goes on */
	struct service_refusal no;
	char id[VERIFICATION_ID_BYTES];
};

static void check_free(struct check *c)
{
	service_pair_free(&c->pair);
	crypto_wipe(c->given, sizeof(c->given));
	free(c->amount);
	free(c->currency);
	free(c->payee);
	free(c);
}

/* The change of a check, for both ways that a code may come. */
enum outcome_check service_check_run(struct store_tx *tx,
				     const struct service *sv,
				     struct service_pair *p,
				     const struct verification_attempt *given,
				     unsigned *left)
{
	struct verification_attempt a = *given;
	int64_t now = store_tx_now(tx);
	char expected[CODE_BYTES];
	enum outcome_check result;

	/* a ring without this record's key: as verification_check() has it */
	a.expected = service_code(sv->p.ring, &p->v, expected) == 0 ? expected
								    : NULL;
	a.epoch = atomic_load(&sv->epoch);
	result = verification_check(&p->v, &p->n, &a, now, left);
	crypto_wipe(expected, sizeof(expected));
	return result;
}

static int apply(struct store_tx *tx, void *ctx)
{
	struct check *c = ctx;
	struct service_pair *p = &c->pair;
	struct verification_attempt a = {
		.code = c->given,
		.amount = c->amount,
		.currency = c->currency,
		.payee = c->payee,
	};
	int err = service_pair_read(tx, false, p);
	enum outcome_status was;
	bool ours;

	if (err)
		return err;
	ours = p->found && strcmp(p->v.application, c->application) == 0;
	if (!ours) {
		service_pair_free(p);
		service_decoy_read(tx, AT_DECOY, c->sv, p);
	}
	was = p->v.status;
	c->result = service_check_run(tx, c->sv, p, &a, &c->left);
	c->status = p->v.status;
	c->calling = false;
	if (!ours) {
		c->result = CHECK_UNKNOWN;
		service_decoy_write(tx, AT_DECOY, p);
		return 0;
	}
	service_pair_write(tx, c->sv, false, p);
	if (c->status != was) {
		service_event_status(tx, &p->v, store_tx_now(tx));
		c->calling = service_is_calling(&p->v);
	}
	return 0;
}

static void checked(const struct store_result *r, void *ctx)
{
	struct check *c = ctx;

	if (r->err) {
		service_refuse_store(&c->no, r->err);
		c->done(&c->no, CHECK_UNKNOWN, 0, STATUS_PENDING, c->ctx);
		check_free(c);
		return;
	}
	atomic_fetch_add(&c->sv->figures.checks[c->result], 1);
	if (c->calling)
		service_settle(c->sv, c->id, c->status);
	c->done(NULL, c->result, c->left, c->status, c->ctx);
	check_free(c);
}

static void refuse_on_line(void *ctx)
{
	struct check *c = ctx;

	c->done(&c->no, CHECK_UNKNOWN, 0, STATUS_PENDING, c->ctx);
	check_free(c);
}

static char *keep(const char *text)
{
	/* one byte more than fits in a record is as wrong as any other */
	return text && *text ? b_strndup(text, VERIFICATION_PAYEE_BYTES) : NULL;
}

void service_check(struct service *sv, const struct service_check *req,
		   service_checked_h *done, void *ctx)
{
	struct check *c = b_zero(1, sizeof(*c));
	struct service_place place;
	const char *id = req->id ? req->id : "";
	struct service_decoy_names decoy;
	struct store_key keys[] = {
		[SERVICE_AT_VERIFICATION] = {SERVICE_KIND_VERIFICATION, c->id},
		[SERVICE_AT_NUMBER] = {SERVICE_KIND_NUMBER, place.number_key},
		[AT_DECOY] = {SERVICE_KIND_DECOY, decoy.verification},
		[AT_DECOY_NUMBER] = {SERVICE_KIND_DECOY, decoy.number},
	};
	int err;

	c->sv = sv;
	c->done = done;
	c->ctx = ctx;
	memcpy(c->application, req->who.application, sizeof(c->application));
	if (req->code &&
	    strnlen(req->code, sizeof(c->given)) < sizeof(c->given))
		(void)snprintf(c->given, sizeof(c->given), "%s", req->code);
	c->amount = keep(req->amount);
	c->currency = keep(req->currency);
	c->payee = keep(req->payee);
	service_place_find(sv->p.ring, c->application, id, &place);
	(void)snprintf(c->id, sizeof(c->id), "%s",
		       place.well_formed ? id : "ver_");
	service_decoy_find(place.partition, id, &decoy);
	err = store_change(sv->p.store, place.partition, keys, COUNT_OF(keys),
			   apply, checked, c);
	if (err) {
		service_refuse_store(&c->no, err);
		loop_call(sv->p.line, refuse_on_line, c);
	}
}
