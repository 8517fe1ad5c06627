/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model of the icm42688 on emulated SPI, from its register map. Both sensors sample at the faster of their two rates;
 * filters, FSYNC, the motion engine and the temperature (always 25 degrees) are not modelled.
 */
#define DT_DRV_COMPAT invensense_icm4268x

#include "icm42688.h"

#include <string.h>

#include <zephyr/sys/byteorder.h>

/* Bits of ACCEL_CONFIG0 and GYRO_CONFIG0. */
#define ODR_MASK 0x0F
#define FS_SHIFT 5

/* Codes of PWR_MGMT0. */
#define ACCEL_MODE_MASK 0x03
#define ACCEL_MODE_LP 2
#define GYRO_MODE_SHIFT 2
#define GYRO_MODE_MASK 0x03
#define GYRO_MODE_LN 3

/* What the chip does not use for samples: codes below stand for one that is not there. */
#define VALID_MIN_16 (-32766)

/* 18 and 19 bits stand left in the 20 of a packet in high resolution. */
#define ACCEL_20_BITS_SHIFT 2
#define GYRO_20_BITS_SHIFT 1

static struct icm42688 *model(struct chip *chip)
{
	return CONTAINER_OF(chip, struct icm42688, chip);
}

/* Of both sensors; of them the gyroscope has no 6.25 Hz and below. */
static uint32_t rate_of(uint8_t config, bool is_gyro)
{
	static const uint32_t rates_mhz[] = {
		0,      32000000, 16000000, 8000000, 4000000, 2000000, 1000000, 200000,
		100000, 50000,    25000,    12500,   6250,    3125,    1562,    500000,
	};
	uint8_t code = config & ODR_MASK;

	return is_gyro && code >= 12 && code <= 14 ? 0 : rates_mhz[code];
}

bool icm42688_accel_on(const struct icm42688 *icm)
{
	return (icm42688_get(icm, ICM_PWR_MGMT0) & ACCEL_MODE_MASK) >= ACCEL_MODE_LP &&
	       rate_of(icm42688_get(icm, ICM_ACCEL_CONFIG0), false) > 0;
}

bool icm42688_gyro_on(const struct icm42688 *icm)
{
	return (icm42688_get(icm, ICM_PWR_MGMT0) >> GYRO_MODE_SHIFT & GYRO_MODE_MASK) == GYRO_MODE_LN &&
	       rate_of(icm42688_get(icm, ICM_GYRO_CONFIG0), true) > 0;
}

static uint32_t rate_mhz(const struct icm42688 *icm)
{
	uint32_t accel = icm42688_accel_on(icm) ? rate_of(icm42688_get(icm, ICM_ACCEL_CONFIG0), false) : 0;
	uint32_t gyro = icm42688_gyro_on(icm) ? rate_of(icm42688_get(icm, ICM_GYRO_CONFIG0), true) : 0;

	return MAX(accel, gyro);
}

/* Do frames go into the FIFO in 20 bits? Its range is the largest then, whatever is set. */
static bool is_20_bits(const struct icm42688 *icm)
{
	return icm42688_fifo_is_on(icm) && icm42688_fifo_is_hires(icm);
}

/* The least code of 16 bits that stands for a sample. */
static int32_t least(const struct icm42688 *icm)
{
	return (icm42688_get(icm, ICM_INTF_CONFIG0) & ICM_HOLD_LAST_DATA) != 0 ? INT16_MIN : VALID_MIN_16;
}

/* Codes of the output registers, and of packets of 16 bits. */
static struct chip_grid register_grid(const struct icm42688 *icm, bool is_gyro)
{
	static const uint32_t ten_per_dps[] = {164, 328, 655, 1310, 2620, 5243, 10486, 20972};
	const uint8_t fs = icm42688_get(icm, is_gyro ? ICM_GYRO_CONFIG0 : ICM_ACCEL_CONFIG0) >> FS_SHIFT;
	const struct emlearn_imu_step gyro = {10, ten_per_dps[fs]};
	const struct emlearn_imu_step accel = {1, 2048u << MIN(fs, 3)};

	return (struct chip_grid){is_gyro ? gyro : accel, least(icm), INT16_MAX};
}

/* Bits of the codes of packets of 20 bits beyond 16. */
static unsigned int extra_bits(bool is_gyro)
{
	return 4 - (is_gyro ? GYRO_20_BITS_SHIFT : ACCEL_20_BITS_SHIFT);
}

/* What is told as truth: codes of the registers, or of the FIFO where that has more bits. */
static struct chip_grid truth_grid(const struct icm42688 *icm, bool is_gyro)
{
	const unsigned int shift = extra_bits(is_gyro);
	const struct emlearn_imu_step gyro = {10, 164u << shift};
	const struct emlearn_imu_step accel = {1, 2048u << shift};

	if (!is_20_bits(icm)) {
		return register_grid(icm, is_gyro);
	}
	return (struct chip_grid){is_gyro ? gyro : accel, least(icm) * (1 << shift), (1 << (15 + shift)) - 1};
}

