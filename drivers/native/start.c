/* SPDX-License-Identifier: MIT */
/*
 * The native drivers' start: consoles, PCI, and the disks on it. A disk is read at once, to see its
 * partitions; boot waits for that, for a while, because one of them is the root.
 */
#include <pc.h>
#include <proc.h>
#include "disk.h"
#include "pci.h"
#include "start.h"

#define SETTLE_SPAN (10 * NSEC_PER_SEC)

void native_drivers_start(void)
{
	native_consoles_start();
	pci_start();
	ahci_start();
	virtio_blk_start();
	disk_settle(clock_now() + SETTLE_SPAN);
}
