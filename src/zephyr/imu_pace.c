/* SPDX-License-Identifier: Apache-2.0 */
#include <emlearn/zephyr/imu_pace.h>

#include <errno.h>

#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>
#include <zephyr/sys/util.h>

LOG_MODULE_DECLARE(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

/* Millihertz times microseconds of one period. */
#define MHZ_US UINT64_C(1000000000)

#define TICKS_MIN 3

int emlearn_imu_pace_start(struct emlearn_imu_pace *pace, const struct emlearn_imu_reader *reader)
{
	const bool unpaced = reader->asked.unpaced;

	pace->rate_mhz = reader->rate_mhz;
	pace->start_us = unpaced ? 0 : emlearn_imu_now_us();
	if (!unpaced && TICKS_MIN * k_ticks_to_us_ceil32(1) > MHZ_US / pace->rate_mhz) {
		LOG_ERR("%s: %u mHz leave less than %d ticks a sample at CONFIG_SYS_CLOCK_TICKS_PER_SEC=%d",
			reader->dev->name, pace->rate_mhz, TICKS_MIN, CONFIG_SYS_CLOCK_TICKS_PER_SEC);
		return -ENOTSUP;
	}
	return 0;
}

int64_t emlearn_imu_pace_due_us(const struct emlearn_imu_pace *pace, uint64_t number)
{
	uint64_t whole = number / pace->rate_mhz * MHZ_US;

	return pace->start_us + (int64_t)(whole + number % pace->rate_mhz * MHZ_US / pace->rate_mhz);
}

uint64_t emlearn_imu_pace_number_at(const struct emlearn_imu_pace *pace, int64_t t_us)
{
	/* The last frame that is due before the microsecond after t_us. */
	uint64_t before_us = (uint64_t)(t_us - pace->start_us) + 1;
	uint64_t whole = before_us / MHZ_US * pace->rate_mhz;

	return whole + DIV_ROUND_UP(before_us % MHZ_US * pace->rate_mhz, MHZ_US) - 1;
}

uint32_t emlearn_imu_pace_period_ns(const struct emlearn_imu_pace *pace)
{
	return (uint32_t)MIN(MHZ_US * 1000 / pace->rate_mhz, UINT32_MAX);
}

uint32_t emlearn_imu_pace_span_us(const struct emlearn_imu_pace *pace, uint32_t n_frames)
{
	return (uint32_t)MIN(n_frames * MHZ_US / pace->rate_mhz, UINT32_MAX);
}
