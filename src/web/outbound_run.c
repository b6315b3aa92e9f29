// SPDX-License-Identifier: Apache-2.0
/*
 * outbound_run.c - the threads: one that libcurl runs on, and those that
 * resolve names.
 *
 * libcurl never resolves anything: whatever the URL says, it is told to connect
 * to an address that was looked at, and the moment before it does, the address
 * is compared once more.  A kept connection may serve a later request to the
 * same host, because it leads to an address that was looked at under the same
 * rules, which never change.  Where the first address does not answer, the next
 * one is tried; nothing has been sent by then.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "web/outbound_priv.h"

enum { TURN_MAX_MS = 60 * 1000 };

/* --- names ----------------------------------------------------------------------------- */

static int resolve(const char *host, struct sockaddr_storage *out, int max,
		   void *ctx)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *all = NULL;
	int n = 0;

	(void)ctx;
	if (getaddrinfo(host, NULL, &hints, &all) != 0)
		return 0;
	for (const struct addrinfo *a = all; a && n < max; a = a->ai_next) {
		if (a->ai_addrlen > sizeof(*out))
			continue;
		memset(&out[n], 0, sizeof(out[n]));
		memcpy(&out[n++], a->ai_addr, a->ai_addrlen);
	}
	freeaddrinfo(all);
	return n;
}

struct named {
	struct sockaddr_storage addresses[OUTBOUND_ADDRESSES_MAX];
	int count;
};

/*
 * All or none: of an honest receiver every address may be asked, and a name
 * that has both kinds is what an attack looks like, which would otherwise only
 * have to wait for the order that suits it.
 */
static void hand_over(struct outbound_call *c, const struct named *named)
{
	struct outbound *o = c->o;
	struct diag d = {0};

	if (named->count <= 0) {
		outbound_finish(c, OUTBOUND_UNRESOLVED,
				"the name has no address");
		return;
	}
	for (int i = 0; i < named->count; i++) {
		c->addresses[i] = named->addresses[i];
		net_set_port(&c->addresses[i], c->target.port);
		if (outbound_may(&o->rules, c->target.host, &c->addresses[i],
				 &d)) {
			outbound_finish(c, OUTBOUND_REFUSED, d.message);
			return;
		}
	}
	c->address_count = named->count;
	outbound_start_soon(c);
}

/* One name; whoever waits for it when it is known has it. */
static void look_up(struct outbound *o, struct outbound_host *h)
{
	outbound_lookup_h *lookup = o->lookup ? o->lookup : resolve;
	struct named named;
	struct link *l;

	outbound_unlock(o);
	/* the host stays while its name is looked up */
	named.count = lookup(h->name, named.addresses, OUTBOUND_ADDRESSES_MAX,
			     o->lookup_ctx);
	outbound_lock(o);
	while ((l = ll_first(&h->naming)))
		hand_over(ll_entry(l, struct outbound_call, link), &named);
	outbound_looked_up(o, h);
	outbound_wake(o);
}

void *outbound_namer(void *ctx)
{
	struct outbound *o = ctx;

	outbound_lock(o);
	while (!o->stopping) {
		struct link *l = ll_first(&o->lookups);

		if (!l) {
			(void)pthread_cond_wait(&o->names, &o->lock);
			continue;
		}
		ll_remove(l);
		look_up(o, ll_entry(l, struct outbound_host, lookup));
	}
	outbound_unlock(o);
	outbound_unref(o);
	return NULL;
}

/* --- what libcurl calls --------------------------------------------------------------------- */

static size_t took_body(char *p, size_t size, size_t n, void *ctx)
{
	struct outbound_call *c = ctx;

	n *= size;
	if (n > c->answer_max - c->answer.n) {
		c->too_large = true;
		return 0;
	}
	buf_add(&c->answer, p, n);
	return n;
}

static size_t took_head(const char *p, size_t size, size_t n, void *ctx)
{
	struct outbound_call *c = ctx;

	n *= size;
	c->head += n;
	if (span_starts(span_make(p, n), "HTTP/"))
		c->head_ends = false; /* another, behind one of 1xx */
	else if (n <= 2 && (p[0] == '\r' || p[0] == '\n'))
		c->head_ends = true; /* what follows the body is none of it */
	return c->head <= OUTBOUND_HEAD_MAX ? n : 0;
}

