/* SPDX-License-Identifier: MIT */
/*
 * Moving bytes between the kernel and whoever asked for them. A struct uio is a cursor in a list of
 * buffers, which are in user memory for system calls and in kernel memory for the kernel's own
 * reads. Code that produces or consumes bytes (page cache, pipes, terminals) need not know which.
 */
#include <fs.h>
#include <string.h>
#include <usercopy.h>

void uio_kernel(struct uio *uio, struct parvix_iovec *iov, void *buf, size_t n)
{
	iov->iov_base = buf;
	iov->iov_len = n;
	*uio = (struct uio){.iov = iov, .iovcnt = 1, .resid = n, .kernel = true};
}

void uio_user(struct uio *uio, struct parvix_iovec *iov, uaddr_t buf, size_t n)
{
	iov->iov_base = (void *)buf.v;
	iov->iov_len = n;
	*uio = (struct uio){.iov = iov, .iovcnt = 1, .resid = n};
}

int uio_user_vec(struct uio *uio, struct parvix_iovec *iov, unsigned iovcnt)
{
	size_t sum = 0;

	if (iovcnt > IOV_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < iovcnt; i++) {
		if (iov[i].iov_len > INT64_MAX - sum)
			return -EINVAL;
		if (!user_range_ok(UADDR(iov[i].iov_base), iov[i].iov_len))
			return -EFAULT;
		sum += iov[i].iov_len;
	}
	*uio = (struct uio){.iov = iov, .iovcnt = iovcnt, .resid = sum};
	return 0;
}

enum uio_way { UIO_TO, UIO_FROM, UIO_ZERO };

static int move_part(bool kernel, void *base, void *buf, size_t n, enum uio_way way)
{
	uaddr_t user = UADDR(base);

	switch (way) {
	case UIO_TO:
		if (!kernel)
			return copy_to_user(user, buf, n);
		memcpy(base, buf, n);
		return 0;
	case UIO_FROM:
		if (!kernel)
			return copy_from_user(buf, user, n);
		memcpy(buf, base, n);
		return 0;
	default:
		if (!kernel)
			return clear_user(user, n);
		memset(base, 0, n);
		return 0;
	}
}

static ssize_t move(struct uio *uio, char *buf, size_t n, enum uio_way way)
{
	size_t moved = 0;

	if (n > uio->resid)
		n = uio->resid;
	while (moved < n) {
		size_t left = uio->iov->iov_len - uio->done_in_iov;
		size_t part = min(n - moved, left);

		if (part) {
			char *base = (char *)uio->iov->iov_base + uio->done_in_iov;
			int err = move_part(uio->kernel, base, buf, part, way);

			if (err)
				return err;
			if (buf)
				buf += part;
			moved += part;
			uio->done_in_iov += part;
			uio->resid -= part;
		}
		if (part == left) {
			uio->iov++;
			uio->iovcnt--;
			uio->done_in_iov = 0;
		}
	}
	return (ssize_t)n;
}

ssize_t uio_to(struct uio *uio, const void *buf, size_t n)
{
	return move(uio, (char *)buf, n, UIO_TO);
}

ssize_t uio_from(struct uio *uio, void *buf, size_t n)
{
	return move(uio, buf, n, UIO_FROM);
}

ssize_t uio_zero(struct uio *uio, size_t n)
{
	return move(uio, NULL, n, UIO_ZERO);
}

/* One byte of each page is read (and written back): the fault that is to come comes here. */
int uio_prefault(struct uio *uio, size_t n, bool write)
{
	const struct parvix_iovec *iov = uio->iov;
	size_t skip = uio->done_in_iov;

	if (uio->kernel)
		return 0;
	for (n = min(n, uio->resid); n; iov++, skip = 0) {
		unsigned long at = (unsigned long)iov->iov_base + skip;
		size_t part = min(n, iov->iov_len - skip);
		unsigned long end = at + part;

		for (; at < end; at = ROUND_DOWN(at, PAGE_SIZE) + PAGE_SIZE) {
			char byte;

			if (get_user(byte, UADDR(at)) || (write && put_user(UADDR(at), byte)))
				return -EFAULT;
		}
		n -= part;
	}
	return 0;
}
