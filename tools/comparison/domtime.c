/* SPDX-License-Identifier: MIT */
/*
 * domtime: the processor time that a domain has had, in nanoseconds, as the hypervisor counts it.
 *
 * `xl list` says it in tenths of a second. Where QEMU counts instructions one nanosecond is one
 * instruction, the hypervisor's on the domain's behalf included: a figure that any guest has,
 * whether it can measure itself or not. Runs in dom0, which has the library for its toolstack.
 */
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv)
{
	xc_interface *xen = xc_interface_open(NULL, NULL, 0);
	uint32_t wanted = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	xc_dominfo_t info;

	if (!xen || argc != 2) {
		fprintf(stderr, "usage: domtime DOMAIN-NUMBER (in dom0)\n");
		return 2;
	}
	if (xc_domain_getinfo(xen, wanted, 1, &info) != 1 || info.domid != wanted) {
		fprintf(stderr, "domtime: there is no domain %u\n", wanted);
		return 1;
	}
	printf("%llu\n", (unsigned long long)info.cpu_time);
	xc_interface_close(xen);
	return 0;
}
