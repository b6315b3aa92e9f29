// SPDX-License-Identifier: Apache-2.0
/*
 * test_profiles.c - the documents of the faces: apart by application and kind,
 * bounded, in order, gone with their parents.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "service/profiles.h"
#include "support/world.h"

#define SERVICE_KIND "twilio.service"
#define LIMIT_KIND "twilio.limit"
#define BUCKET_KIND "twilio.bucket"

enum { CROWD = SERVICE_PROFILES_MAX + 5, SHOWN = 4 };

struct got {
	struct service_refusal no;
	bool refused, done;
	size_t count;
	struct service_profile at[SHOWN];
	char json[SHOWN][64];
};

static void got(const struct service_refusal *no,
		const struct service_profile *profiles, size_t count, void *ctx)
{
	struct got *g = ctx;

	g->refused = no != NULL;
	if (no)
		g->no = *no;
	g->count = count;
	for (size_t i = 0; i < count && i < SHOWN; i++) {
		g->at[i] = profiles[i];
		(void)snprintf(g->json[i], sizeof(g->json[i]), "%s",
			       profiles[i].json);
	}
	__atomic_store_n(&g->done, true, __ATOMIC_RELEASE);
}

static bool is_done(void *ctx)
{
	return __atomic_load_n(&((struct got *)ctx)->done, __ATOMIC_ACQUIRE);
}

static struct service_profile profile(const char *kind, const char *id,
				      const char *parent, const char *json)
{
	struct service_profile p = {.json = json};

	(void)snprintf(p.kind, sizeof(p.kind), "%s", kind);
	(void)snprintf(p.id, sizeof(p.id), "%s", id);
	(void)snprintf(p.parent, sizeof(p.parent), "%s", parent);
	return p;
}

static struct got add(struct world *w, const struct service_profile *p)
{
	struct got g = {0};

	service_profile_add(w->service, &w->who, p, got, &g);
	world_turn(w, is_done, &g);
	return g;
}

static struct got add_new(struct world *w, const char *kind, const char *id,
			  const char *parent)
{
	const struct service_profile p = profile(kind, id, parent, "{}");

	return add(w, &p);
}

static struct got change(struct world *w, const struct service_profile *p)
{
	struct got g = {0};

	service_profile_change(w->service, &w->who, p, got, &g);
	world_turn(w, is_done, &g);
	return g;
}

static struct got read_one(struct world *w, const char *kind, const char *id)
{
	struct got g = {0};

	service_profile_read(w->service, &w->who, kind, id, got, &g);
	world_turn(w, is_done, &g);
	return g;
}

static struct got list(struct world *w, const char *kind, const char *parent)
{
	struct got g = {0};

	service_profile_list(w->service, &w->who, kind, parent, got, &g);
	world_turn(w, is_done, &g);
	return g;
}

static struct got remove_one(struct world *w, const char *kind, const char *id)
{
	struct got g = {0};

	service_profile_remove(w->service, &w->who, kind, id, got, &g);
	world_turn(w, is_done, &g);
	return g;
}

static void assert_not_found(struct got g)
{
	assert_true(g.refused);
	assert_string_equal(g.no.code, "not_found");
}

/* --- one ---------------------------------------------------------------------------- */

TEST(what_was_added_is_read_as_it_was)
{
	struct world *w = *state;
	const struct service_profile p =
		profile(LIMIT_KIND, "RK1", "VA1", "{\"n\":1}");
	struct got made = add(w, &p), read;

	world_kill(w);
	world_start(w);
	read = read_one(w, LIMIT_KIND, "RK1");

	assert_false(made.refused);
	assert_int_equal(read.count, 1);
	assert_string_equal(read.at[0].id, "RK1");
	assert_string_equal(read.at[0].kind, LIMIT_KIND);
	assert_string_equal(read.at[0].parent, "VA1");
	assert_string_equal(read.json[0], "{\"n\":1}");
	assert_int_equal(read.at[0].created_ms, made.at[0].created_ms);
	assert_int_equal(read.at[0].updated_ms, read.at[0].created_ms);
}

TEST(a_change_keeps_what_it_was_and_when_it_was_made)
{
	struct world *w = *state;
	struct service_profile p =
		profile(LIMIT_KIND, "RK1", "VA1", "{\"n\":1}");
	struct got made = add(w, &p), then;

	world_pass(w, SECONDS(5));
	p.json = "{\"n\":2}";
	p.parent[0] = '\0';
	assert_false(change(w, &p).refused);
	then = read_one(w, LIMIT_KIND, "RK1");

	assert_string_equal(then.json[0], "{\"n\":2}");
	assert_string_equal(then.at[0].parent, "VA1");
	assert_int_equal(then.at[0].created_ms, made.at[0].created_ms);
	assert_true(then.at[0].updated_ms > then.at[0].created_ms);
}

TEST(an_id_is_there_once_and_a_change_makes_none)
{
	struct world *w = *state;
	const struct service_profile none =
		profile(SERVICE_KIND, "VA9", "", "{}");

	assert_false(add_new(w, SERVICE_KIND, "VA1", "").refused);
	assert_string_equal(add_new(w, SERVICE_KIND, "VA1", "").no.code,
			    "conflict");
	assert_false(add_new(w, LIMIT_KIND, "VA1", "").refused);
	assert_not_found(change(w, &none));
	assert_not_found(read_one(w, SERVICE_KIND, "VA9"));
	assert_not_found(remove_one(w, SERVICE_KIND, "VA9"));
}

