/* SPDX-License-Identifier: MIT */
/*
 * The frontends' start, in the order in which they need each other.
 */
#include <hv.h>
#include <printk.h>
#include "console.h"
#include "xenbus/xenbus.h"

void pvfront_start(void)
{
	console_start();
}
