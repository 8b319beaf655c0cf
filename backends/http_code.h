/* http_code.h: what curl's result codes mean here: errno, may it pass, a sentence. */
#ifndef BACKENDS_HTTP_CODE_H
#define BACKENDS_HTTP_CODE_H

#include "common/error.h"

#include <curl/curl.h>
#include <stdbool.h>

/* The failure of a transfer with easy; detail is what curl wrote into its error buffer.
 * Returns -errno. *ret_may_pass: another try may succeed. */
int http_code_fail(CURL *easy, CURLcode code, const char *detail, bool *ret_may_pass,
                   struct error *err);

#endif
