# SPDX-License-Identifier: MIT
#
# User space: the programs below user/, the packages below user/pkg/, and the root image.
#
#   user/bin/NAME.c   /bin/NAME        user/init/init.c     /sbin/init
#   user/bench/NAME.c /usr/bench/NAME  tests/user/t_NAME.c  /usr/tests/t_NAME
#   user/pkg/NAME/    a Debian source package, built by tools/pkg/build
#   user/etc/, user/share/   copied as they are
#
# Each program is static and on its own: one file of source, user/lib, the C library.

USER_STAMP := $(TC_STAMP)
USER_CC := $(TARGET_CC)
USER_CFLAGS := -std=gnu17 -O2 -g -D_GNU_SOURCE -ffunction-sections -fdata-sections \
	-Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes
USER_LDFLAGS := -Wl,--gc-sections
U := $(BUILD)/user

USER_LIB_OBJS := $(patsubst %.c,$(U)/obj/%.o,$(wildcard user/lib/*.c))
USER_BIN := $(patsubst user/bin/%.c,%,$(wildcard user/bin/*.c))
USER_BENCH := $(patsubst user/bench/%.c,%,$(wildcard user/bench/*.c))
USER_TESTS := $(patsubst tests/user/%.c,%,$(wildcard tests/user/t_*.c))

USER_PROGRAMS := $(U)/sbin/init $(addprefix $(U)/bin/,$(USER_BIN)) \
	$(addprefix $(U)/usr/bench/,$(USER_BENCH)) $(addprefix $(U)/usr/tests/,$(USER_TESTS))

# Packages for the image; one whose `needs` names another is built after it.
USER_PKGS := $(patsubst user/pkg/%/build,%,$(wildcard user/pkg/*/build))

.PHONY: user packages packages-again ports root

user: $(USER_PROGRAMS) ## build the programs below user/ and tests/user/
packages: $(USER_PKGS:%=$(BUILD)/pkg/%/.stamp) ## build tcc, make, mksh, Lua, sed ... from Debian's sources
ports: packages $(BUILD)/root.img ## the same, and the image with them in it (docs/ports.md)
packages-again: ## build them anew, after a change in the C library that concerns them
	$(Q)rm -rf $(BUILD)/pkg
	$(Q)$(MAKE) --no-print-directory packages
root: $(BUILD)/root.img ## build the root image

# -MD: the C library's headers count as sources. A new libc.a alone means linking again.
$(U)/obj/%.o: %.c | $(USER_STAMP)
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_CFLAGS) -MD -MP -c -o $@ $<

$(U)/libuser.a: $(USER_LIB_OBJS)
	$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(TARGET_TOOL)ar rcsD $@ $^

# The program with its symbols stays beside its object; the image gets it without. Under names of
# their own until they are whole: two makes in one tree must not see each other's halves.
define USER_LINK
$(call say,LINK,$@)
$(Q)mkdir -p $(@D)
$(Q)new=$(<:.o=.elf).$$$$ && $(USER_CC) $(USER_LDFLAGS) -o $$new $(filter %.o %.a,$^) -lm && \
	$(TARGET_TOOL)objcopy -S -R .comment $$new $@.$$$$ && mv $@.$$$$ $@ && mv $$new $(<:.o=.elf)
endef

$(U)/sbin/%: $(U)/obj/user/init/%.o $(U)/libuser.a $(USER_STAMP)
	$(USER_LINK)
$(U)/bin/%: $(U)/obj/user/bin/%.o $(U)/libuser.a $(USER_STAMP)
	$(USER_LINK)
$(U)/usr/bench/%: $(U)/obj/user/bench/%.o $(U)/libuser.a $(USER_STAMP)
	$(USER_LINK)
# A program of several files has the others in a folder of its name.
$(U)/usr/bench/lat: $(patsubst %.c,$(U)/obj/%.o,$(wildcard user/bench/lat/*.c))
$(U)/usr/tests/%: $(U)/obj/tests/user/%.o $(U)/libuser.a $(USER_STAMP)
	$(USER_LINK)

# Those that know passwords.
$(addprefix $(U)/bin/,login su passwd newgrp): $(BUILD)/pkg/libxcrypt/usr/lib/libcrypt.a
$(BUILD)/pkg/libxcrypt/usr/lib/libcrypt.a: $(BUILD)/pkg/libxcrypt/.stamp ;

.PRECIOUS: $(U)/obj/%.o

-include $(wildcard $(U)/obj/*/*/*.d)

# A package is built again when its recipe changes, but not for every change of the C library: that
# would take minutes each time. `make packages-again` is for a change that matters to them.
define USER_PKG
$(BUILD)/pkg/$(1)/.stamp: $(wildcard user/pkg/$(1)/*) tools/pkg/build tools/pkg/fetch \
		$(patsubst %,$(BUILD)/pkg/%/.stamp,$(shell cat user/pkg/$(1)/needs 2>/dev/null)) | $(USER_STAMP)
	$$(call say,PACKAGE,$(1))
	$$(Q)tools/pkg/build $(1)
endef
$(foreach pkg,$(USER_PKGS),$(eval $(call USER_PKG,$(pkg))))

ROOT_FILES := $(shell find user/etc user/share -type f) $(wildcard tests/user/run-all)

$(BUILD)/root.img: tools/mkroot $(USER_PROGRAMS) $(USER_PKGS:%=$(BUILD)/pkg/%/.stamp) $(ROOT_FILES)
	$(call say,IMAGE,$@)
	$(Q)tools/mkroot $(BUILD) $(USER_PKGS)
