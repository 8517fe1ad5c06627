/* SPDX-License-Identifier: Apache-2.0 */
/* A reader on a chip model, and each frame that it gives held against what the chip truly made. */
#ifndef BENCH_H_
#define BENCH_H_

#include <stdbool.h>
#include <stdint.h>

#include <emlearn/zephyr/chip_model.h>
#include <emlearn/zephyr/imu_reader.h>

#define BATCH_FRAMES 32

/* QEMU is slow: what takes long is done on the host alone. */
#define IS_FAST IS_ENABLED(CONFIG_ARCH_POSIX)
/* A CPU of 8 million instructions a second has no time for more, beside the models of four chips. */
#define RATE_MAX_HZ (IS_FAST ? 1000 : 200)
#define ON_HOST_ONLY()                                                                                                 \
	if (!IS_FAST) {                                                                                                \
		ztest_test_skip();                                                                                     \
	}

enum bench_reader {
	HIRES,   /* packets of 20 bytes */
	PLAIN,   /* packets of 16 bytes */
	TURNED,  /* the same chip, turned by the property mount */
	DEEP,    /* as HIRES, watermark 80 */
	ODD,     /* as PLAIN, watermark 7 */
	ALIGNED, /* x turned by the driver */
	BROKEN,  /* not set up */
	N_READERS,
};

extern struct emlearn_imu_reader_stream *const readers[N_READERS];

struct bench {
	struct emlearn_imu_reader_stream *stream;
	const struct device *chip;
	struct emlearn_imu_asked asked;
	struct emlearn_imu_got got;
	struct emlearn_imu_mount_axis mount[EMLEARN_AXES]; /* from the axes of the chip to those of a frame */
	struct emlearn_imu_step steps[2];                  /* of the truth, as long as the chip is set up */
	uint32_t n_blocks;                                 /* in the pool */
	bool holes;           /* frames may be missing or be there twice inside of a batch */
	uint32_t next;        /* number of the chip's frame that follows the last one delivered */
	uint32_t n_frames;    /* delivered */
	uint32_t n_lost;      /* frames of the chip that were not delivered */
	uint32_t n_missing;   /* frames by the time since the start that were not delivered, made by the chip or not */
	int64_t last_us;      /* when the last one delivered was made; before that, the start */
	uint32_t n_told;      /* frames that the reader said were lost */
	uint32_t n_estimated; /* batches with a loss that is estimated */
	uint32_t n_repeated;  /* frames delivered twice */
	uint32_t worst_us;    /* error of the time of a frame at an end of a batch */
	struct emlearn_batch batch;
};

/* A wish for both sensors on the 16-bit grid of icm42688 at these ranges, in the chip's axes. */
struct emlearn_imu_asked asked_of(uint32_t rate_hz, uint32_t acc_range_g, uint32_t gyro_range_dps);

/* Begin with frame 0 of `source`; NULL: a synthetic one on the grid of the wish. */
void bench_start(struct bench *bench, enum bench_reader reader, const struct emlearn_imu_asked *asked,
		 const struct emlearn_source *source);

/*
 * Read a batch, and fail the test unless each frame is one that the chip made after the last one delivered, in order
 * and without a hole. Returns what the reader did.
 */
int bench_read(struct bench *bench, k_timeout_t timeout);

/* The same until so much time has passed, whatever the reader returns. */
void bench_run(struct bench *bench, uint32_t ms);

/* Nothing lost, none said to be, times within a period. */
void bench_expect_perfect(const struct bench *bench);

/* Stop, and all blocks have to be free. */
void bench_stop(struct bench *bench);

/* After each test, also one that failed: nothing runs, nothing is broken. */
void bench_after(void *fixture);

/* Something goes wrong with the next frame. */
void bench_fault(const struct bench *bench, enum emlearn_fault_kind kind, uint32_t n, int32_t value);

/* The same with the chip's frame `at_frame`. */
void bench_fault_at(const struct bench *bench, uint32_t at_frame, enum emlearn_fault_kind kind, uint32_t n);

/* What the reader has counted. */
struct emlearn_imu_stats bench_stats(const struct bench *bench);

/* Blocks free in a reader's pool. */
uint32_t free_blocks(const struct emlearn_imu_reader_stream *stream);

/* Pseudo-random numbers; state is never 0. */
uint32_t xorshift(uint32_t *state);

#endif /* BENCH_H_ */
