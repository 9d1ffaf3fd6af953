"""What gsg takes as an argument, without a copy, and what it rejects."""

import array
import tracemalloc
import unittest

import numpy as np

import guided_stop_gradient as gsg

SEED = 15


class Exporter:
    """A DLPack array that is no NumPy array and has no buffer."""

    def __init__(self, values, device=(1, 0)):
        self.values = values
        self.device = device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **arguments):
        return self.values.__dlpack__(**arguments)


class Unexportable(Exporter):

    def __dlpack__(self, **arguments):
        raise BufferError("use detach()")


def padded(x):
    """x in the first columns of a wider array: NaN is never to be read."""
    wide = np.full((x.shape[0], x.shape[1] + 3), np.nan, x.dtype)
    wide[:, :x.shape[1]] = x
    return wide[:, :x.shape[1]]


def unaligned(x):
    raw = np.zeros(x.nbytes + 1, np.uint8)[1:]
    view = raw.view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def broken_rows(x):
    """Rows that are not whole elements apart."""
    names = {"row": (x.dtype, (x.shape[1],)), "odd": np.uint8}
    records = np.zeros(len(x), list(names.items()))
    records["row"] = x
    return records["row"]


LAYOUTS = {
    "padded": padded,
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "every other column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "column-major": np.asfortranarray,
    "rows backwards": lambda x: x[::-1].copy()[::-1],
    "columns backwards": lambda x: x[:, ::-1].copy()[:, ::-1],
    "unaligned": unaligned,
    "rows a fraction apart": broken_rows,
    "memoryview": memoryview,
    "DLPack": Exporter,
    "DLPack, padded": lambda x: Exporter(padded(x)),
}


class LayoutTest(unittest.TestCase):

    def setUp(self):
        print(f"{self.id()}: seed {SEED}")
        rng = np.random.default_rng(SEED)
        self.views = list(rng.standard_normal((4, 6, 5)))

    def test_layouts_give_the_same(self):
        for dtype in (np.float16, np.float32, np.float64):
            views = [x.astype(dtype) for x in self.views]
            expected = gsg.guided_loss_shared(*views)
            for name, layout in LAYOUTS.items():
                with self.subTest(f"{name} {dtype}"):
                    result = gsg.guided_loss_shared(*map(layout, views))
                    self.assertEqual(result.loss, expected.loss)
                    np.testing.assert_array_equal(result.grads, expected.grads)
                    self.assertEqual(gsg.effective_rank(layout(views[0])),
                                     gsg.effective_rank(views[0]))

    def test_one_row_or_column(self):
        for shape in ((1, 5), (6, 1)):
            views = [x[:shape[0], :shape[1]] for x in self.views]
            copies = [x.copy() for x in views]
            backwards = [x[::-1, ::-1].copy()[::-1, ::-1] for x in views]
            expected = gsg.guided_loss(*copies, *copies)
            for same in (views, backwards):
                self.assertEqual(gsg.guided_loss(*same, *same).loss,
                                 expected.loss)

    def test_a_single_image_without_guidance(self):
        one = [x[:1] for x in self.views]
        result = gsg.guided_loss_shared(*one, selection="none")
        expected = gsg.guided_loss(*one[:2], *one[:2], *one[2:], *one[2:],
                                   selection="none")
        self.assertEqual(result.loss, expected.loss)

    def test_repeated_rows(self):
        row = np.broadcast_to(self.views[0][0], (6, 5))
        self.assertEqual(gsg.effective_rank(row), 0)

    def test_arguments_may_be_one_array(self):
        x = self.views[0]
        result = gsg.guided_loss(x, x, x, x, x, x, x, x)
        self.assertAlmostEqual(result.loss, -1, places=15)

    def test_pairing_layouts(self):
        r = gsg.pairing(6)
        expected = gsg.select_shared(*self.views[:2], r)
        narrow = r.astype(np.int32)
        integers = [r.astype(dtype) for dtype in
                    ("i1", "i2", "u1", "u2", "u4", ">i4", ">i8")]
        for same in (np.repeat(r, 2)[::2], array.array("q", r), Exporter(r),
                     r.tolist(), narrow, np.repeat(narrow, 2)[::2],
                     array.array("i", narrow), Exporter(narrow), *integers):
            actual = gsg.select_shared(*self.views[:2], same)
            np.testing.assert_array_equal(actual, expected)

    def peak_memory(self, z):
        tracemalloc.start()
        try:
            gsg.select(z, z, z, z)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def test_copies_only_where_it_must(self):
        z = np.ones((512, 512), np.float32)
        gsg.select(z, z, z, z)  # what a first call imports is not of interest
        for name in ("padded", "every other row", "memoryview", "DLPack"):
            with self.subTest(name):
                peak = self.peak_memory(LAYOUTS[name](z))
                self.assertLess(peak, z.nbytes / 10)
        self.assertGreater(self.peak_memory(np.asfortranarray(z)), z.nbytes)

    def test_gradients_go_where_out_says(self):
        expected = gsg.guided_loss_shared(*self.views)
        wide = np.full((6, 12), np.nan)
        out = (wide[:, :5], Exporter(wide[:, 6:11]))
        result = gsg.guided_loss_shared(*self.views, out=out)
        self.assertIs(result.grads[0], out[0])
        self.assertIs(result.grads[1], out[1])
        np.testing.assert_array_equal(wide[:, :5], expected.grads[0])
        np.testing.assert_array_equal(wide[:, 6:11], expected.grads[1])
        self.assertTrue(np.isnan(wide[:, [5, 11]]).all())

    def test_inputs_stay_as_they_are(self):
        before = np.array(self.views)
        for x in self.views:
            x.flags.writeable = False
        result = gsg.guided_loss_shared(*self.views)
        np.testing.assert_array_equal(self.views, before)
        self.assertTrue(all(grad.flags.writeable for grad in result.grads))


