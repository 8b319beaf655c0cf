/* s3_xml.c: listings, uploads and errors of S3 stores, read as a stream. */
#include "backends/s3_xml.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "common/text.h"

#include <errno.h>
#include <expat.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATH_MAX_BYTES = 128 };

struct s3_xml {
    XML_Parser parser;
    s3_xml_each *each;
    void *arg;
    struct s3_xml_reply reply;
    uint64_t bytes;
    int depth;
    char path[PATH_MAX_BYTES];      /* "ListBucketResult/Contents/Key"; "" if too long */
    size_t sizes[S3_XML_DEPTH_MAX]; /* of the path at each depth above */
    struct bytes text;              /* of the element that is open */
    char key[S3_XML_TEXT_MAX + 1];  /* of the entry that is open */
    char upload_id[S3_XML_TOKEN_MAX];
    struct s3_xml_entry entry;
    bool entry_is_usable;
    int rc; /* why the parser was stopped */
    struct error err;
};

static const struct {
    const char *root;
    enum s3_xml_kind kind;
} roots[] = {
    {"Error",                         S3_XML_ERROR       },
    {"ListBucketResult",              S3_XML_LISTING     },
    {"ListMultipartUploadsResult",    S3_XML_UPLOADS     },
    {"InitiateMultipartUploadResult", S3_XML_UPLOAD_BEGUN},
    {"CompleteMultipartUploadResult", S3_XML_UPLOAD_DONE },
    {"LocationConstraint",            S3_XML_LOCATION    },
};

/* What becomes of an element's text. */
enum element {
    ELEMENT_WORD, /* copied into the reply, at offset */
    ELEMENT_TRUNCATED,
    ELEMENT_KEY,
    ELEMENT_PREFIX,
    ELEMENT_SIZE,
    ELEMENT_TIME,
    ELEMENT_UPLOAD_ID,
    ELEMENT_ENTRY, /* the end of an entry */
};

#define WORD(field)                                                                      \
    ELEMENT_WORD, offsetof(struct s3_xml_reply, field),                                  \
        sizeof(((struct s3_xml_reply *)0)->field)

static const struct {
    const char *path;
    enum element element;
    size_t offset;
    size_t size;
} elements[] = {
    {"ListBucketResult/Contents/Key",                 ELEMENT_KEY,                                                   0, 0},
    {"ListBucketResult/Contents/Size",                                              ELEMENT_SIZE,                                                                                                           0, 0},
    {"ListBucketResult/Contents/LastModified",ELEMENT_TIME,0, 0},
    {"ListBucketResult/Contents",                                               ELEMENT_ENTRY,                                                                     0, 0},
    {"ListBucketResult/CommonPrefixes/Prefix",                                              ELEMENT_PREFIX,                                                                                                                                                                   0, 0},
    {"ListBucketResult/CommonPrefixes",                     ELEMENT_ENTRY,                       0, 0},
    {"ListBucketResult/IsTruncated",                                              ELEMENT_TRUNCATED,                                                                                                           0, 0},
    {"ListBucketResult/NextContinuationToken",WORD(token)},
    {"ListMultipartUploadsResult/Upload/Key",                                               ELEMENT_KEY,                                                                            0, 0},
    {"ListMultipartUploadsResult/Upload/UploadId",                                              ELEMENT_UPLOAD_ID,                                                                                    0, 0},
    {"ListMultipartUploadsResult/Upload/Initiated",                  ELEMENT_TIME,                 0, 0},
    {"ListMultipartUploadsResult/Upload",                                              ELEMENT_ENTRY,                                                                                                           0, 0},
    {"ListMultipartUploadsResult/IsTruncated",                                                 ELEMENT_TRUNCATED,                                                                                                                                                                                                                                 0, 0},
    {"ListMultipartUploadsResult/NextKeyMarker",WORD(token)},
    {"ListMultipartUploadsResult/NextUploadIdMarker",                                               WORD(upload_id)                                                                },
    {"InitiateMultipartUploadResult/UploadId",                                              WORD(upload_id)                      },
    {"CompleteMultipartUploadResult/ETag",   WORD(etag)                                  },
    {"LocationConstraint",                                              WORD(region)                                                                                                          },
    {"Error/Region",WORD(region)},
    {"Error/Code",                                               WORD(code)                                                                    },
    {"Error/Message",                                              WORD(message)},
    {"Error/ServerTime",      WORD(server_time)                                                                  },
    {"Error/RequestTime", WORD(request_time)},
};

