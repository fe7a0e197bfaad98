#!/bin/sh
# SPDX-License-Identifier: MIT
# Ordinary commands, in the guest. What they print must be the same in every world (tests/lib/same.py).
exec 2>&1
cd /tmp || exit 1
echo '== names'; uname; uname -a; hostname; whoami; id; tty; pwd; echo "$HOME $PATH $SHELL"
echo '== files'
mkdir -p a/b/c; echo one >a/b/1; echo two >a/2; ln a/2 a/b/two; ln -s b/1 a/link
ls -lR a | sed 's/ [A-Z][a-z][a-z] .*[0-9] / DATE /'
cat a/link a/b/two; cp -r a copy; mv copy/b copy/d; rm -r a; find copy | sort; du copy | sort
touch -t 202601020304 copy/2; chmod 600 copy/2; ls -l copy/2; stat copy/2 | sed -n '1,3p;/Modify/p'; wc copy/2
cat nothing; ls /nowhere/x; rmdir copy; ls -l /nothing; mkdir /proc/x; echo x >/proc/uptime
echo '== the system'; ls / /bin /usr/bin /usr/share /etc /proc/self; ls -1 /dev; mount; cat /etc/passwd /etc/profile
cut -d' ' -f1 /proc/filesystems; ls -l /dev/null /dev/zero /dev/console | sed 's/ [A-Z][a-z][a-z] .*:[0-9]* / DATE /'; stty -a | head -3
echo '== text'
seq 1 100 | tail -3; seq 1 100 | head -2; printf '%s-%05.2f-%x\n' text 3.14159 255; echo 'b a c' | tr ' ' '\n' | sort
sed -n '1,2p' /etc/passwd; grep -c : /etc/passwd; echo abc | hexdump; echo 'one two' | cut -d' ' -f2; echo $((1 << 40)) $((7 % 3))
echo '== programs'
lua -e 'local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1009 end table.sort(t) print(#t, t[1], t[1000], math.sin(1), string.rep("x", 5))'
sh -c 'kill -SEGV $$'; echo "status $?"; sh -c 'exit 3'; echo "status $?"; nothing-of-this-name; echo "status $?"
sleep 0.1 & wait; echo "status $?"; sleep 5 & p=$!; sleep 1; kill $p; wait $p; echo "status $?"; timeout 1 sleep 5; echo "status $?"
f() { [ "$1" -le 1 ] && echo 1 || echo $(($1 * $(f $(($1 - 1))))); }; f 10
i=0; while [ $i -lt 200 ]; do i=$((i + 1)); : | cat; done; echo $i
trap 'echo caught' USR1; kill -USR1 $$
head -c 100000 /dev/zero | wc -c; dd if=/bin/sh of=big bs=64k 2>/dev/null; cmp big /bin/sh && echo same; sync; rm -r big copy
ps | awk '{ print $1, $2, $NF }' | head -2
echo '== compiled here'
cat >hello.c <<'C'
#include <math.h>
#include <stdio.h>
int main(int argc, char **argv) { printf("%s %d %.6f\n", argv[argc - 1], argc, sqrt(2)); return 7; }
C
printf 'hello: hello.c\n\tcc -o $@ hello.c\n' >Makefile; make; ./hello one two; echo $?; tcc -run hello.c three; tar cf - hello.c | gzip | gunzip | tar tf -
cp hello.c other.c; echo >>other.c; diff hello.c other.c; diff -u hello.c other.c | sed 1,2d | patch -s hello.c && cmp hello.c other.c; echo '2^64; scale=5; sqrt(2)' | bc
echo 'create table t(a); insert into t values(1),(2); select sum(a) from t' | sqlite3; man ls | head -4; whatis mkfifo
rm Makefile hello* other*
echo '== end'
