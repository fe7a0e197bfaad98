# SPDX-License-Identifier: MIT
#
# The C library and the compiler driver for user programs.
#
#   build/toolchain/.stamp       what everything that is compiled for Parvix depends on
#   build/toolchain/bin/         x86_64-parvix-gcc, -ar, -ld ...
#   build/toolchain/x86_64-parvix/{include,lib}
#
# In three steps, so that a change costs what it must: newlib itself (a minute: only after a change of
# lib/newlib/{patches,override,build.sh}); headers and driver (at once); the port's own C files (seconds),
# merged into libc.a. With TOOLCHAIN=full the same is made below build/toolchain-full with a GCC of its
# own (`make toolchain`), and kernel and user space are compiled by that. TOOLCHAIN=clang compiles both
# with clang against the library of the first. After a change of TOOLCHAIN: make clean.

TOOLCHAIN ?= host
ifeq ($(TOOLCHAIN),full)
TC := $(BUILD)/toolchain-full
TC_HOST := $$PARVIX_TOOLS/host/bin/x86_64-elf-
TC_BIN := $(abspath $(TC))/host/bin/x86_64-elf-
TC_COMPILER := $(TC)/host/.stamp
else
TC := $(BUILD)/toolchain
TC_HOST := x86_64-linux-gnu-
TC_BIN := x86_64-linux-gnu-
TC_COMPILER :=
endif
# For tools/pkg/build.
export PARVIX_TOOLCHAIN := $(abspath $(TC))
TC_STAMP := $(TC)/.stamp
TC_ROOT := $(TC)/x86_64-parvix
TARGET_TOOL := $(abspath $(TC))/bin/x86_64-parvix-
TARGET_CC := $(TARGET_TOOL)$(if $(filter clang,$(TOOLCHAIN)),clang,gcc)

