# modelfs: `make` builds build/modelfs and nothing else. `make help` lists the rest.
#
# CC, CFLAGS, LDFLAGS, PREFIX and DESTDIR belong to the user.
# V=1 shows the commands; SAN=address,undefined or SAN=thread builds into a folder of its
# own with that sanitizer; FAULTS=1 builds the named crash points in; WERROR=1 is strict.

PREFIX    ?= /usr/local
BINDIR    ?= $(PREFIX)/bin
SBINDIR   ?= $(PREFIX)/sbin
MANDIR    ?= $(PREFIX)/share/man
UNITDIR   ?= $(PREFIX)/lib/systemd/system
CFLAGS    ?= -O2 -g
Q          = $(if $(V),,@)
comma     := ,

B         := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(FAULTS),-faults)
FOLDERS   := common backends resolver cache publish fs cli
# What scripts/install-packages installs for the build.
PACKAGES  := fuse3 yaml-0.1 zlib libisal libdeflate libxxhash libcrypto libzip expat \
             libcurl

WARN       = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
             -Wwrite-strings -Wundef -Wformat=2 -Wconversion
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
SANITIZE   = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
FLAGS      = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -I. \
             -include common/banned.h -pthread $(WARN) $(if $(WERROR),-Werror) \
             $(if $(FAULTS),-DFAULTS) $(PKG_CFLAGS) $(SANITIZE) -MMD -MP $(CFLAGS)
LINK       = $(CC) -pthread $(SANITIZE) $(CFLAGS) $(LDFLAGS)

