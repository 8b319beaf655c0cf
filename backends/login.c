/* login.c: secrets do not stay in memory. */
#include "backends/login.h"

#include <stdlib.h>
#include <string.h>

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
