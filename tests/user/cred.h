/* SPDX-License-Identifier: MIT */
/* Becoming another user, for the tests of who may do what. */
#ifndef TESTS_USER_CRED_H
#define TESTS_USER_CRED_H

#include "guest.h"

#include <grp.h>

#define USER 1234
#define OTHER 2345

#define NEEDS_ROOT                                                 \
	do {                                                       \
		if (geteuid() != 0) {                              \
			test_note("needs a root who may do this"); \
			return;                                    \
		}                                                  \
	} while (0)

static inline void become(uid_t uid)
{
	CHILD_CHECK(setgroups(0, NULL) == 0);
	CHILD_CHECK(setresgid(uid, uid, uid) == 0);
	CHILD_CHECK(setresuid(uid, uid, uid) == 0);
}

static inline bool refused(long ret, int err)
{
	return ret == -1 && errno == err;
}

#endif
