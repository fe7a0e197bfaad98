/* SPDX-License-Identifier: MIT */
/*
 * Floating point, SSE and AVX registers of user programs.
 *
 * The kernel itself is compiled to use none of them (-mgeneral-regs-only), so a program's values
 * stay in the registers while the kernel works for it, and only a switch to another program has to
 * save and load. That is done at every switch ("eager"): older kernels set CR0.TS and waited for
 * the first use, which under PV costs two hypercalls and a fault more than the copy saves.
 *
 * XSAVE writes what the processor has, in a layout that CPUID leaf 0xd describes; which parts
 * (x87, SSE, AVX) is chosen by XCR0. Natively CR4.OSXSAVE and XCR0 are written once per CPU. Under
 * PV both instructions are privileged, so they fault into Xen, which emulates them: CR4.OSXSAVE is
 * the guest's own flag, kept by Xen; XCR0 is real, but checked against what the guest may use. No
 * hypercall is needed, the same instructions do. Without XSAVE (QEMU's qemu64) FXSAVE saves x87 and
 * SSE.
 */
#include <machine.h>
#include <string.h>
#include <types.h>
#include "cpuid.h"

#define XCR0_X87 1u
#define XCR0_SSE 2u
#define XCR0_AVX 4u

#define FXSAVE_SIZE 512u
#define MXCSR_DEFAULT 0x1f80u
#define FCW_DEFAULT 0x37f

struct fxarea {
	uint16_t fcw, fsw;
	uint8_t ftw, reserved;
	uint16_t fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t regs[480];
	/* XSAVE only: */
	uint64_t xstate_bv, xcomp_bv, header[6];
} __packed;

_Static_assert(offsetof(struct fxarea, mxcsr) == 24, "FXSAVE layout");
_Static_assert(offsetof(struct fxarea, xstate_bv) == FXSAVE_SIZE,
	       "XSAVE header follows FXSAVE's area");

unsigned fpu_state_size = FXSAVE_SIZE;
static uint32_t fpu_features; /* XCR0, 0: FXSAVE */
static uint32_t mxcsr_mask = 0xffbf;

void fpu_init_cpu(void)
{
	static struct fxarea probe __aligned(64);

	if (cpuid(1, 0).ecx & CPUID_1_ECX_XSAVE) {
		write_cr4(read_cr4() | CR4_OSXSAVE);
		fpu_features = cpuid(0xd, 0).eax & (XCR0_X87 | XCR0_SSE | XCR0_AVX);
		if (!(cpuid(1, 0).ecx & CPUID_1_ECX_AVX))
			fpu_features &= ~XCR0_AVX;
		xsetbv(0, fpu_features);
		fpu_state_size = cpuid(0xd, 0).ebx;
	}
	__asm__ volatile("fninit; fxsave64 %0" : "=m"(probe));
	if (probe.mxcsr_mask)
		mxcsr_mask = probe.mxcsr_mask;
}

void fpu_init_state(void *state)
{
	struct fxarea *fx = state;

	memset(state, 0, fpu_state_size);
	fx->fcw = FCW_DEFAULT;
	fx->mxcsr = MXCSR_DEFAULT;
}

unsigned fpu_exceptions(const void *state, bool sse)
{
	const struct fxarea *fx = state;

	return (sse ? fx->mxcsr & ~(fx->mxcsr >> 7) : fx->fsw & ~(unsigned)fx->fcw) & 0x3f;
}

void fpu_save(void *state)
{
	if (fpu_features)
		__asm__ volatile("xsave64 (%0)" ::"r"(state), "a"(fpu_features), "d"(0) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(state) : "memory");
}

void fpu_restore(const void *state)
{
	if (fpu_features)
		__asm__ volatile("xrstor64 (%0)" ::"r"(state), "a"(fpu_features), "d"(0)
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(state) : "memory");
}

bool fpu_sanitize(void *state)
{
	struct fxarea *fx = state;

	fx->mxcsr &= mxcsr_mask; /* a reserved bit would fault in the kernel */
	if (!fpu_features)
		return true;
	if ((fx->xstate_bv & ~(uint64_t)fpu_features) || fx->xcomp_bv)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(fx->header); i++)
		if (fx->header[i])
			return false;
	return true;
}
