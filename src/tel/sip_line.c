// SPDX-License-Identifier: Apache-2.0
/*
 * sip_line.c - libre's instance and the line's loop.
 *
 * A thread that never asked libre for an instance of its own shares the one of
 * the process, so what is opened here, on whichever thread makes the telephone,
 * is what the line's thread finds when it begins to run.  There is one
 * telephone in a process at a time.
 *
 * libre's poll is the loop's sleep (sip_timer.c); an eventfd in it is how
 * somebody who posts ends the sleep.
 */
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tel/sip_priv.h"

enum {
	FDS_MIN = 1024,
	FDS_MAX = 1 << 16, /* libre keeps 36 bytes for each */
	PORT_TRIES = 32,
	CONNS = 256, /* buckets of the table of TCP connections */
};

static const struct tel_sip *open_line;

/* Any thread, while the loop rests. */
static void wake(void *ctx)
{
	const struct tel_sip *s = ctx;
	uint64_t one = 1;

	/* it can only fail when it is full: then it is awake */
	(void)!write(s->wake[0], &one, sizeof(one));
}

static void on_wake(int flags, void *ctx)
{
	const struct tel_sip *s = ctx;
	uint64_t count;

	(void)flags;
	(void)!read(s->wake[0], &count, sizeof(count));
}

/* libre's table has a place for every descriptor of the process. */
static int size_table(void)
{
	struct rlimit limit = {.rlim_cur = FDS_MIN};

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur > FDS_MAX)
		limit.rlim_cur = FDS_MAX;
	if (limit.rlim_cur < FDS_MIN)
		limit.rlim_cur = FDS_MIN;
	return -fd_setsize((int)limit.rlim_cur);
}

static int open_poll(struct tel_sip *s, struct diag *d)
{
	int err = size_table();

	if (!err)
		err = -poll_method_set(METHOD_EPOLL);
	if (!err) {
		s->wake[0] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		err = s->wake[0] < 0 ? -errno : 0;
	}
	if (!err)
		err = -fd_listen(s->wake[0], FD_READ, on_wake, s);
	if (err)
		(void)diag_set(d, "the SIP line cannot be set up: %s",
			       strerrordesc_np(-err));
	return err;
}

static int say_address(struct diag *d, const struct sockaddr_storage *a,
		       int err)
{
	char text[NET_TEXT_BYTES];

	net_text(a, text);
	if (err == -EADDRINUSE)
		(void)diag_field(d, "sip.listen",
				 "%s is in use by another program", text);
	else if (err == -EADDRNOTAVAIL)
		(void)diag_field(d, "sip.listen",
				 "%s is no address of this machine", text);
	else
		(void)diag_field(d, "sip.listen", "%s: %s", text,
				 strerrordesc_np(-err));
	return err;
}

static int read_address(struct tel_sip *s, struct diag *d)
{
	if (net_address(s->p.listen, SIP_PORT, &s->laddr))
		return diag_field(d, "sip.listen",
				  "\"%s\" is not an address with a port",
				  s->p.listen);
	if (net_is_any(&s->laddr))
		return diag_field(
			d, "sip.listen",
			"needs one concrete address, not all of them");
	return 0;
}

static int add_transport(struct tel_sip *s, enum sip_transp tp, struct diag *d)
{
	struct sa local;
	int err;

	err = -sa_set_sa(&local, (struct sockaddr *)&s->laddr);
	if (!err)
		err = -sip_transp_add(s->sip, tp, &local);
	if (err)
		return say_address(d, &s->laddr, err);
	/* port 0 is any: UDP finds one, and TCP takes the same */
	if (net_port(&s->laddr) == 0 &&
	    !sip_transp_laddr(s->sip, &local, tp, NULL))
		net_set_port(&s->laddr, sa_port(&local));
	return 0;
}

/* A port that any will do for may be free for UDP alone. */
static int add_transports(struct tel_sip *s, struct diag *d)
{
	bool any = net_port(&s->laddr) == 0;
	int err = 0;

	for (int i = 0; i < PORT_TRIES; i++) {
		err = add_transport(s, SIP_TRANSP_UDP, d);
		if (!err && s->p.tcp)
			err = add_transport(s, SIP_TRANSP_TCP, d);
		if (err != -EADDRINUSE || !any)
			break;
		sip_transp_flush(s->sip);
		net_set_port(&s->laddr, 0);
	}
	return err;
}

static int open_sip(struct tel_sip *s, struct diag *d)
{
	int err;

	tsip_gate_open(s);
	err = -sip_alloc(&s->sip, NULL, TSIP_TABLE, TSIP_TABLE, CONNS,
			 "voiceotp", NULL, s);
	if (!err)
		err = add_transports(s, d);
	if (!err)
		err = tsip_gate_name(s, d);
	if (err)
		return err;
	tsip_trace_open(s);
	err = tsip_stray_open(s);
	if (!err)
		err = -sipsess_listen(&s->sessions, s->sip, TSIP_TABLE, NULL,
				      NULL);
	return err;
}

int tsip_line_open(struct tel_sip *s, struct diag *d)
{
	int err;

	s->wake[0] = s->wake[1] = -1;
	if (open_line) {
		(void)diag_set(d, "there is one SIP line in a process");
		return -EBUSY;
	}
	open_line = s;
	tsip_timer_use(s->p.loop);
	tsip_log_catch();
	err = tsip_timer_is_ours() ? 0 : -ENOTSUP;
	if (err)
		(void)diag_set(d,
			       "this build's SIP library keeps timers of its "
			       "own: it must be linked statically");
	if (!err)
		err = read_address(s, d);
	if (!err)
		err = open_poll(s, d);
	if (!err)
		err = open_sip(s, d);
	if (err) {
		tsip_line_close(s);
		return err;
	}
	loop_own(s->p.loop, wake, s);
	return 0;
}

void tsip_line_close(struct tel_sip *s)
{
	if (open_line != s)
		return;
	loop_own(s->p.loop, NULL, NULL);
	/* requests under way end here, and with them the calls that wait for
	 * an answer to their BYE */
	sip_close(s->sip, true);
	/* ... and those that wait for an ACK to a 200 of theirs */
	tsip_timer_expire();
	tsip_stray_close(s);
	s->sessions = mem_deref(s->sessions);
	s->sip = mem_deref(s->sip);
	tsip_gate_close(s);
	if (s->wake[0] >= 0) {
		fd_close(s->wake[0]);
		(void)close(s->wake[0]);
		s->wake[0] = -1;
	}
	(void)fd_setsize(0);
	tsip_timer_use(NULL);
	tsip_log_release();
	open_line = NULL;
}
