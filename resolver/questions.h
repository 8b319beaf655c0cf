/* questions.h: what one repository can be asked, as kinds for the catalog.
 *
 * Each ask function does the requests for one answer; paths are those of repo_path.h. */
#ifndef RESOLVER_QUESTIONS_H
#define RESOLVER_QUESTIONS_H

#include "resolver/catalog.h"

/* Key "": the IDs, and the aliases, that are listed; sorted by bytes. */
extern const struct catalog_kind question_models;
extern const struct catalog_kind question_aliases;

/* Key: an ID. The versions whose folder has a header, in the order of version.h. */
extern const struct catalog_kind question_versions;

/* Key: "<id>/<version>". Is its header there? One name: the header's text; none where
 * that is too large to be kept, or no text. */
extern const struct catalog_kind question_release;

/* Key "": the IDs, if there are so few that one request tells them all; else none. */
extern const struct catalog_kind question_few;

/* Key "": is the repository there? The listing is empty. */
extern const struct catalog_kind question_presence;

/* Key: an ID. Is there a release of it? As far as the folders of its versions tell, with
 * one request; noted, too, with the answers of other questions. The listing is empty. */
extern const struct catalog_kind question_model;

/* Key: an alias. Two names: the ID it names, and the version ("" if none). */
extern const struct catalog_kind question_alias;

/* Key: "<id>/<version>". The aliases in its list, sorted by bytes. */
extern const struct catalog_kind question_alias_list;

/* Key: a folder of the repository, "" for the top. The folders in it that archives can
 * be in, sorted by bytes. */
extern const struct catalog_kind question_folders;

/* Key: an absolute path on this machine, audmodel's cache folder of a legacy ID; there is
 * no backend. The version whose header is there: one name. */
extern const struct catalog_kind question_cached_versions;

#endif
