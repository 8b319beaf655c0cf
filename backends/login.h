/* login.h: a user and the secret, as a host is told them. */
#ifndef BACKENDS_LOGIN_H
#define BACKENDS_LOGIN_H

#include "common/cleanup.h"

#include <stdbool.h>

enum { LOGIN_SOURCE_MAX = 256 };

/* No string is NULL but where it says so. */
struct login {
    char *user;   /* access key, or user name; "" with an Artifactory token */
    char *secret; /* secret key, or password */
    char *token;  /* S3: session token; Artifactory: API key or access token that
                   * came without a user; NULL: none */
    char *region; /* S3: where the environment or the files say so; else NULL */
    char source[LOGIN_SOURCE_MAX]; /* "'/home/me/.aws/credentials'", for people */
    bool is_anonymous;             /* nothing was found: user and secret are "" */
    bool is_plain;                 /* S3: http instead of https (audbackend's `secure`) */
};

void login_done(struct login *login); /* wipes secrets; accepts a zeroed one */
#define CLEANUP_LOGIN CLEANUP_WITH(login_done)

/* Does a text of a server repeat the secret or the token, or the beginning of one? */
bool login_is_told(const struct login *login, const char *text);

/* The same of one of them in another form; NULL and "" are told by none. */
bool login_is_told_of(const char *secret, const char *text);

/* Wipe and free one of its strings, or one that is to become one; accepts NULL. */
void login_wipe(char **secret);
#define CLEANUP_SECRET CLEANUP_WITH(login_wipe)

#endif
