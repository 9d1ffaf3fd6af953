#ifndef GSG_CUDA_INTERNAL_SHARED_VIEW_KERNEL_H_
#define GSG_CUDA_INTERNAL_SHARED_VIEW_KERNEL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cuda/internal/device.h"
#include "cuda/internal/gradient.h"
#include "cuda/internal/loss_args.h"
#include "cuda/internal/loss_row.h"
#include "cuda/internal/row_part.h"
#include "gsg_core/internal/view_term.h"
#include "gsg_core/selection.h"

namespace gsg::cuda::internal {

// An image of shared views at a time. Its gradient takes the choice of its own
// row, in which it is the first image, and of each row in which it is the
// second one; the latter are made here, too, so that no block waits for
// another. Where the image before was the first of such a row, its choice is at
// hand, and the projections that it compared are in the cache.
//
// Bound by memory: 6 rows of traffic an image along a cycle (Pairing::order),
// and 4 more reads, which hit the cache at 512 x 2048 (16 MB), in any other
// order. A block meets 2 times an image, as the sums of two rows are found
// together, and 2 more for each further row that has it as its second one.
template <typename T, int kWidth, int kKept>
class SharedViewKernel {
 public:
  using Args = SharedViewArgs<T>;
  // See FourViewKernel. With 80, 3 blocks of 256 threads.
  static constexpr int kRegisters = kKept == 0 ? 128 : sizeof(T) == 2 ? 64 : 80;
  struct State : BlockState {
    int64_t image[kMaxRowsPerBlock];  // -1: no image
    int64_t second[kMaxRowsPerBlock];
    int64_t rows_begin[kMaxRowsPerBlock];  // in Pairing::inverse
    int64_t rows_end[kMaxRowsPerBlock];
    bool good[kMaxRowsPerBlock];  // what was read there
    // In which the image is second: the first of these rows, or -1. Its choice
    // is made along with that of the image's own row.
    int64_t first_row[kMaxRowsPerBlock];
    bool first_again;        // the choice of that row takes double
    double distances[2][4];  // of the image's row and of that row
    Choice own;           // of the row of the image, at last of the one before
    Choice other;         // of another row that has the image as second
    double as_second[2];  // the image's weights in rows where it is second
    double weights[2];    // in all rows, over the number of sources
    double z_squared[2];  // ||z1||^2, ||z2||^2
    gsg::core_internal::ViewTerm local_terms[2];  // for z1, z2
    Combination<2> grads[2];                      // of p1 and z2; p2 and z1
    Combination<3> local;                         // of a local view, z1 and z2
  };

