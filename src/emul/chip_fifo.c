/* SPDX-License-Identifier: Apache-2.0 */
#include "chip_fifo.h"

#include <zephyr/sys/__assert.h>

void chip_fifo_clear(struct chip_fifo *fifo)
{
	fifo->first = 0;
	fifo->n = 0;
}

void chip_fifo_push(struct chip_fifo *fifo, const uint8_t *bytes, uint32_t n)
{
	__ASSERT_NO_MSG(n <= fifo->size - fifo->n);
	for (uint32_t i = 0; i < n; i++) {
		fifo->bytes[(fifo->first + fifo->n) % fifo->size] = bytes[i];
		fifo->n++;
	}
}

uint8_t chip_fifo_peek(const struct chip_fifo *fifo, uint32_t offset)
{
	__ASSERT_NO_MSG(offset < fifo->n);
	return fifo->bytes[(fifo->first + offset) % fifo->size];
}

void chip_fifo_drop(struct chip_fifo *fifo, uint32_t n)
{
	__ASSERT_NO_MSG(n <= fifo->n);
	fifo->first = (fifo->first + n) % fifo->size;
	fifo->n -= n;
}

uint8_t chip_fifo_pop(struct chip_fifo *fifo)
{
	uint8_t byte = chip_fifo_peek(fifo, 0);

	chip_fifo_drop(fifo, 1);
	return byte;
}
