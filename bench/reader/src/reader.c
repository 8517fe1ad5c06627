/* SPDX-License-Identifier: Apache-2.0 */
/* With a reader: batches of 32 frames of six axes. */
#include "read.h"

EMLEARN_IMU_READER_DEFINE(imu, DT_CHOSEN(emlearn_imu), 32);

int main(void)
{
	return read_all(&imu.reader);
}
