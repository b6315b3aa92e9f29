// SPDX-License-Identifier: Apache-2.0
/*
 * sip_gate.c - what libre is shown and what not.
 *
 * libre answers whoever sends it something, follows a 3xx before anybody could
 * object, and names the address that it listens on.  None of it can be told
 * otherwise, so the linker leads a few of libre's own calls through here
 * (--wrap in meson.build): making a socket, accepting and making a connection,
 * decoding a message, naming our address.
 *
 * A datagram or a connection of somebody who is no trunk's is dropped before
 * the parser and never answered (C5).
 */
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "tel/sip_priv.h"

enum {
	LAYER = -1000, /* in front of all others */
	RECEIVE_BYTES = 4 << 20,
	STATUS_MIN = 100,
	REDIRECT_MIN = 300,
	REDIRECT_MAX = 399,
	STATUS_MAX = 699,
	/* 300 to 399 become 700 to 799: no class that anybody acts on */
	DISGUISE = 400,
};

/* --wrap=NAME calls __wrap_NAME, and __real_NAME is libre's. */
int tsip_wrap_udp_listen(struct udp_sock **usp, const struct sa *local,
			 udp_recv_h *rh,
			 void *arg) __asm__("__wrap_udp_listen");
int tsip_real_udp_listen(struct udp_sock **usp, const struct sa *local,
			 udp_recv_h *rh,
			 void *arg) __asm__("__real_udp_listen");
int tsip_wrap_tcp_accept(struct tcp_conn **tcp, struct tcp_sock *ts,
			 tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
			 void *arg) __asm__("__wrap_tcp_accept");
int tsip_real_tcp_accept(struct tcp_conn **tcp, struct tcp_sock *ts,
			 tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
			 void *arg) __asm__("__real_tcp_accept");
int tsip_wrap_tcp_connect(struct tcp_conn **tcp, const struct sa *peer,
			  tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
			  void *arg) __asm__("__wrap_tcp_connect");
int tsip_real_tcp_connect(struct tcp_conn **tcp, const struct sa *peer,
			  tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
			  void *arg) __asm__("__real_tcp_connect");
int tsip_wrap_decode(struct sip_msg **msgp,
		     struct mbuf *mb) __asm__("__wrap_sip_msg_decode");
int tsip_real_decode(struct sip_msg **msgp,
		     struct mbuf *mb) __asm__("__real_sip_msg_decode");
int tsip_wrap_laddr(struct sip *sip, struct sa *laddr, enum sip_transp tp,
		    const struct sa *dst) __asm__("__wrap_sip_transp_laddr");
int tsip_real_laddr(struct sip *sip, struct sa *laddr, enum sip_transp tp,
		    const struct sa *dst) __asm__("__real_sip_transp_laddr");
int tsip_wrap_contact(
	struct re_printf *pf,
	const struct sip_contact *c) __asm__("__wrap_sip_contact_print");
int tsip_real_contact(
	struct re_printf *pf,
	const struct sip_contact *c) __asm__("__real_sip_contact_print");

/* There is one line in a process (sip_line.c). */
static struct {
	struct tel_sip *s; /* NULL: closed */
	struct sa name;    /* what others see */
	bool redirects;    /* may who is being heard now redirect us? */
	uint64_t heard;
} gate;

void tsip_gate_address(const struct sa *from, struct sockaddr_storage *to)
{
	size_t n = from->len < sizeof(from->u) ? from->len : sizeof(from->u);

	memset(to, 0, sizeof(*to));
	memcpy(to, &from->u, n);
}

/* --- who is heard ----------------------------------------------------------- */

typedef bool same_h(const struct sockaddr_storage *a,
		    const struct sockaddr_storage *b);

/* Its addresses, and older ones that calls are still at. */
static bool was_at(const struct tsip_trunk *t,
		   const struct sockaddr_storage *from, same_h *same)
{
	for (const struct tsip_where *w = t->where; w; w = w->older)
		for (size_t i = 0; i < w->count; i++)
			if (same(&w->at[i], from))
				return true;
	return false;
}

static bool hears(const struct tsip_trunk *t,
		  const struct sockaddr_storage *from)
{
	return was_at(t, from, net_same_host) || net_list_has(&t->heard, from);
}

struct tsip_trunk *tsip_gate_trunk(struct tel_sip *s,
				   const struct sockaddr_storage *from)
{
	/* several trunks may share an address, and differ by the port */
	for (size_t i = 0; i < s->trunks_count; i++)
		if (was_at(&s->trunks[i], from, net_equal))
			return &s->trunks[i];
	for (size_t i = 0; i < s->trunks_count; i++)
		if (hears(&s->trunks[i], from))
			return &s->trunks[i];
	return NULL;
}

