// SPDX-License-Identifier: Apache-2.0
/*
 * outbound.c - the calls: who asks, who waits for whom, how it ends.
 *
 * Each host and port has places for a few at once, and a queue; hosts with
 * somebody waiting take turns, so that a receiver with thousands of requests
 * behind it holds up no other.  A call takes its place first and is resolved
 * then: what is known of a name is as fresh as it can be when it is used.
 *
 * A call keeps its outbound alive, because its asker may give it up after the
 * outbound has been freed: then it is on its way to the asker's loop.
 */
#include "web/outbound.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "web/outbound_priv.h"

void outbound_lock(struct outbound *o)
{
	int err = pthread_mutex_lock(&o->lock);

	assert(!err);
}

void outbound_unlock(struct outbound *o)
{
	int err = pthread_mutex_unlock(&o->lock);

	assert(!err);
}

void outbound_wake(struct outbound *o)
{
	if (!o->stopping) /* then it is awake, or gone */
		(void)curl_multi_wakeup(o->multi);
}

const char *outbound_fault_text(enum outbound_fault f)
{
	static const char *const texts[] = {
		[OUTBOUND_ANSWERED] = "answered",
		[OUTBOUND_BAD_URL] = "bad_url",
		[OUTBOUND_REFUSED] = "refused",
		[OUTBOUND_UNRESOLVED] = "unresolved",
		[OUTBOUND_UNREACHABLE] = "unreachable",
		[OUTBOUND_BAD_TLS] = "bad_tls",
		[OUTBOUND_TIMEOUT] = "timeout",
		[OUTBOUND_TOO_LARGE] = "too_large",
		[OUTBOUND_BROKEN] = "broken",
		[OUTBOUND_FULL] = "full",
		[OUTBOUND_CLOSED] = "closed",
	};

	return texts[f];
}

/* --- states ------------------------------------------------------------------------- */

#define BIT(state) (1U << (unsigned)(state))

void outbound_enter(struct outbound_call *c, enum outbound_state to)
{
	static const unsigned after[OUTBOUND_STATES] = {
		[OUTBOUND_NEW] = BIT(OUTBOUND_WAITING) | BIT(OUTBOUND_DONE),
		[OUTBOUND_WAITING] = BIT(OUTBOUND_NAMING) |
				     BIT(OUTBOUND_STARTING) |
				     BIT(OUTBOUND_DONE),
		[OUTBOUND_NAMING] = BIT(OUTBOUND_STARTING) | BIT(OUTBOUND_DONE),
		[OUTBOUND_STARTING] =
			BIT(OUTBOUND_RUNNING) | BIT(OUTBOUND_DONE),
		[OUTBOUND_RUNNING] =
			BIT(OUTBOUND_GIVEN_UP) | BIT(OUTBOUND_DONE),
	};

	assert(after[c->state] & BIT(to));
	c->state = to;
}

/* --- hosts --------------------------------------------------------------------------- */

static struct outbound_host *host_of(struct outbound *o,
				     const struct outbound_target *t)
{
	char key[OUTBOUND_HOST_BYTES + 8];
	struct outbound_host *h;

	(void)snprintf(key, sizeof(key), "%s|%u", t->host, t->port);
	h = map_get(o->hosts, key);
	if (h)
		return h;
	h = b_zero(1, sizeof(*h));
	h->key = b_strdup(key);
	h->name = b_strdup(t->host);
	ll_init(&h->ready);
	ll_init(&h->lookup);
	ll_init(&h->waiting);
	ll_init(&h->naming);
	(void)map_put(o->hosts, key, h);
	return h;
}

static void host_free(struct outbound_host *h)
{
	free(h->key);
	free(h->name);
	free(h);
}

/* Behind the other hosts, if one of those who wait could begin. */
static void line_up(struct outbound *o, struct outbound_host *h)
{
	ll_remove(&h->ready);
	if (!ll_empty(&h->waiting) && h->places < OUTBOUND_RUNNING_PER_HOST)
		ll_append(&o->ready, &h->ready);
}

