/* SPDX-License-Identifier: Apache-2.0 */
/* The FIFO of the icm42688: packets of 8, 16 or 20 bytes behind one address. */
#include "icm42688.h"

#include <string.h>

#include <zephyr/sys/byteorder.h>

#define HEADER_EMPTY BIT(7)
#define HEADER_ACCEL BIT(6)
#define HEADER_GYRO BIT(5)
#define HEADER_20_BITS BIT(4)
#define HEADER_TIMESTAMP BIT(3)

#define SIZE_ONE_SENSOR 8
#define SIZE_BOTH 16
#define SIZE_20_BITS 20

/* Where things stand in a packet. */
#define AT_FIRST 1
#define AT_SECOND 7
#define AT_TEMPERATURE 13
#define AT_TIMESTAMP 14
#define AT_TIMESTAMP_20_BITS 15
#define AT_LOW_BITS 17

/* What stands for a sample that is not there. */
#define INVALID_16 (-32768)
#define INVALID_20 (-524288)

/* The timestamp counts 30 where 32 us have passed. */
#define TIMESTAMP_MUL 30
#define TIMESTAMP_DIV 32

static uint8_t mode(const struct icm42688 *icm)
{
	return icm42688_get(icm, ICM_FIFO_CONFIG) >> ICM_FIFO_MODE_SHIFT;
}

bool icm42688_fifo_is_hires(const struct icm42688 *icm)
{
	return (icm42688_get(icm, ICM_FIFO_CONFIG1) & ICM_FIFO_HIRES_EN) != 0;
}

/* The header of the packets that are made now; 0 if none is. */
static uint8_t header(const struct icm42688 *icm)
{
	uint8_t config = icm42688_get(icm, ICM_FIFO_CONFIG1);
	bool accel = (config & ICM_FIFO_ACCEL_EN) != 0 && icm42688_accel_on(icm);
	bool gyro = (config & ICM_FIFO_GYRO_EN) != 0 && icm42688_gyro_on(icm);
	bool has_time = icm42688_fifo_is_hires(icm) || (accel && gyro);
	uint8_t result = 0;

	if (!accel && !gyro) {
		return 0;
	}
	result |= accel ? HEADER_ACCEL : 0;
	result |= gyro ? HEADER_GYRO : 0;
	result |= icm42688_fifo_is_hires(icm) ? HEADER_20_BITS : 0;
	result |= has_time && (icm42688_get(icm, ICM_TMST_CONFIG) & ICM_TMST_EN) != 0 ? HEADER_TIMESTAMP : 0;
	return result;
}

static uint32_t size_of(uint8_t packet_header)
{
	if ((packet_header & HEADER_20_BITS) != 0) {
		return SIZE_20_BITS;
	}
	return (packet_header & HEADER_ACCEL) != 0 && (packet_header & HEADER_GYRO) != 0 ? SIZE_BOTH : SIZE_ONE_SENSOR;
}

/* Bytes of the oldest packet. An empty one has the size of those that are made now. */
static uint32_t oldest_size(const struct icm42688 *icm)
{
	uint8_t first = chip_fifo_peek(&icm->fifo, 0);

	return MIN(size_of((first & HEADER_EMPTY) != 0 ? header(icm) : first), icm->fifo.n);
}

bool icm42688_fifo_is_on(const struct icm42688 *icm)
{
	return mode(icm) != ICM_FIFO_BYPASS && header(icm) != 0;
}

void icm42688_fifo_flush(struct icm42688 *icm)
{
	chip_fifo_clear(&icm->fifo);
	icm->n_of_packet = 0;
}

uint16_t icm42688_fifo_count(const struct icm42688 *icm)
{
	bool in_records = (icm42688_get(icm, ICM_INTF_CONFIG0) & ICM_COUNT_RECORDS) != 0;

	return (uint16_t)(in_records ? icm->fifo.n / size_of(header(icm)) : icm->fifo.n);
}

int32_t icm42688_fifo_room(const struct chip *chip)
{
	const struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);

	return icm42688_fifo_is_on(icm) ? (int32_t)((ICM_FIFO_BYTES - icm->fifo.n) / size_of(header(icm))) : -1;
}

/* In the unit of the FIFO's count; 0 for none. */
static uint32_t watermark(const struct icm42688 *icm)
{
	return sys_get_le16(&icm->registers[0][ICM_FIFO_CONFIG2]) & 0x0FFF;
}

/* Does every packet at and above the watermark raise its interrupt, or the first one alone? */
static bool raises_always(const struct icm42688 *icm)
{
	return (icm42688_get(icm, ICM_FIFO_CONFIG1) & ICM_FIFO_WM_GT_TH) != 0;
}

uint32_t icm42688_fifo_quiet(const struct chip *chip)
{
	const struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);
	const int32_t room = icm42688_fifo_room(chip);
	const uint32_t count = icm42688_fifo_count(icm);
	uint32_t n;

	if (icm42688_is_routed(icm, ICM_DATA_RDY_INT)) {
		return 0;
	}
	if (room < 0 || !icm42688_is_routed(icm, ICM_FIFO_THS_INT | ICM_FIFO_FULL_INT)) {
		return UINT32_MAX;
	}
	if (room == 0) {
		return 0;
	}
	n = (uint32_t)room - 1; /* the last one that fits makes it full */
	if (watermark(icm) > 0 && (count < watermark(icm) || raises_always(icm))) {
		const uint32_t left = watermark(icm) - MIN(watermark(icm), count + 1);
		const bool in_records = (icm42688_get(icm, ICM_INTF_CONFIG0) & ICM_COUNT_RECORDS) != 0;

		n = MIN(n, in_records ? left : left / size_of(header(icm)));
	}
	return n;
}

