/* SPDX-License-Identifier: MIT */
/*
 * Virtual devices on PCI.
 *
 * A device that is made of software need not look like one that was made of chips. It still is a
 * PCI device, so that it can be found; but its registers are few: a vendor-specific capability for
 * each group says in which BAR, and where there, it is.
 *
 *   common    features, status, the queues' sizes and addresses
 *   notify    a doorbell for each queue
 *   device    what this kind of device has to say: a disk, its size
 *
 * The beginning is a conversation, as with xenbus: the device offers features as bits, the driver
 * answers with those that it knows, and the device agrees or not. Each step sets a bit in `status`.
 * There everything is text in xenstore and each step is a switch of state; here it is loads and
 * stores, each of which, in a virtual machine, stops the guest and wakes the other side.
 */
#include "virtio.h"
#include <mm.h>
#include <pc.h>
#include <proc.h>
#include <string.h>
#include "disk.h"

/* A capability: type, BAR, offset and length in it, and for the doorbells, how far apart. */
#define CAP_TYPE 3
#define CAP_BAR 4
#define CAP_OFFSET 8
#define CAP_LENGTH 12
#define CAP_NOTIFY_UNIT 16
#define TYPE_COMMON 1
#define TYPE_NOTIFY 2
#define TYPE_DEVICE 4

/* The common registers. */
#define DEVICE_FEATURE_SELECT 0
#define DEVICE_FEATURE 4
#define DRIVER_FEATURE_SELECT 8
#define DRIVER_FEATURE 12
#define CONFIG_VECTOR 16
#define DEVICE_STATUS 20
#define CONFIG_GENERATION 21
#define QUEUE_SELECT 22
#define QUEUE_SIZE 24
#define QUEUE_VECTOR 26
#define QUEUE_ENABLE 28
#define QUEUE_NOTIFY_OFF 30
#define QUEUE_DESC 32
#define QUEUE_AVAIL 40
#define QUEUE_USED 48
#define COMMON_SIZE 56

#define STATUS_ACKNOWLEDGE 1u
#define STATUS_DRIVER 2u
#define STATUS_DRIVER_OK 4u
#define STATUS_FEATURES_OK 8u
#define NO_VECTOR 0xffffu
#define RESET_SPAN NSEC_PER_SEC
#define REGISTERS_MAX 0x1000000u
#define CONFIG_TRIES 100

/* Map the first usable group of @type that has @least bytes; its place is *@cap. */
static volatile void *find(struct pci_device *pci, uint8_t type, uint32_t least, unsigned *cap,
			   size_t *size)
{
	for (*cap = 0; (*cap = pci_capability(pci, PCI_CAP_VENDOR, *cap));) {
		uint32_t len = pci_read32(pci, *cap + CAP_LENGTH);
		volatile void *regs;

		if (pci_read8(pci, *cap + CAP_TYPE) != type || len < least)
			continue;
		*size = min(len, REGISTERS_MAX);
		regs = pci_map(pci, pci_read8(pci, *cap + CAP_BAR),
			       pci_read32(pci, *cap + CAP_OFFSET), *size);
		if (regs)
			return regs;
	}
	return NULL;
}

const char *virtio_find(struct virtio *v, struct pci_device *pci)
{
	size_t size;
	unsigned cap;

	*v = (struct virtio){.pci = pci};
	v->common = find(pci, TYPE_COMMON, COMMON_SIZE, &cap, &size);
	if (!v->common)
		return "it has no registers of version 1";
	v->config = find(pci, TYPE_DEVICE, 4, &cap, &v->config_size);
	v->notify = find(pci, TYPE_NOTIFY, 2, &cap, &v->notify_size);
	if (!v->config || !v->notify)
		return "it lacks registers";
	v->notify_unit = pci_read32(pci, cap + CAP_NOTIFY_UNIT);
	return NULL;
}

unsigned virtio_status(struct virtio *v)
{
	return mmio_read8(v->common, DEVICE_STATUS);
}

static void status_add(struct virtio *v, unsigned bits)
{
	mmio_write8(v->common, DEVICE_STATUS, (uint8_t)(virtio_status(v) | bits));
}

