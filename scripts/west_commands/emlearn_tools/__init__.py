# SPDX-License-Identifier: Apache-2.0
"""From labelled IMU recordings to a decision in firmware: the host side of the emlearn Zephyr module."""
