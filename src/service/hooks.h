// SPDX-License-Identifier: Apache-2.0
/*
 * hooks.h - telling applications what happened (webhooks, D7), and asking them
 * before a call (E7).
 *
 * The events of a verification are their own outbox: what is kept beside them is
 * how far they were told, and the queue says when to go on.  So an event is told
 * at least once, in the order of its verification, with one id however often it
 * is tried; and nobody waits for a receiver that is slow.
 *
 * Handlers as in service.h.
 */
#pragma once

#include "base/buf.h"
#include "service/service.h"

enum {
	SERVICE_HOOK_TRIES_MAX = 50, /* kept of one verification: the newest */
	SERVICE_HOOK_TYPE_BYTES = 32,
	SERVICE_HOOK_FAULT_BYTES = 24,
	SERVICE_HOOK_ID_BYTES = 37,     /* "msg_" and 32 hex digits */
	SERVICE_HOOK_SECRET_BYTES = 52, /* "whsec_", base64 of 32 bytes */
	SERVICE_HOOK_SECRETS_MAX = 2,   /* live at once: new, and old */
	SERVICE_HOOK_OVERLAP_MS = 24 * 3600 * 1000, /* ... for so long */
	SERVICE_HOOK_HEADERS_MAX = 8,
	SERVICE_HOOK_BODY_MAX = 8 << 10, /* bytes of one that is sent */
	SERVICE_HOOKS_RUNNING_MAX = 256, /* verifications under way, in all, */
	SERVICE_HOOKS_PER_APP = 128,     /* ... of one application, */
	SERVICE_HOOKS_PER_HOST = 16,     /* ... and to one host */
	SERVICE_ASK_MIN_MS =
		100, /* how long an answer before a call may take */
	SERVICE_ASK_MS = 2000,
	SERVICE_ASK_MAX_MS = 10 * 1000,
	SERVICE_ASK_REASON_BYTES = 81,
};

/* --- what was told ------------------------------------------------------------ */

enum service_hook_state {
	SERVICE_HOOK_TOLD,    /* everything that happened so far */
	SERVICE_HOOK_WAITING, /* there is more, now or after a pause */
	SERVICE_HOOK_FAILED,  /* given up after a day, */
	SERVICE_HOOK_GONE,    /* ... or because the receiver said 410, */
	SERVICE_HOOK_OFF,     /* ... or because there is no address any more */
	SERVICE_HOOK_STATES
};
const char *service_hook_state_text(enum service_hook_state s); /* "told" */

/* One request that told, or tried to. */
struct service_hook_try {
	char event[STORE_CURSOR_BYTES];     /* as in event streams */
	char type[SERVICE_HOOK_TYPE_BYTES]; /* "verification.created", ... */
	char webhook_id[SERVICE_HOOK_ID_BYTES];
	int64_t time_ms, took_ms;
	unsigned status;                      /* HTTP; 0: none, and */
	char fault[SERVICE_HOOK_FAULT_BYTES]; /* ... why; else "" */
	bool told;
};

struct service_hook_view {
	const char *id;   /* of the verification */
	const char *url;  /* "" where there is none any more */
	const char *form; /* "standard", ... */
	enum service_hook_state state;
	int64_t created_ms, next_ms; /* next_ms 0: nothing is planned */
	unsigned failures;           /* in a row */
	const struct service_hook_try *tries; /* oldest first; not in lists */
	size_t tries_count;
};

typedef void service_hook_h(const struct service_refusal *no,
			    const struct service_hook_view *view, void *ctx);
/* "not_found" also where nobody is told of it. */
void service_hook_read(struct service *sv, const struct service_who *who,
		       const char *id, service_hook_h *done, void *ctx);
/* Once more: one event by its id, or (NULL) all that were given up, in order.
 * "invalid_field": it has no such event. */
void service_hook_resend(struct service *sv, const struct service_who *who,
			 const char *id, const char *event,
			 service_hook_h *done, void *ctx);

typedef void service_hooks_h(const struct service_refusal *no,
			     const struct service_hook_view *views,
			     size_t count, const char *next, void *ctx);
/* Those of an application, newest first. */
struct service_hooks_query {
	struct service_who who;
	const char *state;  /* NULL: in any */
	const char *cursor; /* NULL: from the start */
	size_t limit;
};
void service_hooks_list(struct service *sv, const struct service_hooks_query *q,
			service_hooks_h *done, void *ctx);

