/* SPDX-License-Identifier: MIT */
/* Where Xen's CPUID leaves begin: pure logic, for a unit test. */
#ifndef XEN_CPUID_H
#define XEN_CPUID_H

#include <types.h>
#include <xen/arch-x86/cpuid.h>
#include "../x86_64/cpuid.h"

#define XEN_CPUID_BASES 256 /* at which a hypervisor's leaves may begin, each with .. */
#define XEN_CPUID_STEP 0x100

/*
 * A hypervisor's first leaf names it and tells the last leaf it has. There may be several: Xen can
 * pose as another one in the first place and be itself in the second. We need the leaf of the
 * hypercall page, the third, at least. 0: no Xen. Source: <xen/arch-x86/cpuid.h>.
 */
static inline uint32_t xen_cpuid_find(struct cpuid (*ask)(uint32_t leaf, uint32_t sub))
{
	for (unsigned i = 0; i < XEN_CPUID_BASES; i++) {
		uint32_t leaf = XEN_CPUID_FIRST_LEAF + i * XEN_CPUID_STEP;
		struct cpuid r = ask(leaf, 0);

		if (r.ebx == XEN_CPUID_SIGNATURE_EBX && r.ecx == XEN_CPUID_SIGNATURE_ECX &&
		    r.edx == XEN_CPUID_SIGNATURE_EDX && r.eax >= leaf + 2)
			return leaf;
	}
	return 0;
}

#endif
