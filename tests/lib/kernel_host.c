/* SPDX-License-Identifier: MIT */
/*
 * What kernel code under a unit test stands on, on the host: memory from malloc, messages to
 * stdout, locks that check their pairing (one thread runs). Every function is weak, so that a test
 * may bring its own or the kernel's.
 */
#include <lock.h>
#include <mm.h>
#include <printk.h>
#include <types.h>

int vprintf(const char *fmt, va_list ap);
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int printf(const char *fmt, ...);
struct _IO_FILE;
int fflush(struct _IO_FILE *stream);
void *aligned_alloc(size_t alignment, size_t size);
void *memset(void *p, int c, size_t n);
void free(void *p);
void abort(void) __noreturn;

#define weak __attribute__((weak))

weak void vprintk(const char *fmt, va_list ap)
{
	printf("# ");
	vprintf(fmt, ap);
}

weak void printk(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintk(fmt, ap);
	va_end(ap);
}

weak int vsnprintk(char *buf, size_t size, const char *fmt, va_list ap)
{
	return vsnprintf(buf, size, fmt, ap);
}

weak int snprintk(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintk(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

weak const char *error_text(int err)
{
	static char text[32];

	snprintk(text, sizeof(text), "error %d", err < 0 ? -err : err);
	return text;
}

weak void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("# panic: ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(NULL);
	abort();
}

weak void *kmalloc(size_t size, unsigned flags)
{
	/* As the kernel's own: what is a power of two does not cross into another page. */
	size_t align = size % 512 || !size ? size >= 64 ? 64 : 16 : size & (size - 1) ? 512 : size;
	void *p = aligned_alloc(align, ROUND_UP(size ? size : 1, align));

	/* Not zero unless asked for: code that relies on fresh memory being zero shows itself. */
	if (p)
		memset(p, (flags & ALLOC_ZERO) ? 0 : 0xa5, size);
	return p;
}

weak void kfree(void *p)
{
	free(p);
}

weak void spin_init(spinlock_t *l, const char *name)
{
	*l = (spinlock_t){.name = name};
}

weak void spin_lock(spinlock_t *l)
{
	if (l->locked)
		panic("lock %s is taken twice", l->name ? l->name : "?");
	l->locked = 1;
}

weak bool spin_trylock(spinlock_t *l)
{
	if (l->locked)
		return false;
	l->locked = 1;
	return true;
}

weak void spin_unlock(spinlock_t *l)
{
	if (!l->locked)
		panic("lock %s is given back without being taken", l->name ? l->name : "?");
	l->locked = 0;
}

weak bool spin_held(const spinlock_t *l)
{
	return l->locked;
}

weak void mutex_init(mutex_t *m, const char *name)
{
	*m = (mutex_t){.lock = {.name = name}};
}

weak void mutex_lock(mutex_t *m)
{
	spin_lock(&m->lock);
}

weak bool mutex_trylock(mutex_t *m)
{
	return spin_trylock(&m->lock);
}

weak void mutex_unlock(mutex_t *m)
{
	spin_unlock(&m->lock);
}

weak bool mutex_held(const mutex_t *m)
{
	return spin_held(&m->lock);
}
