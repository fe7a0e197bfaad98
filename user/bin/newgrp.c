/* SPDX-License-Identifier: MIT */
/*
 * newgrp [group]: a shell with that group (one's first, if none is named) as the effective one.
 * Only for members. The set-user-id bit makes it root's program.
 */
#include "../lib/password.h"
#include "../lib/util.h"

#include <grp.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static bool may(const struct passwd *pw, const struct group *gr)
{
	if (getuid() == 0 || gr->gr_gid == pw->pw_gid)
		return true;
	for (char **m = gr->gr_mem; *m; m++)
		if (strcmp(*m, pw->pw_name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct passwd *pw;
	struct group *gr;
	const char *shell;

	need_descriptors();
	prog_init(argv);
	if (argc > 2)
		usage("[group]");
	pw = getpwuid(getuid());
	if (!pw)
		fatalx("no such user");
	gr = argc > 1 ? getgrnam(argv[1]) : getgrgid(pw->pw_gid);
	if (!gr)
		fatalx("no such group");
	if (!may(pw, gr))
		fatalx("%s is not a member of %s", pw->pw_name, gr->gr_name);
	if (setgid(gr->gr_gid) < 0 || setuid(getuid()) < 0)
		fatal("cannot change to %s", gr->gr_name);
	shell = login_shell(pw);
	execl(shell, "sh", NULL);
	fatal("cannot run %s", shell);
}
