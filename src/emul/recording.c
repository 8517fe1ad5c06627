/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/recording.h>

#include <stddef.h>

const char *emlearn_recording_label(const struct emlearn_recording *recording, uint32_t frame, uint32_t *n_same)
{
	uint32_t start = 0;

	for (uint32_t i = 0; i < recording->n_spans; i++) {
		if (frame < recording->spans[i].stop) {
			if (n_same != NULL) {
				*n_same = frame - start + 1;
			}
			return recording->spans[i].label;
		}
		start = recording->spans[i].stop;
	}
	return NULL;
}
