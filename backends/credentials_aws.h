/* credentials_aws.h: access key, secret key and region where the AWS tools look for them:
 * environment, profiles of ~/.aws, endpoints. */
#ifndef BACKENDS_CREDENTIALS_AWS_H
#define BACKENDS_CREDENTIALS_AWS_H

#include "backends/credentials_search.h"
#include "common/error.h"

/* As credentials_search.h says of all of them. The region is found with or without keys.
 */
int credentials_aws_find(struct credentials_search *search, struct error *err);

/* The region that the environment names; NULL if none. The caller frees it. */
char *credentials_aws_region(void);

#endif
