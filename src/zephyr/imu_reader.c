/* SPDX-License-Identifier: Apache-2.0 */
/* What all back ends share: check the wish, negotiate rate and range with the driver, mount and convert. */
#include <emlearn/zephyr/imu_reader.h>

#include <errno.h>

#include <zephyr/drivers/sensor.h>
#include <zephyr/kernel.h>
#include <zephyr/logging/log.h>

LOG_MODULE_REGISTER(emlearn_imu_reader, CONFIG_EMLEARN_IMU_READER_LOG_LEVEL);

#define MICRO INT64_C(1000000)
#define COUNTS 32768

/* Nominal ranges are these doubled; nothing has a range of a million g or degrees per second. */
#define ACC_RANGE_MG 1000
#define GYRO_RANGE_MDPS 15625
#define RANGE_MAX INT64_C(1000000000)

#define RATE_MIN_MHZ 1000
#define RATE_MAX_MHZ 10000000

/* Rates of chips are these, or a power of two times these. */
static const uint16_t families_mhz[] = {12500, 13000, 15625};

/* Range of the model in mg or mdps. */
static int64_t wanted_range(const struct emlearn_imu_step *step)
{
	return (int64_t)COUNTS * 1000 * step->num / step->den;
}

static bool is_range(const struct emlearn_imu_step *step)
{
	return wanted_range(step) > 0 && wanted_range(step) <= RANGE_MAX;
}

static bool is_mount(const struct emlearn_imu_mount_axis mount[EMLEARN_AXES])
{
	unsigned int seen = 0;

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		if (mount[i].axis >= EMLEARN_AXES || (mount[i].sign != 1 && mount[i].sign != -1)) {
			return false;
		}
		seen |= 1u << mount[i].axis;
	}
	return seen == 7u;
}

static int take(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked)
{
	const uint8_t all = EMLEARN_SENSOR_ACC | EMLEARN_SENSOR_GYRO;

	if (asked->rate_mhz < RATE_MIN_MHZ || asked->rate_mhz > RATE_MAX_MHZ || asked->rate_tolerance_permille > 1000 ||
	    asked->sensors == 0 || (asked->sensors & (uint8_t)~all) != 0 || !is_mount(asked->mount)) {
		return -EINVAL;
	}
	if ((asked->sensors & EMLEARN_SENSOR_ACC) != 0 &&
	    (emlearn_imu_scale_acc(&reader->acc_scale, &asked->acc_step) != 0 || !is_range(&asked->acc_step))) {
		return -EINVAL;
	}
	if ((asked->sensors & EMLEARN_SENSOR_GYRO) != 0 &&
	    (emlearn_imu_scale_gyro(&reader->gyro_scale, &asked->gyro_step) != 0 || !is_range(&asked->gyro_step))) {
		return -EINVAL;
	}
	reader->asked = *asked;
	reader->n_channels = (uint8_t)(((asked->sensors & EMLEARN_SENSOR_ACC) != 0 ? EMLEARN_AXES : 0) +
				       ((asked->sensors & EMLEARN_SENSOR_GYRO) != 0 ? EMLEARN_AXES : 0));
	return 0;
}

/* The smallest range of the usual series that holds three quarters of the model's: a chip's "250 dps" may span 286. */
static int64_t nominal_range(int64_t wanted, int64_t least)
{
	int64_t range = least;

	while (range < wanted - wanted / 4) {
		range *= 2;
	}
	return range;
}

static struct sensor_value from_micro(int64_t micro)
{
	return (struct sensor_value){.val1 = (int32_t)(micro / MICRO), .val2 = (int32_t)(micro % MICRO)};
}

static int64_t to_micro(const struct sensor_value *value)
{
	return value->val1 * MICRO + value->val2;
}

static bool set(const struct device *dev, enum sensor_channel channel, enum sensor_attribute attribute, int64_t micro)
{
	const struct sensor_value value = from_micro(micro);

	return sensor_attr_set(dev, channel, attribute, &value) == 0;
}

/* What an attribute is in micro-units: as the driver says, else as it accepted it (0 if it did not). */
static int64_t settled(const struct device *dev, enum sensor_channel channel, enum sensor_attribute attribute,
		       int64_t accepted)
{
	struct sensor_value value = {0};
	int rc = sensor_attr_get(dev, channel, attribute, &value);

	return rc == 0 ? to_micro(&value) : accepted;
}

