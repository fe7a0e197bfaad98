/* SPDX-License-Identifier: MIT */
#include "password.h"
#include "util.h"

#include <fcntl.h>
#include <grp.h>
#include <paths.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void need_descriptors(void)
{
	int fd;

	do
		fd = open(_PATH_DEVNULL, O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

const char *password_hash(const struct passwd *pw)
{
	const char *hash = pw->pw_passwd;

	if (strcmp(hash, "x") == 0) {
		struct spwd *sp = getspnam(pw->pw_name);

		hash = sp ? sp->sp_pwdp : NULL;
	}
	return hash && *hash != '*' && *hash != '!' ? hash : NULL;
}

bool ask_password(const struct passwd *pw)
{
	const char *hash = pw ? password_hash(pw) : NULL, *typed, *made;
	bool right;

	if (hash && !*hash)
		return true;
	typed = getpass("Password: ");
	if (!typed)
		return false;
	/* Somebody who does not exist takes as long as somebody who does. */
	made = crypt(typed, hash ? hash : "$6$nobody$");
	right = hash && made && strcmp(made, hash) == 0;
	memset((char *)typed, 0, strlen(typed));
	return right;
}

bool take_ids(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setgid(pw->pw_gid) < 0 ||
	    setuid(pw->pw_uid) < 0) {
		warning("cannot become %s", pw->pw_name);
		return false;
	}
	return true;
}

const char *login_shell(const struct passwd *pw)
{
	return *pw->pw_shell ? pw->pw_shell : _PATH_BSHELL;
}

void set_user_environment(const struct passwd *pw, bool clean)
{
	char *term = getenv("TERM");

	if (clean) {
		static char *none[] = {NULL};
		extern char **environ;

		term = term ? strdup(term) : NULL;
		environ = none;
		if (term)
			setenv("TERM", term, 1);
		setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin", 1);
	}
	setenv("HOME", pw->pw_dir, 1);
	setenv("SHELL", login_shell(pw), 1);
	setenv("USER", pw->pw_name, 1);
	setenv("LOGNAME", pw->pw_name, 1);
}
