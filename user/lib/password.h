/* SPDX-License-Identifier: MIT */
/* Who somebody is: for login, su, passwd and newgrp, which are linked with libcrypt as well. */
#ifndef USER_LIB_PASSWORD_H
#define USER_LIB_PASSWORD_H

#include <pwd.h>
#include <stdbool.h>

/* For programs with the set-user-id bit: descriptors 0 to 2 are open, whatever the caller did. */
void need_descriptors(void);
/* Ask at the terminal for the password of @pw (NULL: of nobody, which is never right). One that has
 * none is right without being asked for. */
bool ask_password(const struct passwd *pw);
/* The hash of @pw's password, from /etc/shadow: "" for none. NULL: nobody can be him. */
const char *password_hash(const struct passwd *pw);
/* Take on groups and ids of @pw for good; false and a message if that cannot be. */
bool take_ids(const struct passwd *pw);
/* HOME, SHELL, USER, LOGNAME of @pw; with @clean nothing else but TERM and PATH. */
void set_user_environment(const struct passwd *pw, bool clean);
const char *login_shell(const struct passwd *pw);

#endif
