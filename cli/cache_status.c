/* cache_status.c: modelfs cache status. */
#include "cli/cache_parts.h"

#include "cli/json.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/wire.h"
#include "common/text.h"

/* What the rows of the cache go into. */
struct status {
    struct json *json; /* NULL: text */
    struct output_table *table;
    uint64_t cached_bytes;
};

static void format_time(int64_t time_s, char *buffer, size_t size)
{
    time_t seconds = (time_t)time_s;
    struct tm local;

    if (time_s == 0 || !localtime_r(&seconds, &local) ||
        strftime(buffer, size, "%Y-%m-%d %H:%M", &local) == 0)
        snprintf(buffer, size, "-");
}

static void print_object(struct json *json, const struct cache_row *row, const char *uid)
{
    json_begin(json, NULL, JSON_MAP);
    json_text(json, "uid", uid);
    json_text(json, "state", row->state);
    json_number(json, "cached_bytes", row->cached_bytes);
    if (row->total_bytes)
        json_number(json, "total_bytes", row->total_bytes);
    else
        json_null(json, "total_bytes");
    if (row->used_s > 0)
        json_number(json, "last_use", (uint64_t)row->used_s);
    else
        json_null(json, "last_use");
    json_end(json);
}

static void print_row(struct output_table *table, const struct cache_row *row,
                      const char *uid)
{
    char cached[32];
    char total[32] = "-";
    char used[32];

    text_from_size(row->cached_bytes, cached, sizeof cached);
    if (row->total_bytes)
        text_from_size(row->total_bytes, total, sizeof total);
    format_time(row->used_s, used, sizeof used);
    output_table_add(table, (const char *const[]){uid, row->state, cached, total, used});
}

static int each_row(void *arg, const struct cache_row *row, struct error *err)
{
    struct status *status = arg;
    char uid[QUERY_UID_SIZE];

    (void)err; /* output_finish has the failures */
    query_print_uid(row->id, row->version, uid);
    status->cached_bytes += row->cached_bytes;
    if (status->json)
        print_object(status->json, row, uid);
    else
        print_row(status->table, row, uid);
    return 0;
}

static int list_rows(struct status *status, struct cache *cache, struct error *err)
{
    static const char *const titles[] = {"MODEL", "STATE",    "CACHED",
                                         "OF",    "LAST USE", NULL};
    int rc;

    if (status->json)
        json_begin(status->json, "models", JSON_LIST);
    else
        status->table = output_table_new(titles);
    rc = cache_list(cache, each_row, status, err);
    if (status->json)
        json_end(status->json);
    else if (rc == 0)
        output_table_print(status->table);
    output_table_free(status->table);
    return rc;
}

static void print_limit(uint64_t limit, char *buffer, size_t size)
{
    if (limit)
        text_from_size(limit, buffer, size);
    else
        snprintf(buffer, size, "unlimited");
}

static int print_status(const struct config *config, struct cache *cache,
                        struct json *json, struct error *err)
{
    struct status status = {.json = json};
    char cached[32];
    char limit[32];
    int rc;

    if (json) {
        json_begin(json, NULL, JSON_MAP);
        json_text(json, "root", config->cache_root);
        if (config->cache_size)
            json_number(json, "size", config->cache_size);
        else
            json_null(json, "size");
    }
    rc = list_rows(&status, cache, err);
    if (rc < 0)
        return rc;
    if (json) {
        json_number(json, "cached_bytes", status.cached_bytes);
        json_end(json);
        return 0;
    }
    text_from_size(status.cached_bytes, cached, sizeof cached);
    print_limit(config->cache_size, limit, sizeof limit);
    printf("%s in '%s', limit: %s\n", cached, config->cache_root, limit);
    return 0;
}

int cache_status(const struct arguments *arguments, struct error *err)
{
    CLEANUP_CONFIG struct config *config = NULL;
    struct cache *cache = NULL;
    struct json json;
    int rc = config_load(arguments->config, &config, err);

    if (rc == 0)
        rc = wire_cache(config, &cache, err);
    if (rc < 0)
        return rc;
    json_init(&json, stdout);
    rc = print_status(config, cache, arguments->form == OUTPUT_JSON ? &json : NULL, err);
    cache_close(cache);
    return rc < 0 ? rc : output_finish(err);
}
