# SPDX-License-Identifier: MIT
#
# The tests. tools/run-tests runs them; tests/README.md says how to write one.
#
#   tests/unit/test_NAME.c   on the host, with sanitizers. The line `SOURCES: a.c b.c` that ends its opening
#                            comment names the kernel sources that it is built with
#   tests/tools/             python unittest, for the tools; tests/boot, tests/hostile: with a guest
#   tests/user/t_NAME.c      in the guest (built by mk/user.mk)

UNIT_CC ?= gcc
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
UNIT_CFLAGS := -std=gnu17 -O1 -g -Wall -Wextra -Wno-unused-parameter -Itests/lib -Itests/unit \
	-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
UNIT_KERNEL := -Iinclude -fno-strict-aliasing -fno-builtin
UNIT_FRAME := $(BUILD)/tests/obj/tests/lib/test.o $(BUILD)/tests/obj/tests/lib/kernel_host.o

# SUITE=unit,boot ... (tests/README.md has them all) and TEST=part of a name choose; SEED=N repeats a run.
SUITE ?=
TEST ?=
SEED ?=
# Suites that need no guest do not build one.
TEST_NEEDS = $(if $(filter-out unit tools linux,$(or $(subst $(comma), ,$(SUITE)),all)),\
	$(GUEST_EXTRA) $(BUILD)/parvix.checked $(BUILD)/root.img dom0)
comma := ,
GUEST_EXTRA := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/hostile/*.c tests/boot/*.c)) $(BUILD)/tests/domain/badblk \
	$(BUILD)/tests/domain/console_backend $(BUILD)/tests/domain/introduce

.PHONY: test unit-tests
test: $(TEST_NEEDS) ## run all tests (SUITE=unit,native-user,... TEST=name SEED=n choose)
	@tools/run-tests $(if $(SUITE),--suite $(SUITE)) $(if $(SEED),--seed $(SEED)) $(TEST)

unit-tests: $(UNIT)

$(BUILD)/tests/obj/tests/lib/test.o: tests/lib/test.c tests/lib/test.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(UNIT_CC) $(UNIT_CFLAGS) -c -o $@ $<

$(BUILD)/tests/obj/%.o: %.c mk/test.mk
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(UNIT_CC) $(UNIT_CFLAGS) $(UNIT_KERNEL) -MMD -MP -c -o $@ $<

# The file system's pages lie where a host program can have them.
$(BUILD)/tests/obj/kernel/fs/%.o $(BUILD)/tests/obj/tests/unit/fs_host.o \
	$(BUILD)/tests/obj/tests/unit/test_ext2%.o $(BUILD)/tests/obj/drivers/pvfront/blk/%.o \
	$(BUILD)/tests/obj/tests/unit/test_blk%.o $(BUILD)/tests/obj/drivers/native/%.o \
	$(BUILD)/tests/obj/tests/unit/test_ahci.o: UNIT_KERNEL += -DDIRECT_MAP=0x200000000000ul
$(BUILD)/tests/obj/tests/unit/fs_disk.o: UNIT_KERNEL := -D_GNU_SOURCE

# Registers are the test's functions.
$(BUILD)/tests/obj/drivers/native/ahci%.o $(BUILD)/tests/obj/tests/unit/test_ahci_port.o: \
	UNIT_KERNEL := -Itests/unit/pc $(UNIT_KERNEL) -DDIRECT_MAP=0x200000000000ul

# What tests of arch/pv-x86_64 and drivers/pvfront know of Xen: the constants and layouts.
$(BUILD)/tests/obj/arch/pv-x86_64/%.o $(BUILD)/tests/obj/tests/unit/test_grant.o \
	$(BUILD)/tests/obj/tests/unit/test_console_ring.o $(BUILD)/tests/obj/tests/unit/test_xen_cpuid.o: \
	UNIT_KERNEL += -isystem /usr/include -D__XEN_INTERFACE_VERSION__=0x00040e00

# The kernel's own memcpy and the like must not take the place of the host's, on which the sanitizers
# stand: for tests they are called kernel_memcpy ...
KERNEL_NAMES := memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr
$(BUILD)/tests/obj/lib/string.o: lib/string.c mk/test.mk
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(UNIT_CC) -std=gnu17 -O2 -g -ffreestanding $(UNIT_KERNEL) -MMD -MP -c -o $@ $<
	$(Q)objcopy $(foreach name,$(KERNEL_NAMES),--redefine-sym $(name)=kernel_$(name)) $@

define UNIT_PROGRAM
$(BUILD)/tests/unit/$(1): $(BUILD)/tests/obj/tests/unit/$(1).o $(UNIT_FRAME) \
		$(patsubst %.c,$(BUILD)/tests/obj/%.o,$(shell sed -n 's/.*SOURCES: *\([^*]*\).*/\1/p' tests/unit/$(1).c))
	@mkdir -p $$(@D)
	$$(Q)$$(UNIT_CC) $$(UNIT_CFLAGS) -o $$@ $$^
endef
$(foreach test,$(notdir $(UNIT)),$(eval $(call UNIT_PROGRAM,$(test))))

.SECONDARY: $(UNIT_FRAME)
-include $(shell find $(BUILD)/tests/obj -name '*.d' 2>/dev/null)

# Test programs in the guest get the test frame as well.
$(BUILD)/user/obj/tests/user/%.o: USER_CFLAGS += -Itests/lib
$(BUILD)/user/usr/tests/t_%: $(BUILD)/user/obj/tests/user/t_%.o $(BUILD)/user/obj/tests/lib/test.o $(BUILD)/user/libuser.a
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(USER_CC) $(USER_LDFLAGS) -o $<.elf $^ -lm
	$(Q)$(TARGET_TOOL)objcopy -S -R .comment $<.elf $@

# Programs that tests put into the image themselves.
$(BUILD)/tests/hostile/%: $(BUILD)/user/obj/tests/hostile/%.o $(BUILD)/user/obj/tests/lib/test.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(USER_CC) $(USER_LDFLAGS) -o $<.elf $^
	$(Q)$(TARGET_TOOL)objcopy -S -R .comment $<.elf $@
# flood is no test by itself.
$(BUILD)/tests/hostile/flood: $(BUILD)/user/obj/tests/hostile/flood.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(USER_CC) $(USER_LDFLAGS) -o $<.elf $^
	$(Q)$(TARGET_TOOL)objcopy -S -R .comment $<.elf $@
$(BUILD)/tests/boot/%: $(BUILD)/user/obj/tests/boot/%.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(USER_CC) $(USER_LDFLAGS) -o $<.elf $^
	$(Q)$(TARGET_TOOL)objcopy -S -R .comment $<.elf $@
$(BUILD)/user/obj/tests/hostile/%.o: USER_CFLAGS += -Itests/lib
.SECONDARY: $(GUEST_EXTRA:$(BUILD)/%=$(BUILD)/user/obj/%.o)

# For dom0, which has these libraries because the toolstack needs them.
$(BUILD)/tests/domain/badblk: $(wildcard tests/domain/badblk*.[ch])
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)$(UNIT_CC) -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -o $@ \
		$(filter %.c,$^) -lxenstore -lxenevtchn -lxengnttab

$(BUILD)/tests/domain/console_backend: tests/domain/console_backend.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)$(UNIT_CC) -std=gnu17 -O2 -static -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -o $@ $<
$(BUILD)/tests/domain/introduce: tests/domain/introduce.c
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)$(UNIT_CC) -std=gnu17 -O2 -static -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -o $@ $<

# The guest's programs for this machine's own system: the suite `linux`.
$(BUILD)/tests/host-user/%: tests/user/%.c tests/lib/test.c tests/lib/test.h tests/user/guest.h
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(UNIT_CC) -std=gnu17 -O1 -g -D_GNU_SOURCE -Itests/lib -o $@ $< tests/lib/test.c -lm
