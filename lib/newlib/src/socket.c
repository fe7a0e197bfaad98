/* SPDX-License-Identifier: MIT */
/* Sockets: the functions that are other calls with arguments left out. */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int accept(int fd, struct sockaddr *__restrict addr, socklen_t *__restrict len)
{
	return accept4(fd, addr, len, 0);
}

ssize_t send(int fd, const void *buf, size_t n, int flags)
{
	return sendto(fd, buf, n, flags, NULL, 0);
}

ssize_t recv(int fd, void *buf, size_t n, int flags)
{
	return recvfrom(fd, buf, n, flags, NULL, NULL);
}

int getpeereid(int fd, uid_t *uid, gid_t *gid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -1;
	*uid = cred.uid;
	*gid = cred.gid;
	return 0;
}

/* There are no marks: nothing is ever sent out of band. */
int sockatmark(int fd)
{
	int type;
	socklen_t len = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
		if (errno == ENOTSOCK)
			errno = ENOTTY;
		return -1;
	}
	return 0;
}
