/* SPDX-License-Identifier: Apache-2.0 */
#include "icm42688_chip.h"

#include <zephyr/drivers/gpio.h>
#include <zephyr/sys/byteorder.h>
#include <zephyr/ztest.h>

#include "sources.h"

#define BOTH_LOW_NOISE 0x0f
#define HEADER_16 0x68

const struct chip_under_test icm = CHIP_ON_SPI(DT_NODELABEL(icm42688_raw));

static const struct device *const gpio = DEVICE_DT_GET(DT_NODELABEL(chip_gpio));
static unsigned int n_rises[2];
static unsigned int n_falls[2];

static int counting(const struct emlearn_source *source, uint32_t number, int16_t frame[EMLEARN_CHIP_CHANNELS])
{
	return counting_source.frame(source, number, frame);
}

const struct emlearn_source icm_source = {
	.frame = counting,
	.acc_step = {1, 2048},
	.gyro_step = {10, 164},
};

static void count_edges(const struct device *dev, struct gpio_callback *callback, uint32_t pins)
{
	ARG_UNUSED(callback);
	for (int i = 0; i < 2; i++) {
		if ((pins & BIT(INT1_PIN + i)) == 0) {
			continue;
		}
		if (gpio_pin_get_raw(dev, (gpio_pin_t)(INT1_PIN + i)) != 0) {
			n_rises[i]++;
		} else {
			n_falls[i]++;
		}
	}
}

static void watch_pins(void)
{
	static struct gpio_callback callback;
	static bool is_added;

	for (gpio_pin_t pin = INT1_PIN; pin <= INT2_PIN; pin++) {
		zassert_ok(gpio_pin_configure(gpio, pin, GPIO_INPUT));
		zassert_ok(gpio_pin_interrupt_configure(gpio, pin, GPIO_INT_EDGE_BOTH));
	}
	if (!is_added) {
		gpio_init_callback(&callback, count_edges, BIT(INT1_PIN) | BIT(INT2_PIN));
		zassert_ok(gpio_add_callback(gpio, &callback));
		is_added = true;
	}
}

void icm_set_up(uint8_t odr, const struct emlearn_source *source)
{
	watch_pins();
	emlearn_chip_power_cycle(icm.dev);
	emlearn_chip_rewind(icm.dev, source);
	zassert_equal(chip_get(&icm, INT_STATUS), STATUS_RESET_DONE);
	chip_set(&icm, PWR_MGMT0, BOTH_LOW_NOISE);
	chip_set(&icm, ACCEL_CONFIG0, odr);
	chip_set(&icm, GYRO_CONFIG0, odr);
	/* push-pull, active high, pulsed; the bit that has to be cleared */
	chip_set(&icm, INT_CONFIG, 0x1b);
	chip_set(&icm, INT_CONFIG1, 0);
	chip_set(&icm, INT_SOURCE0, 0);
	for (int i = 0; i < 2; i++) {
		n_rises[i] = 0;
		n_falls[i] = 0;
	}
}

void icm_fifo_on(uint8_t mode, uint8_t config1, uint16_t watermark)
{
	chip_set(&icm, FIFO_CONFIG, FIFO_BYPASS_MODE);
	chip_set(&icm, FIFO_CONFIG1, config1);
	chip_set(&icm, FIFO_CONFIG2, (uint8_t)watermark);
	chip_set(&icm, FIFO_CONFIG3, (uint8_t)(watermark >> 8));
	chip_set(&icm, FIFO_CONFIG, mode);
}

uint16_t icm_fifo_count(void)
{
	uint8_t bytes[2];

	zassert_ok(chip_read(&icm, FIFO_COUNTH, bytes, sizeof(bytes)));
	return sys_get_be16(bytes);
}

void icm_check_packet(const uint8_t *packet, uint32_t number)
{
	zassert_equal(packet[0], HEADER_16, "frame %u: header %02x", number, packet[0]);
	for (unsigned int k = 0; k < EMLEARN_CHIP_CHANNELS; k++) {
		zassert_equal((int16_t)sys_get_be16(&packet[1 + 2 * k]), COUNT_OF(number, k), "frame %u, channel %u",
			      number, k);
	}
}

void icm_check_fifo(uint32_t first, unsigned int n)
{
	static uint8_t bytes[FIFO_BYTES];

	zassert_ok(chip_read(&icm, FIFO_DATA, bytes, n * PACKET_16));
	for (unsigned int i = 0; i < n; i++) {
		icm_check_packet(&bytes[i * PACKET_16], first + i);
	}
}

unsigned int icm_edges(int pin, bool active_low)
{
	return (active_low ? n_falls : n_rises)[pin - INT1_PIN];
}

int icm_pin_level(int pin)
{
	return gpio_pin_get_raw(gpio, (gpio_pin_t)pin);
}

struct emlearn_chip_counts icm_counts(void)
{
	struct emlearn_chip_counts counts;

	emlearn_chip_counts(icm.dev, &counts);
	return counts;
}

void icm_fault(enum emlearn_fault_kind kind, uint32_t at_frame, uint32_t n, int32_t value)
{
	const struct emlearn_fault fault = {kind, at_frame, n, value};

	zassert_ok(emlearn_chip_fault(icm.dev, &fault));
}
