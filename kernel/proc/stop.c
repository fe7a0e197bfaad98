/* SPDX-License-Identifier: MIT */
/*
 * The orderly stop.
 *
 *	somebody outside: system_stop() --signal--> init: ends processes, unmounts --reboot()--.
 *	a user: poweroff               --signal--> init                                        |
 *	                                                      machine stops <-- system_end() <-'
 *
 * init does the work, as it knows what it started. But the one who asks from outside cannot look
 * inside, so a thread watches: if there is no init to tell, or it hangs, or a disk does, the
 * machine still ends, after a time, with what could be saved.
 */
#include <bootarg.h>
#include <fs.h>
#include <printk.h>
#include <stop.h>
#include "room.h"

#define INIT_SECONDS 30
#define SYNC_TIMEOUT (60 * NSEC_PER_SEC)

static volatile enum power_action stop_how;
static volatile bool stopping;
static volatile ktime_t stop_deadline;
static volatile bool synced;

static const char *const words[] = {"power-off", "restart", "halt", "crash"};

static ktime_t timeout(void)
{
	char text[12];
	const char *s = boot_arg("stop-timeout", text, sizeof(text));
	ktime_t seconds = 0;

	if (!s || !*s)
		return INIT_SECONDS * NSEC_PER_SEC;
	for (; *s >= '0' && *s <= '9' && seconds < 100000; s++)
		seconds = seconds * 10 + *s - '0';
	return seconds * NSEC_PER_SEC;
}

static void sleep_until(ktime_t deadline)
{
	thread_prepare_sleep();
	thread_sleep(0, deadline);
}

void system_signal_all(int sig)
{
	struct proc *p;

	spin_lock(&proc_lock);
	list_for_each (p, &all_procs, all)
		if (p != init_proc)
			signal_send_locked(p, sig, NULL);
	spin_unlock(&proc_lock);
}

/* The first process hears a signal only if it has a handler for it. */
static bool tell_init(enum power_action how)
{
	static const int signals[] = {
		[POWER_OFF] = SIGUSR2, [POWER_REBOOT] = SIGTERM, [POWER_HALT] = SIGUSR1};
	bool told = false;

	spin_lock(&proc_lock);
	if (init_proc) {
		unsigned long handler = init_proc->sig.action[signals[how]].sa_handler;

		told = handler != SIG_DFL && handler != SIG_IGN;
		if (told)
			signal_send_locked(init_proc, signals[how], NULL);
	}
	spin_unlock(&proc_lock);
	return told;
}

static void sync_thread(void *unused)
{
	(void)unused;
	fs_shutdown();
	synced = true;
}

/* Wait for the system to end; then end it. */
static void watch_thread(void *unused)
{
	ktime_t until;

	(void)unused;
	while (clock_now() < stop_deadline)
		sleep_until(stop_deadline);
	printk("stop: init has not ended the system: %s without it\n", words[stop_how]);
	system_signal_all(SIGKILL);
	sleep_until(clock_now() + NSEC_PER_SEC);
	until = clock_now() + SYNC_TIMEOUT;
	if (kthread_create("sync", sync_thread, NULL))
		while (!synced && clock_now() < until)
			sleep_until(clock_now() + NSEC_PER_SEC / 20);
	if (!synced)
		printk("stop: the disks do not answer: what was not written is lost\n");
	machine->power(stop_how);
}

void system_stop(enum power_action how, const char *who)
{
	bool told;

	printk("stop: %s asks for %s\n", who, words[how]);
	stop_how = how;
	told = tell_init(how);
	if (!told)
		printk("stop: there is no init that could be told\n");
	if (__atomic_exchange_n(&stopping, true, __ATOMIC_SEQ_CST))
		return;
	stop_deadline = clock_now() + (told ? timeout() : 0);
	if (!kthread_create("stop", watch_thread, NULL))
		printk("stop: no memory to watch over it\n");
}

void system_end(enum power_action how, const char *who)
{
	static const char *const done[] = {"powered off", "restarted", "halted", "crashed"};

	/* Much may have to be written; the watch waits for that, and not for ever. */
	stop_deadline = clock_now() + SYNC_TIMEOUT;
	fs_shutdown();
	printk("the system is %s by %s\n", done[how], who);
	machine->power(how);
}
