"""The audio callback, compiled: PortAudio calls it, it needs no GIL, takes no lock, allocates nothing.

It is handed the address of a table `[bus, ring or 0, ring or 0]` of addresses of shared memory (realtime/output_bus.py,
realtime/ring.py) and writes only the numbers of `BusCallback` and `RingCallback` there. In each period it adds up the rings,
applies balance and volume, clamps, meters, and copies what it played into the tap of the recorder. For every ring:

    SILENT   --- run and fill >= resume --->  PLAYING   fades in over run_frames
    PLAYING  --- run is 0, fade at 0    --->  SILENT    fades out first, over real audio
    PLAYING  --- ring dry               --->  DRAINED   an underrun: counted, faded out over fade_frames, then silence
    DRAINED  --- faded, fill >= resume  --->  PLAYING   fades in over fade_frames
    any      --- panic                  --->  SILENT    fades out over gain_frames; leaves behind what was made before fresh_at
    any      --- restart                --->  SILENT    at once: nobody has played it since

The fade of an underrun plays the last frames backwards, which the ring still holds: the value goes on from the last good sample
with no step, and no look-ahead is needed. So the ring must keep fade_frames of the past, beside the target and a block.
"""

import ctypes
import functools
import zlib
from pathlib import Path

import numpy as np
from numba import carray, cfunc, types
from numba.extending import intrinsic, register_jitable

from noizestream.realtime import output_bus, ring, shared_memory
from noizestream.system import ceiling

OUTPUT_UNDERFLOW = 4  # paOutputUnderflow: the server or driver came too late; not our doing

RING, BUS = ring.Ring.positions(), output_bus.OutputBus.positions()
"""The place of each number in memory: constants to the compiler."""

RING_WORDS, BUS_WORDS = ring.Ring.words(), output_bus.OutputBus.words()
AUDIO_START = ring.RingLayout(0, 0).audio_offset  # in bytes from the start of the ring's memory
TAP_START = output_bus.OutputBusLayout(0).tap_offset
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
def begin(address, written):  # runs compiled
    """Answer what the ring at `address` was asked: `(mode, ramp, fade, run, panicking, played)` as a period begins."""
    memory = pointer(address)
    ints, floats = carray(memory, RING_WORDS, np.int64), carray(memory, RING_WORDS, np.float64)
    fresh, fresh_at = ints[RING.fresh], ints[RING.fresh_at]
    fence()  # the audio is read after the counter that vouches for it
    played, panic, restart = ints[RING.played], ints[RING.panic], ints[RING.restart]
    mode, ramp, fade = ints[RING.mode], ints[RING.ramp], floats[RING.fade]
    if ints[RING.restarted] != restart:
        mode, fade = np.int64(ring.SILENT), 0.0
        ints[RING.restarted] = restart
    panicking = ints[RING.panicked] != panic
    if panicking and fade <= 0.0:
        mode = np.int64(ring.SILENT)
        if fresh == panic:
            played = max(played, fresh_at)
            ints[RING.panicked] = panic
            panicking = False
    run = ints[RING.run] == 1 and not panicking

    if mode == ring.DRAINED and fade <= 0.0 and not run:
        mode = np.int64(ring.SILENT)
    if mode != ring.PLAYING and fade <= 0.0 and run and written - played >= max(ints[RING.resume], 1):
        ramp = ints[RING.run_frames] if mode == ring.SILENT else ints[RING.fade_frames]
        mode = np.int64(ring.PLAYING)
    if mode == ring.PLAYING and not run:
        ramp = ints[RING.run_frames]
    return mode, ramp, fade, run, panicking, played


@register_jitable(error_model="numpy")
def add_ring(address, target, frames, channels, panic_step):  # runs compiled
    """Add `frames` of the ring at `address` to the float32 samples at `target`, with its fades."""
    memory = pointer(address)
    ints, floats = carray(memory, RING_WORDS, np.int64), carray(memory, RING_WORDS, np.float64)
    output, capacity = carray(target, frames * channels, np.float32), ints[RING.capacity]
    audio = carray(pointer(address + AUDIO_START), capacity * channels, np.float32)

    written = ints[RING.written]
    mode, ramp, fade, run, panicking, played = begin(address, written)
    available, tail, missed = written - played, ints[RING.tail], np.int64(0)
    step = panic_step if panicking else 1.0 / max(ramp, 1)

    taken = np.int64(0)
    for i in range(frames):
        if mode == ring.PLAYING and not run and fade <= 0.0:
            mode = np.int64(ring.SILENT)
        if mode == ring.PLAYING and taken == available:
            mode, tail = np.int64(ring.DRAINED), np.int64(0)
            ramp = ints[RING.fade_frames]
            step = max(1.0 / max(ramp, 1), step if panicking else 0.0)
            if run:
                ints[RING.underruns] += 1
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
    ints[RING.played] = played + taken
    ints[RING.mode], ints[RING.tail], ints[RING.ramp] = mode, tail, ramp
    ints[RING.missed] += missed
    floats[RING.fade] = fade


