# Builds retrov, its tests and the guests they run. One file, not recursive: every rule sees every dependency.
#
#   make                   build/retrov (says what to do when something is missing)
#   make demo              everything from nothing: installs what is missing, records, replays, goes backwards
#   make check             the test suite; the last line is "N passed, N failed"
#   make build/test-fp     the tests of one unit (tests/fp_test.cpp) in a binary of their own
#   make BUILD=DIR CXX=…   another build folder, another compiler
#   make CROSS=aarch64     build/aarch64/retrov, for another processor; runs under qemu-user

# For aarch64: Debian's cross compiler, and libraries from build/deps.
CROSS ?=
BUILD ?= build$(CROSS:%=/%)
PREFIX ?= /usr/local
DESTDIR ?=
WERROR ?=
OPT ?= -O2
SANITIZE ?=
JOBS ?= $(shell nproc)
# KIND:STEP, a fault on purpose (core/plant.hpp): make PLANT=transient:4000 builds build/retrov-transient-4000.
PLANT ?=
# Of `make mutants`: any text; nothing is the script's own.
SEED ?=

# What is fetched (Capstone, guests) does not depend on the compiler, so every build folder shares it.
DEPS := build/deps
CAPSTONE := $(DEPS)/capstone
LIBCAPSTONE := $(CAPSTONE)/lib/libcapstone.a
# There only where the system's static libelf lacks half of itself (Debian 13); with CROSS it is among the libraries.
LIBELF := $(if $(CROSS),,$(wildcard $(DEPS)/libelf/lib/libelf.a))

MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := retrov

ifneq ($(CROSS),)
DEB_ARCH := $(or $(patsubst aarch64,arm64,$(filter aarch64,$(CROSS))),$(error CROSS is aarch64 or nothing))
CXX := $(CROSS)-linux-gnu-g++
AR := $(CROSS)-linux-gnu-ar
CROSS_LIBRARIES := $(DEPS)/cross-$(DEB_ARCH)/lib
LIBCAPSTONE := $(CROSS_LIBRARIES)/libcapstone.a
endif

# --- flags -----------------------------------------------------------------------------------------------------------

IS_CLANG := $(findstring clang,$(shell $(CXX) --version 2>/dev/null))

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor $(WERROR)
# g++ 12 reports members of a std::variant in a vector as maybe uninitialised, wrongly, once they are inlined.
WARNINGS += $(if $(IS_CLANG),,-Wno-maybe-uninitialized)

# -ffp-contract=off: a fused multiply-add that the source did not ask for rounds differently from host to host.
CODEGEN := $(OPT) -g -ffp-contract=off $(SANITIZE)
CXXFLAGS ?=
override CXXFLAGS += -std=c++20 $(CODEGEN) $(WARNINGS)
override CPPFLAGS += -I. -isystem $(CAPSTONE)/include $(LIBELF:%/lib/libelf.a=-isystem %/include) -MMD -MP

# The dispatcher's handlers end in tail calls; without the optimiser each of them would be a deeper stack frame.
ENGINE_FLAGS := -O2 -foptimize-sibling-calls

# Of tests/support/paths.cpp alone: tests find their guests and the source tree wherever they are started from.
TEST_PATHS := -DRETROV_SOURCE_DIR='"$(CURDIR)"' -DRETROV_BUILD_DIR='"$(abspath $(BUILD))"'

# Libraries are linked statically, so that the installed binary runs on a host that has none of them. libelf needs
# zstd from elfutils 0.189 on; it is linked where it exists.
archive = $(if $(CROSS),$(wildcard $(CROSS_LIBRARIES)/$(1)),$(call own_archive,$(1)))
own_archive = $(filter /%,$(shell $(CXX) -print-file-name=$(1) 2>/dev/null))
STATIC_RUNTIME := $(if $(SANITIZE),,-static-libstdc++ -static-libgcc)
THIRD_PARTY = $(LIBCAPSTONE) $(CROSS_LIBRARIES:%=-L%) -Wl,-Bstatic -llz4 -lfdt $(or $(LIBELF),-lelf) -lz \
  $(if $(call archive,libzstd.a),-lzstd) -lreadline -ltinfo -Wl,-Bdynamic -pthread
# Catch2 is one header on Debian 12 (version 2) and a library on Debian 13 (version 3).
CATCH2 := $(if $(wildcard /usr/include/catch2/catch_all.hpp),-lCatch2)
LDFLAGS ?=
override LDFLAGS += $(STATIC_RUNTIME)

# What a trace and --version say of this build.
COMMIT := $(or $(shell git rev-parse --short=12 HEAD 2>/dev/null),unknown)

# --- sources ---------------------------------------------------------------------------------------------------------

