// SPDX-License-Identifier: Apache-2.0
/*
 * pump_heard.c - what arrives: the source lock, keys, tones.
 *
 * A far end is heard from the address that its SDP named.  Where its trunk says
 * so, a source inside the trunk's networks may take that place within the
 * first second, if it is the only stream of its port whose source is not
 * known: then nobody else's packets can be meant.  Whatever does not fit is
 * counted, and nothing else happens.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/mem.h"
#include "media/pump_priv.h"

enum {
	READY_MAX = 64,
	CONTROL_BYTES = 64,
	SEQ_AHEAD = 100,         /* in a row, though some are lost ... */
	SEQ_BEHIND = 16,         /* ... or late */
	AGE_MAX_US = 200 * 1000, /* of a datagram, by its time stamp */
	SECOND_US = 1000 * 1000,
};

struct pump_ear {
	struct epoll_event ready[READY_MAX];
	struct mmsghdr msg[PUMP_HEAR_BATCH];
	struct iovec iov[PUMP_HEAR_BATCH];
	struct sockaddr_storage from[PUMP_HEAR_BATCH];
	uint64_t control[PUMP_HEAR_BATCH][CONTROL_BYTES / sizeof(uint64_t)];
	uint8_t bytes[PUMP_HEAR_BATCH][PUMP_HEAR_BYTES];
};

struct pump_ear *pump_ear_new(void)
{
	struct pump_ear *e = b_zero(1, sizeof(*e));

	for (unsigned i = 0; i < PUMP_HEAR_BATCH; i++)
		e->iov[i] = (struct iovec){e->bytes[i], PUMP_HEAR_BYTES};
	return e;
}

void pump_ear_free(struct pump_ear *e)
{
	free(e);
}

void pump_strange(struct pump *p, struct pump_stream *s, uint64_t n)
{
	pump_count(&p->strange, n);
	if (s)
		s->stats.strange += n;
}

/* --- the source -------------------------------------------------------------------- */

static struct pump_key key_of(const struct pump_stream *s,
			      const struct pump_addr *a, enum pump_door door)
{
	return (struct pump_key){.from = a, .port = s->port, .door = door};
}

static void listen_to(struct pump *p, struct pump_stream *s,
		      const struct pump_addr *a, enum pump_door door)
{
	struct pump_key k = key_of(s, a, door);

	if (a->port != 0)
		pump_table_put(&p->table, &k, s);
}

static void ignore(struct pump *p, struct pump_stream *s,
		   const struct pump_addr *a, enum pump_door door)
{
	struct pump_key k = key_of(s, a, door);

	if (a->port != 0)
		pump_table_drop(&p->table, &k, s);
}

static bool elsewhere(const struct pump_stream *s)
{
	return s->placed && !pump_addr_equal(&s->source, &s->way.rtp);
}

static struct pump_gone *gone(struct pump *p, const struct pump_key *k,
			      uint32_t ssrc, uint32_t *hash)
{
	*hash = pump_table_hash(&p->table, k) ^ ssrc;
	return &p->gone[*hash % PUMP_GONE];
}

/* The words of one that has ended must not become another's. */
static void remember(struct pump *p, const struct pump_stream *s)
{
	struct pump_key k = key_of(s, &s->source, PUMP_RTP);
	uint32_t hash;
	struct pump_gone *g = gone(p, &k, s->source_ssrc, &hash);

	g->hash = hash;
	g->until_ms = pump_now_us() / 1000 + PUMP_GONE_MS;
}

static bool has_gone(struct pump *p, const struct pump_key *k, uint32_t ssrc)
{
	uint32_t hash;
	const struct pump_gone *g = gone(p, k, ssrc, &hash);

	return g->hash == hash && g->until_ms > pump_now_us() / 1000;
}

static void set_placed(struct pump *p, struct pump_stream *s, bool placed)
{
	atomic_uint *unplaced = &p->ports.at[s->port].unplaced;

	if (placed != s->placed) {
		if (placed)
			atomic_fetch_sub(unplaced, 1);
		else
			atomic_fetch_add(unplaced, 1);
	}
	s->placed = placed;
}

