// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz_sip.c - whatever a trunk may send to the SIP port, and what leaves.
 *
 * All of it is what runs: the gate, libre's decoder and transactions, our
 * listeners, the trace; only the socket's two calls stand here, so nothing
 * goes to an address that the input names.  An INVITE of ours is under way;
 * what only its callee can know is put into the input in place of a control
 * character: 1 our Via, 2 its branch, 3 the Call-ID, 4 our tag.
 */
#include "tel/sip_priv.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	INPUT_MAX = 2 * TSIP_DATAGRAM_MAX,
	TRUNK_PORT = 5080,
	LINGER_MS = 200 * 1000,
};

/* --- the call, in place of sip_call.c ------------------------------------------ */

struct tsip_call {
	struct tsip_trace *trace;
};
static struct tsip_call call;

struct tsip_call *tsip_call_find(struct tel_sip *s, struct span call_id)
{
	(void)s;
	return call_id.n > 0 && call.trace ? &call : NULL;
}

struct tsip_trace *tsip_call_trace(struct tsip_call *c)
{
	return c->trace;
}

int tsip_call_offer(struct tsip_call *c, struct span sdp, char *out,
		    size_t size)
{
	(void)c;
	assert(size > 4);
	if (sdp.n % 2)
		return -ENOTSUP;
	memcpy(out, "v=0", 4);
	return 0;
}

void tsip_call_info(struct tsip_call *c, const struct sip_msg *msg)
{
	(void)c;
	(void)msg;
}

void tsip_call_bye(struct tsip_call *c, const struct sip_msg *msg)
{
	(void)c;
	(void)msg;
}

bool tsip_call_follows(struct tsip_call *c, const struct sip_msg *msg)
{
	(void)c;
	return msg->scode % 2 == 0;
}

/* --- the socket, in place of the C library's -------------------------------------- */

static struct span input; /* what is received next */
static char invite[TSIP_DATAGRAM_MAX];
static bool stranger;

ssize_t fuzz_recvfrom(int fd, void *buf, size_t n, int flags,
		      struct sockaddr *from,
		      socklen_t *len) __asm__("recvfrom");
ssize_t fuzz_sendto(int fd, const void *buf, size_t n, int flags,
		    const struct sockaddr *to, socklen_t len) __asm__("sendto");

ssize_t fuzz_recvfrom(int fd, void *buf, size_t n, int flags,
		      struct sockaddr *from, socklen_t *len)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(TRUNK_PORT)};
	char byte;

	if (recv(fd, &byte, 1, flags) < 0)
		return -1;
	a.sin_addr.s_addr =
		htonl(stranger ? INADDR_LOOPBACK + 1 : INADDR_LOOPBACK);
	assert(from && len && *len >= sizeof(a));
	memcpy(from, &a, sizeof(a));
	*len = sizeof(a);
	if (n > input.n)
		n = input.n;
	memcpy(buf, input.p, n);
	return (ssize_t)n;
}

ssize_t fuzz_sendto(int fd, const void *buf, size_t n, int flags,
		    const struct sockaddr *to, socklen_t len)
{
	(void)fd;
	(void)flags;
	(void)to;
	(void)len;
	/* a stranger gets nothing, whatever it says */
	assert(!stranger);
	if (n > 7 && n < sizeof(invite) && !memcmp(buf, "INVITE ", 7) &&
	    !invite[0]) {
		memcpy(invite, buf, n);
		invite[n] = '\0';
	}
	return (ssize_t)n;
}

/* --- the line ------------------------------------------------------------------------- */

static struct clock *test_clock;
static struct loop *loop;
static struct tel_sip s;
static struct sipsess *sess;
static int doorbell = -1;

static int on_offer(struct mbuf **mb, const struct sip_msg *msg, void *ctx)
{
	(void)msg;
	(void)ctx;
	*mb = NULL;
	return 0;
}

