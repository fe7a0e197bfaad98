/* SPDX-License-Identifier: MIT */
/*
 * login [-f] [name]: ask who is there, and start his shell. Run by init on a terminal; -f: whoever
 * started it knows already.
 */
#include "../lib/password.h"
#include "../lib/util.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *ask_name(void)
{
	static char line[64];
	char host[65] = "";

	gethostname(host, sizeof(host));
	do {
		printf("%s login: ", host);
		fflush(stdout);
		if (!fgets(line, sizeof(line), stdin))
			return NULL;
		line[strcspn(line, "\r\n")] = '\0';
	} while (!*line);
	return line;
}

static void enter(const struct passwd *pw) NORETURN;
static void enter(const struct passwd *pw)
{
	const char *shell = login_shell(pw), *base = strrchr(shell, '/');
	char name[64];

	/* The terminal is his, and messages to it are the group's. */
	if (fchown(0, pw->pw_uid, 5) == 0)
		fchmod(0, 0620);
	if (!take_ids(pw))
		exit(1);
	set_user_environment(pw, true);
	if (chdir(pw->pw_dir) < 0) {
		warning("no directory %s: starting in /", pw->pw_dir);
		if (chdir("/") < 0)
			exit(1);
	}
	snprintf(name, sizeof(name), "-%s", base ? base + 1 : shell);
	execl(shell, name, NULL);
	fatal("cannot run %s", shell);
}

int main(int argc, char **argv)
{
	bool trusted = false;
	char *name;
	int c;

	prog_init(argv);
	while ((c = getopt(argc, argv, "f")) != -1) {
		if (c != 'f')
			usage("[-f] [name]");
		trusted = true;
	}
	if (geteuid() != 0)
		fatalx("only root can let others in; su is for users");
	name = argv[optind];
	for (int tries = 0; tries < 3; tries++, name = NULL) {
		struct passwd *pw;

		if (!name)
			name = ask_name();
		if (!name)
			return 1;
		pw = getpwnam(name);
		if ((trusted && pw && tries == 0) || ask_password(pw))
			enter(pw);
		sleep(1);
		puts("Login incorrect");
	}
	return 1;
}
