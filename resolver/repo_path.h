/* repo_path.h: where each document of a model lies in a repository.
 *
 *     char path[REPO_PATH_SIZE];
 *     rc = repo_path_header("3e120e8d", "1.0.0", path, &err);
 *
 * Paths are as backend.h wants them: no "/" in front. id is a short or a legacy ID. All
 * return -EINVAL for what no path can hold (characters outside [A-Za-z0-9/._-], a part
 * "." or "..", a "/" within an ID, a version or an alias) and -ENAMETOOLONG. Pure. */
#ifndef RESOLVER_REPO_PATH_H
#define RESOLVER_REPO_PATH_H

#include "backends/backend.h"
#include "common/error.h"

#include <stdbool.h>

enum { REPO_PATH_SIZE = BACKEND_PATH_MAX };

#define REPO_PATH_MODELS "_uid"    /* lists IDs, and "<id>.aliases" folders */
#define REPO_PATH_ALIASES "_alias" /* lists aliases */

int repo_path_header(const char *id, const char *version, char ret_path[REPO_PATH_SIZE],
                     struct error *err);
int repo_path_meta(const char *id, const char *version, char ret_path[REPO_PATH_SIZE],
                   struct error *err);

/* The claim of who publishes a version now; audmodel does not know it. */
int repo_path_claim(const char *id, const char *version, char ret_path[REPO_PATH_SIZE],
                    struct error *err);

/* The same where each publisher has one of its own: they differ in nonce. */
int repo_path_own_claim(const char *id, const char *version, const char *nonce,
                        char ret_path[REPO_PATH_SIZE], struct error *err);

/* name and subgroup as the header has them; subgroup may be NULL. */
int repo_path_archive(const char *name, const char *subgroup, const char *id,
                      const char *version, char ret_path[REPO_PATH_SIZE],
                      struct error *err);

/* The folder that the archives of name and subgroup lie in, one folder an ID. */
int repo_path_archives(const char *name, const char *subgroup,
                       char ret_path[REPO_PATH_SIZE], struct error *err);

/* Is a name directly below REPO_PATH_MODELS a model's (an ID, or "<id>.aliases")? */
bool repo_path_is_of_model(const char *name);

/* The folder that lists the versions of a model. */
int repo_path_versions(const char *id, char ret_path[REPO_PATH_SIZE], struct error *err);

/* The list of the aliases of one version of a model. */
int repo_path_alias_list(const char *id, const char *version,
                         char ret_path[REPO_PATH_SIZE], struct error *err);

int repo_path_alias(const char *alias, char ret_path[REPO_PATH_SIZE], struct error *err);

#endif
