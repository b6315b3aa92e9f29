#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh FOLDER [MESON OPTION...] - configure FOLDER the first time, then
# build it.  What it was configured from is remembered: other options here
# mean a fresh folder, and a source or a meson.build that came or went means
# asking meson again, which looks for some of them itself and would not
# notice.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift

sources=$(find src tests fuzz bench -name node_modules -prune -o \
	\( -name '*.c' -o -name '*.cc' -o -name meson.build \) -print | sort |
	sha256sum)

# What meson says is only of interest when it fails.
meson_setup() {
	local said
	said=$(meson setup "$@" 2>&1) && return 0
	printf '%s\n' "$said"
	return 1
}

if [ ! -f "$folder/build.ninja" ]; then
	meson_setup "$folder" "$@"
elif [ "$(cat "$folder/options" 2>/dev/null)" != "$*" ]; then
	meson_setup --wipe "$folder" "$@"
elif [ "$(cat "$folder/sources" 2>/dev/null)" != "$sources" ]; then
	meson_setup --reconfigure "$folder"
fi
printf '%s' "$*" >"$folder/options"
printf '%s' "$sources" >"$folder/sources"
ninja -C "$folder"
