# SPDX-License-Identifier: MIT
#
# Every command a person types is here or in mk/*.mk; `make help` lists them from the comments
# that start with two hash signs. There is one make, not one per folder: each mk/*.mk adds its
# targets to this one, so that any file can name any other as a prerequisite.
#
#   mk/kernel.mk     build/parvix, build/parvix.sym      mk/rig.mk    the hypervisor, check-elf, lint
#   mk/toolchain.mk  the C library and its driver        mk/test.mk   the test suites
#   mk/user.mk       build/root.img, the root image
#
# For a recipe: `$(call say,CC,$@)` prints the step's one line, `$(Q)command` runs the command, which
# is shown only with V=1. Everything made goes below $(BUILD).

BUILD := build
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

ifeq ($(V),1)
Q :=
else
Q := @
endif
say = @printf '  %-9s %s\n' '$(1)' '$(2)'

# Options of `make run`, as for the program: make run ARGS='--memory 32 --append loglevel=7'
ARGS ?=
# make run WORLD=native, WORLD=pvh: who runs the processor's privileged state (tools/parvix run --help).
WORLD ?=

GUEST := $(BUILD)/parvix.checked $(BUILD)/root.img

.PHONY: help all run quick grub-image clean distclean FORCE

help: ## list these commands
	@awk -f tools/help.awk $(MAKEFILE_LIST)

all: $(GUEST) dom0 ## build the kernel and the root image, fetch hypervisor and dom0

# The second make starts after the packages are there: mk/*.mk ask the compiler for its paths.
run: ## build what has changed and boot to a shell in a Xen domain (WORLD=native: on a PC; WORLD=pvh; ARGS='...')
	@tools/doctor --quiet --install
	@$(MAKE) --no-print-directory $(if $(filter native,$(WORLD)),$(GUEST),all)
	@tools/parvix run $(WORLD:%=--world %) $(ARGS)

quick: ## the same as Xen's initial domain: sooner at the shell, no disks, nothing stays (WORLD=pvh; ARGS='...')
	@tools/doctor --quiet --install
	@$(MAKE) --no-print-directory $(GUEST) $(BUILD)/xen
	@tools/parvix run $(WORLD:%=--world %) --rig initial $(ARGS)

grub-image: ## make build/parvix-pc.img, to be copied onto a PC's disk or USB stick (ARGS='...' for tools/parvix grub-image)
	@tools/doctor --quiet --install
	@$(MAKE) --no-print-directory $(GUEST)
	@tools/parvix grub-image $(ARGS)

clean: ## remove what was built from this tree, keep the C library, packages, hypervisor and dom0
	$(call say,CLEAN,$(BUILD))
	$(Q)if [ -d $(BUILD) ]; then find $(BUILD) -mindepth 1 -maxdepth 1 \
		! -name toolchain ! -name toolchain-full ! -name cross ! -name xen ! -name dom0 ! -name rig ! -name sources -exec rm -rf {} +; fi

distclean: ## remove everything that was built or fetched
	$(call say,CLEAN,$(BUILD) entirely)
	$(Q)rm -rf $(BUILD)

include $(wildcard mk/*.mk)
