/* SPDX-License-Identifier: MIT */
/* Lines "device folder type options freq passno", as in /proc/mounts and /etc/fstab. */
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FILE *setmntent(const char *path, const char *mode)
{
	return fopen(path, mode);
}

struct mntent *getmntent(FILE *f)
{
	static struct mntent m;
	static char line[1024];
	char *save, *freq, *passno;

	while (fgets(line, sizeof(line), f)) {
		m.mnt_fsname = strtok_r(line, " \t\n", &save);
		if (!m.mnt_fsname || *m.mnt_fsname == '#')
			continue;
		m.mnt_dir = strtok_r(NULL, " \t\n", &save);
		m.mnt_type = strtok_r(NULL, " \t\n", &save);
		m.mnt_opts = strtok_r(NULL, " \t\n", &save);
		if (!m.mnt_opts)
			continue;
		freq = strtok_r(NULL, " \t\n", &save);
		passno = freq ? strtok_r(NULL, " \t\n", &save) : NULL;
		m.mnt_freq = freq ? atoi(freq) : 0;
		m.mnt_passno = passno ? atoi(passno) : 0;
		return &m;
	}
	return NULL;
}

int endmntent(FILE *f)
{
	fclose(f);
	return 1;
}

char *hasmntopt(const struct mntent *m, const char *opt)
{
	size_t n = strlen(opt);
	char *p = m->mnt_opts;

	while (p) {
		if (!strncmp(p, opt, n) && (!p[n] || p[n] == ',' || p[n] == '='))
			return p;
		p = strchr(p, ',');
		if (p)
			p++;
	}
	return NULL;
}
