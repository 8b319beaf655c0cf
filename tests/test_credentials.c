#include "tests/test.h"

#include "backends/credentials.h"
#include "common/sync.h"
#include "tests/folders.h"

#include <errno.h>
#include <unistd.h>

enum { FILE_COUNT = 4 };

static const char *const file_paths[FILE_COUNT] = {
    ".config/audbackend/minio.cfg",
    ".aws/credentials",
    ".aws/config",
    ".artifactory_python.cfg",
};

static const char *const variables[] = {
    "MINIO_ACCESS_KEY",
    "MINIO_SECRET_KEY",
    "MINIO_ACCESS_KEY_S3_X_COM_9000",
    "MINIO_SECRET_KEY_S3_X_COM_9000",
    "MINIO_CONFIG_FILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "ARTIFACTORY_USERNAME",
    "ARTIFACTORY_API_KEY",
    "ARTIFACTORY_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
};

static const struct row {
    enum credentials_kind kind;
    const char *host;
    const char *env; /* "A=1 B=2" */
    const char *files[FILE_COUNT];
    const char *user; /* NULL: -EACCES */
    const char *secret;
    const char *token;
    const char *region;
    bool is_plain;
    const char *message; /* a part of it */
} rows[] = {
  /* clang-format off */
    {CREDENTIALS_S3, "s3.x.com:9000", "", {NULL}, "", "", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "MINIO_ACCESS_KEY=a MINIO_SECRET_KEY=s", {NULL},
     "a", "s", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000",
     "MINIO_ACCESS_KEY=a MINIO_SECRET_KEY=s MINIO_ACCESS_KEY_S3_X_COM_9000=own", {NULL},
     "own", "s", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "https://s3.x.com:9000",
     "MINIO_SECRET_KEY_S3_X_COM_9000=mine MINIO_ACCESS_KEY_S3_X_COM_9000=own", {NULL},
     "own", "mine", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "",
     {"[s3.x.com:9000]\naccess_key = a\nsecret_key = s%%x\nsecure =\n"},
     "a", "s%x", NULL, NULL, true, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "", /* each value by itself */
     {"[s3.x.com:9000]\nAccess_Key: a\nsecret_key: s\nsecure\n"},
     "a", "s", NULL, NULL, true, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "MINIO_ACCESS_KEY=e",
     {"[s3.x.com:9000]\naccess_key = a\nsecret_key = s\nsecure = False\n"},
     "e", "s", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "",
     {"[s3.x.com:9000]\naccess_key = \"a\"\nsecret_key = 's'\n"},
     "\"a\"", "'s'", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com", "", /* the port belongs to the name */
     {"[s3.x.com:9000]\naccess_key = a\nsecret_key = s\n"}, "", "", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_ACCESS_KEY_ID=aws AWS_SECRET_ACCESS_KEY=t",
     {"[s3.x.com:9000]\nsecure =\n"}, "", "", NULL, NULL, true, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "MINIO_CONFIG_FILE=~/other.cfg",
     {"[s3.x.com:9000]\naccess_key = a\nsecret_key = s\n"}, "", "", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "MINIO_ACCESS_KEY=a", {NULL},
     NULL, NULL, NULL, NULL, false, "no secret key"},
    {CREDENTIALS_S3, "s3.x.com:9000", "", {"[s3.x.com:9000]\naccess_key = a\nb c\nd = %\n"},
     NULL, NULL, NULL, NULL, false, "no secret key"},
    {CREDENTIALS_S3, "s3.x.com:9000", "", {"\naccess_key = hidden\n"},
     NULL, NULL, NULL, NULL, false, "minio.cfg': line 2: stands before the first [section]"},
    {CREDENTIALS_S3, "s3.x.com:9000", "",
     {"[s3.x.com:9000]\naccess_key = a\nsecret_key = hid%den\n"},
     NULL, NULL, NULL, NULL, false, "minio.cfg': line 3: a '%' stands for"},

    {CREDENTIALS_S3, "s3.x.com:9000",
     "AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=s AWS_SESSION_TOKEN=t AWS_REGION=r", {NULL},
     "a", "s", "t", "r", false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000",
     "MINIO_ACCESS_KEY=m MINIO_SECRET_KEY=n AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=s",
     {NULL}, "m", "n", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_ACCESS_KEY_ID=a", {NULL},
     NULL, NULL, NULL, NULL, false, "AWS_ACCESS_KEY_ID is set without"},
    {CREDENTIALS_S3, "s3.x.com:9000", "",
     {NULL, "[default]\naws_access_key_id = a\naws_secret_access_key = s%\n",
      "[default]\nregion = eu-west-1\ns3 =\n  addressing_style = path\n"},
     "a", "s%", NULL, "eu-west-1", false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_DEFAULT_REGION=here",
     {NULL, NULL, "[profile default]\nregion = eu-west-1\naws_access_key_id = a\n"
      "aws_secret_access_key = s\n"},
     "a", "s", NULL, "here", false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_PROFILE=p",
     {NULL, "[default]\naws_access_key_id = no\naws_secret_access_key = no\n"
      "[p]\naws_access_key_id = a\naws_secret_access_key = s\naws_session_token = t\n",
      "[default]\nregion = no\n[profile p]\nregion = r\n"},
     "a", "s", "t", "r", false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_DEFAULT_PROFILE=p",
     {NULL, "[p]\naws_access_key_id = a\naws_secret_access_key = s\n",
      "[profile \"p\"]\nregion = r\n"},
     "a", "s", NULL, "r", false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_PROFILE=p", {NULL, "[q]\n", "[p]\n"},
     NULL, NULL, NULL, NULL, false, "there is no profile 'p' in '"},
    {CREDENTIALS_S3, "s3.x.com:9000", "",
     {NULL, "[default]\naws_access_key_id = a\n"},
     NULL, NULL, NULL, NULL, false, "[default] has aws_access_key_id without its"},
    {CREDENTIALS_S3, "s3.x.com:9000", "", {NULL, NULL, "[default]\nrole_arn = arn\n"},
     NULL, NULL, NULL, NULL, false, "gets its keys by role_arn"},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_PROFILE=p",
     {NULL, "[b]\naws_access_key_id = a\naws_secret_access_key = s\n"
      "[p]\nrole_arn = arn\nsource_profile = b\n"},
     NULL, NULL, NULL, NULL, false, "credentials': profile 'p' gets its keys by role_arn"},
    {CREDENTIALS_S3, "s3.x.com:9000", "AWS_CONFIG_FILE=~/c AWS_SHARED_CREDENTIALS_FILE=~/d",
     {NULL, "[default]\naws_access_key_id = a\naws_secret_access_key = s\n"},
     "", "", NULL, NULL, false, NULL},
    {CREDENTIALS_S3, "s3.x.com:9000", "", {NULL, "[default]\n[default]\n"},
     NULL, NULL, NULL, NULL, false, "credentials': lines 1 and 2: the same section twice"},

    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "", {NULL},
     "", "", NULL, NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory",
     "ARTIFACTORY_USERNAME=u ARTIFACTORY_API_KEY=p", {NULL, NULL, NULL, "broken"},
     "u", "p", NULL, NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "",
     {NULL, NULL, NULL, "[https://x/artifactory]\nusername = u\npassword = p%%q\n"},
     "u", "p%q", NULL, NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "",
     {NULL, NULL, NULL, "[x/artifactory]\nusername = u\npassword = p\n"},
     "u", "p", NULL, NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "", /* the exact name first */
     {NULL, NULL, NULL, "[http://x/artifactory]\nusername = v\npassword = q\n"
      "[https://x/artifactory]\nusername = u\npassword = p\n"},
     "u", "p", NULL, NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "ARTIFACTORY_USERNAME=e",
     {NULL, NULL, NULL, "[https://x/artifactory/]\nusername = u\npassword = p\n"},
     "e", "p", NULL, NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "ARTIFACTORY_API_KEY=eyJ", {NULL},
     "", "", "eyJ", NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "ARTIFACTORY_USERNAME=anonymous",
     {NULL}, "", "", NULL, NULL, false, NULL},
    {CREDENTIALS_ARTIFACTORY, "https://x/artifactory", "",
     {NULL, NULL, NULL, "[https://x/artifactory]\nusername\n"},
     NULL, NULL, NULL, NULL, false, ".artifactory_python.cfg': line 2: neither"},
  /* clang-format on */
};

