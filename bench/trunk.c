// SPDX-License-Identifier: Apache-2.0
/*
 * trunk.c - the program's telephone with one trunk.
 */
#include "bench/trunk.h"

#include <errno.h>
#include <unistd.h>

/* Below those that the kernel gives out, and another range each time: what
 * else runs here may have some. */
enum { PORT_MIN = 10000, PORTS = 512, RANGES = 40 };

static int open_sip(struct loop *l, unsigned port, struct pump *pump,
		    struct tel_sip **out, struct diag *d)
{
	static const char *const from[] = {"+12125550100"};
	const struct tel_sip_trunk trunk = {
		.name = "bench",
		.host = "127.0.0.1",
		.port = port,
		.outbound_proxy = "",
		.user = "",
		.password = "",
		.from = from,
		.from_count = 1,
		.from_user = "",
		.from_domain = "",
		.format = TEL_SIP_E164,
		.prefix = "",
		.country_code = "",
		.national_prefix = "",
		.codec = G711_PCMU,
		.keys = PUMP_KEYS_EVENTS,
	};
	const struct tel_sip_params params = {
		.loop = l,
		.rng = rng_system(),
		.pump = pump,
		.listen = "127.0.0.1:0",
		.advertise = "",
		.advertise_media = "",
		.media = "127.0.0.1",
		.trunks = &trunk,
		.trunks_count = 1,
	};

	return tel_sip_new(&params, out, d);
}

/* In the first range that nobody else has a part of. */
static int open_pump(struct loop *l, unsigned priority, struct pump **out,
		     struct diag *d)
{
	unsigned first = (unsigned)getpid();
	struct pump_params params = {
		.listen = "127.0.0.1",
		.streams_max = PUMP_STREAMS_MAX,
		.priority = priority,
		.loop = l,
		.rng = rng_system(),
	};
	int err = -EADDRINUSE;

	for (unsigned i = 0; i < RANGES && err == -EADDRINUSE; i++) {
		params.port_min = PORT_MIN + (first + i) % RANGES * PORTS;
		params.port_max = params.port_min + PORTS - 1;
		err = pump_new(&params, out, d);
	}
	return err;
}

int bench_trunk_open(struct loop *l, unsigned port, unsigned priority,
		     struct bench_trunk *out, struct diag *d)
{
	static const struct tel_limits limits = {0};
	int err = open_pump(l, priority, &out->pump, d);

	if (!err)
		err = open_sip(l, port, out->pump, &out->sip, d);
	if (err)
		return err;
	out->tel = tel_sip_tel(out->sip, 0);
	tel_limit(out->tel, l, &limits);
	return 0;
}
