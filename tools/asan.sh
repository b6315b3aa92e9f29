#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# asan.sh FOLDER - the unit and scenario tests under both sanitizers.
#
# handle_segv and handle_abort are 2 because cmocka installs handlers of its
# own, which would eat the stack trace.  Warnings are no errors here: what the
# sanitizers insert makes gcc see nulls and bounds that are not in the source.
set -uo pipefail
export ASAN_OPTIONS=handle_segv=2:handle_abort=2:detect_leaks=1:print_legend=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
BUILD_OPTIONS='-Db_sanitize=address,undefined -Db_lundef=false -Dwerror=false'
export BUILD_OPTIONS
exec "$(dirname "$0")/test.sh" "$1" --suite unit --suite scenario -t 8
