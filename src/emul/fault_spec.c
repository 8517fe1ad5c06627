/* SPDX-License-Identifier: Apache-2.0 */
#include "fault_spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zephyr/sys/printk.h>
#include <zephyr/sys/util.h>

enum value {
	NO_VALUE,
	MAY_HAVE_VALUE,
	WANTS_VALUE,
};

static const struct {
	const char *name;
	enum value value;
	bool once; /* has no n */
} kinds[] = {
	[EMLEARN_FAULT_NACK] = {"nack", MAY_HAVE_VALUE, false},
	[EMLEARN_FAULT_INT_STUCK] = {"int-stuck", WANTS_VALUE, true},
	[EMLEARN_FAULT_INT_LOST] = {"int-lost", NO_VALUE, false},
	[EMLEARN_FAULT_INT_SPURIOUS] = {"int-spurious", NO_VALUE, false},
	[EMLEARN_FAULT_OVERRUN] = {"overrun", MAY_HAVE_VALUE, false},
	[EMLEARN_FAULT_BROWNOUT] = {"brownout", NO_VALUE, true},
	[EMLEARN_FAULT_WHO_AM_I] = {"who-am-i", WANTS_VALUE, false},
	[EMLEARN_FAULT_ODD] = {"odd", NO_VALUE, false},
	[EMLEARN_FAULT_CLOCK] = {"clock", WANTS_VALUE, true},
	[EMLEARN_FAULT_DROP] = {"drop", NO_VALUE, false},
	[EMLEARN_FAULT_REPEAT] = {"repeat", NO_VALUE, false},
	[EMLEARN_FAULT_CLIP] = {"clip", NO_VALUE, false},
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

static const char *take_n(const char *text, uint32_t *n)
{
	if (*text == '*') {
		*n = UINT32_MAX;
		return text + 1;
	}
	return take_count(text, n);
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

/* What a kind has not or wants; NULL if all is well. */
static const char *misfit(enum emlearn_fault_kind kind, bool has_n, bool has_value)
{
	if (kinds[kind].once && has_n) {
		return "has an xN, but int-stuck, brownout and clock strike once";
	}
	if (kinds[kind].value == NO_VALUE && has_value) {
		return "has a VALUE, which only nack, int-stuck, overrun, who-am-i and clock take";
	}
	if (kinds[kind].value == WANTS_VALUE && !has_value) {
		return "has not the VALUE that int-stuck, who-am-i and clock want";
	}
	return NULL;
}

const char *fault_spec_parse(const char *text, struct emlearn_fault *fault, const char **wrong)
{
	bool has_value = false;
	bool has_n = false;

	*fault = (struct emlearn_fault){.n = 1};
	*wrong = "is not KIND@FRAME[xN][=VALUE]; KIND is one of " FAULT_SPEC_KINDS;
	text = take_kind(text, &fault->kind);
	if (text != NULL) {
		text = take_count(text, &fault->at_frame);
	}
	if (text != NULL && *text == 'x') {
		has_n = true;
		text = take_n(text + 1, &fault->n);
	}
	if (text != NULL && *text == '=') {
		has_value = true;
		text = take_value(text + 1, &fault->value);
	}
	if (text == NULL || fault->n == 0 || (*text != '\0' && *text != ',') || strcmp(text, ",") == 0) {
		return NULL;
	}
	*wrong = misfit(fault->kind, has_n, has_value);
	if (*wrong != NULL) {
		return NULL;
	}
	return *text == ',' ? text + 1 : text;
}

int fault_spec_print(const struct emlearn_fault *fault, char *text, size_t size)
{
	char n[sizeof("x4294967295")] = "";
	char value[sizeof("=-2147483648")] = "";

	if (fault->n == UINT32_MAX) {
		snprintk(n, sizeof(n), "x*");
	} else if (fault->n > 1) {
		snprintk(n, sizeof(n), "x%u", fault->n);
	}
	if (kinds[fault->kind].value == WANTS_VALUE || fault->value != 0) {
		snprintk(value, sizeof(value), "=%d", fault->value);
	}
	return snprintk(text, size, "%s@%u%s%s", kinds[fault->kind].name, fault->at_frame, n, value);
}