  template <typename Block>
  GSG_DEVICE static void Run(Block& block, const Args& args, State& state) {
    using Part = RowPart<T, kWidth, kKept>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    const int64_t begin = int64_t{block.index()} * args.rows_per_block;
    const int count = static_cast<int>(
        std::min(int64_t{args.rows_per_block}, args.rows - begin));
    static_assert(kMaxRowsPerBlock < 32, "threads but the last one of a warp");
    block.Each([&](int t) {
      if (t < count) ReadPairing(args, begin + t, t, state);
      if (t == block.threads() - 1) {
        Begin(args, state);
        state.as_second[0] = state.as_second[1] = 0;
      }
    });
    block.Meet();
    block.Each([&](int t) {
      if (t > 0) return;
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

      const int64_t first_row = state.first_row[step];
      // Not where the choice of that row is at hand.
      bool add_before = follows && first_row == before;
      const int64_t other_row = add_before ? -1 : first_row;
      const bool sums_other = args.uses_distances && other_row >= 0;

      for (int64_t k = rows_begin + 1; k < rows_end; ++k) {
        const int64_t row = RowOf(args, k);
        if (row < 0) {
          block.One([&] { SetBadPairing(args, state); });
        } else if (follows && row == before) {
          add_before = true;
        } else {
          block.Each([&](int t) {
            Parts<Part>& part = parts[t];
            if (!args.uses_distances) return;
            LoadZ(args, row, t, threads, part.other);
            LoadZ(args, image, t, threads, part.z);
          });
          AddAsSecond<float>(block, args, row, parts, state);
          if (state.again) AddAsSecondAgain(block, args, row, image, state);
        }
      }

      // All that is read for an image along a cycle is asked for before any of
      // it is used. Registers are too few for `other` and p at the same time.
      block.Each([&](int t) {
        Parts<Part>& part = parts[t];
        LoadZ(args, sums_other ? other_row : -1, t, threads, part.other);
        LoadZ(args, image, t, threads, part.z);
        LoadZ(args, args.uses_distances ? state.second[step] : -1, t, threads,
              part.second);
      });
      if (sums_other) SumAsSecond<float>(block, args, parts);
      block.Each([&](int t) { LoadP(args, image, t, threads, parts[t].p); });
      block.template Sum<float, 0, 16>([&](int t, float* sums) {
        AddSums<float>(args, t, threads, parts[t], sums);
      });
      block.Decide(sums_other ? kAsSecond + 8 : 16, [&](const double* sums) {
        const bool chosen = PairSumsArePlain(args, sums);
        const bool first_again =
            sums_other && !PairSumsArePlain(args, sums + kAsSecond);
        const bool again = !chosen || first_again || !ViewsArePlain(sums);
        if (add_before) AddWeights<Block>(state.own, state);
        SetChoices<Block>(args, chosen ? image : -1,
                          first_again ? -1 : other_row, sums, state);
        if (!again) SetGradients<Block>(args, sums, state);
        Block::Lanes(1, [&](int) {
          state.chosen = chosen;
          state.first_again = first_again;
          state.again = again;
        });
      });
      if (state.again) {
        Again(block, args, image, state.second[step], other_row, state);
        block.Each([&](int t) { ReloadZ(args, image, t, threads, parts[t]); });
      } else {
        block.Each([&](int t) {
          Write<float>(args, image, t, threads, parts[t], state);
        });
      }
      for (int l = 0; l < args.locals; ++l) {
        Local<float>(block, args, image, l, parts, state);
        if (state.again) {
          LocalAgain(block, args, image, l, state);
          block.Each(
              [&](int t) { ReloadZ(args, image, t, threads, parts[t]); });
        }
      }
    }
    Finish(block, args, state);
  }

 private:
  static constexpr int kAsSecond = 16;  // where such a row's sums are

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
      state.first_row[step] = -1;
      if (rows_begin < rows_end) {
        state.first_row[step] = RowOf(args, rows_begin);
        good = good && state.first_row[step] >= 0;
      }
      state.rows_begin[step] = rows_begin;
      state.rows_end[step] = rows_end;
    }
    state.good[step] = good;
  }

  // By one thread.
  GSG_DEVICE_CALL static void SetBadPairing(const Args& args, State& state) {
    SetBits(args.outputs.faults, kBadPairing);
    SetLossNan(state);
  }

  // Row -1 is zeros. (Not what was there before, which would have to be kept
  // all the time.)
  template <typename Part>
  GSG_DEVICE static void LoadZ(const Args& args, int64_t row, int thread,
                               int threads, Part (&parts)[2]) {
    if (row < 0) {
      parts[0] = parts[1] = {};
      return;
    }
    GSG_UNROLL
    for (int v = 0; v < 2; ++v) {
      parts[v].Load(args.z[v].data + row * args.z[v].stride, args.cols, thread,
                    threads);
    }
  }

  template <typename Part>
  GSG_DEVICE static void LoadP(const Args& args, int64_t image, int thread,
                               int threads, Part (&parts)[2]) {
    GSG_UNROLL
    for (int v = 0; v < 2; ++v) {
      parts[v].Load(args.p[v].data + image * args.p[v].stride, args.cols,
                    thread, threads);
    }
  }

  // The sums of a row that has the image as its second one, and its first image
  // in `other`: those of loss_row.h, as the block's sums kAsSecond + k.
  template <typename Real, typename Block, typename PartsOfThreads>
  GSG_DEVICE static void SumAsSecond(Block& block, const Args& args,
                                     PartsOfThreads& parts) {
    block.template Sum<Real, kAsSecond, 8>([&](int t, Real* sums) {
      if (args.uses_products) {
        AddOtherSums<true>(args, t, block.threads(), parts[t], sums);
      } else {
        AddOtherSums<false>(args, t, block.threads(), parts[t], sums);
      }
    });
  }

  template <bool kProducts, typename Real, typename Part>
  GSG_DEVICE static void AddOtherSums(const Args& args, int thread, int threads,
                                      const Parts<Part>& parts, Real* sums) {
    Part::ForGroups(args.cols, thread, threads, [&](int k, int c) {
      const Group<T, kWidth> z11 = parts.other[0].Get(k, c);
      const Group<T, kWidth> z12 = parts.other[1].Get(k, c);
      const Group<T, kWidth> z21 = parts.z[0].Get(k, c);
      const Group<T, kWidth> z22 = parts.z[1].Get(k, c);
      GSG_UNROLL
      for (int e = 0; e < kWidth; ++e) {
        const Real first[2] = {AsReal<Real>(z11[e]), AsReal<Real>(z12[e])};
        const Real second[2] = {AsReal<Real>(z21[e]), AsReal<Real>(z22[e])};
        AddPairSums<kProducts>(first[0], first[1], second[0], second[1], sums);
        if constexpr (kProducts) {
          AddSquares(first[0], first[1], sums + 4);
          AddSquares(second[0], second[1], sums + 6);
        }
      }
    });
  }

