/* SPDX-License-Identifier: MIT */
/*
 * Sockets as programs and kernel share them. <sys/socket.h> and <sys/un.h> of the C library are
 * made of this file, so the names are theirs; the values are BSD's where there is a choice. The
 * options that are no more than a mark (SO_DEBUG .. SO_REUSEPORT) are single bits.
 */
#ifndef PARVIX_SOCKET_H
#define PARVIX_SOCKET_H

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
/* Beside the type, and for accept4(): the values of O_NONBLOCK and O_CLOEXEC. */
#define SOCK_NONBLOCK 0x4000
#define SOCK_CLOEXEC 0x40000

#define SOMAXCONN 128

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define MSG_OOB 0x1
#define MSG_PEEK 0x2
#define MSG_DONTROUTE 0x4
#define MSG_EOR 0x8
#define MSG_TRUNC 0x10
#define MSG_CTRUNC 0x20
#define MSG_WAITALL 0x40
#define MSG_DONTWAIT 0x80
#define MSG_CMSG_CLOEXEC 0x1000
#define MSG_NOSIGNAL 0x4000

#define SOL_SOCKET 0xffff
#define SO_DEBUG 0x0001
#define SO_ACCEPTCONN 0x0002
#define SO_REUSEADDR 0x0004
#define SO_KEEPALIVE 0x0008
#define SO_DONTROUTE 0x0010
#define SO_BROADCAST 0x0020
#define SO_LINGER 0x0080
#define SO_OOBINLINE 0x0100
#define SO_REUSEPORT 0x0200
#define SO_PASSCRED 0x0400
#define SO_SNDBUF 0x1001
#define SO_RCVBUF 0x1002
#define SO_SNDLOWAT 0x1003
#define SO_RCVLOWAT 0x1004
#define SO_SNDTIMEO 0x1005
#define SO_RCVTIMEO 0x1006
#define SO_ERROR 0x1007
#define SO_TYPE 0x1008
#define SO_PROTOCOL 0x1016
#define SO_DOMAIN 0x1019
#define SO_PEERCRED 0x1020

#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2

struct parvix_sockaddr {
	unsigned short sa_family;
	char sa_data[14];
};

#define PARVIX_UNIX_PATH 108
struct parvix_sockaddr_un {
	unsigned short sun_family;
	char sun_path[PARVIX_UNIX_PATH]; /* the final 0 may be missing */
};

struct parvix_msghdr {
	void *msg_name;
	unsigned int msg_namelen;
	struct parvix_iovec *msg_iov;
	int msg_iovlen;
	void *msg_control;
	unsigned int msg_controllen;
	int msg_flags;
};

/* A control message: this, its data, and room up to the next multiple of 8. */
struct parvix_cmsghdr {
	unsigned int cmsg_len; /* with this header, without the room at the end */
	int cmsg_level;
	int cmsg_type;
	int cmsg_pad; /* so that data is aligned to 8 */
};

struct parvix_ucred {
	int pid;
	unsigned int uid;
	unsigned int gid;
};

struct parvix_linger {
	int l_onoff;
	int l_linger; /* seconds */
};

#endif
