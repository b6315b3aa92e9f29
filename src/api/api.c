// SPDX-License-Identifier: Apache-2.0
/*
 * api.c - the paths.
 */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "api/api_priv.h"
#include "api/phone.h"
#include "api/plivo.h"
#include "api/twilio.h"
#include "api/vendor.h"
#include "base/mem.h"

/* The page's telephone has no face where there is no page. */
#define PHONE(name)                                                \
	static void phone_##name(struct web_request *r, void *ctx) \
	{                                                          \
		api_phone_##name(((struct api *)ctx)->p.phone, r); \
	}
PHONE(page)
PHONE(session)
PHONE(events)
PHONE(act)
PHONE(sound)

/* A document as it comes may be wider than the same in canonical form. */
enum { FLOW_BODY_MAX = 2 * FLOW_DOCUMENT_MAX };

static const struct web_route routes[] = {
	{.method = "POST",
	 .pattern = "/v1/verifications",
	 .handler = api_create},
	{.method = "GET", .pattern = "/v1/verifications", .handler = api_list},
	{.method = "POST",
	 .pattern = "/v1/verifications/search",
	 .handler = api_search},
	{.method = "GET",
	 .pattern = "/v1/verifications/{}",
	 .handler = api_read},
	{.method = "POST",
	 .pattern = "/v1/verifications/{}/check",
	 .handler = api_check},
	{.method = "POST",
	 .pattern = "/v1/verifications/{}/cancel",
	 .handler = api_cancel},
	{.method = "POST",
	 .pattern = "/v1/verifications/{}/call",
	 .handler = api_call},
	{.method = "GET",
	 .pattern = "/v1/verifications/{}/events",
	 .handler = api_events},
	{.method = "GET",
	 .pattern = "/v1/verifications/{}/trace",
	 .handler = api_trace},
	{.method = "GET",
	 .pattern = "/v1/verifications/{}/webhooks",
	 .handler = api_hook},
	{.method = "POST",
	 .pattern = "/v1/verifications/{}/webhooks/resend",
	 .handler = api_hook_resend},
	{.method = "GET", .pattern = "/v1/webhooks", .handler = api_hooks},
	{.method = "GET", .pattern = "/v1/flows", .handler = api_flows},
	{.method = "POST",
	 .pattern = "/v1/flows",
	 .handler = api_flow_add,
	 .body_max = FLOW_BODY_MAX},
	{.method = "POST",
	 .pattern = "/v1/flows/import",
	 .handler = api_flow_import,
	 .body_max = FLOW_BODY_MAX},
	{.method = "POST",
	 .pattern = "/v1/flows/validate",
	 .handler = api_flow_validate_alone,
	 .body_max = FLOW_BODY_MAX},
	{.method = "GET", .pattern = "/v1/flows/{}", .handler = api_flow_read},
	{.method = "DELETE",
	 .pattern = "/v1/flows/{}",
	 .handler = api_flow_remove},
	{.method = "GET",
	 .pattern = "/v1/flows/{}/draft",
	 .handler = api_flow_draft},
	{.method = "PUT",
	 .pattern = "/v1/flows/{}/draft",
	 .handler = api_flow_save,
	 .body_max = FLOW_BODY_MAX},
	{.method = "POST",
	 .pattern = "/v1/flows/{}/validate",
	 .handler = api_flow_validate,
	 .body_max = FLOW_BODY_MAX},
	{.method = "POST",
	 .pattern = "/v1/flows/{}/publish",
	 .handler = api_flow_publish},
	{.method = "GET",
	 .pattern = "/v1/flows/{}/versions",
	 .handler = api_flow_versions},
	{.method = "GET",
	 .pattern = "/v1/flows/{}/versions/{}",
	 .handler = api_flow_version},
	{.method = "POST",
	 .pattern = "/v1/flows/{}/versions/{}/restore",
	 .handler = api_flow_restore},
	{.method = "GET",
	 .pattern = "/v1/flows/{}/versions/{}/diff/{}",
	 .handler = api_flow_diff},
	{.method = "GET",
	 .pattern = "/v1/flows/{}/export",
	 .handler = api_flow_export},
	{.method = "POST",
	 .pattern = "/v1/flows/{}/test",
	 .handler = api_flow_test},
	{.method = "GET",
	 .pattern = "/v1/flows/{}/runs/{}",
	 .handler = api_run_read},
	{.method = "DELETE",
	 .pattern = "/v1/flows/{}/runs/{}",
	 .handler = api_run_remove},
	{.method = "GET",
	 .pattern = "/v1/flows/{}/runs/{}/events",
	 .handler = api_run_events},
	{.method = "GET",
	 .pattern = "/v1/verifications/{}/runs",
	 .handler = api_runs},
	{.method = "GET", .pattern = "/v1/trunks", .handler = api_trunks},
	{.method = "GET", .pattern = "/v1/events", .handler = api_all_events},
	{.method = "POST", .pattern = "/v1/explain", .handler = api_explain},
	{.method = "GET", .pattern = "/healthz", .handler = api_healthz},
	{.method = "GET", .pattern = "/readyz", .handler = api_readyz},
	{.method = "GET", .pattern = "/metrics", .handler = api_metrics},
	{.method = "GET", .pattern = "/phone", .handler = phone_page},
	{.method = "GET", .pattern = "/phone/{}", .handler = phone_page},
	{.method = "POST",
	 .pattern = "/phone/session",
	 .handler = phone_session},
	{.method = "GET", .pattern = "/phone/events", .handler = phone_events},
	{.method = "POST",
	 .pattern = "/phone/calls/{}/{}",
	 .handler = phone_act},
	{.method = "GET",
	 .pattern = "/phone/calls/{}/sound/{}",
	 .handler = phone_sound},
	/* Plivo's clients, running flows; some end a path in a slash */
	{.method = "GET",
	 .pattern = "/v1/phlo/{}",
	 .handler = phlo_get,
	 .slash = true},
	{.method = "POST",
	 .pattern = "/v1/account/{}/phlo/{}",
	 .handler = phlo_run,
	 .slash = true},
	{.method = "GET",
	 .pattern = "/v1/phlo/{}/runs/{}",
	 .handler = phlo_read,
	 .slash = true},
	/* Plivo's clients */
	{.method = "POST",
	 .pattern = "/v1/Account/{}/Verify/Session",
	 .handler = plivo_create,
	 .slash = true},
	{.method = "GET",
	 .pattern = "/v1/Account/{}/Verify/Session",
	 .handler = plivo_list,
	 .slash = true},
	{.method = "POST",
	 .pattern = "/v1/Account/{}/Verify/Session/{}",
	 .handler = plivo_validate,
	 .slash = true},
	{.method = "GET",
	 .pattern = "/v1/Account/{}/Verify/Session/{}",
	 .handler = plivo_read,
	 .slash = true},
	/* Twilio's clients */
	{.method = "POST",
	 .pattern = "/v2/Services",
	 .handler = twilio_services_add},
	{.method = "GET",
	 .pattern = "/v2/Services",
	 .handler = twilio_services_list},
	{.method = "GET",
	 .pattern = "/v2/Services/{}",
	 .handler = twilio_service_get},
	{.method = "POST",
	 .pattern = "/v2/Services/{}",
	 .handler = twilio_service_change},
	{.method = "DELETE",
	 .pattern = "/v2/Services/{}",
	 .handler = twilio_service_remove},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/Verifications",
	 .handler = twilio_verifications_add},
	{.method = "GET",
	 .pattern = "/v2/Services/{}/Verifications/{}",
	 .handler = twilio_verification_get},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/Verifications/{}",
	 .handler = twilio_verification_change},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/VerificationCheck",
	 .handler = twilio_check},
	{.method = "GET",
	 .pattern = "/v2/Attempts",
	 .handler = twilio_attempts_list},
	{.method = "GET",
	 .pattern = "/v2/Attempts/Summary",
	 .handler = twilio_attempts_summary},
	{.method = "GET",
	 .pattern = "/v2/Attempts/{}",
	 .handler = twilio_attempt_get},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/RateLimits",
	 .handler = twilio_limits_add},
	{.method = "GET",
	 .pattern = "/v2/Services/{}/RateLimits",
	 .handler = twilio_limits_list},
	{.method = "GET",
	 .pattern = "/v2/Services/{}/RateLimits/{}",
	 .handler = twilio_limit_get},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/RateLimits/{}",
	 .handler = twilio_limit_change},
	{.method = "DELETE",
	 .pattern = "/v2/Services/{}/RateLimits/{}",
	 .handler = twilio_limit_remove},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/RateLimits/{}/Buckets",
	 .handler = twilio_buckets_add},
	{.method = "GET",
	 .pattern = "/v2/Services/{}/RateLimits/{}/Buckets",
	 .handler = twilio_buckets_list},
	{.method = "GET",
	 .pattern = "/v2/Services/{}/RateLimits/{}/Buckets/{}",
	 .handler = twilio_bucket_get},
	{.method = "POST",
	 .pattern = "/v2/Services/{}/RateLimits/{}/Buckets/{}",
	 .handler = twilio_bucket_change},
	{.method = "DELETE",
	 .pattern = "/v2/Services/{}/RateLimits/{}/Buckets/{}",
	 .handler = twilio_bucket_remove},
	{0},
};

