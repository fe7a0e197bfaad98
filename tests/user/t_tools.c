/* SPDX-License-Identifier: MIT */
/*
 * The programs in /bin, as scripts use them: each line is run by the shell in a directory with a
 * few files, and must give this output and this exit status.
 */
#include "guest.h"

struct expect {
	const char *command, *output;
	int status;
};

static bool set_up(void)
{
	return enter_scratch("/tmp") && make_file("abc", "a\nb\nc\n", 6) &&
	       make_file("words", "the quick brown fox\njumps over\nthe lazy dog\n", 44) &&
	       make_file("nums", "10\n9\n2\n33\n2\n", 12) && mkdir("d", 0755) == 0 &&
	       make_file("d/x", "xx\n", 3) && mkdir("d/e", 0755) == 0 &&
	       make_file("d/e/y", "y\n", 2);
}

static void run_all(const struct expect *list, size_t count)
{
	static char got[8192];

	if (!set_up()) {
		CHECK_THAT(false, "no scratch directory");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		size_t n = 0;
		int status;
		FILE *f;

		fflush(stdout);
		f = popen(list[i].command, "r");
		REQUIRE(f != NULL);
		n = fread(got, 1, sizeof(got) - 1, f);
		got[n] = '\0';
		status = pclose(f);
		CHECK_THAT(strcmp(got, list[i].output) == 0, "%s: printed \"%s\", wanted \"%s\"",
			   list[i].command, got, list[i].output);
		CHECK_THAT(WIFEXITED(status) && WEXITSTATUS(status) == list[i].status,
			   "%s: %s, wanted exit %d", list[i].command, status_text(status),
			   list[i].status);
	}
	leave_scratch("/tmp");
}

#define TOOL_TEST(name, ...)                                       \
	TEST(name)                                                 \
	{                                                          \
		static const struct expect list[] = {__VA_ARGS__}; \
		run_all(list, ARRAY_LEN(list));                    \
	}

TOOL_TEST(printing, {"/bin/echo a  b", "a b\n", 0},
	  {"/bin/echo -n a; /bin/echo -e 'x\\ty\\0101'", "ax\tyA\n", 0},
	  {"/bin/printf '%s-%d|' a 1 b 2", "a-1|b-2|", 0},
	  {"/bin/printf '%05.1f %x %c %%\\n' 3.14159 255 hello", "003.1 ff h %\n", 0},
	  {"/bin/printf '%b' 'a\\tb\\n'", "a\tb\n", 0},
	  {"/bin/printf %d 12x 2>&1 >/dev/null | grep -c number", "1\n", 0},
	  {"seq 3", "1\n2\n3\n", 0}, {"seq -s , 5 -2 1", "5,3,1\n", 0},
	  {"seq -w 8 10", "08\n09\n10\n", 0}, {"yes no | head -2", "no\nno\n", 0},
	  {"basename /a/b.c .c; basename /; dirname /a/b/ c", "b\n/\n/a\n.\n", 0})

TOOL_TEST(text, {"cat abc - <nums | wc -l", "8\n", 0},
	  {"cat -n abc", "     1\ta\n     2\tb\n     3\tc\n", 0},
	  {"head -n 1 abc; head -c 3 words", "a\nthe", 0},
	  {"tail -n 1 abc; tail -n +3 abc; tail -c 2 abc", "c\nc\nc\n", 0},
	  {"seq 100000 | tail -n 2", "99999\n100000\n", 0},
	  {"wc words", "      3       9      44 words\n", 0}, {"wc -w <words", "9\n", 0},
	  {"sort nums", "10\n2\n2\n33\n9\n", 0}, {"sort -n nums", "2\n2\n9\n10\n33\n", 0},
	  {"sort -nru nums", "33\n10\n9\n2\n", 0},
	  {"sort -k2,2 -r words | head -1", "the quick brown fox\n", 0},
	  {"printf 'b:2\\na:1\\nc:10\\n' | sort -t : -k 2n", "a:1\nb:2\nc:10\n", 0},
	  {"sort -c nums", "", 1}, {"sort nums | uniq -c | sort -rn | head -1", "      2 2\n", 0},
	  {"sort nums | uniq -d; sort nums | uniq -u | wc -l", "2\n3\n", 0},
	  {"cut -d ' ' -f 2,4 words", "quick fox\nover\nlazy\n", 0},
	  {"cut -c 1-3,5 abc words | head -4", "a\nb\nc\ntheq\n", 0},
	  {"tr a-c A-C <abc | tr -d '\\n'", "ABC", 0},
	  {"echo 'aab  cc' | tr -s 'a '; echo x1y2 | tr -cd '[:digit:]'", "ab cc\n12", 0},
	  {"echo hi | tee t1 t2; cat t1 t2", "hi\nhi\nhi\n", 0},
	  {"hexdump -C abc",
	   "00000000  61 0a 62 0a 63 0a                                 |a.b.c.|\n00000006\n", 0},
	  {"cmp abc abc; cmp -s abc nums", "", 1},
	  {"cmp abc words", "abc words differ: char 1, line 1\n", 1},
	  {"diff abc abc && printf 'a\nX\nc\n' >n && diff abc n", "2c2\n< b\n---\n> X\n", 1},
	  {"diff -u abc n | tail -n +3; rm n", "@@ -1,3 +1,3 @@\n a\n-b\n+X\n c\n", 0})

