/* SPDX-License-Identifier: MIT */
/* Names that match a pattern, as POSIX has it (newlib's own is an older form, without GLOB_NOMATCH). */
#ifndef _GLOB_H_
#define _GLOB_H_

#include <stddef.h>
#include <sys/cdefs.h>

#define GLOB_APPEND 0x0001   /* add to what an earlier call has found */
#define GLOB_DOOFFS 0x0002   /* gl_offs null pointers first */
#define GLOB_ERR 0x0004	     /* end at the first folder that cannot be read */
#define GLOB_MARK 0x0008     /* a slash behind folders */
#define GLOB_NOCHECK 0x0010  /* without a match, the pattern itself */
#define GLOB_NOSORT 0x0020   /* as they come */
#define GLOB_NOESCAPE 0x0040 /* a backslash is one */
#define GLOB_NOMAGIC 0x0200  /* the pattern itself if it has none of * ? [ */

#define GLOB_NOSPACE 1
#define GLOB_ABORTED 2
#define GLOB_NOMATCH 3

typedef struct {
	size_t gl_pathc;
	char **gl_pathv;
	size_t gl_offs;
} glob_t;

__BEGIN_DECLS
int glob(const char *__restrict __pattern, int __flags, int (*__errfunc)(const char *, int),
	 glob_t *__restrict __found);
void globfree(glob_t *__found);
__END_DECLS

#endif
