// SPDX-License-Identifier: Apache-2.0
/*
 * trunk_test.c - `voiceotp trunk test`: is the trunk there, does a call over it
 * ring, is it heard, do keys come back; each step in words as it happens.
 *
 * It needs no server, store or secret, and runs beside a server: where that
 * has taken the ports of the settings, others are used, and it says so.  One
 * loop, this thread, one trunk; everything follows from its events.
 */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"
#include "app/trunk_words.h"
#include "app/trunks.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/net.h"
#include "base/random.h"
#include "media/playlist.h"
#include "media/pump.h"

#define LANGUAGE "en"
#define BEFORE "This is a test call."
#define AFTER "Please press any key."
#define THANKS "Thank you. Goodbye."

enum {
	BREATH_MS = 800, /* between the answer and the first word (B9) */
	KEY_MS = 10 * 1000,
	LEAVE_MS = 3 * 1000, /* for the answer to our BYE */
	LEAVE_LOOK_MS = 20,
	PORTS = 32,          /* of a test beside a server */
	PORTS_FIRST = 40000, /* where it looks for them */
	PORTS_LAST = 60000,
	TEXT_BYTES = 512,
	JSON_MAX = 8 * TEL_SIP_TRACE_MAX, /* whatever is escaped in it */
	STREAMS = 2,
};

enum sound { SOUND_ASK = 1, SOUND_THANKS };

struct testing {
	/* what was asked for */
	const char *config, *name, *to;
	bool json, trace;
	/* what it is made of */
	struct settings *settings;
	struct app_trunks *trunks;
	const struct tel_sip_trunk *trunk;
	struct playlist *ask, *thanks;
	struct loop *loop;
	struct pump *pump;
	struct tel_sip *sip;
	struct tel *tel;
	struct tel_call *call;
	struct timer timer;
	/* what has been seen */
	int64_t began_ms, answered_ms, told_by_ms;
	bool mute; /* it does not answer OPTIONS */
	bool ringing, answered, heard_key, leaving, failed;
};

/* --- saying it --------------------------------------------------------------------- */

static void write_json(const char *step, bool ok, const char *text)
{
	AUTO_BUF(json, JSON_MAX);

	buf_str(&json, "{\"step\":");
	buf_json(&json, span_of(step));
	buf_printf(&json, ",\"ok\":%s,\"text\":", ok ? "true" : "false");
	buf_json(&json, span_of(text));
	buf_byte(&json, '}');
	if (!json.err)
		(void)puts(json.p);
}

/* A line; `ok` false makes the whole a failure. */
static void report(struct testing *t, const char *step, bool ok,
		   const char *fmt, ...) PRINTF_LIKE(4, 5);
