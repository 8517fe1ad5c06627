/* SPDX-License-Identifier: Apache-2.0 */
#include "imu_fifo_st.h"

/* Of CTRL1_XL and CTRL2_G. */
#define RATE_SHIFT 4
#define RANGE(ctrl) (((ctrl) >> 2) & 3u)
#define G_125 0x02
#define G_4000 0x01

/* Steps: 61 ug at 2 g, and 4.375 mdps at 125 dps. */
#define ACC_NUM 61u
#define ACC_DEN 1000000u
#define GYRO_NUM 35u
#define GYRO_DEN 8000u

unsigned int emlearn_imu_fifo_st_see(const struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got)
{
	static const uint16_t rates_dhz[] = {0, 125, 260, 520, 1040, 2080, 4160, 8330, 16600, 33300};
	/* 2, 16, 4 and 8 g. */
	static const uint8_t acc_shifts[] = {0, 3, 1, 2};
	const uint8_t sensors = fifo->reader->asked.sensors;
	const uint8_t acc = fifo->settings[ST_CTRL_AT(ST_CTRL1_XL)];
	const uint8_t gyro = fifo->settings[ST_CTRL_AT(ST_CTRL2_G)];
	const unsigned int acc_shift = acc_shifts[RANGE(acc)];
	/* 250 dps and up; 4000 is the ism330dhcx's. */
	const unsigned int gyro_shift = (gyro & G_4000) != 0 ? 5u : (gyro & G_125) != 0 ? 0u : 1u + RANGE(gyro);
	unsigned int code = (sensors & EMLEARN_SENSOR_ACC) != 0 ? acc >> RATE_SHIFT : gyro >> RATE_SHIFT;

	if ((sensors & EMLEARN_SENSOR_GYRO) != 0 && gyro >> RATE_SHIFT != (int)code) {
		/* Sensors at two rates make no frames: no rate. */
		code = 0;
	}
	got->rate_mhz = code < ARRAY_SIZE(rates_dhz) ? rates_dhz[code] * UINT32_C(100) : 0;
	got->acc_step = (struct emlearn_imu_step){ACC_NUM << acc_shift, ACC_DEN};
	got->acc_range_mg = 2000u << acc_shift;
	got->gyro_step = (struct emlearn_imu_step){GYRO_NUM << gyro_shift, GYRO_DEN};
	got->gyro_range_mdps = 125000u << gyro_shift;
	return code;
}

void emlearn_imu_fifo_st_route(struct emlearn_imu_fifo *fifo)
{
	if (fifo->wiring->line.port != NULL) {
		fifo->settings[fifo->wiring->int_pin == 2 ? ST_INT_AT(ST_INT2_CTRL) : ST_INT_AT(ST_INT1_CTRL)] |=
			ST_INT_FIFO_TH;
	}
}