void pump_hear_begin(struct pump *p, struct pump_stream *s, bool same_place)
{
	struct pump_port *port = &p->ports.at[s->port];

	port->connected++;
	port->connected_xor ^= s->index;
	s->connected_ms = s->heard_ms = pump_now_us() / 1000;
	if (!same_place)
		set_placed(p, s, false);
	s->locked = s->shared = false;
	memset(s->seek, 0, sizeof(s->seek));
	listen_to(p, s, &s->way.rtp, PUMP_RTP);
	listen_to(p, s, &s->way.rtcp, PUMP_RTCP);
	if (elsewhere(s))
		listen_to(p, s, &s->source, PUMP_RTP);
	if (!s->way.networks || s->placed)
		pump_hear_settle(p, s);
	else if (port->seeker)
		port->seeker->shared = s->shared = true;
	else
		port->seeker = s;
}

void pump_hear_settle(struct pump *p, struct pump_stream *s)
{
	struct pump_port *port = &p->ports.at[s->port];

	if (port->seeker == s)
		port->seeker = NULL;
	if (s->connect)
		pump_give_back(p, s->connect);
	s->connect = NULL;
	s->way.networks = NULL;
}

void pump_hear_end(struct pump *p, struct pump_stream *s)
{
	struct pump_port *port = &p->ports.at[s->port];

	port->connected--;
	port->connected_xor ^= s->index;
	pump_hear_settle(p, s);
	ignore(p, s, &s->way.rtp, PUMP_RTP);
	ignore(p, s, &s->way.rtcp, PUMP_RTCP);
	if (elsewhere(s))
		ignore(p, s, &s->source, PUMP_RTP);
}

void pump_hear_close(struct pump *p, struct pump_stream *s)
{
	struct pump_port *port = &p->ports.at[s->port];

	if (s->placed) {
		remember(p, s);
	} else {
		atomic_store(&port->rests_until_ms,
			     pump_now_us() / 1000 + PUMP_PORT_REST_MS);
		atomic_fetch_sub(&port->unplaced, 1);
	}
	s->stats.lost = s->lost_before;
	if (s->from.begun)
		s->stats.lost += rtp_source_lost(&s->from);
	/* RFC 3550 6.4.1: kept 16 times, in units of the clock */
	s->stats.jitter_us = s->from.jitter / 16 * (SECOND_US / RTP_HZ);
}

/* Everything that one far end sends now has another SSRC, or is the first. */
static void lock(struct pump *p, struct pump_stream *s,
		 const struct pump_addr *from, uint32_t ssrc)
{
	if (s->from.begun && ssrc != s->source_ssrc) {
		s->lost_before += rtp_source_lost(&s->from);
		memset(&s->from, 0, sizeof(s->from));
		s->sr_middle = 0;
	}
	if (!s->placed) {
		s->source = *from;
		set_placed(p, s, true);
		if (elsewhere(s)) {
			listen_to(p, s, from, PUMP_RTP);
			pump_aim(p, s);
		}
	}
	s->source_ssrc = ssrc;
	s->locked = true;
	pump_hear_settle(p, s);
}

static bool in_a_row(const struct pump_seek *k, const struct pump_addr *from,
		     const struct rtp_header *h)
{
	int16_t ahead = (int16_t)(uint16_t)(h->seq - k->seq);

	return k->count > 0 && k->ssrc == h->ssrc &&
	       pump_addr_equal(&k->from, from) && ahead <= SEQ_AHEAD &&
	       ahead >= -SEQ_BEHIND;
}

/* One more of what may be the source.  True: it is. */
static bool convinced(struct pump *p, struct pump_stream *s,
		      struct pump_seek *k, const struct pump_addr *from,
		      const struct rtp_header *h)
{
	if (!in_a_row(k, from, h)) {
		pump_strange(p, s, k->count);
		*k = (struct pump_seek){.from = *from, .ssrc = h->ssrc};
	} else if (h->seq == k->seq) {
		return false; /* the same once more */
	}
	k->seq = h->seq;
	k->count++;
	/* after a new answer, who goes on as before need not prove it again */
	if (k->count < PUMP_LATCH_PACKETS &&
	    !(s->placed && s->from.begun && h->ssrc == s->source_ssrc))
		return false;
	lock(p, s, from, h->ssrc);
	s->stats.received += k->count - 1;
	pump_count(&p->packets_received, k->count - 1);
	k->count = 0;
	return true;
}

static bool has_type(const struct pump_stream *s, uint8_t pt)
{
	return pt == s->way.audio_pt || pt == RTP_PT_PCMU ||
	       pt == RTP_PT_PCMA ||
	       (s->way.keys & PUMP_KEYS_EVENTS &&
		(pt == s->way.event_pt || pt == RTP_PT_EVENT));
}

