# SPDX-License-Identifier: Apache-2.0
"""struct emlearn_recording for ctypes. Not a test file."""

import ctypes


class Span(ctypes.Structure):
    """struct emlearn_recording_span."""

    _fields_ = [("stop", ctypes.c_uint32), ("label", ctypes.c_char_p)]


class Gap(ctypes.Structure):
    """struct emlearn_recording_gap."""

    _fields_ = [("frame", ctypes.c_uint32), ("n_lost", ctypes.c_uint32)]


class Recording(ctypes.Structure):
    """struct emlearn_recording."""

    _fields_ = [
        ("frames", ctypes.POINTER(ctypes.c_int16)),
        ("spans", ctypes.POINTER(Span)),
        ("gaps", ctypes.POINTER(Gap)),
        *(
            (name, ctypes.c_uint32)
            for name in (
                "n_frames n_spans n_gaps rate_mhz acc_step_num acc_step_den gyro_step_num gyro_step_den"
            ).split()
        ),
        ("sensors", ctypes.c_uint8),
    ]