class ErrorTest(unittest.TestCase):

    def rejects(self, kind, message, function, *arguments, **options):
        with self.subTest(message):
            with self.assertRaises(kind) as caught:
                function(*arguments, **options)
            self.assertEqual(str(caught.exception), message)

    def test_types(self):
        x = np.ones((3, 4), np.float32)
        wide = x.astype(np.float64)
        half = x.astype(np.float16)
        for wrong in (((1.0, 2.0), (3.0, 4.0)), None, 1.5, (1, 2, 3, 4, 5)):
            self.rejects(
                TypeError, f"z is a value of type {type(wrong).__name__}, "
                "without buffer protocol or __dlpack__; numpy.asarray makes an "
                "array of many things", gsg.feature_std, wrong)
        self.rejects(
            TypeError, "z2 is a value of type list, without buffer protocol "
            "or __dlpack__; numpy.asarray makes an array of many things",
            gsg.guided_loss_shared, x, x, x, x.tolist())
        self.rejects(
            TypeError,
            "p2 is float16; p1 is float32; their dtypes must be equal",
            gsg.guided_loss_shared, x, half, x, x)
        for bad, name in ((x.astype(">f4"), ">f4"),
                          (Exporter(x.astype(np.int32)), "int32"),
                          (array.array("q", range(3)), "int64"),
                          (Exporter(x.astype(np.complex64)), "complex64")):
            self.rejects(
                TypeError, f"p1 is {name}; it must be float16, bfloat16, "
                "float32 or float64", gsg.guided_loss_shared, bad, x, x, x)
        self.rejects(
            TypeError,
            "z11 is float64; p11 is float32; their dtypes must be equal",
            gsg.guided_loss, x, x, x, x, wide, x, x, x)
        for wrong, name in ((np.arange(3, dtype=np.uint64), "uint64"),
                            (np.ones(3, bool), "bool"), (np.ones(3), "float64"),
                            ([1, 2.5, 0], "float64"), ([1, None, 0], "object")):
            self.rejects(
                TypeError,
                f"pairing is {name}; it must be integers that int64 holds",
                gsg.select_shared, x, x, wrong)
        with self.assertRaisesRegex(ValueError, "pairing is a list that is no "
                                    "array: setting an array element"):
            gsg.select_shared(x, x, [[1], 2, 0])
        self.rejects(TypeError, "pair is int64; it must be uint8",
                     gsg.source_mask, np.arange(3))
        self.rejects(TypeError,
                     "distance is a value of type int; it must be a string",
                     gsg.select, x, x, x, x, distance=2)
        self.rejects(TypeError,
                     "margin is a value of type str; it must be a number",
                     gsg.select, x, x, x, x, margin="0.1")
        self.rejects(TypeError,
                     "seed is a value of type float; it must be an integer",
                     gsg.pairing, 3, seed=1.0)

    def test_devices(self):
        x = np.ones((3, 4), np.float32)
        self.rejects(
            ValueError,
            "p1 is on DLPack device type 2; it must be on the CPU",
            gsg.guided_loss_shared, Exporter(x, (2, 0)), x, x, x)
        self.rejects(ValueError, "p2 has no DLPack view: use detach()",
                     gsg.guided_loss_shared, x, Unexportable(x), x, x)

    def test_shapes(self):
        x = np.ones((3, 4), np.float32)
        self.rejects(ValueError, "z12 has shape (4,); it must be [N, D]",
                     gsg.select, x, x[0], x, x)
        self.rejects(
            ValueError,
            "z12 is 2 x 4; p11 is 3 x 4; their shapes must be equal",
            gsg.guided_loss, x, x, x, x, x, x[:2], x, x)
        self.rejects(
            ValueError,
            "z1 is 3 x 0; it needs at least one row and one column",
            gsg.select_shared, x[:, :0], x, gsg.pairing(3))
        self.rejects(ValueError, "pairing has shape (1, 3); it must be [N]",
                     gsg.select_shared, x, x, gsg.pairing(3)[None])

    def test_out(self):
        x = np.ones((3, 4), np.float32)

        def call(*out):
            return gsg.guided_loss_shared(x, x, x, x, out=out)

        locked = np.empty_like(x)
        locked.flags.writeable = False
        self.rejects(ValueError, "out has 1 arrays; there are 2 gradients",
                     call, x)
        self.rejects(ValueError, "out[1] is read-only", call, x.copy(), locked)
        self.rejects(
            TypeError,
            "out[0] is float64; p1 is float32; their dtypes must be equal",
            call, np.empty((3, 4)), x.copy())
        self.rejects(
            ValueError, "out[0] is written in place: the elements of a row "
            "must be next to each other, and rows whole elements apart and "
            "forwards", call, np.asfortranarray(x), x.copy())
        self.rejects(
            ValueError, "grads.p1 overlaps p1; gradients need memory of their "
            "own", call, x, x.copy())
        self.rejects(
            ValueError, "grads.p2 is 2 x 4; p1 is 3 x 4; their shapes must be "
            "equal", call, x.copy(), x[:2].copy())
        self.rejects(TypeError, "out is a value of type int; it must be a "
                     "sequence of 2 arrays", gsg.guided_loss_shared, x, x, x, x,
                     out=3)

    def test_values(self):
        x = np.ones((3, 4), np.float64)
        bad = x.copy()
        bad[2, 1] = np.nan
        self.rejects(
            ValueError,
            "p21 has nan in row 2, column 1; all values must be finite",
            gsg.guided_loss, x, x, bad, x, x, x, x, x)
        bad[2, 1] = -np.inf
        self.rejects(
            ValueError,
            "z has -inf in row 2, column 1; all values must be finite",
            gsg.feature_std, bad)
        self.rejects(
            ValueError, "pairing has 2 entries; there are 3 rows, and each "
            "needs one", gsg.guided_loss_shared, x, x, x, x, np.array([1, 0]))
        self.rejects(
            TypeError, "local_p[1] is float32; p1 is float64; their dtypes must "
            "be equal", gsg.guided_loss_shared, x, x, x, x,
            local_p=[x, x.astype(np.float32)])
        self.rejects(
            ValueError, "local_p[0] is 2 x 4; p1 is 3 x 4; their shapes must be "
            "equal", gsg.guided_loss_shared, x, x, x, x, local_p=[x[:2]])
        self.rejects(
            ValueError, "out has 2 arrays; there are 3 gradients",
            gsg.guided_loss_shared, x, x, x, x, local_p=[x],
            out=[x.copy(), x.copy()])
        self.rejects(
            TypeError, "local_p is a value of type NoneType; it must be a "
            "sequence of arrays", gsg.guided_loss_shared, x, x, x, x,
            local_p=None)
        self.rejects(
            TypeError, "temperature is a value of type ndarray that is no single "
            "number", gsg.select, x, x, x, x, temperature=np.ones(2))
        self.rejects(
            ValueError, "a nearest pairing of n = 1 images does not exist: each "
            "image needs another one as its second image, so n must be at least "
            "2", gsg.nearest_pairing, x[:1], x[:1])
        self.rejects(
            ValueError, f"candidates is 0; it must be in 1..{2**63 - 1}",
            gsg.nearest_pairing, x, x, candidates=0)
        self.rejects(
            TypeError, "z21 and z22 are the two views of second images: give "
            "both, or neither", gsg.nearest_pairing, x, x, x)
        for n in (2**45, 2**62):  # with addresses, and without
            for kind in ("cyclic", "random"):
                self.rejects(
                    MemoryError, "there is no memory for a pairing of n = "
                    f"{n} images", gsg.pairing, n, 0, kind)
        self.rejects(
            ValueError, 'kind is "nearest", which is made from projections: use '
            "gsg.nearest_pairing", gsg.pairing, 3, 0, "nearest")
        self.rejects(
            ValueError, 'kind is "shift"; use one of cyclic, random',
            gsg.pairing, 3, 0, "shift")
        self.rejects(ValueError, "pairing[1] is -1; entries are rows, 0..2",
                     gsg.select_shared, x, x, np.array([1, -1, 0]))
        self.rejects(
            ValueError, "distance is \"l1\"; use one of euclidean, "
            "squared_euclidean, cosine",
            gsg.select, x, x, x, x, distance="l1")
        self.rejects(
            ValueError,
            "selection is \"first\"; use one of min, max, random, none, soft, "
            "margin",
            gsg.guided_loss_shared, x, x, x, x, selection="first")
        self.rejects(ValueError,
                     "temperature is 0; it must be finite and above 0",
                     gsg.select, x, x, x, x, temperature=0)
        self.rejects(ValueError,
                     "temperature is nan; it must be finite and above 0",
                     gsg.guided_loss_shared, x, x, x, x, temperature=np.nan)
        self.rejects(ValueError,
                     "margin is 1; it must be at least 0 and below 1",
                     gsg.select, x, x, x, x, margin=1)
        self.rejects(ValueError, "threads is 0; it must be in 1..256",
                     gsg.select, x, x, x, x, threads=0)
        self.rejects(
            ValueError, f"seed is -1; it must be in 0..{2**64 - 1}",
            gsg.pairing, 3, seed=-1)
        self.rejects(
            ValueError, "a cyclic pairing of n = 1 images does not exist: each "
            "image needs another one as its second image, so n must be at "
            "least 2", gsg.guided_loss_shared, x[:1], x[:1], x[:1], x[:1])
        self.rejects(ValueError,
                     "pair[1] is 5; the largest is 4 (all views)",
                     gsg.source_mask, np.array([4, 5], np.uint8))
        with np.errstate(over="ignore"):
            self.rejects(
                ValueError,
                "z has inf in row 0, column 0; all values must be finite",
                gsg.effective_rank, 1e300 * x)


if __name__ == "__main__":
    unittest.main()
