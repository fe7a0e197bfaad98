/* SPDX-License-Identifier: MIT */
/*
 * Life and death of a domain, as asked for from outside.
 *
 * Natively somebody presses the power button: an ACPI interrupt, and the kernel tells init. A
 * domain has no button. The toolstack writes a word into the domain's own part of xenstore, which
 * the domain watches:
 *
 *	xl shutdown, reboot	control/shutdown = "poweroff", "reboot"
 *	xl save, migrate	control/shutdown = "suspend"
 *	xl sysrq D k		control/sysrq = "k"
 *
 * The domain takes the word and writes "" in one transaction: that is the acknowledgement for which
 * the toolstack waits, and two words cannot become one. It then stops as it would for its own user
 * (system_stop), and the end is SCHEDOP_shutdown with a reason, on which the toolstack acts.
 *
 * The watch's function only wakes this file's thread: the watch thread serves all devices, one of
 * which may be what the stopping system has to wait for.
 */
#include "lifecycle.h"
#include "xenbus/xs.h"

#include <printk.h>
#include <proc.h>
#include <stop.h>
#include <string.h>

#define TRIES 20

static void wake(struct xs_watch *w, const char *changed);

static struct xs_watch watches[] = {
	{.path = "control/shutdown", .fn = wake},
	{.path = "control/sysrq", .fn = wake},
};
static spinlock_t lock = SPINLOCK("lifecycle");
static struct waitq wait = WAITQ(wait);
static unsigned woken; /* a bit for each watch */

static void wake(struct xs_watch *w, const char *changed)
{
	(void)changed;
	spin_lock(&lock);
	woken |= 1u << (w - watches);
	spin_unlock(&lock);
	waitq_wake_all(&wait);
}

static int take_once(const char *node, char *word, size_t size)
{
	xs_tx_t tx;
	ssize_t n;
	int err = xs_tx_start(&tx), end;

	if (err)
		return err;
	n = xs_gets(tx, "control", node, word, size);
	if (n == -E2BIG) /* no word that we know */
		n = strlcpy(word, "?", size);
	if (n > 0)
		err = xs_printf(tx, "control", node, "%s", "");
	end = xs_tx_end(tx, err || n <= 0);
	if (n <= 0)
		return n;
	return err ? err : end ? end : (int)n;
}

/* Take what is asked for and acknowledge it. The word's length; 0: nothing; or an error. */
static int take(const char *node, char *word, size_t size)
{
	int n = xs_gets(XS_NO_TX, "control", node, word, size);

	/* Mostly it is our own "" that has been seen: no transaction for that. */
	if (n > 0 || n == -E2BIG)
		n = -EAGAIN;
	for (int i = 0; i < TRIES && n == -EAGAIN; i++)
		n = take_once(node, word, size);
	if (n < 0 && n != -ENOENT)
		printk("control/%s: cannot be taken: %s\n", node, error_text(n));
	return n;
}

enum lifecycle_request lifecycle_parse(const char *word)
{
	static const char *const words[] = {"poweroff", "reboot", "halt", "crash", "suspend"};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return LIFE_UNKNOWN;
}

static void shutdown_request(void)
{
	static const enum power_action actions[] = {[LIFE_POWEROFF] = POWER_OFF,
						    [LIFE_REBOOT] = POWER_REBOOT,
						    [LIFE_HALT] = POWER_HALT};
	enum lifecycle_request what;
	char word[24];

	if (take("shutdown", word, sizeof(word)) <= 0)
		return;
	what = lifecycle_parse(word);
	switch (what) {
	case LIFE_CRASH:
		panic("crash on request of the toolstack (control/shutdown)");
	case LIFE_SUSPEND:
		printk("control/shutdown: suspend: refused, this kernel cannot be suspended\n");
		break;
	case LIFE_UNKNOWN:
		printk("control/shutdown: not a word that we know\n");
		break;
	default:
		system_stop(actions[what], "the toolstack (control/shutdown)");
	}
}

static void sysrq_request(void)
{
	char word[24];

	if (take("sysrq", word, sizeof(word)) > 0)
		sysrq_key(word[0]);
}

static void lifecycle_thread(void *unused)
{
	unsigned which;

	(void)unused;
	for (;;) {
		spin_lock(&lock);
		while (!woken)
			sleep_on(&wait, &lock, 0, KTIME_NEVER);
		which = woken;
		woken = 0;
		spin_unlock(&lock);
		if (which & 1)
			shutdown_request();
		if (which & 2)
			sysrq_request();
	}
}

void lifecycle_start(void)
{
	/* A toolstack need not have made these; then it does not ask either. */
	xs_printf(XS_NO_TX, "control", "feature-poweroff", "1");
	xs_printf(XS_NO_TX, "control", "feature-reboot", "1");
	xs_printf(XS_NO_TX, "control", "feature-suspend", "0");
	if (!kthread_create("lifecycle", lifecycle_thread, NULL)) {
		printk("lifecycle: no memory: shutdown requests are not heard\n");
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(watches); i++) {
		int err = xs_watch(&watches[i]);

		if (err)
			printk("%s: cannot be watched: %s\n", watches[i].path, error_text(err));
	}
}