struct tsip_trunk *tsip_gate_source(const struct sip_msg *msg)
{
	struct sockaddr_storage from;

	tsip_gate_address(&msg->src, &from);
	return gate.s ? tsip_gate_trunk(gate.s, &from) : NULL;
}

/* Only if no trunk at that address forbids it. */
static bool may_redirect(const struct tel_sip *s,
			 const struct sockaddr_storage *from)
{
	for (size_t i = 0; i < s->trunks_count; i++)
		if (hears(&s->trunks[i], from) &&
		    s->trunks[i].conf.redirects != TEL_SIP_FOLLOW_REDIRECTS)
			return false;
	return true;
}

/* From here on, this one is being heard.  False: it is nobody's. */
static bool hear(const struct sa *from)
{
	struct sockaddr_storage a;

	gate.redirects = false;
	if (!gate.s)
		return false;
	tsip_gate_address(from, &a);
	if (!tsip_gate_trunk(gate.s, &a))
		return false;
	gate.redirects = may_redirect(gate.s, &a);
	gate.heard++;
	return true;
}

uint64_t tsip_gate_heard(void)
{
	return gate.heard;
}

/* The first line of a request ends with the version that a response's begins
 * with.  Pings of NATs, STUN and noise have neither. */
bool tsip_gate_is_sip(struct span datagram)
{
	static const char version[] = "SIP/2.0";
	const size_t n = sizeof(version) - 1;
	struct span line;

	if (datagram.n > TSIP_DATAGRAM_MAX || datagram.n == 0 ||
	    !isalpha((unsigned char)*datagram.p))
		return false;
	if (!span_cut(&datagram, '\n', &line) || !datagram.p)
		return false;
	line = span_trim(line);
	return line.n > n && (!memcmp(line.p, version, n) ||
			      !memcmp(line.p + line.n - n, version, n));
}

/* --- datagrams ---------------------------------------------------------------- */

static bool on_datagram(struct sa *src, struct mbuf *mb, void *arg)
{
	(void)arg;
	/* true: it ends here */
	return !hear(src) ||
	       !tsip_gate_is_sip(span_make(mbuf_buf(mb), mbuf_get_left(mb)));
}

/* As much as the machine allows: a burst of answers should wait, not be lost. */
static void make_room(struct udp_sock *us)
{
	const int bytes = RECEIVE_BYTES;

	if (udp_setsockopt(us, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
			   sizeof(bytes)))
		(void)udp_setsockopt(us, SOL_SOCKET, SO_RCVBUF, &bytes,
				     sizeof(bytes));
}

int tsip_wrap_udp_listen(struct udp_sock **usp, const struct sa *local,
			 udp_recv_h *rh, void *arg)
{
	struct udp_helper *helper; /* the socket's */
	int err = tsip_real_udp_listen(usp, local, rh, arg);

	if (err)
		return err;
	make_room(*usp);
	/* one byte more, so that what is too long can be told */
	udp_rxsz_set(*usp, TSIP_DATAGRAM_MAX + 1);
	err = udp_register_helper(&helper, *usp, LAYER, NULL, on_datagram,
				  NULL);
	if (err)
		*usp = mem_deref(*usp);
	return err;
}

/* --- connections ----------------------------------------------------------------- */

/* NOLINTNEXTLINE(readability-non-const-parameter): libre's signature */
static bool on_stream(int *err, struct mbuf *mb, bool *estab, void *arg)
{
	struct sa peer;

	(void)mb;
	(void)estab;
	*err = tcp_conn_peer_get(arg, &peer);
	return *err || !hear(&peer);
}

static int watch(struct tcp_conn *tc)
{
	return tcp_register_helper(NULL, tc, LAYER, NULL, NULL, on_stream, tc);
}

int tsip_wrap_tcp_accept(struct tcp_conn **tcp, struct tcp_sock *ts,
			 tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
			 void *arg)
{
	struct sa peer;
	int err = tsip_real_tcp_accept(tcp, ts, eh, rh, ch, arg);

	if (err)
		return err;
	err = tcp_conn_peer_get(*tcp, &peer);
	if (!err && !hear(&peer))
		err = ECONNREFUSED;
	if (!err)
		err = watch(*tcp);
	if (err)
		*tcp = mem_deref(*tcp);
	return err;
}