# The order is the order of the layers, highest first, which is also the order the linker wants.
LAYERS := cli gdbstub replay devices core
SOURCES_core := $(wildcard core/*.cpp core/isa/*.cpp core/engine/*.cpp)
SOURCES_devices := $(wildcard devices/*.cpp)
SOURCES_replay := $(wildcard replay/*.cpp)
SOURCES_gdbstub := $(wildcard gdbstub/*.cpp)
SOURCES_cli := $(wildcard cli/*.cpp)
LAYER_SOURCES := $(foreach layer,$(LAYERS),$(SOURCES_$(layer)))

TEST_SOURCES := $(sort $(wildcard tests/*_test.cpp))
TEST_SUPPORT := $(wildcard tests/support/*.cpp)
# The suite runs what is fuzzed over the kept corpora; the driver is for libFuzzer alone.
FUZZ_SOURCES := $(filter-out tests/fuzz/driver.cpp,$(wildcard tests/fuzz/*.cpp))
FUZZ_TARGETS := $(filter-out trace_mutator,$(FUZZ_SOURCES:tests/fuzz/%.cpp=%))
DIFFTEST_SOURCES := $(wildcard tests/difftest/*.cpp)
SOURCES := main.cpp $(LAYER_SOURCES) $(TEST_SOURCES) $(TEST_SUPPORT) $(FUZZ_SOURCES) $(DIFFTEST_SOURCES) tests/main.cpp
GUESTS := $(patsubst tests/guests/%,$(BUILD)/guests/%.elf,$(basename $(wildcard tests/guests/*.S tests/guests/*.c)))

objects = $(patsubst %.cpp,$(BUILD)/obj/%.o,$(1))
LIBS := $(LAYERS:%=$(BUILD)/lib%.a)
# main.o is Catch2 without optimisation (below). It comes last, so that of an inline function which it shares with the
# rest the linker keeps an optimised copy.
TEST_TAIL := $(LIBS) $(BUILD)/obj/tests/main.o

# --- programs --------------------------------------------------------------------------------------------------------

.PHONY: retrov all tests difftest guests
retrov: $(BUILD)/retrov$(PLANT:%=-$(subst :,-,$(PLANT)))
all: retrov tests difftest guests
tests: $(BUILD)/tests
difftest: $(BUILD)/difftest
guests: $(GUESTS)

$(BUILD)/retrov: $(BUILD)/obj/main.o $(LIBS)
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(THIRD_PARTY)

# The same with another machine.o, which the linker takes instead of that in the archive.
ifneq ($(PLANT),)
PLANTED := $(BUILD)/retrov-$(subst :,-,$(PLANT))
$(PLANTED): $(BUILD)/obj/main.o $(PLANTED).o $(LIBS)
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(THIRD_PARTY)
$(PLANTED).o: core/machine.cpp core/plant.hpp $(BUILD)/obj/core/machine.o
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -DRETROV_PLANT_$(subst :,=,$(PLANT)) -c -o $@ $<
endif

LINK_TEST = $(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(CATCH2) $(THIRD_PARTY)
$(BUILD)/tests: $(call objects,$(TEST_SOURCES) $(TEST_SUPPORT) $(FUZZ_SOURCES)) $(TEST_TAIL)
	$(LINK_TEST)

$(BUILD)/test-fuzz_corpus: $(call objects,tests/fuzz_corpus_test.cpp $(TEST_SUPPORT) $(FUZZ_SOURCES)) $(TEST_TAIL)
	$(LINK_TEST)

$(BUILD)/test-%: $(BUILD)/obj/tests/%_test.o $(call objects,$(TEST_SUPPORT)) $(TEST_TAIL)
	$(LINK_TEST)

# Random programs on retrov and on QEMU (docs/building.md, "Test").
$(BUILD)/difftest: $(call objects,$(DIFFTEST_SOURCES) tests/support/paths.cpp) $(LIBS)
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -o $@ $^ $(THIRD_PARTY)

# libFuzzer's, in a build folder of their own (make fuzz).
.PHONY: fuzzers
fuzzers: $(FUZZ_TARGETS:%=$(BUILD)/fuzz-%)
$(BUILD)/fuzz-%: $(BUILD)/obj/tests/fuzz/driver-%.o $(BUILD)/obj/tests/fuzz/%.o \
    $(BUILD)/obj/tests/fuzz/trace_mutator.o $(LIBS)
	$(CXX) $(CXXFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(THIRD_PARTY)
.SECONDARY: $(FUZZ_TARGETS:%=$(BUILD)/obj/tests/fuzz/driver-%.o)
$(BUILD)/obj/tests/fuzz/driver-%.o: tests/fuzz/driver.cpp | have-deps
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) -DRETROV_FUZZ_TARGET=$* -c -o $@ $<

# An archive also depends on the list of its members: a source that was deleted must leave the archive too.
define layer_rules
$(BUILD)/lib$(1).a: $(call objects,$(SOURCES_$(1))) $(BUILD)/lib$(1).list
	@rm -f $$@
	$(AR) rcs $$@ $(call objects,$(SOURCES_$(1)))
$(BUILD)/lib$(1).list: always
	@mkdir -p $(BUILD)
	@echo '$(sort $(SOURCES_$(1)))' | cmp -s - $$@ || echo '$(sort $(SOURCES_$(1)))' >$$@
endef
$(foreach layer,$(LAYERS),$(eval $(call layer_rules,$(layer))))

.PHONY: always
always:

$(BUILD)/obj/core/engine/%.o: EXTRA_FLAGS = $(ENGINE_FLAGS)
$(BUILD)/obj/tests/support/paths.o: EXTRA_FLAGS = $(TEST_PATHS)
$(BUILD)/obj/tests/main.o: EXTRA_FLAGS = -O0 -g0
$(BUILD)/obj/replay/release.o: EXTRA_FLAGS = -DRETROV_COMMIT='"$(COMMIT)"'
$(BUILD)/obj/replay/release.o: $(BUILD)/commit
# A string literal, to be included.
$(BUILD)/obj/cli/gdb_script.o: EXTRA_FLAGS = -I$(BUILD)/obj
$(BUILD)/obj/cli/gdb_script.o: $(BUILD)/obj/cli/gdb_script.inc
$(BUILD)/obj/cli/gdb_script.inc: gdb/retrov-gdb.py
	@mkdir -p $(@D)
	{ printf 'R"PYTHON('; cat $<; printf ')PYTHON"\n'; } >$@
$(BUILD)/commit: always
	@mkdir -p $(BUILD)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@
$(BUILD)/obj/%.o: %.cpp | have-deps
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(EXTRA_FLAGS) -c -o $@ $<

-include $(patsubst %.o,%.d,$(call objects,$(SOURCES)) $(FUZZ_TARGETS:%=$(BUILD)/obj/tests/fuzz/driver-%.o))

# --- guests for the tests --------------------------------------------------------------------------------------------

RISCV_CC := riscv64-linux-gnu-gcc
# Without unwind tables gdb has .debug_frame; gcc 14 makes them unless told twice. Without the last flag gcc would turn
# the loop of our memcpy into a call of memcpy.
RISCV_OPT := -O2
RISCV_FLAGS = -march=rv64gc -mabi=lp64d -mcmodel=medany $(RISCV_OPT) -g -gno-column-info \
  -fno-asynchronous-unwind-tables -fno-unwind-tables -nostdlib -ffreestanding -fno-pic -static -no-pie \
  -Wl,--build-id=none -Wl,--no-warn-rwx-segments -T tests/guests/guest.ld \
  -I tests/guests -fno-tree-loop-distribute-patterns

# Lines and variables that a person would step through and look at.
$(BUILD)/guests/debuggee.elf: RISCV_OPT := -Og
# Started by OpenSBI in S-mode, behind it.
$(BUILD)/guests/sbi_%.elf: RISCV_FLAGS += -Wl,--defsym=_start_of_guest=0x80200000
$(BUILD)/guests/sbi_%.elf: GUEST_START := tests/guests/support/start_sbi.S

GUEST_START := tests/guests/support/start.S
GUEST_COMMON := tests/guests/guest.ld $(wildcard tests/guests/*.h tests/guests/support/*)
$(BUILD)/guests/%.elf: tests/guests/%.S $(GUEST_COMMON)
	@mkdir -p $(@D)
	$(RISCV_CC) $(RISCV_FLAGS) -o $@ $<

$(BUILD)/guests/%.elf: tests/guests/%.c $(GUEST_COMMON)
	@mkdir -p $(@D)
	$(RISCV_CC) $(RISCV_FLAGS) -o $@ $(GUEST_START) tests/guests/support/runtime.c $<

# --- what is missing, demo, checks -----------------------------------------------------------------------------------

.PHONY: have-deps deps demo-guests demo check-guests check check-deep check-riscv-tests check-arch-tests \
  check-gdb-suite mutants bench bench-reverse asan
have-deps:
	@scripts/deps --check build $(if $(CROSS),cross-$(DEB_ARCH))

deps:
	@scripts/deps build

demo-guests:
	@scripts/deps build demo
	@scripts/make-guests

demo: demo-guests
	@$(MAKE) --no-print-directory -j$(JOBS) WERROR=-Werror retrov
	@RETROV=$(BUILD)/retrov scripts/demo

check-guests: demo-guests
	@scripts/deps build demo check
	@scripts/newer-binutils >/dev/null
	@scripts/newer-qemu >/dev/null
	@scripts/newer-gdb >/dev/null

check: check-guests
	@BUILD=$(BUILD) JOBS=$(JOBS) scripts/run-checks

check-deep: check-guests fuzz
	@BUILD=$(BUILD) JOBS=$(JOBS) scripts/run-checks --deep

check-riscv-tests: retrov
	@RETROV=$(BUILD)/retrov RISCV_CC=$(RISCV_CC) scripts/run-riscv-tests $(RISCV_TESTS)

check-arch-tests: retrov
	@RETROV=$(BUILD)/retrov RISCV_CC=$(RISCV_CC) SPIKE=$(SPIKE) scripts/run-arch-tests $(ARCH_TESTS)

check-gdb-suite: retrov
	@RETROV=$(BUILD)/retrov JOBS=$(JOBS) scripts/run-gdb-suite $(TESTS)

mutants: check-guests
	@$(MAKE) --no-print-directory -j$(JOBS) tests
	@BUILD=$(BUILD) JOBS=$(JOBS) SEED='$(SEED)' CXX='$(CXX)' scripts/mutants

bench: demo-guests
	@scripts/deps build bench
	@$(MAKE) --no-print-directory -j$(JOBS) retrov guests
	@BUILD=$(BUILD) scripts/bench
	@BUILD=$(BUILD) scripts/bench-stub
	@BUILD=$(BUILD) scripts/bench-record

# BENCH: --quick, --deep, sections (scripts/bench-reverse).
bench-reverse: demo-guests
	@scripts/deps build bench
	@$(MAKE) --no-print-directory -j$(JOBS) retrov guests
	@BUILD=$(BUILD) scripts/bench-reverse $(BENCH)

# One target is fuzz-NAME. scripts/fuzz runs them.
FUZZ_BUILD = $(MAKE) --no-print-directory -j$(JOBS) BUILD=build/fuzz CXX=clang++ OPT=-O1 \
  SANITIZE='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer'
.PHONY: fuzz $(FUZZ_TARGETS:%=fuzz-%)
fuzz:
	@scripts/deps build fuzz
	@$(FUZZ_BUILD) fuzzers
$(FUZZ_TARGETS:%=fuzz-%):
	@scripts/deps build fuzz
	@$(FUZZ_BUILD) build/fuzz/$@

# -O1: at -O0 the whole suite under the sanitizers is too slow to be run often.
asan:
	@$(MAKE) --no-print-directory -j$(JOBS) BUILD=build/asan OPT=-O1 \
	  SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
	  retrov tests difftest guests
	build/asan/tests

# --- installation and housekeeping -----------------------------------------------------------------------------------

.PHONY: install clean format
FIRMWARE := build/guests/fw_dynamic.bin
install: $(BUILD)/retrov
	install -D -m 755 $(BUILD)/retrov $(DESTDIR)$(PREFIX)/bin/retrov
	$(if $(wildcard $(FIRMWARE)),install -D -m 644 $(FIRMWARE) $(DESTDIR)$(PREFIX)/share/retrov/fw_dynamic.bin)
	scripts/man-pages $(BUILD)/retrov $(BUILD)/man
	for section in 1 5 7; do install -d $(DESTDIR)$(PREFIX)/share/man/man$$section && \
	  install -m 644 $(BUILD)/man/*.$$section $(DESTDIR)$(PREFIX)/share/man/man$$section || exit 1; done
	$(foreach file,bash:bash-completion/completions/retrov zsh:zsh/site-functions/_retrov \
	  fish:fish/vendor_completions.d/retrov.fish,\
	  $(BUILD)/retrov help --completion $(firstword $(subst :, ,$(file))) >$(BUILD)/completion && install -D -m 644 \
	  $(BUILD)/completion $(DESTDIR)$(PREFIX)/share/$(lastword $(subst :, ,$(file))) &&) true
	install -D -m 644 gdb/retrov-gdb.py $(DESTDIR)$(PREFIX)/share/retrov/retrov-gdb.py
	install -d $(DESTDIR)$(PREFIX)/share/doc/retrov
	install -m 644 LICENSE CHANGELOG.md $(wildcard README.md docs/*.md) $(DESTDIR)$(PREFIX)/share/doc/retrov/

# Downloads (build/apt, build/deps, build/guests) are kept: they are not made by the compiler and cost a network.
clean:
	rm -rf $(BUILD)/obj $(BUILD)/*.a $(BUILD)/*.list $(BUILD)/retrov* $(BUILD)/tests $(BUILD)/difftest \
	  $(BUILD)/test-* $(BUILD)/man $(BUILD)/completion \
	  $(GUESTS) $(BUILD)/mutants build/clang build/asan build/O0 build/fuzz build/aarch64 \
	  build/gdb-suite compile_commands.json

format:
	clang-format -i $(SOURCES) $(wildcard */*.hpp */*/*.hpp)

compile_commands.json: Makefile
	scripts/compile-commands '$(CXX) $(CPPFLAGS) $(CXXFLAGS)' $(SOURCES) >$@
