# SPDX-License-Identifier: MIT
# The machine to run in, and the checks on what is built. docs/rig.md describes the rig.

.PHONY: deps doctor gdb check-elf lint format bench

deps: ## install the Debian packages that are needed (root, or sudo) and fetch the hypervisor
	@tools/doctor --install all
	@$(MAKE) --no-print-directory $(BUILD)/xen

doctor: ## say which packages are missing and why each is needed
	@tools/doctor all

$(BUILD):
	$(Q)mkdir -p $@

# Debian's hypervisor, as an ELF file because QEMU's -kernel wants that. Its package is unpacked
# rather than installed: installed, it would make itself an entry in this machine's boot menu.
XEN_PACKAGE := xen-hypervisor-4.17-amd64
$(BUILD)/xen: tools/fetch-xen | $(BUILD)
	$(call say,XEN,$@)
	$(Q)tools/fetch-xen $(XEN_PACKAGE) $@
