"""Files of many kinds: our pixels are those of Pillow's convert("RGB") and "L"."""

import io
import os
import struct
import subprocess
import tempfile
import unittest
import zlib

import numpy as np
from PIL import Image, features

from tests.trainers.image.codec.tiff_bytes import tiff

HEIGHT, WIDTH = 37, 45  # tiff's, too
GENERATOR = np.random.default_rng(1)
RGB = GENERATOR.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
GRAY = RGB[:, :, 0]
# What a JPEG keeps.
SMOOTH = np.stack(np.broadcast_arrays(
    np.linspace(40, 200, WIDTH)[None, :], np.linspace(200, 60, HEIGHT)[:, None],
    90), axis=2).astype(np.uint8)


def our_pixels(files, channels):
    """What we make of each, [height, width, channels] or the error as text."""
    decode = os.environ.get("DECODE_IMAGE") or os.path.join(
        os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"],
        "tests/trainers/image/codec/decode_image")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TEST_TMPDIR")) as folder:
        paths = []
        for i, content in enumerate(files):
            paths.append(os.path.join(folder, str(i)))
            with open(paths[-1], "wb") as file:
                file.write(content)
        out = io.BytesIO(subprocess.run([decode, str(channels), *paths], check=True,
                                        stdout=subprocess.PIPE).stdout)
    images = []
    for _ in files:
        line = out.readline().decode()
        if line.startswith("error"):
            images.append(line.strip())
            continue
        height, width, bits = map(int, line.split())
        dtype = np.dtype(f"u{bits // 8}")
        planes = np.frombuffer(
            out.read(channels * height * width * dtype.itemsize), dtype)
        images.append(planes.reshape(channels, height, width).transpose(1, 2, 0))
    return images


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def packed(values, bits):
    """Rows of numbers of 1, 2 or 4 bits, each row filled up to bytes."""
    rows = ((values[:, :, None] >> np.arange(bits)[::-1]) & 1).reshape(
        len(values), -1)
    return np.packbits(rows.astype(np.uint8), axis=1).tobytes()


def tiles(pixels, side):
    height, width = pixels.shape[:2]
    pad = [(0, -height % side), (0, -width % side), (0, 0)]
    padded = np.pad(pixels, pad)
    return [padded[y:y + side, x:x + side].tobytes()
            for y in range(0, height, side) for x in range(0, width, side)]