/* Who expects packets from there?  *odd: whom it is counted to if nobody. */
static struct pump_stream *expected(struct pump *p, const struct pump_key *k,
				    uint32_t ssrc, struct pump_stream **odd)
{
	struct pump_stream *open = NULL, *s;
	uint32_t at = UINT32_MAX;
	unsigned opens = 0;

	while ((s = pump_table_next(&p->table, k, &at))) {
		bool here = !s->placed || pump_addr_equal(&s->source, k->from);

		*odd = s;
		if (s->locked && here && s->source_ssrc == ssrc)
			return s;
		if (!s->locked && here) {
			open = s;
			opens++;
		}
	}
	/* two calls to one place, neither known by its SSRC yet: whose it is
	 * cannot be said */
	return opens == 1 ? open : NULL;
}

/* The only one of its port that may learn a source that nobody named. */
static struct pump_stream *seeking(struct pump *p, const struct pump_key *k,
				   const struct rtp_header *h)
{
	struct pump_port *port = &p->ports.at[k->port];
	int64_t now_ms = pump_now_us() / 1000;
	struct pump_stream *s = port->seeker;
	struct sockaddr_storage from;

	if (!s || s->shared || s->seek[0].count > 0 || !has_type(s, h->pt) ||
	    now_ms - s->connected_ms > PUMP_LATCH_MS ||
	    now_ms < atomic_load(&port->rests_until_ms))
		return NULL;
	if (atomic_load(&port->unplaced) != 1) {
		s->shared = true;
		return NULL;
	}
	(void)pump_addr_to(&p->ports, k->from, &from);
	if (!net_list_has(s->way.networks, &from) || has_gone(p, k, h->ssrc))
		return NULL;
	return s;
}

static struct pump_stream *only_one(struct pump *p, uint16_t port)
{
	const struct pump_port *at = &p->ports.at[port];

	return at->connected == 1 ? p->streams[at->connected_xor] : NULL;
}

/* Whose it is, or NULL: it is not heard. */
static struct pump_stream *owner(struct pump *p, const struct pump_key *k,
				 const struct rtp_header *h)
{
	struct pump_stream *odd = only_one(p, k->port);
	struct pump_stream *s = expected(p, k, h->ssrc, &odd);

	if (s && s->locked)
		return s;
	if (s && has_type(s, h->pt))
		return convinced(p, s, &s->seek[0], k->from, h) ? s : NULL;
	if (!s) {
		s = seeking(p, k, h);
		if (s)
			return convinced(p, s, &s->seek[1], k->from, h) ? s
									: NULL;
	}
	pump_strange(p, odd, 1);
	return NULL;
}

/* --- what it says ----------------------------------------------------------------- */

static void tell_key(struct pump *p, struct pump_stream *s, char key)
{
	struct pump_note n = {.kind = PUMP_KEY,
			      .key = key,
			      .id = s->play_id,
			      .played_ms =
				      p->hot[s->index].played * CLIP_FRAME_MS};

	(void)pump_tell(p, s, &n); /* a hand has not so many fingers */
}

static void take_event(struct pump *p, struct pump_stream *s,
		       const struct rtp_header *h, struct span payload,
		       int64_t at_us)
{
	char key = keys_take(&s->keys, h, payload, at_us / 1000);

	if (!key)
		return;
	s->tones_off = true; /* or each key would come twice */
	tell_key(p, s, key);
}

static void take_sound(struct pump *p, struct pump_stream *s, uint8_t pt,
		       struct span payload)
{
	enum g711_codec codec = s->way.codec;
	char keys[9] = "";

	if (!(s->way.keys & PUMP_KEYS_TONES) || s->tones_off)
		return;
	if (pt != s->way.audio_pt)
		codec = pt == RTP_PT_PCMU ? G711_PCMU : G711_PCMA;
	keys_tones_take(s->tones, codec, payload, keys);
	for (const char *k = keys; *k; k++)
		tell_key(p, s, *k);
}