static int on_answer(const struct sip_msg *msg, void *ctx)
{
	(void)msg;
	(void)ctx;
	return 0;
}

static void on_heard(const struct sip_msg *msg, void *ctx)
{
	(void)ctx;
	(void)tsip_gate_status(msg);
}

static void on_closed(int err, const struct sip_msg *msg, void *ctx)
{
	(void)err;
	(void)msg;
	(void)ctx;
	sess = mem_deref(sess);
}

/* The one at 127.0.0.1; what telephones with it is not needed here. */
static void open_trunk(struct tsip_trunk *t)
{
	struct sockaddr_storage peer;
	struct net n;
	int err;

	t->sip = &s;
	err = net_parse("127.0.0.1", &n, NULL);
	assert(!err);
	err = net_list_add(&t->heard, &n);
	assert(!err);
	err = net_address("127.0.0.1:5080", 0, &peer);
	assert(!err);
	t->back = tsip_way_back(t, &peer);
	assert(t->back);
}

static void open_once(void)
{
	int err;

	if (loop)
		return;
	log_threshold(LOG_ERROR);
	test_clock = clock_manual(0);
	loop = loop_new(test_clock);
	s.p.loop = loop;
	s.p.listen = "127.0.0.1:0";
	s.trunks_count = 1;
	open_trunk(&s.trunks[0]);
	err = tsip_line_open(&s, NULL);
	assert(!err);
	doorbell = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	err = connect(doorbell, (struct sockaddr *)&s.laddr, net_len(&s.laddr));
	assert(!err);
}

static void begin_call(void)
{
	struct mbuf *mb = mbuf_alloc(16);
	int err;

	invite[0] = '\0';
	err = sipsess_connect(&sess, s.sessions, "sip:x@127.0.0.1:5080", NULL,
			      "sip:us@127.0.0.1", "us", NULL, 0,
			      "application/sdp", mb, NULL, NULL, false,
			      on_offer, on_answer, on_heard, on_heard, NULL,
			      NULL, on_closed, NULL, NULL);
	assert(!err && invite[0]);
	(void)mem_deref(mb);
}

/* What stands between `from` and one of `ends` in our INVITE. */
static void add_part(struct buf *b, const char *from, const char *ends)
{
	const char *at = strstr(invite, from);

	assert(at);
	at += strlen(from);
	buf_add(b, at, strcspn(at, ends));
}

static void add_byte(struct buf *b, uint8_t byte)
{
	switch (byte) {
	case 1:
		add_part(b, "Via: SIP/2.0/UDP ", ";");
		break;
	case 2:
		add_part(b, "branch=", ";\r");
		break;
	case 3:
		add_part(b, "Call-ID: ", "\r");
		break;
	case 4:
		add_part(b, ";tag=", ";\r");
		break;
	default:
		buf_byte(b, byte);
	}
}

static void receive(struct buf *message)
{
	ssize_t n;

	if (message->n == 0)
		return;
	input = buf_view(message);
	n = send(doorbell, "", 1, 0);
	assert(n == 1);
	while (tsip_timer_turn())
		;
	buf_reset(message);
}

/* One after the other: messages are parted by a zero.  The first byte says who
 * sends them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF(b, INPUT_MAX);

	open_once();
	if (size == 0)
		return 0;
	stranger = false;
	begin_call();
	call.trace = tsip_trace_new();
	stranger = data[0] == 's';
	for (size_t i = 1; i < size; i++) {
		if (data[i])
			add_byte(&b, data[i]);
		else
			receive(&b);
	}
	receive(&b);
	stranger = false;
	assert(strlen(tsip_trace_text(call.trace)) <= TEL_SIP_TRACE_MAX);

	/* whatever was begun comes to its end, and nothing is left of it */
	sess = mem_deref(sess);
	tsip_trace_free(call.trace);
	call.trace = NULL;
	loop_advance(loop, LINGER_MS);
	assert(timers_count(loop_timers(loop)) == 0);
	return 0;
}
