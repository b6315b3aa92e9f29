// SPDX-License-Identifier: Apache-2.0
/*
 * sip_peer.h - the far end of a call, from a bare socket: it says what a test
 * tells it to, right or wrong, and keeps all that it hears.
 *
 * One thread, which turns it.  BYE and CANCEL are answered with 200 by itself
 * (and a cancelled INVITE with 487), unless a test wants silence.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct sip_peer;

struct sip_peer *sip_peer_new(void); /* on 127.0.0.1 */
/* It waits for a connection instead, and says all on that. */
void sip_peer_use_tcp(struct sip_peer *p);
/* ... and closes it, and waits for another. */
void sip_peer_drop(struct sip_peer *p);
void sip_peer_free(struct sip_peer *p);
unsigned sip_peer_port(const struct sip_peer *p);
unsigned sip_peer_rtp_port(const struct sip_peer *p);
/* Waits up to a millisecond; true if anything came. */
bool sip_peer_turn(struct sip_peer *p);
void sip_peer_be_silent(struct sip_peer *p, bool silent);

/* --- what it heard -------------------------------------------------------------- */

/* How many messages begin like that ("INVITE ", "SIP/2.0 200"). */
unsigned sip_peer_heard(const struct sip_peer *p, const char *start);
/* The newest of them; NULL: there is none. */
const char *sip_peer_last(const struct sip_peer *p, const char *start);

/* --- what it says ----------------------------------------------------------------- */

struct sip_peer_answer {
	int code;
	const char *reason, *tag; /* NULL: "x", and its usual tag */
	const char *headers;      /* with CRLFs, or NULL */
	const char *contact;      /* its line with CRLF; NULL: its usual one */
	const char *sdp;          /* or NULL */
};
/* To the newest INVITE. */
void sip_peer_answer(struct sip_peer *p, const struct sip_peer_answer *a);
/* The same to the newest message that begins with `start`. */
void sip_peer_answer_to(struct sip_peer *p, const char *start,
			const struct sip_peer_answer *a);
/* What was sent last, again. */
void sip_peer_repeat(struct sip_peer *p);
/* A request in the dialog of the newest INVITE. */
void sip_peer_ask(struct sip_peer *p, const char *method, const char *headers,
		  const char *type, const char *body);
/* ACK to the newest 200 that it got. */
void sip_peer_ack(struct sip_peer *p, const char *sdp);
/* An SDP that names its RTP port; `lines` go behind its media line. */
const char *sip_peer_sdp(struct sip_peer *p, const char *lines);

/* --- sound --------------------------------------------------------------------------- */

/* Where to: known from the INVITE.  A packet of 20 ms, or a key of 100 ms. */
void sip_peer_speak(struct sip_peer *p);
void sip_peer_press(struct sip_peer *p, char key);
void sip_peer_leave(struct sip_peer *p); /* an RTCP BYE, from its RTP port */
unsigned sip_peer_packets(const struct sip_peer *p);     /* RTP that came */
uint8_t sip_peer_payload_type(const struct sip_peer *p); /* of the newest */
/* Is the newest a whole frame of this byte? */
bool sip_peer_heard_sound(const struct sip_peer *p, uint8_t byte);

CLEANUP(sip_peer, sip_peer_free)