static bool is_rate(const struct emlearn_imu_asked *asked, int64_t rate_mhz)
{
	int64_t off = rate_mhz > asked->rate_mhz ? rate_mhz - asked->rate_mhz : asked->rate_mhz - rate_mhz;

	return off * 1000 <= (int64_t)asked->rate_mhz * asked->rate_tolerance_permille;
}

/*
 * Some drivers look at the whole hertz alone and do not say: only if these are as good, or the rate is a usual one, is
 * it the one that was set.
 */
static bool is_believed(const struct emlearn_imu_asked *asked, int64_t rate_mhz)
{
	for (size_t i = 0; i < ARRAY_SIZE(families_mhz); i++) {
		if (rate_mhz % families_mhz[i] == 0) {
			return true;
		}
	}
	return is_rate(asked, rate_mhz / 1000 * 1000);
}

/* Set one rate, and see which one it has become. Millihertz, 0 if it was refused and nothing is known. */
static int64_t try_rate(const struct device *dev, enum sensor_channel channel, const struct emlearn_imu_asked *asked,
			int64_t rate_mhz)
{
	const bool accepted = set(dev, channel, SENSOR_ATTR_SAMPLING_FREQUENCY, rate_mhz * 1000);

	return settled(dev, channel, SENSOR_ATTR_SAMPLING_FREQUENCY,
		       accepted && is_believed(asked, rate_mhz) ? rate_mhz * 1000 : 0) /
	       1000;
}

/*
 * Set the rate that the model wants, or a usual one within its tolerance that the driver knows. Returns what it is, 0
 * if the driver does not say, or -ERANGE if it takes other rates only. Millihertz.
 */
static int64_t set_rate(const struct device *dev, enum sensor_channel channel, const struct emlearn_imu_asked *asked)
{
	int64_t rate_mhz = try_rate(dev, channel, asked, asked->rate_mhz);
	bool takes_others = false;

	for (size_t i = 0; i < ARRAY_SIZE(families_mhz); i++) {
		for (int64_t near_mhz = families_mhz[i]; near_mhz <= RATE_MAX_MHZ; near_mhz *= 2) {
			if (rate_mhz != 0 && is_rate(asked, rate_mhz)) {
				return rate_mhz;
			}
			if (is_rate(asked, near_mhz)) {
				rate_mhz = try_rate(dev, channel, asked, near_mhz);
			} else if (rate_mhz == 0) {
				takes_others |= set(dev, channel, SENSOR_ATTR_SAMPLING_FREQUENCY, near_mhz * 1000);
			}
		}
	}
	return rate_mhz == 0 && takes_others ? -ERANGE : rate_mhz;
}

/* Ask the driver for the rate of one sensor. */
static int negotiate_rate(struct emlearn_imu_reader *reader, enum sensor_channel channel, struct emlearn_imu_got *got)
{
	const int64_t rate_mhz = set_rate(reader->dev, channel, &reader->asked);

	if (rate_mhz < 0) {
		LOG_ERR("%s takes other rates than the model's %u mHz", reader->dev->name, reader->asked.rate_mhz);
		return (int)rate_mhz;
	}
	if (rate_mhz == 0) {
		LOG_WRN("%s does not say its rate; the model wants %u mHz", reader->dev->name, reader->asked.rate_mhz);
	} else if (got->rate_mhz == 0 || is_rate(&reader->asked, got->rate_mhz)) {
		/* Of two rates, the one that the model cannot use. */
		got->rate_mhz = (uint32_t)rate_mhz;
	}
	return 0;
}

/* With the unit of its range. */
static const char *name_of(enum sensor_channel channel)
{
	return channel == SENSOR_CHAN_ACCEL_XYZ ? "accelerometer in mg" : "gyroscope in mdps";
}

/* Set one range, and see which one it has become. Micro-units, 0 if it was refused and nothing is known. */
static int64_t try_range(const struct device *dev, enum sensor_channel channel, int64_t micro)
{
	int64_t accepted = set(dev, channel, SENSOR_ATTR_FULL_SCALE, micro) ? micro : 0;

	return settled(dev, channel, SENSOR_ATTR_FULL_SCALE, accepted);
}

