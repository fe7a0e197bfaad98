/* SPDX-License-Identifier: MIT */
/*
 * What a domain is told about itself.
 *
 * Natively a driver finds its devices by looking: at buses, ports, firmware tables. A domain is
 * born with two channels instead, each a shared page and an event channel, both named in
 * start_info: the console, and xenstore, where everything else is written. The domain builder has
 * allocated the two pages among our own frames (behind start_info, so the page allocator never had
 * them), granted them to domain 0, and tells their machine frame numbers. The initial domain has
 * neither: its console is Xen's, and it is the one that is going to run xenstore.
 */
#include <string.h>
#include "hypercall.h"
#include "pv.h"

static struct hv_channel channel(unsigned long mfn, unsigned port)
{
	struct hv_channel none = {NULL, 0};
	pfn_t pfn;

	if ((start_info.flags & SIF_INITDOMAIN) || !mfn || !port)
		return none;
	pfn = mfn_to_pfn(MFN(mfn));
	if (pfn.v >= nr_pages || pfn_to_mfn(pfn).v != mfn)
		return none;
	return (struct hv_channel){pfn_va(pfn), port};
}

struct hv_channel hv_store_channel(void)
{
	return channel(start_info.store_mfn, start_info.store_evtchn);
}

void hv_uuid(uint8_t uuid[16])
{
	xen_domain_handle_t handle;

	_Static_assert(sizeof(handle) == 16, "domain handle");
	memset(handle, 0, sizeof(handle));
	hyp_xen_version(XENVER_guest_handle, handle);
	memcpy(uuid, handle, sizeof(handle));
}

void pv_start_drivers(void)
{
	grants_init();
	pvfront_start();
}
