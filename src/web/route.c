// SPDX-License-Identifier: Apache-2.0
/*
 * route.c - which handler a path and a method belong to.
 *
 * The table is compiled once: patterns are cut into segments, those of one
 * path are put together with all their methods, and a literal segment comes
 * before `{}`, so that the first pattern that fits is the right one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "web/web_priv.h"

enum { METHODS_MAX = 6, ALLOW_BYTES = 64 };

struct pattern {
	struct span segments[WEB_SEGMENTS_MAX]; /* p NULL: {} */
	size_t count;
	bool slash; /* of a path with one slash behind it */
	struct {
		const char *name;
		const struct web_route *route;
	} methods[METHODS_MAX];
	size_t methods_count;
	char allow[ALLOW_BYTES];
};

struct web_routes {
	struct pattern *patterns;
	size_t count;
};

/* The segments behind each slash, and whether one slash is behind them all;
 * false when there are too many. */
static bool cut(struct span path, struct span out[WEB_SEGMENTS_MAX],
		size_t *count, bool *slash)
{
	struct span rest, segment;
	size_t n = 0;

	if (path.n == 0 || path.p[0] != '/')
		return false;
	*slash = path.n > 1 && path.p[path.n - 1] == '/';
	if (*slash)
		path.n--;
	rest = span_make(path.p + 1, path.n - 1);
	while (span_cut(&rest, '/', &segment)) {
		if (n == WEB_SEGMENTS_MAX)
			return false;
		out[n++] = segment;
	}
	*count = n;
	return true;
}

static bool same_segment(struct span a, struct span b)
{
	if (!a.p || !b.p)
		return a.p == b.p;
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool same_path(const struct pattern *a, const struct pattern *b)
{
	if (a->count != b->count || a->slash != b->slash)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!same_segment(a->segments[i], b->segments[i]))
			return false;
	return true;
}

static int parse(const char *text, struct pattern *out)
{
	size_t holes = 0;

	if (!cut(span_of(text), out->segments, &out->count, &out->slash))
		return -EINVAL;
	for (size_t i = 0; i < out->count; i++) {
		if (!span_is(out->segments[i], "{}"))
			continue;
		out->segments[i] = (struct span){0};
		if (++holes > WEB_PATH_PARTS)
			return -EINVAL;
	}
	return 0;
}

static int add_method(struct pattern *p, const char *name,
		      const struct web_route *route)
{
	size_t n = strlen(p->allow);

	if (p->methods_count == METHODS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < p->methods_count; i++)
		if (strcmp(p->methods[i].name, name) == 0)
			return -EEXIST;
	if (n + strlen(name) + 3 > sizeof(p->allow))
		return -EINVAL;
	(void)snprintf(p->allow + n, sizeof(p->allow) - n, "%s%s",
		       n ? ", " : "", name);
	p->methods[p->methods_count].name = name;
	p->methods[p->methods_count++].route = route;
	return 0;
}

/* The pattern of this path; a new one if there was none. */
static struct pattern *find_same(struct web_routes *r,
				 const struct pattern *fresh)
{
	for (size_t i = 0; i < r->count; i++)
		if (same_path(&r->patterns[i], fresh))
			return &r->patterns[i];
	r->patterns[r->count] = *fresh;
	return &r->patterns[r->count++];
}

static int add_to(struct pattern *p, const struct web_route *route)
{
	int err = add_method(p, route->method, route);

	if (!err && strcmp(route->method, "GET") == 0)
		err = add_method(p, "HEAD", route);
	return err;
}

static int add(struct web_routes *r, const struct web_route *route)
{
	struct pattern fresh = {0};
	int err = parse(route->pattern, &fresh);

	if (!err)
		err = add_to(find_same(r, &fresh), route);
	if (err || !route->slash)
		return err;
	if (fresh.slash || strcmp(route->pattern, "/") == 0)
		return -EINVAL; /* it has its slash already */
	fresh.slash = true;
	return add_to(find_same(r, &fresh), route);
}

/* A literal before {}, from the left. */
static int by_literals(const void *a, const void *b)
{
	const struct pattern *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	for (size_t i = 0; i < x->count; i++)
		if (!x->segments[i].p != !y->segments[i].p)
			return x->segments[i].p ? -1 : 1;
	return 0;
}

int web_routes_new(const struct web_route *routes, struct web_routes **out,
		   struct diag *d)
{
	struct web_routes *r = b_zero(1, sizeof(*r));
	size_t n = 0;

	while (routes[n].method)
		n++;
	/* each may be there once more, with a slash behind it */
	r->patterns = b_zero(2 * n + 1, sizeof(*r->patterns));
	for (size_t i = 0; i < n; i++)
		if (add(r, &routes[i]) != 0) {
			web_routes_free(r);
			return diag_set(d, "not a route: %s %s",
					routes[i].method, routes[i].pattern);
		}
	qsort(r->patterns, r->count, sizeof(*r->patterns), by_literals);
	*out = r;
	return 0;
}

void web_routes_free(struct web_routes *r)
{
	if (!r)
		return;
	free(r->patterns);
	free(r);
}

static bool fits(const struct pattern *p, const struct span *segments,
		 struct span parts[WEB_PATH_PARTS])
{
	size_t holes = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->segments[i].p) {
			if (!same_segment(p->segments[i], segments[i]))
				return false;
		} else {
			if (segments[i].n == 0)
				return false;
			parts[holes++] = segments[i];
		}
	}
	return true;
}

void web_routes_find(const struct web_routes *r, const char *method,
		     struct span path, struct web_match *out)
{
	struct span segments[WEB_SEGMENTS_MAX];
	const struct pattern *p = NULL;
	size_t count;
	bool slash;

	memset(out, 0, sizeof(*out));
	if (!cut(path, segments, &count, &slash))
		return;
	for (size_t i = 0; i < r->count && !p; i++)
		if (r->patterns[i].count == count &&
		    r->patterns[i].slash == slash &&
		    fits(&r->patterns[i], segments, out->parts))
			p = &r->patterns[i];
	if (!p)
		return;
	out->allow = p->allow;
	for (size_t i = 0; i < p->methods_count; i++)
		if (strcmp(p->methods[i].name, method) == 0)
			out->route = p->methods[i].route;
}
