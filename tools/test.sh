#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test.sh FOLDER [MESON TEST OPTION...] - build FOLDER, run its tests, count
# them.  Whatever goes wrong, the last line is `N passed, N failed`: a tree
# that does not build has failed once.  BUILD_OPTIONS configures the folder.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift

# shellcheck disable=SC2086 # options, one word each
if ! tools/build.sh "$folder" ${BUILD_OPTIONS:-}; then
	echo
	echo "the build failed, so no test ran"
	echo "0 passed, 1 failed"
	exit 1
fi

rm -f "$folder"/meson-logs/testlog.*
case " $* " in
*" -t "*) ;;
*) set -- "$@" -t 3 ;; # a slow machine is not a failed test
esac
meson test -C "$folder" --no-rebuild "$@" </dev/null
tools/tally.py --status $? "$folder/meson-logs/testlog.json"