static void report(struct testing *t, const char *step, bool ok,
		   const char *fmt, ...)
{
	char text[TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	/* the analyser loses sight of va_start() where one call follows another
	 * NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized) */
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	t->failed |= !ok;
	if (t->json)
		write_json(step, ok, text);
	else
		(void)printf("%s %s\n", ok ? "  " : "!!", text);
	(void)fflush(stdout);
}

/* What to do about it, under the line before. */
static void advise(struct testing *t, const char *sentence)
{
	if (*sentence)
		report(t, "advice", true, "   %s", sentence);
}

static int64_t now_ms(const struct testing *t)
{
	return clock_mono_ms(loop_clock(t->loop));
}

static double since_s(const struct testing *t, int64_t from_ms)
{
	return (double)(now_ms(t) - from_ms) / 1000.0;
}

/* --- the end -------------------------------------------------------------------------- */

static void stop(void *ctx)
{
	struct testing *t = ctx;

	loop_stop(t->loop);
}

static void leave(void *ctx)
{
	struct testing *t = ctx;

	if (t->leaving)
		return;
	t->leaving = true;
	if (!t->call) {
		loop_stop(t->loop);
		return;
	}
	tel_call_hang_up(t->call);
	timer_set(loop_timers(t->loop), &t->timer, LEAVE_MS, stop, t);
}

static void interrupted(void *ctx)
{
	struct testing *t = ctx;

	if (!t->leaving)
		report(t, "interrupted", false, "interrupted: hanging up");
	leave(t);
}

/* --- the sound ------------------------------------------------------------------------- */

static double share(int64_t lost, uint64_t of)
{
	return of > 0 ? 100.0 * (double)(lost > 0 ? lost : 0) / (double)of : 0;
}

static void report_theirs(struct testing *t, const struct pump_stats *m)
{
	if (m->received == 0) {
		report(t, "sound_in", false, "no sound came from there");
		advise(t, "Look at rtp.advertise behind NAT, at firewalls "
			  "before rtp.ports, and at trunks.media_networks.");
	} else {
		report(t, "sound_in", true,
		       "heard %llu packets, %lld lost (%.1f %%), jitter %.1f "
		       "ms",
		       (unsigned long long)m->received, (long long)m->lost,
		       share(m->lost,
			     m->received +
				     (uint64_t)(m->lost > 0 ? m->lost : 0)),
		       m->jitter_us / 1000.0);
	}
	if (m->strange > 0)
		report(t, "sound_strange", true,
		       "not heard were %llu: no RTP, or from an address that "
		       "trunks.media_networks does not name",
		       (unsigned long long)m->strange);
}

static void report_sound(struct testing *t, const struct pump_stats *m)
{
	report_theirs(t, m);
	report(t, "sound_out", m->sent > 0, "sent %llu packets",
	       (unsigned long long)m->sent);
	if (m->reported)
		report(t, "sound_far", true,
		       "there, %lld of ours were lost (%.1f %%), jitter %.1f "
		       "ms, round trip %.1f ms",
		       (long long)m->far_lost, share(m->far_lost, m->sent),
		       m->far_jitter_us / 1000.0, m->rtt_us / 1000.0);
	else
		report(t, "sound_far", true,
		       "no RTCP came: what arrived there is not known");
}

/* --- the call ------------------------------------------------------------------------------ */

static void play(struct testing *t, struct playlist *p, enum sound id)
{
	if (tel_call_play(t->call, p, (uint32_t)id)) {
		report(t, "speech", false, "speech could not begin");
		leave(t);
	}
}

static void begin_speech(void *ctx)
{
	struct testing *t = ctx;

	play(t, t->ask, SOUND_ASK);
}

static void no_key(void *ctx)
{
	struct testing *t = ctx;

	report(t, "key", false, "no key was heard");
	advise(t, "If one was pressed: trunks.keys says how they come; events "
		  "(RFC 4733) is usual, info and tones are for those that "
		  "have nothing better.");
	leave(t);
}

static void on_key(struct testing *t, const struct tel_event *ev)
{
	if (t->heard_key)
		return;
	t->heard_key = true;
	report(t, "key", true, "heard the key %c, %.1f s after the answer",
	       ev->key, since_s(t, t->answered_ms));
	timer_stop(loop_timers(t->loop), &t->timer);
	play(t, t->thanks, SOUND_THANKS);
}

static void on_played(struct testing *t, const struct tel_event *ev)
{
	if (ev->play_id == SOUND_THANKS) {
		leave(t);
	} else if (!t->heard_key) {
		report(t, "speech", true,
		       "the sentence was spoken; waiting %d s for a key",
		       KEY_MS / 1000);
		timer_set(loop_timers(t->loop), &t->timer, KEY_MS, no_key, t);
	}
}

static void on_answered(struct testing *t)
{
	t->answered = true;
	t->answered_ms = now_ms(t);
	report(t, "answered", true, "answered after %.1f s",
	       since_s(t, t->began_ms));
	if (t->mute)
		advise(t, "It answers calls, but no OPTIONS: set trunks.ping_s "
			  "to 0, or it is taken to be down.");
	timer_set(loop_timers(t->loop), &t->timer, BREATH_MS, begin_speech, t);
}

static void report_end(struct testing *t, const struct tel_event *ev)
{
	switch (ev->cause) {
	case TEL_HUNG_UP:
		report(t, "ended", t->heard_key, "they hung up after %.1f s",
		       since_s(t, t->answered_ms));
		return;
	case TEL_WE_HUNG_UP:
		report(t, "ended", true, "we hung up");
		return;
	case TEL_NO_ANSWER:
		report(t, "ended", false,
		       "nobody answered within %lld s (call.ring_s)",
		       (long long)t->settings->call_ring_s);
		return;
	case TEL_REFUSED:
		report(t, "ended", false, "%d %s%s after %.1f s", ev->sip_code,
		       app_trunk_words_name(ev->sip_code),
		       t->ringing ? ", having rung," : "",
		       since_s(t, t->began_ms));
		if (ev->q850)
			report(t, "cause", true, "   its Q.850 cause is %d",
			       ev->q850);
		advise(t, app_trunk_words_advice(ev->sip_code));
		return;
	case TEL_UNREACHABLE:
		report(t, "ended", false,
		       t->answered ? "the sound was lost"
				   : "no answer to the call at all");
		if (!t->answered)
			advise(t, app_trunk_words_silence(0));
		return;
	}
}

/* A BYE that is lost is sent again, and a CANCEL waits for the first answer. */
static void stop_when_told(void *ctx)
{
	struct testing *t = ctx;

	if (tel_sip_unsaid(t->sip) == 0 || now_ms(t) >= t->told_by_ms)
		loop_stop(t->loop);
	else
		timer_set(loop_timers(t->loop), &t->timer, LEAVE_LOOK_MS,
			  stop_when_told, t);
}

static void on_ended(struct testing *t, const struct tel_event *ev)
{
	const struct tel_record *r = ev->record;

	timer_stop(loop_timers(t->loop), &t->timer);
	report_end(t, ev);
	if (t->answered && r && r->media)
		report_sound(t, r->media);
	if (t->trace && r && r->trace) {
		if (t->json)
			write_json("trace", true, r->trace);
		else
			(void)printf("\n%s\n", r->trace);
	}
	tel_call_close(t->call);
	t->call = NULL;
	t->told_by_ms = now_ms(t) + LEAVE_MS;
	stop_when_told(t);
}

static void on_event(const struct tel_event *ev, void *ctx)
{
	struct testing *t = ctx;

	switch (ev->kind) {
	case TEL_RINGING:
		if (!t->ringing)
			report(t, "ringing", true, "ringing after %.1f s",
			       since_s(t, t->began_ms));
		t->ringing = true;
		return;
	case TEL_EARLY_MEDIA:
		report(t, "early_media", true,
		       "sound before an answer, after %.1f s",
		       since_s(t, t->began_ms));
		return;
	case TEL_FORWARDED:
		report(t, "forwarded", true, "forwarded to another number");
		return;
	case TEL_ANSWERED:
		on_answered(t);
		return;
	case TEL_KEY:
		on_key(t, ev);
		return;
	case TEL_PLAYED:
		on_played(t, ev);
		return;
	case TEL_ENDED:
		on_ended(t, ev);
	}
}

static void dial(struct testing *t)
{
	const struct tel_params params = {
		.call_id = "trunk-test",
		.to = t->to,
		.from = t->trunk->from_count > 0 ? t->trunk->from[0] : "",
		.language = LANGUAGE,
		.ring_ms = (unsigned)t->settings->call_ring_s * 1000,
		.trace = t->trace,
		.event = on_event,
		.ctx = t,
	};
	int err;

	t->began_ms = now_ms(t);
	if (*params.from)
		report(t, "calling", true, "calling %s, showing %s", t->to,
		       params.from);
	else
		report(t, "calling", true, "calling %s, showing no caller id",
		       t->to);
	err = tel_dial(t->tel, &params, &t->call);
	if (err) {
		report(t, "dial", false, "the call could not begin: %s",
		       strerrordesc_np(-err));
		loop_stop(t->loop);
	}
}

/* --- is it there? ----------------------------------------------------------------------------- */

static void pinged(int err, int sip_code, const char *reason, int64_t took_us,
		   void *ctx)
{
	struct testing *t = ctx;

	if (sip_code == 0) {
		t->mute = true;
		report(t, "options", false, "no answer to OPTIONS");
		advise(t, app_trunk_words_silence(err));
		/* some answer nothing but calls: with a number, that decides */
		t->failed = !t->to;
	} else {
		report(t, "options", true, "OPTIONS answered %d %s in %.1f ms",
		       sip_code,
		       reason && *reason ? reason
					 : app_trunk_words_name(sip_code),
		       (double)took_us / 1000.0);
		if (sip_code >= 300)
			report(t, "advice", true,
			       "   It is there: that is all an OPTIONS asks.");
	}
	if (t->to)
		dial(t);
	else
		loop_stop(t->loop);
}

static void begin(void *ctx)
{
	struct testing *t = ctx;

	tel_sip_ping(t->sip, 0, pinged, t);
}

/* The name in words; what is sent where is the trunk's own matter. */
static int resolve(struct testing *t)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	const char *host = t->trunk->host;
	struct settings_uri proxy;
	struct addrinfo *found = NULL;
	char text[NET_TEXT_BYTES];
	struct sockaddr_storage a = {0};
	int err;

	if (*t->trunk->outbound_proxy &&
	    settings_uri(t->trunk->outbound_proxy, &proxy, NULL) == 0)
		host = proxy.host;
	err = getaddrinfo(host, NULL, &hints, &found);
	if (err) {
		report(t, "resolve", false, "%s does not resolve: %s", host,
		       gai_strerror(err));
		return -EHOSTUNREACH;
	}
	memcpy(&a, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	net_host(&a, text);
	if (strcmp(text, host) != 0)
		report(t, "resolve", true, "%s resolves to %s", host, text);
	return 0;
}

/* --- its parts ---------------------------------------------------------------------------------- */

static int open_pump(struct testing *t, struct diag *d)
{
	struct pump_params params = {.listen = t->settings->rtp_listen,
				     .streams_max = STREAMS,
				     .loop = t->loop,
				     .rng = rng_system()};
	int err = settings_ports(t->settings->rtp_ports, &params.port_min,
				 &params.port_max, d);

	if (err)
		return err;
	err = pump_new(&params, &t->pump, d);
	for (unsigned at = PORTS_FIRST; err == -EADDRINUSE && at < PORTS_LAST;
	     at += PORTS) {
		params.port_min = at;
		params.port_max = at + PORTS - 1;
		err = pump_new(&params, &t->pump, d);
		if (!err)
			report(t, "ports", true,
			       "rtp.ports are in use (by the server?): sound "
			       "goes by %u-%u",
			       params.port_min, params.port_max);
	}
	return err;
}

static const char *advertised(const char *setting)
{
	return strcmp(setting, "auto") == 0 ? "" : setting;
}

/* sip.listen with any free port in place of its own. */
static int open_elsewhere(struct testing *t, struct tel_sip_params *params,
			  struct diag *d)
{
	char listen[NET_TEXT_BYTES], shown[NET_TEXT_BYTES] = "";
	struct sockaddr_storage a;
	int err;

	if (net_address(params->listen, 0, &a))
		return -EINVAL;
	net_set_port(&a, 0);
	net_text(&a, listen);
	params->listen = listen;
	if (*params->advertise && net_address(params->advertise, 0, &a) == 0)
		net_host(&a, shown);
	params->advertise = shown;
	err = tel_sip_new(params, &t->sip, d);
	if (!err)
		report(t, "listen", true,
		       "%s is in use (by the server?): SIP goes by another "
		       "port; a trunk that knows us by port may not like it",
		       t->settings->sip_listen);
	return err;
}

static int open_sip(struct testing *t, struct diag *d)
{
	struct tel_sip_trunk alone = *t->trunk;
	struct tel_sip_params params = {
		.loop = t->loop,
		.rng = rng_system(),
		.pump = t->pump,
		.listen = t->settings->sip_listen,
		.advertise = advertised(t->settings->sip_advertise),
		.advertise_media = advertised(t->settings->rtp_advertise),
		.media = t->settings->rtp_listen,
		.tcp = alone.transport == TEL_SIP_TCP,
		.trunks = &alone,
		.trunks_count = 1,
	};
	int err;

	alone.ping_ms = 0; /* we ask, once */
	err = tel_sip_new(&params, &t->sip, d);
	if (err == -EADDRINUSE)
		err = open_elsewhere(t, &params, d);
	if (!err)
		t->tel = tel_sip_tel(t->sip, 0);
	return err;
}

static int add_words(struct speech *sp, const char *text, struct playlist *p,
		     struct diag *d)
{
	AUTO(utterance) *u = utterance_new(LANGUAGE);
	AUTO(playlist) *words = NULL;
	int err = utterance_text(u, span_of(text), false, d);

	if (!err)
		err = speech_say(sp, u, &words, d);
	return err ? err : playlist_append(p, words);
}

/* What will be said, before anybody is called. */
static int open_words(struct testing *t, struct diag *d)
{
	AUTO(phrases) *ph = NULL;
	AUTO(speech) *sp = NULL;
	char data[APP_PATH_MAX];
	int err = app_data_dir(t->settings, data, d);

	t->ask = playlist_new();
	t->thanks = playlist_new();
	if (!err)
		err = app_phrases(data, &ph, d);
	if (!err)
		err = app_speech(t->settings, ph, &sp, d);
	if (!err)
		err = speech_open(sp, LANGUAGE, d);
	if (!err)
		err = add_words(sp, BEFORE, t->ask, d);
	for (const char *c = "123"; !err && *c; c++) {
		err = playlist_silence(t->ask, 300);
		if (!err)
			err = playlist_add(t->ask, speech_digit(sp, LANGUAGE,
								*c, !c[1]));
	}
	if (!err)
		err = playlist_silence(t->ask, 400);
	if (!err)
		err = add_words(sp, AFTER, t->ask, d);
	return err ? err : add_words(sp, THANKS, t->thanks, d);
}

static int find_trunk(struct testing *t)
{
	AUTO_BUF(names, TEXT_BYTES);

	for (size_t i = 0; i < t->trunks->count; i++) {
		if (strcmp(t->trunks->trunks[i].name, t->name) == 0) {
			t->trunk = &t->trunks->trunks[i];
			return 0;
		}
		buf_printf(&names, "%s%s", i ? ", " : "",
			   t->trunks->trunks[i].name);
	}
	(void)fprintf(stderr, "voiceotp: there is no trunk \"%s\"; there %s\n",
		      t->name, names.n ? "is:" : "is none in the settings");
	if (names.n)
		(void)fprintf(stderr, "voiceotp: %s\n", names.p);
	return -ENOENT;
}

/* --- the whole ---------------------------------------------------------------------------------- */

/* Ctrl-C hangs up before it leaves. */
static void *wait_for_signal(void *ctx)
{
	struct testing *t = ctx;
	sigset_t signals;
	int sig = 0;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGUSR1);
	while (sigwait(&signals, &sig) == 0 && sig != SIGUSR1)
		loop_call(t->loop, interrupted, t);
	return NULL;
}

