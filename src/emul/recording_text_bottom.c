/* SPDX-License-Identifier: Apache-2.0 */
/* Host side of native_sim: text or what it is instead, by the rules of emlearn_tools.loaders.files. */
#include "recording_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recording_table.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";
static const char lfs_pointer[] = "version https://git-lfs.github.com/";

/* Bytes of the character of UTF-8 at `at`; 0 if it is none. The bytes end with a 0. */
static size_t character(const unsigned char *at)
{
	/* The second byte of some is held closer: no longer form than needed, no half of UTF-16, nothing too big. */
	unsigned char low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
	size_t n = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++) {
		if (at[i] < low || at[i] > high) {
			return 0;
		}
		low = 0x80;
		high = 0xbf;
	}
	return n;
}

static const char *check(const char *path, const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t n = character((const unsigned char *)text + at);

		if (n == 0) {
			return recording_table_fail(path, 0, "is not UTF-8 text (byte %zu); save it as UTF-8", at);
		}
		if (text[at] == '\0') {
			return recording_table_fail(path, 0, "is no text, byte %zu is 0; save it as UTF-8", at);
		}
		at += n;
	}
	if (strncmp(text, lfs_pointer, sizeof(lfs_pointer) - 1) == 0) {
		return recording_table_fail(path, 0, "is a Git LFS pointer, not the data; run git lfs pull");
	}
	return NULL;
}

/* All that is left of a file, with a 0 behind it. NULL if that fails. */
static char *read_all(FILE *file, size_t *size)
{
	size_t room = 1 << 16;
	char *text = malloc(room);
	size_t n = 1;

	*size = 0;
	while (text != NULL && n > 0) {
		n = fread(text + *size, 1, room - *size - 1, file);
		*size += n;
		if (*size == room - 1) {
			char *more = realloc(text, 2 * room);

			if (more == NULL) {
				free(text);
			}
			text = more;
			room *= 2;
		}
	}
	if (text != NULL) {
		text[*size] = '\0';
	}
	return text;
}

const char *recording_text_read(FILE *file, const char *path, char **text)
{
	const size_t mark = sizeof(byte_order_mark) - 1;
	size_t size;
	const char *error;

	*text = read_all(file, &size);
	if (*text == NULL || ferror(file)) {
		free(*text);
		return recording_table_fail(path, 0, "cannot be read (%s)", strerror(errno));
	}
	error = check(path, *text, size);
	if (error != NULL) {
		free(*text);
	} else if (strncmp(*text, byte_order_mark, mark) == 0) {
		memmove(*text, *text + mark, size - mark + 1);
	}
	return error;
}