/* The last look before it connects. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
				 struct curl_sockaddr *to)
{
	struct outbound_call *c = ctx;
	struct sockaddr_storage a = {0};

	if (purpose == CURLSOCKTYPE_IPCXN && to->addrlen <= sizeof(a))
		memcpy(&a, &to->addr, to->addrlen);
	if (!net_equal(&a, &c->addresses[c->at])) {
		c->strayed = true;
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* --- a request as libcurl wants it ------------------------------------------------------------ */

/* Whatever the URL says: connect there. */
static void pin(struct outbound_call *c)
{
	char address[NET_TEXT_BYTES], text[NET_TEXT_BYTES + 2];

	curl_slist_free_all(c->pin);
	net_text(&c->addresses[c->at], address);
	(void)snprintf(text, sizeof(text), "::%s", address);
	c->pin = curl_slist_append(NULL, text);
	(void)curl_easy_setopt(c->easy, CURLOPT_CONNECT_TO, c->pin);
}

static void set_limits(struct outbound_call *c)
{
	int64_t left = c->due_ms - clock_mono_ms(clock_real());
	CURL *e = c->easy;

	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS,
			       (long)(left > 0 ? left : 1));
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
			       (long)OUTBOUND_CONNECT_MS);
	(void)curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE,
			       (curl_off_t)c->answer_max);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
			       (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(e, CURLOPT_SSLVERSION,
			       (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	if (c->o->ca_file)
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, c->o->ca_file);
}

static void set_handlers(struct outbound_call *c)
{
	CURL *e = c->easy;

	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, c);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->curl_says);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, took_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, took_head);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, c);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, c);
}

static bool is_method(const struct outbound_call *c, const char *method)
{
	return strcmp(c->method, method) == 0;
}

static void set_request(struct outbound_call *c)
{
	CURL *e = c->easy;
	bool head = is_method(c, "HEAD"); /* has none, either way */
	bool body = !head && (c->body_n > 0 || is_method(c, "POST") ||
			      is_method(c, "PUT") || is_method(c, "PATCH"));

	(void)curl_easy_setopt(e, CURLOPT_CURLU, c->target.url);
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT,
			       "voiceotp/" VOICEOTP_VERSION);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, c->headers);
	if (body) {
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
				       (curl_off_t)c->body_n);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS,
				       c->body ? c->body : "");
	}
	if (head)
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	else
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, c->method);
}

/* --- the turn ------------------------------------------------------------------------------------ */

static void end(struct outbound_call *c, enum outbound_fault fault,
		const char *why);

static void start(struct outbound_call *c)
{
	c->easy = curl_easy_init();
	if (!c->easy) {
		end(c, OUTBOUND_BROKEN, "no memory for HTTP");
		return;
	}
	set_limits(c);
	set_handlers(c);
	set_request(c);
	pin(c);
	if (curl_multi_add_handle(c->o->multi, c->easy) != CURLM_OK)
		end(c, OUTBOUND_BROKEN, "no memory for HTTP");
}

static void drop_easy(struct outbound_call *c)
{
	if (!c->easy)
		return;
	(void)curl_multi_remove_handle(c->o->multi, c->easy);
	curl_easy_cleanup(KEEP(c->easy));
}

/* Unless its asker gave it up meanwhile: then it ends with those. */
static void end(struct outbound_call *c, enum outbound_fault fault,
		const char *why)
{
	struct outbound *o = c->o;

	drop_easy(c);
	outbound_lock(o);
	if (c->state == OUTBOUND_RUNNING)
		outbound_finish(c, fault, why);
	outbound_unlock(o);
}

static enum outbound_fault fault_of(const struct outbound_call *c, CURLcode res)
{
	if (c->strayed)
		return OUTBOUND_REFUSED;
	if (c->too_large || res == CURLE_FILESIZE_EXCEEDED)
		return OUTBOUND_TOO_LARGE;
	switch ((int)res) {
	case CURLE_OK: /* also of a head that breaks off */
		return c->head_ends ? OUTBOUND_ANSWERED : OUTBOUND_BROKEN;
	case CURLE_COULDNT_CONNECT:
		return OUTBOUND_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return OUTBOUND_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return OUTBOUND_BAD_TLS;
	default:
		return OUTBOUND_BROKEN;
	}
}

/* Nothing was sent yet, and there is one more address: go on with that. */
static bool try_next(struct outbound_call *c, CURLcode res)
{
	curl_off_t connected = 0;

	if (c->strayed || c->at + 1 >= c->address_count ||
	    clock_mono_ms(clock_real()) >= c->due_ms)
		return false;
	if (res == CURLE_OPERATION_TIMEDOUT)
		(void)curl_easy_getinfo(c->easy, CURLINFO_CONNECT_TIME_T,
					&connected);
	else if (res != CURLE_COULDNT_CONNECT)
		return false;
	if (connected > 0)
		return false;
	(void)curl_multi_remove_handle(c->o->multi, c->easy);
	c->at++;
	set_limits(c);
	pin(c);
	return curl_multi_add_handle(c->o->multi, c->easy) == CURLM_OK;
}

