/* login.c: secrets do not stay in memory. */
#include "backends/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOLD_SIZE = 8 }; /* so much of a secret is more than chance */

void login_wipe(char **secret)
{
    if (*secret)
        explicit_bzero(*secret, strlen(*secret));
    free(*secret);
    *secret = NULL;
}

void login_done(struct login *login)
{
    login_wipe(&login->user);
    login_wipe(&login->secret);
    login_wipe(&login->token);
    free(login->region);
    *login = (struct login){0};
}

bool login_is_told_of(const char *secret, const char *text)
{
    char begin[TOLD_SIZE + 1];
    bool is_told;

    if (!secret || !*secret)
        return false;
    snprintf(begin, sizeof begin, "%s", secret);
    is_told = strstr(text, begin);
    explicit_bzero(begin, sizeof begin);
    return is_told;
}

bool login_is_told(const struct login *login, const char *text)
{
    return login_is_told_of(login->secret, text) || login_is_told_of(login->token, text);
}
