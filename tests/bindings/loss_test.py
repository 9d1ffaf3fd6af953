"""Values and gradients of gsg against its formula, written out in NumPy."""

import unittest

import numpy as np

import guided_stop_gradient as gsg

SEED = 20230917
DISTANCES = ("euclidean", "squared_euclidean", "cosine")
SELECTIONS = ("min", "max", "random", "none", "soft", "margin")
TEMPERATURE, MARGIN = 0.7, 0.1
DTYPES = (np.float32, np.float64)


def norm(x):
    return np.sqrt((x * x).sum(axis=1, keepdims=True))


def distance_between(distance, x, y):
    if distance == "cosine":
        return 1 - ((x * y).sum(axis=1) / (norm(x) * norm(y))[:, 0])
    squared = ((x - y)**2).sum(axis=1)
    return squared if distance == "squared_euclidean" else np.sqrt(squared)


def distances_of(distance, z):
    """[4, N]"""
    return np.stack([
        distance_between(distance, z[a], z[b])
        for a, b in ((0, 2), (0, 3), (1, 2), (1, 3))
    ])


def choose(distance, selection, z):
    """pair [N]; not for selection="random"."""
    distances = distances_of(distance, z)
    if selection == "none":
        return np.full(distances.shape[1], 4)
    if selection == "margin":
        closest, following = np.sort(distances, axis=0)[:2]
        return np.where(closest < (1 - MARGIN) * following,
                        distances.argmin(axis=0), 4)
    best = distances.argmax if selection == "max" else distances.argmin
    return best(axis=0)


