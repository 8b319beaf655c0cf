/* s3_diagnose.h: what working with a bucket needs beyond its answer. */
#ifndef BACKENDS_S3_DIAGNOSE_H
#define BACKENDS_S3_DIAGNOSE_H

#include "backends/s3_client.h"
#include "backends/s3_conditional.h"

/* As backend_diagnose. */
void s3_diagnose(struct s3_client *client, struct s3_conditional *conditional,
                 backend_finding *each, void *arg);

#endif