static int turn(struct testing *t)
{
	pthread_t waiter;
	int err = pthread_create(&waiter, NULL, wait_for_signal, t);

	if (err)
		return -err;
	loop_call(t->loop, begin, t);
	tel_sip_run(t->sip);
	(void)pthread_kill(waiter, SIGUSR1);
	(void)pthread_join(waiter, NULL);
	return 0;
}

static void block_signals(void)
{
	sigset_t signals;

	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGINT);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGUSR1);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static int test(struct testing *t)
{
	struct diag d = {0};
	int err = app_trunks_new(t->settings, &t->trunks, &d);

	if (err)
		return app_fail(t->config, &d);
	if (find_trunk(t))
		return APP_FAILED;
	if (resolve(t))
		return APP_FAILED;
	if (t->to)
		err = open_words(t, &d);
	block_signals();
	t->loop = loop_new(clock_real());
	if (!err)
		err = open_pump(t, &d);
	if (!err)
		err = open_sip(t, &d);
	if (err)
		return app_fail(t->config, &d);
	err = turn(t);
	if (err)
		report(t, "thread", false, "no thread: %s",
		       strerrordesc_np(-err));
	report(t, "result", !t->failed, "%s",
	       t->failed ? "not everything works" : "all that was tried works");
	return t->failed ? APP_FAILED : APP_FINE;
}

