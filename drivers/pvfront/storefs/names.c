/* SPDX-License-Identifier: MIT */
/*
 * Names of /xen/store. See names.h.
 */
#include "names.h"

#include <string.h>

static const struct {
	const char *suffix;
	enum store_kind kind;
} suffixes[] = {
	{".value", STORE_VALUE},
	{".perms", STORE_PERMS},
	{".watch", STORE_WATCH},
	{".dir", STORE_DIR},
};

int store_split(const char *name, size_t *len)
{
	if (!memchr(name, '.', *len))
		return STORE_NODE;
	if (*len == 5 && memcmp(name, ".self", 5) == 0)
		return STORE_SELF;
	for (unsigned i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t n = strlen(suffixes[i].suffix);

		if (*len >= n && memcmp(name + *len - n, suffixes[i].suffix, n) == 0 &&
		    !memchr(name, '.', *len - n)) {
			*len -= n;
			return suffixes[i].kind;
		}
	}
	return -ENOENT;
}

bool store_name_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '-' || c == '_' || c == '@'))
			return false;
	}
	return len > 0;
}

int store_join(char *buf, const char *dir, const char *name, size_t len)
{
	size_t n = strlen(dir);

	/* Only the root's path ends in a slash. */
	if (n == 1 && len)
		n = 0;
	if (n + (len ? 1 + len : 0) > STORE_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(buf, dir, n);
	if (len) {
		buf[n++] = '/';
		memcpy(buf + n, name, len);
	}
	buf[n + len] = 0;
	return 0;
}

size_t store_parent(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] != '/')
		n--;
	return n > 1 ? n - 1 : 1;
}

uint64_t store_ino(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */

	while (*path)
		hash = (hash ^ (unsigned char)*path++) * 0x100000001b3ull;
	return hash << 3;
}
