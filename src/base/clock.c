// SPDX-License-Identifier: Apache-2.0
/*
 * clock.c - two times: mono_ms for timers, wall_ms for what is stored.
 *
 * Stored moments are compared with each other (has it expired, which came
 * first), so a step backwards of the machine's clock is not passed on: time
 * stands still until the machine has caught up.
 */
#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, MANUAL_MONO_MS = 1000000 };

/* What four digits of year can say. */
#define FIRST_MS INT64_C(-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS INT64_C(253402300799999)  /* 9999-12-31T23:59:59.999Z */

struct clock {
	bool manual;
	_Atomic int64_t mono, wall; /* manual; or the latest wall time given */
};

static struct clock real = {.wall = INT64_MIN};

struct clock *clock_real(void)
{
	return &real;
}

struct clock *clock_manual(int64_t wall_ms)
{
	struct clock *c = b_zero(1, sizeof(*c));

	c->manual = true;
	atomic_init(&c->mono, MANUAL_MONO_MS);
	atomic_init(&c->wall, wall_ms);
	return c;
}

void clock_advance(struct clock *c, int64_t ms)
{
	assert(c->manual && ms >= 0);
	atomic_fetch_add(&c->wall, ms);
	atomic_fetch_add(&c->mono, ms);
}

void clock_free(struct clock *c)
{
	if (c != &real)
		free(c);
}

static int64_t read_ms(clockid_t id)
{
	struct timespec now;
	int err = clock_gettime(id, &now);

	assert(!err);
	return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

int64_t clock_mono_ms(const struct clock *c)
{
	return c->manual ? atomic_load(&c->mono) : read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(const struct clock *c)
{
	int64_t now, latest;

	if (c->manual)
		return atomic_load(&c->wall);
	now = read_ms(CLOCK_REALTIME);
	latest = atomic_load(&real.wall);
	while (now > latest)
		if (atomic_compare_exchange_weak(&real.wall, &latest, now))
			return now;
	return latest;
}

int clock_is_manual(const struct clock *c)
{
	return c->manual;
}

/* Fill the digits that end before `end`. */
static void put(char *end, int count, int value)
{
	while (count-- > 0) {
		*--end = (char)('0' + value % 10);
		value /= 10;
	}
}

void clock_text(int64_t wall_ms, char out[CLOCK_TEXT_BYTES])
{
	static const char form[] = "0000-00-00T00:00:00.000Z";
	int64_t ms = wall_ms < FIRST_MS  ? FIRST_MS
		     : wall_ms > LAST_MS ? LAST_MS
					 : wall_ms;
	int fraction = (int)((ms % MS_PER_S + MS_PER_S) % MS_PER_S);
	time_t seconds = (time_t)((ms - fraction) / MS_PER_S);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm))
		abort(); /* cannot be: the range was cut above */
	memcpy(out, form, sizeof(form));
	put(out + 4, 4, tm.tm_year + 1900);
	put(out + 7, 2, tm.tm_mon + 1);
	put(out + 10, 2, tm.tm_mday);
	put(out + 13, 2, tm.tm_hour);
	put(out + 16, 2, tm.tm_min);
	put(out + 19, 2, tm.tm_sec);
	put(out + 23, 3, fraction);
}

/* Exactly `count` digits, in range, and then *p is behind them. */
static bool digits(const char **p, int count, int min, int max, int *out)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		char c = (*p)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (c - '0');
	}
	*p += count;
	*out = value;
	return value >= min && value <= max;
}

static bool one_of(const char **p, const char *choices)
{
	if (!**p || !strchr(choices, **p))
		return false;
	(*p)++;
	return true;
}

static bool day_exists(const struct tm *tm)
{
	static const int days[] = {31, 28, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31};
	int year = tm->tm_year + 1900;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1);
}

static bool date(const char **p, struct tm *tm)
{
	if (!digits(p, 4, 0, 9999, &tm->tm_year) || !one_of(p, "-") ||
	    !digits(p, 2, 1, 12, &tm->tm_mon) || !one_of(p, "-") ||
	    !digits(p, 2, 1, 31, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return day_exists(tm);
}

/* A leap second (":60") has no place in milliseconds since 1970. */
static bool time_of_day(const char **p, struct tm *tm)
{
	return digits(p, 2, 0, 23, &tm->tm_hour) && one_of(p, ":") &&
	       digits(p, 2, 0, 59, &tm->tm_min) && one_of(p, ":") &&
	       digits(p, 2, 0, 59, &tm->tm_sec);
}

/* Any number of digits; those behind the milliseconds are dropped. */
static bool fraction(const char **p, int *ms)
{
	int weight = 100;

	*ms = 0;
	if (!one_of(p, "."))
		return true;
	if (**p < '0' || **p > '9')
		return false;
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		*ms += (**p - '0') * weight;
		weight /= 10;
	}
	return true;
}

static bool offset(const char **p, int *minutes)
{
	int sign = **p == '-' ? -1 : 1;
	int hour, minute;

	*minutes = 0;
	if (one_of(p, "Zz"))
		return true;
	if (!one_of(p, "+-") || !digits(p, 2, 0, 23, &hour) ||
	    !one_of(p, ":") || !digits(p, 2, 0, 59, &minute))
		return false;
	*minutes = sign * (hour * 60 + minute);
	return true;
}

/* RFC 3339 5.6, date-time. */
int clock_parse(const char *text, int64_t *wall_ms)
{
	struct tm tm = {0};
	int ms, minutes;

	if (!date(&text, &tm) || !one_of(&text, "Tt") ||
	    !time_of_day(&text, &tm) || !fraction(&text, &ms) ||
	    !offset(&text, &minutes) || *text)
		return -EINVAL;
	*wall_ms =
		((int64_t)timegm(&tm) - (int64_t)minutes * 60) * MS_PER_S + ms;
	return 0;
}