def weights_of(distance, selection, z, pair):
    """Of the views of each row, [4, N]."""
    if selection == "soft":
        q = np.exp(-distances_of(distance, z) / TEMPERATURE)
        q /= q.sum(axis=0)
        return np.stack([q[0] + q[1], q[2] + q[3], q[0] + q[2], q[1] + q[3]])
    return np.stack([
        np.where(pair == 4, 0.5, pair // 2 == v if v < 2 else pair % 2 == v - 2)
        for v in range(4)
    ])


def softness(distance, selection, z):
    """The largest distance that soft weights are made of, in temperatures."""
    if selection != "soft":
        return 0
    return distances_of(distance, z).max() / TEMPERATURE


def formula(weights, p, z):
    """The loss and its gradients in the four p, given the views' weights."""
    rows = len(p[0])
    loss = 0
    grads = [np.zeros_like(x) for x in p]
    for v, (x, y) in enumerate(zip(p, (z[1], z[0], z[3], z[2]))):
        weight = weights[v][:, None] / 2 / rows
        x_unit, y_unit = x / norm(x), y / norm(y)
        cosine = (x_unit * y_unit).sum(axis=1, keepdims=True)
        loss -= (weight * cosine).sum()
        grads[v] = weight * (cosine * x_unit - y_unit) / norm(x)
    return loss, grads


class LossTest(unittest.TestCase):

    def setUp(self):
        self.rng = np.random.default_rng(SEED)
        print(f"{self.id()}: seed {SEED}")

    def views(self, count, n, d, dtype):
        return [self.rng.standard_normal((n, d)).astype(dtype)
                for _ in range(count)]

    def check(self, result, pair, loss, grads, dtype, cols, softness):
        np.testing.assert_array_equal(result.pair, pair)
        self.assertEqual(result.pair.dtype, np.uint8)
        self.assertIsInstance(result.loss, float)
        # Sums of D products, each rounded once; and of soft weights what the
        # same does to distances, divided by the temperature.
        tolerance = 4 * cols * np.finfo(dtype).eps * (1 + softness)
        self.assertAlmostEqual(result.loss, loss, delta=tolerance)
        self.assertEqual(len(result.grads), len(grads))
        for actual, expected in zip(result.grads, grads):
            self.assertEqual(actual.dtype, dtype)
            np.testing.assert_allclose(actual, expected, rtol=0,
                                       atol=tolerance * abs(expected).max())
            # Of a view that is no source: 0, not merely small.
            np.testing.assert_array_equal(actual[expected == 0], 0)

    def test_four_views(self):
        for dtype in DTYPES:
            views = self.views(8, 33, 17, dtype)
            wide = [x.astype(np.float64) for x in views]
            for distance in DISTANCES:
                for selection in SELECTIONS:
                    with self.subTest(f"{dtype} {distance} {selection}"):
                        options = dict(distance=distance, selection=selection,
                                       temperature=TEMPERATURE, margin=MARGIN,
                                       seed=7)
                        result = gsg.guided_loss(*views, **options)
                        pair = gsg.select(*views[4:], **options)
                        if selection != "random":
                            pair = choose(distance, selection, wide[4:])
                        weights = weights_of(distance, selection, wide[4:],
                                             pair)
                        loss, grads = formula(weights, wide[:4], wide[4:])
                        self.check(result, pair, loss, grads, dtype, 17,
                                   softness(distance, selection, wide[4:]))

    def test_shared_views(self):
        for dtype in DTYPES:
            views = self.views(4, 33, 17, dtype)
            r = gsg.pairing(33, seed=7)
            r[:5] = 20  # no permutation: an image may be second often or never
            # Rows of both images; the gradients of an image's roles add up.
            p1, p2, z1, z2 = [x.astype(np.float64) for x in views]
            p, z = [p1, p2, p1[r], p2[r]], [z1, z2, z1[r], z2[r]]
            for distance in DISTANCES:
                for selection in SELECTIONS:
                    with self.subTest(f"{dtype} {distance} {selection}"):
                        options = dict(distance=distance, selection=selection,
                                       temperature=TEMPERATURE, margin=MARGIN,
                                       seed=7)
                        result = gsg.guided_loss_shared(*views, r, **options)
                        pair = gsg.select_shared(*views[2:], r, **options)
                        if selection != "random":
                            pair = choose(distance, selection, z)
                        loss, four = formula(
                            weights_of(distance, selection, z, pair), p, z)
                        grads = four[:2]
                        for first, second in zip(grads, four[2:]):
                            np.add.at(first, r, second)
                        self.check(result, pair, loss, grads, dtype, 17,
                                   softness(distance, selection, z))

    def test_by_hand(self):
        # Distances 1, 3, sqrt(5), 5: views 11 and 21. (Normalized first, 11
        # and 22 would be closest.)
        zero = [[0, 0]]
        views = [[[0, 1]], zero, [[1, 1]], zero,
                 [[1, 0]], [[0, 3]], [[1, 1]], [[4, 0]]]
        result = gsg.guided_loss(*(np.array(x, np.float64) for x in views))
        self.assertEqual(result.pair.tolist(), [0])
        self.assertAlmostEqual(result.loss, -(1 + 0.5**0.5) / 2, places=15)
        eighth = 0.5**0.5 / 4
        np.testing.assert_allclose(result.grads[2], [[-eighth, eighth]],
                                   rtol=1e-15)
        for v in (0, 1, 3):
            np.testing.assert_array_equal(result.grads[v], 0)

    def test_random_selection_is_a_function_of_the_seed(self):
        z = self.views(4, 64, 3, np.float32)
        first = gsg.select(*z, selection="random", seed=1)
        self.assertEqual(set(first.tolist()), {0, 1, 2, 3})
        again = gsg.select(*z, selection="random", seed=1)
        other = gsg.select(*z, selection="random", seed=2**64 - 1)
        self.assertEqual(first.tolist(), again.tolist())
        self.assertNotEqual(first.tolist(), other.tolist())

    def test_threads_change_no_bit(self):
        views = self.views(4, 257, 33, np.float32)
        one = gsg.guided_loss_shared(*views, seed=3)
        three = gsg.guided_loss_shared(*views, seed=3, threads=3)
        self.assertEqual(one.loss, three.loss)
        np.testing.assert_array_equal(one.pair, three.pair)
        np.testing.assert_array_equal(one.grads, three.grads)

    def test_default_pairing(self):
        views = self.views(4, 9, 5, np.float64)
        implicit = gsg.guided_loss_shared(*views, seed=4)
        explicit = gsg.guided_loss_shared(*views, gsg.pairing(9, seed=4))
        other = gsg.guided_loss_shared(*views, gsg.pairing(9, seed=5))
        self.assertEqual(implicit.loss, explicit.loss)
        self.assertNotEqual(implicit.loss, other.loss)

    def test_pairing(self):
        for n in (2, 3, 100):
            r = gsg.pairing(n, seed=n)
            self.assertEqual(r.dtype, np.int64)
            visited = [0]
            while r[visited[-1]] != 0:
                visited.append(int(r[visited[-1]]))
            self.assertEqual(sorted(visited), list(range(n)))  # one cycle
            r = gsg.pairing(n, seed=n, kind="random")
            self.assertEqual(sorted(r.tolist()), list(range(n)))

    def test_local_crops(self):
        for dtype in DTYPES:
            views = self.views(4, 12, 5, dtype)
            local = np.array(self.views(3, 12, 5, dtype))
            r = gsg.pairing(12, seed=1)
            result = gsg.guided_loss_shared(*views, r, local_p=local)
            self.assertEqual(len(result.grads), 5)
            # A crop in the place of the large view that is a source, or of the
            # other: the loss is linear in the parts.
            p1, p2, z1, z2 = views
            parts = [gsg.guided_loss_shared(p1, p2, z1, z2, r)]
            parts += [gsg.guided_loss_shared(x, x, z1, z2, r) for x in local]
            self.assertAlmostEqual(result.loss,
                                   sum(part.loss for part in parts) / 4,
                                   places=6)
            expected = [g / 4 for g in parts[0].grads]
            expected += [(part.grads[0] + part.grads[1]) / 4
                         for part in parts[1:]]
            for actual, g in zip(result.grads, expected):
                np.testing.assert_allclose(actual, g, rtol=0, atol=1e-7)
            none = gsg.guided_loss_shared(*views, r, local_p=())
            self.assertEqual(none.loss, parts[0].loss)
            np.testing.assert_array_equal(none.grads, parts[0].grads)

    def test_nearest_pairing(self):
        for dtype in DTYPES:
            z = self.views(4, 12, 5, dtype)
            for distance in DISTANCES:
                for views, second in ((z[:2], z[:2]), (z, z[2:])):
                    # [i, j]: the least of the four distances.
                    between = np.min([
                        [distance_between(distance, np.tile(x[i], (12, 1)), y)
                         for i in range(12)] for x in z[:2] for y in second],
                        axis=0)
                    np.fill_diagonal(between, np.inf)
                    r = gsg.nearest_pairing(*views, candidates=11,
                                            distance=distance)
                    self.assertEqual(r.dtype, np.int64)
                    np.testing.assert_array_equal(r, between.argmin(axis=1))
        few = gsg.nearest_pairing(*z, candidates=2, seed=1)
        again = gsg.nearest_pairing(*z, candidates=2, seed=1, threads=3)
        other = gsg.nearest_pairing(*z, candidates=2, seed=2)
        self.assertEqual(few.tolist(), again.tolist())
        self.assertNotEqual(few.tolist(), other.tolist())

    def test_source_mask(self):
        mask = gsg.source_mask(np.array([0, 1, 2, 3, 4], np.uint8))
        self.assertEqual(mask.dtype, np.uint8)
        self.assertEqual(mask.tolist(), [[1, 0, 1, 0], [1, 0, 0, 1],
                                         [0, 1, 1, 0], [0, 1, 0, 1],
                                         [1, 1, 1, 1]])

    def test_meters(self):
        axes = np.concatenate([np.eye(3), -np.eye(3)])
        for dtype in DTYPES:
            z = axes.astype(dtype)
            self.assertAlmostEqual(gsg.feature_std(z), 1, places=12)
            self.assertAlmostEqual(gsg.effective_rank(z), 3, places=12)
            self.assertAlmostEqual(gsg.effective_rank(z[[0, 3]]), 1, places=12)
            self.assertEqual(gsg.feature_std(z[[0, 0]]), 0)


if __name__ == "__main__":
    unittest.main()