TEST(what_cannot_be_kept_is_refused)
{
	struct world *w = *state;
	char *large = b_zero(1, SERVICE_PROFILE_MAX + 2);
	struct service_profile p = profile(SERVICE_KIND, "VA1", "", large);

	memset(large, ' ', SERVICE_PROFILE_MAX + 1);
	assert_string_equal(add(w, &p).no.code, "invalid_field");
	large[SERVICE_PROFILE_MAX] = '\0';
	assert_false(add(w, &p).refused);
	p.id[0] = '\0';
	assert_string_equal(add(w, &p).no.code, "invalid_field");
	free(large);
}

TEST(another_application_sees_none_of_it)
{
	struct world *w = *state;

	(void)add_new(w, SERVICE_KIND, "VA1", "");
	(void)snprintf(w->who.application, sizeof(w->who.application), "else");

	assert_not_found(read_one(w, SERVICE_KIND, "VA1"));
	assert_int_equal(list(w, SERVICE_KIND, NULL).count, 0);
	assert_not_found(remove_one(w, SERVICE_KIND, "VA1"));
	assert_false(add_new(w, SERVICE_KIND, "VA1", "").refused);
}

/* --- many ---------------------------------------------------------------------------- */

TEST(a_list_is_of_a_kind_and_a_parent_newest_first)
{
	struct world *w = *state;
	static const char *const ids[] = {"RK1", "RK2", "RK3"};
	struct got all, of_one;

	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		(void)add_new(w, LIMIT_KIND, ids[i], i == 1 ? "VA2" : "VA1");
		world_pass(w, SECONDS(1));
	}
	(void)add_new(w, SERVICE_KIND, "VA1", "");
	all = list(w, LIMIT_KIND, NULL);
	of_one = list(w, LIMIT_KIND, "VA1");

	assert_int_equal(all.count, 3);
	assert_string_equal(all.at[0].id, "RK3");
	assert_string_equal(all.at[2].id, "RK1");
	assert_int_equal(of_one.count, 2);
	assert_string_equal(of_one.at[0].id, "RK3");
	assert_string_equal(of_one.at[1].id, "RK1");
	assert_int_equal(list(w, LIMIT_KIND, "VA3").count, 0);
}

TEST(with_a_parent_all_that_hangs_on_it_is_gone)
{
	struct world *w = *state;

	(void)add_new(w, SERVICE_KIND, "VA1", "");
	(void)add_new(w, SERVICE_KIND, "VA2", "");
	(void)add_new(w, LIMIT_KIND, "RK1", "VA1");
	(void)add_new(w, LIMIT_KIND, "RK2", "VA2");
	(void)add_new(w, BUCKET_KIND, "BL1", "RK1");
	(void)add_new(w, BUCKET_KIND, "BL2", "RK1");

	assert_false(remove_one(w, SERVICE_KIND, "VA1").refused);

	assert_not_found(read_one(w, SERVICE_KIND, "VA1"));
	assert_int_equal(list(w, LIMIT_KIND, NULL).count, 1);
	assert_int_equal(list(w, BUCKET_KIND, NULL).count, 0);
	assert_int_equal(read_one(w, SERVICE_KIND, "VA2").count, 1);
	assert_int_equal(read_one(w, LIMIT_KIND, "RK2").count, 1);
}

TEST(what_is_its_own_parent_goes_as_well)
{
	struct world *w = *state;

	(void)add_new(w, SERVICE_KIND, "VA1", "VA1");

	assert_false(remove_one(w, SERVICE_KIND, "VA1").refused);
	assert_not_found(read_one(w, SERVICE_KIND, "VA1"));
}

static bool all_done(void *ctx)
{
	struct got *g = ctx;

	for (size_t i = 0; i < CROWD; i++)
		if (!is_done(&g[i]))
			return false;
	return true;
}

TEST(the_bound_holds_however_many_are_added_at_once)
{
	struct world *w = *state;
	struct got *g = b_zero(CROWD, sizeof(*g));
	size_t refused = 0;

	for (size_t i = 0; i < CROWD; i++) {
		char id[SERVICE_PROFILE_ID_BYTES];
		struct service_profile p;

		(void)snprintf(id, sizeof(id), "VA%zu", i);
		p = profile(SERVICE_KIND, id, "", "{}");
		service_profile_add(w->service, &w->who, &p, got, &g[i]);
	}
	world_turn(w, all_done, g);
	for (size_t i = 0; i < CROWD; i++)
		refused += g[i].refused;

	assert_int_equal(refused, CROWD - SERVICE_PROFILES_MAX);
	assert_int_equal(list(w, SERVICE_KIND, NULL).count,
			 SERVICE_PROFILES_MAX);
	assert_string_equal(add_new(w, SERVICE_KIND, "VAnew", "").no.code,
			    "conflict");
	assert_false(remove_one(w, SERVICE_KIND, "VA0").refused);
	assert_false(add_new(w, SERVICE_KIND, "VAnew", "").refused);
	free(g);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_added_is_read_as_it_was),
		CASE(a_change_keeps_what_it_was_and_when_it_was_made),
		CASE(an_id_is_there_once_and_a_change_makes_none),
		CASE(what_cannot_be_kept_is_refused),
		CASE(another_application_sees_none_of_it),
		CASE(a_list_is_of_a_kind_and_a_parent_newest_first),
		CASE(with_a_parent_all_that_hangs_on_it_is_gone),
		CASE(what_is_its_own_parent_goes_as_well),
		CASE(the_bound_holds_however_many_are_added_at_once),
	};

	return cmocka_run_group_tests_name("scenario/profiles", tests,
					   world_voices, world_no_voices);
}
