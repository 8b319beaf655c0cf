/* s3_xml.h: what S3 stores say: listings, multipart uploads, errors. Streamed; pure.
 *
 *     rc = s3_xml_open(each, arg, &xml, &err);
 *     rc = s3_xml_feed(xml, data, size, &err);      as the bytes arrive
 *     rc = s3_xml_end(xml, &reply, &err);
 *     s3_xml_close(xml);
 *
 * Memory does not grow with the number of entries. What a document may have is limited:
 * no doctype (so no entities), depth, text of an element, bytes in all; past a limit and
 * for XML that is none the calls are -EIO. Elements that are not known are passed over.
 * A parser belongs to one thread at a time. */
#ifndef BACKENDS_S3_XML_H
#define BACKENDS_S3_XML_H

#include "backends/backend_types.h"
#include "common/cleanup.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    S3_XML_TEXT_MAX = 8 << 10,  /* bytes of an element */
    S3_XML_BYTES_MAX = 8 << 20, /* 1,000 keys of 1,024 bytes, each of them as %XX, fit */
    S3_XML_DEPTH_MAX = 8,
    S3_XML_TOKEN_MAX = 2 << 10,
    S3_XML_WORD_MAX = 64,
    S3_XML_SENTENCE_MAX = 256,
};

/* One entry of a listing; lent for the call. */
struct s3_xml_entry {
    const char *key;       /* decoded: the request asks for encoding-type=url */
    bool is_prefix;        /* all keys up to a delimiter */
    uint64_t size;         /* of objects */
    int64_t time_s;        /* last modified, or upload begun; 0: it does not say */
    const char *upload_id; /* of uploads, else "" */
};

/* 0, or -errno, which ends the parsing with that. */
typedef int s3_xml_each(void *arg, const struct s3_xml_entry *entry, struct error *err);

enum s3_xml_kind {
    S3_XML_UNKNOWN,
    S3_XML_ERROR,
    S3_XML_LISTING,      /* of objects */
    S3_XML_UPLOADS,      /* of multipart uploads that were not finished */
    S3_XML_UPLOAD_BEGUN, /* InitiateMultipartUpload */
    S3_XML_UPLOAD_DONE,  /* CompleteMultipartUpload */
    S3_XML_LOCATION,     /* the region of a bucket */
};

/* "" where the document does not say; what is too long for its place is cut. */
struct s3_xml_reply {
    enum s3_xml_kind kind;
    bool is_truncated;                  /* listings: there is more, from token on */
    char token[S3_XML_TOKEN_MAX];       /* NextContinuationToken, NextKeyMarker */
    char upload_id[S3_XML_TOKEN_MAX];   /* upload begun; uploads: NextUploadIdMarker */
    char etag[BACKEND_TAG_MAX];         /* upload done */
    char region[S3_XML_WORD_MAX];       /* location; errors that name the right one */
    char code[S3_XML_WORD_MAX];         /* errors: "NoSuchKey" */
    char message[S3_XML_SENTENCE_MAX];  /* the same */
    char server_time[S3_XML_WORD_MAX];  /* RequestTimeTooSkewed */
    char request_time[S3_XML_WORD_MAX]; /* the same */
};

struct s3_xml;

/* each may be NULL: entries are passed over. arg stays the caller's. */
int s3_xml_open(s3_xml_each *each, void *arg, struct s3_xml **ret_xml, struct error *err);
int s3_xml_feed(struct s3_xml *xml, const void *data, size_t size, struct error *err);

/* -EIO where the document was cut off, or a listing goes on without saying where. */
int s3_xml_end(struct s3_xml *xml, struct s3_xml_reply *ret_reply, struct error *err);
void s3_xml_close(struct s3_xml *xml); /* accepts NULL */
#define CLEANUP_S3_XML CLEANUP_WITH(s3_xml_cleanup)
static inline void s3_xml_cleanup(struct s3_xml **xml)
{
    s3_xml_close(*xml);
}

/* A whole document without entries. */
int s3_xml_parse(const void *data, size_t size, struct s3_xml_reply *ret_reply,
                 struct error *err);

#endif
