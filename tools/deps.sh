#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# deps.sh PURPOSE - install what a Debian 12 that has only git and make lacks
# for PURPOSE (run test asan check fuzz bench fmt), and no more.
#
# It says what it is about to install, asks first where a person is watching,
# and is silent and quick when nothing is missing.  Elsewhere than on Debian
# it prints the list and goes on: the build will name what it does not find.
set -euo pipefail
cd "$(dirname "$0")/.."

headers=()
build=(
	gcc               # the compiler
	g++               # for the one file that wraps libphonenumber
	libc6-dev         # the C library's headers
	meson             # what is built from what
	ninja-build       # builds it
	pkg-config        # finds the libraries below
	libmicrohttpd-dev # HTTP in
	libcurl4-openssl-dev # HTTP out: `voiceotp call`
	libjansson-dev    # JSON
	libyaml-dev       # the settings file
	libsqlite3-dev    # the embedded store
	libphonenumber-dev # numbering plans; brings protobuf, abseil and boost
	libssl-dev        # keyed hashes and encryption
	libsamplerate0-dev # 22 kHz speech down to the telephone's 8 kHz
	libre-dev         # SIP
	libspandsp-dev    # keys as tones
)
speak=(
	espeak-ng # the default voice
	flite     # the other voice
)
try=(
	curl # what `make run` prints begins with it
)
unit=(
	libcmocka-dev # the test framework
	python3       # counts the tests
)
recordings=(
	asterisk-core-sounds-en-wav # digits that a person has said
)
phones=(
	sip-tester    # a SIP peer that follows any script
	baresip-core  # a telephone that we did not write
	kamailio      # a proxy that asks for credentials
	sox           # compares what the telephone recorded
)
examples=(
	ruby-actionpack # examples/rails: the parts of Rails that it is made of
	ruby-railties   # ... which starts them
	ruby-webrick    # ... and a server for it
)
browser=(
	chromium # the real browser at the far end of a call
)
look=(
	clang        # a second compiler's opinion
	clang-format # layout
	clang-tidy   # the analyser
	python3      # tools/*.py
	codespell    # spelling
	mandoc       # manual pages
)
fuzzing=(
	clang           # libFuzzer lives in it
	libclang-rt-dev # libFuzzer and the sanitizers themselves
	python3         # tools/*.py
)
listening=(
	sox                   # measures and converts recordings
	pocketsphinx          # hears whether a code was spoken clearly
	pocketsphinx-testdata # the models it hears with
)

node=0 # does this purpose need node and npm?
case ${1:-} in
run) want=("${build[@]}" "${speak[@]}" "${try[@]}") ;;
test) want=("${build[@]}" "${speak[@]}" "${unit[@]}" "${phones[@]}"
	"${recordings[@]}" "${browser[@]}" "${examples[@]}" "${try[@]}") node=1 ;;
asan) want=("${build[@]}" "${speak[@]}" "${unit[@]}" "${recordings[@]}") ;;
check) want=("${build[@]}" "${unit[@]}" "${look[@]}") ;;
fuzz) want=("${build[@]}" "${fuzzing[@]}") ;;
bench) want=("${build[@]}" "${speak[@]}" "${unit[@]}" "${listening[@]}") ;;
fmt) want=(clang-format) ;;
*)
	echo "usage: tools/deps.sh run|test|asan|check|fuzz|bench|fmt" >&2
	exit 2
	;;
esac

# Any node from 18 on will do, wherever it came from.
node_is_here() {
	local version
	command -v npm >/dev/null && version=$(node --version 2>/dev/null) &&
		version=${version#v} && [ "${version%%.*}" -ge 18 ]
}

# What is wanted and not installed.
missing() {
	local here
	here=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' \
		"${want[@]}" 2>/dev/null |
		sed -n 's/ installed$//p') || true
	printf '%s\n' "${want[@]}" | sort -u | grep -vxF "${here:--}" || true
}

# Ask, where somebody is there to answer.
# shellcheck disable=SC2086 # $need is names, one word each
may_install() {
	local answer
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "deps: there is no sudo; as root, say"
		echo "  apt-get install --no-install-recommends" $need
		return 1
	fi
	if [ "$(id -u)" = 0 ] || [ "${CI:-}" = true ] || [ ! -t 0 ]; then
		echo "deps: going on without asking"
		return 0
	fi
	read -r -p "deps: install them with sudo? [Y/n] " answer
	[[ ! $answer =~ ^[Nn] ]]
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		-o Dpkg::Use-Pty=0 --no-install-recommends "$@" </dev/null
}

# Package lists that are absent or old are fetched, once.
update_and_install() {
	local has_lists=0

	compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null && has_lists=1
	[ $has_lists = 0 ] || ! apt_install "$@" || return 0
	as_root apt-get update -qq </dev/null
	apt_install "$@"
}

# What apt says is only of interest when it fails.
install() {
	local log
	log=$(mktemp)
	if update_and_install "$@" >"$log" 2>&1; then
		rm -f "$log"
		return 0
	fi
	cat "$log"
	rm -f "$log"
	echo "deps: apt could not install them" >&2
	return 1
}

# The packages of the tests that run in node, pinned by their lock files.
node_modules() {
	local at

	for at in tests/browser tests/faces; do
		[ -f $at/package-lock.json ] || continue
		[ $at/package-lock.json -nt \
			$at/node_modules/.package-lock.json ] || continue
		echo "deps: installing the packages of $at"
		(cd $at && npm ci --ignore-scripts --no-audit --no-fund \
			--loglevel=error </dev/null)
	done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	[ $node = 0 ] || node_is_here || want+=(nodejs npm)
	echo "deps: not a Debian; \`make $1\` needs what Debian 12 calls"
	printf '%s\n' "${want[@]}" | sort -u | fmt -w 70 | sed 's/^/  /'
else
	[ $node = 0 ] || node_is_here || want+=(nodejs npm)
	need=$(missing)
	if [ -n "$need" ]; then
		echo "deps: \`make $1\` needs these packages:"
		fmt -w 70 <<<"$need" | sed 's/^/  /'
		may_install || exit 1
		# shellcheck disable=SC2086 # names, one word each
		install $need
	fi
fi
[ $node = 0 ] || node_modules