  // For local views, so that projections need not stay in registers where
  // double is calculated in.
  template <typename Part>
  GSG_DEVICE static void ReloadZ(const Args& args, int64_t image, int thread,
                                 int threads, Parts<Part>& parts) {
    if (args.locals > 0) {
      LoadZ(args, image, thread, threads, parts.z);
    } else {
      parts.z[0] = parts.z[1] = {};
    }
  }

  // Adds what the image weighs in `row`; or sets state.again, if that takes
  // double.
  template <typename Real, typename Block, typename PartsOfThreads>
  GSG_DEVICE static void AddAsSecond(Block& block, const Args& args,
                                     int64_t row, PartsOfThreads& parts,
                                     State& state) {
    if (args.uses_distances) SumAsSecond<Real>(block, args, parts);
    block.Decide(args.uses_distances ? kAsSecond + 8 : 0,
                 [&](const double* sums) {
                   const bool again = std::is_same_v<Real, float> &&
                                      !PairSumsArePlain(args, sums + kAsSecond);
                   if (!again) SetChoices<Block>(args, -1, row, sums, state);
                   Block::Lanes(1, [&](int) { state.again = again; });
                 });
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
    if (args.uses_products) {
      AddSumsOf<true>(args, thread, threads, parts, sums);
    } else {
      AddSumsOf<false>(args, thread, threads, parts, sums);
    }
  }

