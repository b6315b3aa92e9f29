// SPDX-License-Identifier: Apache-2.0
/*
 * hook_sign.c - the secrets of webhooks, and what is signed with them.
 *
 * A secret is derived from the key ring by the application and a generation, so
 * nothing secret is stored, and another generation is another secret.  After a
 * rotation both sign for a day: a receiver may take over the new one whenever
 * it likes in that time.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "service/hook_priv.h"

enum {
	LABEL_BYTES = VERIFICATION_APP_BYTES + 64,
	SIGNED_MAX = 512 << 10,
	SIGNED_ONE = 48 /* base64 of a hash */
};

int service_hook_secret(const struct keyring *ring, const char *application,
			const struct service_app_secret *s,
			uint8_t out[CRYPTO_KEY_BYTES])
{
	const uint8_t *key =
		keyring_key(ring, s->key[0] ? s->key : NULL, KEYRING_WEBHOOK);
	char label[LABEL_BYTES];

	if (!key)
		return -ENOKEY;
	(void)snprintf(label, sizeof(label), "voiceotp 1 webhook %u of %s",
		       s->generation, application);
	crypto_subkey(key, label, out);
	return 0;
}

void service_hook_secret_text(const uint8_t raw[CRYPTO_KEY_BYTES],
			      char out[SERVICE_HOOK_SECRET_BYTES])
{
	char text[SERVICE_HOOK_SECRET_BYTES];

	crypto_base64(raw, CRYPTO_KEY_BYTES, text);
	(void)snprintf(out, SERVICE_HOOK_SECRET_BYTES, "whsec_%.44s", text);
	crypto_wipe(text, sizeof(text));
}

int service_hook_secrets(struct service *sv, const char *application,
			 struct service_hook_secrets *out)
{
	struct service_app a;
	int err = 0;

	memset(out, 0, sizeof(*out));
	if (!service_app_find(sv, application, &a))
		return -ENOENT;
	err = service_hook_secret(sv->p.ring, a.name, &a.secret, out->raw[0]);
	if (err)
		return err;
	out->count = 1;
	if (a.old_until_ms > clock_wall_ms(sv->p.clock) &&
	    service_hook_secret(sv->p.ring, a.name, &a.old_secret,
				out->raw[1]) == 0)
		out->count = 2;
	return 0;
}

void service_hook_secrets_wipe(struct service_hook_secrets *s)
{
	crypto_wipe(s, sizeof(*s));
}

static void sign_one(const uint8_t secret[CRYPTO_KEY_BYTES], struct span text,
		     char out[SIGNED_ONE])
{
	uint8_t mac[CRYPTO_HASH_BYTES];

	crypto_hmac(secret, text.p, text.n, mac);
	crypto_base64(mac, sizeof(mac), out);
}

void service_hook_sign_with(const struct service_hook_secrets *s,
			    const char *id, int64_t now_ms, struct span body,
			    struct service_hook_signature *out)
{
	AUTO_BUF(text, SIGNED_MAX);
	char one[SIGNED_ONE];
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	(void)snprintf(out->id, sizeof(out->id), "%s", id);
	(void)snprintf(out->timestamp, sizeof(out->timestamp), "%lld",
		       (long long)(now_ms / 1000));
	buf_printf(&text, "%s.%s.", out->id, out->timestamp);
	buf_span(&text, body);
	for (size_t i = 0; i < s->count; i++) {
		sign_one(s->raw[i], buf_view(&text), one);
		n += (size_t)snprintf(out->signature + n,
				      sizeof(out->signature) - n, "%sv1,%s",
				      i ? " " : "", one);
	}
}

int service_hook_sign(struct service *sv, const char *application,
		      const char *about, struct span body,
		      struct service_hook_signature *out)
{
	struct service_hook_secrets secrets;
	char id[SERVICE_HOOK_ID_BYTES];
	int err = service_hook_secrets(sv, application, &secrets);

	if (err)
		return err;
	/* NOLINTNEXTLINE(readability-suspicious-call-argument) */
	service_hook_id(application, about, id);
	service_hook_sign_with(&secrets, id, clock_wall_ms(sv->p.clock), body,
			       out);
	service_hook_secrets_wipe(&secrets);
	return 0;
}
