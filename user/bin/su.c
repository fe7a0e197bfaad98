/* SPDX-License-Identifier: MIT */
/*
 * su [-] [-c command] [name]: a shell as another user, root if no name is given. Asks for that
 * user's password, but not if root asks. -: as if he had logged in. The set-user-id bit makes it
 * root's program.
 */
#include "../lib/password.h"
#include "../lib/util.h"

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *name = "root", *command = NULL, *shell;
	bool login = false;
	struct passwd *pw;
	char *args[4];
	int c, n = 0;

	need_descriptors();
	prog_init(argv);
	while ((c = getopt(argc, argv, "lc:")) != -1) {
		if (c == 'l')
			login = true;
		else if (c == 'c')
			command = optarg;
		else
			usage("[-] [-c command] [name]");
	}
	if (argv[optind] && strcmp(argv[optind], "-") == 0) {
		login = true;
		optind++;
	}
	if (argv[optind])
		name = argv[optind++];
	pw = getpwnam(name);
	if (!pw)
		fatalx("no user %s", name);
	if (getuid() != 0 && !ask_password(pw)) {
		sleep(1);
		fatalx("sorry");
	}
	if (!take_ids(pw))
		return 1;
	set_user_environment(pw, login);
	if (login && chdir(pw->pw_dir) < 0)
		warning("%s", pw->pw_dir);
	shell = login_shell(pw);
	args[n++] = login ? "-sh" : "sh";
	if (command) {
		args[n++] = "-c";
		args[n++] = (char *)command;
	}
	args[n] = NULL;
	execv(shell, args);
	fatal("cannot run %s", shell);
}
