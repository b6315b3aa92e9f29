// SPDX-License-Identifier: Apache-2.0
/*
 * events.c - what happens, as it happens: server-sent events.
 *
 * A follower reads the store's events behind its cursor, a page at a time,
 * writes them, waits until its reader has taken them, and reads on; when there
 * are none it rests until the store says that its topic has something new.  So
 * a long history costs one page of memory, and a slow reader slows only itself.
 *
 * Each event's id is the store's cursor: who comes back with Last-Event-ID goes
 * on where it was.  When that is too old, `reset` says that events are missing,
 * and what is kept follows.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "base/list.h"
#include "base/mem.h"

enum { PAGE = 32, TOPICS = 256 };
_Static_assert(PAGE *(STORE_EVENT_MAX + 256) < WEB_STREAM_BUFFER_MAX,
	       "a page fits into a stream");

struct api_follows {
	struct service *service;
	pthread_mutex_t lock;
	pthread_cond_t fewer;
	size_t count;
	struct link topics[TOPICS]; /* by hash */
};

struct follower {
	struct link link;
	struct api_follows *all;
	struct web_request *r; /* until the stream is open */
	struct web_stream *stream;
	struct service_who who;
	char id[VERIFICATION_ID_BYTES]; /* "": the whole application */
	char cursor[STORE_CURSOR_BYTES];
	/* under the lock */
	enum { RESTING, READING, WRITING } doing;
	bool more;     /* there is something new, or there was a full page */
	bool gone;     /* its reader */
	unsigned refs; /* the stream's, and of a page on its way */
};

static const char *topic_of(const struct follower *f)
{
	return f->id[0] ? f->id : f->who.application;
}

static struct link *bucket(struct api_follows *all, const char *topic)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (; *topic; topic++)
		hash = (hash ^ (unsigned char)*topic) * 16777619U;
	return &all->topics[hash % TOPICS];
}

static void unref(struct follower *f)
{
	struct api_follows *all = f->all;
	bool last;

	(void)pthread_mutex_lock(&all->lock);
	last = --f->refs == 0;
	if (last)
		ll_remove(&f->link);
	(void)pthread_mutex_unlock(&all->lock);
	if (!last)
		return;
	web_stream_close(f->stream);
	free(f);
	(void)pthread_mutex_lock(&all->lock);
	all->count--;
	(void)pthread_cond_signal(&all->fewer);
	(void)pthread_mutex_unlock(&all->lock);
}

/* A ref that is not the last: the caller's page has one. */
static void forget_stream(struct follower *f)
{
	(void)pthread_mutex_lock(&f->all->lock);
	assert(f->refs > 1);
	f->refs--;
	(void)pthread_mutex_unlock(&f->all->lock);
}

/* --- reading ------------------------------------------------------------------ */

static void on_page(int err, const struct store_event *events, size_t count,
		    void *ctx);

/* With `doing` READING and a ref for the page. */
static void read_page(struct follower *f)
{
	const struct service_follow req = {
		.who = f->who,
		.id = f->id[0] ? f->id : NULL,
		.cursor = f->cursor,
		.max = PAGE,
	};

	service_events(f->all->service, &req, on_page, f);
}

/* Under the lock: is there a reason to read?  Then it is begun. */
static bool begin(struct follower *f)
{
	if (!f->more || f->gone) {
		f->doing = RESTING;
		return false;
	}
	f->more = false;
	f->doing = READING;
	f->refs++;
	return true;
}

static void read_on(struct follower *f)
{
	bool go;

	(void)pthread_mutex_lock(&f->all->lock);
	go = begin(f);
	(void)pthread_mutex_unlock(&f->all->lock);
	if (go)
		read_page(f);
}

static void on_drained(void *ctx)
{
	read_on(ctx);
}

static void on_closed(void *ctx)
{
	struct follower *f = ctx;

	(void)pthread_mutex_lock(&f->all->lock);
	f->gone = true;
	(void)pthread_mutex_unlock(&f->all->lock);
	unref(f);
}

/* --- opening -------------------------------------------------------------------- */

static void refuse(struct web_request *r, int err)
{
	switch (err) {
	case -ENOENT:
		api_bad_field(r, "not_found", NULL,
			      "there is no such verification");
		break;
	case -EINVAL:
		api_bad_field(r, "invalid_field", "Last-Event-ID",
			      "it is not one of ours");
		break;
	case -EAGAIN:
		api_bad_field(r, "overloaded", NULL,
			      "too many event streams are open");
		break;
	default:
		api_bad_field(r, "store_unavailable", NULL,
			      "the events cannot be read");
	}
}

/* What the first page says decides about the answer.  False: no stream. */
static bool open_stream(struct follower *f, int err)
{
	static const struct web_header_out headers[] = {
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Accel-Buffering", "no"},
		{0},
	};
	struct web_request *r = KEEP(f->r);

	if (!err || err == -ERANGE) {
		(void)pthread_mutex_lock(&f->all->lock);
		f->refs++;
		(void)pthread_mutex_unlock(&f->all->lock);
		err = web_stream_open(r, headers, on_closed, f, &f->stream);
		if (!err)
			return true;
		forget_stream(f);
	}
	refuse(r, err);
	return false;
}

