# SPDX-License-Identifier: MIT
"""The rig: boots Parvix on the real Xen in QEMU. docs/rig.md describes it."""
