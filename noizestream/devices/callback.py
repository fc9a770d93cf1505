"""The audio callback, compiled: PortAudio calls it, it needs no GIL, takes no lock, allocates nothing.

It is handed the address of the shared memory of `engine.ring` and writes only the slots marked `callback` there. In each period:

    SILENT   --- RUN and fill >= RESUME --->  PLAYING   fades in over FADE_FRAMES
    PLAYING  --- RUN is 0, fade at 0    --->  SILENT    fades out first, over real audio
    PLAYING  --- ring dry               --->  DRAINED   an underrun: counted, faded out, then silence
    DRAINED  --- faded, fill >= RESUME  --->  PLAYING

The fade of an underrun plays the last frames backwards, which the ring still holds: the value goes on from the last good sample
with no step, and no look-ahead is needed. So the ring must keep FADE_FRAMES of the past, beside the target and a block.
"""

import ctypes
import functools
import zlib
from pathlib import Path

import numpy as np
from numba import carray, cfunc, types
from numba.extending import intrinsic, register_jitable

from noizestream.engine import ring

CEILING = 10 ** (-0.3 / 20)
"""Hard limit of every sample, -0.3 dBFS."""

GAIN_SECONDS = 0.005
"""A volume change of the whole range takes this long: no zipper noise, and done within one period of 256 frames at 48 kHz."""

OUTPUT_UNDERFLOW = 4  # paOutputUnderflow: the server or driver came too late; not our doing

HEADER, CONTROLS, METERS = ring.HEADER_SLOTS, ring.CONTROL_SLOTS, ring.METER_SLOTS
AUDIO_START = ring.RingLayout(0, 0).audio_offset // 4  # in float32 samples from the start of the memory


@intrinsic
def fence(typing_context):
    """Order memory between processor cores: an instruction on ARM, none on x86."""

    def generate(context, builder, signature, arguments):
        builder.fence("acq_rel")
        return context.get_dummy_value()

    return types.void(), generate


@register_jitable(error_model="numpy")
def serve(memory, target, frames, status):  # runs compiled
    """Fill the float32 samples at address `target` with `frames` interleaved frames from the ring at address `memory`."""
    words = carray(memory, HEADER + CONTROLS + METERS, np.int64)
    header = words[:HEADER]
    meters = words[HEADER + CONTROLS :].view(np.float64)
    capacity = header[ring.CAPACITY]
    channels = header[ring.CHANNELS]
    audio = carray(memory, AUDIO_START + capacity * channels, np.float32)[AUDIO_START:]
    output = carray(target, frames * channels, np.float32)

    header[ring.CALLBACKS] += 1
    header[ring.PERIOD] = frames
    if status & OUTPUT_UNDERFLOW:
        header[ring.DEVICE_UNDERFLOWS] += 1

    written = header[ring.WRITTEN]
    fence()  # the audio is read after the counter that vouches for it
    played = header[ring.PLAYED]
    available = written - played
    run = header[ring.RUN] == 1
    mode, tail, missed = header[ring.MODE], header[ring.TAIL], np.int64(0)
    fade, gain, wanted, peak = meters[ring.FADE], meters[ring.GAIN], min(meters[ring.VOLUME_GAIN], 1.0), meters[ring.PEAK]
    fade_step = 1.0 / max(header[ring.FADE_FRAMES], 1)
    gain_step = 1.0 / max(header[ring.GAIN_FRAMES], 1)

    if mode == ring.DRAINED and fade <= 0.0 and not run:
        mode = np.int64(ring.SILENT)
    if mode != ring.PLAYING and fade <= 0.0 and run and available >= max(header[ring.RESUME], 1):
        mode = np.int64(ring.PLAYING)
    if fade <= 0.0:
        gain = wanted  # nothing sounds: no need to glide

    taken = np.int64(0)
    for i in range(frames):
        gain += min(max(wanted - gain, -gain_step), gain_step)
        if mode == ring.PLAYING and not run and fade <= 0.0:
            mode = np.int64(ring.SILENT)
        if mode == ring.PLAYING and taken == available:
            mode, tail = np.int64(ring.DRAINED), np.int64(0)
            if run:
                header[ring.UNDERRUNS] += 1
        if mode == ring.PLAYING:
            fade = min(fade + fade_step, 1.0) if run else max(fade - fade_step, 0.0)
            frame = played + taken
            taken += 1
        else:
            fade = max(fade - fade_step, 0.0)
            frame = played + taken - 1 - tail
            if mode == ring.DRAINED:
                tail += 1
                missed += 1 if run else 0
        level = gain * fade * fade * (3.0 - 2.0 * fade)  # smooth at both ends of the fade
        start = (frame % capacity) * channels
        for c in range(channels):
            value = audio[start + c] * level if level > 0.0 else 0.0
            value = min(max(value, -CEILING), CEILING) if value == value else 0.0
            output[i * channels + c] = value
            peak = max(peak, abs(value))

    fence()  # the audio has been read before the worker may write over it
    header[ring.PLAYED] = played + taken
    header[ring.MODE], header[ring.TAIL] = mode, tail
    header[ring.MISSED] += missed
    meters[ring.FADE], meters[ring.GAIN], meters[ring.PEAK] = fade, gain, peak


_ULONG = types.Integer.from_bitwidth(8 * ctypes.sizeof(ctypes.c_ulong), signed=False)
SIGNATURE = types.int32(types.voidptr, types.voidptr, _ULONG, types.voidptr, _ULONG, types.voidptr)


def _pa_stream_callback(ring_stamp: int):
    """Return `serve` as a PaStreamCallback.

    numba's cache is keyed by the date of this file and by the function's closure, while the slots compiled in come from another
    file: `ring_stamp`, a hash of that file, must be in the closure.
    """

    def pa_stream_callback(_source, target, frames, _time, status, memory):
        _ = ring_stamp
        serve(memory, target, np.int64(frames), np.int64(status))
        return 0  # paContinue

    return pa_stream_callback


@functools.cache
def compiled():
    """Return the numba CFunc (`.address`, `.ctypes`): compiled in about a second, or read from numba's cache."""
    function = _pa_stream_callback(zlib.crc32(Path(ring.__file__).read_bytes()))
    try:
        return cfunc(SIGNATURE, cache=True)(function)
    except (RuntimeError, OSError):  # neither the package's folder nor the user's can be written
        return cfunc(SIGNATURE)(function)
