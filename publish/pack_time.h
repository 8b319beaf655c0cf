/* pack_time.h: times as archives say them: UTC, from 1980 to 2107, in steps of 2 s. Pure.
 */
#ifndef PUBLISH_PACK_TIME_H
#define PUBLISH_PACK_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct pack_time {
    uint16_t date, time;
};

/* Rounded down. False for a time before or after, which becomes the first or last one. */
bool pack_time_from_unix(int64_t unix_s, struct pack_time *ret_time);

#endif