/* Somebody left it, perhaps the last one. */
static void host_changed(struct outbound *o, struct outbound_host *h)
{
	line_up(o, h);
	if (!ll_empty(&h->waiting) || h->places > 0 || h->looking)
		return;
	(void)map_remove(o->hosts, h->key);
	host_free(h);
}

void outbound_looked_up(struct outbound *o, struct outbound_host *h)
{
	h->looking = false;
	host_changed(o, h);
}

void outbound_start_soon(struct outbound_call *c)
{
	struct outbound *o = c->o;

	outbound_enter(c, OUTBOUND_STARTING);
	ll_remove(&c->link);
	ll_append(&o->starting, &c->link);
	atomic_fetch_sub(&o->waiting, 1);
	atomic_fetch_add(&o->now, 1);
}

/* The first of those who wait takes a place. */
static void take_place(struct outbound *o, struct outbound_host *h)
{
	/* who is in o->ready has somebody waiting */
	struct outbound_call *c =
		ll_entry(h->waiting.next, struct outbound_call, link);

	ll_remove(&c->link);
	h->places++;
	o->places++;
	if (c->target.literal) {
		outbound_start_soon(c);
	} else {
		outbound_enter(c, OUTBOUND_NAMING);
		ll_append(&h->naming, &c->link);
		if (!h->looking)
			ll_append(&o->lookups, &h->lookup);
		h->looking = true;
		(void)pthread_cond_signal(&o->names);
	}
	line_up(o, h);
}

void outbound_begin_some(struct outbound *o)
{
	struct link *l;

	while (o->places < OUTBOUND_RUNNING_MAX && !o->stopping &&
	       (l = ll_first(&o->ready)))
		take_place(o, ll_entry(l, struct outbound_host, ready));
}

/* --- how it ends ------------------------------------------------------------------------ */

static void count(struct outbound_call *c)
{
	struct outbound *o = c->o;

	if (c->fault == OUTBOUND_ANSWERED)
		atomic_fetch_add(&o->answered, 1);
	else if (c->fault == OUTBOUND_REFUSED)
		atomic_fetch_add(&o->refused, 1);
	else
		atomic_fetch_add(&o->failed, 1);
}

static void settle(struct outbound_call *c, enum outbound_fault fault,
		   const char *why)
{
	c->fault = fault;
	if (why)
		(void)snprintf(c->why, sizeof(c->why), "%s", why);
	count(c);
}

void outbound_leave(struct outbound_call *c)
{
	struct outbound *o = c->o;
	struct outbound_host *h = c->host;

	timer_stop(o->timers, &c->deadline);
	ll_remove(&c->link);
	ll_remove(&c->all);
	if (!h)
		return;
	c->host = NULL;
	if (c->state == OUTBOUND_WAITING || c->state == OUTBOUND_NAMING)
		atomic_fetch_sub(&o->waiting, 1);
	else
		atomic_fetch_sub(&o->now, 1);
	if (c->state != OUTBOUND_WAITING) {
		h->places--;
		o->places--;
	}
	host_changed(o, h);
}

static void run_post(void *ctx)
{
	outbound_tell(ctx);
}

void outbound_finish(struct outbound_call *c, enum outbound_fault fault,
		     const char *why)
{
	struct outbound *o = c->o;

	settle(c, fault, why);
	outbound_leave(c);
	outbound_enter(c, OUTBOUND_DONE);
	if (c->loop)
		loop_post(c->loop, &c->post, run_post, c);
	else
		ll_append(&o->ended, &c->link);
}

void outbound_tell(struct outbound_call *c)
{
	const struct outbound_answer a = {
		.fault = c->fault,
		.why = c->why,
		.status = c->status,
		.type = c->type,
		.body = buf_view(&c->answer),
		.took_ms = clock_mono_ms(c->o->clock) - c->asked_ms,
	};

	c->done(&a, c->ctx);
	outbound_call_free(c);
}

