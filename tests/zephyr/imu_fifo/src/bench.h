/* SPDX-License-Identifier: Apache-2.0 */
/* A reader on the model of a chip, whose frames are held against what the chip truly made. */
#ifndef BENCH_H_
#define BENCH_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#include <emlearn/zephyr/chip_model.h>
#include <emlearn/zephyr/imu_reader.h>

/* What was seen of one run. */
struct bench_seen {
	uint64_t n_frames;     /* delivered */
	uint64_t n_lost;       /* as the reader says */
	uint64_t n_truly_lost; /* of those that the chip has made */
	uint32_t n_gaps;       /* batches with frames lost before them */
	uint32_t n_estimated;  /* batches before which what was lost is not exact */
	uint64_t worst_miss;   /* of the lost frames of one gap, between the two */
	int64_t worst_us;      /* time stamps against the truth */
	int64_t last_us;       /* the same of the last batch */
	int64_t last_ppm;      /* its period against the truth */
};

/* A reader under test. */
struct bench {
	struct emlearn_imu_reader *reader;
	const struct device *chip;
	uint64_t made; /* number of the next frame, as the chip counts */
	struct bench_seen seen;
	bool is_outage; /* the chip stands still at times: what is lost is more than it made */
};

/* The CPU that QEMU emulates has no time for more, beside the models. */
#define BENCH_FASTEST_MHZ (IS_ENABLED(CONFIG_QEMU_TARGET) ? 208000u : 833000u)

/* Frames in a batch at most. */
#define BENCH_BATCH 32

/* All readers of the image, and the finest steps that their chips have. */
extern struct emlearn_imu_reader *const bench_readers[];
extern const size_t n_bench_readers;
extern const struct emlearn_imu_step bench_finest_acc;
extern const struct emlearn_imu_step bench_finest_gyro;

/* Of readers.c. */
extern struct emlearn_imu_reader *const on_i2c;
extern struct emlearn_imu_reader *const on_i2c_untimed;
extern struct emlearn_imu_reader *const on_spi;
extern struct emlearn_imu_reader *const on_spi_untimed;
extern struct emlearn_imu_reader *const without_line;
extern struct emlearn_imu_reader *const turned;
extern struct emlearn_imu_reader *const turned_untimed;

/* Of readers.c: codes of a model as the chip's at 4 g and 2000 dps, or at 2 g and 250 dps, without a turn. */
extern const struct emlearn_imu_asked asked_4g;
extern const struct emlearn_imu_asked asked_2g;

/* Begin: the chip plays the synthetic source anew, and the reader is started at a rate. */
void bench_start(struct bench *bench, struct emlearn_imu_reader *reader, const struct emlearn_imu_asked *asked,
		 uint32_t rate_mhz);

/* Read one batch and hold it against the truth; the result of the read. */
int bench_read(struct bench *bench, k_timeout_t timeout);

/* Read until a moment. */
void bench_read_until(struct bench *bench, int64_t end_us);

/* Let something go wrong from now on; n and value as the kind says. */
void bench_fault(const struct bench *bench, enum emlearn_fault_kind kind, uint32_t n, int32_t value);

/* What the reader has counted. */
struct emlearn_imu_stats bench_stats(const struct bench *bench);

/* Stop the reader; it must not deliver anything any more. */
void bench_stop(struct bench *bench);

#endif /* BENCH_H_ */
