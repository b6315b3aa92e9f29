// SPDX-License-Identifier: Apache-2.0
/*
 * world.h - a whole service: a store in a folder of its own, the real flows and
 * voices, a scripted telephone, and a clock that is ours.
 *
 * The line thread is the test's own thread: it turns the loop.  The store's
 * threads are real, so the clock only moves when nothing of theirs is on its
 * way to the line; world_until() sees to that.
 */
#pragma once

#include <stdbool.h>

#include "service/service.h"
#include "support/test.h"
#include "tel/scripted.h"

enum {
	WORLD_START_MS = 1900000000, /* x1000: some day in 2030 */
	WORLD_NUMBERS_MAX = 32,
	WORLD_WAIT_MS = 60 * 1000, /* real time until a test gives up */
	WORLD_HOUR_MS = 3600 * 1000,
};
#define SECONDS(n) ((int64_t)(n)*1000)
#define MINUTES(n) SECONDS((n)*60)
#define HOURS(n) MINUTES((n)*60)
#define DAYS(n) HOURS((n)*24)

struct world {
	char dir[64];
	const char *vfs;   /* of sqlite's; NULL: its usual one */
	const char *flows; /* a folder of them; NULL: the built-in ones */
	struct clock *clock;
	struct rng *rng;
	struct keyring *ring;
	struct store *store;
	struct outbound *outbound; /* the test's own, or NULL */
	struct loop *line;
	struct tel *tel;
	struct service *service;
	struct service_rules rules;
	struct service_who who;
	int64_t last_tick, told_tick;
	/* the telephone: which script a number has, what TYPE types */
	struct {
		char to[NUMBER_BYTES];
		enum tel_script script;
	} numbers[WORLD_NUMBERS_MAX];
	size_t numbers_count;
	int others; /* of every other number; negative: not served */
	struct service_tel more[SERVICE_TELS_MAX - 1]; /* freed by the world */
	size_t more_count;
	char types[16];  /* "": what was heard */
	char heard[512]; /* every digit, in order */
	char keyed[128]; /* keys that were sent to it, a blank behind each */
	unsigned dials;
};

/* Voices are opened once for a program.  Group fixtures. */
int world_voices(void **state);
int world_voices_all(void **state); /* Spanish and German, too */
int world_no_voices(void **state);

/* Fixtures of a test: *state is a struct world, with its service running. */
int world_setup(void **state);
int world_teardown(void **state);
struct world *world_new(void);
void world_add_app(struct world *w); /* the one of w->who; beside the service */
struct world *world_new_on(const char *vfs);
void world_free(struct world *w);

void world_start(struct world *w); /* the service, on the store that is there */
int world_try_start(struct world *w, struct diag *d);
/* Ends it in an instant: calls are cut, nothing is written any more. */
void world_kill(struct world *w);
void world_kill_now(struct world *w); /* after world_ask_only() */
/* Its two halves: between them no file is open.  The further telephones do not
 * come back. */
void world_cut(struct world *w);
void world_back(struct world *w);
void world_drain(struct world *w, int64_t ms);
void world_script(struct world *w, const char *to, enum tel_script script);
/* Fills in its loop and ears. */
void world_open_tel(struct world *w, struct tel_scripted_params *p,
		    struct tel **out);

/* Turn the loop and move the clock until cond(ctx); fails the test after
 * WORLD_WAIT_MS of real time or ms of the clock's.  world_turn(): only what is
 * on its way arrives, the clock stands. */
void world_until(struct world *w, int64_t ms, bool (*cond)(void *), void *ctx);
void world_turn(struct world *w, bool (*cond)(void *), void *ctx);
/* Nothing is on its way any more, be it to or from the store. */
void world_settle(struct world *w);
void world_pass(struct world *w, int64_t ms);
/* The clock jumps: for long times without a call. */
void world_skip(struct world *w, int64_t ms);

/* --- requests, waited for ------------------------------------------------------- */

struct answer {
	struct verification v; /* metadata and params are not kept */
	struct service_refusal no;
	/* of a check */
	enum outcome_check result;
	enum outcome_status status;
	unsigned left;
	char to[NUMBER_BYTES], code[CODE_BYTES];
	bool done, refused;
	bool has_params; /* it had some */
	bool again;      /* of a send */
};
struct answer world_create(struct world *w, const char *to, const char *flow);
struct answer world_ask(struct world *w, const struct service_create *req);
/* Asks and does not wait: a->done says when.  Any thread. */
void world_ask_soon(struct world *w, const struct service_create *req,
		    struct answer *a);
/* The same, but the line stands still: the call does not begin. */
struct answer world_ask_only(struct world *w, const struct service_create *req);
struct answer world_check(struct world *w, const char *id, const char *code);
struct answer world_check_as(struct world *w, const struct service_check *req);
void world_check_soon(struct world *w, const char *id, const char *code,
		      struct answer *a);
struct answer world_read(struct world *w, const char *id);
/* service_send(), service_find(): `who` is filled in. */
struct answer world_send(struct world *w, const struct service_create *req,
			 unsigned sends);
void world_send_soon(struct world *w, const struct service_create *req,
		     unsigned sends, struct answer *a);
struct answer world_find(struct world *w, const struct service_find *req);
struct answer world_cancel(struct world *w, const char *id);
struct answer world_call(struct world *w, const char *id);
void world_cancel_soon(struct world *w, const char *id, struct answer *a);
void world_call_soon(struct world *w, const char *id, struct answer *a);

/* The code of a record, as its node would speak it. */
void world_code(struct world *w, const struct verification *v,
		char out[CODE_BYTES]);
/* Goes on until the last call of it has ended, or it is over. */
struct answer world_until_ended(struct world *w, const char *id);
struct answer world_until_over(struct world *w, const char *id);
/* Until its code counts. */
struct answer world_until_spoken(struct world *w, const char *id);

/* The event types of a topic, one blank between. */
void world_events(struct world *w, const char *topic, char *out, size_t size);
