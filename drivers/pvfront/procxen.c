/* SPDX-License-Identifier: MIT */
/*
 * /proc/xen: what the domain has from the hypervisor, as text. Formats: docs/proc.md.
 */
#include "procxen.h"
#include "balloon.h"
#include "xenbus/xenbus.h"

#include <fs.h>
#include <hv.h>
#include <printk.h>
#include <string.h>

#define TEXT_SIZE (16ul << 10)

/* Each file's text is made whole at each read and the wanted part copied: they are short. */
static ssize_t read_made(void *arg, uint64_t pos, char *buf, size_t size)
{
	ssize_t (*make)(char *, size_t) = (ssize_t(*)(char *, size_t))arg;
	char *text = kmalloc(TEXT_SIZE, 0);
	ssize_t n;

	if (!text)
		return -ENOMEM;
	n = make(text, TEXT_SIZE);
	if (n > 0) {
		n = min((size_t)n, TEXT_SIZE);
		n = pos < (size_t)n ? min(n - pos, size) : 0;
		memcpy(buf, text + pos, n);
	}
	kfree(text);
	return n;
}

static ssize_t make_devices(char *buf, size_t size)
{
	return xenbus_describe(buf, size);
}

static ssize_t make_events(char *buf, size_t size)
{
	return hv_events_describe(buf, size);
}

static ssize_t make_store(char *buf, size_t size)
{
	return xs_describe(buf, size);
}

static ssize_t make_grants(char *buf, size_t size)
{
	struct grant_usage u;

	grant_usage(&u);
	return snprintk(buf, size, "used %u\nfree %u\nquarantined %u\nentries %u\nmaximum %u\n",
			u.used, u.free, u.quarantined, u.entries, u.max_entries);
}

static ssize_t make_uuid(char *buf, size_t size)
{
	uint8_t u[16];

	hv_uuid(u);
	return snprintk(buf, size,
			"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x\n",
			u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11],
			u[12], u[13], u[14], u[15]);
}

/* As under Linux: what this domain may do to others. The initial one, which has no xenstore of its
 * own to ask, controls; an ordinary one does not. */
static ssize_t make_capabilities(char *buf, size_t size)
{
	return xs_running() ? 0 : snprintk(buf, size, "control_d\n");
}

static ssize_t make_value(const char *node, char *buf, size_t size)
{
	char *value;
	size_t len;
	int err = xs_read(XS_NO_TX, node, &value, &len);

	if (err)
		return err;
	err = snprintk(buf, size, "%s\n", value);
	kfree(value);
	return err;
}

static ssize_t make_name(char *buf, size_t size)
{
	return make_value("name", buf, size);
}

static ssize_t make_domid(char *buf, size_t size)
{
	return make_value("domid", buf, size);
}

/* KiB: what the toolstack wants us to have, and the most it would give. */
static ssize_t make_memory(char *buf, size_t size)
{
	static const char *const nodes[] = {"target", "static-max"};
	size_t n = snprintk(buf, size, "total %lu\n", pages_total() * (PAGE_SIZE / 1024));

	for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
		uint64_t kib;

		if (!xs_scan(XS_NO_TX, "memory", nodes[i], 0, UINT64_MAX, &kib))
			n += snprintk(buf + n, size - n, "%s %lu\n", nodes[i], kib);
	}
	return n + balloon_describe(buf + n, size - n);
}

static struct proc_file always[] = {
	{.name = "xen/capabilities", .arg = make_capabilities},
	{.name = "xen/events", .arg = make_events},
	{.name = "xen/grants", .arg = make_grants},
	{.name = "xen/uuid", .arg = make_uuid},
};

static struct proc_file of_store[] = {
	{.name = "xen/devices", .arg = make_devices}, {.name = "xen/store", .arg = make_store},
	{.name = "xen/name", .arg = make_name},       {.name = "xen/domid", .arg = make_domid},
	{.name = "xen/memory", .arg = make_memory},
};

static void add(struct proc_file *files, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		files[i].mode = 0444;
		files[i].read = read_made;
		procfs_register(&files[i]);
	}
}

void procxen_init(void)
{
	add(always, ARRAY_SIZE(always));
	if (xs_running())
		add(of_store, ARRAY_SIZE(of_store));
}
