/* SPDX-License-Identifier: MIT */
/* Small instructions, one function each. */
#ifndef ARCH_CPUID_H
#define ARCH_CPUID_H

#include <types.h>

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

/*
 * CPUID in ring 3 is not privileged, so under PV the plain instruction answers with what the real
 * processor has, not with what Xen lets the guest use. A "ud2; .ascii xen" in front of it makes it
 * fault into Xen, which then answers as it should (<xen/arch-x86/xen.h>, XEN_CPUID). Which of the
 * two is in force: cpuid_forced, set by the world's boot code.
 */
extern bool cpuid_forced;

static inline struct cpuid cpuid(uint32_t leaf, uint32_t sub)
{
	struct cpuid r;

	if (cpuid_forced)
		__asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
				 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
				 : "0"(leaf), "2"(sub));
	else
		__asm__ volatile("cpuid"
				 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
				 : "0"(leaf), "2"(sub));
	return r;
}

#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_OSXSAVE (1u << 27)
#define CPUID_1_ECX_AVX (1u << 28)
#define CPUID_1_ECX_RDRAND (1u << 30)

#define CR4_OSFXSR (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_OSXSAVE (1ul << 18)

static inline unsigned long read_cr4(void)
{
	unsigned long v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return v;
}

static inline void write_cr4(unsigned long v)
{
	__asm__ volatile("movq %0, %%cr4" ::"r"(v));
}

static inline void xsetbv(uint32_t reg, uint64_t v)
{
	__asm__ volatile("xsetbv" ::"c"(reg), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

#endif
