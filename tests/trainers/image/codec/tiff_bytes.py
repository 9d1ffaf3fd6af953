"""TIFF files as no library writes them, to read."""

import struct


def tiff(strips, photometric, bits, samples, *, sample_format=1,
         big_endian=False, big=False,
         tile=None, apart=False, extra=(), colors=None, orientation=None,
         height=37, width=45, compression=1, predictor=None):
    """A TIFF of one strip, a strip a sample (apart), or tiles."""
    order = ">" if big_endian else "<"
    tags = {256: ("I", [width]), 257: ("I", [height]), 258: ("H", [bits] * samples),
            259: ("H", [compression]), 262: ("H", [photometric]),
            277: ("H", [samples]), 284: ("H", [2 if apart else 1])}
    if tile:
        tags[322], tags[323] = ("I", [tile]), ("I", [tile])
        where, sizes = 324, 325
    else:
        tags[278] = ("I", [height])
        where, sizes = 273, 279
    if extra:
        tags[338] = ("H", list(extra))
    if colors is not None:
        tags[320] = ("H", colors)
    if orientation:
        tags[274] = ("H", [orientation])
    if sample_format != 1:
        tags[339] = ("H", [sample_format] * samples)
    if predictor:
        tags[317] = ("H", [predictor])
    data, at = b"", []
    start = 16 if big else 8
    for strip in strips:
        at.append(start + len(data))
        data += strip + b"\0" * (len(strip) % 2)
    tags[where], tags[sizes] = ("I", at), ("I", [len(strip) for strip in strips])
    directory = start + len(data)
    types = {"H": 3, "I": 4}
    inline = 8 if big else 4
    entry = "HHQ" if big else "HHI"
    behind = directory + (16 if big else 6) + len(tags) * (20 if big else 12)
    entries, values = b"", b""
    for tag, (code, numbers) in sorted(tags.items()):
        raw = struct.pack(f"{order}{len(numbers)}{code}", *numbers)
        entries += struct.pack(order + entry, tag, types[code], len(numbers))
        if len(raw) <= inline:
            entries += raw.ljust(inline, b"\0")
        else:
            entries += struct.pack(order + ("Q" if big else "I"),
                                   behind + len(values))
            values += raw + b"\0" * (len(raw) % 2)
    mark = b"MM" if big_endian else b"II"
    if big:
        return (mark + struct.pack(order + "HHHQ", 43, 8, 0, directory) + data +
                struct.pack(order + "Q", len(tags)) + entries +
                struct.pack(order + "Q", 0) + values)
    return (mark + struct.pack(order + "HI", 42, directory) + data +
            struct.pack(order + "H", len(tags)) + entries +
            struct.pack(order + "I", 0) + values)
