/* SPDX-License-Identifier: MIT */
/*
 * What all families of sockets share: a socket is a file; its options, its time limits.
 *
 * A socket's file holds one reference to it. The family closes the socket when the file goes, and
 * may keep the structure for as long as others have references to it. Here nothing is locked: what
 * is here are single words.
 *
 * Waiting. A family waits on a queue of its own under a mutex of its own, with sock_wait(), until a
 * deadline that was made once, at the start of the call: 0 for a socket that does not block, never,
 * or SO_RCVTIMEO and SO_SNDTIMEO from then. A call with a time limit is not started again after a
 * signal, as its limit would start again too.
 */
#include <net.h>
#include <parvix/termios.h>
#include <proc.h>
#include <string.h>
#include <usercopy.h>

#define OPTION_BITS                                                                            \
	(SO_DEBUG | SO_REUSEADDR | SO_KEEPALIVE | SO_DONTROUTE | SO_BROADCAST | SO_OOBINLINE | \
	 SO_REUSEPORT | SO_PASSCRED)

/* One line per family; the internet's come here. */
static const struct family {
	int domain;
	int (*create)(int type, struct socket **out);
	int (*pair)(int type, struct socket *out[2]);
} families[] = {
	{AF_UNIX, unix_create, unix_pair},
};

void socket_setup(struct socket *s, const struct sock_ops *ops, int domain, int type)
{
	s->refs = 1;
	s->ops = ops;
	s->domain = domain;
	s->type = type;
	s->rcvbuf = s->sndbuf = SOCK_BUFFER_MAX;
	s->rcvtimeo = s->sndtimeo = KTIME_NEVER;
}

static const struct family *find_family(int domain, int type, int protocol, int *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(families); i++) {
		if (families[i].domain != domain)
			continue;
		if (type < SOCK_STREAM || type > SOCK_SEQPACKET)
			*err = -EINVAL;
		else
			*err = protocol && protocol != domain ? -EPROTONOSUPPORT : 0;
		return &families[i];
	}
	*err = -EAFNOSUPPORT;
	return NULL;
}

int socket_create(int domain, int type, int protocol, struct socket **out)
{
	int err;
	const struct family *f = find_family(domain, type, protocol, &err);

	return err ? err : f->create(type, out);
}

int socket_pair(int domain, int type, int protocol, struct socket *out[2])
{
	int err;
	const struct family *f = find_family(domain, type, protocol, &err);

	return err ? err : f->pair ? f->pair(type, out) : -EOPNOTSUPP;
}

struct file *socket_file(struct socket *s, unsigned flags)
{
	struct file *f = file_alloc(&socket_file_ops, NULL, O_RDWR | flags, s);

	if (f)
		s->file = f;
	else
		s->ops->close(s);
	return f;
}

struct socket *file_socket(struct file *f)
{
	return f->ops == &socket_file_ops ? f->private : NULL;
}

/* ---- waiting ---- */

ktime_t socket_deadline(const struct file *f, unsigned msg_flags, ktime_t span)
{
	if ((f->flags & O_NONBLOCK) || (msg_flags & MSG_DONTWAIT))
		return 0;
	return span == KTIME_NEVER ? KTIME_NEVER : ktime_add(clock_now(), span);
}

int sock_wait(struct waitq *wq, mutex_t *m, ktime_t deadline)
{
	int err;

	if (deadline == 0)
		return -EAGAIN;
	err = sleep_on_mutex(wq, m, SLEEP_INTR, deadline);
	if (err == -ETIMEDOUT)
		return -EAGAIN;
	return err == -ERESTART && deadline != KTIME_NEVER ? -EINTR : err;
}

/* ---- as a file ---- */

ssize_t socket_send(struct socket *s, struct sock_msg *m)
{
	ssize_t n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	n = s->ops->send(s, m);
	if (n == -EPIPE && s->type == SOCK_STREAM && !(m->flags & MSG_NOSIGNAL))
		signal_tkill(current->tid, SIGPIPE);
	return n;
}

static ssize_t socket_read(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct socket *s = f->private;
	struct sock_msg m = {.uio = *uio, .no_control = true};

	(void)pos;
	if (!uio->resid && s->type == SOCK_STREAM)
		return 0;
	m.deadline = socket_deadline(f, 0, s->rcvtimeo);
	return s->ops->recv(s, &m);
}

static ssize_t socket_write(struct file *f, struct uio *uio, uint64_t *pos)
{
	struct socket *s = f->private;
	struct sock_msg m = {.uio = *uio};

	(void)pos;
	m.deadline = socket_deadline(f, 0, s->sndtimeo);
	m.cred = (struct parvix_ucred){current_proc()->pid, current_proc()->cred.uid,
				       current_proc()->cred.gid};
	return socket_send(s, &m);
}

static unsigned socket_poll(struct file *f, struct poll_table *pt)
{
	struct socket *s = f->private;

	return s->ops->poll(s, pt);
}

