/* SPDX-License-Identifier: MIT */
/* Unix sockets under threads of one process: descriptors are closed while others use them. */
#include "guest.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

static int pair[2];

static void *receive(void *arg)
{
	(void)arg;
	static char byte;

	return (void *)(long)recv(pair[1], &byte, 1, 0);
}

/* The descriptor goes, the call that has begun goes on: with the data, or with the end. */
TEST(closed_while_receiving)
{
	pthread_t t;
	void *got;

	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	REQUIRE_EQ(pthread_create(&t, NULL, receive, NULL), 0);
	sleep_ms(50);
	close(pair[1]);
	CHECK_EQ(send(pair[0], "x", 1, MSG_NOSIGNAL), 1);
	CHECK_EQ(pthread_join(t, &got), 0);
	CHECK_EQ((long)got, 1);
	CHECK_ERRNO(send(pair[0], "x", 1, MSG_NOSIGNAL), EPIPE); /* that was the last use */
	close(pair[0]);
	REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	REQUIRE_EQ(pthread_create(&t, NULL, receive, NULL), 0);
	sleep_ms(50);
	CHECK_EQ(shutdown(pair[1], SHUT_RDWR), 0);
	CHECK_EQ(pthread_join(t, &got), 0);
	CHECK_EQ((long)got, 0);
	close(pair[0]);
	close(pair[1]);
}

enum { FIRST = 40, SLOTS = 8, ROUNDS = 400 };

/* Whatever the calls answer: the kernel must stand it, and nothing may be left over. */
static void *storm(void *arg)
{
	unsigned seed = (unsigned)(long)arg;
	char buf[64];

	for (int i = 0; i < ROUNDS; i++) {
		int fds[2], slot;

		seed = seed * 1103515245 + 12345;
		slot = FIRST + (int)(seed >> 20) % SLOTS;
		switch (seed >> 16 & 7) {
		case 0:
			if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0) {
				dup2(fds[0], slot);
				dup2(fds[1], FIRST + (slot + 1 - FIRST) % SLOTS);
				close(fds[0]);
				close(fds[1]);
			}
			break;
		case 1:
			close(slot);
			break;
		case 2:
		case 3:
			send(slot, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
			break;
		case 4:
			shutdown(slot, (int)(seed >> 24) % 3);
			break;
		default:
			recv(slot, buf, sizeof(buf), MSG_DONTWAIT);
		}
	}
	return NULL;
}

TEST(a_storm_of_threads)
{
	pthread_t t[4];
	long before = free_pages();

	for (long i = 0; i < 4; i++)
		REQUIRE_EQ(pthread_create(&t[i], NULL, storm, (void *)(test_random() + i)), 0);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	for (int fd = FIRST; fd < FIRST + SLOTS; fd++)
		close(fd);
	CHECK_THAT(before - free_pages() < 100, "%ld pages are lost", before - free_pages());
}