static void set_environment(const struct folder *home, const char *env)
{
    char *copy = strdup(env), *rest = copy, *item;

    assert_non_null(copy);
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        unsetenv(variables[i]);
    setenv("HOME", home->path, 1);
    while ((item = strsep(&rest, " "))) {
        char *value = strchr(item, '=');

        if (!value)
            continue;
        *value = '\0';
        assert_int_equal(setenv(item, value + 1, 1), 0);
    }
    free(copy);
}

static void write_files(const struct folder *home, const char *const files[FILE_COUNT])
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        if (files[i])
            folder_put(home->fd, file_paths[i], files[i], strlen(files[i]), 0600, 1000);
        else
            unlinkat(home->fd, file_paths[i], 0);
    }
}

static void check_text(const char *value, const char *expected)
{
    if (expected)
        assert_string_equal(value, expected);
    else
        assert_null(value);
}

static void check_login(const struct login *login, const struct row *row)
{
    check_text(login->user, row->user);
    check_text(login->secret, row->secret);
    check_text(login->token, row->token);
    check_text(login->region, row->region);
    assert_int_equal(login->is_plain, row->is_plain);
    assert_int_equal(login->is_anonymous, !*row->user && !row->token);
}

static void test_finds_them_where_others_do(void **state)
{
    const struct folder *home = *state;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        struct credentials *credentials = NULL;
        CLEANUP_LOGIN struct login login = {0};
        struct error err = {0};
        int rc;

        test_row(i, "%s: %s", row->host, row->env);
        set_environment(home, row->env);
        write_files(home, row->files);
        assert_int_equal(credentials_open(row->kind, row->host, NULL, &credentials, &err),
                         0);
        rc = credentials_get(credentials, &login, &err);
        credentials_close(credentials);
        if (row->user) {
            assert_int_equal(rc, 0);
            check_login(&login, row);
            continue;
        }
        assert_int_equal(rc, -EACCES);
        if (!strstr(err.message, row->message))
            fail_msg("%s", err.message);
        assert_null(strstr(err.message, "hid"));
    }
}

