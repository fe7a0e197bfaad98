/* cc hello.c && ./a.out; on the machine where Parvix is built:
 * build/toolchain/bin/x86_64-parvix-gcc hello.c */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	printf("Hello from process %d.\n", (int)getpid());
	return 0;
}