  template <bool kProducts, typename Real, typename Part>
  GSG_DEVICE static void AddSumsOf(const Args& args, int thread, int threads,
                                   const Parts<Part>& parts, Real* sums) {
    uint32_t faults = 0;
    Part::ForGroups(args.cols, thread, threads, [&](int k, int c) {
      const Group<T, kWidth> p1 = parts.p[0].Get(k, c);
      const Group<T, kWidth> p2 = parts.p[1].Get(k, c);
      const Group<T, kWidth> z1 = parts.z[0].Get(k, c);
      const Group<T, kWidth> z2 = parts.z[1].Get(k, c);
      Group<T, kWidth> second1 = z1, second2 = z2;
      if (args.uses_distances) {
        second1 = parts.second[0].Get(k, c);
        second2 = parts.second[1].Get(k, c);
      }
      GSG_UNROLL
      for (int e = 0; e < kWidth; ++e) {
        const Real ps[2] = {AsReal<Real>(p1[e]), AsReal<Real>(p2[e])};
        const Real zs[2] = {AsReal<Real>(z1[e]), AsReal<Real>(z2[e])};
        if constexpr (std::is_same_v<Real, double>) {
          for (int v = 0; v < 2; ++v) {
            if (!std::isfinite(ps[v])) faults |= NonFinite(v);
            if (!std::isfinite(zs[v])) faults |= NonFinite(2 + v);
          }
        }
        const Real second[2] = {AsReal<Real>(second1[e]),
                                AsReal<Real>(second2[e])};
        AddPairSums<kProducts>(zs[0], zs[1], second[0], second[1], sums);
        AddSquares(zs[0], zs[1], sums + 4);
        if constexpr (kProducts) AddSquares(second[0], second[1], sums + 6);
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

  // What the image weighs in the row of this choice.
  template <typename Block>
  GSG_DEVICE static void AddWeights(const Choice& choice, State& state) {
    Block::Lanes(2,
                 [&](int v) { state.as_second[v] += choice.weights[2 + v]; });
  }

  // The choice of the row of the image, and what the image weighs in another
  // row, in which it is second: of the two what is not -1.
  template <typename Block>
  GSG_DEVICE_CALL static void SetChoices(const Args& args, int64_t image,
                                         int64_t other_row, const double* sums,
                                         State& state) {
    Block::Lanes(8, [&](int k) {
      if ((k < 4 ? image : other_row) < 0) return;
      state.distances[k / 4][k % 4] =
          DistanceOf(args, sums + k / 4 * kAsSecond, k % 4);
    });
    Block::Lanes(2, [&](int k) {
      const int64_t row = k == 0 ? image : other_row;
      if (row < 0) return;
      Choice& choice = k == 0 ? state.own : state.other;
      choice = ChooseRow(args, state.parameters, state.distances[k], row);
      if (k == 0) CountPair(args, row, choice.pair, state);
    });
    if (other_row >= 0) AddWeights<Block>(state.other, state);
  }

  template <typename Block>
  GSG_DEVICE_CALL static void SetGradients(const Args& args, const double* sums,
                                           State& state) {
    Block::Lanes(2, [&](int v) {
      state.weights[v] =
          (state.own.weights[v] + state.as_second[v]) / (1 + args.locals);
      state.as_second[v] = 0;  // for the next image
      state.z_squared[v] = sums[4 + v];
      const ViewResult view =
          ResultOfView(state.grad_scale, sums[8 + v], sums[5 - v], sums[10 + v],
                       state.weights[v]);
      state.loss[v] += view.term.loss;
      state.grads[v].is_zero = !view.is_source;
      state.grads[v].Set(0, view.term.along_p);
      state.grads[v].Set(1, view.term.along_z);
    });
  }

  // The image in double, read again: float was too narrow for it.
  template <typename Block>
  GSG_DEVICE_CALL static void Again(Block& block, const Args& args,
                                    int64_t image, int64_t second,
                                    int64_t other_row, State& state) {
    if (state.first_again) {
      AddAsSecondAgain(block, args, other_row, image, state);
    }
    using Part = RowPart<T, kWidth, 0>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    const int threads = block.threads();
    block.Each([&](int t) {
      LoadZ(args, image, t, threads, parts[t].z);
      LoadZ(args, second, t, threads, parts[t].second);
      LoadP(args, image, t, threads, parts[t].p);
    });
    block.template Sum<double, 0, 16>([&](int t, double* sums) {
      AddSums<double>(args, t, threads, parts[t], sums);
    });
    block.Decide(16, [&](const double* sums) {
      if (!state.chosen) SetChoices<Block>(args, image, -1, sums, state);
      SetGradients<Block>(args, sums, state);
      const bool finite = AllFinite<16>(sums);
      Block::Lanes(1, [&](int) {
        if (!finite) SetLossNan(state);
      });
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
    block.template Sum<Real, 0, 4>(
        [&](int t, Real* sums) {  // ||p||^2, <p, z1>, <p, z2>
          const auto& part = parts[t];
          uint32_t faults = 0;
          part.local.ForGroups(args.cols, t, threads, [&](int k, int c) {
            const auto p = part.local.Get(k, c);
            const auto z1 = part.z[0].Get(k, c);
            const auto z2 = part.z[1].Get(k, c);
            GSG_UNROLL
            for (int e = 0; e < kWidth; ++e) {
              const Real x = AsReal<Real>(p[e]);
              if constexpr (kIsWide) {
                if (!std::isfinite(x)) faults |= NonFinite(4 + l);
              }
              sums[0] = MultiplyAdd(x, x, sums[0]);
              sums[1] = MultiplyAdd(x, AsReal<Real>(z1[e]), sums[1]);
              sums[2] = MultiplyAdd(x, AsReal<Real>(z2[e]), sums[2]);
            }
          });
          if (faults != 0) SetBits(args.outputs.faults, faults);
        });
    block.Decide(4, [&](const double* sums) {
      const bool again =
          !kIsWide && !(ViewIsPlain(sums[0], state.z_squared[0]) &&
                        ViewIsPlain(sums[0], state.z_squared[1]));
      if (!again) SetLocal<Block>(sums, state);
      const bool finite = !kIsWide || AllFinite<4>(sums);
      Block::Lanes(1, [&](int) {
        state.again = again;
        if (!finite) SetLossNan(state);
      });
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
  template <typename Block>
  GSG_DEVICE_CALL static void SetLocal(const double* sums, State& state) {
    Block::Lanes(2, [&](int z) {
      const ViewResult view =
          ResultOfView(state.grad_scale, sums[0], state.z_squared[z],
                       sums[1 + z], state.weights[1 - z]);
      state.loss[z] += view.term.loss;
      state.local_terms[z] = view.term;  // 0 if it is no source
      state.local.Set(1 + z, view.term.along_z);
    });
    Block::Lanes(1, [&](int) {
      state.local.is_zero = state.weights[0] == 0 && state.weights[1] == 0;
      state.local.Set(
          0, state.local_terms[0].along_p + state.local_terms[1].along_p);
    });
  }

  template <typename Real>
  GSG_DEVICE static Real AsReal(T x) {
    return static_cast<Real>(ToFloat(x));
  }
};

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_SHARED_VIEW_KERNEL_H_
