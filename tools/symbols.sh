#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# symbols.sh FOLDER - does every name that a room exports, in the libraries
# built in FOLDER, carry the room's prefix, and is none of them a name of
# libre, librem or libjansson?  Those would replace each other at run time.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: tools/symbols.sh FOLDER}
bad=0 rooms=0 names=0

# The C names an archive defines: no C++ (it mangles) and nothing that the
# compiler made up.
exported() {
	nm -g --defined-only "$@" 2>/dev/null |
		awk 'NF == 3 && $3 !~ /^(_Z|__|DW\.ref\.|_GLOBAL_)/ { print $3 }' |
		sort -u
}

# "a_ b$ c!" as the pattern ^(a_|b$|c$)
pattern() {
	local prefix all=()
	for prefix; do all+=("${prefix/%!/$}"); done
	local IFS='|'
	echo "^(${all[*]})"
}

theirs=$(
	for lib in /usr/lib/*/libre.a /usr/lib/*/librem.a \
		/usr/lib/*/libjansson.a; do
		[ ! -e "$lib" ] || exported "$lib"
	done
	for lib in /usr/lib/*/libjansson.so; do
		[ ! -e "$lib" ] || nm -D --defined-only "$lib" |
			awk '{ sub(/@.*/, "", $NF); print $NF }'
	done | sort -u
)

while IFS=: read -r room prefixes; do
	room=${room%%#*}
	room=${room//[[:space:]]/}
	[ -n "$room" ] || continue
	lib=$folder/src/$room/lib$room.a
	[ -e "$lib" ] || continue
	rooms=$((rooms + 1))
	ours=$(exported "$lib")
	names=$((names + $(grep -c . <<<"$ours" || true)))

	# shellcheck disable=SC2086 # prefixes, one word each
	for name in $(grep -vE "$(pattern $prefixes)" <<<"$ours" || true); do
		echo "src/$room: $name has no prefix of $room (tools/symbols.txt)"
		bad=1
	done
	for name in $(grep -xF -e "$theirs" <<<"$ours" || true); do
		[[ " $prefixes " != *" $name! "* ]] || continue
		echo "src/$room: $name is also a name of a library we link"
		bad=1
	done
done <tools/symbols.txt

# A room that is built and not listed would never be looked at.
for lib in "$folder"/src/*/lib*.a; do
	room=$(basename "$(dirname "$lib")")
	[ -e "$lib" ] || continue
	grep -q "^$room:" tools/symbols.txt || {
		echo "src/$room: not in tools/symbols.txt"
		bad=1
	}
done

if [ $rooms = 0 ]; then
	echo "no room is built in $folder"
	bad=1
fi
[ $bad = 1 ] || echo "$names names of $rooms rooms carry their prefixes"
exit $bad
