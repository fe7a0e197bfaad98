/* SPDX-License-Identifier: MIT */
/*
 * System calls on sockets: addresses, vectors and control messages are copied and checked here, for
 * all families; the rest is kernel/net.
 */
#include <net.h>
#include <proc.h>
#include <string.h>
#include <usercopy.h>
#include "syscall.h"

#define CONTROL_MAX 512 /* bytes of control messages that can be sent: SCM_FILES_MAX and more */
#define CONTROL_HEAD sizeof(struct parvix_cmsghdr)
#define IO_MAX 0x7ffff000ul

/* The socket at descriptor @fd, whose file is *@f, referenced; or NULL and *@err. */
static struct socket *get_socket(unsigned long fd, struct file **f, int *err)
{
	struct socket *s;

	*f = fd_get((int)fd);
	if (!*f) {
		*err = -EBADF;
		return NULL;
	}
	s = file_socket(*f);
	*err = s ? 0 : -ENOTSOCK;
	if (!s)
		file_put(*f);
	return s;
}

/* ---- addresses ---- */

/* Lengths beyond what an int holds are as wrong as others too long. */
static int addr_from_user(struct sock_addr *addr, unsigned long from, unsigned long len)
{
	addr->len = (unsigned)len;
	if (addr->len < sizeof(addr->any.sa_family) || addr->len > sizeof(addr->bytes))
		return -EINVAL;
	return copy_from_user(addr->bytes, UADDR(from), addr->len);
}

