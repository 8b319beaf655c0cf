/* fuzz_job_record.c: a record that is taken names what can be published, and says the
 * same after it was printed. */
#include "publish/job_record.h"

#include "resolver/uid.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job_record record, again;
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    bytes_init(&text, 4 * JOB_RECORD_BYTES_MAX);
    if (job_record_parse((const char *)data, size, &record, &err) < 0)
        return 0;
    assert(!record.release.id[0] || (uid_is_short(record.release.id) &&
                                     uid_version_is_valid(record.release.version)));
    assert(job_record_print(&record, &text, &err) == 0);
    assert(job_record_parse(text.data, text.size, &again, &err) == 0);
    assert(record.state == again.state && record.is_attempted == again.is_attempted);
    assert(release_is_same(&record.release, &again.release));
    assert(record.warning_count == again.warning_count);
    assert(record.state != JOB_FAILED || strcmp(record.failure, again.failure) == 0);
    job_record_done(&record);
    job_record_done(&again);
    return 0;
}
