/* test_s3_xml.c: replies as stores send them (radosgw 16, and those that Amazon and MinIO
 * document), and such as none should send. */
#include "tests/test.h"

#include "backends/s3_xml.h"
#include "common/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XMLNS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"

/* One line an entry. */
static int print_entry(void *arg, const struct s3_xml_entry *entry, struct error *err)
{
    if (strcmp(entry->key, "stop") == 0)
        return fail(err, ECANCELED, "stopped");
    return bytes_printf(arg, err, "%s%s %llu %lld%s%s\n", entry->is_prefix ? "/" : "",
                        entry->key, (unsigned long long)entry->size,
                        (long long)entry->time_s, *entry->upload_id ? " " : "",
                        entry->upload_id);
}

/* Fed in pieces of step bytes. */
static int read_all(const char *document, size_t step, struct bytes *entries,
                    struct s3_xml_reply *ret_reply, struct error *err)
{
    CLEANUP_S3_XML struct s3_xml *xml = NULL;
    size_t size = strlen(document);
    int rc = s3_xml_open(print_entry, entries, &xml, err);

    for (size_t at = 0; rc == 0 && at < size; at += step)
        rc = s3_xml_feed(xml, document + at, size - at < step ? size - at : step, err);
    return rc < 0 ? rc : s3_xml_end(xml, ret_reply, err);
}

static const struct {
    const char *document;
    const char *entries;
    struct s3_xml_reply reply;
} replies[] = {
    {HEAD "<Error><Code>NoSuchKey</Code><Message></Message><BucketName>models"
          "</BucketName><RequestId>tx0</RequestId></Error>",                      "",
     {.kind = S3_XML_ERROR, .code = "NoSuchKey"}                                                                                                                                              },
    {HEAD "\n<Error>\n <Code>AuthorizationHeaderMalformed</Code>\n <Message>The "
          "authorization header is malformed; the region 'us-east-1' is wrong; "
          "expecting 'eu-west-1'</Message>\n <Region>eu-west-1</Region></Error>", "",
     {.kind = S3_XML_ERROR,
      .code = "AuthorizationHeaderMalformed",
      .region = "eu-west-1",
      .message = "The authorization header is malformed; the region 'us-east-1' is "
                 "wrong; expecting 'eu-west-1'"}                                                                                                                                              },
    {"<Error><Code>RequestTimeTooSkewed</Code><RequestTime>20261122T060000Z"
     "</RequestTime><ServerTime>2026-11-22T06:30:00Z</ServerTime></Error>",       "",
     {.kind = S3_XML_ERROR,
      .code = "RequestTimeTooSkewed",
      .request_time = "20261122T060000Z",
      .server_time = "2026-11-22T06:30:00Z"}                                                                                                                                                  },
    {HEAD "<LocationConstraint" XMLNS ">default</LocationConstraint>",
     "",                                                                                                                                        {.kind = S3_XML_LOCATION, .region = "default"}},
    {HEAD "<LocationConstraint" XMLNS "/>",                                            "",                                                      {.kind = S3_XML_LOCATION}                     },
    {HEAD "<InitiateMultipartUploadResult" XMLNS "><Bucket>models</Bucket><Key>mp"
          "</Key><UploadId>2~bMuUW5-ZYOLosllWSGnNeWT-X6NC9jN</UploadId>"
          "</InitiateMultipartUploadResult>",                                     "",
     {.kind = S3_XML_UPLOAD_BEGUN, .upload_id = "2~bMuUW5-ZYOLosllWSGnNeWT-X6NC9jN"}                                                                                                          },
    {HEAD "<CompleteMultipartUploadResult" XMLNS "><Key>mp</Key><ETag>&quot;298c-2"
          "&quot;</ETag></CompleteMultipartUploadResult>",                        "",
     {.kind = S3_XML_UPLOAD_DONE, .etag = "\"298c-2\""}                                                                                                                                       },
 /* A 200 that turns out to be none, after blanks that kept the connection alive.
  */
    {"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n   \n  <Error><Code>InternalError"
     "</Code><Message>We encountered an internal error. Please try again.</Message>"
     "</Error>",                                                                  "",
     {.kind = S3_XML_ERROR,
      .code = "InternalError",
      .message = "We encountered an internal error. Please try again."}                                                                                                                       },
    {HEAD "<ListBucketResult" XMLNS
          "><EncodingType>url</EncodingType><Name>models</Name><Prefix>_uid/</Prefix>"
          "<MaxKeys>2</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>"
          "<Contents><Key>_uid%2Fa+b%2B%C3%A4</Key><LastModified>"
          "2026-11-22T06:01:49.648Z</LastModified><ETag>&quot;5d41&quot;</ETag><Size>5"
          "</Size><StorageClass>STANDARD</StorageClass><Owner><ID>modelfs</ID><Key>no"
          "</Key></Owner></Contents><CommonPrefixes><Prefix>_uid%2F3e120e8d%2F"
          "</Prefix></CommonPrefixes><NextContinuationToken>_uid/3e120e8d/"
          "</NextContinuationToken><KeyCount>2</KeyCount></ListBucketResult>",    "_uid/a b+\xc3\xa4 5 1795327309\n/_uid/3e120e8d/ 0 0\n",
     {.kind = S3_XML_LISTING, .is_truncated = true, .token = "_uid/3e120e8d/"}                                                                                                                },
 /* What is not encoded as it should be is no key of ours. */
    {"<ListBucketResult><Contents><Key>a%zz</Key><Size>1</Size></Contents><Contents>"
     "<Key>a%00b</Key></Contents><Contents><Key>a%2</Key></Contents><Contents><Size>7"
     "</Size></Contents><Contents><Key>b</Key><Size>18446744073709551615</Size>"
     "<LastModified>yesterday</LastModified></Contents></ListBucketResult>",      "b 18446744073709551615 0\n",
     {.kind = S3_XML_LISTING}                                                                                                                                                                 },
    {"<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k"
     "</NextKeyMarker><NextUploadIdMarker>i2</NextUploadIdMarker><Upload><Key>a%2Fb"
     "</Key><UploadId>i1</UploadId><Initiated>1970-01-01T00:01:00.000Z</Initiated>"
     "</Upload><Upload><Key>c</Key></Upload></ListMultipartUploadsResult>",       "a/b 0 60 i1\nc 0 0\n",
     {.kind = S3_XML_UPLOADS, .is_truncated = true, .token = "k", .upload_id = "i2"}                                                                                                          },
    {"<html><body><Error><Code>x</Code></Error></body></html>",
     "",                                                                                                                                        {.kind = S3_XML_UNKNOWN}                      },
};

