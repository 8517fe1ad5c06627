/* SPDX-License-Identifier: Apache-2.0 */
/* A ring of bytes: the memory of a chip's FIFO. What a word, packet or entry is, the model knows. */
#ifndef EMLEARN_EMUL_CHIP_FIFO_H_
#define EMLEARN_EMUL_CHIP_FIFO_H_

#include <stdint.h>

struct chip_fifo {
	uint8_t *bytes;
	uint32_t size;  /* of bytes */
	uint32_t first; /* index of the oldest byte */
	uint32_t n;     /* bytes held */
};

void chip_fifo_clear(struct chip_fifo *fifo);

/* Append n bytes, for which there must be room. */
void chip_fifo_push(struct chip_fifo *fifo, const uint8_t *bytes, uint32_t n);

/* Take out the oldest byte, or drop n of them; there must be that many. */
uint8_t chip_fifo_pop(struct chip_fifo *fifo);
void chip_fifo_drop(struct chip_fifo *fifo, uint32_t n);

/* The byte `offset` behind the oldest one, which must be there. */
uint8_t chip_fifo_peek(const struct chip_fifo *fifo, uint32_t offset);

#endif /* EMLEARN_EMUL_CHIP_FIFO_H_ */
