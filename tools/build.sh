#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# build.sh FOLDER [MESON OPTION...] - configure FOLDER the first time, then
# build it.  The options are remembered; if they change here, the folder is
# configured again rather than left as it was.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift

if [ ! -f "$folder/build.ninja" ]; then
	rm -rf "$folder/meson-private" "$folder/meson-info"
	meson setup "$folder" "$@"
elif [ "$(cat "$folder/asked-for" 2>/dev/null)" != "$*" ]; then
	meson setup --wipe "$folder" "$@"
fi
printf '%s' "$*" >"$folder/asked-for"
[ -n "${CONFIGURE_ONLY:-}" ] || ninja -C "$folder"