static void steps(const struct chip *chip, struct emlearn_imu_step *acc_step, struct emlearn_imu_step *gyro_step)
{
	const struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);

	*acc_step = truth_grid(icm, false).step;
	*gyro_step = truth_grid(icm, true).step;
}

static unsigned int truth_extra_bits(const struct chip *chip, uint8_t sensor)
{
	const struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);

	return is_20_bits(icm) ? extra_bits(sensor == EMLEARN_SENSOR_GYRO) : 0;
}

static void put_data(struct icm42688 *icm, uint8_t address, int32_t value)
{
	uint8_t *at = &icm->registers[0][address];

	if ((icm42688_get(icm, ICM_INTF_CONFIG0) & ICM_SENSOR_BIG_ENDIAN) != 0) {
		sys_put_be16((uint16_t)value, at);
	} else {
		sys_put_le16((uint16_t)value, at);
	}
}

static bool is_on(const struct icm42688 *icm, bool is_gyro)
{
	return is_gyro ? icm42688_gyro_on(icm) : icm42688_accel_on(icm);
}

/* What the registers hold, at the range that is set. */
static void sample_registers(struct icm42688 *icm)
{
	for (unsigned int i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
		const bool is_gyro = i >= EMLEARN_AXES;
		const struct chip_grid grid = register_grid(icm, is_gyro);

		if (is_on(icm, is_gyro)) {
			put_data(icm, (uint8_t)(ICM_ACCEL_DATA_X1 + 2 * i), chip_code(&icm->chip, i, &grid));
		}
	}
	put_data(icm, ICM_TEMP_DATA1, 0);
}

static void sample(struct chip *chip, int32_t codes[EMLEARN_CHIP_CHANNELS])
{
	struct icm42688 *icm = model(chip);

	sample_registers(icm);
	for (unsigned int i = 0; i < EMLEARN_CHIP_CHANNELS; i++) {
		const bool is_gyro = i >= EMLEARN_AXES;
		const struct chip_grid grid = truth_grid(icm, is_gyro);

		codes[i] = is_on(icm, is_gyro) ? chip_code(chip, i, &grid) : 0;
		icm->codes[i] = codes[i];
		if (is_20_bits(icm)) {
			icm->codes[i] *= 1 << (is_gyro ? GYRO_20_BITS_SHIFT : ACCEL_20_BITS_SHIFT);
		}
	}
	icm42688_raise(icm, ICM_DATA_RDY_INT);
}

static uint8_t read_status(struct icm42688 *icm)
{
	uint8_t status;

	chip_touch(&icm->chip);
	status = icm->status;
	icm->status = 0;
	icm42688_clear(icm, 0xFF, false);
	return status;
}

static uint8_t read_count(struct icm42688 *icm)
{
	uint16_t count = icm42688_fifo_count(icm);
	bool is_big = (icm42688_get(icm, ICM_INTF_CONFIG0) & ICM_COUNT_BIG_ENDIAN) != 0;

	icm->count_l = (uint8_t)(is_big ? count : count >> 8);
	return (uint8_t)(is_big ? count >> 8 : count);
}

static uint8_t read(struct chip *chip, uint8_t address)
{
	struct icm42688 *icm = model(chip);
	uint8_t bank = icm42688_get(icm, ICM_BANK_SEL);

	if (address == ICM_BANK_SEL) {
		return bank;
	}
	if (bank != 0) {
		return icm->registers[bank][address];
	}
	if (address >= ICM_TEMP_DATA1 && address <= ICM_GYRO_DATA_Z0) {
		chip_touch(chip);
		icm42688_clear(icm, ICM_DATA_RDY_INT, true);
		return icm42688_get(icm, address);
	}
	switch (address) {
	case ICM_INT_STATUS:
		return read_status(icm);
	case ICM_FIFO_COUNTH:
		return read_count(icm);
	case ICM_FIFO_COUNTL:
		return icm->count_l;
	case ICM_FIFO_DATA:
		icm42688_clear(icm, ICM_FIFO_THS_INT | ICM_FIFO_FULL_INT, true);
		return icm42688_fifo_read(icm);
	case ICM_WHO_AM_I:
		return chip_who_am_i(chip, ICM_WHO_AM_I_VALUE);
	default:
		return icm42688_get(icm, address);
	}
}

static bool is_read_only(uint8_t address)
{
	return (address >= ICM_TEMP_DATA1 && address <= ICM_INT_STATUS3) || address == ICM_FIFO_LOST_PKT0 ||
	       address == ICM_FIFO_LOST_PKT1 || address == ICM_WHO_AM_I;
}

static bool wants(const struct chip *chip)
{
	const struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);

	return icm42688_fifo_is_on(icm) || icm42688_is_routed(icm, ICM_DATA_RDY_INT);
}

static void begin_if_wanted(struct icm42688 *icm)
{
	if (rate_mhz(icm) > 0 && wants(&icm->chip)) {
		chip_begin(&icm->chip);
	}
}

static void flush(struct chip *chip)
{
	icm42688_fifo_flush(model(chip));
}