static void end(struct testing *t)
{
	tel_call_close(t->call);
	tel_free(t->tel);
	tel_sip_free(t->sip);
	pump_free(t->pump);
	loop_free(t->loop);
	playlist_unref(t->ask);
	playlist_unref(t->thanks);
	app_trunks_free(t->trunks);
	settings_free(t->settings);
}

static bool is_number(const char *to)
{
	size_t n = strlen(to);

	return to[0] == '+' && n >= 8 && n <= 16 &&
	       strspn(to + 1, "0123456789") == n - 1;
}

int app_trunk_test(int argc, char **argv)
{
	struct testing t = {0};
	const char *words[2] = {NULL, NULL};
	const struct app_option options[] = {
		{.name = "--config", .value = &t.config},
		{.name = "--trace", .flag = &t.trace},
		{.name = "--json", .flag = &t.json},
		{0},
	};
	int res;

	if (!app_options("trunk test", argc, argv, options, words, 2))
		return APP_USAGE;
	if (!words[0])
		return app_usage("trunk test", "which trunk?");
	if (words[1] && !is_number(words[1]))
		return app_usage("trunk test",
				 "\"%.24s\" is no number such as +14155550100",
				 words[1]);
	t.name = words[0];
	t.to = words[1];
	log_threshold(LOG_WARN);
	if (app_settings(t.config, false, &t.settings))
		return APP_FAILED;
	res = test(&t);
	end(&t);
	return res;
}
