/* takeover.c: a new mount, or that of a supervisor before. */
#include "fs/takeover.h"

#include "common/log.h"
#include "fs/notify.h"
#include "fs/oom.h"

#include <unistd.h>

static int mount_anew(const struct device_options *options, struct device **ret_device,
                      struct handover **ret_handover, struct error *err)
{
    struct handover *handover = NULL;
    int rc = handover_new(&handover, err);

    if (rc == 0)
        rc = device_mount(options, ret_device, err);
    if (rc < 0) {
        handover_free(handover);
        return rc;
    }
    handover->device_fd = device_fd(*ret_device);
    handover->block->oom_score_adj = oom_protect();
    notify_forget(); /* what cannot be gone on with */
    notify_keep(handover);
    *ret_handover = handover;
    return 0;
}

static int adopt(const struct device_options *options, const struct inherited *inherited,
                 struct device **ret_device, struct handover **ret_handover,
                 struct error *err)
{
    int rc = handover_adopt(inherited->fds, ret_handover, err);

    if (rc < 0)
        return rc;
    *ret_device = device_adopt(inherited->fds[HANDOVER_DEVICE], options->mountpoint);
    (void)oom_protect();
    return 0;
}

static void close_all(const struct inherited *inherited)
{
    for (int i = 0; i < HANDOVER_FDS; i++)
        close(inherited->fds[i]);
}

/* The worker of the supervisor that died serves still, if the manager let it. */
static void end_worker_before(struct handover *handover)
{
    handover_free_from_worker(handover);
    handover->block->supervisor_before = handover->block->supervisor;
    handover->block->ready = 0; /* numbers of processes come again */
    handover->block->prepared = 0;
    handover->block->ended = 0;
}

int takeover_open(const struct device_options *options, const struct inherited *inherited,
                  struct device **ret_device, struct handover **ret_handover,
                  struct error *err)
{
    struct error why = {0};

    if (inherited->role == INHERIT_AS_SUPERVISOR)
        return adopt(options, inherited, ret_device, ret_handover, err);
    if (inherited->role == INHERIT_NOTHING)
        return mount_anew(options, ret_device, ret_handover, err);
    if (!device_is_connected(inherited->fds[HANDOVER_DEVICE])) {
        close_all(inherited);
        return mount_anew(options, ret_device, ret_handover, err);
    }
    if (adopt(options, inherited, ret_device, ret_handover, &why) < 0) {
        log_error("cannot go on with the mount at '%s', mounting anew: %s",
                  options->mountpoint, why.message);
        device_detach(options->mountpoint);
        close_all(inherited);
        return mount_anew(options, ret_device, ret_handover, err);
    }
    end_worker_before(*ret_handover);
    return 0;
}
