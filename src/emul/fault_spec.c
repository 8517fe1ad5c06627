/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/sys/util.h>

static const struct {
	const char *name;
	bool wants_value;
} kinds[] = {
	[EMLEARN_FAULT_NACK] = {"nack", false},         [EMLEARN_FAULT_INT_STUCK] = {"int-stuck", true},
	[EMLEARN_FAULT_INT_LOST] = {"int-lost", false}, [EMLEARN_FAULT_INT_SPURIOUS] = {"int-spurious", false},
	[EMLEARN_FAULT_OVERRUN] = {"overrun", false},   [EMLEARN_FAULT_BROWNOUT] = {"brownout", false},
	[EMLEARN_FAULT_WHO_AM_I] = {"who-am-i", true},  [EMLEARN_FAULT_ODD] = {"odd", false},
	[EMLEARN_FAULT_CLOCK] = {"clock", true},        [EMLEARN_FAULT_DROP] = {"drop", false},
	[EMLEARN_FAULT_REPEAT] = {"repeat", false},     [EMLEARN_FAULT_CLIP] = {"clip", false},
};

BUILD_ASSERT(ARRAY_SIZE(kinds) == EMLEARN_FAULT_KINDS, "each kind has a name");

/* The kind whose name stands at `text` before an @; the text behind that. */
static const char *take_kind(const char *text, enum emlearn_fault_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].name);

		if (strncmp(text, kinds[i].name, n) == 0 && text[n] == '@') {
			*kind = (enum emlearn_fault_kind)i;
			return text + n + 1;
		}
	}
	return NULL;
}

/* Digits only: no sign, no spaces. */
static const char *take_count(const char *text, uint32_t *count)
{
	unsigned long long value;
	char *end;

	if (!isdigit((unsigned char)*text)) {
		return NULL;
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || value > UINT32_MAX) {
		return NULL;
	}
	*count = (uint32_t)value;
	return end;
}

static const char *take_value(const char *text, int32_t *value)
{
	const char *digits = text + (*text == '-' ? 1 : 0);
	long long number;
	char *end;

	if (!isdigit((unsigned char)*digits)) {
		return NULL;
	}
	errno = 0;
	number = strtoll(text, &end, strncmp(digits, "0x", 2) == 0 ? 16 : 10);
	if (errno != 0 || number < INT32_MIN || number > INT32_MAX) {
		return NULL;
	}
	*value = (int32_t)number;
	return end;
}

const char *fault_spec_parse(const char *text, struct emlearn_fault *fault)
{
	bool has_value = false;

	*fault = (struct emlearn_fault){.n = 1};
	text = take_kind(text, &fault->kind);
	if (text != NULL) {
		text = take_count(text, &fault->at_frame);
	}
	if (text != NULL && text[0] == 'x' && text[1] == '*') {
		fault->n = UINT32_MAX;
		text += 2;
	} else if (text != NULL && text[0] == 'x') {
		text = take_count(text + 1, &fault->n);
	}
	if (text != NULL && *text == '=') {
		text = take_value(text + 1, &fault->value);
		has_value = true;
	}
	if (text == NULL || fault->n == 0 || (kinds[fault->kind].wants_value && !has_value)) {
		return NULL;
	}
	if (*text == ',' && text[1] != '\0') {
		return text + 1;
	}
	return *text == '\0' ? text : NULL;
}