static void documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(replies); i++) {
        size_t row = i / 2;
        CLEANUP_BYTES struct bytes entries;
        struct s3_xml_reply reply;
        struct error err = {0};

        test_row(row, "%.60s", replies[row].document);
        bytes_init(&entries, 4096);
        assert_int_equal(
            read_all(replies[row].document, i % 2 ? 1 : 1000000, &entries, &reply, &err),
            0);
        assert_string_equal(entries.data, replies[row].entries);
        assert_int_equal(reply.kind, replies[row].reply.kind);
        assert_int_equal(reply.is_truncated, replies[row].reply.is_truncated);
        assert_string_equal(reply.token, replies[row].reply.token);
        assert_string_equal(reply.upload_id, replies[row].reply.upload_id);
        assert_string_equal(reply.etag, replies[row].reply.etag);
        assert_string_equal(reply.region, replies[row].reply.region);
        assert_string_equal(reply.code, replies[row].reply.code);
        assert_string_equal(reply.message, replies[row].reply.message);
        assert_string_equal(reply.server_time, replies[row].reply.server_time);
        assert_string_equal(reply.request_time, replies[row].reply.request_time);
    }
}

static void refused(void **state)
{
    static const struct {
        const char *document;
        int rc;
        const char *word;
    } cases[] = {
        {"",                                                                     -EIO,       "no element"   },
        {"<ListBucketResult><Contents>",                                         -EIO,       "no element"   },
        {"<ListBucketResult></Error>",                                           -EIO,       "mismatched"   },
        {"Service Unavailable",                                                  -EIO,       "line 1"       },
        {"<!DOCTYPE Error><Error/>",                                             -EIO,       "document type"},
        {"<!DOCTYPE a [<!ENTITY x \"y\">]><Error><Code>&x;</Code></Error>",      -EIO,
         "document type"                                                                                    },
        {"<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>",         -EIO,       "deep"         },
        {"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", -EIO,
         "where"                                                                                            },
        {"<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents>"
         "</ListBucketResult>",                                         -EIO,       "size of 'a'"  },
        {"<ListBucketResult><Contents><Key>stop</Key></Contents><Contents><Key>b</Key>"
         "</Contents></ListBucketResult>",                              -ECANCELED, "stopped"      },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes entries;
        struct s3_xml_reply reply = {.code = "untouched"};
        struct error err = {0};

        test_row(i, "%.60s", cases[i].document);
        bytes_init(&entries, 4096);
        assert_int_equal(read_all(cases[i].document, 1000, &entries, &reply, &err),
                         cases[i].rc);
        assert_non_null(strstr(err.message, cases[i].word));
        assert_string_equal(reply.code, "untouched");
        assert_string_equal(entries.data, "");
    }
}

/* The same bytes over and over, until the parser has enough. */
static int feed_endlessly(const char *begin, const char *again, struct error *err)
{
    CLEANUP_S3_XML struct s3_xml *xml = NULL;
    size_t fed = 0;
    int rc = s3_xml_open(NULL, NULL, &xml, err);

    if (rc == 0)
        rc = s3_xml_feed(xml, begin, strlen(begin), err);
    for (; rc == 0 && fed < 2 * (size_t)S3_XML_BYTES_MAX; fed += strlen(again))
        rc = s3_xml_feed(xml, again, strlen(again), err);
    return rc;
}

static void endless(void **state)
{
    static const struct {
        const char *begin;
        const char *again;
        const char *word;
    } cases[] = {
        {"<Error><Code>",      "0123456789",                                         "element of more"},
        {"<ListBucketResult>", "<Contents><Key>a</Key></Contents>",                  "answer of more" },
        {"<Error>",            "                                                  ",
         "element of more"                                                                            },
        {"<Error><!--",        "no end to this comment, nor to the list; ",          "answer of more" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "%s", cases[i].begin);
        assert_int_equal(feed_endlessly(cases[i].begin, cases[i].again, &err), -EIO);
        assert_non_null(strstr(err.message, cases[i].word));
    }
}

static void too_long_for_its_place_is_cut(void **state)
{
    CLEANUP_BYTES struct bytes document;
    struct s3_xml_reply reply;
    struct error err = {0};

    (void)state;
    bytes_init(&document, 4096);
    assert_int_equal(bytes_printf(&document, &err, "<Error><Code>%0*d</Code></Error>",
                                  S3_XML_WORD_MAX + 9, 0),
                     0);
    assert_int_equal(s3_xml_parse(document.data, document.size, &reply, &err), 0);
    assert_int_equal(strlen(reply.code), S3_XML_WORD_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents),
        cmocka_unit_test(refused),
        cmocka_unit_test(endless),
        cmocka_unit_test(too_long_for_its_place_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
