#ifndef GSG_CUDA_INTERNAL_SHARED_VIEW_KERNEL_H_
#define GSG_CUDA_INTERNAL_SHARED_VIEW_KERNEL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "cuda/internal/device.h"
#include "cuda/internal/gradient.h"
#include "cuda/internal/loss_args.h"
#include "cuda/internal/loss_row.h"
#include "cuda/internal/row_part.h"
#include "gsg_core/selection.h"

namespace gsg::cuda::internal {

// An image of shared views at a time. Its gradient takes the choice of its own
// row, in which it is the first image, and of each row in which it is the
// second one; the latter are made here, too, so that no block waits for
// another. Where the image before was the first of such a row, its choice and
// the projections that it compared are still there.
//
// Bound by memory: 6 rows of traffic an image along a cycle (Pairing::order),
// and 4 more reads, which hit the cache at 512 x 2048 (16 MB), in any other
// order. A block meets 2 times an image along a cycle, else 4 times.
template <typename T, int kWidth, int kKept>
class SharedViewKernel {
 public:
  using Args = SharedViewArgs<T>;
  struct State : BlockState {
    int64_t image[kMaxRowsPerBlock];  // -1: no image
    int64_t second[kMaxRowsPerBlock];
    int64_t rows_begin[kMaxRowsPerBlock];  // in Pairing::inverse
    int64_t rows_end[kMaxRowsPerBlock];
    bool good[kMaxRowsPerBlock];  // what was read there
    Choice own;           // of the row of the image, at last of the one before
    double as_second[2];  // the image's weights in rows where it is second
    double weights[2];    // in all rows, over the number of sources
    double z_squared[2];  // ||z1||^2, ||z2||^2
    Combination<2> grads[2];  // of p1 and z2; p2 and z1
    Combination<3> local;     // of a local view, z1 and z2
  };

  template <typename Block>
  GSG_DEVICE static void Run(Block& block, const Args& args, State& state) {
    using Part = RowPart<T, kWidth, kKept>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    const int64_t begin = int64_t{block.index()} * args.rows_per_block;
    const int count = static_cast<int>(
        std::min(int64_t{args.rows_per_block}, args.rows - begin));
    block.Each([&](int t) {
      for (int step = t; step < count; step += block.threads()) {
        ReadPairing(args, begin + step, step, state);
      }
    });
    block.One([&] {
      Begin(args, state);
      state.as_second[0] = state.as_second[1] = 0;
      for (int step = 0; step < count; ++step) {
        if (!state.good[step]) SetBadPairing(args, state);
      }
    });
    const int threads = block.threads();
    for (int step = 0; step < count; ++step) {
      const int64_t image = state.image[step];
      if (image < 0) continue;
      const int64_t before = step > 0 ? state.image[step - 1] : -1;
      const bool follows = before >= 0 && state.second[step - 1] == image;
      const int64_t rows_begin = state.rows_begin[step];
      const int64_t rows_end = state.rows_end[step];

      // All that is read for the image is asked for before any of it is used.
      const int64_t first_row =
          rows_begin < rows_end ? RowOf(args, rows_begin) : -1;
      const bool load_first = args.uses_distances && first_row >= 0 &&
                              !(follows && first_row == before);
      block.Each([&](int t) {
        Parts<Part>& part = parts[t];
        if (load_first) LoadZ(args, first_row, t, threads, part.other);
        if (follows && args.uses_distances) {
          part.z[0] = part.second[0];
          part.z[1] = part.second[1];
        } else {
          LoadZ(args, image, t, threads, part.z);
        }
        if (args.uses_distances) {
          LoadZ(args, state.second[step], t, threads, part.second);
        }
        for (int v = 0; v < 2; ++v) {
          part.p[v].Load(args.p[v].data + image * args.p[v].stride, args.cols,
                         t, threads);
        }
      });

      bool add_before = false;
      for (int64_t k = rows_begin; k < rows_end; ++k) {
        const int64_t row = k == rows_begin ? first_row : RowOf(args, k);
        if (row < 0) {
          block.One([&] { SetBadPairing(args, state); });
        } else if (follows && row == before) {
          add_before = true;
        } else {
          if (args.uses_distances && k > rows_begin) {
            block.Each(
                [&](int t) { LoadZ(args, row, t, threads, parts[t].other); });
          }
          AddAsSecond<float>(block, args, row, parts, state);
          if (state.again) AddAsSecondAgain(block, args, row, image, state);
        }
      }

      block.template Reduce<float, 16>(
          [&](int t, float* sums) {
            AddSums<float>(args, t, threads, parts[t], sums);
          },
          [&](const double* sums) {
            state.chosen = PairSumsArePlain(args, sums);
            if (state.chosen) {
              SetChoice(args, image, add_before, sums, state);
            }
            state.again = !state.chosen || !ViewsArePlain(sums);
            if (!state.again) SetGradients(args, sums, state);
          });
      if (state.again) {
        Again(block, args, image, state.second[step], add_before, state);
      } else {
        block.Each([&](int t) {
          Write<float>(args, image, t, threads, parts[t], state);
        });
      }
      for (int l = 0; l < args.locals; ++l) {
        Local<float>(block, args, image, l, parts, state);
        if (state.again) LocalAgain(block, args, image, l, state);
      }
    }
    Finish(block, args, state);
  }

