"""The audio callback, compiled: PortAudio calls it, it needs no GIL, takes no lock, allocates nothing.

It is handed the address of a table `[bus, ring or 0, ring or 0]` of addresses of shared memory (realtime/output_bus.py,
realtime/ring.py) and writes only the slots marked `callback` there. In each period it adds up the rings, applies balance and
volume, clamps, meters, and copies what it played into the tap of the recorder. For every ring:

    SILENT   --- RUN and fill >= RESUME --->  PLAYING   fades in over RUN_FRAMES
    PLAYING  --- RUN is 0, fade at 0    --->  SILENT    fades out first, over real audio
    PLAYING  --- ring dry               --->  DRAINED   an underrun: counted, faded out over FADE_FRAMES, then silence
    DRAINED  --- faded, fill >= RESUME  --->  PLAYING   fades in over FADE_FRAMES
    any      --- PANIC                  --->  SILENT    fades out over GAIN_FRAMES; leaves behind what was made before FRESH_AT

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

from noizestream.realtime import output_bus, ring
from noizestream.system import ceiling

OUTPUT_UNDERFLOW = 4  # paOutputUnderflow: the server or driver came too late; not our doing

RING_HEADER, CONTROLS, RING_METERS = ring.HEADER_SLOTS, ring.CONTROL_SLOTS, ring.METER_SLOTS
AUDIO_START = ring.RingLayout(0, 0).audio_offset // 4  # in float32 samples from the start of the ring's memory
MIXER_HEADER, MIXER_METERS = output_bus.HEADER_SLOTS, output_bus.METER_SLOTS
TAP_START = output_bus.OutputBusLayout(0).tap_offset // 4
TABLE_SIZE = 1 + output_bus.MODEL_SLOTS


@intrinsic
def fence(typing_context):
    """Order memory between processor cores: an instruction on ARM, none on x86."""

    def generate(context, builder, signature, arguments):
        builder.fence("acq_rel")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def pointer(typing_context, address):
    """The int64 `address` as a pointer."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(types.voidptr))

    return types.voidptr(types.int64), generate


@register_jitable(error_model="numpy")
def add_ring(memory, output, frames, channels, panic_step):  # runs compiled
    """Add `frames` of the ring at `memory` to `output` [frames * channels], with its fades."""
    words = carray(memory, RING_HEADER + CONTROLS + RING_METERS, np.int64)
    header = words[:RING_HEADER]
    meters = words[RING_HEADER + CONTROLS :].view(np.float64)
    capacity = header[ring.CAPACITY]
    audio = carray(memory, AUDIO_START + capacity * channels, np.float32)[AUDIO_START:]

    written = header[ring.WRITTEN]
    fresh, fresh_at = header[ring.FRESH], header[ring.FRESH_AT]
    fence()  # the audio is read after the counter that vouches for it
    played = header[ring.PLAYED]
    panic = header[ring.PANIC]
    mode, tail, ramp, fade = header[ring.MODE], header[ring.TAIL], header[ring.RAMP], meters[ring.FADE]
    missed = np.int64(0)
    panicking = header[ring.PANICKED] != panic
    if panicking and fade <= 0.0:
        mode = np.int64(ring.SILENT)
        if fresh == panic:
            played = max(played, fresh_at)
            header[ring.PANICKED] = panic
            panicking = False
    run = header[ring.RUN] == 1 and not panicking
    available = written - played

    if mode == ring.DRAINED and fade <= 0.0 and not run:
        mode = np.int64(ring.SILENT)
    if mode != ring.PLAYING and fade <= 0.0 and run and available >= max(header[ring.RESUME], 1):
        ramp = header[ring.RUN_FRAMES] if mode == ring.SILENT else header[ring.FADE_FRAMES]
        mode = np.int64(ring.PLAYING)
    if mode == ring.PLAYING and not run:
        ramp = header[ring.RUN_FRAMES]
    step = 1.0 / max(ramp, 1)
    if panicking:
        step = panic_step

    taken = np.int64(0)
    for i in range(frames):
        if mode == ring.PLAYING and not run and fade <= 0.0:
            mode = np.int64(ring.SILENT)
        if mode == ring.PLAYING and taken == available:
            mode, tail = np.int64(ring.DRAINED), np.int64(0)
            ramp = header[ring.FADE_FRAMES]
            step = max(1.0 / max(ramp, 1), step if panicking else 0.0)
            if run:
                header[ring.UNDERRUNS] += 1
        if mode == ring.PLAYING:
            fade = min(fade + step, 1.0) if run else max(fade - step, 0.0)
            frame = played + taken
            taken += 1
        else:
            fade = max(fade - step, 0.0)
            frame = played + taken - 1 - tail
            if mode == ring.DRAINED:
                tail += 1
                missed += 1 if run else 0
        level = fade * fade * (3.0 - 2.0 * fade)  # smooth at both ends; two that cross add up to 1
        if level > 0.0:
            start = (frame % capacity) * channels
            for c in range(channels):
                output[i * channels + c] += audio[start + c] * level

    fence()  # the audio has been read before the worker may write over it
    header[ring.PLAYED] = played + taken
    header[ring.MODE], header[ring.TAIL], header[ring.RAMP] = mode, tail, ramp
    header[ring.MISSED] += missed
    meters[ring.FADE] = fade