SOURCES   := $(wildcard $(FOLDERS:=/*.c))
OBJECTS   := $(patsubst %.c,$B/%.o,$(filter-out cli/main.c,$(SOURCES)))
TESTS     := $(patsubst %.c,$B/%,$(wildcard tests/test_*.c))
FAKES     := $(patsubst %.c,$B/%.o,$(wildcard tests/fakes/*.c))
FUZZERS   := $(patsubst %.c,$B/%,$(wildcard tests/fuzz/fuzz_*.c))
CODE      := $(wildcard $(FOLDERS:=/*.[ch]) tests/*.[ch] tests/*/*.[ch])
FUZZ_SECONDS ?= 30
# What fuzzers compare us with, where it is installed.
ORACLES    = $(shell pkg-config --libs libzip 2>/dev/null)

all: $B/modelfs

$B/modelfs: $B/cli/main.o $B/libmodelfs.a
	@echo "  LINK $@"
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$B/libmodelfs.a: $(OBJECTS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/%.o: %.c | libraries
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(FLAGS) -c $< -o $@

# The one file that may call strtod and friends (common/banned.h).
$B/common/pyfloat.o: FLAGS += -DTEXT_MAY_PARSE_NUMBERS

# tests/fakes/fuse_fake.c answers ioctl(2) as the kernel's FUSE would, fork_fake.c lets
# fork(2) fail.
$B/tests/test_%: $B/tests/test_%.o $(FAKES) $B/libmodelfs.a
	@echo "  LINK $@"
	$(Q)$(LINK) -Wl,--wrap=ioctl,--wrap=fork -o $@ $^ $(PKG_LIBS) -lcmocka

$B/tests/fuzz/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/libmodelfs.a
	@echo "  LINK $@"
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS) $(ORACLES)

$B/bench/probe: bench/probe.c
	@mkdir -p $(@D)
	@echo "  LINK $@"
	$(Q)$(CC) -O2 -std=gnu17 -D_GNU_SOURCE $(WARN) -o $@ $< -lisal

-include $(wildcard $B/*.d $B/*/*.d $B/*/*/*.d)

# Says what is missing instead of failing at the first #include.
libraries:
	@command -v $(firstword $(CC)) > /dev/null || { \
	    echo "make: $(firstword $(CC)) is missing; './setup deps' installs gcc," \
	        "'scripts/install-packages lint' clang" >&2; exit 1; }
	@pkg-config --print-errors --exists $(PACKAGES) || { \
	    echo "make: libraries are missing; './setup deps' installs them" >&2; exit 1; }
	@echo '#include <uthash.h>' | $(CC) $(CFLAGS) -E - > /dev/null 2>&1 || { \
	    echo "make: uthash.h is missing; './setup deps' installs it" >&2; exit 1; }

$(TESTS:=.o): | test-library

test-library: libraries
	@echo '#include <cmocka.h>' | $(CC) $(CFLAGS) -E - > /dev/null 2>&1 || { \
	    echo "make: cmocka.h is missing; 'make test-deps' installs it" >&2; exit 1; }

help:
	@echo "all        build $B/modelfs (the default)"
	@echo "check      all tests; asks to install what they need when it is missing"
	@echo "unit e2e   one half of them; T=word runs those whose name holds the word"
	@echo "crash      kill the program at every step that must survive it"
	@echo "soak       1000 kills and 100 upgrades under 32 readers (T=kills, T=upgrades)"
	@echo "lint       warnings of two compilers as errors, layout, layers, lengths"
	@echo "format     lay out the code with clang-format"
	@echo "fuzz       fuzz each parser for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "bench      compare a mount with plain files and with other file systems"
	@echo "demo       mount a sample repository at ./models"
	@echo "install    to PREFIX=$(PREFIX), below DESTDIR; uninstall removes it"
	@echo "deps       install what the build needs; test-deps: the tests"
	@echo "clean      remove all that was built"
	@echo "V=1 shows commands; SAN=address,undefined, SAN=thread, FAULTS=1: other builds"

deps:
	scripts/install-packages build

test-deps:
	@scripts/install-packages build test

# The libraries are looked for when make starts, so a second make sees what was installed.
check: test-deps
	@$(MAKE) --no-print-directory check-installed
	@$(MAKE) --no-print-directory crash

check-installed: $B/modelfs $(TESTS)
	tests/run --build $B $(if $(T),--only $(T)) unit e2e

unit: $(TESTS)
	tests/run --build $B $(if $(T),--only $(T)) unit

e2e: $B/modelfs
	tests/run --build $B $(if $(T),--only $(T)) e2e

# Kills the program at its fault points, which this build has.
crash:
	@$(MAKE) --no-print-directory FAULTS=1 crash-built

crash-built: $B/modelfs
	tests/run --build $B $(if $(T),--only $(T)) crash

# Takes about a quarter of an hour; the figures are in the lines of each test.
soak: $B/modelfs
	MODELFS_KILLS=1000 MODELFS_UPGRADES=100 MODELFS_READERS=32 \
	    MODELFS_TEST_TIMEOUT=3600 tests/run --build $B --jobs 1 \
	    --only $(if $(T),$(T)_under_readers,s_under_readers) e2e

tests: $(TESTS)

lint: layers
	tests/lint/lengths
	tests/lint/locks
	@tests/lint/format $(CODE)
	@$(MAKE) --no-print-directory B=build/lint/gcc CC=gcc WERROR=1 objects
	@$(MAKE) --no-print-directory B=build/lint/clang CC=clang WERROR=1 \
	    WARN='$(WARN) -Wthread-safety' objects

objects: $(patsubst %.c,$B/%.o,$(SOURCES)) $(FAKES) $(TESTS:=.o)

layers:
	tests/lint/layers

format:
	clang-format -i $(CODE)

fuzz:
	@$(MAKE) --no-print-directory B=build-fuzz CC=clang \
	    SAN=fuzzer-no-link,address,undefined run-fuzzers

run-fuzzers: $(FUZZERS)
	tests/fuzz/run $(FUZZ_SECONDS) $(FUZZERS)

bench: $B/modelfs $B/bench/probe
	@command -v unzip > /dev/null || { \
	    echo "make: unzip is missing; 'make test-deps' installs it" >&2; exit 1; }
	bench/run --build $B

demo: $B/modelfs
	@scripts/demo $B/modelfs

install: $B/modelfs
	install -D -m 755 $B/modelfs $(DESTDIR)$(BINDIR)/modelfs
	install -D -m 644 cli/modelfs.1 $(DESTDIR)$(MANDIR)/man1/modelfs.1
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(UNITDIR)
	ln -sfn $(BINDIR)/modelfs $(DESTDIR)$(SBINDIR)/mount.fuse.modelfs
	sed 's|@BINDIR@|$(BINDIR)|g' systemd/modelfs@.service.in \
	    > $(DESTDIR)$(UNITDIR)/modelfs@.service

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/modelfs $(DESTDIR)$(SBINDIR)/mount.fuse.modelfs \
	    $(DESTDIR)$(UNITDIR)/modelfs@.service $(DESTDIR)$(MANDIR)/man1/modelfs.1

clean:
	rm -rf build build-*

.PHONY: all libraries test-library help deps test-deps check check-installed unit e2e crash \
        crash-built soak tests lint objects layers format fuzz run-fuzzers bench demo install \
        uninstall clean
.SECONDARY:
.DELETE_ON_ERROR:
