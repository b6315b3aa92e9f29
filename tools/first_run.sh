#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# first_run.sh - what a newcomer does first: `make run`, and the curl that it
# prints.  The server is ended by a SIGTERM, and that has to be well, too.
set -uo pipefail
cd "$(dirname "$0")/.."
SILENT_S=300 # at most, between two lines of what it says

exec 3< <(exec make run 2>&1)
make=$!
said='' ready=
while [ -z "$ready" ] && IFS= read -r -t $SILENT_S line <&3; do
	printf '%s\n' "$line"
	said+=$line$'\n'
	[[ $line == *'"event":"server.ready"'* ]] && ready=yes
done
[ -n "$ready" ] || {
	echo 'first_run: the server did not become ready'
	[ ! -d /proc/$make ] || kill $(</proc/$make/task/$make/children)
	exit 1
}

answer=$(bash -c "$(sed -n '/^2\./,/^3\./p' <<<"$said" | grep -v '^[23]\.')")
printf '%s\n' "$answer"
kill $(</proc/$make/task/$make/children)
cat <&3
wait $make || {
	echo "first_run: make run ended with $?"
	exit 1
}
[[ $answer == *'"status":"pending"'* ]] || {
	echo 'first_run: the curl made no verification'
	exit 1
}
