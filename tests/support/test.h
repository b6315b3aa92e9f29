// SPDX-License-Identifier: Apache-2.0
/*
 * test.h - cmocka with the headers it wants, in the order it wants them.
 */
#pragma once

/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

#define TEST(name) static void name(__attribute__((unused)) void **state)