class PillowTest(unittest.TestCase):

    def check(self, files, gray=True):
        """files: by name. Equal, in color and in gray."""
        for channels, mode in [(3, "RGB"), (1, "L")][:2 if gray else 1]:
            images = our_pixels(files.values(), channels)
            for (name, content), ours in zip(files.items(), images):
                with self.subTest(name=name, mode=mode):
                    with Image.open(io.BytesIO(content)) as image:
                        image.load()
                        theirs = np.asarray(image.convert("RGB").convert(mode))
                    self.assertNotIsInstance(ours, str, ours)
                    theirs = theirs.reshape(ours.shape)
                    if ours.dtype == np.uint16:
                        # Pillow takes the upper half of 16 bits, or rounds.
                        np.testing.assert_allclose(ours / 257, theirs, rtol=0,
                                                   atol=1.5)
                    else:
                        np.testing.assert_array_equal(ours, theirs)

    def expect(self, files, expected, channels=3, atol=0):
        """files: by name. Gray is repeated."""
        for name, ours in zip(files, our_pixels(files.values(), channels)):
            with self.subTest(name=name):
                self.assertNotIsInstance(ours, str, ours)
                np.testing.assert_allclose(
                    ours.astype(np.int64), np.broadcast_to(expected, ours.shape),
                    rtol=0, atol=atol)

    def test_bmp(self):
        few = Image.fromarray(GRAY).quantize(16)
        plain = saved(Image.fromarray(RGB), "BMP")
        from_top = bytearray(plain)
        struct.pack_into("<i", from_top, 22, -HEIGHT)
        files = {
            "24 bits": plain, "from the top": bytes(from_top),
            "32 bits": saved(Image.fromarray(RGB).convert("RGBA"), "BMP"),
            "gray": saved(Image.fromarray(GRAY), "BMP"),
            "palette": saved(Image.fromarray(RGB).quantize(200), "BMP"),
            "one bit": saved(Image.fromarray(GRAY).convert("1"), "BMP"),
        }
        palette = few.getpalette()[:48]
        quads = b"".join(bytes([*palette[3 * i:3 * i + 3][::-1], 0])
                         for i in range(16))
        indices = np.asarray(few)

        def bmp(bits, compression, data, colors=b"", masks=b"", used=0,
                header=40):
            offset = 14 + header + len(masks) + len(colors)
            if header == 12:
                dib = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, bits)
            else:
                dib = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, bits,
                                  compression, len(data), 0, 0, used, 0)
            return (b"BM" + struct.pack("<IHHI", offset + len(data), 0, 0, offset)
                    + dib + masks + colors + data)

        def rows(width_bytes, data):
            pad = -width_bytes % 4
            return b"".join(data[i:i + width_bytes] + b"\0" * pad
                            for i in range(0, len(data), width_bytes))

        four = packed(indices[::-1], 4)
        files["4 bits"] = bmp(4, 0, rows(len(four) // HEIGHT, four), quads)
        triples = b"".join(quads[4 * i:4 * i + 3] for i in range(16))
        files["OS/2"] = bmp(8, 0, rows(WIDTH, indices[::-1].tobytes()),
                            triples + bytes(3 * 240), header=12)
        sixteen = GENERATOR.integers(0, 1 << 16, (HEIGHT, WIDTH), dtype=np.uint16)
        files["16 bits"] = bmp(16, 0, rows(2 * WIDTH, sixteen.tobytes()))
        files["5, 6 and 5 bits"] = bmp(
            16, 3, rows(2 * WIDTH, sixteen.tobytes()),
            masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
        files["masks"] = bmp(
            32, 3, np.dstack([RGB, GRAY]).tobytes(),
            masks=struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00))
        encoded = b""
        for row in indices[::-1]:
            x = 0
            while x < WIDTH:  # runs of equals, and of three that are as they are
                encoded += bytes([1, row[x]])
                if x + 4 <= WIDTH:
                    encoded += bytes([0, 3, *row[x + 1:x + 4], 0])
                    x += 3
                x += 1
            encoded += b"\0\0"
        encoded += b"\0\1"
        files["run lengths"] = bmp(8, 1, encoded, quads, used=16)
        encoded = b""
        for row in indices[::-1]:
            row = [*row, 0]
            for x in range(0, WIDTH, 2):
                count = min(2, WIDTH - x)
                encoded += bytes([count, row[x] << 4 | row[x + 1]])
            encoded += b"\0\0"
        files["run lengths of 4 bits"] = bmp(4, 2, encoded + b"\0\1", quads)
        self.check(files)

    def test_pnm(self):
        sixteen = GENERATOR.integers(0, 1 << 16, (HEIGHT, WIDTH, 3))
        size = b"%d %d" % (WIDTH, HEIGHT)
        self.check({
            "PPM": saved(Image.fromarray(RGB), "PPM"),
            "PGM": saved(Image.fromarray(GRAY), "PPM"),
            "comments": b"P6 # one\n#two\n " + size + b"\r\n255\n" + RGB.tobytes(),
            "at most 100": b"P6 " + size + b" 100 " + RGB.tobytes(),
            "at most 2": b"P5 " + size + b" 2 " + (GRAY % 3).tobytes(),
            "16 bits": b"P6 " + size + b" 65535 " +
                       sixteen.astype(">u2").tobytes(),
            "at most 1000": b"P6 " + size + b" 1000 " +
                            (sixteen % 1001).astype(">u2").tobytes(),
        })

    def test_gif(self):
        colors = Image.fromarray(RGB).quantize(100)
        frame = Image.fromarray(RGB[:20, :30]).quantize(30)
        whole = saved(colors, "GIF", interlace=0)
        wide = bytearray(saved(frame, "GIF", interlace=0))
        struct.pack_into("<HH", wide, 6, 60, 50)  # a canvas that is larger
        narrow = bytearray(wide)
        struct.pack_into("<HH", narrow, 6, 10, 5)  # or too small
        clear = bytearray(saved(frame, "GIF", transparency=7, interlace=0))
        struct.pack_into("<HH", clear, 6, 60, 50)
        descriptor = bytes(wide).find(b"\x2c" + bytes(4))
        moved = bytearray(wide)
        struct.pack_into("<HH", moved, descriptor + 1, 12, 17)
        self.check({
            "plain": whole, "interlaced": saved(colors, "GIF", interlace=1),
            "gray": saved(Image.fromarray(GRAY), "GIF"),
            "one bit": saved(Image.fromarray(GRAY).convert("1"), "GIF"),
            "transparent": saved(colors, "GIF", transparency=3),
            "animated": saved(colors, "GIF", save_all=True, duration=40,
                              append_images=[frame, colors.rotate(90)]),
            "large canvas": bytes(wide), "small canvas": bytes(narrow),
            "transparent, large canvas": bytes(clear), "moved": bytes(moved),
        })

    def test_tiff_by_pillow(self):
        color = Image.fromarray(RGB)
        gray = Image.fromarray(GRAY)
        files = {}
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
            for name, image in [
                ("RGB", color), ("L", gray), ("P", color.quantize(256)),
                ("RGBA", Image.merge("RGBA", (*color.split(), gray))),
                ("LA", Image.merge("LA", (gray, gray))), ("1", gray.convert("1")),
                ("CMYK", Image.merge("CMYK", (*color.split(), gray)))]:
                files[f"{name}, {compression}"] = saved(
                    image, "TIFF", compression=compression)
        files["fax"] = saved(gray.convert("1"), "TIFF", compression="group4")
        smooth = Image.fromarray(SMOOTH)
        files["JPEG"] = saved(smooth, "TIFF", compression="jpeg")
        files["gray JPEG"] = saved(smooth.convert("L"), "TIFF", compression="jpeg")
        files["second page"] = saved(color, "TIFF", save_all=True,
                                     append_images=[smooth])
        self.check(files)

    def test_tiff_layouts(self):
        big = {"big_endian": True}
        alpha = GENERATOR.integers(0, 256, (HEIGHT, WIDTH, 1), dtype=np.uint8)
        alpha[:3] = [[0], [255], [1]] * (WIDTH // 3)
        rgba = np.dstack([RGB, alpha])
        planes = [RGB[:, :, c].tobytes() for c in range(3)]
        predicted = RGB.copy()
        predicted[:, 1:] -= RGB[:, :-1]
        files = {
            "big-endian": tiff([RGB.tobytes()], 2, 8, 3, **big),
            "BigTIFF": tiff([RGB.tobytes()], 2, 8, 3, big=True),
            "white is 0": tiff([GRAY.tobytes()], 0, 8, 1),
            "one bit": tiff([packed(GRAY >> 7, 1)], 1, 1, 1),
            "one bit, white is 0": tiff([packed(GRAY >> 7, 1)], 0, 1, 1),
            "2 bits": tiff([packed(GRAY >> 6, 2)], 1, 2, 1),
            "4 bits": tiff([packed(GRAY >> 4, 4)], 1, 4, 1),
            "samples apart": tiff(planes, 2, 8, 3, apart=True),
            "multiplied by alpha": tiff([rgba.tobytes()], 2, 8, 4, extra=(1,)),
            "alpha": tiff([rgba.tobytes()], 2, 8, 4, extra=(2,)),
            "tiles": tiff(tiles(RGB, 16), 2, 8, 3, tile=16),
            "predictor": tiff([zlib.compress(predicted.tobytes())], 2, 8, 3,
                              compression=8, predictor=2),
        }
        values = GENERATOR.integers(0, 1 << 16, 3 * 16).tolist()
        files["palette of 4 bits"] = tiff([packed(GRAY >> 4, 4)], 3, 4, 1,
                                          colors=values)
        for orientation in range(1, 9):
            files[f"orientation {orientation}"] = tiff(
                [RGB.tobytes()], 2, 8, 3, orientation=orientation)
        sixteen = GENERATOR.integers(0, 1 << 16, (HEIGHT, WIDTH, 4))
        for order in "<>":
            ordered = {"big_endian": order == ">"}
            files[f"16 bits {order}"] = tiff(
                [sixteen[:, :, :3].astype(order + "u2").tobytes()], 2, 16, 3,
                **ordered)
        self.check(files)

    def test_sixteen_bits_are_kept(self):
        sixteen = GENERATOR.integers(0, 1 << 16, (HEIGHT, WIDTH, 4),
                                     dtype=np.uint16)
        rgb, gray = sixteen[:, :, :3], sixteen[:, :, :1]
        little, big = sixteen.astype("<u2"), sixteen.astype(">u2")
        size = b"%d %d" % (WIDTH, HEIGHT)
        self.expect({
            "TIFF": tiff([little[:, :, :1].tobytes()], 1, 16, 1),
            "big-endian TIFF": tiff([big[:, :, :1].tobytes()], 1, 16, 1,
                                    big_endian=True),
            "white is 0": tiff([(65535 - little[:, :, :1]).tobytes()], 0, 16, 1),
            "TIFF of 32 bits": tiff(
                [(gray.astype("<u4") << 16 | 99).tobytes()], 1, 32, 1),
            "PNG": saved(Image.fromarray(gray[:, :, 0].astype(np.uint16)), "PNG"),
            "PGM": b"P5 " + size + b" 65535 " + big[:, :, :1].tobytes()}, gray)
        self.expect({
            "TIFF": tiff([little[:, :, :3].tobytes()], 2, 16, 3),
            "alpha": tiff([little.tobytes()], 2, 16, 4, extra=(2,)),
            "apart": tiff([little[:, :, c].tobytes() for c in range(3)], 2, 16, 3,
                          apart=True),
            "PPM": b"P6 " + size + b" 65535 " + big[:, :, :3].tobytes()}, rgb)
        alpha = sixteen[:, :, 3:].astype(np.int64)
        self.expect({"multiplied by alpha": tiff([little.tobytes()], 2, 16, 4,
                                                 extra=(1,))},
                    np.minimum(rgb * np.int64(65535) // np.maximum(alpha, 1), 65535)
                    * (alpha > 0))
        ink = (65535 - sixteen.astype(np.float64)) / 65535
        self.expect({"CMYK": tiff([little.tobytes()], 5, 16, 4)},
                    np.rint(65535 * ink[:, :, :3] * ink[:, :, 3:]), atol=1)
        # The luma of 16 bits, as Pillow has it of 8.
        weights = np.array([19595, 38470, 7471])
        self.expect({"gray of RGB": tiff([little[:, :, :3].tobytes()], 2, 16, 3)},
                    (rgb @ weights + 0x8000)[:, :, None] >> 16, channels=1)

    def test_floating_point(self):
        values = GENERATOR.random((HEIGHT, WIDTH, 1), dtype=np.float32)
        self.expect({"TIFF": tiff([values.tobytes()], 1, 32, 1, sample_format=3)},
                    np.rint(values * 65535), atol=1)
        for wrong in (-0.1, 1.5, np.nan, np.inf):
            values[3, 4] = wrong
            self.assertIn("outside 0..1", our_pixels(
                [tiff([values.tobytes()], 1, 32, 1, sample_format=3)], 3)[0])
        self.assertIn("signed", our_pixels(
            [tiff([values.tobytes()], 1, 32, 1, sample_format=2)], 3)[0])

    def test_bands(self):
        bands = GENERATOR.integers(0, 1 << 16, (HEIGHT, WIDTH, 7),
                                   dtype=np.uint16)
        eight = (bands >> 8).astype(np.uint8)
        apart = [bands[:, :, c].tobytes() for c in range(7)]
        gray = {"16 bits": tiff([bands.tobytes()], 1, 16, 7, extra=(0,) * 6),
                "apart": tiff(apart, 1, 16, 7, extra=(0,) * 6, apart=True)}
        self.expect(gray, bands, channels=7)
        self.expect({"RGB and more": tiff([eight.tobytes()], 2, 8, 7,
                                          extra=(0,) * 4),
                     "gray": tiff([eight.tobytes()], 1, 8, 7, extra=(0,) * 6)},
                    eight, channels=7)
        turned = tiff([eight.tobytes()], 1, 8, 7, extra=(0,) * 6, orientation=6)
        self.expect({"turned": turned}, np.rot90(eight, -1), channels=7)
        rgba = eight[:, :, :4]
        self.expect({"PNG": saved(Image.fromarray(rgba), "PNG"),
                     "TIFF": tiff([rgba.tobytes()], 2, 8, 4, extra=(2,)),
                     "multiplied": tiff([rgba.tobytes()], 2, 8, 4, extra=(1,))},
                    rgba, channels=4)
        # Three bands of gray are what RGB has, and two are gray and alpha.
        three = tiff([eight[:, :, :3].tobytes()], 1, 8, 3, extra=(0, 0))
        self.expect({"three": three}, eight[:, :, :3])
        two = tiff([eight[:, :, :2].tobytes()], 1, 8, 2, extra=(0,))
        self.expect({"two": two}, eight[:, :, :2], channels=2)
        self.expect({"two": two}, eight[:, :, :1])
        # Not the first of seven in silence.
        for channels, file, has in [(3, gray["16 bits"], 7), (1, three, 3),
                                    (5, turned, 7), (4, two, 2), (4, saved(Image.fromarray(RGB), "PNG"), 3),
                                    (2, saved(Image.fromarray(GRAY), "GIF"), 3),
                                    (4, saved(Image.fromarray(RGB), "JPEG"), 3)]:
            self.assertRegex(our_pixels([file], channels)[0],
                             f"has {has} channels where {channels} .*"
                             f"--channels={has} trains on such images")

    def test_what_pillow_reads_otherwise(self):
        # Bands beyond the third, tiles of samples apart.
        bands = GENERATOR.integers(0, 256, (HEIGHT, WIDTH, 7), dtype=np.uint8)
        self.expect({"bands": tiff([bands.tobytes()], 2, 8, 7, extra=(0,) * 4)},
                    bands[:, :, :3])
        apart = [tile for c in range(3) for tile in tiles(RGB[:, :, c:c + 1], 16)]
        self.expect({"big-endian BigTIFF": tiff([RGB.tobytes()], 2, 8, 3, big=True,
                                                big_endian=True)}, RGB)
        self.expect({"tiles apart": tiff(apart, 2, 8, 3, tile=16, apart=True)},
                    RGB)

    def test_avif(self):
        if not features.check("avif"):
            self.skipTest("this Pillow writes no AVIF")
        exif = Image.Exif()
        exif[0x0112] = 6
        image = Image.fromarray(SMOOTH)
        plain = saved(image, "AVIF", quality=100, subsampling="4:4:4")
        turned = saved(image, "AVIF", quality=100, subsampling="4:4:4", exif=exif)
        ours = our_pixels([plain, turned], 3)
        if isinstance(ours[0], str) and "libheif" in ours[0]:
            self.skipTest(ours[0])
        self.assertNotIsInstance(ours[0], str, ours[0])
        np.testing.assert_allclose(ours[0].astype(int), SMOOTH, atol=4)
        np.testing.assert_allclose(ours[1].astype(int),
                                   np.rot90(SMOOTH, -1).astype(int), atol=4)


if __name__ == "__main__":
    unittest.main()
