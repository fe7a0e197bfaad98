/* SPDX-License-Identifier: MIT */
/* Per-CPU data itself, and random bits from the processor. */
#include <cpu.h>
#include <machine.h>
#include <string.h>
#include <types.h>
#include "cpuid.h"

struct cpu cpus[MAX_CPUS];
unsigned nr_cpus = 1;

const struct machine *machine;
struct boot_info boot_info;
bool cpuid_forced;

const unsigned long *machine_p2m, *machine_m2p;
unsigned long nr_pages;

void cpu_identify(char vendor[16], char name[52], unsigned *family, unsigned *model,
		  unsigned *stepping)
{
	struct cpuid r = cpuid(0, 0), *part = (struct cpuid *)name;
	const uint32_t words[] = {r.ebx, r.edx, r.ecx, 0};

	memcpy(vendor, words, sizeof(words));
	memset(name, 0, 52);
	if (cpuid(0x80000000, 0).eax >= 0x80000004)
		for (uint32_t i = 0; i < 3; i++)
			part[i] = cpuid(0x80000002 + i, 0);
	r = cpuid(1, 0);
	*stepping = r.eax & 15;
	*family = (r.eax >> 8) & 15;
	*model = (r.eax >> 4) & 15;
	if (*family == 15 || *family == 6)
		*model |= r.eax >> 12 & 0xf0;
	if (*family == 15)
		*family += (r.eax >> 20) & 255;
}

static bool rdrand(uint64_t *v)
{
	static int have = -1;
	bool ok = false;

	if (have < 0)
		have = !!(cpuid(1, 0).ecx & CPUID_1_ECX_RDRAND);
	for (int tries = 0; have && !ok && tries < 10; tries++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(*v), "=qm"(ok)::"cc");
	return ok;
}

uint64_t machine_entropy(void)
{
	static uint64_t state;
	uint64_t v = 0;

	/* Without RDRAND the time stamp counter and the clock are all there is: good enough to make
	 * two boots differ, not for keys. */
	if (!rdrand(&v))
		v = (uint64_t)machine->clock_monotonic() + (uint64_t)machine->clock_wall_offset();
	state += v ^ rdtsc_now();
	state ^= state >> 30;
	state *= 0xbf58476d1ce4e5b9ull;
	state ^= state >> 27;
	state *= 0x94d049bb133111ebull;
	state ^= state >> 31;
	return state ^ v;
}
