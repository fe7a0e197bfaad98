/* SPDX-License-Identifier: MIT */
/*
 * The frontends' start: xenstore, by which all others are arranged; the drivers of the bus; and the
 * bus, which finds their devices. From there on every device is on its own thread, and while they
 * wait for their backends (the root disk is one of them) there is time for what is no device. Then
 * boot waits for them all, for a while: the first program is to find the disks that the domain was
 * born with, and a backend that does not answer is not to keep it from running.
 */
#include <hv.h>
#include <printk.h>
#include <proc.h>
#include "balloon.h"
#include "blk/blk.h"
#include "console.h"
#include "lifecycle.h"
#include "procxen.h"
#include "storefs.h"
#include "xenbus/xenbus.h"

#define SETTLE_SPAN (5 * NSEC_PER_SEC)

void pvfront_start(void)
{
	int err = xs_start();

	console_start();
	if (!err) {
		blk_start();
		console_bus_start();
		err = xenbus_start();
		storefs_init();
		lifecycle_start();
		balloon_start();
	}
	if (err && err != -ENODEV)
		printk("xenstore: no connection: %s\n", error_text(err));
	procxen_init();
	if (!err)
		xenbus_settle(clock_now() + SETTLE_SPAN);
}
