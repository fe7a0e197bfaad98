/* SPDX-License-Identifier: MIT */
/*
 * The frontends' start, in the order in which they need each other: xenstore, by which all others
 * are arranged; what is not a device of the bus; the drivers of the bus; and at last the bus, which
 * finds their devices. From there on every device is on its own thread.
 */
#include <hv.h>
#include <printk.h>
#include "balloon.h"
#include "blk/blk.h"
#include "console.h"
#include "lifecycle.h"
#include "procxen.h"
#include "storefs.h"
#include "xenbus/xenbus.h"

void pvfront_start(void)
{
	int err = xs_start();

	console_start();
	if (!err) {
		storefs_init();
		lifecycle_start();
		console_bus_start();
		balloon_start();
		blk_start();
		err = xenbus_start();
	}
	if (err && err != -ENODEV)
		printk("xenstore: no connection: error %d\n", -err);
	procxen_init();
}
