// SPDX-License-Identifier: Apache-2.0
/*
 * pump.h - sound on the wire: one thread that sends what is due for all calls
 * and reads what comes in.
 *
 * A tick of 20 ms has four phases of 5 ms; a stream belongs to one of them.
 * Streams share a few sockets (ports), are sent in batches, and are told apart
 * by port and source address.  One thread, the line's, owns the streams and
 * calls what stands here; the pump's own thread never waits for it, never frees
 * a playlist, and reports through the loop: events come from there, never from
 * inside a call of ours, and none is ever dropped.
 *
 * Sound goes only where pump_stream_connect() said, or to a source that was
 * locked (C6).  RFC 3550, 3551, 4733; symmetric RTP: RFC 4961.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/diag.h"
#include "base/loop.h"
#include "base/net.h"
#include "base/random.h"
#include "media/playlist.h"

struct pump;
struct pump_stream;

enum {
	PUMP_TICK_MS = 20,
	PUMP_PHASES = 4,
	PUMP_BATCH = 256,       /* datagrams in one system call */
	PUMP_LATE_MS = 60,      /* later than this: skipped, not sent at once */
	PUMP_LATCH_MS = 1000,   /* C6: a source is locked in the first second */
	PUMP_LATCH_PACKETS = 3, /* ... after so many in a row */
	PUMP_LOST_MS = 20 * 1000, /* neither RTP nor RTCP: the media is lost */
	PUMP_RTCP_MS = 5000,      /* between our reports, jittered (6.2) */
	PUMP_STREAMS_MAX = 16384,
};

struct pump_params {
	const char *listen;          /* an address, without port */
	unsigned port_min, port_max; /* RTP on even ports, RTCP one above */
	unsigned streams_max;        /* calls at once; at most STREAMS_MAX */
	unsigned priority;           /* SCHED_FIFO; 0, or not allowed: none */
	struct loop *loop;           /* where events go; borrowed */
	struct rng *rng;
};
/* -EADDRINUSE and others: d names the port. */
MUST_CHECK int pump_new(const struct pump_params *p, struct pump **out,
			struct diag *d);
void pump_free(struct pump *p); /* its streams were closed; NULL is fine */

enum pump_keys {
	PUMP_KEYS_NONE = 0,
	PUMP_KEYS_EVENTS = 1, /* RFC 4733 */
	PUMP_KEYS_TONES = 2,  /* in the sound */
};

struct pump_stats {
	uint64_t sent, received,
		skipped;  /* RTP packets; not sent for lateness */
	uint64_t strange; /* packets from elsewhere: not heard */
	int64_t lost;     /* of what the far end sent */
	unsigned jitter_us;
	/* what the far end says of ours, by its RTCP; false: it said nothing */
	bool reported;
	int64_t far_lost;
	unsigned far_jitter_us, rtt_us; /* rtt 0: unknown */
	int64_t late_us_max; /* of what we sent, beside its schedule */
};

enum pump_event_kind {
	PUMP_BEGAN,  /* the first packet has left */
	PUMP_HEARD,  /* the first packet was accepted */
	PUMP_PLAYED, /* play_id came to its end */
	PUMP_KEY,
	PUMP_LOST,   /* nothing came for PUMP_LOST_MS, or an RTCP BYE did */
	PUMP_CLOSED, /* the last: the stream is gone after it; stats */
};
struct pump_event {
	enum pump_event_kind kind;
	char key;
	uint32_t play_id;   /* PLAYED; KEY: what was playing, or was last */
	unsigned played_ms; /* KEY: how much of it had been sent */
	const struct pump_stats *stats; /* CLOSED */
};
typedef void pump_event_h(const struct pump_event *ev, void *ctx);

/*
 * A place, and a port of ours to be named in an offer.  -EBUSY: no room, or the
 * pump runs late (it refuses before calls suffer).  Everything that the stream
 * can ever have to report has its space from here on.
 */
MUST_CHECK int pump_stream_new(struct pump *p, pump_event_h *event, void *ctx,
			       struct pump_stream **out);
unsigned pump_stream_port(const struct pump_stream *s);

/* Where to and how: after an answer, and again after each new one. */
struct pump_far {
	struct sockaddr_storage rtp, rtcp; /* as its SDP says */
	const struct net_list *networks;   /* other sources that may be locked;
					  * NULL: none.  Copied. */
	enum g711_codec codec;
	uint8_t audio_pt, event_pt;
	unsigned keys;      /* of enum pump_keys */
	unsigned ptime_ms;  /* 20, 40 or 60 */
	bool send, receive; /* false: it holds us */
};
/* The first time, silence begins with the next phase. */
MUST_CHECK int pump_stream_connect(struct pump_stream *s,
				   const struct pump_far *far);
/* As tel_call_play().  -ENOTCONN: not connected. */
MUST_CHECK int pump_stream_play(struct pump_stream *s, struct playlist *p,
				uint32_t id);
void pump_stream_stop(struct pump_stream *s); /* silence */
/* RTCP BYE, and an end: PUMP_CLOSED follows, once.  No other event does. */
void pump_stream_close(struct pump_stream *s);

/* Any thread. */
struct pump_figures {
	uint64_t packets_sent, packets_received, strange, late_5ms, skipped;
	unsigned streams, ports;
	int64_t phase_us_max; /* the longest work of one phase, lately */
	bool full;            /* new streams are refused */
	bool realtime;        /* the priority was allowed */
};
void pump_figures(const struct pump *p, struct pump_figures *out);

CLEANUP(pump, pump_free)
