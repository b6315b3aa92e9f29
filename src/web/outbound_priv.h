// SPDX-License-Identifier: Apache-2.0
/*
 * outbound_priv.h - what the files of HTTP out share.
 *
 * outbound.c keeps the calls and who waits for whom, outbound_url.c the rules
 * of URLs and addresses, outbound_run.c the thread that libcurl runs on.
 */
#pragma once

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "base/net.h"
#include "base/timer.h"
#include "web/outbound.h"

enum {
	OUTBOUND_HOST_BYTES = 254,    /* of a name, with NUL (RFC 1035 2.3.4) */
	OUTBOUND_HEAD_MAX = 64 << 10, /* of an answer's header lines, in all */
	OUTBOUND_METHOD_MAX = 16,
	OUTBOUND_WHY_BYTES = DIAG_MESSAGE_BYTES,
	OUTBOUND_NAMERS = 4,    /* threads: names that may be slow at once */
	OUTBOUND_KEPT_MAX = 64, /* connections without a request */
};

/* --- URLs and addresses ------------------------------------------------------------ */

/* What may be asked although it is not public. */
struct outbound_rules {
	struct net_list nets;
	char **names; /* in lower case */
	size_t count;
};
MUST_CHECK int outbound_rules_read(struct outbound_rules *rules,
				   const char *const *allow, size_t count,
				   struct diag *d);
void outbound_rules_free(struct outbound_rules *rules);

struct outbound_target {
	CURLU *url;
	char host[OUTBOUND_HOST_BYTES]; /* lower case, no brackets */
	unsigned port;
	bool literal; /* the host is an address: this one */
	struct sockaddr_storage address;
};
MUST_CHECK int outbound_target_read(const char *url,
				    struct outbound_target *out,
				    struct diag *d);
void outbound_target_free(struct outbound_target *t);

/* Is it for everybody (RFC 6890)? */
bool outbound_is_public(const struct sockaddr_storage *a);
/* May `host`, at this address, be asked?  -EACCES: d says it with the address. */
MUST_CHECK int outbound_may(const struct outbound_rules *rules,
			    const char *host, const struct sockaddr_storage *a,
			    struct diag *d);

/* --- calls -------------------------------------------------------------------------- */

enum outbound_state {
	OUTBOUND_NEW,
	OUTBOUND_WAITING,  /* for a place at its host */
	OUTBOUND_NAMING,   /* it has one; its name is being looked up */
	OUTBOUND_STARTING, /* its addresses are known, the thread takes it */
	OUTBOUND_RUNNING,  /* libcurl has it */
	OUTBOUND_GIVEN_UP, /* libcurl had it, and nobody wants it any more */
	OUTBOUND_DONE,     /* its answer is on its way */
	OUTBOUND_STATES
};

/* A host and port that something is asked of now. */
struct outbound_host {
	char *key, *name;
	struct link ready;  /* in o->ready: one that waits could begin */
	struct link lookup; /* in o->lookups */
	struct link waiting, naming; /* calls */
	unsigned places;             /* that are taken */
	bool looking;                /* its name is looked up, or about to be */
};

/* All but what is said otherwise is under o->lock. */
struct outbound_call {
	struct outbound *o;
	enum outbound_state state;
	struct link link; /* in the list of its state */
	struct link all;  /* from its place in a queue to its end */
	struct outbound_host *host;
	struct timer deadline;    /* until it runs */
	int64_t began_ms, due_ms; /* real time */
	int64_t asked_ms;         /* on the clock that was given */
	/* for the asker */
	struct loop *loop;
	outbound_done_h *done;
	void *ctx;
	struct post post;
	/* as it was asked; nobody changes it */
	struct outbound_target target;
	char method[OUTBOUND_METHOD_MAX + 1];
	struct curl_slist *headers;
	char *body;
	size_t body_n, answer_max;
	/* settled before it starts */
	struct sockaddr_storage addresses[OUTBOUND_ADDRESSES_MAX];
	int address_count;
	/* the running thread's alone, until it is done */
	CURL *easy;
	struct curl_slist *pin;
	int at;         /* of addresses */
	size_t head;    /* bytes of it */
	bool head_ends; /* with its blank line */
	bool strayed;   /* libcurl wanted to go elsewhere */
	bool too_large; /* the answer's body, or its head */
	struct buf answer;
	char curl_says[CURL_ERROR_SIZE];
	/* how it ended */
	enum outbound_fault fault;
	unsigned status;
	char why[OUTBOUND_WHY_BYTES];
	char type[256];
};

struct outbound {
	struct clock *clock; /* for took_ms; time limits are real time */
	struct outbound_rules rules;
	char *ca_file;
	outbound_lookup_h *lookup;
	void *lookup_ctx;
	atomic_uint refs; /* the owner's, each call's, each namer's */
	CURLM *multi;
	pthread_t thread, namers[OUTBOUND_NAMERS];
	unsigned namers_count;
	bool running; /* there is a thread to join */
	pthread_mutex_t lock;
	pthread_cond_t names; /* there are lookups, or it ends */
	bool stopping;
	struct map *hosts;
	struct link ready;    /* hosts */
	struct link lookups;  /* hosts */
	struct link starting; /* calls; the next ones by state */
	struct link runs, given_up;
	struct link ended;     /* done, to be told on the thread */
	struct link all;       /* that are not done */
	struct timers *timers; /* real time */
	unsigned places;       /* that are taken, in all */
	/* any thread */
	atomic_uint_fast64_t asked, answered, failed, refused, waiting, now;
	atomic_size_t held; /* bytes of bodies */
};

void outbound_lock(struct outbound *o);
void outbound_unlock(struct outbound *o);
void outbound_unref(struct outbound *o);

/* Under the lock.  The only setter of a call's state: */
void outbound_enter(struct outbound_call *c, enum outbound_state to);
/* Those who wait take the places that there are. */
void outbound_begin_some(struct outbound *o);
/* Its addresses are known. */
void outbound_start_soon(struct outbound_call *c);
void outbound_looked_up(struct outbound *o, struct outbound_host *h);
/* It is over, in these words or in none. */
void outbound_finish(struct outbound_call *c, enum outbound_fault fault,
		     const char *why);
/* It was given up: its place is free again. */
void outbound_leave(struct outbound_call *c);
void outbound_wake(struct outbound *o);

/* Not under the lock: its done, then free it; or free it alone. */
void outbound_tell(struct outbound_call *c);
void outbound_call_free(struct outbound_call *c);

/* The threads. */
void *outbound_run(void *ctx);
void *outbound_namer(void *ctx);