@register_jitable(error_model="numpy")
def balance_sides(output, frames, channels, meters, step):  # runs compiled
    """Attenuate the first or the second channel of `output` [frames * channels], by a balance that moves by `step` a frame."""
    now, wanted = meters[output_bus.BALANCED], meters[output_bus.BALANCE]
    if channels < 2 or (now == 0.0 and wanted == 0.0):
        return
    for i in range(frames):
        now += min(max(wanted - now, -step), step)
        output[i * channels] *= min(1.0 - now, 1.0)
        output[i * channels + 1] *= min(1.0 + now, 1.0)
    meters[output_bus.BALANCED] = now


@register_jitable(error_model="numpy")
def serve(table, target, frames, status, now):  # runs compiled
    """Fill the float32 samples at address `target` with `frames` interleaved frames of the rings in the `table` of addresses.

    `now` is the host's time of this call, s; 0: it has none. What a host asks for at once comes in calls of the same time:
    PortAudio hands the 4096 frames of a JACK period over in parts of 1024.
    """
    addresses = carray(table, TABLE_SIZE, np.int64)
    memory = pointer(addresses[0])
    words = carray(memory, MIXER_HEADER + MIXER_METERS, np.int64)
    header = words[:MIXER_HEADER]
    meters = words[MIXER_HEADER:].view(np.float64)
    channels = header[output_bus.CHANNELS]
    samples = frames * channels
    output = carray(target, samples, np.float32)

    header[output_bus.CALLBACKS] += 1
    if now > 0.0 and now == meters[output_bus.BURST_AT] and header[output_bus.BURST] < output_bus.MOST_BURST:
        header[output_bus.BURST] += frames
    else:
        header[output_bus.PERIOD] = header[output_bus.BURST]
        header[output_bus.BURST] = frames
        meters[output_bus.BURST_AT] = now
        header[output_bus.BURSTS] += 1
    if status & OUTPUT_UNDERFLOW:
        header[output_bus.DEVICE_UNDERFLOWS] += 1

    gain, wanted, peak = meters[output_bus.GAIN], min(meters[output_bus.VOLUME_GAIN], 1.0), meters[output_bus.PEAK]
    gain_step = 1.0 / max(header[output_bus.GAIN_FRAMES], 1)
    output[:] = 0.0
    for deck in range(1, TABLE_SIZE):
        if addresses[deck] != 0:
            add_ring(pointer(addresses[deck]), output, frames, channels, gain_step)
    balance_sides(output, frames, channels, meters, gain_step)

    for i in range(frames):
        gain += min(max(wanted - gain, -gain_step), gain_step)
        for c in range(i * channels, (i + 1) * channels):
            value = output[c] * gain
            value = min(max(value, -ceiling.CEILING), ceiling.CEILING) if value == value else 0.0
            output[c] = value
            peak = max(peak, abs(value))
    meters[output_bus.GAIN], meters[output_bus.PEAK] = gain, peak

    if header[output_bus.TAP_ON] == 1:
        size, tapped = header[output_bus.TAP_SAMPLES], header[output_bus.TAPPED]
        if tapped - header[output_bus.TAKEN] + samples > size:
            header[output_bus.TAP_LOST] += frames
        else:
            fence()  # the recorder has read what is written over now
            tap = carray(memory, TAP_START + size, np.float32)[TAP_START:]
            for i in range(samples):
                tap[(tapped + i) % size] = output[i]
            fence()
            header[output_bus.TAPPED] = tapped + samples


_ULONG = types.Integer.from_bitwidth(8 * ctypes.sizeof(ctypes.c_ulong), signed=False)
SIGNATURE = types.int32(types.voidptr, types.voidptr, _ULONG, types.intp, _ULONG, types.voidptr)


def _pa_stream_callback(stamp: int):
    """Return `serve` as a PaStreamCallback.

    numba's cache is keyed by the date of this file and by the function's closure, while the slots compiled in come from other
    files: `stamp`, a hash of those, must be in the closure.
    """

    def pa_stream_callback(_source, target, frames, time, status, table):
        _ = stamp
        now = 0.0
        if time != 0:
            now = carray(pointer(time), 3, np.float64)[1]  # currentTime of a PaStreamCallbackTimeInfo
        serve(table, target, np.int64(frames), np.int64(status), now)
        return 0  # paContinue

    return pa_stream_callback


@functools.cache
def compiled():
    """Return the numba CFunc (`.address`, `.ctypes`): compiled in about a second, or read from numba's cache."""
    function = _pa_stream_callback(zlib.crc32(b"".join(Path(one.__file__).read_bytes() for one in (ceiling, output_bus, ring))))
    try:
        return cfunc(SIGNATURE, cache=True)(function)
    except (RuntimeError, OSError):  # neither the package's folder nor the user's can be written
        return cfunc(SIGNATURE)(function)
