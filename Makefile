# modelfs: `make` builds build/modelfs and nothing else. `make help` lists the rest.
#
# CC, CFLAGS, LDFLAGS, PREFIX and DESTDIR belong to the user.
# V=1 shows the commands; SAN=address,undefined or SAN=thread builds into a folder of its
# own with that sanitizer; FAULTS=1 builds the named crash points in.

PREFIX    ?= /usr/local
BINDIR    ?= $(PREFIX)/bin
SBINDIR   ?= $(PREFIX)/sbin
UNITDIR   ?= $(PREFIX)/lib/systemd/system
CFLAGS    ?= -O2 -g
Q          = $(if $(V),,@)
comma     := ,

B         := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))$(if $(FAULTS),-faults)
FOLDERS   := common backends resolver cache publish fs cli
PACKAGES  := fuse3 libcurl yaml-0.1 libzip zlib libisal libxxhash libcrypto expat jansson

WARN       = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
             -Wwrite-strings -Wundef -Wformat=2 -Wconversion
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
SANITIZE   = $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer)
FLAGS      = -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -I. \
             -include common/banned.h -pthread $(WARN) $(if $(WERROR),-Werror) \
             $(if $(FAULTS),-DFAULTS) $(PKG_CFLAGS) $(SANITIZE) -MMD -MP $(CFLAGS)
LINK       = $(CC) -pthread $(SANITIZE) $(CFLAGS) $(LDFLAGS)

SOURCES   := $(wildcard $(FOLDERS:=/*.c))
OBJECTS   := $(patsubst %.c,$B/%.o,$(filter-out cli/main.c,$(SOURCES)))
TESTS     := $(patsubst tests/%.c,$B/tests/%,$(wildcard tests/test_*.c))
FAKES     := $(patsubst %.c,$B/%.o,$(wildcard tests/fakes/*.c))
CODE      := $(wildcard $(FOLDERS:=/*.[ch]) tests/*.[ch] tests/*/*.[ch])

all: $B/modelfs

$B/modelfs: $B/cli/main.o $B/libmodelfs.a
	@echo "  LINK $@"
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS)

$B/libmodelfs.a: $(OBJECTS)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(FLAGS) -c $< -o $@

# The files that may call strtod and friends (common/banned.h).
$B/common/text.o $B/common/pyfloat.o: FLAGS += -DTEXT_MAY_PARSE_NUMBERS

$B/tests/%: $B/tests/%.o $(FAKES) $B/libmodelfs.a
	$(Q)$(LINK) -o $@ $^ $(PKG_LIBS) -lcmocka

-include $(wildcard $B/*.d $B/*/*.d $B/*/*/*.d)

.PHONY: all help
.SECONDARY:
.DELETE_ON_ERROR:
