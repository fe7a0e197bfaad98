# SPDX-License-Identifier: MIT
# The kernel image: every .c and .S below arch/, kernel/, drivers/ and lib/*.c is part of it.
#
# It is linked twice: the first result gives the names and addresses of all functions, from which a
# table for backtraces is made (include/symbols.h); the second link adds it behind the text, where it
# moves no function. KERNEL_CC=clang builds with clang; DEBUG=1 adds checks that cost time (freed memory
# is poisoned).

KERNEL_CC ?= $(if $(filter full,$(TOOLCHAIN)),$(BUILD)/toolchain-full/host/bin/x86_64-elf-gcc,$(if \
	$(filter clang,$(TOOLCHAIN)),clang,gcc))
KERNEL_OBJ := $(BUILD)/kernel

KERNEL_SRC := $(wildcard arch/x86_64/*.c arch/x86_64/*.S arch/pv-x86_64/*.c arch/pv-x86_64/*.S \
	arch/native-x86_64/*.c arch/native-x86_64/*.S \
	kernel/*.c kernel/*/*.c kernel/*/*/*.c drivers/*.c drivers/*/*.c drivers/*/*/*.c lib/*.c)
KERNEL_OBJS := $(KERNEL_SRC:%=$(KERNEL_OBJ)/%.o)

KERNEL_IS_CLANG := $(findstring clang,$(shell $(KERNEL_CC) --version 2>/dev/null | head -1))
KERNEL_WARN := -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes \
	$(if $(KERNEL_IS_CLANG),-Wno-unused-command-line-argument,-Wshadow=local)
KERNEL_CPPFLAGS := -nostdinc -isystem $(shell $(KERNEL_CC) -print-file-name=include 2>/dev/null) -Iinclude
KERNEL_CFLAGS := -std=gnu17 -O2 -g -ffreestanding -fno-builtin-printf -mcmodel=kernel -fno-pic -fno-pie \
	-mno-red-zone -mgeneral-regs-only -fno-omit-frame-pointer -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing -fno-common $(KERNEL_WARN) \
	$(if $(filter 1,$(DEBUG)),-DDEBUG)
KERNEL_LDFLAGS := -static -nostdlib -no-pie -z noexecstack -z max-page-size=4096 --build-id=none \
	-T arch/x86_64/kernel.lds

# Xen's public headers, without the C library's headers beside them.
XEN_INCLUDE := $(BUILD)/include-xen
$(KERNEL_OBJ)/arch/pv-x86_64/% $(KERNEL_OBJ)/drivers/pvfront/%: \
	KERNEL_CPPFLAGS += -isystem $(XEN_INCLUDE) -D__XEN_INTERFACE_VERSION__=0x00040e00

$(XEN_INCLUDE)/xen:
	$(Q)mkdir -p $(XEN_INCLUDE)
	$(Q)ln -sfn /usr/include/xen $@

# What runs once, seldom, or for a person who reads it is compiled for size: a fifth smaller, and the caches keep what is hot.
KERNEL_COLD := $(filter kernel/main.c kernel/bootarg.c kernel/trace/% kernel/tty/% kernel/fs/procfs% kernel/fs/devfs.c \
	kernel/fs/mount.c kernel/fs/partition.c kernel/fs/ext2/super.c kernel/fs/ext2/check.c kernel/proc/sysrq.c \
	kernel/proc/crash.c kernel/proc/tracer.c %/selftest.c %/boot.c %/power.c drivers/native/% \
	drivers/pvfront/xenbus/% drivers/pvfront/%fs.c drivers/pvfront/procxen.c drivers/pvfront/lifecycle.c \
	drivers/pvfront/balloon.c drivers/pvfront/start.c, $(KERNEL_SRC))
KERNEL_HOT := drivers/native/ahci% drivers/native/virtio%
$(patsubst %,$(KERNEL_OBJ)/%.o,$(filter-out $(KERNEL_HOT),$(KERNEL_COLD))): KERNEL_CFLAGS += -Os

# Another compiler or other flags: everything is compiled again.
$(KERNEL_OBJ)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(KERNEL_CC) $(KERNEL_CFLAGS)' | cmp -s - $@ || echo '$(KERNEL_CC) $(KERNEL_CFLAGS)' > $@

$(KERNEL_OBJ)/%.c.o: %.c mk/kernel.mk $(KERNEL_OBJ)/flags | $(XEN_INCLUDE)/xen
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(KERNEL_CC) $(KERNEL_CPPFLAGS) $(KERNEL_CFLAGS) -MMD -MP -c -o $@ $<

$(KERNEL_OBJ)/%.S.o: %.S mk/kernel.mk | $(XEN_INCLUDE)/xen
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(KERNEL_CC) $(KERNEL_CPPFLAGS) -D__ASSEMBLY__ -g -fno-pic -MMD -MP -c -o $@ $<

# Assembler text of the symbol table from `nm -n` of functions.
define KERNEL_SYMBOLS_AWK
BEGIN { print ".section .symbols,\"a\"\n.balign 8\n.globl symbol_table\nsymbol_table:" }
$$2 ~ /[tT]/ && $$1 ~ /^ffffffffc/ && $$3 !~ /^[.$$]/ {
	printf ".long 0x%s - 0xc0000000, %d\n", substr($$1, 9), off
	names = names ".asciz \"" $$3 "\"\n"; off += length($$3) + 1; n++
}
END {
	print ".globl symbol_count\nsymbol_count: .long " n + 0 "\n.globl symbol_names\nsymbol_names:"
	printf "%s", names; print ".byte 0"
}
endef
export KERNEL_SYMBOLS_AWK

$(KERNEL_OBJ)/empty.sym:
	@mkdir -p $(@D)
	$(Q): > $@

$(KERNEL_OBJ)/pass1.sym: $(KERNEL_OBJ)/pass1
	$(Q)nm -n $< > $@

$(KERNEL_OBJ)/%-symbols.S: $(KERNEL_OBJ)/%.sym mk/kernel.mk
	$(Q)awk "$$KERNEL_SYMBOLS_AWK" $< > $@

$(KERNEL_OBJ)/%-symbols.o: $(KERNEL_OBJ)/%-symbols.S
	$(Q)$(KERNEL_CC) -c -o $@ $<

# When a source file comes or goes, the list of objects changes and the image is linked again.
$(KERNEL_OBJ)/objects.list: FORCE
	@mkdir -p $(@D)
	@echo '$(KERNEL_CC) $(KERNEL_OBJS)' | cmp -s - $@ || echo '$(KERNEL_CC) $(KERNEL_OBJS)' > $@

$(KERNEL_OBJ)/pass1: $(KERNEL_OBJS) $(KERNEL_OBJ)/empty-symbols.o arch/x86_64/kernel.lds $(KERNEL_OBJ)/objects.list
	$(Q)ld $(KERNEL_LDFLAGS) -o $@ $(KERNEL_OBJS) $(KERNEL_OBJ)/empty-symbols.o

$(BUILD)/parvix: $(KERNEL_OBJ)/pass1 $(KERNEL_OBJ)/pass1-symbols.o
	$(call say,LD,$@)
	$(Q)ld $(KERNEL_LDFLAGS) -o $@ $(KERNEL_OBJS) $(KERNEL_OBJ)/pass1-symbols.o
	$(Q)nm -n $@ > $(BUILD)/parvix.sym

$(BUILD)/parvix.sym: $(BUILD)/parvix

.SECONDARY: $(KERNEL_OBJ)/pass1.sym $(KERNEL_OBJ)/pass1-symbols.S $(KERNEL_OBJ)/empty-symbols.S \
	$(KERNEL_OBJ)/pass1-symbols.o $(KERNEL_OBJ)/empty-symbols.o

.PHONY: kernel
kernel: $(BUILD)/parvix ## build the kernel only

-include $(KERNEL_OBJS:.o=.d)
