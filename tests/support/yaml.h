// SPDX-License-Identifier: Apache-2.0
/*
 * yaml.h - a YAML file as JSON values.  No anchors, tags or merges.
 */
#pragma once

#include <jansson.h>

/* What is wrong with it fails the test. */
json_t *yaml_json(const char *path);