NEWLIB_TARBALL ?= /usr/src/newlib/newlib-3.3.0.tar.xz
NL := lib/newlib
NL_WORK := $(TC)/newlib
NL_STAMP := $(NL_WORK)/.built
NL_OBJ := $(NL_WORK)/port
NL_INPUTS := $(NL)/build.sh $(wildcard $(NL)/patches/*.patch) $(shell find $(NL)/override -type f)
NL_HEADERS := $(shell find $(NL)/include include/parvix -type f -name '*.h')
TC_NAMES := gcc cc c99 cpp clang pkg-config ar as ld nm objcopy objdump ranlib readelf strip size strings addr2line

.PHONY: sdk toolchain

# The end of the log of a step that failed, and what to do about it: $(call tc_fail,LOG,WHAT)
tc_fail = { tail -n 15 $(1); echo; echo '$(2) failed; the whole log is $(1).'; \
	echo 'If a tool or file is missing: make doctor. After a repair, the same command again.'; exit 1; }

# Two makes in one tree must not build it twice at a time: whoever waited for the lock looks again.
$(NL_STAMP): $(NL_INPUTS) $(TC_COMPILER)
	$(call say,NEWLIB,$(TC) (about a minute))
	$(Q)test -f $(NEWLIB_TARBALL) || { echo 'Debian package newlib-source is missing: make deps'; exit 1; }
	$(Q)mkdir -p $(NL_WORK)
	$(Q)flock $(TC)/.lock sh -c 'if [ -f $@ ] && [ -z "$$(find $(NL_INPUTS) $(TC_COMPILER) -newer $@)" ]; \
		then exit 0; fi; $(NL)/build.sh $(NEWLIB_TARBALL) $(abspath $(NL_WORK)) \
		$(abspath $(NL_WORK)/inst) $(TC_BIN) && touch $@' >$(TC)/newlib.log 2>&1 \
		|| $(call tc_fail,$(TC)/newlib.log,Building newlib)

# Headers and driver first: the port is compiled with the driver. Some of newlib's headers need files
# that only other systems have; without them, configure sees what is not there.
$(TC)/.headers: $(NL_STAMP) $(NL_HEADERS) tools/toolchain/driver tools/toolchain/parvix.specs
	$(call say,HEADERS,$(TC_ROOT)/include)
	$(Q)mkdir -p $(TC)/bin $(TC)/lib $(TC_ROOT)/lib
	$(Q)cp -R $(NL_WORK)/inst/x86_64-parvix/include $(TC_ROOT)/
	$(Q)cp -R $(NL)/include/. include/parvix $(TC_ROOT)/include/
	$(Q)cd $(TC_ROOT)/include && rm -rf rpc devctl.h iconv.h ndbm.h stdatomic.h threads.h utmp.h
	$(Q)cp tools/toolchain/parvix.specs $(TC)/lib/
	$(Q)for n in $(TC_NAMES); do new=$(TC)/bin/.new.$$$$; sed 's|@HOST@|$(TC_HOST)|' \
		tools/toolchain/driver >$$new && chmod +x $$new && mv $$new $(TC)/bin/x86_64-parvix-$$n; done
	$(Q)touch $@

NL_CFLAGS := -O2 -g1 -std=gnu17 -D_GNU_SOURCE -D_COMPILING_NEWLIB -Wall -Wextra -Wmissing-prototypes \
	-Wstrict-prototypes -ffunction-sections -fdata-sections -fno-stack-protector -fno-builtin \
	-fno-tree-loop-distribute-patterns
NL_SRC := $(wildcard $(NL)/src/*.c)
NL_SRC := $(filter-out $(NL)/src/stub.c,$(NL_SRC)) $(filter-out $(NL)/src/crt0.S,$(wildcard $(NL)/src/*.S))
NL_OBJS := $(addprefix $(NL_OBJ)/,$(addsuffix .o,$(notdir $(NL_SRC))))

$(NL_OBJ)/%.o: $(NL)/src/% $(TC)/.headers $(wildcard $(NL)/src/*.h)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(TARGET_TOOL)gcc $(NL_CFLAGS) -c -o $@ $<

# Each line of calls.list becomes an object.
$(NL_OBJ)/.stubs: $(NL)/src/stub.c $(NL)/src/calls.list $(TC)/.headers
	$(call say,STUBS,$(NL)/src/calls.list)
	$(Q)mkdir -p $(NL_OBJ)/stubs
	$(Q)rm -f $(NL_OBJ)/stubs/*.o
	$(Q)grep -v '^#' $(NL)/src/calls.list | while read -r name call point; do \
		$(TARGET_TOOL)gcc $(NL_CFLAGS) -DNAME=$$name -DCALL=SYS_$$call $${point:+-DPOINT} -c \
			-o $(NL_OBJ)/stubs/sys_$$name.o $(NL)/src/stub.c || exit 1; done
	$(Q)touch $@

# The library is newlib's archive with the port's objects added, made aside and put in place at once;
# the check compares what the two sides of the system call border believe.
$(TC_STAMP): $(NL_OBJS) $(NL_OBJ)/crt0.S.o $(NL_OBJ)/.stubs $(NL)/check/abi.c $(NL)/check/abi-list.h mk/toolchain.mk
	$(call say,LIBC,$(TC_ROOT)/lib/libc.a)
	$(Q)$(TARGET_TOOL)gcc -S -O1 -o $(NL_OBJ)/abi-lib.s $(NL)/check/abi.c
	$(Q)$(TARGET_TOOL)gcc -S -O1 -o $(NL_OBJ)/abi-kernel.s -DKERNEL_SIDE -Iinclude $(NL)/check/abi.c
	$(Q)for s in lib kernel; do sed -n 's/^->//p' $(NL_OBJ)/abi-$$s.s >$(NL_OBJ)/abi-$$s; done
	$(Q)diff $(NL_OBJ)/abi-lib $(NL_OBJ)/abi-kernel || { echo 'The C library (<) and include/parvix (>)' \
		'disagree in name, value or offset, size: correct one of the two.'; exit 1; }
	$(Q)new=$(NL_OBJ)/libc.$$$$.a; cp $(NL_WORK)/inst/x86_64-parvix/lib/libc.a $$new && \
		$(TARGET_TOOL)ar d $$new lib_a-ttyname.o lib_a-ttyname_r.o lib_a-lock.o && \
		$(TARGET_TOOL)ar d $$new lib_a-glob.o lib_a-mktemp.o lib_a-flags.o && $(TARGET_TOOL)ar r $$new $(NL_OBJS) $(NL_OBJ)/stubs/*.o && mv $$new $(TC_ROOT)/lib/libc.a
	$(Q)cp $(NL_WORK)/inst/x86_64-parvix/lib/libm.a $(TC_ROOT)/lib/
	$(Q)cp $(NL_OBJ)/crt0.S.o $(TC_ROOT)/lib/crt0.o
	$(Q)for l in pthread rt; do rm -f $(TC_ROOT)/lib/lib$$l.a; $(TARGET_TOOL)ar r $(TC_ROOT)/lib/lib$$l.a 2>/dev/null; done
	$(Q)touch $@

SDK := $(BUILD)/sdk/parvix-sdk

sdk: $(TC_STAMP) ## make build/sdk/parvix-sdk.tar.xz: driver, headers and libraries in one folder
	$(call say,SDK,$(SDK).tar.xz)
	$(Q)rm -rf $(SDK) && mkdir -p $(SDK)/example
	$(Q)cp -R $(TC)/bin $(TC)/lib $(TC_ROOT) $(SDK)/
	$(Q)if [ -d $(TC)/host ]; then cp -R $(TC)/host $(SDK)/; fi
	$(Q)cp tools/toolchain/sdk/README LICENSE $(SDK)/
	$(Q)cp tools/toolchain/sdk/hello.c tools/toolchain/sdk/Makefile $(SDK)/example/
	$(Q)tar -C $(BUILD)/sdk -cJf $(SDK).tar.xz parvix-sdk
	@echo '  The folder $(SDK) may be moved anywhere; its README says the rest.'

toolchain: ## build a separate GCC for `make TOOLCHAIN=full ...` (15 to 30 minutes, never needed)
	@tools/doctor --quiet toolchain
	$(Q)$(MAKE) --no-print-directory TOOLCHAIN=full $(BUILD)/toolchain-full/.stamp
	@echo '  Now `make clean` and `make TOOLCHAIN=full run` compile everything with it.'

$(BUILD)/toolchain-full/host/.stamp: tools/toolchain/build-gcc
	$(call say,GCC,$(@D) (15 to 30 minutes))
	$(Q)mkdir -p $(@D)
	$(Q)tools/toolchain/build-gcc $(abspath $(BUILD)/toolchain-full/work) $(abspath $(@D)) \
		>$(BUILD)/toolchain-full/gcc.log 2>&1 || $(call tc_fail,$(BUILD)/toolchain-full/gcc.log,Building GCC)
	$(Q)touch $@
