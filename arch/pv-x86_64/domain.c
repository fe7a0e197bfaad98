/* SPDX-License-Identifier: MIT */
/*
 * What a domain is told about itself.
 *
 * Natively a driver finds its devices by looking: at buses, ports, firmware tables. A domain is
 * born with two channels instead, each a shared page and an event channel: the console, and
 * xenstore, where everything else is written. Who makes the domain has made the two pages, and
 * granted them to domain 0. A PV domain is told their machine frame numbers and ports in
 * start_info (boot.c); a PVH domain asks, by HVMOP_get_param (pvh.c). The initial domain has
 * neither: its console is Xen's, and it is the one that is going to run xenstore.
 */
#include <string.h>
#include "hypercall.h"
#include "pv.h"

struct xen_birth birth;

struct hv_channel hv_store_channel(void)
{
	return birth.store;
}

void hv_uuid(uint8_t uuid[16])
{
	xen_domain_handle_t handle;

	_Static_assert(sizeof(handle) == 16, "domain handle");
	memset(handle, 0, sizeof(handle));
	hyp_xen_version(XENVER_guest_handle, handle);
	memcpy(uuid, handle, sizeof(handle));
}
