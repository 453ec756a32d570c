# Thin names over scripts/setup.sh and the CMake presets, which work by themselves too.
# FUSEBOX_SETUP=no refuses to install anything; what CMake then misses, it fetches.

SHELL := /bin/sh
JOBS ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

SEQUENCES ?= 100000
SEED ?= 1
EXECUTIONS ?= 100000
STRESS_STEPS ?= 30000
FUZZ_SECONDS ?= 60
DEBUG_FLAGS ?= -g
OUT ?= build/storm/out

.PHONY: help test demo storm bench bench-instructions plots storm-plots lint format docs clean playground \
	test-playground test-integration single-header test-single-header sanitize model relacy stress fuzz \
	compilers mutants coverage api site
.DEFAULT_GOAL := help

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' $(firstword $(MAKEFILE_LIST))

test:  ## Set up, build and run the tests
	@scripts/setup.sh test
	cmake --preset debug -DCMAKE_CXX_FLAGS_DEBUG='$(DEBUG_FLAGS)' -DFUSEBOX_BUILD_INTEGRATION_TESTS=OFF
	cmake --build --preset debug --parallel $(JOBS)
	ctest --preset debug --parallel $(JOBS)

test-integration:  ## Set up, build and run the tests beside real servers: nginx, gRPC, Redis, PostgreSQL, Prometheus (STRICT=yes: all)
	@scripts/setup.sh integration
	cmake --preset debug -DCMAKE_CXX_FLAGS_DEBUG='$(DEBUG_FLAGS)' -DFUSEBOX_BUILD_INTEGRATION_TESTS=ON \
		-DFUSEBOX_STRICT=$(if $(STRICT),ON,OFF)
	cmake --build --preset debug --parallel $(JOBS) --target integration_tests
	ctest --preset debug --parallel $(JOBS) --label-regex '^integration$$'

demo:  ## Set up, build and run the examples of a pipeline and of webhook delivery
	@scripts/setup.sh demo
	cmake --preset release -B build/demo -DFUSEBOX_BUILD_TESTS=OFF -DFUSEBOX_BUILD_BENCHMARKS=OFF
	cmake --build build/demo --parallel $(JOBS) --target pipeline webhook_delivery
	@build/demo/examples/pipeline
	@build/demo/examples/webhook_delivery

storm:  ## Set up and simulate what goes wrong: reports to OUT (SCENARIO=outage: one of eight; SEED=7)
	@scripts/setup.sh storm
	cmake --preset release -B build/storm -DFUSEBOX_BUILD_TESTS=OFF -DFUSEBOX_BUILD_EXAMPLES=OFF -DFUSEBOX_BUILD_BENCHMARKS=OFF
	cmake --build build/storm --parallel $(JOBS) --target storm
	@build/storm/storm/storm run $(if $(SCENARIO),--scenario '$(SCENARIO)') --seed '$(SEED)' --out '$(OUT)'

bench:  ## Set up, build and run the benchmarks; print their ratios against the targets
	@scripts/setup.sh bench
	cmake --preset release -B build/bench -DFUSEBOX_BUILD_TESTS=OFF -DFUSEBOX_BUILD_EXAMPLES=OFF
	cmake --build build/bench --parallel $(JOBS) --target bench

bench-instructions:  ## Set up and count the instructions of the hot paths, against the recorded numbers
	@scripts/setup.sh instructions
	cmake --preset release -B build/bench -DFUSEBOX_BUILD_TESTS=OFF -DFUSEBOX_BUILD_EXAMPLES=OFF
	cmake --build build/bench --parallel $(JOBS) --target bench_instructions

plots:  ## Draw the plots of docs/performance.md from what `make bench` measured
	@python3 scripts/plot.py build/bench/results.json

storm-plots:  ## Set up, play what docs/ shows of the storm lab, and write its plots and tables
	@scripts/setup.sh storm
	cmake --preset release -B build/storm -DFUSEBOX_BUILD_TESTS=OFF -DFUSEBOX_BUILD_EXAMPLES=OFF -DFUSEBOX_BUILD_BENCHMARKS=OFF
	cmake --build build/storm --parallel $(JOBS) --target storm
	@python3 scripts/storm_docs.py build/storm/storm/storm

lint:  ## Set up and check the sources
	@scripts/setup.sh lint
	@python3 scripts/lint.py

format:  ## Set up and format the sources
	@scripts/setup.sh lint
	@python3 scripts/lint.py --fix format

api:  ## Write the public names and signatures to api/fusebox.txt, which lint compares
	@python3 scripts/api.py --write

docs:  ## Set up and write the API reference to build/docs/html
	@scripts/setup.sh docs
	cmake --preset debug -B build/docs -DFUSEBOX_BUILD_TESTS=OFF -DFUSEBOX_BUILD_EXAMPLES=OFF -DFUSEBOX_BUILD_BENCHMARKS=OFF
	cmake --build build/docs --target docs