static void completed(struct outbound_call *c, CURLcode res)
{
	enum outbound_fault fault;
	const char *type = NULL;
	long status = 0;

	if (try_next(c, res))
		return;
	fault = fault_of(c, res);
	if (fault == OUTBOUND_ANSWERED) {
		(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE,
					&status);
		(void)curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
		c->status = (unsigned)status;
		(void)snprintf(c->type, sizeof(c->type), "%s",
			       type ? type : "");
		end(c, fault, NULL);
		return;
	}
	buf_reset(&c->answer);
	if (c->strayed)
		end(c, fault, "the connection went to another address");
	else if (res == CURLE_OK)
		end(c, fault, "the connection ended within the headers");
	else if (fault == OUTBOUND_TOO_LARGE)
		end(c, fault, "the answer is too large");
	else
		end(c, fault,
		    *c->curl_says ? c->curl_says : curl_easy_strerror(res));
}

static struct outbound_call *next_of(struct link *list)
{
	struct link *l = ll_first(list);

	return l ? ll_entry(l, struct outbound_call, link) : NULL;
}

static void start_some(struct outbound *o)
{
	struct outbound_call *c;

	do {
		outbound_lock(o);
		outbound_begin_some(o);
		c = next_of(&o->starting);
		if (c) {
			outbound_enter(c, OUTBOUND_RUNNING);
			timer_stop(o->timers, &c->deadline);
			ll_remove(&c->link);
			ll_append(&o->runs, &c->link);
		}
		outbound_unlock(o);
		if (c)
			start(c);
	} while (c);
}

/* What nobody wants any more. */
static void drop_some(struct outbound *o)
{
	struct outbound_call *c;

	do {
		outbound_lock(o);
		c = next_of(&o->given_up);
		if (c)
			outbound_leave(c);
		outbound_unlock(o);
		if (c) {
			drop_easy(c);
			outbound_call_free(c);
		}
	} while (c);
}

/* It ends: what is under way ends with it. */
static void close_all(struct outbound *o)
{
	struct link *l;

	outbound_lock(o);
	while ((l = ll_first(&o->all))) {
		struct outbound_call *c =
			ll_entry(l, struct outbound_call, all);

		ll_remove(l);
		if (c->state == OUTBOUND_GIVEN_UP)
			continue; /* with the others of its list */
		drop_easy(c);
		outbound_finish(c, OUTBOUND_CLOSED, NULL);
	}
	outbound_unlock(o);
}

static void tell_some(struct outbound *o)
{
	struct outbound_call *c;

	do {
		outbound_lock(o);
		c = next_of(&o->ended);
		if (c)
			ll_remove(&c->link);
		outbound_unlock(o);
		if (c)
			outbound_tell(c);
	} while (c);
}

static void perform(struct outbound *o)
{
	int n = 0;
	CURLMsg *m;

	(void)curl_multi_perform(o->multi, &n);
	while ((m = curl_multi_info_read(o->multi, &n))) {
		struct outbound_call *c = NULL;
		CURLcode res = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &c);
		completed(c, res);
	}
}

/* How long nothing is due; 0: somebody can begin. */
static int rest_ms(struct outbound *o)
{
	int64_t ms;

	outbound_lock(o);
	(void)timers_turn(o->timers);
	ms = timers_wait_ms(o->timers);
	if (!ll_empty(&o->starting) || !ll_empty(&o->ended) || o->stopping ||
	    (!ll_empty(&o->ready) && o->places < OUTBOUND_RUNNING_MAX))
		ms = 0;
	outbound_unlock(o);
	return ms < 0 || ms > TURN_MAX_MS ? TURN_MAX_MS : (int)ms;
}

static bool stops(struct outbound *o)
{
	bool stopping;

	outbound_lock(o);
	stopping = o->stopping;
	outbound_unlock(o);
	return stopping;
}

void *outbound_run(void *ctx)
{
	struct outbound *o = ctx;

	while (!stops(o)) {
		drop_some(o);
		start_some(o);
		perform(o);
		tell_some(o);
		(void)curl_multi_poll(o->multi, NULL, 0, rest_ms(o), NULL);
	}
	close_all(o);
	drop_some(o);
	tell_some(o);
	return NULL;
}
