/* resolver_url.c: where the archive of a release lies, for people and other tools. */
#include "resolver/repo_path.h"
#include "resolver/resolver.h"

int resolver_url(const struct resolver *resolver, const struct release *release,
                 const struct header *header, struct bytes *to, struct error *err)
{
    const struct backend *backend = resolver_backend(resolver, release->repository);
    char path[REPO_PATH_SIZE];
    int rc = repo_path_archive(header->name, header->subgroup, release->id,
                               release->version, path, err);

    return rc < 0 ? rc : bytes_printf(to, err, "%s/%s", backend_location(backend), path);
}
