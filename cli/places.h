/* places.h: where things lie when nobody says otherwise: XDG folders, the configuration
 * file.
 *
 * Reads the environment, so not while another thread changes it. All results are freed
 * with free(). */
#ifndef CLI_PLACES_H
#define CLI_PLACES_H

#include "common/error.h"

/* $XDG_DATA_HOME/modelfs (default ~/.local/share/modelfs). */
int places_data(char **ret_path, struct error *err);

/* The configuration file: asked (-c) if not NULL, else $MODELFS_CONFIG, else the first
 * that exists of $XDG_CONFIG_HOME/modelfs/config.yaml (default ~/.config) and
 * /etc/modelfs/config.yaml. *ret_path is NULL when there is none; a file that was named
 * is returned whether it exists or not. */
int places_config(const char *asked, char **ret_path, struct error *err);

#endif
