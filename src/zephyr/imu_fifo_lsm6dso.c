/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lsm6dso and ism330dhcx: a FIFO of 512 entries, each a tag and 6 bytes. The tag says what it is, and counts time slots
 * modulo 4: the entries of a frame share theirs, in whatever order they come.
 */
#include <zephyr/sys/byteorder.h>

#include "imu_fifo_st.h"

#define FIFO_CTRL1 0x07

/* FIFO_CTRL3 and 4 */
#define GYRO_RATE_SHIFT 4
#define TIME_EACH 0x40

/* FIFO_STATUS1 and 2 */
#define ENTRIES_MASK 0x03FFu

/* FIFO_STATUS2 */
#define OVERRUN_LATCHED 0x08
#define OVERRUN 0x40

#define ENTRY_BYTES 7
#define ENTRIES 512

/* Tags */
#define TAG_SHIFT 3
#define SLOT(tag) (((tag) >> 1) & 3u)
#define TAG_GYRO 1
#define TAG_ACC 2
#define TAG_TIME 4
#define PART(kind) (1u << (kind))

/* Of the FIFO in the settings, behind the common ones. */
#define FIFO_AT ST_END_AT
#define FIFO_REGS 4

static int set_up(struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got)
{
	const unsigned int entries = (unsigned int)fifo->wiring->watermark * fifo->frame_bytes / ENTRY_BYTES;
	uint8_t *ctrl = &fifo->settings[FIFO_AT + 1];
	const unsigned int rate = emlearn_imu_fifo_st_see(fifo, got);

	ctrl[0] = (uint8_t)entries;
	ctrl[1] = (uint8_t)(entries >> 8);
	ctrl[2] = (uint8_t)((emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO) ? rate << GYRO_RATE_SHIFT : 0) |
			    (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC) ? rate : 0));
	ctrl[3] = ST_MODE_CONTINUOUS;
	if (emlearn_imu_fifo_is_timed(fifo)) {
		fifo->settings[ST_CTRL_AT(ST_CTRL10_C)] |= ST_TIMER_EN;
		ctrl[3] |= TIME_EACH;
	}
	emlearn_imu_fifo_st_route(fifo);
	return 0;
}

static int level(struct emlearn_imu_fifo *fifo)
{
	uint8_t status[3] = {ST_FIFO_STATUS1};
	unsigned int n_bytes;
	int rc = emlearn_imu_fifo_regs(fifo, EMLEARN_IMU_FIFO_READ, status, 2);

	if (rc != 0) {
		return rc;
	}
	/* With what was read of a frame already. */
	n_bytes = ENTRY_BYTES * (sys_get_le16(&status[1]) & ENTRIES_MASK) + fifo->tagged.part_bytes;
	fifo->n_frames = n_bytes / fifo->frame_bytes;
	fifo->overrun = (status[2] & (OVERRUN | OVERRUN_LATCHED)) != 0;
	return 0;
}

static bool is_even(uint8_t tag)
{
	tag ^= (uint8_t)(tag >> 4);
	tag ^= (uint8_t)(tag >> 2);
	tag ^= (uint8_t)(tag >> 1);
	return (tag & 1u) == 0;
}

/* What makes a frame. */
static uint8_t wanted(const struct emlearn_imu_fifo *fifo)
{
	return (uint8_t)((emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO) ? PART(TAG_GYRO) : 0) |
			 (emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC) ? PART(TAG_ACC) : 0) |
			 (emlearn_imu_fifo_is_timed(fifo) ? PART(TAG_TIME) : 0));
}

/* Add an entry to the frame that is being put together; a new slot begins a new one. False if it is none of ours. */
static bool add(struct emlearn_imu_fifo *fifo, const uint8_t *entry, uint8_t parts)
{
	const unsigned int kind = entry[0] >> TAG_SHIFT;
	const uint8_t part = (uint8_t)(kind <= TAG_TIME ? PART(kind) : 0);

	if ((part & parts) == 0 || !is_even(entry[0])) {
		return false;
	}
	if (fifo->tagged.parts != 0 && (SLOT(entry[0]) != fifo->tagged.slot || (fifo->tagged.parts & part) != 0)) {
		fifo->reader->stats.n_odd++;
		fifo->tagged.parts = 0;
		fifo->tagged.part_bytes = 0;
	}
	fifo->tagged.slot = SLOT(entry[0]);
	fifo->tagged.parts |= part;
	fifo->tagged.part_bytes += ENTRY_BYTES;
	if (kind == TAG_TIME) {
		fifo->tagged.part.time = sys_get_le32(&entry[1]);
	} else {
		emlearn_imu_fifo_axes_le(&entry[1], fifo->tagged.part.codes[kind == TAG_ACC ? 0 : 1]);
	}
	return true;
}

static bool take(struct emlearn_imu_fifo *fifo, struct emlearn_imu_fifo_sample *sample)
{
	const uint8_t parts = wanted(fifo);

	while (fifo->raw_pos + ENTRY_BYTES <= fifo->raw_end) {
		const uint8_t *entry = &fifo->wiring->raw[fifo->raw_pos];

		fifo->raw_pos += ENTRY_BYTES;
		if (!add(fifo, entry, parts)) {
			fifo->reader->stats.n_odd++;
		} else if (fifo->tagged.parts == parts) {
			fifo->tagged.parts = 0;
			fifo->tagged.part_bytes = 0;
			*sample = fifo->tagged.part;
			return true;
		}
	}
	return false;
}

#define CHIP(id)                                                                                                       \
	{                                                                                                              \
		.who_am_i_reg = ST_WHO_AM_I,                                                                           \
		.who_am_i = {(id), (id)},                                                                              \
		.mode_reg = 0x0A,                                                                                      \
		.mode_off = ST_MODE_OFF,                                                                               \
		.data_reg = 0x78,                                                                                      \
		.set_bytes = ENTRY_BYTES,                                                                              \
		.time_bits = 32,                                                                                       \
		.ticks_hz = ST_TICKS_HZ,                                                                               \
		.capacity = ENTRIES * ENTRY_BYTES,                                                                     \
		.settings = {ST_RANGES, {FIFO_CTRL1, FIFO_REGS}},                                                      \
		.set_up = set_up,                                                                                      \
		.level = level,                                                                                        \
		.take = take,                                                                                          \
	}

#ifdef CONFIG_DT_HAS_ST_LSM6DSO_ENABLED
const struct emlearn_imu_fifo_chip emlearn_imu_fifo_lsm6dso = CHIP(0x6C);
#endif
#ifdef CONFIG_DT_HAS_ST_ISM330DHCX_ENABLED
const struct emlearn_imu_fifo_chip emlearn_imu_fifo_ism330dhcx = CHIP(0x6B);
#endif
