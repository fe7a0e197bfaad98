/* SPDX-License-Identifier: MIT */
/*
 * Which Xen this is and what it offers: HYPERVISOR_xen_version. Natively CPUID says it all; here
 * CPUID describes the processor and this call the hypervisor. A feature bit means that an otherwise
 * forbidden thing is allowed or done for us (writable page tables, translated frame numbers): a
 * plain 64-bit PV guest has few of them, a PVH domain has these two.
 */
#include <printk.h>
#include <xen/features.h>
#include "hypercall.h"
#include "pv.h"

static const struct {
	unsigned bit;
	const char *name;
} names[] = {
	{XENFEAT_writable_page_tables, "writable_page_tables"},
	{XENFEAT_writable_descriptor_tables, "writable_descriptor_tables"},
	{XENFEAT_auto_translated_physmap, "auto_translated_physmap"},
	{XENFEAT_supervisor_mode_kernel, "supervisor_mode_kernel"},
	{XENFEAT_pae_pgdir_above_4gb, "pae_pgdir_above_4gb"},
	{XENFEAT_mmu_pt_update_preserve_ad, "mmu_pt_update_preserve_ad"},
	{XENFEAT_highmem_assist, "highmem_assist"},
	{XENFEAT_gnttab_map_avail_bits, "gnttab_map_avail_bits"},
	{XENFEAT_hvm_callback_vector, "hvm_callback_vector"},
	{XENFEAT_hvm_safe_pvclock, "hvm_safe_pvclock"},
	{XENFEAT_hvm_pirqs, "hvm_pirqs"},
	{XENFEAT_dom0, "dom0"},
	{XENFEAT_memory_op_vnode_supported, "memory_op_vnode_supported"},
};

static uint32_t bits;

bool xen_feature(unsigned bit)
{
	return bit < 32 && (bits >> bit) & 1;
}

void features_init(void)
{
	struct xen_feature_info fi = {.submap_idx = 0};
	long version = hyp_xen_version(XENVER_version, NULL);
	xen_extraversion_t extra = "";

	hyp_xen_version(XENVER_extraversion, extra);
	extra[sizeof(extra) - 1] = 0;
	snprintk(boot_info.hypervisor, sizeof(boot_info.hypervisor), "Xen %ld.%ld%s", version >> 16,
		 version & 0xffff, extra);
	if (hyp_xen_version(XENVER_get_features, &fi) == 0)
		bits = fi.submap;
}

size_t features_describe(char *buf, size_t size)
{
	size_t n = snprintk(buf, size, "features:");

	for (unsigned i = 0; i < ARRAY_SIZE(names) && n < size; i++)
		if (xen_feature(names[i].bit))
			n += snprintk(buf + n, size - n, " %s", names[i].name);
	if (n < size)
		n += snprintk(buf + n, size - n, "\n");
	return min(n, size);
}