/*
 * Ask the driver for the range of one sensor. least: the smallest nominal range, in thousandths of g or degrees per
 * second, of which there are unit / scale in a micro-unit. Returns what it has, 0 if it does not say.
 */
static uint32_t negotiate_range(const struct emlearn_imu_reader *reader, enum sensor_channel channel, int64_t wanted,
				int64_t least, int64_t unit, int64_t scale)
{
	const struct device *dev = reader->dev;
	int64_t nominal = nominal_range(wanted, least) * unit / scale;
	int64_t micro = try_range(dev, channel, nominal);

	if (micro > 0 && micro < nominal - nominal / 4) {
		/* A driver that counts in whole degrees cuts 31.25 down to 31, and takes the range below. */
		micro = try_range(dev, channel, nominal + nominal / 16);
	}
	if (micro <= 0) {
		LOG_WRN("%s: range of the %s is not known; the model wants %d", dev->name, name_of(channel),
			(int)wanted);
		return 0;
	}
	return (uint32_t)((micro * scale + unit / 2) / unit);
}

static int negotiate(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	const struct emlearn_imu_asked *asked = &reader->asked;
	int rc = 0;

	if ((asked->sensors & EMLEARN_SENSOR_ACC) != 0) {
		rc = negotiate_rate(reader, SENSOR_CHAN_ACCEL_XYZ, got);
		got->acc_range_mg = negotiate_range(reader, SENSOR_CHAN_ACCEL_XYZ, wanted_range(&asked->acc_step),
						    ACC_RANGE_MG, SENSOR_G, 1000);
	}
	if (rc == 0 && (asked->sensors & EMLEARN_SENSOR_GYRO) != 0) {
		rc = negotiate_rate(reader, SENSOR_CHAN_GYRO_XYZ, got);
		got->gyro_range_mdps = negotiate_range(reader, SENSOR_CHAN_GYRO_XYZ, wanted_range(&asked->gyro_step),
						       GYRO_RANGE_MDPS, SENSOR_PI, 180000);
	}
	return rc;
}

/* Can the model use that range, if it is known? And what is a code of the chip worth, if that is? */
static int judge_range(const struct emlearn_imu_reader *reader, enum sensor_channel channel, uint32_t range,
		       const struct emlearn_imu_step *code, const struct emlearn_imu_step *model,
		       struct emlearn_imu_ratio *ratio)
{
	const int64_t wanted = wanted_range(model);

	if (range != 0 && range < wanted - wanted / 4) {
		LOG_ERR("%s: range of the %s is %u; the model wants %d", reader->dev->name, name_of(channel), range,
			(int)wanted);
		return -ERANGE;
	}
	emlearn_imu_ratio(ratio, code, model);
	return 0;
}

/* Can the model use what the sensor gives? */
static int judge(struct emlearn_imu_reader *reader, const struct emlearn_imu_got *got)
{
	const struct emlearn_imu_asked *asked = &reader->asked;
	int rc = 0;

	/* A driver may not know its rate; a chip of which a back end knows more has one. */
	if ((got->rate_mhz != 0 || reader->backend->prepare != NULL) && !is_rate(asked, got->rate_mhz)) {
		LOG_ERR("%s runs at %u mHz; the model wants %u mHz within %u permille", reader->dev->name,
			got->rate_mhz, asked->rate_mhz, asked->rate_tolerance_permille);
		return -ERANGE;
	}
	if ((asked->sensors & EMLEARN_SENSOR_ACC) != 0) {
		rc = judge_range(reader, SENSOR_CHAN_ACCEL_XYZ, got->acc_range_mg, &got->acc_step, &asked->acc_step,
				 &reader->codes[0]);
	}
	if (rc == 0 && (asked->sensors & EMLEARN_SENSOR_GYRO) != 0) {
		rc = judge_range(reader, SENSOR_CHAN_GYRO_XYZ, got->gyro_range_mdps, &got->gyro_step, &asked->gyro_step,
				 &reader->codes[1]);
	}
	return rc;
}

