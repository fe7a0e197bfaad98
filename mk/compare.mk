# SPDX-License-Identifier: MIT
# The comparison of worlds, systems and builds. docs/compare.md explains it.

.PHONY: compare book-figures compare-programs

# One kernel file in every world; or two kernel files: make compare A=build/parvix.old B=build/parvix
A ?=
B ?=
FROM ?=

COMPARE_PROGRAMS := $(BUILD)/compare/lat $(BUILD)/compare/domtime

compare: all compare-programs ## boot and measure in every world, write a report with pictures (A=kernel B=kernel ARGS='...')
	@tools/compare $(if $(A)$(B),--builds $(or $(A),$(error A= is missing)) $(or $(B),$(error B= is missing))) $(ARGS)

# FROM=build/compare/last/report.json: the figures of that run instead of a new one.
book-figures: all compare-programs ## measure, and renew pictures and tables in docs/ (FROM=report.json: of that run)
	@tools/compare $(if $(FROM),--from $(FROM),--with linux --clock instructions) --book docs $(ARGS)

compare-programs: $(COMPARE_PROGRAMS)

# The measuring program for Linux: the guest's own source, so that both do the same.
$(BUILD)/compare/lat: user/bench/lat.c $(wildcard user/bench/lat/*.c) user/bench/lat/lat.h
	$(call say,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=gnu17 -O2 -static -Wall -Wextra -o $@ $(filter %.c,$^)

# For dom0, which has the library because the toolstack needs it.
$(BUILD)/compare/domtime: tools/comparison/domtime.c
	$(call say,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOST_CC) -std=gnu17 -O2 -Wall -Wextra -o $@ $< -lxenctrl
