// SPDX-License-Identifier: Apache-2.0
/*
 * create_priv.h - a create on its way, for those who make one only perhaps.
 */
#pragma once

#include "service/service_priv.h"

enum { CREATE_PASSED_MAX = 2 * VERIFICATION_LIVE_MAX };

struct create_claim {
	uint8_t body[CRYPTO_HASH_BYTES];
	char id[VERIFICATION_ID_BYTES];
	int64_t time_ms;
	/* a repeat made the record: the first one's refusal must not delete it */
	int64_t kept;
};

struct create {
	struct service *sv;
	service_done_h *done;
	void *ctx;
	struct service_who who;
	struct service_wish wish;
	struct service_pair pair;
	struct service_refusal no;
	struct store_result result;
	int64_t now;
	char call_id[VERIFICATION_ID_BYTES];
	bool slot;   /* a call may start here, now */
	bool repeat; /* the record was there already */

	bool claims, duplicate;
	unsigned claim_partition;
	char claim_id[2 * CRYPTO_HASH_BYTES + 1];
	struct create_claim claim;

	unsigned alias_partition;
	char alias_id[SERVICE_SHORT_BYTES];

	/* send.c: one that is live is called again in the place of this; NULL
	 * where one is made in any case */
	service_sent_h *sent;
	unsigned sends;
	char found[VERIFICATION_ID_BYTES]; /* live, of that label; "" */
	char passed[CREATE_PASSED_MAX][VERIFICATION_ID_BYTES]; /* not that */
	size_t passed_count;
};

/* create.c.  Its ids are made here.  NULL: refused, and answered soon. */
struct create *service_create_new(struct service *sv,
				  const struct service_create *req,
				  service_done_h *done, service_sent_h *sent,
				  void *ctx);
/* The claim, the alias, the record. */
void service_create_go(struct create *c);
/* With c->no; frees it.  The same from the line, for who may not wait. */
void service_create_refuse(struct create *c);
void service_create_refuse_soon(struct create *c);
void service_create_free(struct create *c);

/* send.c.  Inside apply: is one live that takes its place?  Then it is found. */
bool service_send_finds(struct create *c, const struct verification_number *n,
			int64_t now);
/* What was found is called again. */
void service_send_again(struct create *c);
