/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the model of the icm42688: its state and its registers. */
#ifndef EMLEARN_EMUL_ICM42688_H_
#define EMLEARN_EMUL_ICM42688_H_

#include <stdbool.h>
#include <stdint.h>

#include <zephyr/sys/util.h>

#include "chip.h"
#include "chip_fifo.h"

#define ICM_WHO_AM_I_VALUE 0x47

/* Registers of bank 0. */
#define ICM_DEVICE_CONFIG 0x11
#define ICM_DRIVE_CONFIG 0x13
#define ICM_INT_CONFIG 0x14
#define ICM_FIFO_CONFIG 0x16
#define ICM_TEMP_DATA1 0x1D
#define ICM_ACCEL_DATA_X1 0x1F
#define ICM_GYRO_DATA_X1 0x25
#define ICM_GYRO_DATA_Z0 0x2A
#define ICM_INT_STATUS 0x2D
#define ICM_FIFO_COUNTH 0x2E
#define ICM_FIFO_COUNTL 0x2F
#define ICM_FIFO_DATA 0x30
#define ICM_INT_STATUS3 0x38
#define ICM_SIGNAL_PATH_RESET 0x4B
#define ICM_INTF_CONFIG0 0x4C
#define ICM_INTF_CONFIG1 0x4D
#define ICM_PWR_MGMT0 0x4E
#define ICM_GYRO_CONFIG0 0x4F
#define ICM_ACCEL_CONFIG0 0x50
#define ICM_GYRO_CONFIG1 0x51
#define ICM_GYRO_ACCEL_CONFIG0 0x52
#define ICM_ACCEL_CONFIG1 0x53
#define ICM_TMST_CONFIG 0x54
#define ICM_APEX_CONFIG0 0x56
#define ICM_FIFO_CONFIG1 0x5F
#define ICM_FIFO_CONFIG2 0x60
#define ICM_FIFO_CONFIG3 0x61
#define ICM_FSYNC_CONFIG 0x62
#define ICM_INT_CONFIG0 0x63
#define ICM_INT_CONFIG1 0x64
#define ICM_INT_SOURCE0 0x65
#define ICM_INT_SOURCE3 0x68
#define ICM_FIFO_LOST_PKT0 0x6C
#define ICM_FIFO_LOST_PKT1 0x6D
#define ICM_WHO_AM_I 0x75
#define ICM_BANK_SEL 0x76 /* in every bank */

#define ICM_SOFT_RESET BIT(0)

/* INT_CONFIG; INT2 has the same bits, 3 places up. */
#define ICM_INT1_ACTIVE_HIGH BIT(0)
#define ICM_INT1_LATCHED BIT(2)
#define ICM_INT2_SHIFT 3

/* INT_STATUS, INT_SOURCE0 for INT1 and INT_SOURCE3 for INT2 */
#define ICM_FIFO_FULL_INT BIT(1)
#define ICM_FIFO_THS_INT BIT(2)
#define ICM_DATA_RDY_INT BIT(3)
#define ICM_RESET_DONE_INT BIT(4)

/* INT_CONFIG0: by what a latched interrupt is cleared; two bits each */
#define ICM_FIFO_FULL_CLEAR_SHIFT 0
#define ICM_FIFO_THS_CLEAR_SHIFT 2
#define ICM_DATA_RDY_CLEAR_SHIFT 4
#define ICM_CLEAR_MASK 3
#define ICM_CLEAR_BY_DATA 2 /* and not by the status; 3 is both */

#define ICM_INT_ASYNC_RESET BIT(4)
#define ICM_FIFO_FLUSH BIT(1)

/* INTF_CONFIG0 */
#define ICM_SENSOR_BIG_ENDIAN BIT(4)
#define ICM_COUNT_BIG_ENDIAN BIT(5)
#define ICM_COUNT_RECORDS BIT(6)
#define ICM_HOLD_LAST_DATA BIT(7)

/* FIFO_CONFIG */
#define ICM_FIFO_MODE_SHIFT 6
#define ICM_FIFO_BYPASS 0
#define ICM_FIFO_STREAM 1

/* FIFO_CONFIG1 */
#define ICM_FIFO_ACCEL_EN BIT(0)
#define ICM_FIFO_GYRO_EN BIT(1)
#define ICM_FIFO_HIRES_EN BIT(4)
#define ICM_FIFO_WM_GT_TH BIT(5)
#define ICM_FIFO_RESUME_PARTIAL BIT(6)

/* TMST_CONFIG */
#define ICM_TMST_EN BIT(0)
#define ICM_TMST_16_US BIT(3)

#define ICM_BANKS 5
#define ICM_REGISTERS 128
#define ICM_FIFO_BYTES 2048

struct icm42688 {
	struct chip chip; /* first */
	uint8_t registers[ICM_BANKS][ICM_REGISTERS];
	uint8_t status;                       /* INT_STATUS */
	uint8_t latched;                      /* interrupts of a latched line that were not cleared */
	uint8_t count_l;                      /* FIFO_COUNTL as it was when FIFO_COUNTH was read */
	int32_t codes[EMLEARN_CHIP_CHANNELS]; /* newest frame as the FIFO takes it: 20 bits in high resolution, else 16
					       */
	struct chip_fifo fifo;
	uint8_t fifo_bytes[ICM_FIFO_BYTES];
	uint32_t n_of_packet; /* bytes of the oldest packet that were read */
	uint32_t n_odd;
};

/* A register of bank 0. */
static inline uint8_t icm42688_get(const struct icm42688 *icm, uint8_t address)
{
	return icm->registers[0][address];
}

/* Is this sensor switched on? */
bool icm42688_accel_on(const struct icm42688 *icm);
bool icm42688_gyro_on(const struct icm42688 *icm);

/*
 * Interrupts.
 */

/* Set bits of INT_STATUS, and the interrupt lines that they are routed to. */
void icm42688_raise(struct icm42688 *icm, uint8_t bits);

/* Clear those of the bits that a line has latched and that are cleared in this way: by the data or by the status. */
void icm42688_clear(struct icm42688 *icm, uint8_t bits, bool by_data);

/* Is one of the bits routed to a line? */
bool icm42688_is_routed(const struct icm42688 *icm, uint8_t bits);

/* Of struct chip_ops. */
void icm42688_lines(struct chip *chip);

/*
 * The FIFO.
 */
bool icm42688_fifo_is_on(const struct icm42688 *icm);
bool icm42688_fifo_is_hires(const struct icm42688 *icm);
void icm42688_fifo_flush(struct icm42688 *icm);

/* As the registers say: packets or bytes. */
uint16_t icm42688_fifo_count(const struct icm42688 *icm);

/* FIFO_DATA: the next byte. */
uint8_t icm42688_fifo_read(struct icm42688 *icm);

/* A transfer has ended. */
void icm42688_fifo_end_transfer(struct icm42688 *icm);

/* Of struct chip_ops. */
int32_t icm42688_fifo_room(const struct chip *chip);
uint32_t icm42688_fifo_quiet(const struct chip *chip);
bool icm42688_fifo_store(struct chip *chip);
void icm42688_fifo_store_odd(struct chip *chip);

#endif /* EMLEARN_EMUL_ICM42688_H_ */
