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
 *
 * A test run is followed in the same way, from the memory of this node, and its
 * stream ends with it.  Steps of calls (decision 18) are kept by nobody: they
 * are written to the streams that want them and have room, or forgotten.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/flows_priv.h"
#include "base/list.h"
#include "base/mem.h"

enum {
	PAGE = 32,
	TOPICS = 256,
	STEPS_AHEAD = 64 << 10, /* bytes of steps that a reader is behind */
	STEP_ROOM = 32,         /* what stands around one in the stream */
};
_Static_assert(PAGE *(STORE_EVENT_MAX + 256) + STEPS_AHEAD <
		       WEB_STREAM_BUFFER_MAX,
	       "a page fits into a stream");
_Static_assert((int)SERVICE_RUN_ID_BYTES >= (int)VERIFICATION_ID_BYTES,
	       "an id of either has room");

struct api_follows {
	struct service *service;
	pthread_mutex_t lock;
	pthread_cond_t fewer;
	size_t count;
	struct link topics[TOPICS]; /* by hash */
	atomic_uint listening;      /* to steps */
};

struct follower {
	struct link link;
	struct api_follows *all;
	struct web_request *r; /* until the stream is open */
	struct web_stream *stream;
	struct service_who who;
	char id[SERVICE_RUN_ID_BYTES]; /* "": the whole application */
	bool run;                      /* it is one of a test, of this flow: */
	char flow[VERIFICATION_ID_BYTES];
	bool steps; /* of calls, too */
	char cursor[STORE_CURSOR_BYTES];
	/* under the lock */
	enum { RESTING, READING, WRITING } doing;
	bool more;     /* there is something new, or there was a full page */
	bool gone;     /* its reader */
	bool open;     /* `stream` takes steps */
	size_t ahead;  /* bytes of them that it has not read */
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
	atomic_fetch_sub(&all->listening, f->steps);
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
	const struct service_run_name run = {
		.who = f->who, .flow = f->flow, .id = f->id};
	const struct service_follow req = {
		.who = f->who,
		.id = f->id[0] ? f->id : NULL,
		.cursor = f->cursor,
		.max = PAGE,
	};

	if (f->run)
		service_run_events(f->all->service, &run, f->cursor, PAGE,
				   on_page, f);
	else
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

/* A page was read, or steps were, or both. */
static void on_drained(void *ctx)
{
	struct follower *f = ctx;
	bool go;

	(void)pthread_mutex_lock(&f->all->lock);
	f->ahead = 0;
	go = f->doing == WRITING && begin(f);
	(void)pthread_mutex_unlock(&f->all->lock);
	if (go)
		read_page(f);
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

static void refuse(struct web_request *r, bool run, int err)
{
	switch (err) {
	case -ENOENT:
		api_bad_field(r, "not_found", NULL,
			      run ? "there is no such run, or not any more"
				  : "there is no such verification");
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

static void takes_steps(struct follower *f)
{
	(void)pthread_mutex_lock(&f->all->lock);
	f->open = f->steps;
	(void)pthread_mutex_unlock(&f->all->lock);
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
		if (!err) {
			takes_steps(f);
			return true;
		}
		forget_stream(f);
	}
	refuse(r, f->run, err);
	return false;
}

/* --- writing ---------------------------------------------------------------------- */

/* False: that was the last of a run. */
static bool write_events(struct follower *f, const struct store_event *events,
			 size_t count)
{
	const char *type = "";

	for (size_t i = 0; i < count; i++) {
		const struct store_event *e = &events[i];

		memcpy(f->cursor, e->cursor, sizeof(f->cursor));
		type = e->type;
		/* the mark of the end is no event; what a run did is told from
		 * its beginning to everybody */
		if (*type)
			web_stream_event(f->stream, f->run ? NULL : e->cursor,
					 type, e->json);
	}
	return strcmp(type, "run.ended") != 0;
}

/* After a page: wait until it is read, or rest. */
static void go_on(struct follower *f, size_t count)
{
	bool go = false;

	(void)pthread_mutex_lock(&f->all->lock);
	f->more = f->more || count == PAGE || (count > 0 && f->run);
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

/* The reader comes back, and goes on where it was; to a run that is over it has
 * no reason to. */
static void give_up(struct follower *f)
{
	bool told;

	(void)pthread_mutex_lock(&f->all->lock);
	f->open = false;
	(void)pthread_mutex_unlock(&f->all->lock);
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
	} else if (err || !write_events(f, events, count)) {
		give_up(f);
	} else {
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

/* --- steps --------------------------------------------------------------------------- */

/* With the lock, which its stream outlives. */
static void offer(struct follower *f, const struct service_step *s)
{
	size_t n = s->json.n + STEP_ROOM;

	if (!f->open || f->gone || f->ahead + n > STEPS_AHEAD)
		return;
	f->ahead += n;
	web_stream_event(f->stream, NULL, "run.step", s->json);
	web_stream_when_drained(f->stream, on_drained, f);
}

static void offer_all(struct api_follows *all, const char *topic,
		      const struct service_step *s)
{
	ll_each (l, bucket(all, topic)) {
		struct follower *f = ll_entry(l, struct follower, link);

		if (strcmp(topic_of(f), topic) == 0)
			offer(f, s);
	}
}

void api_follows_step(const struct service_step *s, void *ctx)
{
	struct api_follows *all = ctx;

	(void)pthread_mutex_lock(&all->lock);
	offer_all(all, s->verification, s);
	offer_all(all, s->application, s);
	(void)pthread_mutex_unlock(&all->lock);
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

static bool read_steps(struct web_request *r, bool *out)
{
	const char *steps = web_query(r, "steps");

	*out = steps && strcmp(steps, "true") == 0;
	if (!steps || *out || strcmp(steps, "false") == 0)
		return true;
	api_bad_field(r, "invalid_field", "steps", "it is true or false");
	return false;
}

static struct follower *follower_new(struct api *a, struct web_request *r)
{
	struct follower *f = b_zero(1, sizeof(*f));

	f->all = a->follows;
	f->r = r;
	f->doing = READING;
	f->refs = 1;
	return f;
}

static void start(struct follower *f)
{
	struct api_follows *all = f->all;

	(void)pthread_mutex_lock(&all->lock);
	all->count++;
	ll_append(bucket(all, topic_of(f)), &f->link);
	(void)pthread_mutex_unlock(&all->lock);
	atomic_fetch_add(&all->listening, f->steps);
	web_defer(f->r);
	read_page(f);
}

static void follow(struct web_request *r, struct api *a, bool whole)
{
	struct follower *f = follower_new(a, r);

	if (!api_who(a, r, SERVICE_VERIFY, &f->who) ||
	    !read_steps(r, &f->steps)) {
		free(f);
		return;
	}
	if (!read_cursor(r, whole ? "end" : "", f->cursor)) {
		free(f);
		refuse(r, false, -EINVAL);
		return;
	}
	if (!whole)
		api_id(r, f->id);
	start(f);
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

/* A test of a flow: all that it did, and what it does, to its end. */
void api_run_events(struct web_request *r, void *ctx)
{
	struct api_run_name n;
	struct api *a = ctx;
	struct follower *f;

	if (!api_run_name(a, r, &n))
		return;
	f = follower_new(a, r);
	f->who = n.name.who;
	f->run = true;
	memcpy(f->flow, n.flow, sizeof(f->flow));
	memcpy(f->id, n.id, sizeof(n.id));
	start(f);
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
	service_on_step(sv, api_follows_step, &all->listening, all);
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
