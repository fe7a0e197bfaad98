/* SPDX-License-Identifier: MIT */
/*
 * A virtual device on PCI, whatever it is: registers, features, queues. Specification: Virtual I/O
 * Device 1.1, 3.1 (start), 4.1 (PCI).
 */
#ifndef NATIVE_VIRTIO_H
#define NATIVE_VIRTIO_H

#include "pci.h"
#include "virtio_ring.h"

#define VIRTIO_F_INDIRECT (1ull << 28)
#define VIRTIO_F_EVENT_INDEX (1ull << 29)
#define VIRTIO_F_VERSION_1 (1ull << 32)

#define VIRTIO_STATUS_FAILED 0x80u
#define VIRTIO_STATUS_NEEDS_RESET 0x40u
#define VIRTIO_STATUS_GONE 0xffu /* nobody answers */

struct virtio {
	struct pci_device *pci;
	volatile void *common, *notify, *config; /* registers */
	uint32_t notify_unit;
	size_t notify_size, config_size; /* bytes */
	uint64_t features;               /* agreed on */
	volatile void *bell[1];          /* of each queue used */
};

/* Where the registers are. NULL, or why the device cannot be used. */
const char *virtio_find(struct virtio *v, struct pci_device *pci);
/* Reset, and agree on features: what it offers of @wanted. VERSION_1 is always wanted, and must be
 * offered. NULL, or why not. Sleeps. */
const char *virtio_begin(struct virtio *v, uint64_t wanted);
/* Queue @nr, of @r->size at most (it has been sized by virtio_queue_size()); its interrupt is the
 * device's number @entry. NULL, or why not. */
const char *virtio_queue_start(struct virtio *v, unsigned nr, struct virtio_ring *r,
			       unsigned entry);
/* The largest ring for queue @nr, up to @most; a power of two. 0: there is no such queue. */
unsigned virtio_queue_size(struct virtio *v, unsigned nr, unsigned most);
/* Interrupt number @entry tells of changes of the configuration. False: the device cannot. */
bool virtio_config_interrupt(struct virtio *v, unsigned entry);
void virtio_run(struct virtio *v);                 /* all is set up */
void virtio_notify(struct virtio *v, unsigned nr); /* the doorbell */
/* Stop it: on return it touches no memory. -EIO: it does not obey. Sleeps. */
int virtio_reset(struct virtio *v);
unsigned virtio_status(struct virtio *v); /* VIRTIO_STATUS_* */
/* @n bytes (a multiple of 4) of the device's own configuration at @offset, all of the same moment;
 * zeros behind its end. False: it changes all the time. */
bool virtio_config(struct virtio *v, size_t offset, void *buf, size_t n);

#endif
