/* SPDX-License-Identifier: Apache-2.0 */
/* A reader on the model of a chip, whose frames are held against what the chip truly made. */
#ifndef BENCH_H_
#define BENCH_H_

#include <stdbool.h>
#include <stdint.h>

#include <emlearn/zephyr/chip_model.h>
#include <emlearn/zephyr/imu_reader.h>

/* What was seen of one run. */
struct bench_seen {
	uint64_t n_frames;    /* delivered */
	uint64_t n_lost;      /* as the reader says */
	uint32_t n_gaps;      /* batches with frames lost before them */
	uint32_t n_estimated; /* of them, not exact */
	int64_t worst_us;     /* time stamps against the truth */
	int64_t worst_ppm;    /* period of the last batch against the truth of that batch */
};

/* A reader under test. */
struct bench {
	struct emlearn_imu_reader *reader;
	const struct device *chip;
	uint64_t number; /* of the next frame, as the reader counts */
	uint64_t made;   /* of the next frame, as the chip does */
	struct bench_seen seen;
	bool is_exact; /* the two must agree */
};

extern struct emlearn_imu_reader *const on_i2c;
extern struct emlearn_imu_reader *const on_i2c_untimed;
extern struct emlearn_imu_reader *const on_spi;
extern struct emlearn_imu_reader *const on_spi_untimed;
extern struct emlearn_imu_reader *const without_line;
extern struct emlearn_imu_reader *const turned;

/* Codes of a model as the chip's at 4 g and 2000 dps, or at 2 g and 250 dps, without a turn. */
extern const struct emlearn_imu_asked asked_4g;
extern const struct emlearn_imu_asked asked_2g;

/* Begin: the chip plays the synthetic source anew, and the reader is started at a rate. */
void bench_start(struct bench *bench, struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
		 uint32_t rate_mhz);

/* Read one batch and hold it against the truth; the result of the read. */
int bench_read(struct bench *bench, k_timeout_t timeout);

/* Read until a moment. */
void bench_read_until(struct bench *bench, int64_t end_us);

/* Stop the reader; it must not deliver anything any more. */
void bench_stop(struct bench *bench);

#endif /* BENCH_H_ */
