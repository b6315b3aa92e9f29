#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh FOLDER SECONDS - give every fuzz target SECONDS, starting from its
# seeds and from every input that once broke it, and print a line for each.
# What is learnt stays in FOLDER/corpus, what crashes in FOLDER/crashes.
set -euo pipefail
cd "$(dirname "$0")/.."

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export ASAN_OPTIONS=detect_leaks=1

one() { # FOLDER SECONDS NAME
	local folder=$1 seconds=$2 name=$3 at log runs result=ok
	local inputs=("$folder/corpus/$name")
	log=$folder/crashes/$name.log

	mkdir -p "${inputs[0]}"
	for at in fuzz/seeds/$name fuzz/regression/$name; do
		[ ! -d "$at" ] || inputs+=("$at")
	done
	"$folder/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=20 \
		-rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="$folder/crashes/$name-" "${inputs[@]}" \
		>"$log" 2>&1 </dev/null || result=FOUND

	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	printf 'fuzz %-10s %10s executions %4s s  %s\n' \
		"$name" "${runs:-?}" "$seconds" "$result"
	if [ $result = ok ]; then
		rm -f "$log"
		return 0
	fi
	grep -aE -A 25 'ERROR: |runtime error: ' "$log" | head -n 40
	grep -aE 'Test unit written' "$log" || tail -n 20 "$log"
	return 1
}

if [ "${1:-}" = --one ]; then
	one "$2" "$3" "$4"
	exit
fi

folder=$1 seconds=$2
if ! CC=clang CXX=clang++ tools/build.sh "$folder" -Dfuzz=true -Dtests=false \
	-Db_sanitize=address,undefined -Db_lundef=false -Dwerror=false; then
	echo 'the fuzz targets do not build'
	exit 1
fi
mkdir -p "$folder/crashes" "$folder/corpus"

names=()
for source in fuzz/fuzz_*.c; do
	[ -e "$source" ] || continue
	name=$(basename "$source" .c)
	if [ ! -x "$folder/fuzz/$name" ]; then
		echo "$source is not built: give it a row in fuzz/meson.build"
		exit 1
	fi
	names+=("${name#fuzz_}")
done
if [ ${#names[@]} = 0 ]; then
	echo 'there is no fuzz target'
	exit 1
fi
printf '%s\0' "${names[@]}" |
	xargs -0 -n 1 -P "$(nproc)" tools/fuzz.sh --one "$folder" "$seconds" || {
	echo "fuzz: a finding; put the input in fuzz/regression/<name>/, with the fix"
	exit 1
}
echo "fuzz: ${#names[@]} targets, nothing found"
