/* pack_time.c: Unix times to those of zip archives. */
#include "publish/pack_time.h"

#include <time.h>

#define FIRST_S ((int64_t)315532800) /* 1980-01-01 00:00:00 */
#define LAST_S ((int64_t)4354819199) /* 2107-12-31 23:59:59 */

bool pack_time_from_unix(int64_t unix_s, struct pack_time *ret_time)
{
    time_t within = unix_s < FIRST_S ? FIRST_S : unix_s > LAST_S ? LAST_S : unix_s;
    struct tm day;

    gmtime_r(&within, &day);
    ret_time->date =
        (uint16_t)((day.tm_year - 80) << 9 | (day.tm_mon + 1) << 5 | day.tm_mday);
    ret_time->time = (uint16_t)(day.tm_hour << 11 | day.tm_min << 5 | day.tm_sec / 2);
    return within == unix_s;
}
