#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# sources.sh EXTENSION... - the project's own files with these endings, one
# per line, for the tools that look at each of them.
cd "$(dirname "$0")/.." || exit 1
for dir in src tests fuzz bench; do
	[ -d "$dir" ] || continue
	for ext; do
		find "$dir" -name node_modules -prune -o -name "*.$ext" -type f -print
	done
done | sort
