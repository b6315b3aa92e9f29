# The front door.  Everything real is in meson.build and tools/.
#
# Each purpose has a folder of its own, so that none undoes another's options:
# build (run), build-test, build-check, build-asan, build-fuzz, build-bench.
SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: run test check asan bench soak fuzz fmt big clean help

run: ## build the program and start it here; a page in the browser is the phone
	@tools/deps.sh run && tools/build.sh build --buildtype=release -Dtests=false -Dwerror=false
	@exec build/voiceotp serve --dev

test: ## build and run every test; the last line counts them
	@tools/deps.sh test && tools/test.sh build-test --no-suite soak

check: ## ask what a compiler does not: layout, layers, names, clang-tidy, spelling
	@tools/deps.sh check && tools/check.sh build-check

asan: ## run unit and scenario tests under the address and undefined sanitizers
	@tools/deps.sh asan && tools/asan.sh build-asan

bench: ## measure what the program exists for, one line per figure
	@tools/deps.sh bench && tools/bench.sh build-bench

soak: ## run the long tests that `make test` leaves out
	@tools/deps.sh asan && VOICEOTP_SOAK=1 tools/test.sh build-test --suite soak -t 0

fuzz: ## feed each parser nonsense for SECONDS=60; what breaks it stays in build-fuzz
	@tools/deps.sh fuzz && tools/fuzz.sh build-fuzz $(SECONDS)

fmt: ## lay the C files out as .clang-format says
	@tools/deps.sh fmt && tools/sources.sh c h cc | xargs -r clang-format -i

big: ## name the ten longest functions and files
	@tools/big.py

clean: ## remove what these targets built
	@rm -rf build build-test build-check build-asan build-fuzz build-bench

help: ## say what can be asked for
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
