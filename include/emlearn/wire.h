/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * A decision as one line of ASCII, for a console, a log or a radio:
 *
 *     E1,12340000,3,2,walking,2040,2550,0,w,1a2b3c4d*b242
 *
 * version, time in us, class, class of this window alone, name of the class, votes for the window's class, votes in
 * all, frames lost, flags (w warming, - none), digest of the model, CRC-16/CCITT-FALSE of all before the star.
 */
#ifndef EMLEARN_WIRE_H_
#define EMLEARN_WIRE_H_

#include <stddef.h>
#include <stdint.h>

#include <emlearn/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Longest class name; the name in a line is cut off behind it. */
#define EMLEARN_WIRE_NAME_LEN_MAX 32u

/** Bytes that hold any line with its terminating zero. */
#define EMLEARN_WIRE_LINE_SIZE 136u

/**
 * Write a line, without a line end.
 *
 * @param line     size bytes
 * @param size     EMLEARN_WIRE_LINE_SIZE is always enough
 * @param decision what to write
 * @param digest   of the model (struct emlearn_pipeline)
 * @param name     of class_idx; bytes other than A-Z a-z 0-9 _ - . and space are written as '?'
 * @return characters written, without the terminating zero, or -ENOSPC and an empty line
 */
int emlearn_wire_encode(char *line, size_t size, const struct emlearn_decision *decision, uint32_t digest,
			const char *name);

/**
 * Read a line back.
 *
 * @param line     ends with a zero, or with CR or LF
 * @param decision filled on success, untouched otherwise
 * @param digest   of the model that wrote the line
 * @param name     EMLEARN_WIRE_NAME_LEN_MAX + 1 bytes
 * @return 0, -EINVAL (not such a line), -EPROTO (another version) or -EBADMSG (checksum)
 */
int emlearn_wire_decode(const char *line, struct emlearn_decision *decision, uint32_t *digest, char *name);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_WIRE_H_ */
