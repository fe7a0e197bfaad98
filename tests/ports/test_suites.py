# SPDX-License-Identifier: MIT
"""The ports' own test suites, in the guest (docs/ports.md has the results)."""
import os
import unittest

from portstest import PortsTest, run, source

NO_ED = 'there is no ed'
AS_ROOT = 'root may write everywhere'
SHIFT = 'shift without arguments ends our shells, as POSIX allows'
ALTERNATE = 'configure finds out by running programs that an alternate stack works'
JAPANESE = 'the library takes EUC-JP for known, but has no classes of its characters'
UPSTREAM = 'known to its authors (XFAIL_TESTS)'

# The suites ask a program of theirs which locales there are.
LOCALES = '; : >config.h; : >getprogname.h; tcc -I. -o /bin/get-mb-cur-max get-mb-cur-max.c\n'


def names(folder, leave_out=(), ending=''):
    """The test scripts of a folder: files without an extension, or with this one."""
    return ' '.join(sorted(name for name in os.listdir(folder)
                           if os.path.isfile(os.path.join(folder, name)) and os.path.splitext(name)[1] == ending
                           and not name.startswith(('Makefile', 'envvar', 'no-perl')) and name not in leave_out))


class Gnu(PortsTest):
    """Scripts that stand on gnulib's init.sh, or on something like it."""

    def test_gzip(self):
        tests = source('gzip') + '/tests'
        script = ("export BUILT='gzip gunzip zcat' VERSION=1.12\nsh /run-suite /mnt/gzip/tests 20 "
                  + names(tests, ('list-big',)))  # gigabytes
        self.judge(run(script, {'gzip/tests': tests}), 24, {})

    def test_diffutils(self):
        tests = source('diffutils') + '/tests'
        script = "export BUILT='cmp diff diff3 sdiff' VERSION=3.8\nsh /run-suite /mnt/diff/tests 20 " + names(tests)
        self.judge(run(script, {'diff/tests': tests}), 17, {})

    def test_patch(self):
        tests = source('patch') + '/tests'
        script = ('mkdir /mnt/patch/src; ln -s /usr/bin/patch /mnt/patch/src\nsh /run-suite /mnt/patch/tests 60 ' + names(tests))
        self.judge(run(script, {'patch/tests': tests}), 38,
                   {'context-format': UPSTREAM, 'dash-o-append': UPSTREAM, 'ed-style': NO_ED, 'merge': SHIFT})

    def test_sed(self):
        folder = source('sed')
        tests = folder + '/testsuite'
        script = ('export BUILT=sed VERSION=4.9 TOP=.\ncd /mnt/sed/testsuite' + LOCALES + 'sh /run-suite /mnt/sed 60 '
                  + ' '.join('testsuite/' + name for name in names(tests, ('init.sh', 'bsd.sh', 'bsd-wrapper.sh'), '.sh').split()))
        self.judge(run(script, {'sed/testsuite': tests, 'sed/init.cfg': folder + '/init.cfg'}, 240), 40,
                   {'testsuite/panic-tests.sh': AS_ROOT})

    def test_grep(self):
        tests = source('grep') + '/tests'
        slow = ('big-hole', 'long-line-vs-2GiB-read', 'mb-non-UTF8-performance', 'mb-non-UTF8-perf-Fw', 'hash-collision-perf',
                'backref-multibyte-slow')
        script = ('export BUILT=grep VERSION=3.8\ncd /mnt/grep/tests' + LOCALES + 'sh /run-suite /mnt/grep/tests 30 '
                  + names(tests, slow))
        self.judge(run(script, {'grep/tests': tests}, 240), 70,
                   {'triple-backref': UPSTREAM, 'equiv-classes': UPSTREAM, 'stack-overflow': ALTERNATE,
                    'mb-non-UTF8-word-boundary': JAPANESE})


