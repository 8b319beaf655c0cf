/* http_code.c: what curl's result codes mean here: errno, may it pass, a sentence. */
#include "backends/http_code.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

enum { DETAIL_MAX = 200 };

static const struct meaning {
    CURLcode code;
    int error;
    bool may_pass;
    const char *sentence;
} meanings[] = {
    {CURLE_COULDNT_RESOLVE_HOST,     EHOSTUNREACH, true,  "the host is not known"                           },
    {CURLE_COULDNT_RESOLVE_PROXY,    EHOSTUNREACH, true,
     "the proxy that the environment names is not known"                                                    },
    {CURLE_PROXY,                    EHOSTUNREACH, true,  "the proxy refuses"                               },
    {CURLE_COULDNT_CONNECT,          ECONNREFUSED, true,  "no connection"                                   },
    {CURLE_OPERATION_TIMEDOUT,       ETIMEDOUT,    true,  "no connection in time"                           },
    {CURLE_PEER_FAILED_VERIFICATION, EHOSTUNREACH, false,
     "the server's certificate is refused; an own authority goes into 'ca_file'"                            },
    {CURLE_SSL_CACERT_BADFILE,       EHOSTUNREACH, false,
     "there are no certificates to trust: install ca-certificates, or correct 'ca_file'"                    },
    {CURLE_SSL_CONNECT_ERROR,        EHOSTUNREACH, true,
     "the server does not complete the TLS handshake; where it speaks plain http, write "
     "'http://' before the host"                                                                            },
    {CURLE_SSL_CERTPROBLEM,          EHOSTUNREACH, false, "TLS certificates"                                },
    {CURLE_SSL_CIPHER,               EHOSTUNREACH, false, "TLS ciphers"                                     },
    {CURLE_SSL_ISSUER_ERROR,         EHOSTUNREACH, false, "TLS certificates"                                },
    {CURLE_URL_MALFORMAT,            EINVAL,       false, "no URL"                                          },
    {CURLE_UNSUPPORTED_PROTOCOL,     EIO,          true,  "the reply is not HTTP"                           },
    {CURLE_WEIRD_SERVER_REPLY,       EIO,          true,  "the reply is not HTTP"                           },
    {CURLE_GOT_NOTHING,              EIO,          true,  "the server closed the connection without a reply"},
    {CURLE_PARTIAL_FILE,             EIO,          true,  "the reply broke off"                             },
    {CURLE_RECV_ERROR,               EIO,          true,  "the connection broke"                            },
    {CURLE_SEND_ERROR,               EIO,          true,  "the connection broke"                            },
    {CURLE_HTTP2,                    EIO,          true,  "HTTP/2 went wrong"                               },
    {CURLE_HTTP2_STREAM,             EIO,          true,  "HTTP/2 went wrong"                               },
    {CURLE_BAD_CONTENT_ENCODING,     EIO,          true,  "the body is garbled"                             },
    {CURLE_OUT_OF_MEMORY,            ENOMEM,       false, "no memory"                                       },
};

static const struct meaning refused_by_proxy = {CURLE_OK, EHOSTUNREACH, true,
                                                "the proxy makes no connection"};
static const struct meaning other = {CURLE_OK, EIO, true, "the request failed"};

/* Which of the ways not to get a connection it was. */
static int connect_error(CURL *easy)
{
    long number = 0;

    curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &number);
    switch (number) {
    case ETIMEDOUT:
        return ETIMEDOUT;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EACCES:
    case EPERM:
        return EHOSTUNREACH;
    default:
        return ECONNREFUSED;
    }
}

/* Some of it is the server's words. */
static void clean(const char *detail, char to[DETAIL_MAX])
{
    size_t size = 0;

    for (; detail[size] && size < DETAIL_MAX - 1; size++)
        to[size] = isprint((unsigned char)detail[size]) ? detail[size] : '?';
    to[size] = '\0';
}

int http_code_fail(CURL *easy, CURLcode code, const char *detail, bool *ret_may_pass,
                   struct error *err)
{
    const struct meaning *meaning = &other;
    char cleaned[DETAIL_MAX];
    long connect_status = 0;
    int error;

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].code == code)
            meaning = &meanings[i];
    curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
    if (connect_status >= 300)
        meaning = &refused_by_proxy;
    clean(detail[0] ? detail : curl_easy_strerror(code), cleaned);
    error = code == CURLE_COULDNT_CONNECT ? connect_error(easy) : meaning->error;
    *ret_may_pass = meaning->may_pass;
    return fail(err, error, "%s (%s)", meaning->sentence, cleaned);
}
