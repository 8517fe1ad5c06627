/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * From an IMU to decisions in a thread of its own: reader, pipeline, and a function or channel that takes each
 * decision.
 *
 *     EMLEARN_IMU_READER_DEFINE(imu, DT_CHOSEN(emlearn_imu), 32);
 *     HAR_PIPELINE_DEFINE(pipeline);
 *     EMLEARN_IMU_RUNNER_DEFINE(har, &imu.reader, &pipeline);
 *
 *     static const struct emlearn_imu_handlers handlers = {.on_decision = print};
 *
 *     emlearn_imu_runner_start(&har, &asked, &got, &handlers, NULL);
 *
 * The thread runs below those that read (CONFIG_EMLEARN_IMU_RUNNER_PRIORITY), so while the pipeline or a handler is at
 * work, frames gather in the chip or the reader: up to emlearn_imu_got.stall_us are spent without a loss.
 */
#ifndef EMLEARN_ZEPHYR_IMU_RUNNER_H_
#define EMLEARN_ZEPHYR_IMU_RUNNER_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/kernel.h>
#include <zephyr/sys/iterable_sections.h>

#include <emlearn/pipeline.h>
#include <emlearn/types.h>
#include <emlearn/zephyr/imu_reader.h>
#include <emlearn/zephyr/imu_types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct zbus_channel;

/** What the application wants to hear of a runner; each may be NULL. All are called in the runner's thread. */
struct emlearn_imu_handlers {
	/**
	 * Frames have come, before the pipeline sees them. The batch is borrowed until the next call: while on_decision
	 * runs, batch->n_used says how far the pipeline has come in it.
	 */
	void (*on_batch)(const struct emlearn_batch *batch, void *user);
	/** The pipeline has decided. The time spent in here delays decisions, not reading. */
	void (*on_decision)(const struct emlearn_decision *decision, void *user);
	/**
	 * Reading has failed with `rc`, a negative errno, and is tried again after CONFIG_EMLEARN_IMU_RUNNER_RETRY_MS.
	 * Called for each failure.
	 */
	void (*on_error)(int rc, void *user);
	/**
	 * The last call: the reader is stopped. rc: 0 after emlearn_imu_runner_stop(), -ENODATA at the end of a
	 * recording, else an error that reading on cannot mend.
	 */
	void (*on_end)(int rc, void *user);
#ifdef CONFIG_EMLEARN_IMU_RUNNER_ZBUS
	/** Where decisions are published, after on_decision; its messages are struct emlearn_decision. */
	const struct zbus_channel *channel;
#endif
};

/** What a runner has counted since it started; each number wraps at 2^32. */
struct emlearn_imu_runner_stats {
	struct emlearn_imu_stats reader;
	uint32_t n_decisions;
	uint32_t n_errors;           /**< reads that failed and were tried again */
	uint32_t n_unpublished;      /**< decisions that the channel did not take in time */
	uint32_t worst_inference_us; /**< longest call of the pipeline that ended in a decision */
	uint32_t worst_decision_us;  /**< from the last frame of a window to its decision; 0 where reading is unpaced */
	uint32_t worst_batch_us;     /**< longest work on one batch, handlers included: compare with got.stall_us */
};

/** Memory of a running runner; the fields are private. */
struct emlearn_imu_runner_state {
	struct k_thread thread;
	struct k_sem started;
	struct k_sem stop;
	struct emlearn_imu_asked asked;
	struct emlearn_imu_got got;
	const struct emlearn_imu_handlers *handlers;
	void *user;
	int start_rc;
	bool has_thread;
	struct emlearn_imu_runner_stats stats;
};

/** A runner. EMLEARN_IMU_RUNNER_DEFINE() makes one; the fields are private. */
struct emlearn_imu_runner {
	const char *name;
	struct emlearn_imu_reader *reader;
	struct emlearn_pipeline_state *pipeline;
	k_thread_stack_t *stack;
	struct k_mutex *lock; /* of starting and stopping */
	struct emlearn_imu_runner_state *state;
};

/**
 * Define a static runner `name`; `&name` goes into the functions below, and `emlearn stats name` shows it in the shell.
 *
 * @param reader_   e.g. &imu.reader of a reader that nobody else uses
 * @param pipeline_ state that nobody else uses, made by NAME_PIPELINE_DEFINE() of the model's header
 */
#define EMLEARN_IMU_RUNNER_DEFINE(name_, reader_, pipeline_)                                                           \
	static K_THREAD_STACK_DEFINE(emlearn_runner_stack_##name_, CONFIG_EMLEARN_IMU_RUNNER_STACK_SIZE);              \
	static K_MUTEX_DEFINE(emlearn_runner_lock_##name_);                                                            \
	static struct emlearn_imu_runner_state emlearn_runner_state_##name_;                                           \
	static const STRUCT_SECTION_ITERABLE(emlearn_imu_runner, name_) = {                                            \
		.name = STRINGIFY(name_),                                                                              \
		.reader = (reader_),                                                                                   \
		.pipeline = (pipeline_),                                                                               \
		.stack = emlearn_runner_stack_##name_,                                                                 \
		.lock = &emlearn_runner_lock_##name_,                                                                  \
		.state = &emlearn_runner_state_##name_,                                                                \
	}

/**
 * Start the thread, and in it reader and pipeline; counters begin at 0.
 *
 * Returns when the reader has started or failed to. A runner that has ended by itself may be started again after
 * emlearn_imu_runner_stop().
 *
 * @param asked    copied
 * @param got      as emlearn_imu_reader_start() fills it
 * @param handlers not copied
 * @param user     handed to the handlers
 * @return 0; -EALREADY if it runs; -EINVAL if `asked` is not what the pipeline's model wants, the model is not valid,
 * or the channel carries something else; or an error of emlearn_imu_reader_start(). After an error nothing runs, no
 * handler has been called, and a log line says what was wrong.
 */
int emlearn_imu_runner_start(const struct emlearn_imu_runner *runner, const struct emlearn_imu_asked *asked,
			     struct emlearn_imu_got *got, const struct emlearn_imu_handlers *handlers, void *user);

/**
 * Stop, and return when the thread has ended: at the latest when the handlers have returned and
 * CONFIG_EMLEARN_IMU_RUNNER_WAIT_MS have passed. Nothing happens if it does not run.
 *
 * From a handler of the same runner it returns at once, and the thread ends after the handler.
 */
void emlearn_imu_runner_stop(const struct emlearn_imu_runner *runner);

/** What has been counted since the start; from any thread, while it runs and after it has ended. */
void emlearn_imu_runner_stats(const struct emlearn_imu_runner *runner, struct emlearn_imu_runner_stats *stats);

#ifdef __cplusplus
}
#endif

#endif /* EMLEARN_ZEPHYR_IMU_RUNNER_H_ */
