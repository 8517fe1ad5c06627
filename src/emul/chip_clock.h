/* SPDX-License-Identifier: Apache-2.0 */
/* A chip's own clock: nanoseconds that pass a little faster or slower than the kernel's. */
#ifndef EMLEARN_EMUL_CHIP_CLOCK_H_
#define EMLEARN_EMUL_CHIP_CLOCK_H_

#include <stdint.h>

/* The furthest that a clock may be off, parts per million. */
#define CHIP_CLOCK_PPM_MAX 500000

/* All 0: the kernel's own time. */
struct chip_clock {
	int64_t uptime_ns; /* moment at which the error last changed */
	int64_t own_ns;    /* what the chip's clock was then */
	int32_t ppm;       /* how fast it is, -CHIP_CLOCK_PPM_MAX to CHIP_CLOCK_PPM_MAX */
};

/* Own time at an uptime, and back; not before the last change. */
int64_t chip_clock_own_ns(const struct chip_clock *clock, int64_t uptime_ns);
int64_t chip_clock_uptime_ns(const struct chip_clock *clock, int64_t own_ns);

/* From this uptime on the clock is ppm fast. Own time goes on without a jump. */
void chip_clock_set_ppm(struct chip_clock *clock, int64_t uptime_ns, int32_t ppm);

#endif /* EMLEARN_EMUL_CHIP_CLOCK_H_ */
