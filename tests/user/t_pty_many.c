/* SPDX-License-Identifier: MIT */
/* Many pseudo-terminals at once: that they do not mix, cost nothing afterwards, and have an end. */
#include "guest.h"

#include <pty.h>

static void unpair(int m, int s)
{
	close(s);
	close(m);
}

TEST(many_pairs)
{
	int m[12], s[12];
	long before = free_pages();

	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < ARRAY_LEN(m); i++)
			REQUIRE_EQ(openpty(&m[i], &s[i], NULL, NULL, NULL), 0);
		for (unsigned i = 0; i < ARRAY_LEN(m); i++) {
			char text[8];

			snprintf(text, sizeof(text), "%u\n", i);
			CHECK_EQ(write(m[i], text, strlen(text)), strlen(text));
			CHECK_EQ(read(s[i], text, sizeof(text)), i < 10 ? 2 : 3);
			CHECK_EQ(atoi(text), i);
		}
		for (unsigned i = 0; i < ARRAY_LEN(m); i++)
			unpair(i % 2 ? m[i] : s[i], i % 2 ? s[i] : m[i]);
	}
	CHECK(free_pages() >= before - 8);
}

#ifdef __parvix__
TEST(there_is_an_end_to_them)
{
	int fds[100], n = 0;

	while (n < 100 && (fds[n] = posix_openpt(O_RDWR | O_NOCTTY)) >= 0)
		n++;
	CHECK(n >= 32 && n < 100 && errno == EAGAIN);
	while (n > 0)
		close(fds[--n]);
	n = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(n >= 0);
	close(n);
}
#endif