/* --- writing ---------------------------------------------------------------------- */

static void write_events(struct follower *f, const struct store_event *events,
			 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct store_event *e = &events[i];

		memcpy(f->cursor, e->cursor, sizeof(f->cursor));
		/* the mark of the end is no event */
		if (*e->type)
			web_stream_event(f->stream, e->cursor, e->type,
					 e->json);
	}
}

/* After a page: wait until it is read, or rest. */
static void go_on(struct follower *f, size_t count)
{
	bool go = false;

	(void)pthread_mutex_lock(&f->all->lock);
	f->more = f->more || count == PAGE;
	if (count)
		f->doing = WRITING;
	else
		go = begin(f);
	(void)pthread_mutex_unlock(&f->all->lock);
	if (count)
		web_stream_when_drained(f->stream, on_drained, f);
	else if (go)
		read_page(f);
}

/* The reader comes back, and goes on where it was. */
static void give_up(struct follower *f)
{
	bool told;

	/* waits for on_closed(), which is not called after that */
	web_stream_close(KEEP(f->stream));
	(void)pthread_mutex_lock(&f->all->lock);
	told = f->gone;
	f->gone = true;
	(void)pthread_mutex_unlock(&f->all->lock);
	if (!told)
		forget_stream(f);
}

static void on_page(int err, const struct store_event *events, size_t count,
		    void *ctx)
{
	struct follower *f = ctx;

	if (f->r && !open_stream(f, err)) {
		unref(f);
		return;
	}
	if (err == -ERANGE) {
		web_stream_event(f->stream, NULL, "reset", span_of("{}"));
		f->cursor[0] = '\0';
		go_on(f, PAGE); /* with what is kept */
	} else if (err) {
		give_up(f);
	} else {
		write_events(f, events, count);
		go_on(f, count);
	}
	unref(f);
}

/* --- waking -------------------------------------------------------------------------- */

static void on_topic(const char *topic, void *ctx)
{
	struct api_follows *all = ctx;
	struct follower *ready[PAGE];
	size_t count;

	do {
		count = 0;
		(void)pthread_mutex_lock(&all->lock);
		ll_each (l, bucket(all, topic)) {
			struct follower *f = ll_entry(l, struct follower, link);

			if (strcmp(topic_of(f), topic) != 0)
				continue;
			if (f->doing != RESTING) {
				f->more = true;
				continue;
			}
			if (count == PAGE)
				break;
			f->more = true;
			if (begin(f))
				ready[count++] = f;
		}
		(void)pthread_mutex_unlock(&all->lock);
		for (size_t i = 0; i < count; i++)
			read_page(ready[i]);
	} while (count == PAGE);
}

/* --- handlers -------------------------------------------------------------------------- */

/* From where: what the reader had last, or `otherwise`. */
static bool read_cursor(struct web_request *r, const char *otherwise,
			char out[STORE_CURSOR_BYTES])
{
	const char *last = web_header(r, "Last-Event-ID");
	struct span cursor = span_of(last ? last : otherwise);

	if (cursor.n >= STORE_CURSOR_BYTES)
		return false;
	memcpy(out, cursor.p, cursor.n);
	return true;
}

static void follow(struct web_request *r, struct api *a, bool whole)
{
	struct api_follows *all = a->follows;
	struct follower *f = b_zero(1, sizeof(*f));

	f->all = all;
	f->r = r;
	f->doing = READING;
	f->refs = 1;
	if (!api_who(a, r, SERVICE_VERIFY, &f->who)) {
		free(f);
		return;
	}
	if (!read_cursor(r, whole ? "end" : "", f->cursor)) {
		free(f);
		refuse(r, -EINVAL);
		return;
	}
	if (!whole)
		api_id(r, f->id);
	(void)pthread_mutex_lock(&all->lock);
	all->count++;
	ll_append(bucket(all, topic_of(f)), &f->link);
	(void)pthread_mutex_unlock(&all->lock);
	web_defer(r);
	read_page(f);
}

/* One verification: all there was, and what comes. */
void api_events(struct web_request *r, void *ctx)
{
	follow(r, ctx, false);
}

/* A whole application: from now on. */
void api_all_events(struct web_request *r, void *ctx)
{
	follow(r, ctx, true);
}

struct api_follows *api_follows_new(struct service *sv)
{
	struct api_follows *all = b_zero(1, sizeof(*all));
	int err = pthread_mutex_init(&all->lock, NULL);

	if (!err)
		err = pthread_cond_init(&all->fewer, NULL);
	assert(!err);
	all->service = sv;
	for (size_t i = 0; i < TOPICS; i++)
		ll_init(&all->topics[i]);
	service_on_event(sv, on_topic, all);
	return all;
}

void api_follows_free(struct api_follows *all)
{
	if (!all)
		return;
	/* a page may be on its way to somebody who left */
	(void)pthread_mutex_lock(&all->lock);
	while (all->count > 0)
		(void)pthread_cond_wait(&all->fewer, &all->lock);
	(void)pthread_mutex_unlock(&all->lock);
	(void)pthread_cond_destroy(&all->fewer);
	(void)pthread_mutex_destroy(&all->lock);
	free(all);
}
