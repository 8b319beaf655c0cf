/* fuzz_uid.c: hostile names, versions and parameters. */
#include "common/memory.h"
#include "common/yaml.h"
#include "resolver/pyrepr.h"
#include "resolver/repo_path.h"
#include "resolver/uid.h"
#include "resolver/version.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

static void read_names(const char *text)
{
    char path[REPO_PATH_SIZE];
    struct error err = {0};
    struct uid uid;

    if (uid_parse(text, &uid, &err) == 0) {
        must((uid.kind == UID_ALIAS) == (*uid.alias != '\0'));
        must(uid.kind == UID_ALIAS ? strcmp(uid.alias, text) == 0 : uid_is_id(uid.id));
        must(uid.kind != UID_FULL || strcmp(text + strlen(uid.id) + 1, uid.version) == 0);
    }
    must(uid_parse_target(text, &uid, &err) < 0 || uid_is_id(uid.id));
    if (repo_path_archive(text, text, "3e120e8d", "1.0.0", path, &err) == 0)
        must(path[0] != '/' && !strstr(path, "//") && !strstr(path, "/../"));
}

static void compare_versions(const char *a, const char *b)
{
    int order = sign(version_compare(a, b));

    must(order == -sign(version_compare(b, a)));
    must((order == 0) == (strcmp(a, b) == 0));
}

static void print_parameters(const char *text, size_t size)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    CLEANUP_BYTES struct bytes to;
    struct error err = {0};

    bytes_init(&to, MIB);
    if (yaml_parse(text, size, &yaml, &err) == 0)
        must(pyrepr_print_sorted(yaml_root(yaml), &to, &err) < 0 || to.size >= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = xstrndup(size ? (const char *)data : "", size);
    char *line_end = strchr(text, '\n');

    print_parameters((const char *)data, size);
    read_names(text);
    if (line_end) {
        *line_end = '\0';
        read_names(text);
        compare_versions(text, line_end + 1);
    }
    return 0;
}
