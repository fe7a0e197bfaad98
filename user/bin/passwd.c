/* SPDX-License-Identifier: MIT */
/*
 * passwd [-d] [name]: a new password, one's own or, for root, anybody's; -d: none. The new
 * /etc/shadow is written beside the old one and takes its place when it is whole; that its name can
 * be made only once keeps two of us apart.
 */
#include "../lib/password.h"
#include "../lib/util.h"

#include <errno.h>
#include <fcntl.h>
#include <shadow.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NEW "/etc/.shadow.new"

char *crypt_gensalt(const char *prefix, unsigned long count, const char *random, int size);

static void copy_others(FILE *to, const char *name)
{
	FILE *from = fopen(SHADOW, "r");
	size_t len = strlen(name);
	char line[512];

	if (!from)
		return; /* the first one */
	while (fgets(line, sizeof(line), from))
		if (strncmp(line, name, len) != 0 || line[len] != ':')
			fputs(line, to);
	fclose(from);
}

static bool write_shadow(const char *name, const char *hash)
{
	int fd = open(NEW, O_WRONLY | O_CREAT | O_EXCL, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool ok;

	if (!f) {
		warning("%s%s", NEW,
			errno == EEXIST ? ": somebody else is changing a password" : "");
		return false;
	}
	copy_others(f, name);
	fprintf(f, "%s:%s:%ld:0:99999:7:::\n", name, hash, (long)(time(NULL) / 86400));
	ok = fflush(f) == 0 && fsync(fd) == 0;
	ok = fclose(f) == 0 && ok;
	if (!ok || rename(NEW, SHADOW) < 0) {
		warning("%s", SHADOW);
		unlink(NEW);
		return false;
	}
	return true;
}

/* The hash of a password that was typed twice; NULL: it was not. */
static const char *new_hash(void)
{
	char first[128], *again;
	char *typed = getpass("New password: ");

	if (!typed || !*typed) {
		warningx("nothing changed");
		return NULL;
	}
	snprintf(first, sizeof(first), "%s", typed);
	again = getpass("Again: ");
	if (!again || strcmp(first, again) != 0) {
		warningx("they differ: nothing changed");
		return NULL;
	}
	return crypt(first, crypt_gensalt("$6$", 0, NULL, 0));
}

int main(int argc, char **argv)
{
	static const int wait[] = {SIGINT, SIGQUIT, SIGTSTP, SIGHUP, SIGTERM, SIGALRM};
	bool none = false;
	const char *hash = "";
	struct passwd *pw;
	sigset_t set;
	int c;

	need_descriptors();
	prog_init(argv);
	while ((c = getopt(argc, argv, "d")) != -1) {
		if (c != 'd')
			usage("[-d] [name]");
		none = true;
	}
	pw = argv[optind] ? getpwnam(argv[optind]) : getpwuid(getuid());
	if (!pw)
		fatalx("no such user");
	if (getuid() != 0 && getuid() != pw->pw_uid)
		fatalx("only root may change the password of %s", pw->pw_name);
	if (getuid() != 0 && none)
		fatalx("only root may take a password away");
	if (getuid() != 0 && !ask_password(pw)) {
		sleep(1);
		fatalx("sorry");
	}
	if (!none)
		hash = new_hash();
	if (!hash)
		return 1;
	/* From here on to the end. A limit on the size of files must not cut the file either: then
	 * the write fails, and the old file stays. */
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(wait); i++)
		sigaddset(&set, wait[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGXFSZ, SIG_IGN);
	umask(077);
	if (!write_shadow(pw->pw_name, hash))
		return 1;
	puts("password changed");
	return 0;
}
