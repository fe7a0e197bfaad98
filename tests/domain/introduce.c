/* SPDX-License-Identifier: MIT */
/*
 * introduce DOMID PORT: tells xenstored to serve the domain, whose end of the event channel is
 * PORT; run in dom0 by test_xenstore.py. The toolstack does this once for a new domain; a xenstored
 * that has been started again knows no domains, and no command of Xen's tells it.
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

static void get(int fd, void *buf, size_t n)
{
	ssize_t got;

	for (size_t at = 0; at < n; at += (size_t)got) {
		got = read(fd, (char *)buf + at, n - at);
		if (got <= 0)
			err(1, "xenstored's socket");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/run/xenstored/socket"};
	struct xsd_sockmsg head = {.type = XS_INTRODUCE, .req_id = 1};
	char body[XENSTORE_PAYLOAD_MAX + 1];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (argc != 3)
		errx(2, "introduce DOMID PORT");
	/* The frame is not looked at: it has a fixed grant reference. */
	head.len = (uint32_t)snprintf(body, sizeof(body), "%s%c1%c%s", argv[1], 0, 0, argv[2]) + 1;
	if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof(name)))
		err(1, "%s", name.sun_path);
	if (write(fd, &head, sizeof(head)) != sizeof(head) ||
	    write(fd, body, head.len) != (ssize_t)head.len)
		err(1, "write");
	get(fd, &head, sizeof(head));
	if (head.len > XENSTORE_PAYLOAD_MAX)
		errx(1, "reply of %u bytes", head.len);
	get(fd, body, head.len);
	body[head.len] = 0;
	if (head.type != XS_INTRODUCE)
		errx(1, "xenstored says %s", body);
	return 0;
}
