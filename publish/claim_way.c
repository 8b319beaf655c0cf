/* claim_way.c: what both ways to hold a claim share. */
#include "publish/claim_way.h"

#include <errno.h>
#include <string.h>

enum { POLL_MS = 250 };

bool claim_way_is_over(const struct claim_document *document, int64_t now_s)
{
    return process_is_dead(document->process) ||
           now_s - document->stat.mtime_s > document->lifetime_s;
}

enum claim_verdict claim_way_judge(struct claim_watch *watch,
                                   const struct claim_document *document, int64_t now_s)
{
    int64_t now_ms = clock_now_ms();

    if (watch->since_ms == 0 || strcmp(watch->document.nonce, document->nonce) != 0)
        *watch = (struct claim_watch){
            .document = *document, .since_ms = now_ms, .is_told = watch->is_told};
    if (claim_way_is_over(document, now_s))
        return CLAIM_TAKE;
    if (process_is_alive(document->process) ||
        strcmp(watch->document.stat.tag, document->stat.tag) != 0) /* it was renewed */
        return CLAIM_BUSY;
    return now_ms - watch->since_ms > document->lifetime_s * 1000
               ? CLAIM_TAKE /* whatever the clocks say */
               : CLAIM_WAIT;
}

int claim_way_wait(const struct claim_options *options, struct claim_watch *watch,
                   struct error *err)
{
    const struct claim_document *document = &watch->document;
    int rc = options->is_wanted ? options->is_wanted(options->arg, err) : 0;

    if (rc < 0)
        return rc;
    if (options->waits && !watch->is_told)
        options->waits(options->arg, *document->owner ? document->owner : "somebody",
                       document->lifetime_s);
    watch->is_told = true;
    clock_sleep_ms(options->poll_ms ? options->poll_ms : POLL_MS);
    return 0;
}

bool claim_way_is_mine(const struct claim *claim, const struct claim_document *document)
{
    return strcmp(document->nonce, claim->document.nonce) == 0;
}

int claim_way_fail_lost(const struct claim *claim, const char *owner, struct error *err)
{
    return fail(err, EEXIST, "another publisher took model %s over meanwhile%s%s",
                claim->uid, *owner ? ": " : "", owner);
}

int claim_way_fail_busy(const struct claim *claim, const char *owner, struct error *err)
{
    return fail(err, EEXIST, "model %s is being published by %s", claim->uid,
                *owner ? owner : "somebody");
}
