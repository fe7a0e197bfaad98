/* SPDX-License-Identifier: MIT */
#ifndef VERSION_H
#define VERSION_H

#define PARVIX_RELEASE "0.1"

#endif
