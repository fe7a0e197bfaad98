# SPDX-License-Identifier: MIT
"""The boot record in an ordinary domain: the devices' handshakes are in it."""
import unittest

from recordtest import RecordTest


class DomainPv(RecordTest, unittest.TestCase):
    options = ('--rig', 'domain')

    def test_xenstore_and_the_disk_are_counted(self):
        devices = {device['name']: device for device in self.record['devices']}
        self.assertGreater(devices['xenstore']['read'], 100)
        self.assertGreater(devices['xenstore']['written'], 100)
        self.assertGreater(devices['xvda']['read'], 4096)
        self.assertGreater(self.total('counters', 'store_in'), 100)
        for source in ('timer', 'xenstore', 'console'):
            self.assertGreater(self.total('events', source), 0, source)


class DomainPvh(DomainPv):
    options = ('--world', 'pvh', '--rig', 'domain')
    world = 'pvh'