/* The parser may still report what it had begun: only the first reason counts. */
static void stop(struct s3_xml *xml, int rc)
{
    if (xml->rc < 0)
        return;
    xml->rc = rc;
    XML_StopParser(xml->parser, XML_FALSE);
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* "a%2Fb+c" to "a/b c". False for what is no encoding, and for a NUL. */
static bool decode(const struct bytes *from, char *to)
{
    for (size_t i = 0; i < from->size; i++) {
        int value = (unsigned char)from->data[i];

        if (value == '+') {
            value = ' ';
        } else if (value == '%') {
            int high = i + 2 < from->size ? hex_value(from->data[i + 1]) : -1;
            int low = high >= 0 ? hex_value(from->data[i + 2]) : -1;

            value = low < 0 ? 0 : high * 16 + low;
            i += 2;
        }
        if (value == 0)
            return false;
        *to++ = (char)value;
    }
    *to = '\0';
    return true;
}

/* "2026-11-22T06:01:49.648Z"; 0 for what is no such time. */
static int64_t parse_time(const char *text)
{
    struct tm utc = {0};
    int used = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
               &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &used) != 6 ||
        used != 19)
        return 0;
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return timegm(&utc);
}

static void take_size(struct s3_xml *xml)
{
    int rc = text_to_u64(xml->text.data, &xml->entry.size, &xml->err);

    if (rc < 0)
        stop(xml, fail_context(&xml->err, -EIO, "the size of '%.80s'", xml->key));
}

static void end_entry(struct s3_xml *xml)
{
    /* What cannot be decoded cannot be asked for either. */
    if (xml->each && xml->entry_is_usable) {
        int rc = xml->each(xml->arg, &xml->entry, &xml->err);

        if (rc < 0)
            stop(xml, rc);
    }
    xml->entry = (struct s3_xml_entry){.key = xml->key, .upload_id = xml->upload_id};
    xml->entry_is_usable = false;
    xml->upload_id[0] = '\0';
}

static void take_text(struct s3_xml *xml, size_t row)
{
    switch (elements[row].element) {
    case ELEMENT_WORD:
        snprintf((char *)&xml->reply + elements[row].offset, elements[row].size, "%s",
                 xml->text.data);
        break;
    case ELEMENT_TRUNCATED:
        xml->reply.is_truncated = strcmp(xml->text.data, "true") == 0;
        break;
    case ELEMENT_PREFIX:
        xml->entry.is_prefix = true;
        xml->entry_is_usable = decode(&xml->text, xml->key);
        break;
    case ELEMENT_KEY:
        xml->entry_is_usable = decode(&xml->text, xml->key);
        break;
    case ELEMENT_SIZE:
        take_size(xml);
        break;
    case ELEMENT_TIME:
        xml->entry.time_s = parse_time(xml->text.data);
        break;
    case ELEMENT_UPLOAD_ID:
        snprintf(xml->upload_id, sizeof xml->upload_id, "%s", xml->text.data);
        break;
    case ELEMENT_ENTRY:
        end_entry(xml);
        break;
    }
}

static void clear_text(struct s3_xml *xml)
{
    bytes_cut(&xml->text, 0, 0);
}

static void XMLCALL start_element(void *arg, const char *name, const char **attributes)
{
    struct s3_xml *xml = arg;
    size_t used = strlen(xml->path), size = strlen(name);

    (void)attributes; /* none matters */
    if (xml->depth == S3_XML_DEPTH_MAX) {
        stop(xml, fail(&xml->err, EIO, "elements more than %d deep", S3_XML_DEPTH_MAX));
        return;
    }
    for (size_t i = 0; xml->depth == 0 && i < sizeof roots / sizeof *roots; i++)
        if (strcmp(roots[i].root, name) == 0)
            xml->reply.kind = roots[i].kind;
    xml->sizes[xml->depth++] = used;
    /* What is longer than any path that we know stays nameless: nothing matches it. */
    if (used + 1 + size < sizeof xml->path)
        snprintf(xml->path + used, sizeof xml->path - used, "%s%s", used ? "/" : "",
                 name);
    else
        snprintf(xml->path + used, sizeof xml->path - used, "/");
    clear_text(xml);
}

