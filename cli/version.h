/* version.h: the program's version, as `modelfs --version` and servers see it. */
#ifndef CLI_VERSION_H
#define CLI_VERSION_H

#define VERSION "0.1.0"

#endif
