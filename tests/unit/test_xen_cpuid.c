/* SPDX-License-Identifier: MIT */
/*
 * Finding Xen by CPUID.
 * SOURCES:
 */
#include "test.h"

#include "../../arch/pv-x86_64/xen_cpuid.h"

bool cpuid_forced;

/* What the processor answers: other hypervisors before Xen's leaves, at @xen_at (0: no Xen). */
static uint32_t xen_at, xen_last;
static unsigned asked;

static struct cpuid answer(uint32_t leaf, uint32_t sub)
{
	struct cpuid other = {0x40000005, 0x54474354, 0x43544743, 0x47435447};
	struct cpuid xen = {xen_last, XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX,
			    XEN_CPUID_SIGNATURE_EDX};

	CHECK_EQ(sub, 0);
	CHECK(leaf >= 0x40000000 && leaf < 0x40010000);
	asked++;
	return xen_at && leaf == xen_at ? xen : other;
}

static uint32_t find(uint32_t at, uint32_t last)
{
	xen_at = at;
	xen_last = last;
	asked = 0;
	return xen_cpuid_find(answer);
}

TEST(in_the_first_place)
{
	CHECK_EQ(find(0x40000000, 0x40000004), 0x40000000);
	CHECK_EQ(asked, 1);
}

TEST(behind_another_hypervisor)
{
	CHECK_EQ(find(0x40000100, 0x40000104), 0x40000100);
	CHECK_EQ(find(0x4000ff00, 0x4000ff05), 0x4000ff00);
}

TEST(not_at_all)
{
	CHECK_EQ(find(0, 0), 0);
	CHECK_EQ(asked, 256);
}

TEST(without_the_leaf_of_the_hypercall_page)
{
	CHECK_EQ(find(0x40000000, 0x40000001), 0);
	CHECK_EQ(find(0x40000000, 0x40000002), 0x40000000);
}

TEST(the_last_leaf_counts_from_where_it_begins)
{
	CHECK_EQ(find(0x40000200, 0x40000004), 0);
}
