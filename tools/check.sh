#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# check.sh FOLDER - everything that can be said of the code without running
# it.  Every check runs, also after one has failed: a person wants to know all
# that is wrong, once.  FOLDER is a build with clang.
set -uo pipefail
cd "$(dirname "$0")/.."
folder=${1:?usage: tools/check.sh FOLDER}
failed=()

check() { # NAME COMMAND...
	local name=$1 said
	shift
	if said=$("$@" 2>&1 </dev/null); then
		printf 'ok    %-9s %s\n' "$name" "$(tail -n 1 <<<"$said")"
	else
		printf 'FAIL  %-9s\n%s\n\n' "$name" "$(sed 's/^/    /' <<<"$said")"
		failed+=("$name")
	fi
}

format() {
	local files
	mapfile -t files <<<"$(tools/sources.sh c h cc)"
	clang-format --dry-run -Werror --ferror-limit=3 "${files[@]}" || {
		echo 'make fmt puts this right'
		return 1
	}
	echo "${#files[@]} files are laid out"
}

# Tests own the clock: one that waits is slow today and red tomorrow.
no_sleep() {
	! grep -rnE --include='*.[ch]' --include='*.cc' --include='*.py' \
		--include='*.js' --include='*.mjs' --include='*.ts' \
		--exclude-dir=node_modules \
		'\b(u|nano|clock_nano|thrd_)?sleep *\(|\bwaitForTimeout *\(' tests &&
		echo 'no test waits'
}

spelling() {
	local there=() at
	for at in src tests fuzz bench docs tools packaging console \
		README.md ARCHITECTURE.md CONTRIBUTING.md STYLE.md \
		CHANGELOG.md Makefile; do
		[ ! -e $at ] || there+=("$at")
	done
	# What is spoken is in many languages; seeds are nonsense on purpose.
	codespell --quiet-level 3 --ignore-words tools/spelling.txt --skip \
		'*/node_modules,*/seeds,*/regression,*/prompts,*/phrases*,*/dist,package-lock.json,*.wav,*.ulaw,*.svg,spelling.txt' \
		"${there[@]}" && echo 'no word is misspelt'
}

manuals() {
	local pages
	mapfile -t pages <<<"$(find docs -name '*.[1-8]' 2>/dev/null | sort)"
	[ -n "${pages[0]}" ] || {
		echo 'there are none yet'
		return 0
	}
	mandoc -Tlint -W warning "${pages[@]}" &&
		echo "${#pages[@]} manual pages are well formed"
}

tally() {
	python3 -B tools/test_tally.py 2>&1 | grep -v '^$' | sed '$!b;s/^OK$/the tally counts right/'
	return "${PIPESTATUS[0]}"
}

# The second compiler; clang-tidy and symbols.sh read what it leaves behind.
clang_build() {
	CC=clang CXX=clang++ tools/build.sh "$folder" >"$folder.log" 2>&1 || {
		grep -E -A 12 'error|ERROR|FAILED' "$folder.log" | head -n 60
		return 1
	}
	rm -f "$folder.log"
	echo 'clang has no complaint'
}

check format format
check layers tools/layers.py
check sleep no_sleep
check tally tally
if command -v codespell >/dev/null; then check spelling spelling; fi
if command -v mandoc >/dev/null; then check manuals manuals; fi
check clang clang_build
if [ -f "$folder/build.ninja" ]; then
	check symbols tools/symbols.sh "$folder"
	check tidy tools/tidy.py "$folder"
fi

if [ ${#failed[@]} -gt 0 ]; then
	echo "check failed: ${failed[*]}"
	exit 1
fi
echo 'check passed'