static void XMLCALL end_element(void *arg, const char *name)
{
    struct s3_xml *xml = arg;

    (void)name; /* the parser sees to it that it is the one that was begun */
    for (size_t i = 0; xml->rc == 0 && i < sizeof elements / sizeof *elements; i++)
        if (strcmp(elements[i].path, xml->path) == 0)
            take_text(xml, i);
    xml->path[xml->sizes[--xml->depth]] = '\0';
    clear_text(xml);
}

static void XMLCALL take_characters(void *arg, const char *text, int size)
{
    struct s3_xml *xml = arg;

    if (xml->rc == 0 && bytes_append(&xml->text, text, (size_t)size, &xml->err) < 0)
        stop(xml,
             fail(&xml->err, EIO, "an element of more than %d bytes", S3_XML_TEXT_MAX));
}

static void XMLCALL refuse_doctype(void *arg, const char *name, const char *system_id,
                                   const char *public_id, int has_subset)
{
    struct s3_xml *xml = arg;

    (void)name, (void)system_id, (void)public_id, (void)has_subset; /* any is refused */
    stop(xml, fail(&xml->err, EIO, "a document type, which no store sends"));
}

int s3_xml_open(s3_xml_each *each, void *arg, struct s3_xml **ret_xml, struct error *err)
{
    struct s3_xml *xml = XNEW(struct s3_xml);

    xml->parser = XML_ParserCreate(NULL);
    if (!xml->parser) {
        free(xml);
        return fail(err, ENOMEM, "no memory to read an answer");
    }
    xml->each = each;
    xml->arg = arg;
    xml->entry = (struct s3_xml_entry){.key = xml->key, .upload_id = xml->upload_id};
    bytes_init(&xml->text, S3_XML_TEXT_MAX);
    XML_SetUserData(xml->parser, xml);
    XML_SetElementHandler(xml->parser, start_element, end_element);
    XML_SetCharacterDataHandler(xml->parser, take_characters);
    XML_SetStartDoctypeDeclHandler(xml->parser, refuse_doctype);
    *ret_xml = xml;
    return 0;
}

static int parse(struct s3_xml *xml, const char *data, int size, int is_last,
                 struct error *err)
{
    if (xml->rc == 0 && XML_Parse(xml->parser, data, size, is_last) == XML_STATUS_ERROR &&
        xml->rc == 0)
        xml->rc = fail(&xml->err, EIO, "line %lu: %s",
                       (unsigned long)XML_GetCurrentLineNumber(xml->parser),
                       XML_ErrorString(XML_GetErrorCode(xml->parser)));
    if (xml->rc < 0)
        *err = xml->err;
    return xml->rc;
}

int s3_xml_feed(struct s3_xml *xml, const void *data, size_t size, struct error *err)
{
    if (size > S3_XML_BYTES_MAX - xml->bytes)
        return fail(err, EIO, "an answer of more than %d bytes", S3_XML_BYTES_MAX);
    xml->bytes += size;
    return parse(xml, data, (int)size, 0, err);
}

int s3_xml_end(struct s3_xml *xml, struct s3_xml_reply *ret_reply, struct error *err)
{
    int rc = parse(xml, "", 0, 1, err);

    if (rc < 0)
        return rc;
    if (xml->reply.is_truncated && !xml->reply.token[0])
        return fail(err, EIO, "a listing that goes on without saying where");
    *ret_reply = xml->reply;
    return 0;
}

void s3_xml_close(struct s3_xml *xml)
{
    if (!xml)
        return;
    XML_ParserFree(xml->parser);
    bytes_done(&xml->text);
    free(xml);
}

int s3_xml_parse(const void *data, size_t size, struct s3_xml_reply *ret_reply,
                 struct error *err)
{
    CLEANUP_S3_XML struct s3_xml *xml = NULL;
    int rc = s3_xml_open(NULL, NULL, &xml, err);

    if (rc == 0)
        rc = s3_xml_feed(xml, data, size, err);
    return rc < 0 ? rc : s3_xml_end(xml, ret_reply, err);
}