static void write(struct chip *chip, uint8_t address, uint8_t value)
{
	struct icm42688 *icm = model(chip);
	uint8_t bank = icm42688_get(icm, ICM_BANK_SEL);

	if (address == ICM_BANK_SEL) {
		icm->registers[0][ICM_BANK_SEL] = (value & 7) < ICM_BANKS ? value & 7 : 0;
		return;
	}
	if (bank != 0) {
		icm->registers[bank][address] = value;
		return;
	}
	if (is_read_only(address)) {
		return;
	}
	if (address == ICM_DEVICE_CONFIG && (value & ICM_SOFT_RESET) != 0) {
		chip_reset(chip);
		return;
	}
	if (address == ICM_SIGNAL_PATH_RESET) {
		/* its bits clear themselves */
		if ((value & ICM_FIFO_FLUSH) != 0) {
			icm42688_fifo_flush(icm);
		}
		return;
	}
	icm->registers[0][address] = value;
	switch (address) {
	case ICM_FIFO_CONFIG:
		if (value >> ICM_FIFO_MODE_SHIFT == ICM_FIFO_BYPASS) {
			icm42688_fifo_flush(icm);
			break;
		}
		begin_if_wanted(icm);
		break;
	case ICM_PWR_MGMT0:
	case ICM_ACCEL_CONFIG0:
	case ICM_GYRO_CONFIG0:
		chip_set_rate(chip, rate_mhz(icm));
		begin_if_wanted(icm);
		break;
	case ICM_FIFO_CONFIG1:
	case ICM_INT_SOURCE0:
	case ICM_INT_SOURCE3:
		begin_if_wanted(icm);
		break;
	default:
		break;
	}
}

static uint8_t next(struct chip *chip, uint8_t address)
{
	if (address == ICM_FIFO_DATA && icm42688_get(model(chip), ICM_BANK_SEL) == 0) {
		return address;
	}
	return (uint8_t)((address + 1) % ICM_REGISTERS);
}

static void reset(struct chip *chip)
{
	static const struct {
		uint8_t address;
		uint8_t value;
	} values[] = {
		{ICM_DRIVE_CONFIG, 0x05},
		{ICM_INTF_CONFIG0, 0x30},
		{ICM_INTF_CONFIG1, 0x91},
		{ICM_GYRO_CONFIG0, 0x06},
		{ICM_ACCEL_CONFIG0, 0x06},
		{ICM_GYRO_CONFIG1, 0x16},
		{ICM_ACCEL_CONFIG1, 0x0D},
		{ICM_GYRO_ACCEL_CONFIG0, 0x11},
		{ICM_TMST_CONFIG, 0x23},
		{ICM_APEX_CONFIG0, 0x82},
		{ICM_FSYNC_CONFIG, 0x10},
		{ICM_INT_CONFIG1, ICM_INT_ASYNC_RESET},
		{ICM_INT_SOURCE0, ICM_RESET_DONE_INT},
	};
	struct icm42688 *icm = model(chip);

	memset(icm->registers, 0, sizeof(icm->registers));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		icm->registers[0][values[i].address] = values[i].value;
	}
	/* Before the first sample the registers say that there is none. */
	for (unsigned int i = 0; i <= EMLEARN_CHIP_CHANNELS; i++) {
		put_data(icm, (uint8_t)(ICM_TEMP_DATA1 + 2 * i), INT16_MIN);
	}
	icm->fifo.bytes = icm->fifo_bytes;
	icm->fifo.size = sizeof(icm->fifo_bytes);
	icm->status = 0;
	icm->latched = 0;
	icm->count_l = 0;
	icm42688_fifo_flush(icm);
	icm42688_raise(icm, ICM_RESET_DONE_INT);
}

static const struct chip_ops ops = {
	.reset = reset,
	.read = read,
	.write = write,
	.next = next,
	.sample = sample,
	.room = icm42688_fifo_room,
	.store = icm42688_fifo_store,
	.store_odd = icm42688_fifo_store_odd,
	.flush = flush,
	.wants = wants,
	.lines = icm42688_lines,
	.quiet = icm42688_fifo_quiet,
	.steps = steps,
	.extra_bits = truth_extra_bits,
};

#define ICM42688(n)                                                                                                    \
	BUILD_ASSERT(DT_INST_NODE_HAS_COMPAT(n, invensense_icm42688),                                                  \
		     "CONFIG_EMLEARN_EMUL_ICM42688 models the icm42688: " DT_NODE_PATH(DT_DRV_INST(n)) " is another"); \
	static struct icm42688 model_##n;                                                                              \
	static const struct chip_config config_##n = {                                                                 \
		.ops = &ops,                                                                                           \
		.lines = {CHIP_LINE(DT_DRV_INST(n), int_gpios, 0), CHIP_LINE(DT_DRV_INST(n), int_gpios, 1)},           \
	};                                                                                                             \
	EMUL_DT_INST_DEFINE(n, chip_init, &model_##n, &config_##n, CHIP_BUS_API(DT_DRV_INST(n)), NULL);

#define ICM42688_IF_EMULATED(n) IF_ENABLED(CHIP_IS_EMULATED(DT_DRV_INST(n)), (ICM42688(n)))

DT_INST_FOREACH_STATUS_OKAY(ICM42688_IF_EMULATED)