@register_jitable(error_model="numpy")
def balance_sides(address, target, frames, channels, step):  # runs compiled
    """Attenuate the first or the second channel of the samples at `target`, by the balance of the bus at `address`.

    It moves by `step` a frame.
    """
    floats = carray(pointer(address), BUS_WORDS, np.float64)
    now, wanted = floats[BUS.balanced], floats[BUS.balance]
    if channels < 2 or (now == 0.0 and wanted == 0.0):
        return
    output = carray(target, frames * channels, np.float32)
    for i in range(frames):
        now += min(max(wanted - now, -step), step)
        output[i * channels] *= min(1.0 - now, 1.0)
        output[i * channels + 1] *= min(1.0 + now, 1.0)
    floats[BUS.balanced] = now


@register_jitable(error_model="numpy")
def serve(table, target, frames, status, now):  # runs compiled
    """Fill the float32 samples at address `target` with `frames` interleaved frames of the rings in the `table` of addresses.

    `now` is the host's time of this call, s; 0: it has none. What a host asks for at once comes in calls of the same time:
    PortAudio hands the 4096 frames of a JACK period over in parts of 1024.
    """
    addresses = carray(table, TABLE_SIZE, np.int64)
    memory = pointer(addresses[0])
    ints, floats = carray(memory, BUS_WORDS, np.int64), carray(memory, BUS_WORDS, np.float64)
    channels = ints[BUS.channels]
    samples = frames * channels
    output = carray(target, samples, np.float32)

    ints[BUS.callbacks] += 1
    if now > 0.0 and now == floats[BUS.burst_at] and ints[BUS.burst] < output_bus.MOST_BURST:
        ints[BUS.burst] += frames
    else:
        ints[BUS.period] = ints[BUS.burst]
        ints[BUS.burst] = frames
        floats[BUS.burst_at] = now
        ints[BUS.bursts] += 1
    if status & OUTPUT_UNDERFLOW:
        ints[BUS.device_underflows] += 1

    gain, wanted, loudest = floats[BUS.gain], min(floats[BUS.volume_gain], 1.0), floats[BUS.loudest]
    gain_step = 1.0 / max(ints[BUS.gain_frames], 1)
    asked = ints[BUS.peak_asked]
    if asked != ints[BUS.peak_answered]:
        floats[BUS.peak] = loudest
        loudest = 0.0
    output[:] = 0.0
    for model_slot in range(1, TABLE_SIZE):
        if addresses[model_slot] != 0:
            add_ring(addresses[model_slot], target, frames, channels, gain_step)
    balance_sides(addresses[0], target, frames, channels, gain_step)

    for i in range(frames):
        gain += min(max(wanted - gain, -gain_step), gain_step)
        for c in range(i * channels, (i + 1) * channels):
            value = output[c] * gain
            value = min(max(value, -ceiling.CEILING), ceiling.CEILING) if value == value else 0.0
            output[c] = value
            loudest = max(loudest, abs(value))
    floats[BUS.gain], floats[BUS.loudest] = gain, loudest
    fence()  # the peak is there before the answer
    ints[BUS.peak_answered] = asked

    if ints[BUS.tap_on] == 1:
        size, tapped = ints[BUS.tap_samples], ints[BUS.tapped]
        if tapped - ints[BUS.taken] + samples > size:
            ints[BUS.tap_lost] += frames
        else:
            fence()  # the recorder has read what is written over now
            tap = carray(pointer(addresses[0] + TAP_START), size, np.float32)
            for i in range(samples):
                tap[(tapped + i) % size] = output[i]
            fence()
            ints[BUS.tapped] = tapped + samples


_ULONG = types.Integer.from_bitwidth(8 * ctypes.sizeof(ctypes.c_ulong), signed=False)
SIGNATURE = types.int32(types.voidptr, types.voidptr, _ULONG, types.intp, _ULONG, types.voidptr)


def _pa_stream_callback(stamp: int):
    """Return `serve` as a PaStreamCallback.

    numba's cache is keyed by the date of this file and by the function's closure, while the places compiled in come from other
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
    files = (Path(str(module.__file__)) for module in (shared_memory, ring, output_bus, ceiling))
    function = _pa_stream_callback(zlib.crc32(b"".join(file.read_bytes() for file in files)))
    try:
        return cfunc(SIGNATURE, cache=True)(function)
    except (RuntimeError, OSError):  # neither the package's folder nor the user's can be written
        return cfunc(SIGNATURE)(function)