static void take(struct pump *p, struct pump_stream *s,
		 const struct rtp_header *h, struct span payload, int64_t at_us)
{
	bool event = s->way.keys & PUMP_KEYS_EVENTS &&
		     (h->pt == s->way.event_pt || h->pt == RTP_PT_EVENT);
	struct pump_note first = {.kind = PUMP_HEARD};

	s->heard_ms = at_us / 1000;
	if (!s->heard)
		s->heard = pump_tell(p, s, &first);
	s->stats.received++;
	pump_count(&p->packets_received, 1);
	if (!rtp_source_take(&s->from, h,
			     (uint32_t)(at_us * RTP_HZ / SECOND_US)))
		return;
	if (!s->way.receive)
		return;
	if (event)
		take_event(p, s, h, payload, at_us);
	else if (has_type(s, h->pt))
		take_sound(p, s, h->pt, payload);
}

static void rtp_heard(struct pump *p, uint16_t port,
		      const struct pump_addr *from, struct span packet,
		      int64_t at_us)
{
	struct pump_key k = {.from = from, .port = port, .door = PUMP_RTP};
	struct pump_stream *s;
	struct rtp_header h;
	struct span payload;

	if (rtp_read(packet, &h, &payload)) {
		pump_strange(p, only_one(p, port), 1);
		return;
	}
	s = owner(p, &k, &h);
	if (s)
		take(p, s, &h, payload, at_us);
}

/* --- reading ------------------------------------------------------------------------ */

/* When it arrived, on the steady clock: what the kernel noted, as far as that
 * makes sense (the wall's clock may jump). */
static int64_t arrived_us(struct msghdr *m, int64_t now_us, int64_t wall_us)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		struct timespec t;
		int64_t age;

		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		age = wall_us -
		      ((int64_t)t.tv_sec * SECOND_US + t.tv_nsec / 1000);
		return age > 0 && age < AGE_MAX_US ? now_us - age : now_us;
	}
	return now_us;
}

static void read_one(struct pump *p, unsigned which, unsigned i, int64_t now_us,
		     int64_t wall_us)
{
	struct pump_ear *e = p->ear;
	struct msghdr *m = &e->msg[i].msg_hdr;
	struct span packet = span_make(e->bytes[i], e->msg[i].msg_len);
	uint16_t port = (uint16_t)(which >> 1);
	int64_t at_us = arrived_us(m, now_us, wall_us);
	struct pump_addr from;

	if (m->msg_flags & MSG_TRUNC) {
		pump_strange(p, NULL, 1);
		return;
	}
	pump_addr_heard(&e->from[i], &from);
	if ((which & 1) == PUMP_RTCP)
		pump_rtcp_heard(p, port, PUMP_RTCP, &from, packet, at_us);
	else if (pump_rtcp_is(packet))
		pump_rtcp_heard(p, port, PUMP_RTP, &from, packet, at_us);
	else
		rtp_heard(p, port, &from, packet, at_us);
}

/* True: there may be more. */
static bool read_some(struct pump *p, int fd, unsigned which)
{
	struct pump_ear *e = p->ear;
	struct timespec wall;
	int64_t now_us, wall_us;
	int n;

	for (unsigned i = 0; i < PUMP_HEAR_BATCH; i++)
		e->msg[i].msg_hdr = (struct msghdr){
			.msg_name = &e->from[i],
			.msg_namelen = sizeof(e->from[i]),
			.msg_iov = &e->iov[i],
			.msg_iovlen = 1,
			.msg_control = e->control[i],
			.msg_controllen = sizeof(e->control[i]),
		};
	n = recvmmsg(fd, e->msg, PUMP_HEAR_BATCH, MSG_DONTWAIT, NULL);
	if (n <= 0)
		return false;
	now_us = pump_now_us();
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	wall_us = (int64_t)wall.tv_sec * SECOND_US + wall.tv_nsec / 1000;
	for (int i = 0; i < n; i++)
		read_one(p, which, (unsigned)i, now_us, wall_us);
	return n == PUMP_HEAR_BATCH;
}

/* What does not fit in the budget waits in the sockets: epoll gives the ready
 * ones in turn. */
void pump_hear(struct pump *p, int64_t budget_us)
{
	struct pump_ear *e = p->ear;
	int64_t end_us = pump_now_us() + budget_us;
	int n = epoll_wait(p->ports.epoll, e->ready, READY_MAX, 0);

	for (int i = 0; i < n; i++) {
		uint64_t which = e->ready[i].data.u64;

		while (read_some(p, (int)(which >> 32), (uint32_t)which) &&
		       pump_now_us() < end_us)
			;
		if (pump_now_us() >= end_us)
			return;
	}
}