 private:
  template <typename Part>
  struct Parts {
    Part p[2], z[2];
    Part second[2];  // z of the second image of the image's row
    Part other[2];   // z of the first image of a row in which it is second
    Part local;
  };

  GSG_DEVICE static bool IsRow(const Args& args, int64_t row) {
    return row >= 0 && row < args.rows;
  }

  // -1 for what is no row.
  GSG_DEVICE static int64_t RowOf(const Args& args, int64_t k) {
    const int64_t row = args.pairing.inverse[k];
    return IsRow(args, row) ? row : -1;
  }

  // The indices of the step-th image of the block, so that one thread each
  // waits for memory, and only once.
  GSG_DEVICE static void ReadPairing(const Args& args, int64_t place, int step,
                                     State& state) {
    const Pairing& pairing = args.pairing;
    int64_t image = place;
    if (pairing.order != nullptr) image = pairing.order[place];
    state.image[step] = -1;
    bool good = IsRow(args, image);
    if (good) {
      state.image[step] = image;
      int64_t second = pairing.pairing[image];
      good = IsRow(args, second);
      state.second[step] = good ? second : image;
      int64_t rows_begin = image, rows_end = image + 1;
      if (pairing.inverse_begin != nullptr) {
        rows_begin = pairing.inverse_begin[image];
        rows_end = pairing.inverse_begin[image + 1];
        if (rows_begin < 0 || rows_end > args.rows || rows_begin > rows_end) {
          good = false;
          rows_begin = rows_end = 0;
        }
      }
      state.rows_begin[step] = rows_begin;
      state.rows_end[step] = rows_end;
    }
    state.good[step] = good;
  }

  // By one thread.
  GSG_DEVICE_CALL static void SetBadPairing(const Args& args, State& state) {
    SetBits(args.outputs.faults, kBadPairing);
    state.total.loss = std::numeric_limits<double>::quiet_NaN();
  }

  template <typename Part>
  GSG_DEVICE static void LoadZ(const Args& args, int64_t row, int thread,
                               int threads, Part (&parts)[2]) {
    GSG_UNROLL
    for (int v = 0; v < 2; ++v) {
      parts[v].Load(args.z[v].data + row * args.z[v].stride, args.cols, thread,
                    threads);
    }
  }

  // Adds what the image weighs as the second one of `row`, whose first image is
  // in `other`; or sets state.again, if that takes double.
  template <typename Real, typename Block, typename PartsOfThreads>
  GSG_DEVICE static void AddAsSecond(Block& block, const Args& args,
                                     int64_t row, PartsOfThreads& parts,
                                     State& state) {
    const auto take = [&](const double* sums) {
      state.again =
          std::is_same_v<Real, float> && !PairSumsArePlain(args, sums);
      if (state.again) return;
      const Choice choice = ChooseRow(args, state.parameters, sums, row);
      state.as_second[0] += choice.weights[2];
      state.as_second[1] += choice.weights[3];
    };
    if (!args.uses_distances) {
      block.One([&] { take(nullptr); });
      return;
    }
    block.template Reduce<Real, 8>(
        [&](int t, Real* sums) {
          const auto& part = parts[t];
          part.z[0].ForGroups(args.cols, t, block.threads(), [&](int k, int c) {
            const auto z11 = part.other[0].Get(k, c);
            const auto z12 = part.other[1].Get(k, c);
            const auto z21 = part.z[0].Get(k, c);
            const auto z22 = part.z[1].Get(k, c);
            GSG_UNROLL
            for (int e = 0; e < kWidth; ++e) {
              AddPairSums(args.uses_products, AsReal<Real>(z11.element[e]),
                          AsReal<Real>(z12.element[e]),
                          AsReal<Real>(z21.element[e]),
                          AsReal<Real>(z22.element[e]), sums);
            }
          });
        },
        take);
  }