static void wipe_list(struct curl_slist *list)
{
	for (struct curl_slist *l = list; l; l = l->next)
		crypto_wipe(l->data, strlen(l->data));
	curl_slist_free_all(list);
}

void outbound_call_free(struct outbound_call *c)
{
	struct outbound *o = c->o;

	assert(!c->easy && !c->host);
	outbound_target_free(&c->target);
	wipe_list(c->headers);
	curl_slist_free_all(c->pin);
	if (c->body)
		crypto_wipe(c->body, c->body_n);
	atomic_fetch_sub(&o->held, c->body_n);
	free(c->body);
	if (c->answer.p)
		crypto_wipe(c->answer.p, c->answer.n);
	buf_free(&c->answer);
	free(c);
	outbound_unref(o);
}

/* Its time is over before libcurl has it. */
static void overdue(void *ctx)
{
	struct outbound_call *c = ctx;

	outbound_finish(c, OUTBOUND_TIMEOUT,
			c->state == OUTBOUND_NAMING
				? "the name was not resolved in time"
				: "too many requests were before it");
}

/* --- asking --------------------------------------------------------------------------------- */

static bool is_token(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    !strchr("!#$%&'*+-.^_`|~", s[i]))
			return false;
	return n > 0;
}

/* RFC 9110 5.5, but for what is not ASCII. */
static bool is_field_value(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == '\x7f')
			return false;
	return true;
}

