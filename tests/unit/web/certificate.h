// SPDX-License-Identifier: Apache-2.0
/*
 * certificate.h - a certificate signed by itself, in files, for tests.
 */
#pragma once

enum { CERTIFICATE_PATH_BYTES = 64 };

struct certificate {
	char dir[CERTIFICATE_PATH_BYTES / 2];
	char cert[CERTIFICATE_PATH_BYTES], key[CERTIFICATE_PATH_BYTES];
};

/* For the host `name`, from two days ago on, for `days` from now; -1: until yesterday. */
void certificate_make(struct certificate *c, const char *name, int days);
void certificate_remove(struct certificate *c);
