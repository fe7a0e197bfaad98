/* SPDX-License-Identifier: MIT */
/*
 * console_backend DOMID REF PORT: the other end of a console that is plugged into a domain, run in
 * dom0 by test_console.py. The ring of grant REF, with events by PORT, is joined to standard input
 * and output. `console_backend DOMID REF PORT nonsense` writes indexes that cannot be, and goes.
 *
 * The toolstack would start a QEMU for this, which is larger than the rest of dom0.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
/* clang-format off: the kernel's headers need the types of the hypervisor's */
#include <xen/xen.h>
#include <xen/grant_table.h>
#include <xen/evtchn.h>
#include <xen/gntdev.h>
#include <xen/io/console.h>
/* clang-format on */

static volatile struct xencons_interface *ring;
static int events;
static uint32_t port;

static void notify(void)
{
	struct ioctl_evtchn_notify op = {.port = port};

	__sync_synchronize();
	ioctl(events, IOCTL_EVTCHN_NOTIFY, &op);
}

static void map_ring(unsigned domid, unsigned ref)
{
	struct ioctl_gntdev_map_grant_ref op = {
		.count = 1,
		.refs = {{.domid = domid, .ref = ref}},
	};
	int fd = open("/dev/xen/gntdev", O_RDWR);

	if (fd < 0 || ioctl(fd, IOCTL_GNTDEV_MAP_GRANT_REF, &op) < 0)
		err(1, "cannot map grant %u of domain %u", ref, domid);
	ring = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, op.index);
	if (ring == MAP_FAILED)
		err(1, "cannot map the ring");
}

static void bind_port(unsigned domid, unsigned remote)
{
	struct ioctl_evtchn_bind_interdomain op = {.remote_domain = domid, .remote_port = remote};
	int local;

	events = open("/dev/xen/evtchn", O_RDWR | O_NONBLOCK);
	if (events < 0 || (local = ioctl(events, IOCTL_EVTCHN_BIND_INTERDOMAIN, &op)) < 0)
		err(1, "cannot bind port %u of domain %u", remote, domid);
	port = local;
}

/* To standard output, all that is there. */
static void from_domain(void)
{
	char buf[sizeof(ring->out)];
	uint32_t n = 0;

	__sync_synchronize();
	while (ring->out_cons + n != ring->out_prod && n < sizeof(buf)) {
		buf[n] = ring->out[(ring->out_cons + n) % sizeof(ring->out)];
		n++;
	}
	if (n == 0)
		return;
	__sync_synchronize();
	ring->out_cons += n;
	notify();
	for (uint32_t done = 0; done < n;) {
		ssize_t put = write(1, buf + done, n - done);

		if (put < 0)
			err(1, "standard output");
		done += put;
	}
}

static size_t room(void)
{
	return sizeof(ring->in) - (ring->in_prod - ring->in_cons);
}

/* From standard input, as much as there is room for. False at its end. */
static int to_domain(void)
{
	char buf[sizeof(ring->in)];
	ssize_t n = read(0, buf, room());

	if (n <= 0)
		return 0;
	for (ssize_t i = 0; i < n; i++)
		ring->in[(ring->in_prod + i) % sizeof(ring->in)] = buf[i];
	__sync_synchronize();
	ring->in_prod += n;
	notify();
	return 1;
}

static void take_event(void)
{
	uint32_t got;

	while (read(events, &got, sizeof(got)) == sizeof(got))
		if (write(events, &got, sizeof(got)) < 0)
			err(1, "cannot unmask the port");
}

int main(int argc, char **argv)
{
	if (argc < 4)
		errx(2, "usage: console_backend DOMID REF PORT [nonsense]");
	map_ring(atoi(argv[1]), atoi(argv[2]));
	bind_port(atoi(argv[1]), atoi(argv[3]));
	if (argc > 4 && strcmp(argv[4], "nonsense") == 0) {
		sleep(2); /* until the device is in use */
		ring->in_prod = ring->in_cons + 0x12345;
		ring->out_cons = ring->out_prod + 77;
		notify();
		pause();
	}
	for (;;) {
		struct pollfd fds[2] = {{events, POLLIN, 0}, {room() ? 0 : -1, POLLIN, 0}};

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			err(1, "poll");
		take_event();
		from_domain();
		if (fds[1].revents && !to_domain())
			pause();
	}
}
