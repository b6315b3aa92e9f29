// SPDX-License-Identifier: Apache-2.0
/*
 * certificate.c - a certificate signed by itself, in files, for tests.
 */
#include "unit/web/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/test.h"

static const long day_s = 24L * 3600;

static void write_files(const struct certificate *c, EVP_PKEY *key, X509 *cert)
{
	FILE *f = fopen(c->key, "we");

	assert_non_null(f);
	assert_int_equal(
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	(void)fclose(f);
	f = fopen(c->cert, "we");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	(void)fclose(f);
}

static void add_host(X509 *cert, const char *name)
{
	char text[128];
	X509_EXTENSION *ext;

	(void)snprintf(text, sizeof(text), "DNS:%s", name);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(cert, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

static void sign(const struct certificate *c, const char *host, int days)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);

	(void)X509_set_version(cert, X509_VERSION_3);
	(void)ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	(void)X509_gmtime_adj(X509_getm_notBefore(cert), -2 * day_s);
	(void)X509_gmtime_adj(X509_getm_notAfter(cert), days * day_s);
	(void)X509_set_pubkey(cert, key);
	(void)X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					 (const unsigned char *)"test", -1, -1,
					 0);
	(void)X509_set_issuer_name(cert, name);
	add_host(cert, host);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	write_files(c, key, cert);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void certificate_make(struct certificate *c, const char *name, int days)
{
	(void)snprintf(c->dir, sizeof(c->dir), "/tmp/voiceotp-tls-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	(void)snprintf(c->cert, sizeof(c->cert), "%s/cert.pem", c->dir);
	(void)snprintf(c->key, sizeof(c->key), "%s/key.pem", c->dir);
	sign(c, name, days);
}

void certificate_remove(struct certificate *c)
{
	(void)unlink(c->cert);
	(void)unlink(c->key);
	(void)rmdir(c->dir);
}
