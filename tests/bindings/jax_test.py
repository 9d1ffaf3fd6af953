"""gsg.jax against gsg, under grad, jit and vmap."""

import functools
import sys
import unittest

import jax
import jax.experimental
import jax.numpy as jnp
import numpy as np

import guided_stop_gradient as gsg
import guided_stop_gradient.jax

SEED = 11
PAIRS = ((0, 2), (0, 3), (1, 2), (1, 3))
jax.config.update("jax_enable_x64", True)


def unit(x):
    return x / jnp.linalg.norm(x, axis=1, keepdims=True)


def reference(p, z, pairing):
    """The loss of shared views, for JAX to differentiate: closest pair, euclidean.

    The choice is made of constants.
    """
    z = [jax.lax.stop_gradient(jnp.asarray(x, jnp.float64)) for x in z]
    p = [jnp.asarray(x, jnp.float64) for x in p]
    p, z = [[*x, *(y[pairing] for y in x)] for x in (p, z)]
    distances = jnp.stack([jnp.linalg.norm(z[a] - z[b], axis=1)
                           for a, b in PAIRS])
    pair = distances.argmin(0)
    d = [-(unit(p[v]) * unit(z[v ^ 1])).sum(1) for v in range(4)]
    return (jnp.where(pair // 2 == 0, d[0], d[1]) +
            jnp.where(pair % 2 == 0, d[2], d[3])).mean() / 2


class JaxTest(unittest.TestCase):

    def setUp(self):
        print(f"{self.id()}: seed {SEED}")
        self.rng = np.random.default_rng(SEED)

    def views(self, count, dtype):
        return [jnp.asarray(self.rng.standard_normal((9, 6)), dtype)
                for _ in range(count)]

    def test_value_and_gradient(self):
        for dtype in (jnp.float16, jnp.bfloat16, jnp.float32, jnp.float64):
            epsilon = float(jnp.finfo(dtype).eps)
            for jit in (lambda f: f, jax.jit):
                four, shared = self.views(8, dtype), self.views(4, dtype)
                for selection in ("min", "none", "random", "soft", "margin"):
                    options = dict(selection=selection, distance="cosine",
                                   temperature=0.3, margin=0.1)
                    for function, expected, views in (
                            (gsg.jax.guided_loss, gsg.guided_loss, four),
                            (gsg.jax.guided_loss_shared,
                             gsg.guided_loss_shared, shared)):
                        half = len(views) // 2
                        p, z = tuple(views[:half]), tuple(views[half:])

                        def loss(p, z, seed):
                            # Scaled, so that a lost cotangent shows.
                            return 3 * function(*p, *z, seed=seed, **options)

                        with self.subTest(f"{dtype} {selection} {half}"):
                            value, grads = jit(jax.value_and_grad(
                                loss, argnums=(0, 1)))(p, z, 7)
                            result = expected(*views, seed=7, **options)
                            self.assertAlmostEqual(float(value),
                                                   3 * result.loss, places=5)
                            for actual, g in zip(grads[0], result.grads):
                                self.assertEqual(actual.dtype, dtype)
                                g = 3 * g.astype(np.float64)
                                np.testing.assert_allclose(
                                    actual.astype(np.float64), g, rtol=0,
                                    atol=4 * epsilon * abs(g).max())
                            for g in grads[1]:
                                self.assertFalse(g.any())

    def test_a_cotangent_may_be_a_number(self):
        def check(dtype):
            p1, *rest = self.views(4, dtype)
            value, vjp = jax.vjp(
                lambda p: gsg.jax.guided_loss_shared(p, *rest), p1)
            expected, = vjp(jnp.asarray(3, value.dtype))
            actual, = vjp(3.0)
            self.assertEqual(actual.dtype, dtype)
            np.testing.assert_array_equal(actual, expected)

        check(jnp.float64)
        with jax.experimental.disable_x64():  # else 3.0 is float64
            for dtype in (jnp.float16, jnp.bfloat16, jnp.float32):
                check(dtype)

    def test_is_the_reference_under_jit_grad_and_vmap(self):
        def loss(p, z, r, threads=1):
            return gsg.jax.guided_loss_shared(*p, *z, r, threads=threads)

        for n, d in ((9, 6), (130, 33)):
            p, z = jnp.asarray(self.rng.standard_normal((2, 3, 2, n, d)),
                               jnp.float32)
            r = jnp.stack([gsg.pairing(n, seed=k) for k in range(3)])
            expected, grads = [], []
            for k in range(3):
                value, gradient = jax.value_and_grad(reference)(p[k], z[k], r[k])
                expected.append(value)
                grads.append(gradient)
            for name, function in (
                    ("grad", jax.value_and_grad(loss)),
                    ("jit", jax.jit(jax.value_and_grad(loss))),
                    ("threads", jax.jit(jax.value_and_grad(
                        functools.partial(loss, threads=4))))):
                value, gradient = function(p[0], z[0], r[0])
                with self.subTest(f"{name} {n}"):
                    self.assertAlmostEqual(float(value), expected[0], delta=1e-6)
                    np.testing.assert_allclose(gradient, grads[0], rtol=0,
                                               atol=1e-6)
            for name, function in (
                    ("vmap", jax.vmap(jax.value_and_grad(loss))),
                    ("jit vmap", jax.jit(jax.vmap(jax.value_and_grad(loss))))):
                value, gradient = function(p, z, r)
                with self.subTest(f"{name} {n}"):
                    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-6)
                    np.testing.assert_allclose(gradient, grads, rtol=0, atol=1e-6)
            # Not too small to tell.
            self.assertGreater(np.abs(grads).max(), 1e-4)

    def test_concatenated_views(self):
        # What XLA aborted the process for: the result is that of the handler.
        views = self.views(4, jnp.float32)
        parts = [(x[:4], x[4:]) for x in views]

        def joined(function):
            return jax.jit(lambda parts: function(*map(jnp.concatenate, parts)))

        self.assertEqual(joined(gsg.jax.guided_loss_shared)(parts),
                         gsg.jax.guided_loss_shared(*views))
        self.assertEqual(joined(gsg.jax.guided_loss)(parts * 2),
                         gsg.jax.guided_loss(*views, *views))
        np.testing.assert_array_equal(
            joined(gsg.jax.nearest_pairing)(parts[:2]),
            gsg.jax.nearest_pairing(*views[:2]))

    def test_xla_calls_gsg_and_not_python(self):
        p1, p2, z1, z2 = self.views(4, jnp.float32)

        def step(p1, p2, z1, z2):
            r = gsg.jax.nearest_pairing(z1, z2, candidates=3)
            return jax.value_and_grad(gsg.jax.guided_loss_shared)(p1, p2, z1, z2,
                                                                  r)

        lowered = jax.jit(step).lower(p1, p2, z1, z2)
        for text in (lowered.as_text(), lowered.compile().as_text()):
            self.assertNotIn("callback", text)
            for name in ("guided_loss", "nearest_pairing"):
                self.assertIn(f"guided_stop_gradient.{name}", text)

    def test_threads_change_no_bit(self):
        views = [jnp.asarray(self.rng.standard_normal((300, 40)), jnp.float32)
                 for _ in range(4)]
        gradient = jax.value_and_grad(gsg.jax.guided_loss_shared)
        value, expected = gradient(*views)
        many = jax.jit(jax.value_and_grad(functools.partial(
            gsg.jax.guided_loss_shared, threads=256)))
        for _ in range(20):
            other, actual = many(*views)
            self.assertEqual(other, value)
            np.testing.assert_array_equal(actual, expected)

    def test_a_pairing_of_any_integers(self):
        views = self.views(4, jnp.float32)
        pairing = gsg.pairing(9, seed=3)
        expected = gsg.jax.guided_loss_shared(*views, pairing)
        step = jax.jit(lambda r: gsg.jax.guided_loss_shared(*views, r))
        for dtype in ("int8", "int16", "int32", "int64", "uint8", "uint16",
                      "uint32", "uint64"):
            self.assertEqual(step(jnp.asarray(pairing, dtype)), expected)
        for wrong in (np.int64(2**32 + 1), np.uint64(2**64 - 1), np.int8(-1)):
            r = jnp.asarray(pairing, wrong.dtype).at[2].set(wrong)
            with self.assertRaisesRegex(Exception, r"pairing\[2\] is "):
                step(r).block_until_ready()

    def test_a_value_that_is_not_finite(self):
        p1, p2, z1, z2 = self.views(4, jnp.float32)
        with self.assertRaisesRegex(Exception, "p2 has nan in row 1, column 3"):
            jax.jit(gsg.jax.guided_loss_shared)(
                p1, p2.at[1, 3].set(jnp.nan), z1, z2).block_until_ready()

    def test_a_seed_may_be_traced(self):
        views = self.views(4, jnp.float32)
        step = jax.jit(lambda seed: gsg.jax.guided_loss_shared(*views,
                                                               seed=seed))
        losses = {float(step(seed)) for seed in range(5)}
        self.assertEqual(losses, {
            np.float32(gsg.guided_loss_shared(*views, seed=seed).loss)
            for seed in range(5)})
        self.assertGreater(len(losses), 1)

    def test_pairing(self):
        views = self.views(4, jnp.float32)
        pairing = gsg.pairing(9, seed=3)
        self.assertEqual(
            gsg.jax.guided_loss_shared(*views, jnp.asarray(pairing)),
            gsg.jax.guided_loss_shared(*views, seed=3))

    def test_local_crops(self):
        p1, p2, z1, z2, *local = self.views(6, jnp.float32)

        def loss(p):
            return gsg.jax.guided_loss_shared(*p[:2], z1, z2, seed=2,
                                              local_p=p[2:])

        value, grads = jax.jit(jax.value_and_grad(loss))((p1, p2, *local))
        expected = gsg.guided_loss_shared(p1, p2, z1, z2, seed=2, local_p=local)
        self.assertAlmostEqual(float(value), expected.loss, places=6)
        self.assertEqual(len(grads), 4)
        for actual, g in zip(grads, expected.grads):
            np.testing.assert_allclose(actual, g, rtol=1e-6)

    def test_nearest_pairing(self):
        p1, p2, z1, z2 = self.views(4, jnp.float32)

        @jax.jit
        def loss(z1, z2, seed):
            r = gsg.jax.nearest_pairing(z1, z2, candidates=3, seed=seed)
            return gsg.jax.guided_loss_shared(p1, p2, z1, z2, r), r

        value, r = loss(z1, z2, 5)
        expected = gsg.nearest_pairing(z1, z2, candidates=3, seed=5)
        self.assertEqual(r.tolist(), expected.tolist())
        self.assertAlmostEqual(
            float(value),
            gsg.guided_loss_shared(p1, p2, z1, z2, expected).loss, places=6)
        self.assertEqual(gsg.guided_loss_shared(p1, p2, z1, z2, r).loss,
                         gsg.guided_loss_shared(p1, p2, z1, z2, expected).loss)
        r = gsg.jax.nearest_pairing(z1, z2, p1, p2, candidates=8)
        expected = gsg.nearest_pairing(z1, z2, p1, p2, candidates=8)
        self.assertEqual(r.tolist(), expected.tolist())

    def test_vmap(self):
        batches = [jnp.stack(self.views(3, jnp.float32)) for _ in range(4)]
        losses = jax.vmap(gsg.jax.guided_loss_shared)(*batches)
        for i, loss in enumerate(losses):
            expected = gsg.guided_loss_shared(*(b[i] for b in batches)).loss
            self.assertAlmostEqual(float(loss), expected, places=6)

    def test_errors(self):
        views = self.views(4, jnp.float32)
        # JAX makes an error of its own of what a callback raises.
        with self.assertRaisesRegex(Exception, 'distance is "l1"'):
            gsg.jax.guided_loss_shared(
                *views, distance="l1").block_until_ready()
        with self.assertRaisesRegex(TypeError, "distance is a value of type"):
            gsg.jax.guided_loss_shared(*views, distance=1)
        with self.assertRaisesRegex(Exception, "z2 is 8 x 6; p1 is 9 x 6"):
            gsg.jax.guided_loss_shared(*views[:3],
                                       views[3][:8]).block_until_ready()

    def test_every_seed(self):
        views = self.views(4, jnp.float32)
        step = jax.jit(lambda seed: gsg.jax.guided_loss_shared(*views,
                                                               seed=seed))
        for seed in (0, 2**32, 2**63, 2**64 - 1, gsg.step_seed(0, 1)):
            expected = np.float32(gsg.guided_loss_shared(*views, seed=seed).loss)
            self.assertEqual(gsg.jax.guided_loss_shared(*views, seed=seed),
                             expected)
            self.assertEqual(step(np.uint64(seed)), expected)

    def test_words_of_a_seed(self):
        views = self.views(4, jnp.float32)

        def loss(seed):
            return gsg.jax.guided_loss_shared(*views, seed=seed,
                                              selection="random")

        def nearest(seed):
            return gsg.jax.nearest_pairing(*views[:2], candidates=3, seed=seed)

        seeds = (7, 2**32, 2**63, 2**64 - 1, gsg.step_seed(0, 1))
        words = [gsg.jax.seed_words(seed) for seed in seeds]
        expected = [np.float32(gsg.guided_loss_shared(
            *views, seed=seed, selection="random").loss) for seed in seeds]
        self.assertEqual(len({*expected}), len(seeds))
        with jax.experimental.disable_x64():
            for seed, pair, value in zip(seeds, words, expected):
                for function in (loss, jax.jit(loss)):
                    self.assertEqual(function(pair), value)
                    self.assertEqual(function(jnp.asarray(pair)), value)
                np.testing.assert_array_equal(jax.jit(nearest)(pair),
                                              nearest(seed))
            np.testing.assert_array_equal(jax.vmap(loss)(np.stack(words)),
                                          expected)
        with self.assertRaisesRegex(ValueError, "seed is 18446744073709551616"):
            gsg.jax.seed_words(2**64)
        for wrong in (np.array([1, 2], np.int32), np.ones(2, np.float32)):
            for function in (loss, jax.jit(loss)):
                with self.assertRaisesRegex(TypeError, r"seed is .*32\[2\]; of "
                                            "two words it must be uint32"):
                    function(wrong)

    def test_is_checked_when_it_traces(self):
        views = self.views(4, jnp.float32)
        loss = gsg.jax.guided_loss_shared
        for kind, message, arguments, options in (
                (TypeError, "pairing is float", (*views, jnp.zeros(9)), {}),
                (ValueError, r"pairing has shape \(8,\)",
                 (*views, jnp.arange(8)), {}),
                (ValueError, r"pairing\[2\] is 9; entries are rows, 0\.\.8",
                 (*views, np.array([0, 1, 9, 3, 4, 5, 6, 7, -1])), {}),
                (TypeError, "local_p is a value of type float", views,
                 dict(local_p=1.0)),
                (TypeError, "pairing is a value of type list",
                 (*views, [1, 0]), {}),
                (ValueError, "z2 is 9 x 5; p1 is 9 x 6",
                 (*views[:3], views[3][:, :5]), {}),
                (ValueError, "z1 has shape", (*views[:2], views[2][0], views[3]),
                 {}),
                (TypeError, "p2 is int32", (views[0], jnp.ones((9, 6), jnp.int32),
                                            *views[2:]), {}),
                (TypeError, "z2 is a value of type NoneType", (*views[:3], None),
                 {}),
                (TypeError, "seed is a value of type float", views,
                 dict(seed=1.5)),
                (ValueError, "seed is -1", views, dict(seed=-1)),
                (ValueError, 'selection is "first"', views,
                 dict(selection="first")),
                (ValueError, "p1 has 1 row", [x[:1] for x in views], {})):
            with self.subTest(message), self.assertRaisesRegex(kind, message):
                jax.eval_shape(lambda: loss(*arguments, **options))
        with self.assertRaisesRegex(TypeError, "seed is float32"):
            jax.jit(lambda seed: loss(*views, seed=seed))(jnp.float32(1))
        with self.assertRaisesRegex(ValueError, "z11 has 1 row"):
            jax.eval_shape(gsg.jax.nearest_pairing, *(x[:1] for x in views[:2]))

    def test_a_short_last_batch_has_fewer_candidates(self):
        z1, z2 = self.views(2, jnp.float32)
        actual = gsg.jax.nearest_pairing(z1, z2, candidates=16)
        expected = gsg.nearest_pairing(z1, z2, candidates=8)
        self.assertEqual(actual.tolist(), expected.tolist())

    def test_a_traced_seed_below_0_is_no_other_seed(self):
        views = self.views(4, jnp.float32)
        step = jax.jit(lambda seed: gsg.jax.guided_loss_shared(*views,
                                                               seed=seed))
        with self.assertRaisesRegex(Exception, "seed is negative"):
            step(jnp.int32(-1)).block_until_ready()

    def test_float16(self):
        # The gradient times N is out of its range, as are these values.
        views = [jnp.asarray(1e-6 * self.rng.standard_normal((1024, 7)),
                             jnp.float16) for _ in range(4)]
        gradient = jax.jit(jax.value_and_grad(gsg.jax.guided_loss_shared))
        _, wide = gradient(*(x.astype(jnp.float32) for x in views))
        _, actual = gradient(*views)
        self.assertLess(abs(wide).max(), 6e4)
        self.assertGreater(1024 * abs(wide).max(), 6e4)
        np.testing.assert_array_equal(actual, wide.astype(jnp.float16))
        # A step with a loss that ran over is skipped by who scales it.
        loss, actual = gradient(views[0] / 0, *views[1:])
        self.assertTrue(jnp.isnan(loss) and jnp.isnan(actual).all())

    def test_arrays_are_not_written_to(self):
        views = self.views(4, jnp.float32)
        out = [jnp.zeros((9, 6), jnp.float32) for _ in range(2)]
        with self.assertRaisesRegex(ValueError, r"out\[0\] is read-only"):
            gsg.guided_loss_shared(*views, out=out)
        self.assertFalse(out[0].any())

    def test_is_optional(self):
        self.assertNotIn("torch", sys.modules)


if __name__ == "__main__":
    unittest.main()
