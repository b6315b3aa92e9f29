// SPDX-License-Identifier: Apache-2.0
/*
 * pump_priv.h - the parts of the pump.
 *
 *   pump.c        the door: the line's side of a stream
 *   pump_ring.c   what line and pump hand each other, without a lock
 *   pump_ports.c  sockets, and which one a stream gets
 *   pump_tick.c   the thread: its schedule, orders, the slow things
 *   pump_send.c   a phase's packets
 *   pump_key.c    keys that we press: events in place of sound
 *   pump_table.c  whose packet is it: port and source address
 *   pump_heard.c  what arrives: the source lock, keys, tones
 *   pump_rtcp.c   reports, ours and theirs
 *
 * A stream is made and freed by the line.  In between it changes sides only by
 * an order (line to pump), a note, or an order that comes back (pump to line).
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/net.h"
#include "base/span.h"
#include "media/clip.h"
#include "media/keys.h"
#include "media/pump.h"
#include "media/rtcp.h"
#include "media/rtp.h"

enum {
	PUMP_PHASE_US = PUMP_TICK_MS * 1000 / PUMP_PHASES,
	PUMP_PORTS_FIRST = 16, /* opened at once */
	PUMP_PORTS_MAX = 128,  /* more are opened while calls have no source */
	PUMP_SOCKET_BYTES = 4 << 20,
	/* After a stream whose source was never known, its far end may still
	 * send: so long nobody's source is learnt on that port. */
	PUMP_PORT_REST_MS = 4000,
	PUMP_NOTES = 64,         /* a stream's, a power of two */
	PUMP_NOTES_RESERVED = 8, /* not for keys */
	PUMP_FRAMES_MAX = 3,     /* of 20 ms in a packet */
	PUMP_PACKET_BYTES =
		RTP_HEADER_BYTES + PUMP_FRAMES_MAX * CLIP_FRAME_BYTES,
	PUMP_HEAR_BATCH = 64,
	PUMP_HEAR_BYTES = 1536,
	PUMP_HEAR_US = 1000, /* reading before a phase is sent, at most */
	PUMP_CHECKS = 10,    /* ticks in which each stream is looked after */
	PUMP_GONE = 4096,    /* sources of ended streams */
	PUMP_GONE_MS = 32 * 1000, /* ... are remembered so long */
};

/* An address of either family; IPv4 as RFC 4291 maps it. */
struct pump_addr {
	uint8_t ip[16];
	uint16_t port;
};

/* --- what is handed over ----------------------------------------------------- */

/* A connect, in the pump's own terms. */
struct pump_way {
	struct pump_addr rtp, rtcp;
	struct net_list *networks; /* a copy, the order's; or NULL */
	enum g711_codec codec;
	uint8_t audio_pt, event_pt, frames;
	unsigned keys;
	bool send, receive, mux;
};

/* From the line; each comes back to it, and is freed there. */
struct pump_order {
	struct pump_order *next;
	struct pump_stream *s;
	enum { PUMP_CONNECT, PUMP_PLAY, PUMP_STOP, PUMP_CLOSE } kind;
	struct playlist *list; /* PUMP_PLAY */
	uint32_t id, serial;
	struct pump_way way; /* PUMP_CONNECT */
};

/* To the line. */
struct pump_note {
	uint8_t kind; /* enum pump_event_kind */
	char key;
	uint32_t id;        /* PLAYED, KEY: play_id */
	uint32_t serial;    /* PLAYED: of its order */
	uint32_t played_ms; /* KEY */
};
struct pump_notes {
	_Atomic uint32_t written, read;
	struct pump_note at[PUMP_NOTES];
};
bool pump_notes_put(struct pump_notes *n, const struct pump_note *note);
bool pump_notes_take(struct pump_notes *n, struct pump_note *out);

typedef _Atomic(struct pump_order *) pump_orders;
void pump_orders_put(pump_orders *to, struct pump_order *o);
struct pump_order *pump_orders_take(pump_orders *from); /* oldest first */

/* --- ports -------------------------------------------------------------------- */

struct pump_port {
	unsigned number;
	int rtp, rtcp; /* sockets */
	/* Streams whose far end's true source is not known yet: as long as
	 * there are two, no unknown source can be anybody's. */
	atomic_uint unplaced;
	_Atomic int64_t rests_until_ms; /* nor is it before this */
	/* the line's */
	unsigned streams;
	/* the pump's */
	unsigned connected;
	uint16_t connected_xor; /* of their indices: the only one, if it is */
	struct pump_stream *seeker; /* may still lock an unknown source */
};

struct pump_ports {
	sa_family_t family;
	bool any_family; /* IPv6 sockets that carry IPv4 as well */
	struct sockaddr_storage listen;
	unsigned next, end; /* numbers not tried yet */
	int epoll;
	unsigned turn;
	atomic_uint count;
	struct pump_port at[PUMP_PORTS_MAX];
};
MUST_CHECK int pump_ports_open(struct pump_ports *ports,
			       const struct pump_params *params,
			       struct diag *d);
