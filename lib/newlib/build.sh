#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds newlib itself: unpack Debian's source, apply patches/, lay override/ over its headers,
# configure for x86_64-parvix, make, install. About a minute; mk/toolchain.mk calls it only when one
# of those inputs changed. The port's own C files are compiled separately and added to libc.a.
#
#   build.sh TARBALL WORKDIR PREFIX TOOLS    TOOLS: what stands before gcc, ar, ... in their names
# The result is PREFIX/x86_64-parvix/{include,lib}.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tarball=$1
work=$2
prefix=$3
t=$4
jobs=${JOBS:-2}

rm -rf "$work/src" "$work/obj"
mkdir -p "$work/src" "$work/obj"
tar -xf "$tarball" -C "$work/src" --strip-components=1 --exclude='*/ChangeLog*' --exclude='*/doc/*.pdf'
for p in "$here"/patches/*.patch; do
	echo "patch: ${p##*/}"
	patch -s -p1 -d "$work/src" <"$p"
done
cp -R "$here/override/." "$work/src/newlib/libc/include/"
cp -R "$here/../../include/parvix" "$work/src/newlib/libc/include/parvix"

gccinc=$(${t}gcc -print-file-name=include)
cross="${t}gcc -nostdinc -isystem $gccinc -D__parvix__ -D__unix__ -U__linux__ -U__linux -Ulinux -U__gnu_linux__"
cross="$cross -fno-pic -fno-pie -fcf-protection=none -fno-stack-protector -mstack-protector-guard=global"

# lite-exit: exit flushes the streams and leaves closing the descriptors to the kernel.
cd "$work/obj"
../src/configure --target=x86_64-parvix --prefix="$prefix" --disable-multilib --disable-libgloss \
	--disable-newlib-supplied-syscalls --enable-newlib-mb --enable-lite-exit --enable-newlib-retargetable-locking \
	--enable-newlib-global-stdio-streams --disable-nls --disable-dependency-tracking \
	CC_FOR_TARGET="$cross" AS_FOR_TARGET="${t}as" LD_FOR_TARGET="${t}ld" AR_FOR_TARGET="${t}ar" \
	RANLIB_FOR_TARGET="${t}ranlib" NM_FOR_TARGET="${t}nm" OBJCOPY_FOR_TARGET="${t}objcopy" \
	READELF_FOR_TARGET="${t}readelf" STRIP_FOR_TARGET="${t}strip" \
	CFLAGS_FOR_TARGET="-O2 -g1 -fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections"
make -j"$jobs" MAKEINFO=true
rm -rf "$prefix/x86_64-parvix"
make install MAKEINFO=true
