/* s3_place.c: where a bucket is. */
#include "backends/s3_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Clouds that want the bucket in the host name. */
static const struct {
    const char *suffix;
    bool is_amazon;
} clouds[] = {
    {".amazonaws.com",    true },
    {".amazonaws.com.cn", true },
    {".aliyuncs.com",     false},
};

static bool ends_with(const char *text, const char *suffix)
{
    size_t size = strlen(text), suffix_size = strlen(suffix);

    return size > suffix_size && strcmp(text + size - suffix_size, suffix) == 0;
}

/* Letters, digits, dots, dashes, and what old buckets have: nothing that could be taken
 * for another part of a URL. */
static int check_bucket(const char *bucket, struct error *err)
{
    size_t size = strlen(bucket);

    if (size == 0 || size >= S3_PLACE_BUCKET_MAX || strcmp(bucket, ".") == 0 ||
        strcmp(bucket, "..") == 0)
        return fail(err, EINVAL, "'%.80s' is no name of a bucket", bucket);
    for (size_t i = 0; i < size; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_",
                    bucket[i]))
            return fail(err, EINVAL, "'%.80s' is no name of a bucket", bucket);
    return 0;
}

/* May it stand in a host name, with a certificate for one name level? */
static bool is_label(const char *bucket)
{
    return strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(bucket) &&
           strlen(bucket) <= 63;
}

bool s3_place_is_region(const char *text)
{
    return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_"
                                      "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

const char *s3_place_region_of(const char *location)
{
    if (!*location)
        return S3_PLACE_REGION_FIRST;
    return strcmp(location, "EU") == 0 ? "eu-west-1" : location;
}

/* "s3.eu-west-1.amazonaws.com", "s3-eu-west-1...", "s3.dualstack.eu-west-1...". */
static void find_region(struct s3_place *place)
{
    const char *at = place->host;
    size_t size;

    if (strncmp(at, "s3.", 3) != 0 && strncmp(at, "s3-", 3) != 0)
        return;
    at += 3;
    if (strncmp(at, "fips.", 5) == 0)
        at += 5;
    if (strncmp(at, "dualstack.", 10) == 0)
        at += 10;
    size = strcspn(at, ".");
    if (strncmp(at, "amazonaws.", 10) == 0 || strncmp(at, "accelerate.", 11) == 0)
        return; /* those serve every region */
    snprintf(place->region, sizeof place->region, "%.*s", (int)size, at);
}

int s3_place_parse(const char *host, const char *bucket, struct s3_place *ret_place,
                   struct error *err)
{
    struct s3_place place = {.scheme = URL_NONE};
    struct url url;
    int rc = url_parse(host, URL_HTTPS, &url, err);

    if (rc == 0)
        rc = check_bucket(bucket, err);
    if (rc < 0)
        return rc;
    if (url.target_size > 1 || (url.target_size == 1 && url.target[0] != '/'))
        return fail(err, EINVAL, "host '%.200s': only host and port can be given", host);
    if (strstr(host, "://"))
        place.scheme = url.scheme;
    memcpy(place.host, url.host, sizeof place.host);
    if (url.port != 443 || place.scheme == URL_HTTP)
        place.port = url.port;
    snprintf(place.bucket, sizeof place.bucket, "%s", bucket);
    for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++) {
        if (!ends_with(place.host, clouds[i].suffix))
            continue;
        place.is_virtual = is_label(bucket);
        place.is_amazon = clouds[i].is_amazon;
    }
    if (place.is_amazon)
        find_region(&place);
    *ret_place = place;
    return 0;
}

/* "s3.amazonaws.com" knows all buckets, but answers for those of its own region alone. */
static int append_host(const struct s3_place *place, const char *region,
                       struct bytes *url, struct error *err)
{
    if (place->is_amazon && strncmp(place->host, "s3.amazonaws.", 13) == 0)
        return bytes_printf(url, err, "s3.%s.%s", region, place->host + 3);
    return bytes_printf(url, err, "%s", place->host);
}

int s3_place_url(const struct s3_place *place, enum url_scheme scheme, const char *region,
                 const char *key, const char *query, struct bytes *url, struct error *err)
{
    enum url_scheme used = place->scheme == URL_NONE ? scheme : place->scheme;
    int rc = bytes_printf(url, err, "%s://", used == URL_HTTP ? "http" : "https");

    if (rc == 0 && place->is_virtual)
        rc = bytes_printf(url, err, "%s.", place->bucket);
    if (rc == 0)
        rc = append_host(place, region, url, err);
    if (rc == 0 && place->port)
        rc = bytes_printf(url, err, ":%u", place->port);
    if (rc == 0)
        rc = bytes_printf(url, err, "/%s%s", place->is_virtual ? "" : place->bucket,
                          place->is_virtual || !*key ? "" : "/");
    if (rc == 0)
        rc = url_encode_path(url, key, err);
    return rc == 0 && *query ? bytes_printf(url, err, "?%s", query) : rc;
}
