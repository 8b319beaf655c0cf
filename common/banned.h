/* banned.h: functions nobody may call; the compiler refuses them.
 *
 * Included by the build in front of every file (-include). strtol and friends are
 * allowed in common/pyfloat.c alone, for which the Makefile defines
 * TEXT_MAY_PARSE_NUMBERS. */
#ifndef COMMON_BANNED_H
#define COMMON_BANNED_H

/* The headers that declare them come first, or poison would break the headers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gets
#pragma GCC poison atoi atol atoll atof gmtime localtime ctime asctime mktemp tmpnam
#ifndef TEXT_MAY_PARSE_NUMBERS
#pragma GCC poison strtol strtoll strtoul strtoull strtod strtof strtold
#endif

#endif