void pump_ports_close(struct pump_ports *ports);
/* The port for a new stream. */
unsigned pump_ports_pick(struct pump_ports *ports, int64_t now_ms);
/* False: cannot be reached from here. */
bool pump_addr_from(const struct pump_ports *ports,
		    const struct sockaddr_storage *a, struct pump_addr *out);
socklen_t pump_addr_to(const struct pump_ports *ports,
		       const struct pump_addr *a, struct sockaddr_storage *out);
void pump_addr_heard(const struct sockaddr_storage *from,
		     struct pump_addr *out);
bool pump_addr_equal(const struct pump_addr *a, const struct pump_addr *b);
bool pump_addr_same_host(const struct pump_addr *a, const struct pump_addr *b);

/* --- whose packet is it --------------------------------------------------------- */

enum pump_door { PUMP_RTP, PUMP_RTCP };

/* Streams by port and source.  Several may stand under one. */
struct pump_table {
	uint64_t seed;
	uint32_t mask;
	struct pump_entry {
		uint32_t hash;
		struct pump_stream *s; /* NULL: free */
		struct pump_addr from;
		uint16_t port;
		uint8_t door;
	} * at;
};
struct pump_key {
	const struct pump_addr *from;
	uint16_t port;
	enum pump_door door;
};
void pump_table_make(struct pump_table *t, unsigned streams, uint64_t seed);
void pump_table_end(struct pump_table *t);
uint32_t pump_table_hash(const struct pump_table *t, const struct pump_key *k);
void pump_table_put(struct pump_table *t, const struct pump_key *k,
		    struct pump_stream *s);
void pump_table_drop(struct pump_table *t, const struct pump_key *k,
		     const struct pump_stream *s);
/* The next stream under k; *at begins as UINT32_MAX. */
struct pump_stream *pump_table_next(const struct pump_table *t,
				    const struct pump_key *k, uint32_t *at);

/* --- a stream --------------------------------------------------------------------- */

/* What a tick touches of a stream, and nothing else: one cache line. */
struct pump_hot {
	const struct playlist *list; /* NULL: silence */
	uint32_t item, frame;        /* where in it */
	uint32_t ssrc, ts;
	uint32_t played; /* frames of the last playlist */
	uint32_t sent;   /* packets */
	uint32_t late_us;
	uint16_t seq;
	uint16_t port; /* where to, and: */
	uint8_t ip[16];
	uint8_t pt;
	uint8_t codec;
	uint8_t frames; /* in a packet */
	uint8_t wait;   /* ticks until the next one */
	uint8_t flags;
};
enum {
	PUMP_SENDS = 1,
	PUMP_MARKS = 2,
	PUMP_HAS_BEGUN = 4,
	PUMP_KEYS = 8, /* its list may have keys, and they go as events */
};
_Static_assert(sizeof(struct pump_hot) == 64, "one cache line");

/* A source that may become the one. */
struct pump_seek {
	struct pump_addr from;
	uint32_t ssrc;
	uint16_t seq;
	unsigned count; /* packets in a row */
};

/* A key of ours on the wire (RFC 4733 2.5.1). */
struct pump_press {
	bool held;
	uint8_t event, ends; /* ends: packets that say so, to be sent yet */
	uint16_t duration;
	uint32_t ts;
};

struct pump_stream {
	/* the line's */
	struct pump *p;
	pump_event_h *event;
	void *ctx;
	struct link link;
	bool connected, closing;
	uint32_t serial;         /* of the playlist that plays, or 0 */
	struct pump_order close; /* there is always room for the end */

	/* handed over */
	struct pump_notes notes;
	atomic_bool told; /* it stands in pump.told */
	struct pump_stream *told_next;

	/* fixed */
	uint16_t index, port;
	char cname[RTCP_CNAME_BYTES];
	struct keys_tones *tones; /* made before the pump is told to use it */

	/* the pump's; the line's again once it was closed */
	struct pump_stats stats;
	bool placed; /* `source` is known; the port counts those who are not */

	/* the pump's */
	bool ticking, heard, lost_told, shared, locked, tones_off;
	uint8_t phase;
	struct pump_way way;
	struct pump_order *connect; /* until its networks are of no use */
	struct pump_order *playing;
	uint32_t play_id;
	struct pump_press press;
	struct pump_addr source;
	uint32_t source_ssrc;
	struct pump_seek seek[2]; /* what SDP says or is known; another */
	struct rtp_source from;
	struct keys keys;
	uint64_t received_before; /* of sources that were before this one */
	int64_t lost_before;
	int64_t connected_ms, heard_ms, rtcp_ms;
	uint64_t bytes_before; /* sent with the packet length that was before */
	uint32_t sent_before;
	uint32_t sr_middle;  /* of the last SR heard, 0: none */
	int64_t sr_heard_us; /* on the steady clock */
};

