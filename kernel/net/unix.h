/* SPDX-License-Identifier: MIT */
/*
 * Sockets of the Unix domain, between their files: unix.c (names, connections), unix_queue.c
 * (data), unix_rights.c (files that are passed).
 */
#ifndef NET_UNIX_H
#define NET_UNIX_H

#include <net.h>
#include "../fs/pipe_ring.h"

/* Where a socket is bound; shared by those who were connected there, and by what they send. */
struct unix_name {
	volatile int refs;
	unsigned len; /* of `un`, as getsockname() tells it */
	struct parvix_sockaddr_un un;
};

/* Files in a packet that nobody has taken yet. */
struct rights {
	struct list link;      /* the receiver's list; unix_lock */
	struct packet *packet; /* that it is in; unix_lock */
	unsigned nr;
	struct file *file[];
};

/* A message; of a stream, bytes that came with the same credentials. */
struct packet {
	struct list link;
	size_t len; /* of its data in the ring */
	struct unix_name *from;
	struct rights *rights; /* unix_lock */
	struct parvix_ucred cred;
};

struct unix_sock {
	struct socket sock; /* first */
	/* What is on its way to this socket; under `lock`. */
	mutex_t lock;
	struct pipe_ring ring;
	struct list packets;
	unsigned nr_packets;
	size_t limit; /* bytes */
	bool closed;  /* nothing is added any more: its reader finds the end, a sender EPIPE */
	bool dead;    /* has no file any more */
	bool no_send; /* datagram: shutdown(SHUT_WR) */
	int error;    /* the next recv's, positive */
	/* A listening socket's: those who were connected to, until they are accepted. Changed under
	 * both locks. */
	bool listening;
	struct list pending;
	unsigned nr_pending, backlog;
	struct waitq rd_wait, wr_wait, watchers;
	/* Under unix_lock. */
	struct list pending_link;
	struct unix_sock *peer; /* where send() sends to; referenced */
	struct list senders;    /* those whose peer this is */
	struct list sender_link;
	struct unix_name *name; /* set once */
	struct vnode *vnode;    /* that it is bound to; vn->pipe is this */
	struct parvix_ucred cred, peer_cred;
	struct list rights; /* in its packets */
	unsigned in_flight; /* times that its file is in somebody's packets */
	struct list flight_link, scan_link;
	unsigned outside; /* of those, not found yet (unix_rights.c) */
	bool suspect;
};

/* Names, connections, and files on their way, of all; of order 5, inside of a socket's lock. */
extern spinlock_t unix_lock;

static inline struct unix_sock *unix_of(struct socket *s)
{
	return (struct unix_sock *)s;
}

static inline struct unix_sock *unix_get(struct unix_sock *u)
{
	__atomic_fetch_add(&u->sock.refs, 1, __ATOMIC_RELAXED);
	return u;
}

/* unix.c */
void unix_put(struct unix_sock *u); /* NULL is fine */
void unix_name_put(struct unix_name *name);
/* Who is bound to @addr, referenced; the current process must be allowed to write there. */
int unix_find(const struct sock_addr *addr, int type, struct unix_sock **out);
void unix_wake_senders(struct unix_sock *u); /* who polls for room in its queue */
void unix_disconnect(struct unix_sock *u, struct unix_sock *from);
extern const struct sock_ops unix_ops;

/* unix_queue.c */
#define UNIX_PACKETS 256    /* in one queue */
#define UNIX_LOW_WATER 2048 /* less room than that does not count for poll() */
ssize_t unix_send(struct socket *s, struct sock_msg *m);
ssize_t unix_recv(struct socket *s, struct sock_msg *m);
size_t unix_unread(struct socket *s);
bool unix_roomy(const struct unix_sock *u); /* send() would find room; no lock needed */
void unix_drop_packets(struct unix_sock *u);
void unix_set_limit(struct unix_sock *u); /* its peer or a buffer size has changed; unix_lock */

static inline void wake_one(struct waitq *wq)
{
	if (!list_empty(&wq->waiters))
		waitq_wake_one(wq);
}

static inline void wake_all(struct waitq *wq)
{
	if (!list_empty(&wq->waiters))
		waitq_wake_all(wq);
}

/* unix_rights.c */
/* The message's files become rights (NULL: it has none), which has the references then.
 * -ETOOMANYREFS, -ENOMEM. */
int rights_make(struct sock_msg *m, struct rights **out);
/* @r is in @pk now, which is in the queue of @u. */
void rights_attach(struct rights *r, struct packet *pk, struct unix_sock *u);
/* The packet's files are taken out (@files, room for SCM_FILES_MAX) or only shown; how many. */
unsigned rights_take(struct packet *pk, struct file **files);
unsigned rights_peek(struct packet *pk, struct file **files);
void rights_give_back(struct rights *r, struct sock_msg *m); /* was never attached */
void rights_drop(struct packet *pk); /* its files will be closed by the next: */
void rights_close(void);             /* no lock of a socket is held */
void rights_collect(void);           /* closes sockets that only packets in each other hold */

#endif