/* @to, 0: nobody asks. *@plen: its room; becomes the address's length, which may be more. */
static int addr_to_user(unsigned long to, unsigned long plen, const struct sock_addr *addr)
{
	int room;

	if (!to)
		return 0;
	if (get_user(room, UADDR(plen)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (copy_to_user(UADDR(to), addr->bytes, min((unsigned)room, addr->len)))
		return -EFAULT;
	return put_user(UADDR(plen), addr->len);
}

/* ---- making them ---- */

#define TYPE_FLAGS ((unsigned long)(SOCK_NONBLOCK | SOCK_CLOEXEC))

/* A descriptor for a new socket, whose reference is taken over. */
static int install(struct socket *s, unsigned long flags)
{
	struct file *f = socket_file(s, (unsigned)flags & SOCK_NONBLOCK);

	return f ? fd_install(f, 0, flags & SOCK_CLOEXEC) : -ENFILE;
}

long sys_socket(struct trapframe *tf)
{
	struct socket *s;
	int err = socket_create((int)ARG0(tf), (int)(ARG1(tf) & ~TYPE_FLAGS), (int)ARG2(tf), &s);

	return err ? err : install(s, ARG1(tf));
}

long sys_socketpair(struct trapframe *tf)
{
	struct socket *s[2];
	int fds[2], err;

	err = socket_pair((int)ARG0(tf), (int)(ARG1(tf) & ~TYPE_FLAGS), (int)ARG2(tf), s);
	if (err)
		return err;
	fds[0] = install(s[0], ARG1(tf));
	fds[1] = install(s[1], ARG1(tf));
	err = min(fds[0], fds[1]);
	if (err >= 0)
		err = copy_to_user(UADDR(ARG3(tf)), fds, sizeof(fds));
	for (int i = 0; i < 2 && err < 0; i++)
		if (fds[i] >= 0)
			fd_close(fds[i]);
	return err;
}

long sys_accept4(struct trapframe *tf)
{
	struct sock_addr addr = {.len = 0};
	struct socket *s, *n;
	struct file *f;
	int err;

	if (ARG3(tf) & ~TYPE_FLAGS)
		return -EINVAL;
	s = get_socket(ARG0(tf), &f, &err);
	if (!s)
		return err;
	err = s->ops->accept(s, socket_deadline(f, 0, s->rcvtimeo), &n);
	file_put(f);
	if (err)
		return err;
	if (ARG1(tf)) {
		n->ops->getname(n, true, &addr); /* gone already: no address */
		err = addr_to_user(ARG1(tf), ARG2(tf), &addr);
	}
	if (err) {
		n->ops->close(n);
		return err;
	}
	return install(n, ARG3(tf));
}

/* ---- names and connections ---- */

long sys_bind(struct trapframe *tf)
{
	struct sock_addr addr;
	struct file *f;
	int err;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	err = addr_from_user(&addr, ARG1(tf), ARG2(tf));
	if (!err)
		err = s->ops->bind(s, &addr);
	file_put(f);
	return err;
}

long sys_connect(struct trapframe *tf)
{
	struct sock_addr addr;
	struct file *f;
	int err;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	err = addr_from_user(&addr, ARG1(tf), ARG2(tf));
	if (!err)
		err = s->ops->connect(s, &addr, socket_deadline(f, 0, s->sndtimeo));
	file_put(f);
	return err;
}

long sys_listen(struct trapframe *tf)
{
	struct file *f;
	int err;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	err = s->ops->listen(s, (int)ARG1(tf));
	file_put(f);
	return err;
}

long sys_shutdown(struct trapframe *tf)
{
	struct file *f;
	int err, how = (int)ARG1(tf);
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	err = how < SHUT_RD || how > SHUT_RDWR ? -EINVAL : s->ops->shutdown(s, how);
	file_put(f);
	return err;
}

static long get_name(struct trapframe *tf, bool peer)
{
	struct sock_addr addr = {.len = 0};
	struct file *f;
	int err;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	err = s->ops->getname(s, peer, &addr);
	if (!err)
		err = ARG1(tf) ? addr_to_user(ARG1(tf), ARG2(tf), &addr) : -EFAULT;
	file_put(f);
	return err;
}

long sys_getsockname(struct trapframe *tf)
{
	return get_name(tf, false);
}

long sys_getpeername(struct trapframe *tf)
{
	return get_name(tf, true);
}

/* ---- options ---- */

long sys_setsockopt(struct trapframe *tf)
{
	unsigned long buf[SOCK_OPT_MAX / sizeof(unsigned long)] = {0};
	unsigned len = (unsigned)ARG4(tf);
	struct file *f;
	int err;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	if ((int)len < 0)
		err = -EINVAL;
	len = min(len, (unsigned)sizeof(buf));
	if (!err)
		err = copy_from_user(buf, UADDR(ARG3(tf)), len);
	if (!err)
		err = socket_setopt(s, (int)ARG1(tf), (int)ARG2(tf), buf, len);
	file_put(f);
	return err;
}

long sys_getsockopt(struct trapframe *tf)
{
	unsigned long buf[SOCK_OPT_MAX / sizeof(unsigned long)] = {0};
	struct file *f;
	unsigned len;
	int err;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	err = get_user(len, UADDR(ARG4(tf)));
	if (!err && (int)len < 0)
		err = -EINVAL;
	if (!err) {
		len = min(len, (unsigned)sizeof(buf));
		err = socket_getopt(s, (int)ARG1(tf), (int)ARG2(tf), buf, &len);
	}
	if (!err && copy_to_user(UADDR(ARG3(tf)), buf, len))
		err = -EFAULT;
	if (!err)
		err = put_user(UADDR(ARG4(tf)), len);
	file_put(f);
	return err;
}

/* ---- messages: send ---- */

/* The data of one buffer. */
static int one_buffer(struct sock_msg *m, struct parvix_iovec *iov, uaddr_t buf, size_t n)
{
	if ((ssize_t)n < 0)
		return -EINVAL;
	if (!user_range_ok(buf, n))
		return -EFAULT;
	uio_user(&m->uio, iov, buf, min(n, IO_MAX));
	return 0;
}

#define FEW 8 /* parts of a message that are kept on the stack */

/* The message's vector into *@iov: @few, or memory of its own, freed by vector_free(). */
static int vector(struct sock_msg *m, struct parvix_iovec **iov, struct parvix_iovec *few,
		  const struct parvix_msghdr *h)
{
	size_t n = (size_t)h->msg_iovlen;

	*iov = few;
	if (h->msg_iovlen < 0 || n > IOV_MAX)
		return -EMSGSIZE;
	if (n > FEW)
		*iov = kmalloc(n * sizeof(**iov), 0);
	if (!*iov)
		return -ENOMEM;
	if (copy_from_user(*iov, UADDR(h->msg_iov), n * sizeof(**iov)))
		return -EFAULT;
	return uio_user_vec(&m->uio, *iov, (unsigned)n);
}

static void vector_free(struct parvix_iovec *iov, const struct parvix_iovec *few)
{
	if (iov != few)
		kfree(iov);
}

static void put_files(struct sock_msg *m)
{
	while (m->nr_files)
		file_put(m->files[--m->nr_files]);
}

static int add_files(struct sock_msg *m, const int *fds, size_t n)
{
	if (n > SCM_FILES_MAX - m->nr_files)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		struct file *f = fd_get(fds[i]);

		if (!f)
			return -EBADF;
		m->files[m->nr_files++] = f;
	}
	return 0;
}

static int set_cred(struct sock_msg *m, const struct parvix_ucred *cred)
{
	const struct proc *p = current_proc();
	const struct cred *c = &p->cred;

	if (!cred_root() &&
	    (cred->pid != p->pid ||
	     (cred->uid != c->uid && cred->uid != c->euid && cred->uid != c->suid) ||
	     (cred->gid != c->gid && cred->gid != c->egid && cred->gid != c->sgid)))
		return -EPERM;
	m->cred = *cred;
	return 0;
}

/* The control messages in @buf. On an error, some files may have been taken. */
static int parse_control(struct sock_msg *m, const char *buf, size_t size)
{
	int err = 0;

	for (size_t at = 0; !err && size - at >= CONTROL_HEAD;) {
		const struct parvix_cmsghdr *c = (const void *)(buf + at);
		size_t n = c->cmsg_len - CONTROL_HEAD;

		if (c->cmsg_len < CONTROL_HEAD || c->cmsg_len > size - at)
			return -EINVAL;
		if (c->cmsg_level != SOL_SOCKET)
			return -EINVAL;
		if (c->cmsg_type == SCM_RIGHTS)
			err = add_files(m, (const int *)(c + 1), n / sizeof(int));
		else if (c->cmsg_type == SCM_CREDENTIALS && n == sizeof(struct parvix_ucred))
			err = set_cred(m, (const struct parvix_ucred *)(c + 1));
		else
			err = -EINVAL;
		at += min(ROUND_UP(c->cmsg_len, 8ul), size - at);
	}
	return err;
}

static int control_from_user(struct sock_msg *m, const struct parvix_msghdr *h)
{
	unsigned long buf[CONTROL_MAX / sizeof(unsigned long)];

	if (h->msg_controllen > sizeof(buf))
		return -ENOBUFS;
	if (copy_from_user(buf, UADDR(h->msg_control), h->msg_controllen))
		return -EFAULT;
	return parse_control(m, (const char *)buf, h->msg_controllen);
}

static void start_send(struct sock_msg *m, struct socket *s, struct file *f, unsigned long flags)
{
	const struct proc *p = current_proc();

	m->flags = (unsigned)flags;
	m->deadline = socket_deadline(f, m->flags, s->sndtimeo);
	m->cred = (struct parvix_ucred){p->pid, p->cred.uid, p->cred.gid};
}

long sys_sendto(struct trapframe *tf)
{
	struct sock_msg m = {.flags = 0};
	struct parvix_iovec iov;
	struct file *f;
	int err;
	long ret;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	start_send(&m, s, f, ARG3(tf));
	ret = one_buffer(&m, &iov, UADDR(ARG1(tf)), ARG2(tf));
	if (!ret && ARG4(tf))
		ret = addr_from_user(&m.addr, ARG4(tf), ARG5(tf));
	if (!ret)
		ret = socket_send(s, &m);
	file_put(f);
	return ret;
}

static long do_sendmsg(struct socket *s, struct sock_msg *m, const struct parvix_msghdr *h)
{
	struct parvix_iovec few[FEW], *iov;
	long ret = vector(m, &iov, few, h);

	if (!ret && h->msg_name && h->msg_namelen)
		ret = addr_from_user(&m->addr, (unsigned long)h->msg_name, h->msg_namelen);
	if (!ret && h->msg_control && h->msg_controllen)
		ret = control_from_user(m, h);
	if (!ret)
		ret = socket_send(s, m);
	vector_free(iov, few);
	return ret;
}

long sys_sendmsg(struct trapframe *tf)
{
	struct file *files[SCM_FILES_MAX], *f;
	struct sock_msg m = {.files = files};
	struct parvix_msghdr h;
	int err;
	long ret;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	start_send(&m, s, f, ARG2(tf));
	ret = get_user(h, UADDR(ARG1(tf)));
	if (!ret)
		ret = do_sendmsg(s, &m, &h);
	put_files(&m);
	file_put(f);
	return ret;
}

/* ---- messages: receive ---- */

long sys_recvfrom(struct trapframe *tf)
{
	struct sock_msg m = {.no_control = true, .flags = (unsigned)ARG3(tf)};
	struct parvix_iovec iov;
	struct file *f;
	int err;
	long ret;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	m.deadline = socket_deadline(f, m.flags, s->rcvtimeo);
	ret = one_buffer(&m, &iov, UADDR(ARG1(tf)), ARG2(tf));
	if (!ret)
		ret = s->ops->recv(s, &m);
	file_put(f);
	if (ret >= 0) {
		err = addr_to_user(ARG4(tf), ARG5(tf), &m.addr);
		ret = err ? err : ret;
	}
	return ret;
}

/* One control message of @n bytes at @at of the user's buffer, if there is room. */
static int put_control(struct parvix_msghdr *h, unsigned *used, int type, const void *data,
		       size_t n)
{
	struct parvix_cmsghdr c = {(unsigned)(CONTROL_HEAD + n), SOL_SOCKET, type, 0};
	uaddr_t to = UADDR((char *)h->msg_control + *used);

	if (copy_to_user(to, &c, sizeof(c)) || copy_to_user(UADDR(to.v + CONTROL_HEAD), data, n))
		return -EFAULT;
	*used += (unsigned)min(ROUND_UP(CONTROL_HEAD + n, 8ul), (size_t)h->msg_controllen - *used);
	return 0;
}

/* Descriptors for as many of the files as there is room for; the others are closed. */
static int give_files(struct sock_msg *m, struct parvix_msghdr *h, unsigned *used)
{
	size_t room = h->msg_control ? h->msg_controllen - *used : 0, n = 0;
	int fds[SCM_FILES_MAX], err;

	room = room > CONTROL_HEAD ? (room - CONTROL_HEAD) / sizeof(int) : 0;
	while (n < m->nr_files && n < room) {
		struct file *f = file_get(m->files[n]);
		int fd = fd_install(f, 0, m->flags & MSG_CMSG_CLOEXEC);

		if (fd < 0)
			break;
		fds[n++] = fd;
	}
	if (n < m->nr_files)
		m->out_flags |= MSG_CTRUNC;
	err = n ? put_control(h, used, SCM_RIGHTS, fds, n * sizeof(int)) : 0;
	while (err && n)
		fd_close(fds[--n]);
	return err;
}

static int control_to_user(struct sock_msg *m, struct parvix_msghdr *h)
{
	unsigned used = 0;
	int err = 0;

	if (m->has_cred) {
		if (h->msg_control && h->msg_controllen >= CONTROL_HEAD + sizeof(m->cred))
			err = put_control(h, &used, SCM_CREDENTIALS, &m->cred, sizeof(m->cred));
		else
			m->out_flags |= MSG_CTRUNC;
	}
	if (!err && m->nr_files)
		err = give_files(m, h, &used);
	h->msg_controllen = used;
	return err;
}

static long do_recvmsg(struct socket *s, struct sock_msg *m, struct parvix_msghdr *h)
{
	struct parvix_iovec few[FEW], *iov;
	long ret = vector(m, &iov, few, h);
	int err;

	if (!ret)
		ret = s->ops->recv(s, m);
	vector_free(iov, few);
	if (ret < 0)
		return ret;
	err = control_to_user(m, h);
	if (!err && h->msg_name) {
		err = copy_to_user(UADDR(h->msg_name), m->addr.bytes,
				   min(h->msg_namelen, m->addr.len));
		h->msg_namelen = m->addr.len;
	}
	h->msg_flags = (int)m->out_flags;
	return err ? err : ret;
}

long sys_recvmsg(struct trapframe *tf)
{
	struct file *files[SCM_FILES_MAX], *f;
	struct sock_msg m = {.files = files, .flags = (unsigned)ARG2(tf)};
	struct parvix_msghdr h;
	int err;
	long ret;
	struct socket *s = get_socket(ARG0(tf), &f, &err);

	if (!s)
		return err;
	m.deadline = socket_deadline(f, m.flags, s->rcvtimeo);
	ret = get_user(h, UADDR(ARG1(tf)));
	if (!ret)
		ret = do_recvmsg(s, &m, &h);
	if (ret >= 0 && put_user(UADDR(ARG1(tf)), h))
		ret = -EFAULT;
	put_files(&m);
	file_put(f);
	return ret;
}