/* What says how the message itself is sent is libcurl's to say. */
static bool is_ours(const char *name)
{
	static const char *const names[] = {"connection",
					    "content-length",
					    "expect",
					    "host",
					    "keep-alive",
					    "proxy-connection",
					    "te",
					    "trailer",
					    "upgrade",
					    "transfer-encoding",
					    "proxy-authorization"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static void add_header(struct outbound_call *c, const char *name,
		       const char *value)
{
	AUTO_BUF(line, 1 << 20);

	/* how libcurl is told of a header without a value */
	if (*value)
		buf_printf(&line, "%s: %s", name, value);
	else
		buf_printf(&line, "%s;", name);
	c->headers = curl_slist_append(c->headers, line.p);
	crypto_wipe(line.p, line.n);
}

static int read_headers(struct outbound_call *c,
			const struct outbound_header *h, struct diag *d)
{
	bool typed = false;
	size_t n = 0;

	c->headers = curl_slist_append(NULL, "Expect:");
	for (; h && h->name; h++) {
		if (++n > OUTBOUND_HEADERS_MAX)
			return diag_set(d, "there are more than %d headers",
					OUTBOUND_HEADERS_MAX);
		if (!is_token(h->name) || is_ours(h->name) ||
		    !is_field_value(h->value))
			return diag_set(d, "a header cannot be sent: %.40s",
					is_token(h->name) ? h->name : "");
		if (strcasecmp(h->name, "Content-Type") == 0)
			typed = true;
		add_header(c, h->name, h->value);
	}
	if (!typed) /* libcurl would say that it is a form */
		c->headers = curl_slist_append(c->headers, "Content-Type:");
	return 0;
}

static int read_method(struct outbound_call *c, const char *method,
		       struct diag *d)
{
	static const char *const methods[] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (strcmp(methods[i], method) == 0) {
			(void)snprintf(c->method, sizeof(c->method), "%s",
				       method);
			return 0;
		}
	return diag_set(d, "there is no method %.20s", method);
}

/* -EINVAL, or -EACCES. */
static int read_request(struct outbound_call *c,
			const struct outbound_request *r, struct diag *d)
{
	int err = outbound_target_read(r->url, &c->target, d);

	if (!err)
		err = read_method(c, r->method, d);
	if (!err)
		err = read_headers(c, r->headers, d);
	if (!err && r->body.n > OUTBOUND_BODY_MAX)
		err = diag_set(d, "the body is longer than %d bytes",
			       OUTBOUND_BODY_MAX);
	if (!err && c->target.literal)
		err = outbound_may(&c->o->rules, c->target.host,
				   &c->target.address, d);
	if (err)
		return err;
	c->addresses[0] = c->target.address;
	c->address_count = c->target.literal;
	c->body = b_copy(r->body.p, r->body.n);
	c->body_n = r->body.n;
	atomic_fetch_add(&c->o->held, c->body_n);
	return 0;
}

static int64_t at_most(int64_t n, int64_t max)
{
	return n > 0 && n < max ? n : max;
}

static struct outbound_call *call_new(struct outbound *o,
				      const struct outbound_request *r)
{
	struct outbound_call *c = b_zero(1, sizeof(*c));
	size_t answer_max =
		(size_t)at_most((int64_t)r->answer_max, OUTBOUND_ANSWER_MAX);

	c->o = o;
	atomic_fetch_add(&o->refs, 1);
	ll_init(&c->link);
	ll_init(&c->all);
	ll_init(&c->post.link);
	c->answer_max = answer_max;
	buf_init(&c->answer, answer_max);
	c->asked_ms = clock_mono_ms(o->clock);
	c->began_ms = clock_mono_ms(clock_real());
	c->due_ms = c->began_ms + at_most(r->timeout_ms, OUTBOUND_MS);
	return c;
}

static void wait_for_a_place(struct outbound_call *c)
{
	struct outbound *o = c->o;

	c->host = host_of(o, &c->target);
	atomic_fetch_add(&o->waiting, 1);
	outbound_enter(c, OUTBOUND_WAITING);
	ll_append(&c->host->waiting, &c->link);
	ll_append(&o->all, &c->all);
	if (ll_empty(&c->host->ready))
		line_up(o, c->host);
	timer_set(o->timers, &c->deadline, c->due_ms - c->began_ms, overdue, c);
}

static bool is_full(const struct outbound *o, size_t more)
{
	return atomic_load(&o->waiting) >= OUTBOUND_WAITING_MAX ||
	       atomic_load(&o->held) + more > OUTBOUND_HELD_MAX;
}

void outbound_send(struct outbound *o, const struct outbound_request *r,
		   struct loop *loop, outbound_done_h *done, void *ctx,
		   struct outbound_call **out)
{
	struct outbound_call *c = call_new(o, r);
	struct diag d = {0};
	bool full = is_full(o, r->body.n);
	int err = full ? 0 : read_request(c, r, &d);

	c->loop = loop;
	c->done = done;
	c->ctx = ctx;
	if (out)
		*out = c;
	atomic_fetch_add(&o->asked, 1);
	outbound_lock(o);
	if (o->stopping)
		outbound_finish(c, OUTBOUND_CLOSED, NULL);
	else if (full)
		outbound_finish(c, OUTBOUND_FULL, "too many requests wait");
	else if (err)
		outbound_finish(
			c, err == -EACCES ? OUTBOUND_REFUSED : OUTBOUND_BAD_URL,
			d.message);
	else
		wait_for_a_place(c);
	outbound_wake(o);
	outbound_unlock(o);
}

void outbound_cancel(struct outbound_call *c)
{
	struct outbound *o;
	bool ours = true; /* to free */

	if (!c)
		return;
	o = c->o;
	outbound_lock(o);
	if (c->state == OUTBOUND_DONE) {
		loop_unpost(c->loop, &c->post);
	} else if (c->state == OUTBOUND_RUNNING) {
		outbound_enter(c, OUTBOUND_GIVEN_UP);
		ll_remove(&c->link);
		ll_append(&o->given_up, &c->link);
		ours = false;
	} else {
		outbound_leave(c);
	}
	outbound_wake(o);
	outbound_unlock(o);
	if (ours)
		outbound_call_free(c);
}

void outbound_stats(const struct outbound *o, struct outbound_stats *out)
{
	out->asked = atomic_load(&o->asked);
	out->answered = atomic_load(&o->answered);
	out->failed = atomic_load(&o->failed);
	out->refused = atomic_load(&o->refused);
	out->waiting = atomic_load(&o->waiting);
	out->running = atomic_load(&o->now);
}

/* --- beginning and ending ---------------------------------------------------------------------- */

static int start_thread(pthread_t *thread, void *(*run)(void *), void *ctx)
{
	sigset_t all, old;
	int err;

	/* signals are for others */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = -pthread_create(thread, NULL, run, ctx);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static int start_all(struct outbound *o, struct diag *d)
{
	int err = 0;

	o->multi = curl_multi_init();
	if (!o->multi) {
		(void)diag_set(d, "no memory for HTTP");
		return -ENOMEM;
	}
	(void)curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS,
				(long)OUTBOUND_KEPT_MAX);
	err = start_thread(&o->thread, outbound_run, o);
	o->running = !err;
	for (unsigned i = 0; i < OUTBOUND_NAMERS && !err; i++) {
		atomic_fetch_add(&o->refs, 1);
		err = start_thread(&o->namers[i], outbound_namer, o);
		if (err)
			atomic_fetch_sub(&o->refs, 1);
		else
			o->namers_count++;
	}
	if (err)
		(void)diag_set(d, "no thread for HTTP: %s",
			       strerrordesc_np(-err));
	return err;
}

static void init(struct outbound *o, const struct outbound_params *params)
{
	atomic_init(&o->refs, 1);
	o->clock = params->clock ? params->clock : clock_real();
	o->ca_file = b_strdup(params->ca_file);
	o->lookup = params->lookup;
	o->lookup_ctx = params->lookup_ctx;
	o->hosts = map_new();
	o->timers = timers_new(clock_real());
	ll_init(&o->ready);
	ll_init(&o->lookups);
	ll_init(&o->starting);
	ll_init(&o->runs);
	ll_init(&o->given_up);
	ll_init(&o->ended);
	ll_init(&o->all);
	(void)pthread_mutex_init(&o->lock, NULL);
	(void)pthread_cond_init(&o->names, NULL);
}

int outbound_new(const struct outbound_params *params, struct outbound **out,
		 struct diag *d)
{
	struct outbound *o = b_zero(1, sizeof(*o));
	int err = curl_global_init(CURL_GLOBAL_DEFAULT) ? -ENOMEM : 0;

	init(o, params);
	if (!err)
		err = outbound_rules_read(&o->rules, params->allow,
					  params->allow_count, d);
	if (!err)
		err = start_all(o, d);
	if (err) {
		outbound_free(o);
		return err;
	}
	*out = o;
	return 0;
}

static void forget_host(const char *key, void *value, void *ctx)
{
	(void)key;
	(void)ctx;
	host_free(value); /* its name was never looked up */
}

void outbound_unref(struct outbound *o)
{
	if (atomic_fetch_sub(&o->refs, 1) != 1)
		return;
	outbound_rules_free(&o->rules);
	free(o->ca_file);
	map_each(o->hosts, forget_host, NULL);
	map_free(o->hosts);
	timers_free(o->timers);
	(void)pthread_mutex_destroy(&o->lock);
	(void)pthread_cond_destroy(&o->names);
	free(o);
}

void outbound_free(struct outbound *o)
{
	if (!o)
		return;
	outbound_lock(o);
	if (o->multi)
		outbound_wake(o);
	o->stopping = true;
	(void)pthread_cond_broadcast(&o->names);
	outbound_unlock(o);
	if (o->running)
		(void)pthread_join(o->thread, NULL);
	for (unsigned i = 0; i < o->namers_count; i++) {
		/* a resolver may take half a minute, and leans on nobody;
		 * a handler leans on its ctx */
		if (o->lookup)
			(void)pthread_join(o->namers[i], NULL);
		else
			(void)pthread_detach(o->namers[i]);
	}
	(void)curl_multi_cleanup(o->multi);
	outbound_unref(o);
}
