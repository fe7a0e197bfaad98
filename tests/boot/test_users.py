# SPDX-License-Identifier: MIT
"""Users at the console: login, su, passwd, newgrp."""
import unittest

from rigtest import PROMPT, booted


class Users(unittest.TestCase):
    def boot(self, append=''):
        context = booted(append=append)
        self.guest = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def say(self, text, pattern):
        self.guest.send(text + '\r')
        return self.guest.expect(pattern, 20)

    def login(self, name, password, pattern):
        self.guest.expect('login: ', 30)
        self.say(name, 'Password: ' if password is not None else pattern)
        if password is not None:
            self.say(password, pattern)

    def change(self, command, password, old=None):
        self.say(command, 'New password: ' if old is None else 'Password: ')
        if old is not None:
            self.say(old, 'New password: ')
        self.say(password, 'Again: ')
        self.say(password, 'password changed')
        self.guest.expect(r'[$#] ')

    def test_passwords(self):
        self.boot('-- login')
        self.login('root', None, PROMPT)
        self.change('passwd user', 'first secret')
        self.say('grep -c "^user:.6.........*:" /etc/shadow', '\n1\r\n')
        self.guest.expect(PROMPT)
        self.say('exit', '\r\n')
        # A wrong one, a name that does not exist, and then the right one.
        self.login('user', 'wrong', 'Login incorrect')
        self.login('nosuchuser', 'wrong', 'Login incorrect')
        self.login('user', 'first secret', r'\$ ')
        self.say('id -un; pwd', 'user\r\n/home/user\r\n')
        self.guest.expect(r'\$ ')
        self.change('passwd', 'second', old='first secret')
        self.say('passwd root', 'only root')
        self.guest.expect(r'\$ ')
        self.say('newgrp users', r'\$ ')
        self.say('id -gn', '\nusers\r\n')
        self.guest.expect(r'\$ ')
        self.say('newgrp tty', 'not a member')
        self.guest.expect(r'\$ ')
        self.say('exit', r'\$ ')
        self.say('exit', '\r\n')
        self.login('user', 'first secret', 'Login incorrect')
        self.login('user', 'second', r'\$ ')

    def test_su(self):
        self.boot()
        self.guest.expect(PROMPT)
        self.change('passwd root', 'rootword')
        self.say('su user', r'\$ ')
        self.say('su -c "id -u"', 'Password: ')
        self.say('wrong', 'sorry')
        self.guest.expect(r'\$ ')
        self.say('su -c "id -u"', 'Password: ')
        self.say('rootword', '\n0\r\n')
        self.guest.expect(r'\$ ')
        self.say('su nobody-like-this', 'no user')
        self.guest.expect(r'\$ ')
        self.say('poweroff', 'poweroff: ')  # is not for everybody
        self.guest.expect(r'\$ ')
        self.say('exit', PROMPT)


if __name__ == '__main__':
    unittest.main()