int tsip_wrap_tcp_connect(struct tcp_conn **tcp, const struct sa *peer,
			  tcp_estab_h *eh, tcp_recv_h *rh, tcp_close_h *ch,
			  void *arg)
{
	int err = tsip_real_tcp_connect(tcp, peer, eh, rh, ch, arg);

	if (err)
		return err;
	err = watch(*tcp);
	if (err)
		*tcp = mem_deref(*tcp);
	return err;
}

/* --- messages ---------------------------------------------------------------------- */

/* maddr sends an answer wherever the asker likes (RFC 3261 18.2.2), and an
 * answer to a request that we did not send is none (18.1.2). */
static bool is_sound(const struct sip_msg *msg)
{
	struct pl maddr;

	if (msg->req)
		return msg_param_decode(&msg->via.params, "maddr", &maddr) != 0;
	return msg->scode >= STATUS_MIN && msg->scode <= STATUS_MAX &&
	       (!sa_isset(&gate.name, SA_ALL) ||
		sa_cmp(&msg->via.addr, &gate.name, SA_ALL));
}

/* A 3xx that libre may act on. */
static bool may_follow(const struct sip_msg *msg)
{
	struct tsip_call *c;

	if (!gate.redirects)
		return false;
	c = tsip_call_find(gate.s, span_make(msg->callid.p, msg->callid.l));
	return !c || tsip_call_follows(c, msg);
}

int tsip_wrap_decode(struct sip_msg **msgp, struct mbuf *mb)
{
	struct sip_msg *msg;
	int err = tsip_real_decode(msgp, mb);

	if (err)
		return err;
	msg = *msgp;
	if (!is_sound(msg)) {
		*msgp = mem_deref(msg);
		return EBADMSG;
	}
	if (!msg->req && msg->scode >= REDIRECT_MIN &&
	    msg->scode <= REDIRECT_MAX && !may_follow(msg))
		msg->scode = (uint16_t)(msg->scode + DISGUISE);
	return 0;
}

uint16_t tsip_gate_status(const struct sip_msg *msg)
{
	return msg->scode > STATUS_MAX ? (uint16_t)(msg->scode - DISGUISE)
				       : msg->scode;
}

/* --- our name ------------------------------------------------------------------------- */

/* Via (RFC 3261 18.1.1); rport is libre's own (RFC 3581). */
int tsip_wrap_laddr(struct sip *sip, struct sa *laddr, enum sip_transp tp,
		    const struct sa *dst)
{
	int err = tsip_real_laddr(sip, laddr, tp, dst);

	if (!err && sa_isset(&gate.name, SA_ALL))
		*laddr = gate.name;
	return err;
}

/* Contact: never the passing port of a connection that we made. */
int tsip_wrap_contact(struct re_printf *pf, const struct sip_contact *c)
{
	struct sip_contact ours = *c;

	if (sa_isset(&gate.name, SA_ALL))
		ours.addr = &gate.name;
	return tsip_real_contact(pf, &ours);
}

/* "host" or "host:port"; the host may be a name. */
static int look_up(const char *text, struct sockaddr_storage *out)
{
	struct addrinfo want = {.ai_family = out->ss_family,
				.ai_socktype = SOCK_DGRAM};
	struct addrinfo *found = NULL;
	char host[TEL_SIP_URI_BYTES];
	char *port;

	if (snprintf(host, sizeof(host), "%s", text) >= (int)sizeof(host))
		return -EINVAL;
	port = strchr(host, ':');
	if (port)
		*port++ = '\0';
	if (getaddrinfo(host, port, &want, &found) || !found)
		return -EINVAL;
	memcpy(out, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

int tsip_gate_name(struct tel_sip *s, struct diag *d)
{
	const char *text = s->p.advertise ? s->p.advertise : "";
	struct sockaddr_storage name = s->laddr;

	if (*text && (net_address(text, 0, &name) ||
		      name.ss_family != s->laddr.ss_family)) {
		name.ss_family = s->laddr.ss_family;
		if (look_up(text, &name))
			return diag_field(d, "sip.advertise",
					  "\"%s\" is neither an address nor a "
					  "name that resolves to one",
					  text);
	}
	if (net_port(&name) == 0)
		net_set_port(&name, net_port(&s->laddr));
	return -sa_set_sa(&gate.name, (struct sockaddr *)&name);
}

void tsip_gate_open(struct tel_sip *s)
{
	memset(&gate, 0, sizeof(gate));
	gate.s = s;
}

void tsip_gate_close(struct tel_sip *s)
{
	if (gate.s == s)
		memset(&gate, 0, sizeof(gate));
}
