/* SPDX-License-Identifier: MIT */
/* /etc/shadow, a line name:hash:changed:min:max:warn:inactive:expires:flag each. */
#include <shadow.h>
#include <stdlib.h>
#include "db.h"

static FILE *file;
static struct spwd entry;
static char line[1024];

static long number(const char *s)
{
	return *s ? strtol(s, NULL, 10) : -1;
}

static int next(FILE *f, struct spwd *sp, char *buf, size_t size)
{
	char *v[9];
	int ret = db_next(f, buf, size, v, 9);

	if (ret > 0)
		*sp = (struct spwd){v[0],         v[1],         number(v[2]),
				    number(v[3]), number(v[4]), number(v[5]),
				    number(v[6]), number(v[7]), (unsigned long)number(v[8])};
	return ret;
}

int getspnam_r(const char *name, struct spwd *sp, char *buf, size_t size, struct spwd **result)
{
	FILE *f = fopen(SHADOW, "re");
	int ret;

	*result = NULL;
	if (!f)
		return errno;
	while ((ret = next(f, sp, buf, size)) > 0) {
		if (!strcmp(sp->sp_namp, name)) {
			*result = sp;
			break;
		}
	}
	fclose(f);
	return ret < 0 ? ERANGE : 0;
}

struct spwd *getspnam(const char *name)
{
	struct spwd *result;
	int err = getspnam_r(name, &entry, line, sizeof(line), &result);

	if (err)
		errno = err;
	return result;
}

struct spwd *getspent(void)
{
	if (!file)
		file = fopen(SHADOW, "re");
	return file && next(file, &entry, line, sizeof(line)) > 0 ? &entry : NULL;
}

void setspent(void)
{
	if (file)
		rewind(file);
}

void endspent(void)
{
	if (file)
		fclose(file);
	file = NULL;
}
