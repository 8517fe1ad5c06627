/* SPDX-License-Identifier: Apache-2.0 */
/* A back end that does what a test tells it: a batch every so often, or an error. */
#ifndef TEST_FAKE_READER_H_
#define TEST_FAKE_READER_H_

#include <stdint.h>

#include <zephyr/kernel.h>

#include <emlearn/zephyr/imu_reader.h>

#define FAKE_BATCH 10
#define FAKE_PERIOD_US 10000

struct fake_reader {
	struct emlearn_imu_reader reader;
	int start_rc;
	int read_rc;       /* of the next n_fail reads, after delay_ms */
	uint32_t n_fail;   /* UINT32_MAX: for ever */
	uint32_t n_left;   /* batches until -ENODATA */
	uint32_t n_reads;  /* that have returned */
	uint32_t n_starts; /* that went well */
	uint32_t n_stops;
	k_tid_t thread;   /* that started it */
	bool strange;     /* read or stopped by another one */
	int64_t ahead_us; /* by how much the first batch is there before its time */
	int64_t next_us;  /* time of the next batch's first frame */
	int16_t level;    /* of all channels of all frames */
	int16_t frames[FAKE_BATCH * EMLEARN_AXES];
};

/* 100 Hz, accelerometer; batches of FAKE_BATCH frames come when they are due. */
extern struct fake_reader fake;

/* As after boot: no faults, no end. */
void fake_reset(void);

#endif /* TEST_FAKE_READER_H_ */