struct service_hook_stats {
	uint64_t told, tries, failed; /* events, requests, of them in vain */
	uint64_t ends[SERVICE_HOOK_STATES]; /* FAILED, GONE, OFF */
	uint64_t asked, denied, unanswered; /* before calls */
	uint64_t running;                   /* now */
};
void service_hook_stats(const struct service *sv,
			struct service_hook_stats *out);

/* --- secrets ------------------------------------------------------------------ */

/* Derived from the ring, and so nowhere at rest.  The newest first. */
struct service_hook_secrets {
	uint8_t raw[SERVICE_HOOK_SECRETS_MAX][CRYPTO_KEY_BYTES];
	size_t count;
};
/* Any thread.  -ENOENT: no such application; -ENOKEY: the ring lacks its key. */
MUST_CHECK int service_hook_secrets(struct service *sv, const char *application,
				    struct service_hook_secrets *out);
void service_hook_secrets_wipe(struct service_hook_secrets *s);

/*
 * The headers of Standard Webhooks for whatever is sent in an application's
 * name: webhook-id, webhook-timestamp, webhook-signature ("v1,..." for each
 * live secret).  Also for a flow's http node with `sign`.
 */
enum { SERVICE_HOOK_SIGNATURE_BYTES = SERVICE_HOOK_SECRETS_MAX * 48 };
struct service_hook_signature {
	char id[SERVICE_HOOK_ID_BYTES], timestamp[24],
		signature[SERVICE_HOOK_SIGNATURE_BYTES];
};
/* `about` becomes the id: the same text, the same id.  Errors as above. */
MUST_CHECK int service_hook_sign(struct service *sv, const char *application,
				 const char *about, struct span body,
				 struct service_hook_signature *out);

/* --- forms ---------------------------------------------------------------------- */

/*
 * How an event is told.  One `const struct service_hook_form` at the foot of a
 * file, listed in hook_forms.c; service_create.webhook_form names it, and the
 * name stays in records.
 */
struct service_hook_event {
	const char *id;   /* webhook-id: the same for each try */
	const char *type; /* "call.answered", ... */
	struct span json; /* as in event streams */
	int64_t time_ms, now_ms;
	const char *url;
	/* The verification as it is now, with its number. */
	const struct service_view *view;
	const struct service_hook_secrets *secrets;
	struct span key; /* service_create.webhook_key; empty: none */
};
struct service_hook_message {
	const char *method; /* static; "POST" unless it is set */
	char url[VERIFICATION_URL_BYTES + 1024]; /* the event's unless set */
	struct buf body;
	struct {
		const char *name; /* static */
		char value[256];
	} headers[SERVICE_HOOK_HEADERS_MAX];
	size_t headers_count;
};
struct service_hook_form {
	const char *name; /* at most 15 bytes */
	/* False: events of this type are not told. */
	bool (*tells)(const char *type);
	MUST_CHECK int (*make)(const struct service_hook_event *e,
			       struct service_hook_message *out);
	/* Pauses between tries of one event; behind the last it is given up. */
	const int64_t *pauses_ms;
	size_t pauses_count;
	/* Given up: the next event is tried all the same; else none is. */
	bool goes_on;
};
extern const struct service_hook_form service_hook_standard, service_hook_plivo,
	service_hook_plivo_get; /* hook_plivo.c */
/* NULL: there is none of this name; NULL or "" names the standard one. */
const struct service_hook_form *service_hook_form_find(const char *name);
/* For who makes a message. */
void service_hook_header(struct service_hook_message *m, const char *name,
			 const char *value);

/* --- settings of an application, for the operator ---------------------------------- */

struct service_webhook_rule {
	const char *url; /* NULL: as it is; "": none */
	bool rotate;     /* another secret; the old one lives for a day */
};
/* Answers with url, secret and, while it lives, the one before.  `o` knows what
 * may be asked: outbound_check(). */
MUST_CHECK int service_app_webhook(const struct service_admin *a,
				   const struct outbound *o, const char *name,
				   const struct service_webhook_rule *rule,
				   char **json, struct diag *d);

struct service_ask_rule {
	const char *url;    /* NULL: as it is; "": it is not asked */
	int64_t timeout_ms; /* 0: as it is, or SERVICE_ASK_MS */
	/* Where no answer comes in time, or none that makes sense. */
	enum {
		SERVICE_ASK_AS_IT_IS,
		SERVICE_ASK_ALLOW,
		SERVICE_ASK_DENY
	} otherwise;
};
MUST_CHECK int service_app_ask(const struct service_admin *a,
			       const struct outbound *o, const char *name,
			       const struct service_ask_rule *rule, char **json,
			       struct diag *d);
