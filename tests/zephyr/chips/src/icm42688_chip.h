/* SPDX-License-Identifier: Apache-2.0 */
/* An icm42688 of the overlay that no driver uses, and its registers as TDK's datasheet (DS-000347) names them. */
#ifndef TEST_ICM42688_CHIP_H_
#define TEST_ICM42688_CHIP_H_

#include <stdbool.h>

#include <emlearn/zephyr/chip_model.h>

#include "chip_bus.h"

#define DEVICE_CONFIG 0x11
#define INT_CONFIG 0x14
#define FIFO_CONFIG 0x16
#define TEMP_DATA1 0x1d
#define ACCEL_DATA_X1 0x1f
#define GYRO_DATA_X1 0x25
#define INT_STATUS 0x2d
#define FIFO_COUNTH 0x2e
#define FIFO_DATA 0x30
#define SIGNAL_PATH_RESET 0x4b
#define INTF_CONFIG0 0x4c
#define PWR_MGMT0 0x4e
#define GYRO_CONFIG0 0x4f
#define ACCEL_CONFIG0 0x50
#define TMST_CONFIG 0x54
#define FIFO_CONFIG1 0x5f
#define FIFO_CONFIG2 0x60
#define FIFO_CONFIG3 0x61
#define INT_CONFIG0 0x63
#define INT_CONFIG1 0x64
#define INT_SOURCE0 0x65
#define INT_SOURCE3 0x68
#define ICM_WHO_AM_I 0x75
#define REG_BANK_SEL 0x76

#define STATUS_FIFO_FULL 0x02
#define STATUS_FIFO_THS 0x04
#define STATUS_DATA_RDY 0x08
#define STATUS_RESET_DONE 0x10

#define ODR_100_HZ 8

#define FIFO_BYPASS_MODE 0x00
#define FIFO_STREAM_MODE 0x40
#define FIFO_STOP_ON_FULL_MODE 0x80
#define FIFO_FLUSH 0x02

#define FIFO_OF_BOTH 0x0f /* accelerometer, gyroscope, temperature, time stamp */
#define FIFO_HIRES 0x10
#define FIFO_WM_GT_TH 0x20
#define FIFO_RESUME_PARTIAL 0x40

#define PACKET_16 16
#define PACKET_20 20
#define FIFO_BYTES 2048

#define INT1_PIN 6
#define INT2_PIN 7

/* Time for n frames at 100 Hz to be made, and a bit. */
#define FRAMES_100(n) K_USEC((n) * 10000ll + 200)

extern const struct chip_under_test icm;

/* Count c of channel k of frame n, on the grid of 16 g and 2000 dps. */
extern const struct emlearn_source icm_source;

/* Power-cycled, both sensors on at this rate, 16 g, 2000 dps; frames from here on are those of the source. */
void icm_set_up(uint8_t odr, const struct emlearn_source *source);

/* The FIFO on in this mode, with these bits of FIFO_CONFIG1 and this watermark. */
void icm_fifo_on(uint8_t mode, uint8_t config1, uint16_t watermark);

/* FIFO_COUNT, big-endian. */
uint16_t icm_fifo_count(void);

/* A packet of 16 bytes with both sensors: check header and codes of this frame of icm_source. */
void icm_check_packet(const uint8_t *packet, uint32_t number);

/* Read n packets of 16 bytes in one burst, which have to be those of frames `first` and on. */
void icm_check_fifo(uint32_t first, unsigned int n);

/* Edges to the active level at an interrupt pin since icm_set_up(). active_low: what the test takes for active. */
unsigned int icm_edges(int pin, bool active_low);
int icm_pin_level(int pin);

struct emlearn_chip_counts icm_counts(void);
void icm_fault(enum emlearn_fault_kind kind, uint32_t at_frame, uint32_t n, int32_t value);

#endif /* TEST_ICM42688_CHIP_H_ */