static struct credentials *open_credentials(void)
{
    struct credentials *credentials = NULL;
    struct error err = {0};

    assert_int_equal(
        credentials_open(CREDENTIALS_ARTIFACTORY, "https://x", NULL, &credentials, &err),
        0);
    return credentials;
}

static void test_relative_paths_outlive_the_working_folder(void **state)
{
    static const char text[] = "[https://x]\nusername = u\npassword = p\n";
    const struct folder *home = *state;
    CLEANUP_LOGIN struct login login = {0};
    struct credentials *credentials;
    struct error err = {0};

    set_environment(home, "ARTIFACTORY_CONFIG_FILE=own.cfg");
    folder_put(home->fd, "own.cfg", text, strlen(text), 0600, 1000);
    assert_int_equal(fchdir(home->fd), 0);
    assert_int_equal(credentials_keep_paths(&err), 0);
    assert_int_equal(chdir("/"), 0);
    credentials = open_credentials();
    assert_int_equal(credentials_get(credentials, &login, &err), 0);
    assert_string_equal(login.secret, "p");
    credentials_close(credentials);
}

static void write_login(const struct folder *home, const char *secret)
{
    char text[128];

    snprintf(text, sizeof text, "[https://x]\nusername = u\npassword = %s\n", secret);
    folder_put(home->fd, file_paths[3], text, strlen(text), 0600, 1000);
}

static void check_secret(struct credentials *credentials, const char *secret)
{
    CLEANUP_LOGIN struct login login = {0};
    struct error err = {0};

    assert_int_equal(credentials_get(credentials, &login, &err), 0);
    assert_string_equal(login.secret, secret);
}

/* Files are looked at once a second; who is refused does not wait for that. */
static void test_refused_login_is_read_again(void **state)
{
    const struct folder *home = *state;
    CLEANUP_LOGIN struct login first = {0};
    struct credentials *credentials;
    struct error err = {0};

    set_environment(home, "");
    write_login(home, "one");
    credentials = open_credentials();
    assert_int_equal(credentials_get(credentials, &first, &err), 0);
    assert_false(credentials_refresh(credentials, &first));
    write_login(home, "two");
    assert_true(credentials_refresh(credentials, &first));
    assert_true(credentials_refresh(credentials, &first)); /* of a second thread */
    check_secret(credentials, "two");
    credentials_close(credentials);
}

static void test_broken_rotation_keeps_what_held(void **state)
{
    const struct folder *home = *state;
    CLEANUP_LOGIN struct login first = {0};
    struct credentials *credentials;
    struct error err = {0};

    set_environment(home, "");
    write_login(home, "one");
    credentials = open_credentials();
    assert_int_equal(credentials_get(credentials, &first, &err), 0);
    folder_put(home->fd, file_paths[3], "half", 4, 0600, 1000);
    assert_false(credentials_refresh(credentials, &first));
    check_secret(credentials, "one");
    write_login(home, "two");
    assert_true(credentials_refresh(credentials, &first));
    check_secret(credentials, "two");
    credentials_close(credentials);
}

static void test_changed_file_is_noticed(void **state)
{
    const struct folder *home = *state;
    struct credentials *credentials;
    struct error err = {0};
    bool is_new = false;

    set_environment(home, "");
    unlinkat(home->fd, file_paths[3], 0);
    credentials = open_credentials();
    check_secret(credentials, "");
    write_login(home, "two");
    for (int64_t end = clock_now_ms() + 30000; !is_new && clock_now_ms() < end;) {
        CLEANUP_LOGIN struct login login = {0};

        assert_int_equal(credentials_get(credentials, &login, &err), 0);
        is_new = strcmp(login.secret, "two") == 0;
        clock_sleep_ms(20);
    }
    assert_true(is_new);
    credentials_close(credentials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finds_them_where_others_do, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(test_relative_paths_outlive_the_working_folder,
                                        folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_refused_login_is_read_again, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(test_broken_rotation_keeps_what_held, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(test_changed_file_is_noticed, folder_open,
                                        folder_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
