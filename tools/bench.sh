#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# bench.sh FOLDER - build for speed, run every benchmark alone, and print what
# each of them measured.  A slow figure is never an error; a program that
# fails is.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: tools/bench.sh FOLDER}

# Warnings are no errors here: at -O3 gcc sees nulls in tests that an assert
# has ruled out.
tools/build.sh "$folder" --buildtype=release -Dwerror=false >"$folder.log" 2>&1 || {
	tail -n 40 "$folder.log"
	exit 1
}
rm -f "$folder.log" "$folder"/meson-logs/benchmarklog.*
meson test --benchmark -C "$folder" --no-rebuild \
	--logbase benchmarklog </dev/null >"$folder/bench.out" 2>&1
status=$?
[ -s "$folder/meson-logs/benchmarklog.json" ] || {
	cat "$folder/bench.out"
	exit $status
}
python3 - "$folder/meson-logs/benchmarklog.json" <<'END'
import json
import sys

for line in open(sys.argv[1]):
    run = json.loads(line)
    print('== ' + run['name'].split(' / ')[-1])
    print((run.get('stdout') or '').rstrip('\n'))
    if run['result'] != 'OK':
        print((run.get('stderr') or '').rstrip('\n'))
        print('failed: ' + run['result'])
END
exit $status