const struct web_route *api_routes(const struct api *a)
{
	return a->routes;
}

/* The example's paths begin as the settings say. */
static void add_example(struct api *a, size_t n)
{
	static const struct {
		const char *name;
		web_handler_h *handler;
	} ends[] = {{"dispatch_otp", example_dispatch},
		    {"verify_otp", example_verify}};
	static const char *const methods[] = {"GET", "POST"};

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		AUTO_BUF(path, WEB_URL_MAX);

		buf_printf(&path, "%s/%s", a->p.example->prefix, ends[i].name);
		a->example_paths[i] = buf_take(&path);
		for (size_t m = 0; m < COUNT_OF(methods); m++)
			a->routes[n++] = (struct web_route){
				.method = methods[m],
				.pattern = a->example_paths[i],
				.handler = ends[i].handler,
				.slash = true};
	}
}

static void make_routes(struct api *a)
{
	enum { EXAMPLES = 4 };

	a->routes = b_zero(COUNT_OF(routes) + EXAMPLES, sizeof(*a->routes));
	memcpy(a->routes, routes, sizeof(routes));
	if (a->p.example)
		add_example(a, COUNT_OF(routes) - 1);
}

int api_new(const struct api_params *params, struct api **out, struct diag *d)
{
	struct api *a;

	if (!params->service)
		return diag_set(d, "the API needs a service");
	a = b_zero(1, sizeof(*a));
	a->p = *params;
	a->follows = api_follows_new(params->service);
	make_routes(a);
	*out = a;
	return 0;
}

void api_attach(struct api *a, struct web *w)
{
	atomic_store(&a->web, w);
}

void api_free(struct api *a)
{
	if (!a)
		return;
	api_follows_free(a->follows);
	for (size_t i = 0; i < COUNT_OF(a->example_paths); i++)
		free(a->example_paths[i]);
	free(a->routes);
	free(a);
}
