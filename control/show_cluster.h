/* The cluster's answer, for people; part of show. */
#ifndef CONTROL_SHOW_CLUSTER_H
#define CONTROL_SHOW_CLUSTER_H

#include <jansson.h>
#include <stdio.h>

void show_cluster(const json_t *answer, FILE *out);

#endif
