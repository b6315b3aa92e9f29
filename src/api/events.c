// SPDX-License-Identifier: Apache-2.0
/*
 * events.c - server-sent events, of one verification or of an application.
 *
 * A follower reads its topic in pages until there is no more, and then rests
 * until the store says that the topic has something new.  At most one read is
 * under way for each; what is woken meanwhile reads once more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/mem.h"

struct follower {
	struct link link; /* in api.followers, while it rests or reads */
	struct api *api;
	struct web_request *r; /* until the stream is open */
	struct web_stream *stream;
	struct service_who who;
	char id[VERIFICATION_ID_BYTES]; /* "": the whole application */
	char cursor[STORE_CURSOR_BYTES];
	/* under the api's followers_lock */
	unsigned refs; /* the read's, the stream's */
	bool reading, again, gone;
};

static const char *topic(const struct follower *f)
{
	return *f->id ? f->id : f->who.application;
}

static void lock(struct api *a)
{
	(void)pthread_mutex_lock(&a->followers_lock);
}

static void unlock(struct api *a)
{
	(void)pthread_mutex_unlock(&a->followers_lock);
}

/* Under the lock; true when the caller must end it, without the lock. */
static bool drop(struct follower *f)
{
	if (--f->refs > 0)
		return false;
	ll_remove(&f->link);
	return true;
}

static void end(struct follower *f)
{
	web_stream_close(f->stream);
	free(f);
}

static void closed(void *ctx)
{
	struct follower *f = ctx;
	bool last;

	lock(f->api);
	f->gone = true;
	last = drop(f);
	unlock(f->api);
	if (last)
		end(f);
}

/* --- reading ----------------------------------------------------------------------- */

static store_events_h got;

static void read_on(struct follower *f)
{
	service_events(f->api->p.service, &f->who, *f->id ? f->id : NULL,
		       f->cursor, API_EVENTS_PAGE, got, f);
}

static void refuse(struct follower *f, int err)
{
	struct web_request *r = f->r;
	bool last;

	lock(f->api);
	last = drop(f);
	unlock(f->api);
	if (err == -ENOENT)
		api_bad_field(r, "not_found", NULL,
			      "there is no such verification");
	else if (err == -EINVAL)
		api_bad_field(r, "invalid_field", "Last-Event-ID",
			      "it is not one of ours");
	else if (err == -EAGAIN)
		api_bad_field(r, "overloaded", NULL,
			      "too many event streams are open");
	else
		api_bad_field(r, "store_unavailable", NULL,
			      "the events cannot be read");
	if (last)
		end(f);
}

/* The first page is there: the answer may begin. */
static int open_stream(struct follower *f)
{
	static const struct web_header_out headers[] = {
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Accel-Buffering", "no"},
		{0},
	};
	struct web_request *r = f->r;
	int err;

	lock(f->api);
	f->refs++; /* before the reader can go away */
	unlock(f->api);
	err = web_stream_open(r, headers, closed, f, &f->stream);
	if (err) {
		lock(f->api);
		f->refs--;
		unlock(f->api);
		return err;
	}
	f->r = NULL;
	return 0;
}

static void write_events(struct follower *f, const struct store_event *events,
			 size_t count)
{
	for (size_t i = 0; i < count; i++)
		web_stream_event(f->stream, events[i].cursor, events[i].type,
				 events[i].json);
	if (count > 0)
		memcpy(f->cursor, events[count - 1].cursor, sizeof(f->cursor));
}

/* True: read once more. */
static bool settle(struct follower *f, bool more)
{
	bool again, last = false;

	lock(f->api);
	again = !f->gone && (more || f->again);
	f->again = false;
	f->reading = again;
	if (!again)
		last = drop(f);
	unlock(f->api);
	if (last)
		end(f);
	return again;
}

static void got(int err, const struct store_event *events, size_t count,
		void *ctx)
{
	struct follower *f = ctx;
	bool too_old = err == -ERANGE;

	if (too_old) { /* what was missed is gone: from the oldest kept */
		err = 0;
		count = 0;
		f->cursor[0] = 0;
	}
	if (err && f->r) {
		refuse(f, err);
		return;
	}
	if (f->r) {
		err = open_stream(f);
		if (err) {
			refuse(f, err);
			return;
		}
	}
	if (too_old)
		web_stream_event(f->stream, NULL, "reset", span_of("{}"));
	if (!err)
		write_events(f, events, count);
	if (settle(f, too_old || (!err && count == API_EVENTS_PAGE)))
		read_on(f);
}

/* On the store's thread: only mark and ask. */
void api_woken(const char *what, void *ctx)
{
	struct api *a = ctx;

	lock(a);
	ll_each_safe (at, &a->followers) {
		struct follower *f = ll_entry(at, struct follower, link);

		if (f->gone || strcmp(topic(f), what) != 0)
			continue;
		if (f->reading) {
			f->again = true;
			continue;
		}
		f->reading = true;
		f->refs++;
		read_on(f); /* answers later, never from inside */
	}
	unlock(a);
}

/* --- handlers ------------------------------------------------------------------------- */

static void follow(struct web_request *r, struct api *a, bool whole)
{
	const char *last = web_header(r, "Last-Event-ID");
	struct service_who who;
	struct follower *f;

	if (!api_who(a, r, SERVICE_VERIFY, &who))
		return;
	f = b_zero(1, sizeof(*f));
	f->api = a;
	f->r = r;
	f->who = who;
	f->refs = 1;
	f->reading = true;
	if (!whole)
		api_id(r, f->id);
	(void)snprintf(f->cursor, sizeof(f->cursor), "%s", last ? last : "");
	lock(a);
	ll_append(&a->followers, &f->link);
	unlock(a);
	web_defer(r);
	read_on(f);
}

void api_events(struct web_request *r, void *ctx)
{
	follow(r, ctx, false);
}

void api_all_events(struct web_request *r, void *ctx)
{
	follow(r, ctx, true);
}
