# SPDX-License-Identifier: MIT
# The machine to run in, and the checks on what is built. docs/rig.md describes the rig.

HOST_CC ?= gcc

.PHONY: dom0 deps doctor gdb check-elf lint tour format bench bench-domain

deps: ## install the Debian packages that are needed (root, or sudo) and fetch the hypervisor
	@tools/doctor --install lint gdb clang compare
	@$(MAKE) --no-print-directory dom0

doctor: ## say which packages are missing and why each is needed
	@tools/doctor lint gdb clang compare

$(BUILD):
	$(Q)mkdir -p $@

# Debian's hypervisor, as an ELF file because QEMU's -kernel wants that. Its package is unpacked
# rather than installed: installed, it would make itself an entry in this machine's boot menu.
XEN_PACKAGE := xen-hypervisor-4.17-amd64
$(BUILD)/xen: tools/fetch-xen | $(BUILD)
	$(call say,XEN,$@)
	$(Q)tools/fetch-xen $(XEN_PACKAGE) $@

# dom0, for `--rig domain`: its kernel and initramfs from Debian packages, and our agent in it.
DOM0 := $(BUILD)/dom0
DOM0_SOURCES := tools/mkdom0 tools/rig/cpio.py tools/rig/elf.py $(wildcard tools/rig/dom0/*)

$(DOM0)/agent: tools/rig/dom0/agent.c
	$(call say,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=gnu17 -O2 -static -Wall -Wextra -Wmissing-prototypes -Wstrict-prototypes -o $@ $<

$(DOM0)/dom0.cpio: $(DOM0)/agent $(DOM0_SOURCES)
	$(call say,DOM0,$@)
	$(Q)tools/mkdom0 $(BUILD) $(DOM0)/agent

dom0: $(DOM0)/dom0.cpio $(BUILD)/xen ## make dom0, the Linux with the Xen toolstack that creates domains

# ---- checks ------------------------------------------------------------------------------------------

# Make has a variable of this name itself, with the value `lint`.
LINT :=

# The layering check also looks into the kernel's object files, where no macro hides anything.
lint: $(BUILD)/parvix ## check style, layers, suspicious C, scripts (LINT=format,layers,tour,cppcheck,shell chooses)
	@tools/doctor --quiet lint
	@tools/lint $(LINT)

tour: ## the operations that differ between the worlds, with both places (OP=pte_write: both texts)
	@tools/tour $(OP)

format: ## rewrite C files in the house style
	@tools/doctor --quiet lint
	@tools/lint rewrite

# Checked whenever it is linked: a wrong note would otherwise show as a guest that never says a word.
$(BUILD)/parvix.checked: $(BUILD)/parvix tools/check-elf
	$(Q)tools/check-elf --world pv --world pvh $(BUILD)/parvix
	@touch $@

check-elf: $(BUILD)/parvix.checked ## check the kernel image as Xen's domain builder will

# Two terminals: this one is the guest's. `hbreak` and not `break`: before the kernel is loaded there is
# no memory to put a breakpoint into.
gdb: all ## boot stopped and wait for gdb, which is to be started in a second terminal
	@tools/doctor --quiet gdb
	@echo "In another terminal, in this folder:"
	@echo "    gdb $(BUILD)/parvix -ex 'target remote :1234' -ex 'hbreak kernel_main' -ex continue"
	@tools/parvix run --rig initial --gdb $(ARGS)

bench: $(BUILD)/parvix.checked $(BUILD)/root.img $(BUILD)/xen ## measure boot and operations, compare with the last run (ARGS='...')
	@tools/bench $(ARGS)

bench-domain: all ## an ordinary domain beside Linux in one: boot in spans, the disk (ARGS='...')
	@tools/bench-domain $(ARGS)
