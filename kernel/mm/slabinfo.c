/* SPDX-License-Identifier: MIT */
/* /proc/slabinfo: what kmalloc() has handed out, by size. */
#include <fs.h>
#include <mm.h>
#include <string.h>

#define TEXT_SIZE 1024

static ssize_t slabinfo_read(void *arg, uint64_t pos, char *buf, size_t size)
{
	char *text = kmalloc(TEXT_SIZE, 0);
	size_t len, n = 0;

	(void)arg;
	if (!text)
		return -ENOMEM;
	len = slab_describe(text, TEXT_SIZE);
	if (pos < len) {
		n = min(len - pos, size);
		memcpy(buf, text + pos, n);
	}
	kfree(text);
	return n;
}

static struct proc_file slabinfo = {
	.name = "slabinfo",
	.mode = 0444,
	.read = slabinfo_read,
};

void mm_proc_init(void)
{
	procfs_register(&slabinfo);
}
