/* SPDX-License-Identifier: Apache-2.0 */
/* The FIFO of ST's chips as far as they agree: items that are words of a pattern, or entries with a tag. */
#ifndef EMLEARN_EMUL_LSM6_FIFO_H_
#define EMLEARN_EMUL_LSM6_FIFO_H_

#include <stdbool.h>
#include <stdint.h>

#include <emlearn/zephyr/chip_model.h>

#include "chip_fifo.h"

/* Modes in which it stores something. Continuous to FIFO is continuous: its trigger never comes. */
#define LSM6_FIFO_UNTIL_FULL 1
#define LSM6_FIFO_CONTINUOUS_TO_FIFO 3
#define LSM6_FIFO_CONTINUOUS 6

/* Place of an item that belongs to no frame. */
#define LSM6_PLACE_ODD 0x80

/* Bytes of ring.bytes for an item of n bytes: its place within its frame comes first. */
#define LSM6_FIFO_BYTES(n) ((n) + 1)

struct lsm6_fifo {
	struct chip_fifo ring;
	uint32_t item_bytes; /* without the place */
	bool is_cut;         /* the oldest frame has been counted as overwritten */
};

void lsm6_fifo_clear(struct lsm6_fifo *fifo);

uint32_t lsm6_fifo_count(const struct lsm6_fifo *fifo);

/* Append an item. Where `capacity` of them are held the oldest makes room, or if `until_full` the new one is left out.
 */
void lsm6_fifo_push(struct lsm6_fifo *fifo, struct emlearn_chip_counts *counts, uint32_t capacity, bool until_full,
		    uint8_t place, const uint8_t *item);

/*
 * Frames of `frame_items` each that can be appended without a change of what the FIFO tells: the threshold reached (0
 * for none), full, overrun.
 */
uint32_t lsm6_fifo_quiet(const struct lsm6_fifo *fifo, uint32_t capacity, uint32_t threshold, uint32_t frame_items);

/* Place of the oldest item; 0 without one, and of one that is odd. */
uint8_t lsm6_fifo_place(const struct lsm6_fifo *fifo);

/* A byte of the oldest item, which must be there. */
uint8_t lsm6_fifo_byte(const struct lsm6_fifo *fifo, uint32_t byte);

/* The oldest item has been read. */
void lsm6_fifo_take(struct lsm6_fifo *fifo);

/* Does this mode store anything? */
bool lsm6_fifo_is_on(uint8_t mode);

#endif /* EMLEARN_EMUL_LSM6_FIFO_H_ */
