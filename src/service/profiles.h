// SPDX-License-Identifier: Apache-2.0
/*
 * profiles.h - small documents that a face keeps for an application: a vendor's
 * "service", its rate limits.
 *
 * What is in them is the face's; this room keeps them apart by application,
 * finds them and removes them.  Handlers as in service.h.
 */
#pragma once

#include "service/service.h"

enum {
	SERVICE_PROFILE_ID_BYTES = 48,
	SERVICE_PROFILE_KIND_BYTES = 24,
	SERVICE_PROFILE_MAX = 8 << 10, /* bytes of its JSON */
	SERVICE_PROFILES_MAX = 1000,   /* of one kind and application */
};

struct service_profile {
	char id[SERVICE_PROFILE_ID_BYTES];     /* of the face's making */
	char kind[SERVICE_PROFILE_KIND_BYTES]; /* "twilio.service", ... */
	char parent[SERVICE_PROFILE_ID_BYTES]; /* "": none */
	const char *json;
	int64_t created_ms, updated_ms; /* wall; set by this room */
};

/* profiles NULL and count 0 when refused: "not_found", "conflict", ... */
typedef void service_profiles_h(const struct service_refusal *no,
				const struct service_profile *profiles,
				size_t count, void *ctx);

/* A new one ("conflict": that id exists), or another text for an old one
 * ("not_found").  Strings are copied. */
void service_profile_add(struct service *sv, const struct service_who *who,
			 const struct service_profile *p,
			 service_profiles_h *done, void *ctx);
void service_profile_change(struct service *sv, const struct service_who *who,
			    const struct service_profile *p,
			    service_profiles_h *done, void *ctx);
void service_profile_read(struct service *sv, const struct service_who *who,
			  const char *kind, const char *id,
			  service_profiles_h *done, void *ctx);
/* Those of a kind and of a parent (NULL: of any), newest first. */
void service_profile_list(struct service *sv, const struct service_who *who,
			  const char *kind, const char *parent,
			  service_profiles_h *done, void *ctx);
/* Gone, with those whose parent it is. */
void service_profile_remove(struct service *sv, const struct service_who *who,
			    const char *kind, const char *id,
			    service_profiles_h *done, void *ctx);