  // The same in double, read again. Values that are not finite are found when
  // it is the turn of their own images.
  template <typename Block>
  GSG_DEVICE_CALL static void AddAsSecondAgain(Block& block, const Args& args,
                                               int64_t row, int64_t image,
                                               State& state) {
    using Part = RowPart<T, kWidth, 0>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    const int threads = block.threads();
    block.Each([&](int t) {
      LoadZ(args, row, t, threads, parts[t].other);
      LoadZ(args, image, t, threads, parts[t].z);
    });
    AddAsSecond<double>(block, args, row, parts, state);
  }

  // 0..7 those of loss_row.h, of z and second; 8, 9 ||p1||^2, ||p2||^2;
  // 10, 11 <p1, z2>, <p2, z1>. In double it also looks for values that are not
  // finite.
  template <typename Real, typename Part>
  GSG_DEVICE static void AddSums(const Args& args, int thread, int threads,
                                 const Parts<Part>& parts, Real* sums) {
    uint32_t faults = 0;
    Part::ForGroups(args.cols, thread, threads, [&](int k, int c) {
      const Pack<T, kWidth> p1 = parts.p[0].Get(k, c);
      const Pack<T, kWidth> p2 = parts.p[1].Get(k, c);
      const Pack<T, kWidth> z1 = parts.z[0].Get(k, c);
      const Pack<T, kWidth> z2 = parts.z[1].Get(k, c);
      Pack<T, kWidth> second1 = z1, second2 = z2;
      if (args.uses_distances) {
        second1 = parts.second[0].Get(k, c);
        second2 = parts.second[1].Get(k, c);
      }
      GSG_UNROLL
      for (int e = 0; e < kWidth; ++e) {
        const Real ps[2] = {AsReal<Real>(p1.element[e]),
                            AsReal<Real>(p2.element[e])};
        const Real zs[2] = {AsReal<Real>(z1.element[e]),
                            AsReal<Real>(z2.element[e])};
        if constexpr (std::is_same_v<Real, double>) {
          for (int v = 0; v < 2; ++v) {
            if (!std::isfinite(ps[v])) faults |= NonFinite(v);
            if (!std::isfinite(zs[v])) faults |= NonFinite(2 + v);
          }
        }
        AddPairSums(args.uses_products, zs[0], zs[1],
                    AsReal<Real>(second1.element[e]),
                    AsReal<Real>(second2.element[e]), sums);
        GSG_UNROLL
        for (int v = 0; v < 2; ++v) {
          sums[8 + v] = MultiplyAdd(ps[v], ps[v], sums[8 + v]);
          sums[10 + v] = MultiplyAdd(ps[v], zs[1 - v], sums[10 + v]);
        }
      }
    });
    if (faults != 0) SetBits(args.outputs.faults, faults);
  }

  GSG_DEVICE static bool ViewsArePlain(const double* sums) {
    return ViewIsPlain(sums[8], sums[5]) && ViewIsPlain(sums[9], sums[4]);
  }

  // add_before: state.own, the choice of the image before, is of a row in which
  // this image is second.
  GSG_DEVICE_CALL static void SetChoice(const Args& args, int64_t image,
                                        bool add_before, const double* sums,
                                        State& state) {
    if (add_before) {
      state.as_second[0] += state.own.weights[2];
      state.as_second[1] += state.own.weights[3];
    }
    state.own = ChooseRow(args, state.parameters, sums, image);
    CountPair(args, image, state.own.pair, state);
    for (int v = 0; v < 2; ++v) {
      state.weights[v] =
          (state.own.weights[v] + state.as_second[v]) / (1 + args.locals);
      state.as_second[v] = 0;  // for the next image
    }
  }

  GSG_DEVICE_CALL static void SetGradients(const Args& args, const double* sums,
                                           State& state) {
    for (int v = 0; v < 2; ++v) {
      state.z_squared[v] = sums[4 + v];
      const ViewResult view =
          ResultOfView(args, state.grad_scale, sums[8 + v], sums[5 - v],
                       sums[10 + v], state.weights[v]);
      state.total.loss += view.term.loss;
      state.grads[v] = {!view.is_source,
                        {view.term.along_p, view.term.along_z}};
    }
  }

  // The image in double, read again: float was too narrow for it.
  template <typename Block>
  GSG_DEVICE_CALL static void Again(Block& block, const Args& args,
                                    int64_t image, int64_t second,
                                    bool add_before, State& state) {
    using Part = RowPart<T, kWidth, 0>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    const int threads = block.threads();
    block.Each([&](int t) {
      LoadZ(args, image, t, threads, parts[t].z);
      LoadZ(args, second, t, threads, parts[t].second);
      for (int v = 0; v < 2; ++v) {
        parts[t].p[v].Load(args.p[v].data + image * args.p[v].stride, args.cols,
                           t, threads);
      }
    });
    block.template Reduce<double, 16>(
        [&](int t, double* sums) {
          AddSums<double>(args, t, threads, parts[t], sums);
        },
        [&](const double* sums) {
          if (!state.chosen) SetChoice(args, image, add_before, sums, state);
          SetGradients(args, sums, state);
          if (!AllFinite<16>(sums)) {
            state.total.loss = std::numeric_limits<double>::quiet_NaN();
          }
        });
    block.Each([&](int t) {
      Write<double>(args, image, t, threads, parts[t], state);
    });
  }

