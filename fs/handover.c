/* handover.c: makes the block that workers hand on. */
#include "fs/handover.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "fs/slots.h"
#include "fs/staging_node.h"

#include <sys/mman.h>
#include <time.h>

static int make_staged(struct handover *handover, struct error *err)
{
    struct staging_nodes *nodes = NULL;
    int rc = staging_nodes_open(-1, &nodes, err);

    if (rc < 0)
        return rc;
    handover->staged_fd = dup(staging_nodes_fd(nodes));
    staging_nodes_close(nodes);
    return handover->staged_fd < 0 ? fail_errno(err, "keep the table of staged files")
                                   : 0;
}

/* The slot table is opened once to give it its head; the descriptor stays. */
static int make_slots(struct handover *handover, struct error *err)
{
    struct slots *slots = NULL;
    int rc = slots_open(-1, &slots, err);

    if (rc < 0)
        return rc;
    handover->slots_fd = dup(slots_fd(slots));
    if (handover->slots_fd < 0)
        rc = fail_errno(err, "keep the slot table");
    if (rc == 0)
        rc = make_staged(handover, err);
    slots_close(slots);
    return rc;
}

int handover_new(struct handover **ret_handover, struct error *err)
{
    struct handover *handover = XNEW(struct handover);
    int rc;

    handover->device_fd = -1;
    handover->slots_fd = -1;
    handover->staged_fd = -1;
    handover->block = mmap(NULL, sizeof *handover->block, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (handover->block == MAP_FAILED) {
        handover->block = NULL;
        rc = fail_errno(err, "map the memory that workers share");
    } else {
        handover->block->layout = HANDOVER_LAYOUT;
        handover->block->start_s = time(NULL);
        rc = make_slots(handover, err);
    }
    if (rc < 0) {
        handover_free(handover);
        return rc;
    }
    *ret_handover = handover;
    return 0;
}

void handover_free(struct handover *handover)
{
    if (!handover)
        return;
    if (handover->block)
        munmap(handover->block, sizeof *handover->block);
    if (handover->slots_fd >= 0)
        close(handover->slots_fd);
    if (handover->staged_fd >= 0)
        close(handover->staged_fd);
    free(handover);
}