class Tcc(PortsTest):
    '''tcc's own test programs, and a program of some size that make and tcc build in the guest.'''

    def test_tests2(self):
        script = r'''cd /mnt/tests2
for f in *.c; do
	t=${f%.c} flags= args= how=-run
	case $t in
	104+_inline | 34_array_assignment | 73_arm64 | 98_al_ax_extend | 99_fastcall) continue ;; # as in its makefile
	31_args) args='arg1 arg2 arg3 arg4 arg5' ;;
	76_*) flags=-fdollars-in-identifiers ;;
	60_* | 96_*) flags=-dt ;;
	104_inline) flags=104+_inline.c ;;
	42_function_pointer | 106_pthread | 108_constructor) how=file ;;
	112_* | 113_* | 114_* | 115_* | 116_* | 117_*) flags=-b ;;
	esac
	if [ $how = file ]; then
		timeout 20 tcc $flags $f -o /tmp/a.exe >/tmp/out 2>&1 && timeout 20 /tmp/a.exe >>/tmp/out 2>&1
	elif [ $t = 46_grep ]; then
		timeout 20 tcc -run $f '[^* ]*[:a:d: ]+\:\*-/: $' $f >/tmp/out 2>&1
	else
		timeout 20 tcc $flags -run $f $args >/tmp/out 2>&1
	fi
	if diff -bu $t.expect /tmp/out >/tmp/log; then echo "ok $t"; else head -n 12 /tmp/log; echo "not ok $t"; fi
done
'''
        in_process = 'bounds checks and backtraces are left out'
        self.judge(run(script, {'tests2': source('tcc') + '/tests/tests2'}, 240), 95,
                   {'112_backtrace': in_process, '113_btdll': 'there are no shared libraries', '114_bound_signal': in_process,
                    '115_bound_setjmp': in_process, '116_bound_setjmp2': in_process, '117_gcc_test': in_process,
                    '61_integers': 'it defines UINT_MAX, which stdio.h may bring'})

    def test_lua_is_built_and_works(self):
        script = r'''cd /mnt/lua && cat >Makefile <<'E'
CC = tcc
CFLAGS = -DLUA_USE_POSIX
OBJS = $(patsubst %.c,%.o,$(filter-out luac.c,$(wildcard *.c)))
lua: $(OBJS)
	$(CC) -o $@ $(OBJS) -lm
E
echo '#define DEB_HOST_MULTIARCH "parvix"' >lua5.4-deb-multiarch.h
if make -j2 -s lua; then echo 'ok make'; else echo 'not ok make'; fi
cat >t.lua <<'E'
local t = {}
for i = 1, 2000 do t[i] = (i * 7919) % 10007 end
table.sort(t)
local co = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i ^ 0.5) end end)
print(t[1], t[2000], co(), co(), co(), math.pi, string.format('%5.3f|%-6s|%x', 1 / 3, 'ab', 255), ('x'):rep(5))
print((pcall(error, 1)), string.find('a key = value', '(%w+)%s*=%s*(%w+)'))
print(7 // 2, -7 // 2, 7 % -3, 1 << 62, 2 ^ 53, math.tointeger(3.0), #tostring(print) > 0)
print(io.popen('echo popen'):read('a'), os.time({ year = 2020, month = 1, day = 1, hour = 12 }))
E
lua t.lua >/tmp/one; ./lua t.lua >/tmp/two; cat /tmp/two
if [ -s /tmp/one ] && cmp /tmp/one /tmp/two; then echo 'ok same'; else echo 'not ok same'; fi
'''
        self.judge(run(script, {'lua': source('lua5.4') + '/src'}), 2, {})


class Sqlite(PortsTest):
    '''SQLite with a load of its own: it brings none that could be run without Tcl.'''

    def test_load(self):
        script = r'''cd /mnt && cat >load.sql <<'E'
create table t(a integer primary key, b text, c real);
create index i on t(b);
begin; with recursive n(x) as (select 1 union all select x + 1 from n where x < 5000)
insert into t select x, printf('%08d', x * 7919 % 10007), sqrt(x) from n; commit;
update t set c = c * 2 where a % 3 = 0; delete from t where a % 7 = 0;
select count(*), min(b), max(b), round(sum(c), 3) from t;
select count(*) from t x join t y on x.b = y.b; vacuum; pragma integrity_check;
E
sqlite3 a.db <load.sql | tee /tmp/out
printf '%s\n' '4286|00000005|00010006|269354.738' 4286 ok >/tmp/want # as SQLite says elsewhere
if cmp /tmp/want /tmp/out; then echo 'ok load'; else echo 'not ok load'; fi
'''
        self.judge(run(script, {'sqlite/README': source('sqlite3') + '/README.md'}), 1, {})

    def test_writers_wait_for_each_other(self):
        script = r'''cd /mnt; sqlite3 b.db 'create table t(w, n)'
for w in 1 2 3 4; do
	(i=0; while [ $i -lt 25 ]; do i=$((i + 1))
	sqlite3 -cmd '.timeout 20000' b.db "begin immediate; insert into t select $w, count(*) from t; commit" || echo "writer $w: $?"
	done) &
done
wait
sqlite3 b.db 'select count(*), count(distinct n), max(n) from t; pragma integrity_check' | tee /tmp/out
if [ "$(tr '\n' ' ' </tmp/out)" = '100|100|99 ok ' ]; then echo 'ok writers'; else echo 'not ok writers'; fi
'''
        self.judge(run(script, {'sqlite/README': source('sqlite3') + '/README.md'}), 1, {})


if __name__ == '__main__':
    unittest.main()
