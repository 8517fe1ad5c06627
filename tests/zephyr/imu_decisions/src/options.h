/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line of native_sim chooses. */
#ifndef DECISIONS_OPTIONS_H_
#define DECISIONS_OPTIONS_H_

/* --model=NAME; "" where it is not given. */
const char *option_model(void);

/* --imu=NODE: the name of the node to read. */
const char *option_imu(void);

#endif /* DECISIONS_OPTIONS_H_ */