TOOL_TEST(packages, {"grep -n the words", "1:the quick brown fox\n3:the lazy dog\n", 0},
	  {"grep -c . abc; grep -q zzz abc", "3\n", 1},
	  {"grep -E '^(a|c)$' abc; grep -v b abc | wc -l", "a\nc\n2\n", 0},
	  {"sed -n '2s/over/under/p' words; sed '1,2d' words", "jumps under\nthe lazy dog\n", 0},
	  {"echo hello | sed -E 's/(l+)/<\\1>/g; y/h/H/'", "He<ll>o\n", 0},
	  {"awk '{ n += NF } END { print n, NR }' words", "9 3\n", 0},
	  {"awk -F : '/root/ { print $1, $3 }' /etc/passwd", "root 0\n", 0},
	  {"awk 'BEGIN { printf \"%.3f %s\\n\", atan2(0, -1), substr(\"abcdef\", 2, 3) }'",
	   "3.142 bcd\n", 0},
	  {"lua -e 'print(10 // 3, 2^0.5, (\"x\"):rep(3))'", "3\t1.4142135623731\txxx\n", 0},
	  {"lua -e 'for w in io.lines(\"abc\") do io.write(w, \";\") end'", "a;b;c;", 0})

TOOL_TEST(files, {"ls", "abc\nd\nnums\nwords\n", 0}, {"ls -F d; ls -d d", "e/\nx\nd\n", 0},
	  {"ls none", "", 1}, {"ls none 2>&1", "ls: none: No such file or directory\n", 1},
	  {"ls -l abc | cut -c 1-10", "-rw-r--r--\n", 0}, {"ls -R d", "d:\ne\nx\n\nd/e:\ny\n", 0},
	  {"cp abc copy && cmp abc copy && rm copy", "", 0},
	  {"cp d d2 2>&1", "cp: d is a directory (not copied without -R)\n", 1},
	  {"cp -R d d2 && find d2 | sort", "d2\nd2/e\nd2/e/y\nd2/x\n", 0},
	  {"cp abc nums d2 && ls d2", "abc\ne\nnums\nx\n", 0},
	  {"cp -R d2 d2/inside 2>/dev/null; ls d2/inside | wc -l", "4\n", 0},
	  {"mv d2/abc d2/moved && ls d2 | head -2 && mv none x 2>&1",
	   "e\ninside\nmv: none: No such file or directory\n", 1},
	  {"rm -r d2 && ls -d d2 2>&1", "ls: d2: No such file or directory\n", 1},
	  {"rm d 2>&1; rm -f none; echo $?", "rm: d: Is a directory\n0\n", 0},
	  {"mkdir -p p/q/r && rmdir -p p/q/r && ls p 2>&1", "ls: p: No such file or directory\n",
	   1},
	  {"mkdir -m 700 m && stat -c %a m && rmdir m", "700\n", 0},
	  {"mkdir d 2>&1; rmdir d 2>&1", "mkdir: d: File exists\nrmdir: d: Directory not empty\n",
	   1},
	  {"ln abc hard && ln -s abc soft && readlink soft && stat -c '%h %F' hard soft",
	   "abc\n2 regular file\n1 symbolic link\n", 0},
	  {"ln -s nowhere/x dangling; cat dangling 2>&1; rm hard soft dangling",
	   "cat: dangling: No such file or directory\n", 0},
	  {"touch -t 202001020304.05 old && ls -l old | grep -c 'Jan  2  2020'; rm old", "1\n", 0},
	  {"touch n && chmod u=rwx,go=r n && stat -c %a n && chmod -x n && stat -c %A n; rm n",
	   "744\n-rw-r--r--\n", 0},
	  {"chmod 99 abc 2>&1", "chmod: invalid mode: 99\n", 1},
	  {"find . -name '*s' -type f | sort", "./nums\n./words\n", 0},
	  {"find d ! -type d -exec echo {} \\;", "d/e/y\nd/x\n", 0},
	  {"find d -type f -exec cat {} +", "y\nxx\n", 0},
	  {"find d -maxdepth 1 -type f -o -name e", "d/e\nd/x\n", 0},
	  {"find . -size +1 -o -empty", "", 0},
	  {"find d -type f | xargs wc -l | tail -1", "2 total\n", 0},
	  {"printf 'a b\\n\"c d\"\\n' | xargs -n 1 echo =", "= a\n= b\n= c d\n", 0},
	  {"echo x | xargs -I @ echo [@]", "[x]\n", 0},
	  {"find d -print0 | xargs -0 | wc -w", "4\n", 0},
	  {"du -s d | cut -f 2; du -a d | wc -l", "d\n4\n", 0},
	  {"dd 2>/dev/null; cat d 2>&1", "cat: d: Is a directory\n", 1},
	  {"dd if=words of=w bs=4 count=2 skip=1 2>&1 | head -n 2; stat -c %s w",
	   "2+0 records in\n2+0 records out\n8\n", 0},
	  {"dd if=/dev/zero of=w bs=1k seek=3 count=1 status=none && stat -c %s w", "4096\n", 0},
	  {"dd if=abc of=w bs=4 conv=notrunc,fsync status=noxfer 2>&1; stat -c %s w",
	   "1+1 records in\n1+1 records out\n4096\n", 0},
	  {"printf abc | dd bs=2 conv=sync status=none | wc -c", "4\n", 0},
	  {"printf abcd | dd bs=2 2>&1 >w | sed -n '3s/copied.*/copied/p'; rm w",
	   "4 bytes (0.0 MiB) copied\n", 0},
	  {"dd if=none 2>&1", "dd: none: No such file or directory\n", 1},
	  {"dd if=abc conv=fync 2>&1",
	   "dd: conv=fync: there are fsync,fdatasync,notrunc,noerror,sync\n", 1},
	  {"cat /dev/zero | head -c 100000 >z && stat -c %s z && rm z", "100000\n", 0})

