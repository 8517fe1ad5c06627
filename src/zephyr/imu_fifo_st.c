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

static uint32_t rate_mhz(unsigned int code)
{
	static const uint16_t rates_dhz[] = {0, 125, 260, 520, 1040, 2080, 4160, 8330, 16600, 33300};

	return code < ARRAY_SIZE(rates_dhz) ? rates_dhz[code] * UINT32_C(100) : 0;
}

static int see_acc(struct emlearn_imu_fifo *fifo, uint8_t ctrl, struct emlearn_imu_got *got)
{
	/* 2, 16, 4 and 8 g. */
	static const uint8_t shifts[] = {0, 3, 1, 2};
	const unsigned int shift = shifts[RANGE(ctrl)];

	return emlearn_imu_set_code_step(fifo->reader, EMLEARN_SENSOR_ACC,
					 (struct emlearn_imu_step){ACC_NUM << shift, ACC_DEN}, 2000u << shift, got);
}

static int see_gyro(struct emlearn_imu_fifo *fifo, uint8_t ctrl, struct emlearn_imu_got *got)
{
	/* 250 dps and up; 4000 is the ism330dhcx's. */
	const unsigned int shift = (ctrl & G_4000) != 0 ? 5u : (ctrl & G_125) != 0 ? 0u : 1u + RANGE(ctrl);

	return emlearn_imu_set_code_step(fifo->reader, EMLEARN_SENSOR_GYRO,
					 (struct emlearn_imu_step){GYRO_NUM << shift, GYRO_DEN}, 125000u << shift, got);
}

int emlearn_imu_fifo_st_see(struct emlearn_imu_fifo *fifo, struct emlearn_imu_got *got)
{
	const bool acc = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_ACC);
	const bool gyro = emlearn_imu_fifo_has(fifo, EMLEARN_SENSOR_GYRO);
	const uint8_t *ctrl = &fifo->settings[ST_CTRL_AT(ST_CTRL1_XL)];
	const unsigned int code = ctrl[acc ? 0 : 1] >> RATE_SHIFT;
	/* Sensors at two rates make no frames: no rate. */
	const bool is_one = !acc || !gyro || ctrl[1] >> RATE_SHIFT == (int)code;
	int rc = emlearn_imu_settle_rate(fifo->reader, is_one ? rate_mhz(code) : 0, got);

	if (rc == 0 && acc) {
		rc = see_acc(fifo, ctrl[0], got);
	}
	if (rc == 0 && gyro) {
		rc = see_gyro(fifo, ctrl[1], got);
	}
	return rc == 0 ? (int)code : rc;
}

void emlearn_imu_fifo_st_route(struct emlearn_imu_fifo *fifo)
{
	if (fifo->wiring->line.port != NULL) {
		fifo->settings[fifo->wiring->int_pin == 2 ? ST_INT_AT(ST_INT2_CTRL) : ST_INT_AT(ST_INT1_CTRL)] |=
			ST_INT_FIFO_TH;
	}
}
