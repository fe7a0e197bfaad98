/* SPDX-License-Identifier: MIT */
/* Inside the bus: bus.c finds devices, device.c is the life of one. */
#ifndef XENBUS_ROOM_H
#define XENBUS_ROOM_H

#include "xenbus.h"

#define EV_FRONT 0x1u   /* our directory: removed, or the backend's name written */
#define EV_STATE 0x2u   /* the backend's state, or its directory */
#define EV_CHANGED 0x4u /* something else in the backend's directory */
#define EV_BROKEN 0x8u
#define EV_RECHECK 0x10u
#define EV_ALL 0x1fu

/* The list of devices, events and phases (order 5). */
extern spinlock_t bus_lock;

void bus_post(struct xenbus_device *dev, unsigned events);
void bus_phase(struct xenbus_device *dev, enum bus_phase phase);
/* The thread of a device, from when it is found until it is gone. */
void device_main(void *dev);
/* Off the list and freed; what has come under the same name meanwhile is found. */
void bus_forget(struct xenbus_device *dev);
const char *bus_state_name(unsigned state);

#endif