site:  ## Set up and write the docs as a site to build/site, with the reference and the playground; check it in a headless Chromium
	@scripts/setup.sh site
	cmake --preset debug -B build/docs -DFUSEBOX_BUILD_TESTS=OFF -DFUSEBOX_BUILD_EXAMPLES=OFF -DFUSEBOX_BUILD_BENCHMARKS=OFF
	cmake --build build/docs --target docs
	@if command -v em++ >/dev/null; then python3 scripts/playground.py --jobs $(JOBS) --no-serve; fi
	@PYTHONDONTWRITEBYTECODE=1 mkdocs build --quiet --strict
	@python3 scripts/docs/check_links.py build/site --checked api
	@python3 tests/site/check_site.py build/site $(SCREENSHOTS)

playground:  ## Set up, build the page that plays with policies, in build/playground, and serve it on loopback (SERVE=no: only build)
	@scripts/setup.sh playground
	@python3 scripts/playground.py --jobs $(JOBS) $(if $(filter no,$(SERVE)),--no-serve)

test-playground:  ## Set up, build the playground, and check it in WebAssembly and in a headless Chromium
	@scripts/setup.sh test-playground
	@python3 scripts/playground.py --jobs $(JOBS) --no-serve
	cmake --preset debug -DCMAKE_CXX_FLAGS_DEBUG='$(DEBUG_FLAGS)'
	cmake --build --preset debug --parallel $(JOBS) --target playground_native
	@python3 tests/playground/check_wasm.py build/playground build/debug/tests/playground/playground_native $(CXX)
	@python3 tests/playground/check_page.py build/playground build/debug/tests/playground/playground_native

single-header:  ## Write the library as one header, build/single/fusebox.hpp, which needs only fmt
	@scripts/setup.sh single-header
	@python3 scripts/single_header.py
	@echo build/single/fusebox.hpp

test-single-header:  ## Set up, build and run the contract and other tests over the single header (ALL=yes: every unit test)
	@scripts/setup.sh test
	cmake --preset debug -B build/single-header -DCMAKE_CXX_FLAGS_DEBUG='$(DEBUG_FLAGS)' -DFUSEBOX_SINGLE_HEADER=ON -DFUSEBOX_BUILD_EXAMPLES=OFF -DFUSEBOX_BUILD_STORM=OFF
	cmake --build build/single-header --parallel $(JOBS) $(if $(ALL),,--target single_header_tests)
	ctest --test-dir build/single-header --output-on-failure --parallel $(JOBS) --label-regex '$(if $(ALL),unit,single)'

sanitize:  ## Set up and run the tests under the address, undefined behaviour and thread sanitizers
	@scripts/setup.sh test
	cmake --preset asan-ubsan
	cmake --build --preset asan-ubsan --parallel $(JOBS)
	ctest --preset asan-ubsan --parallel $(JOBS)
	cmake --preset tsan
	cmake --build --preset tsan --parallel $(JOBS)
	ctest --preset tsan --parallel $(JOBS)

model:  ## Set up and run random sequences of commands against models of the rules (SEQUENCES=100000 each)
	@scripts/setup.sh model
	cmake --preset proof
	cmake --build --preset proof --parallel $(JOBS) --target models
	RC_PARAMS="max_success=$(SEQUENCES) seed=$(SEED)" ctest --preset proof --parallel $(JOBS) --label-regex '^model$$'

stress:  ## Set up and run threads for days of simulated time under TSan (STRESS_STEPS=30000 of each thread)
	@scripts/setup.sh test
	cmake --preset tsan -DCMAKE_CXX_FLAGS_DEBUG='$(DEBUG_FLAGS)'
	cmake --build --preset tsan --parallel $(JOBS) --target stresses
	FUSEBOX_STRESS_STEPS=$(STRESS_STEPS) ctest --preset tsan --label-regex '^stress$$'

relacy:  ## Set up and model-check the lock-free parts, and broken twins of them (EXECUTIONS=100000 each)
	@scripts/setup.sh relacy
	cmake --preset proof
	cmake --build --preset proof --parallel $(JOBS) --target relacy_checks
	build/proof/tests/relacy/relacy_checks $(EXECUTIONS)

fuzz:  ## Set up and look for inputs that break the parsers, writers, delays and breakers (FUZZ_SECONDS=60 each)
	@scripts/setup.sh fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz --parallel $(JOBS)
	@scripts/fuzz.sh build/fuzz $(FUZZ_SECONDS)

compilers:  ## Set up, then build and run with every compiler, standard and mode promised (CELLS="--ci": a few)
	@scripts/setup.sh compilers$(if $(findstring --ci,$(CELLS)),-ci)
	@python3 scripts/compilers.py --jobs $(JOBS) $(CELLS)

mutants:  ## Set up and change one thing at a time in the headers: does a test notice? (SAMPLE=40: a few)
	@scripts/setup.sh mutants
	@python3 scripts/mutants.py $(if $(SAMPLE),--sample $(SAMPLE))

coverage:  ## Set up and run the tests, and hold the lines and branches of include/ that they reach
	@scripts/setup.sh coverage
	cmake --preset coverage
	cmake --build --preset coverage --parallel $(JOBS)
	@find build/coverage -name '*.gcda' -delete
	ctest --preset coverage --parallel $(JOBS)
	@python3 scripts/coverage.py build/coverage

clean:  ## Remove what was built
	rm -rf build
