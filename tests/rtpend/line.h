// SPDX-License-Identifier: Apache-2.0
/*
 * line.h - the far end's side of one call's media: RTP and RTCP, no signalling.
 *
 * Nothing of the program's own RTP is used here: it would not find its own
 * mistakes.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "rtpend/ear.h"
#include "rtpend/wire.h"

enum {
	LINE_NAME_BYTES = 48,
	LINE_KEYS_MAX = 63,
	LINE_TICK_MS = 20,
	LINE_PHASES = 4,
	LINE_SEEN = 1 << 16, /* sequence numbers */
};

struct line_conf {
	bool pcma;        /* what it speaks */
	bool sends;       /* silence, until told otherwise */
	bool tones;       /* keys in the sound, not as events */
	bool follows;     /* whoever spoke last: one call after the other */
	unsigned late_ms; /* begins so long after the first packet */
	unsigned rtcp_ms; /* between reports; 0: none */
	unsigned key_ms, gap_ms;
	struct wire in, out;
	char record[256]; /* file; "": none */
};

struct line_heard { /* of the server's packets */
	uint64_t packets, doubles, overtaken, odd, strange;
	uint64_t sender_reports, cnames, byes;
	uint64_t bad_times; /* a timestamp that does not fit its number */
	unsigned markers, sources;
	uint32_t ssrc, first_seq, top_seq, first_ts;
	uint64_t pts[2]; /* a bit for each payload type */
	int64_t first_us, last_us, late_us, early_us;
	uint8_t seen[LINE_SEEN / 8];
};

struct line {
	char name[LINE_NAME_BYTES];
	struct line_conf conf;
	int rtp, rtcp;
	unsigned port;
	bool has_far;
	struct sockaddr_in far;
	int64_t begins_us, reports_us;
	struct ear ear;
	struct line_heard heard;
	struct wire in, out;
	uint16_t seq;
	uint32_t ts, ssrc;
	uint64_t sent;
	bool begun; /* to send */
	char keys[LINE_KEYS_MAX + 1];
	unsigned key_ticks; /* of the first of them */
	uint32_t key_ts;
	FILE *record;
	int64_t record_us;
};

/* Its ports are the first two free ones from `from` on; -EADDRINUSE. */
MUST_CHECK int line_open(struct line *l, unsigned from, uint64_t chance);
void line_close(struct line *l);

/* Something lies in its sockets. */
void line_read(struct line *l);
/* Every 20 ms. */
void line_tick(struct line *l, int64_t now_us);

/* Where to, where nothing has come from yet. */
void line_set_far(struct line *l, const struct sockaddr_in *far);
MUST_CHECK int line_press(struct line *l, const char *keys); /* -E2BIG */
void line_bye(struct line *l);                               /* RTCP */

int64_t line_now_us(void); /* CLOCK_MONOTONIC */
