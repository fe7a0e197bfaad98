/* SPDX-License-Identifier: MIT */
/* Addresses of Unix-domain sockets: names in the file system. */
#ifndef _SYS_UN_H
#define _SYS_UN_H

#include <sys/cdefs.h>
#include <sys/socket.h>

struct sockaddr_un {
	sa_family_t sun_family;
	char sun_path[108];
};

#if __MISC_VISIBLE
#include <string.h>
/* The length of an address whose path ends in 0. */
#define SUN_LEN(s) \
	((socklen_t)(__builtin_offsetof(struct sockaddr_un, sun_path) + strlen((s)->sun_path)))
#endif

#endif
