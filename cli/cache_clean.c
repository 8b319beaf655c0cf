/* cache_clean.c: modelfs cache clean. */
#include "cli/cache_parts.h"

#include "cache/evict.h"
#include "cli/output.h"
#include "cli/wire.h"
#include "common/text.h"

int cache_clean(const struct arguments *arguments, struct error *err)
{
    CLEANUP_CONFIG struct config *config = NULL;
    bool is_all = arguments->values[CACHE_CLEAN_ALL] != NULL;
    struct cache *cache = NULL;
    struct evict_sum sum;
    char freed[32], kept[32];
    int rc = config_load(arguments->config, &config, err);

    if (rc == 0)
        rc = wire_cache(config, &cache, err);
    if (rc < 0)
        return rc;
    rc = evict_unused(cache, is_all ? EVICT_ALL : EVICT_PARTIAL, &sum, err);
    cache_close(cache);
    if (rc < 0)
        return rc;
    text_from_size(sum.freed_bytes, freed, sizeof freed);
    text_from_size(sum.kept_bytes, kept, sizeof kept);
    printf("removed %s in %u model%s", freed, sum.freed, sum.freed == 1 ? "" : "s");
    if (sum.documents > 0)
        printf(", %u headers and metadata", sum.documents);
    if (sum.kept > 0)
        printf("; %s in %u %s", kept, sum.kept,
               sum.kept == 1 ? "model is in use and stays"
                             : "models are in use and stay");
    printf("\n");
    return output_finish(err);
}
