/* SPDX-License-Identifier: MIT */
/*
 * Sockets (kernel/net).
 *
 *   descriptor --> file (socket_file_ops) --> struct socket --> struct sock_ops of its family
 *
 * kernel/syscall/sys_socket.c copies addresses, vectors and control messages between user memory
 * and the structures below, once; socket.c has what all families share: options, time limits,
 * files; a family (unix.c; later the internet's) has the rest behind struct sock_ops and works on
 * kernel memory only, but for the data itself, which it moves by the uio.
 *
 * A family allocates its own structure with a struct socket at its start. A socket without a file
 * is one that nobody has accepted yet. Locks are the family's own, but for the options, which are
 * single words, written as they come.
 */
#ifndef NET_H
#define NET_H

#include <fs.h>
#include <lock.h>
#include <parvix/socket.h>
#include <types.h>

#define SOCK_ADDR_MAX 128
#define SOCK_BUFFER_MIN 4096
#define SOCK_BUFFER_MAX 65536
#define SCM_FILES_MAX 64 /* in one message */

struct sock_addr {
	unsigned len; /* 0: none */
	union {
		struct parvix_sockaddr any;
		struct parvix_sockaddr_un un;
		char bytes[SOCK_ADDR_MAX];
	};
};

/* One call of send or recv. */
struct sock_msg {
	struct uio uio;
	unsigned flags;     /* MSG_* as given */
	unsigned out_flags; /* recv: MSG_TRUNC, MSG_CTRUNC, MSG_EOR */
	ktime_t deadline;   /* to wait until; 0: not at all */
	size_t length;      /* recv: of the whole message, of which a part may be lost */
	bool no_control;    /* recv: nobody asks for files */
	/* send: where to, or len 0; recv: filled with where from */
	struct sock_addr addr;
	/* send: handed over to the family if it succeeds. recv: the caller's afterwards. */
	unsigned nr_files;
	struct file **files; /* room for SCM_FILES_MAX */
	/* send: whom to name (checked), always set; recv: filled if has_cred */
	bool has_cred;
	struct parvix_ucred cred;
};

struct socket {
	volatile int refs; /* the file's is one; others are the family's */
	const struct sock_ops *ops;
	int domain, type, protocol;
	unsigned options; /* SO_* that are bits */
	volatile unsigned rcvbuf, sndbuf;
	ktime_t rcvtimeo, sndtimeo; /* spans; KTIME_NEVER */
	struct parvix_linger linger;
	struct file *file; /* not counted; NULL: none */
};

/*
 * What a family does. Errors are those of POSIX; "sleeps until @deadline" means: -EAGAIN when it
 * has passed, -ERESTART for a signal (sock_wait()). Unset ones: -EOPNOTSUPP.
 */
struct sock_ops {
	int (*bind)(struct socket *s, const struct sock_addr *addr);
	int (*listen)(struct socket *s, int backlog);
	/* The next connection, with a reference and no file. Sleeps until @deadline. */
	int (*accept)(struct socket *s, ktime_t deadline, struct socket **out);
	int (*connect)(struct socket *s, const struct sock_addr *addr, ktime_t deadline);
	/* Bytes. Both sleep until m->deadline; the data of a packet goes as a whole. SIGPIPE is
	 * the caller's. */
	ssize_t (*send)(struct socket *s, struct sock_msg *m);
	ssize_t (*recv)(struct socket *s, struct sock_msg *m);
	int (*shutdown)(struct socket *s, int how); /* SHUT_*, valid */
	int (*getname)(struct socket *s, bool peer, struct sock_addr *addr);
	/* Options that socket.c does not know. @len: room, then length. -ENOPROTOOPT. May be NULL,
	 * as the next two. */
	int (*getsockopt)(struct socket *s, int level, int name, void *buf, unsigned *len);
	int (*setsockopt)(struct socket *s, int level, int name, const void *buf, unsigned len);
	void (*resized)(struct socket *s); /* rcvbuf or sndbuf is another */
	int (*error)(struct socket *s);    /* SO_ERROR: the pending one, which is forgotten */
	bool (*listening)(struct socket *s);
	size_t (*unread)(struct socket *s);                        /* FIONREAD */
	unsigned (*poll)(struct socket *s, struct poll_table *pt); /* does not sleep */
	void (*close)(struct socket *s); /* its file is gone; the file's reference is given up */
};

/* ---- socket.c ---- */
extern const struct file_ops socket_file_ops;
void socket_setup(struct socket *s, const struct sock_ops *ops, int domain, int type);
/* A new socket of that kind, one reference. -EAFNOSUPPORT, -EPROTONOSUPPORT, -EPROTOTYPE, -ENOMEM.
 */
int socket_create(int domain, int type, int protocol, struct socket **out);
int socket_pair(int domain, int type, int protocol, struct socket *out[2]);
/* A file for @s, whose reference it takes over (drops, if there is no memory: NULL). @flags:
 * O_NONBLOCK. */
struct file *socket_file(struct socket *s, unsigned flags);
/* The socket that @f is; NULL: it is none. */
struct socket *file_socket(struct file *f);
/* When a call that starts now has to give up. @span: rcvtimeo or sndtimeo. */
ktime_t socket_deadline(const struct file *f, unsigned msg_flags, ktime_t span);
/* Wait on @wq as on a condition variable of @m, which is held. 0, -EAGAIN, -ERESTART, -EINTR. */
int sock_wait(struct waitq *wq, mutex_t *m, ktime_t deadline);
ssize_t socket_send(struct socket *s, struct sock_msg *m); /* SIGPIPE too */
int socket_getopt(struct socket *s, int level, int name, void *buf, unsigned *len);
int socket_setopt(struct socket *s, int level, int name, const void *buf, unsigned len);
/* Buffers of options in kernel memory have this size. */
#define SOCK_OPT_MAX 64

/* ---- unix.c ---- */
int unix_create(int type, struct socket **out);
int unix_pair(int type, struct socket *out[2]);

#endif