static int socket_ioctl(struct file *f, unsigned long req, uaddr_t arg)
{
	struct socket *s = f->private;

	if (req == FIONREAD && s->ops->unread)
		return put_user(arg, (int)s->ops->unread(s));
	return -ENOTTY;
}

static void socket_release(struct file *f)
{
	struct socket *s = f->private;

	s->ops->close(s);
}

const struct file_ops socket_file_ops = {
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.release = socket_release,
	.no_seek = true,
	.type = S_IFSOCK,
};

/* ---- options ---- */

static int get_number(struct socket *s, int name, int *value)
{
	switch (name) {
	case SO_TYPE:
		*value = s->type;
		return 0;
	case SO_DOMAIN:
		*value = s->domain;
		return 0;
	case SO_PROTOCOL:
		*value = s->protocol;
		return 0;
	case SO_ERROR:
		*value = s->ops->error ? s->ops->error(s) : 0;
		return 0;
	case SO_ACCEPTCONN:
		*value = s->ops->listening && s->ops->listening(s);
		return 0;
	case SO_SNDBUF:
		*value = (int)s->sndbuf;
		return 0;
	case SO_RCVBUF:
		*value = (int)s->rcvbuf;
		return 0;
	case SO_SNDLOWAT:
	case SO_RCVLOWAT:
		*value = 1;
		return 0;
	}
	if (!(name & OPTION_BITS) || (name & ~OPTION_BITS))
		return -ENOPROTOOPT;
	*value = (s->options & (unsigned)name) != 0;
	return 0;
}

/* As much of @n bytes as there is room for, as POSIX has it. */
static int give(void *buf, unsigned *len, const void *value, unsigned n)
{
	*len = min(*len, n);
	memcpy(buf, value, *len);
	return 0;
}

int socket_getopt(struct socket *s, int level, int name, void *buf, unsigned *len)
{
	struct parvix_timeval tv = {0, 0};
	ktime_t span = name == SO_RCVTIMEO ? s->rcvtimeo : s->sndtimeo;
	int value, err = -ENOPROTOOPT;

	if (level != SOL_SOCKET)
		return s->ops->getsockopt ? s->ops->getsockopt(s, level, name, buf, len) : err;
	if (name == SO_RCVTIMEO || name == SO_SNDTIMEO) {
		if (span != KTIME_NEVER)
			tv = ktime_to_timeval(span);
		return give(buf, len, &tv, sizeof(tv));
	}
	if (name == SO_LINGER)
		return give(buf, len, &s->linger, sizeof(s->linger));
	err = get_number(s, name, &value);
	if (err == -ENOPROTOOPT && s->ops->getsockopt)
		return s->ops->getsockopt(s, level, name, buf, len);
	return err ? err : give(buf, len, &value, sizeof(value));
}

static int set_timeout(struct socket *s, int name, const void *buf, unsigned len)
{
	struct parvix_timeval tv;
	ktime_t span;

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(&tv, buf, sizeof(tv));
	if (ktime_from_timeval(&tv, &span))
		return -EDOM;
	if (!span)
		span = KTIME_NEVER;
	if (name == SO_RCVTIMEO)
		s->rcvtimeo = span;
	else
		s->sndtimeo = span;
	return 0;
}

static int set_number(struct socket *s, int name, int value)
{
	unsigned size;

	if (name == SO_RCVBUF || name == SO_SNDBUF) {
		size = value < SOCK_BUFFER_MIN ? SOCK_BUFFER_MIN : (unsigned)value;
		size = min(size, (unsigned)SOCK_BUFFER_MAX);
		if (name == SO_RCVBUF)
			s->rcvbuf = size;
		else
			s->sndbuf = size;
		if (s->ops->resized)
			s->ops->resized(s);
		return 0;
	}
	if (!(name & OPTION_BITS) || (name & ~OPTION_BITS))
		return -ENOPROTOOPT;
	if (value)
		__atomic_or_fetch(&s->options, (unsigned)name, __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(&s->options, ~(unsigned)name, __ATOMIC_RELAXED);
	return 0;
}

int socket_setopt(struct socket *s, int level, int name, const void *buf, unsigned len)
{
	int value, err = -ENOPROTOOPT;

	if (level != SOL_SOCKET)
		return s->ops->setsockopt ? s->ops->setsockopt(s, level, name, buf, len) : err;
	if (name == SO_RCVTIMEO || name == SO_SNDTIMEO)
		return set_timeout(s, name, buf, len);
	if (name == SO_LINGER) {
		if (len < sizeof(s->linger))
			return -EINVAL;
		memcpy(&s->linger, buf, sizeof(s->linger));
		return 0;
	}
	if (len < sizeof(value))
		return -EINVAL;
	memcpy(&value, buf, sizeof(value));
	err = set_number(s, name, value);
	if (err == -ENOPROTOOPT && s->ops->setsockopt)
		return s->ops->setsockopt(s, level, name, buf, len);
	return err;
}
