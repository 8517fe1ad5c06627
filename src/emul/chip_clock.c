/* SPDX-License-Identifier: Apache-2.0 */
#include "chip_clock.h"

#define MILLION 1000000

int64_t chip_clock_own_ns(const struct chip_clock *clock, int64_t uptime_ns)
{
	int64_t passed = uptime_ns - clock->uptime_ns;

	/* in two parts: a time times a million may leave 64 bits */
	return clock->own_ns + passed / MILLION * (MILLION + clock->ppm) +
	       passed % MILLION * (MILLION + clock->ppm) / MILLION;
}

int64_t chip_clock_uptime_ns(const struct chip_clock *clock, int64_t own_ns)
{
	const int64_t own_million = MILLION + clock->ppm;
	int64_t passed = own_ns - clock->own_ns;

	/* rounded up: the moment at which the chip's clock has got there */
	return clock->uptime_ns + passed / own_million * MILLION +
	       (passed % own_million * MILLION + own_million - 1) / own_million;
}

void chip_clock_set_ppm(struct chip_clock *clock, int64_t uptime_ns, int32_t ppm)
{
	clock->own_ns = chip_clock_own_ns(clock, uptime_ns);
	clock->uptime_ns = uptime_ns;
	clock->ppm = ppm;
}