/* Append a packet: in stream mode in place of the oldest ones. False if it is not taken. */
static bool push(struct icm42688 *icm, const uint8_t *packet, uint32_t size)
{
	uint32_t before;

	if (icm->fifo.n + size > ICM_FIFO_BYTES && mode(icm) != ICM_FIFO_STREAM) {
		icm42688_raise(icm, ICM_FIFO_FULL_INT);
		return false;
	}
	while (icm->fifo.n + size > ICM_FIFO_BYTES) {
		chip_fifo_drop(&icm->fifo, oldest_size(icm));
		icm->n_of_packet = 0;
		icm->chip.counts.n_overwritten++;
	}
	before = icm42688_fifo_count(icm);
	chip_fifo_push(&icm->fifo, packet, size);
	if (icm->fifo.n + size > ICM_FIFO_BYTES) {
		icm42688_raise(icm, ICM_FIFO_FULL_INT);
	}
	if (watermark(icm) > 0 && icm42688_fifo_count(icm) >= watermark(icm) &&
	    (raises_always(icm) || before < watermark(icm))) {
		icm42688_raise(icm, ICM_FIFO_THS_INT);
	}
	return true;
}

static void put_16(const struct icm42688 *icm, uint8_t *at, int32_t value)
{
	if ((icm42688_get(icm, ICM_INTF_CONFIG0) & ICM_SENSOR_BIG_ENDIAN) != 0) {
		sys_put_be16((uint16_t)value, at);
	} else {
		sys_put_le16((uint16_t)value, at);
	}
}

static uint16_t timestamp(const struct icm42688 *icm)
{
	uint8_t config = icm42688_get(icm, ICM_TMST_CONFIG);
	int64_t unit_ns = (config & ICM_TMST_16_US) != 0 ? 16000 : 1000;

	if ((config & ICM_TMST_EN) == 0) {
		return 0;
	}
	return (uint16_t)(icm->chip.frame_own_ns / TIMESTAMP_DIV * TIMESTAMP_MUL / unit_ns);
}

/* Write a packet of these codes; returns its size. */
static uint32_t make(const struct icm42688 *icm, const int32_t codes[EMLEARN_CHIP_CHANNELS],
		     uint8_t packet[SIZE_20_BITS])
{
	const uint8_t first = header(icm);
	const bool is_20_bits = (first & HEADER_20_BITS) != 0;
	const uint32_t size = size_of(first);
	const int32_t *only = (first & HEADER_ACCEL) != 0 ? codes : codes + EMLEARN_AXES;

	memset(packet, 0, SIZE_20_BITS); /* the temperature is 25 degrees, which is 0 */
	packet[0] = first;
	for (unsigned int i = 0; i < EMLEARN_AXES; i++) {
		uint8_t *low = &packet[AT_LOW_BITS + i];

		if (size == SIZE_ONE_SENSOR) {
			put_16(icm, &packet[AT_FIRST + 2 * i], only[i]);
			continue;
		}
		put_16(icm, &packet[AT_FIRST + 2 * i], is_20_bits ? codes[i] >> 4 : codes[i]);
		put_16(icm, &packet[AT_SECOND + 2 * i],
		       is_20_bits ? codes[EMLEARN_AXES + i] >> 4 : codes[EMLEARN_AXES + i]);
		if (is_20_bits) {
			*low = (uint8_t)((codes[i] & 0x0F) << 4 | (codes[EMLEARN_AXES + i] & 0x0F));
		}
	}
	if (size != SIZE_ONE_SENSOR) {
		put_16(icm, &packet[is_20_bits ? AT_TIMESTAMP_20_BITS : AT_TIMESTAMP], timestamp(icm));
	}
	return size;
}

bool icm42688_fifo_store(struct chip *chip)
{
	struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);
	uint8_t packet[SIZE_20_BITS];
	uint32_t size;
	int32_t codes[EMLEARN_CHIP_CHANNELS];

	memcpy(codes, icm->codes, sizeof(codes));
	size = make(icm, codes, packet);
	return push(icm, packet, size);
}

/* In turn a packet of samples that are not there, and one that is empty by its header. */
void icm42688_fifo_store_odd(struct chip *chip)
{
	struct icm42688 *icm = CONTAINER_OF(chip, struct icm42688, chip);
	const int32_t invalid = icm42688_fifo_is_hires(icm) ? INVALID_20 : INVALID_16;
	const int32_t codes[EMLEARN_CHIP_CHANNELS] = {invalid, invalid, invalid, invalid, invalid, invalid};
	uint8_t packet[SIZE_20_BITS];
	uint32_t size = make(icm, codes, packet);

	if (icm->n_odd++ % 2 == 1) {
		packet[0] = HEADER_EMPTY;
	}
	push(icm, packet, size);
}

uint8_t icm42688_fifo_read(struct icm42688 *icm)
{
	uint8_t byte;

	if (icm->fifo.n == 0) {
		return HEADER_EMPTY;
	}
	byte = chip_fifo_peek(&icm->fifo, icm->n_of_packet);
	icm->n_of_packet++;
	if (icm->n_of_packet == oldest_size(icm)) {
		chip_fifo_drop(&icm->fifo, icm->n_of_packet);
		icm->n_of_packet = 0;
		chip_mark_read(&icm->chip);
	}
	return byte;
}

void icm42688_fifo_end_transfer(struct icm42688 *icm)
{
	/* A packet that was not read to its end comes again, unless it is to be resumed. */
	if ((icm42688_get(icm, ICM_FIFO_CONFIG1) & ICM_FIFO_RESUME_PARTIAL) == 0) {
		icm->n_of_packet = 0;
	}
}
