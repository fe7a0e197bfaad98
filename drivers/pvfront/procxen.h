/* SPDX-License-Identifier: MIT */
/* /proc/xen. See procxen.c. */
#ifndef PVFRONT_PROCXEN_H
#define PVFRONT_PROCXEN_H

/* Register the files, once; those of xenstore only if there is one. */
void procxen_init(void);

#endif
