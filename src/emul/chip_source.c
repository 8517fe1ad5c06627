/* SPDX-License-Identifier: Apache-2.0 */
#include "chip_source.h"

#include <stdlib.h>

#include <zephyr/devicetree.h>
#include <zephyr/sys/util.h>

#include "emul_fatal.h"
#include "recording_file.h"
#include "recording_option.h"

#define RATE_TOLERANCE_PERMILLE 50

/* What is played where nothing is given: on the finest grid of lsm6dsl. */
static const struct emlearn_imu_step synthetic_acc_step = {61, 1000000};
static const struct emlearn_imu_step synthetic_gyro_step = {7, 1600};

/* A node emlearn,imu-source. */
struct node {
	const struct device *chip;
	const struct emlearn_recording *recording; /* NULL where it names none */
};

#define RECORDING(node_id) UTIL_CAT(DT_STRING_TOKEN(node_id, recording), _recording)
#define DECLARE(node_id)                                                                                               \
	COND_CODE_1(DT_NODE_HAS_PROP(node_id, recording), (extern const struct emlearn_recording RECORDING(node_id);), \
		    ())
#define NODE(node_id)                                                                                                  \
	{                                                                                                              \
		DEVICE_DT_GET(DT_PHANDLE(node_id, chip)),                                                              \
		COND_CODE_1(DT_NODE_HAS_PROP(node_id, recording), (&RECORDING(node_id)), (NULL)),                      \
	},

DT_FOREACH_STATUS_OKAY(emlearn_imu_source, DECLARE)

/* The entry of NULL ends it, as there may be no node. */
static const struct node nodes[] = {DT_FOREACH_STATUS_OKAY(emlearn_imu_source, NODE){NULL, NULL}};

static const struct emlearn_recording *named_for(const struct device *dev)
{
	for (size_t i = 0; nodes[i].chip != NULL; i++) {
		if (nodes[i].chip == dev) {
			return nodes[i].recording;
		}
	}
	return NULL;
}

#ifdef CONFIG_ARCH_POSIX

/* The file that is named in place of what devicetree says. False if there is none. */
static bool take_file(struct chip_source *own, const struct emlearn_recording *array)
{
	struct recording_file *file = recording_option_read(array != NULL ? array->sensors : 0);

	if (file == NULL) {
		return false;
	}
	if (array != NULL) {
		own->recording = *array;
		own->recording.frames = NULL;
	} else {
		own->file = file;
		own->recording.acc_step_num = synthetic_acc_step.num;
		own->recording.acc_step_den = synthetic_acc_step.den;
		own->recording.gyro_step_num = synthetic_gyro_step.num;
		own->recording.gyro_step_den = synthetic_gyro_step.den;
	}
	recording_file_quantise(file, &own->recording);
	emlearn_source_recording(&own->source, &own->recording);
	if (own->file == NULL) {
		recording_file_free(file);
	}
	return true;
}

/* The step of the chip, doubled until all values of the file fit into 16 bits or the chip's range ends. */
static void fit(const struct recording_file *file, uint8_t sensor, const struct emlearn_imu_step *step,
		unsigned int extra_bits, uint32_t *num, uint32_t *den)
{
	*num = step->num << recording_file_doublings(file, sensor, step->num, step->den, extra_bits);
	*den = step->den;
}

void chip_source_begin(struct chip_source *own, const struct emlearn_imu_step *acc_step, unsigned int acc_extra_bits,
		       const struct emlearn_imu_step *gyro_step, unsigned int gyro_extra_bits)
{
	struct emlearn_recording *recording = &own->recording;

	if (own->file == NULL) {
		return;
	}
	fit(own->file, EMLEARN_SENSOR_ACC, acc_step, acc_extra_bits, &recording->acc_step_num,
	    &recording->acc_step_den);
	fit(own->file, EMLEARN_SENSOR_GYRO, gyro_step, gyro_extra_bits, &recording->gyro_step_num,
	    &recording->gyro_step_den);
	recording_file_quantise(own->file, recording);
	emlearn_source_recording(&own->source, recording);
}

#else

static bool take_file(struct chip_source *own, const struct emlearn_recording *array)
{
	ARG_UNUSED(own);
	ARG_UNUSED(array);
	return false;
}

void chip_source_begin(struct chip_source *own, const struct emlearn_imu_step *acc_step, unsigned int acc_extra_bits,
		       const struct emlearn_imu_step *gyro_step, unsigned int gyro_extra_bits)
{
	ARG_UNUSED(own);
	ARG_UNUSED(acc_step);
	ARG_UNUSED(acc_extra_bits);
	ARG_UNUSED(gyro_step);
	ARG_UNUSED(gyro_extra_bits);
}

#endif

void chip_source_init(struct chip_source *own, const struct device *dev)
{
	const struct emlearn_recording *array = named_for(dev);

	if (take_file(own, array)) {
		return;
	}
	if (array != NULL) {
		emlearn_source_recording(&own->source, array);
	} else {
		emlearn_source_synthetic(&own->source, &synthetic_acc_step, &synthetic_gyro_step);
	}
}

void chip_source_check_rate(const struct chip_source *own, const struct device *dev, uint32_t rate_mhz)
{
	const struct emlearn_recording *recording = own->source.recording;

	if (recording == NULL) {
		return;
	}
	if ((uint64_t)abs((int32_t)(rate_mhz - recording->rate_mhz)) * 1000 >
	    (uint64_t)rate_mhz * RATE_TOLERANCE_PERMILLE) {
		EMUL_FATAL("%s samples at %u mHz; the recording that it plays was made at %u mHz", dev->name,
			   (unsigned int)rate_mhz, (unsigned int)recording->rate_mhz);
	}
}
