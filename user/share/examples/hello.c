/* Compile on your own machine, in the source tree: build/toolchain/bin/x86_64-parvix-gcc hello.c -o
 * hello */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	printf("Hello from process %d.\n", (int)getpid());
	return 0;
}