/* --- the pump ---------------------------------------------------------------------- */

struct pump_member {
	uint16_t port, index;
};
struct pump_phase {
	struct pump_member *members; /* by port: one call for each */
	unsigned count;
	unsigned turn; /* of PUMP_CHECKS */
};

struct pump_batch; /* pump_send.c */
struct pump_ear;   /* pump_heard.c */

struct pump {
	/* fixed */
	struct loop *loop;
	struct rng *rng;
	unsigned streams_max, priority;
	int64_t lost_ms, rtcp_ms; /* PUMP_LOST_MS, PUMP_RTCP_MS; tests hurry */
	struct pump_ports ports;
	struct pump_hot *hot;         /* by index */
	struct pump_stream **streams; /* by index; the pump's while it ticks */
	pthread_t thread;
	int wake; /* eventfd */

	/* the line's */
	unsigned free_count;
	uint16_t *free;
	struct link all;
	struct post post;
	uint32_t serial;

	/* handed over */
	atomic_bool posted, idle, stop;
	pump_orders orders, back;
	_Atomic(struct pump_stream *) told;

	/* the pump's */
	struct pump_phase phases[PUMP_PHASES];
	unsigned phase, ticking;
	int64_t due_us; /* of `phase`; 0: as soon as anybody is there */
	struct pump_table table;
	struct pump_batch *batch;
	struct pump_ear *ear;
	struct pump_gone {
		uint32_t hash;
		int64_t until_ms;
	} * gone;
	uint64_t dice;            /* for jitter alone */
	bool tell;                /* the line has something to take */
	int64_t work_us, late_us; /* smoothed */
	int64_t second_ms, second_max_us;

	/* figures: written by one thread, read by any */
	_Atomic uint64_t packets_sent, packets_received, strange, late_5ms,
		skipped;
	atomic_uint count;
	_Atomic int64_t phase_us_max;
	atomic_bool full, realtime;
};

/* One writer: no need for a locked instruction. */
static inline void pump_count(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c,
			      atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

int64_t pump_now_us(void); /* CLOCK_MONOTONIC */
uint32_t pump_dice(struct pump *p);

/* False: there is no room; only keys and PLAYED need to ask. */
bool pump_tell(struct pump *p, struct pump_stream *s,
	       const struct pump_note *note);
void pump_give_back(struct pump *p, struct pump_order *o);

void *pump_run(void *pump);

/* pump_tick.c */
void pump_tick_begin(struct pump *p);
void pump_tick(struct pump *p);     /* one phase, when it is due */
void pump_tick_end(struct pump *p); /* the last orders: who ends says so */
/* Sound goes to the source, if it is known, or as SDP says. */
void pump_aim(struct pump *p, const struct pump_stream *s);

/* pump_send.c */
struct pump_batch *pump_batch_new(struct pump *p);
void pump_batch_free(struct pump_batch *b);
void pump_send_phase(struct pump *p, struct pump_phase *ph, int64_t due_us);
/* Let n ticks pass unsent. */
void pump_skip_phase(struct pump *p, struct pump_phase *ph, uint32_t n);
uint64_t pump_sent_bytes(const struct pump *p, const struct pump_stream *s);

const uint8_t *pump_sound(struct pump *p, uint16_t index); /* a frame */

/* pump_key.c */
/* Its list or its way is another. */
void pump_key_begin(struct pump *p, struct pump_stream *s);
void pump_key_release(struct pump_stream *s); /* what is held is let go */
/* Does a key begin here?  Then the sound in front of it ends. */
bool pump_key_here(const struct pump *p, uint16_t index);
/* False: sound is due.  Else *head has marker, type and time of the event's
 * packet, and the list goes on by a frame. */
bool pump_key_next(struct pump *p, uint16_t index, struct rtp_header *head,
		   uint8_t payload[KEYS_EVENT_BYTES]);

/* pump_heard.c */
struct pump_ear *pump_ear_new(void);
void pump_ear_free(struct pump_ear *e);
/* Read what came in, for at most budget_us. */
void pump_hear(struct pump *p, int64_t budget_us);
void pump_hear_begin(struct pump *p, struct pump_stream *s, bool same_place);
void pump_hear_end(struct pump *p, struct pump_stream *s);
void pump_hear_close(struct pump *p, struct pump_stream *s); /* after it */
/* The time to learn a source is over. */
void pump_hear_settle(struct pump *p, struct pump_stream *s);
void pump_strange(struct pump *p, struct pump_stream *s, uint64_t n);

/* pump_rtcp.c */
bool pump_rtcp_is(struct span packet); /* RFC 5761 4 */
void pump_rtcp_heard(struct pump *p, uint16_t port, enum pump_door door,
		     const struct pump_addr *from, struct span packet,
		     int64_t at_us);
void pump_rtcp_plan(struct pump *p, struct pump_stream *s, int64_t now_ms);
void pump_rtcp_send(struct pump *p, struct pump_stream *s, bool bye);