  template <typename Real, typename Part>
  GSG_DEVICE static void Write(const Args& args, int64_t image, int thread,
                               int threads, const Parts<Part>& parts,
                               const State& state) {
    GSG_UNROLL
    for (int v = 0; v < 2; ++v) {
      if (args.grads[v].data == nullptr) continue;
      WriteGradient<Real>(state.grads[v], args.cols, thread, threads,
                          args.streaming,
                          args.grads[v].data + image * args.grads[v].stride,
                          parts.p[v], parts.z[1 - v]);
    }
  }

  // Local view l of the image, whose projections are in `parts`: all of it, or
  // state.again.
  template <typename Real, typename Block, typename PartsOfThreads>
  GSG_DEVICE static void Local(Block& block, const Args& args, int64_t image,
                               int l, PartsOfThreads& parts, State& state) {
    constexpr bool kIsWide = std::is_same_v<Real, double>;
    const int threads = block.threads();
    const InputRows<T>& rows = args.local_p[l];
    block.Each([&](int t) {
      parts[t].local.Load(rows.data + image * rows.stride, args.cols, t,
                          threads);
    });
    block.template Reduce<Real, 4>(
        [&](int t, Real* sums) {  // ||p||^2, <p, z1>, <p, z2>
          const auto& part = parts[t];
          uint32_t faults = 0;
          part.local.ForGroups(args.cols, t, threads, [&](int k, int c) {
            const auto p = part.local.Get(k, c);
            const auto z1 = part.z[0].Get(k, c);
            const auto z2 = part.z[1].Get(k, c);
            GSG_UNROLL
            for (int e = 0; e < kWidth; ++e) {
              const Real x = AsReal<Real>(p.element[e]);
              if constexpr (kIsWide) {
                if (!std::isfinite(x)) faults |= NonFinite(4 + l);
              }
              sums[0] = MultiplyAdd(x, x, sums[0]);
              sums[1] = MultiplyAdd(x, AsReal<Real>(z1.element[e]), sums[1]);
              sums[2] = MultiplyAdd(x, AsReal<Real>(z2.element[e]), sums[2]);
            }
          });
          if (faults != 0) SetBits(args.outputs.faults, faults);
        },
        [&](const double* sums) {
          state.again =
              !kIsWide && !(ViewIsPlain(sums[0], state.z_squared[0]) &&
                            ViewIsPlain(sums[0], state.z_squared[1]));
          if (!state.again) DecideLocal(args, sums, state);
          if (kIsWide && !AllFinite<4>(sums)) {
            state.total.loss = std::numeric_limits<double>::quiet_NaN();
          }
        });
    if (state.again || args.local_grads[l].data == nullptr) return;
    block.Each([&](int t) {
      const auto& part = parts[t];
      WriteGradient<Real>(
          state.local, args.cols, t, threads, args.streaming,
          args.local_grads[l].data + image * args.local_grads[l].stride,
          part.local, part.z[0], part.z[1]);
    });
  }

  template <typename Block>
  GSG_DEVICE_CALL static void LocalAgain(Block& block, const Args& args,
                                         int64_t image, int l, State& state) {
    using Part = RowPart<T, kWidth, 0>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    block.Each(
        [&](int t) { LoadZ(args, image, t, block.threads(), parts[t].z); });
    Local<double>(block, args, image, l, parts, state);
  }

  // It predicts z2 with the weight of view 1, and z1 with that of view 2.
  GSG_DEVICE_CALL static void DecideLocal(const Args& args, const double* sums,
                                          State& state) {
    const ViewResult of_z2 =
        ResultOfView(args, state.grad_scale, sums[0], state.z_squared[1],
                     sums[2], state.weights[0]);
    const ViewResult of_z1 =
        ResultOfView(args, state.grad_scale, sums[0], state.z_squared[0],
                     sums[1], state.weights[1]);
    state.total.loss += of_z2.term.loss + of_z1.term.loss;
    state.local = {!of_z1.is_source && !of_z2.is_source,
                   {of_z2.term.along_p + of_z1.term.along_p, of_z1.term.along_z,
                    of_z2.term.along_z}};
  }

  template <typename Real>
  GSG_DEVICE static Real AsReal(T x) {
    return static_cast<Real>(ToFloat(x));
  }
};

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_SHARED_VIEW_KERNEL_H_
