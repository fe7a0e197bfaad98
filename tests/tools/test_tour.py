# SPDX-License-Identifier: MIT
"""`tools/tour` reads the sources: on a copy of them with a mistake in it, its check complains."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = ('include', 'arch', 'drivers', 'tools/tour')


class Tour(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        os.mkdir(self.path('tools'))
        for part in PARTS:
            source = os.path.join(TREE, part)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, self.path(part))

    def path(self, name):
        return os.path.join(self.folder, name)

    def tour(self, *arguments):
        done = subprocess.run([self.path('tools/tour'), *arguments], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def change(self, name, old, new):
        with open(self.path(name), encoding='utf-8') as file:
            text = file.read()
        self.assertEqual(text.count(old), 1, f'{old!r} in {name}')
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text.replace(old, new))

    def complains(self, word):
        status, said = self.tour('--check')
        self.assertEqual(status, 1, said)
        self.assertIn(word, said)

    def test_the_tree_as_it_is(self):
        self.assertEqual(self.tour('--check'), (0, ''))

    def test_every_operation_has_both_places(self):
        """As struct machine lists them; each place is where the function really begins."""
        status, table = self.tour()
        self.assertEqual(status, 0)
        with open(self.path('include/machine.h'), encoding='utf-8') as file:
            body = re.search(r'struct machine \{\n(.*?)\n\};', file.read(), re.S).group(1)
        operations = re.findall(r'^\t\S[^(\n]*\(\*(\w+)\)\(', body, re.M)
        self.assertGreater(len(operations), 20)
        for name in operations:
            with self.subTest(name):
                row = re.search(rf'^{name} +([\w/.]+):(\d+) +([\w/.]+):(\d+) +(?:native|pv)', table, re.M)
                self.assertTrue(row, table)

    def test_both_texts_of_one(self):
        status, said = self.tour('pte_write')
        self.assertEqual(status, 0)
        self.assertIn('void native_pte_write(', said)
        self.assertIn('void pv_pte_write(', said)
        self.assertNotEqual(self.tour('no_such_operation')[0], 0)

    def test_an_operation_without_a_twin(self):
        self.change('arch/pv-x86_64/machine.c', '\t.idle = pv_idle,\n', '')
        self.complains('idle')

    def test_another_order(self):
        self.change('arch/native-x86_64/irq.c', 'void native_irq_disable(void)', 'void native_irq_enable(void)//')
        with open(self.path('arch/native-x86_64/irq.c'), 'a', encoding='utf-8') as file:
            file.write('\nvoid native_irq_disable(void)\n{\n}\n')
        self.complains('irq')

    def test_without_its_sentence(self):
        self.change('arch/pv-x86_64/irq.c', 'Instead of `cli`', 'For `cli`')
        self.complains('irq_disable')

    def test_in_a_file_of_another_name(self):
        os.rename(self.path('arch/native-x86_64/power.c'), self.path('arch/native-x86_64/off.c'))
        self.complains('power')


if __name__ == '__main__':
    unittest.main()