/* Where the axes of the model come from, through the board to the chip. */
static void mount(struct emlearn_imu_reader *reader)
{
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		struct emlearn_imu_mount_axis *axis = &reader->asked.mount[i];
		const struct emlearn_imu_mount_axis *board = &reader->board_mount[axis->axis];

		axis->axis = board->axis;
		axis->sign = (int8_t)(axis->sign * board->sign);
	}
}

/* An unpaced reader has no clock but the model's. */
static void set_pace(struct emlearn_imu_reader *reader, const struct emlearn_imu_got *got)
{
	reader->rate_mhz = got->rate_mhz != 0 && !reader->asked.unpaced ? got->rate_mhz : reader->asked.rate_mhz;
}

static int set_up(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked, struct emlearn_imu_got *got)
{
	int rc = take(reader, asked);

	if (rc != 0) {
		LOG_ERR("%s: what the model asks for is not valid (rate, tolerance, sensors, steps or mount)",
			reader->dev->name);
		return rc;
	}
	if (asked->unpaced && reader->backend->prepare != NULL) {
		LOG_ERR("%s has the pace of its chip, it cannot be read unpaced", reader->dev->name);
		return -ENOTSUP;
	}
	if (!is_mount(reader->board_mount)) {
		LOG_ERR("%s: property mount is not 1, 2 and 3 in some order, each with a sign", reader->dev->name);
		return -EINVAL;
	}
	mount(reader);
	reader->stats = (struct emlearn_imu_stats){0};
	rc = negotiate(reader, got);
	set_pace(reader, got);
	return rc;
}

/* The back end was called: see when it wants to look. */
static void set_look(struct emlearn_imu_reader *reader)
{
	if (reader->look_us != 0) {
		reader->look = sys_timepoint_calc(K_USEC(reader->look_us));
		reader->look_us = 0;
	}
}

/* What the sensor gives is known: see what the back end knows better, judge it, and start. */
static int start(struct emlearn_imu_reader *reader, struct emlearn_imu_got *got)
{
	const struct emlearn_imu_backend *backend = reader->backend;
	int rc = backend->prepare != NULL ? backend->prepare(reader, got) : 0;

	if (rc == 0) {
		rc = judge(reader, got);
		if (rc != 0) {
			return rc;
		}
		set_pace(reader, got);
		reader->look = sys_timepoint_calc(K_FOREVER);
		rc = backend->start(reader, got);
		set_look(reader);
	}
	if (rc != 0) {
		LOG_ERR("%s: its reader cannot be started (%d)", reader->dev->name, rc);
	}
	return rc;
}

int emlearn_imu_reader_start(struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
			     struct emlearn_imu_got *got)
{
	int rc;

	if (reader->running) {
		return -EALREADY;
	}
	*got = (struct emlearn_imu_got){0};
	if (!DEVICE_API_IS(sensor, reader->dev)) {
		/* Or its driver does not say so by DEVICE_API(sensor, ...). */
		LOG_ERR("%s is not a sensor", reader->dev->name);
		return -ENODEV;
	}
	if (!device_is_ready(reader->dev)) {
		LOG_ERR("%s is not ready: its driver could not set it up", reader->dev->name);
		return -ENODEV;
	}
	rc = set_up(reader, asked, got);
	if (rc == 0) {
		rc = start(reader, got);
	}
	reader->running = rc == 0;
	return rc;
}

void emlearn_imu_set_up_again(struct emlearn_imu_reader *reader)
{
	struct emlearn_imu_got got = {0};

	(void)negotiate(reader, &got);
}

int64_t emlearn_imu_now_us(void)
{
	return (int64_t)k_ticks_to_us_floor64((uint64_t)k_uptime_ticks());
}

/* From the newest frame of a batch until now. */
static uint32_t latency_us(const struct emlearn_batch *batch)
{
	int64_t newest_us = batch->t_us + (int64_t)(batch->n_frames - 1) * batch->period_ns / 1000;
	int64_t late_us = emlearn_imu_now_us() - newest_us;

	return late_us < 0 ? 0 : (uint32_t)MIN(late_us, UINT32_MAX);
}