TOOL_TEST(tests, {"/bin/test a = a && /bin/[ 3 -lt 10 ] && /bin/[ ! -e none ]", "", 0},
	  {"/bin/test -d d -a -f abc", "", 0}, {"/bin/test '(' 1 -eq 2 -o x ')'", "", 0},
	  {"/bin/[ a = b ]", "", 1}, {"/bin/[ 1 -eq x ] 2>/dev/null", "", 2},
	  {"/bin/[ -n '' ]", "", 1}, {"/bin/test", "", 1},
	  {"/bin/test -s abc && /bin/test -x /bin/sh && /bin/test -L abc", "", 1},
	  {"expr 3 + 4 '*' 2; expr abcd : 'a\\(.*\\)d'; expr 1 '>' 2", "11\nbc\n0\n", 1},
	  {"/bin/true && /bin/false", "", 1})

TOOL_TEST(system, {"uname -s", "Parvix\n", 0}, {"id -un; whoami; id -u", "root\nroot\n0\n", 0},
	  {"env -i A=1 /bin/env", "A=1\n", 0},
	  {"env A=1 /bin/sh -c 'echo $A'; env nonesuch 2>/dev/null", "1\n", 127},
	  {"date -u -d @86400 '+%Y-%m-%d %H:%M:%S'", "1970-01-02 00:00:00\n", 0},
	  {"which sh sed nonesuch", "/bin/sh\n/bin/sed\n", 1},
	  {"/bin/kill -l 15; /bin/kill -9 99999 2>&1", "TERM\nkill: 99999: No such process\n", 1},
	  {"sleep 100 & /bin/kill -TERM $!; wait $!; echo $?", "143\n", 0},
	  {"timeout 1 sleep 10", "", 124}, {"timeout 10 sh -c 'exit 5'", "", 5},
	  {"mount | grep -c ' on / type ext2 '", "1\n", 0},
	  {"df / | tail -1 | awk '{ print $6, ($2 == 0) }'", "/ 0\n", 0},
	  {"ps -p 1 | tail -1 | awk '{ print $1, $4 }'", "1 init\n", 0},
	  {"free -k | awk 'NR == 2 { print ($2 > $4), $1 }'", "1 Mem:\n", 0},
	  {"mknod null c $(stat -c %F /dev/null | wc -w) 3 && rm null; pwd | grep -c '^/tmp/test'",
	   "1\n", 0},
	  {"stat -c '%F %s' abc /dev/null", "regular file 6\ncharacter device 0\n", 0},
	  {"hypercalls -a | grep -c total; dmesg | grep -c ^Parvix", "1\n1\n", 0})
