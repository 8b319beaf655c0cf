/* artifactory_storage.h: what lies at a path, by the storage API.
 *
 *     rc = artifactory_storage_stat(client, path, &item, &err);
 *     artifactory_storage_tag(&item, tag); */
#ifndef BACKENDS_ARTIFACTORY_STORAGE_H
#define BACKENDS_ARTIFACTORY_STORAGE_H

#include "backends/artifactory_client.h"
#include "backends/artifactory_json.h"

/* A file; a folder is -EISDIR. */
int artifactory_storage_stat(struct artifactory_client *client, const char *path,
                             struct artifactory_item *ret_item, struct error *err);

/* The same for those who know no folders but in lists: a folder is -ENOENT. */
int artifactory_storage_stat_file(struct artifactory_client *client, const char *path,
                                  struct artifactory_item *ret_item, struct error *err);

/* The names in a folder, as they come; a file is -ENOENT. */
int artifactory_storage_list(struct artifactory_client *client, const char *folder,
                             backend_each *each, void *arg, struct error *err);

/* The best digest that is known of it. */
void artifactory_storage_tag(const struct artifactory_item *item,
                             char ret_tag[BACKEND_TAG_MAX]);

#endif
