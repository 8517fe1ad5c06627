/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm6_fifo.h"

#include <zephyr/sys/util.h>

void lsm6_fifo_clear(struct lsm6_fifo *fifo)
{
	chip_fifo_clear(&fifo->ring);
	fifo->is_cut = false;
}

uint32_t lsm6_fifo_count(const struct lsm6_fifo *fifo)
{
	return fifo->ring.n / LSM6_FIFO_BYTES(fifo->item_bytes);
}

/* The oldest item goes: its frame is lost, once. */
static void overwrite(struct lsm6_fifo *fifo, struct emlearn_chip_counts *counts)
{
	uint8_t place = chip_fifo_peek(&fifo->ring, 0);

	if (place != LSM6_PLACE_ODD) {
		if (place == 0 || !fifo->is_cut) {
			counts->n_overwritten++;
		}
		fifo->is_cut = true;
	}
	chip_fifo_drop(&fifo->ring, LSM6_FIFO_BYTES(fifo->item_bytes));
}

void lsm6_fifo_push(struct lsm6_fifo *fifo, struct emlearn_chip_counts *counts, uint32_t capacity, bool until_full,
		    uint8_t place, const uint8_t *item)
{
	while (lsm6_fifo_count(fifo) >= capacity) {
		if (until_full) {
			return;
		}
		overwrite(fifo, counts);
	}
	chip_fifo_push(&fifo->ring, &place, 1);
	chip_fifo_push(&fifo->ring, item, fifo->item_bytes);
}

uint32_t lsm6_fifo_quiet(const struct lsm6_fifo *fifo, uint32_t capacity, uint32_t threshold, uint32_t frame_items)
{
	const uint32_t n = lsm6_fifo_count(fifo);
	/* It counts as full where another frame would fill it. */
	const uint32_t limits[] = {threshold, capacity - MIN(frame_items, capacity), capacity};
	uint32_t frames = UINT32_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(limits) && frame_items != 0; i++) {
		if (n < limits[i]) {
			frames = MIN(frames, (limits[i] - n - 1) / frame_items);
		}
	}
	return frames;
}

uint8_t lsm6_fifo_place(const struct lsm6_fifo *fifo)
{
	uint8_t place = fifo->ring.n == 0 ? 0 : chip_fifo_peek(&fifo->ring, 0);

	return place == LSM6_PLACE_ODD ? 0 : place;
}

uint8_t lsm6_fifo_byte(const struct lsm6_fifo *fifo, uint32_t byte)
{
	return chip_fifo_peek(&fifo->ring, 1 + byte);
}

void lsm6_fifo_take(struct lsm6_fifo *fifo)
{
	if (lsm6_fifo_place(fifo) == 0) {
		fifo->is_cut = false;
	}
	chip_fifo_drop(&fifo->ring, LSM6_FIFO_BYTES(fifo->item_bytes));
}

bool lsm6_fifo_is_on(uint8_t mode)
{
	return mode == LSM6_FIFO_UNTIL_FULL || mode == LSM6_FIFO_CONTINUOUS_TO_FIFO || mode == LSM6_FIFO_CONTINUOUS;
}