int virtio_reset(struct virtio *v)
{
	ktime_t deadline = clock_now() + RESET_SPAN;

	mmio_write8(v->common, DEVICE_STATUS, 0);
	while (virtio_status(v)) {
		if (virtio_status(v) == VIRTIO_STATUS_GONE)
			return 0;
		if (clock_now() >= deadline)
			return -EIO;
		disk_nap(NSEC_PER_MSEC);
	}
	return 0;
}

const char *virtio_begin(struct virtio *v, uint64_t wanted)
{
	uint64_t offered = 0;

	if (virtio_reset(v))
		return "its reset does not end";
	status_add(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	for (unsigned i = 0; i < 2; i++) {
		mmio_write32(v->common, DEVICE_FEATURE_SELECT, i);
		offered |= (uint64_t)mmio_read32(v->common, DEVICE_FEATURE) << 32 * i;
	}
	if (!(offered & VIRTIO_F_VERSION_1))
		return "it does not know version 1";
	v->features = offered & (wanted | VIRTIO_F_VERSION_1);
	for (unsigned i = 0; i < 2; i++) {
		mmio_write32(v->common, DRIVER_FEATURE_SELECT, i);
		mmio_write32(v->common, DRIVER_FEATURE, (uint32_t)(v->features >> 32 * i));
	}
	status_add(v, STATUS_FEATURES_OK);
	if (!(virtio_status(v) & STATUS_FEATURES_OK))
		return "it wants features that we do not have";
	return NULL;
}

unsigned virtio_queue_size(struct virtio *v, unsigned nr, unsigned most)
{
	unsigned size, fits = 1;

	mmio_write16(v->common, QUEUE_SELECT, (uint16_t)nr);
	size = mmio_read16(v->common, QUEUE_SIZE);
	while (fits * 2 <= min(size, most))
		fits *= 2;
	return size ? fits : 0;
}

static void write_address(struct virtio *v, unsigned reg, const volatile void *va)
{
	uint64_t phys = va_pfn((const void *)va).v * PAGE_SIZE + (unsigned long)va % PAGE_SIZE;

	mmio_write32(v->common, reg, (uint32_t)phys);
	mmio_write32(v->common, reg + 4, (uint32_t)(phys >> 32));
}

const char *virtio_queue_start(struct virtio *v, unsigned nr, struct virtio_ring *r, unsigned entry)
{
	uint64_t bell;

	if (nr >= ARRAY_SIZE(v->bell))
		return "too many queues";
	mmio_write16(v->common, QUEUE_SELECT, (uint16_t)nr);
	bell = (uint64_t)mmio_read16(v->common, QUEUE_NOTIFY_OFF) * v->notify_unit;
	if (bell + 2 > v->notify_size || bell % 2)
		return "a doorbell is outside of its registers";
	v->bell[nr] = (volatile char *)v->notify + bell;
	mmio_write16(v->common, QUEUE_SIZE, (uint16_t)r->size);
	write_address(v, QUEUE_DESC, r->mem.desc);
	write_address(v, QUEUE_AVAIL, r->mem.avail);
	write_address(v, QUEUE_USED, r->mem.used);
	mmio_write16(v->common, QUEUE_VECTOR, (uint16_t)entry);
	if (mmio_read16(v->common, QUEUE_VECTOR) == NO_VECTOR)
		return "it has no interrupt for its queue";
	mmio_write16(v->common, QUEUE_ENABLE, 1);
	return NULL;
}

bool virtio_config_interrupt(struct virtio *v, unsigned entry)
{
	mmio_write16(v->common, CONFIG_VECTOR, (uint16_t)entry);
	return mmio_read16(v->common, CONFIG_VECTOR) == entry;
}

void virtio_run(struct virtio *v)
{
	status_add(v, STATUS_DRIVER_OK);
}

void virtio_notify(struct virtio *v, unsigned nr)
{
	mmio_write16(v->bell[nr], 0, (uint16_t)nr);
}

bool virtio_config(struct virtio *v, size_t offset, void *buf, size_t n)
{
	for (unsigned tries = 0; tries < CONFIG_TRIES; tries++) {
		uint8_t before = mmio_read8(v->common, CONFIG_GENERATION);

		for (size_t i = 0; i < n; i += 4) {
			uint32_t word = 0;

			if (offset + i + 4 <= v->config_size)
				word = mmio_read32(v->config, offset + i);
			memcpy((char *)buf + i, &word, 4);
		}
		if (mmio_read8(v->common, CONFIG_GENERATION) == before)
			return true;
	}
	return false;
}