/* Wait until the back end has something, or wants to look. Why it is called then, or -EAGAIN at the end. */
static int wait(struct emlearn_imu_reader *reader, k_timepoint_t end)
{
	const k_timepoint_t first = sys_timepoint_cmp(end, reader->look) < 0 ? end : reader->look;

	if (k_sem_take(reader->ready, sys_timepoint_timeout(first)) == 0) {
		return EMLEARN_IMU_READY;
	}
	return sys_timepoint_expired(reader->look) ? EMLEARN_IMU_LOOK : -EAGAIN;
}

int emlearn_imu_reader_read(struct emlearn_imu_reader *reader, struct emlearn_batch *batch, k_timeout_t timeout)
{
	const k_timepoint_t end = sys_timepoint_calc(timeout);
	struct emlearn_imu_stats *stats = &reader->stats;
	int call = EMLEARN_IMU_ASKED;
	int rc;

	if (!reader->running) {
		return -EINVAL;
	}
	do {
		rc = reader->backend->read(reader, batch, (enum emlearn_imu_call)call);
		set_look(reader);
		if (rc == 0) {
			stats->n_frames += (uint32_t)batch->n_frames;
			stats->n_batches++;
			stats->n_lost += batch->n_lost;
			stats->worst_latency_us = MAX(stats->worst_latency_us, latency_us(batch));
		}
		if (rc != -EAGAIN) {
			/* Here that means that the reader is stopped; some drivers say so of a transfer that failed. */
			return rc == -EINVAL ? -EIO : rc;
		}
		call = wait(reader, end);
	} while (call >= 0);
	return call;
}

int emlearn_imu_reader_run(struct emlearn_imu_reader *reader, emlearn_imu_on_batch on_batch, void *user)
{
	struct emlearn_batch batch;
	int rc;

	do {
		rc = emlearn_imu_reader_read(reader, &batch, K_FOREVER);
		if (rc == 0) {
			rc = on_batch(&batch, user);
		}
	} while (rc == 0);
	return rc;
}

void emlearn_imu_reader_stop(struct emlearn_imu_reader *reader)
{
	if (reader->running) {
		reader->backend->stop(reader);
		reader->running = false;
	}
}

void emlearn_imu_reader_stats(const struct emlearn_imu_reader *reader, struct emlearn_imu_stats *stats)
{
	*stats = reader->stats;
}

/* Mount one sensor; -(-32768) is held to what fits. */
static void to_axes(const struct emlearn_imu_reader *reader, const int16_t counts[EMLEARN_AXES],
		    int16_t out[EMLEARN_AXES])
{
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		const struct emlearn_imu_mount_axis *from = &reader->asked.mount[i];
		int count = counts[from->axis] * from->sign;

		out[i] = (int16_t)(count > INT16_MAX ? INT16_MAX : count);
	}
}

void emlearn_imu_from_values(const struct emlearn_imu_reader *reader, uint8_t sensor,
			     const struct sensor_value values[EMLEARN_AXES], int16_t out[EMLEARN_AXES])
{
	const struct emlearn_imu_scale *scale = sensor == EMLEARN_SENSOR_ACC ? &reader->acc_scale : &reader->gyro_scale;
	int16_t counts[EMLEARN_AXES];

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		counts[i] = emlearn_imu_count(scale, &values[i]);
	}
	to_axes(reader, counts, out);
}

void emlearn_imu_from_q31(const struct emlearn_imu_reader *reader, uint8_t sensor, const int32_t values[EMLEARN_AXES],
			  int8_t shift, int16_t out[EMLEARN_AXES])
{
	const struct emlearn_imu_scale *scale = sensor == EMLEARN_SENSOR_ACC ? &reader->acc_scale : &reader->gyro_scale;
	int16_t counts[EMLEARN_AXES];

	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		counts[i] = emlearn_imu_count_q31(scale, values[i], shift);
	}
	to_axes(reader, counts, out);
}

void emlearn_imu_from_codes(const struct emlearn_imu_reader *reader, int32_t codes[][EMLEARN_AXES], int16_t *out)
{
	for (unsigned int sensor = 0; sensor < EMLEARN_IMU_SENSORS; sensor++) {
		if ((reader->asked.sensors & BIT(sensor)) == 0) {
			continue;
		}
		for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
			const struct emlearn_imu_mount_axis *from = &reader->asked.mount[i];

			*out++ = emlearn_imu_rescaled(&reader->codes[sensor], codes[sensor][from->axis] * from->sign);
		}
	}
}
