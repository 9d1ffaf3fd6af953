#ifndef GSG_CUDA_INTERNAL_FOUR_VIEW_KERNEL_H_
#define GSG_CUDA_INTERNAL_FOUR_VIEW_KERNEL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "cuda/internal/device.h"
#include "cuda/internal/gradient.h"
#include "cuda/internal/loss_args.h"
#include "cuda/internal/loss_row.h"
#include "cuda/internal/row_part.h"
#include "gsg_core/selection.h"

namespace gsg::cuda::internal {

// A row of four views at a time: its eight rows are read once, into registers
// (kKept > 0), and its four gradients written. All of a row's sums are found
// together, so that a block meets twice a row. Bound by memory: 12 rows of
// traffic; what a row waits for its sums is hidden by the other blocks of a
// multiprocessor.
template <typename T, int kWidth, int kKept>
class FourViewKernel {
 public:
  using Args = FourViewArgs<T>;
  // Of a thread: fewer make room for more blocks at once, which wait for their
  // sums at different times. With 64, 4 blocks of 256 threads; more where a row
  // would be spilt. (128 are what a block of kMaxThreads can have.)
  static constexpr int kRegisters = kKept > 0 && sizeof(T) == 2 ? 64 : 128;
  struct State : BlockState {
    double distances[4];
    Choice choice;
    Combination<2> grads[4];  // of p_v and z_partner(v)
  };

  template <typename Block>
  GSG_DEVICE static void Run(Block& block, const Args& args, State& state) {
    using Part = RowPart<T, kWidth, kKept>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    const int64_t begin = int64_t{block.index()} * args.rows_per_block;
    const int64_t end = std::min(begin + args.rows_per_block, args.rows);
    const int threads = block.threads();
    for (int64_t row = begin; row < end; ++row) {
      block.Each([&](int t) {
        LoadRow(args, row, t, threads, parts[t]);
        // While the first row is on its way.
        if (row == begin && t == 0) Begin(args, state);
      });
      block.template Sum<float, 0, 16>([&](int t, float* sums) {
        AddSums<float>(args, t, threads, parts[t], sums);
      });
      block.Decide(16, [&](const double* sums) {
        const bool chosen = PairSumsArePlain(args, sums);
        const bool again = !chosen || !ViewsArePlain(sums);
        if (chosen) SetChoice<Block>(args, row, sums, state);
        if (!again) SetGradients<Block>(sums, state);
        Block::Lanes(1, [&](int) {
          state.chosen = chosen;
          state.again = again;
        });
      });
      if (state.again) {
        Again(block, args, row, state);
      } else {
        block.Each([&](int t) {
          Write<float>(args, row, t, threads, parts[t], state);
        });
      }
    }
    Finish(block, args, state);
  }

 private:
  template <typename Part>
  struct Parts {
    Part p[4], z[4];
  };

  // The row in double, read again: float was too narrow for it.
  template <typename Block>
  GSG_DEVICE_CALL static void Again(Block& block, const Args& args, int64_t row,
                                    State& state) {
    using Part = RowPart<T, kWidth, 0>;
    typename Block::template PerThread<Parts<Part>> parts(block);
    const int threads = block.threads();
    block.Each([&](int t) { LoadRow(args, row, t, threads, parts[t]); });
    block.template Sum<double, 0, 16>([&](int t, double* sums) {
      AddSums<double>(args, t, threads, parts[t], sums);
    });
    block.Decide(16, [&](const double* sums) {
      if (!state.chosen) SetChoice<Block>(args, row, sums, state);
      SetGradients<Block>(sums, state);
      const bool finite = AllFinite<16>(sums);
      Block::Lanes(1, [&](int) {
        if (!finite) SetLossNan(state);
      });
    });
    block.Each(
        [&](int t) { Write<double>(args, row, t, threads, parts[t], state); });
  }

  template <typename Part>
  GSG_DEVICE static void LoadRow(const Args& args, int64_t row, int thread,
                                 int threads, Parts<Part>& parts) {
    GSG_UNROLL
    for (int v = 0; v < 4; ++v) {
      parts.z[v].Load(args.z[v].data + row * args.z[v].stride, args.cols,
                      thread, threads);
    }
    GSG_UNROLL
    for (int v = 0; v < 4; ++v) {
      parts.p[v].Load(args.p[v].data + row * args.p[v].stride, args.cols,
                      thread, threads);
    }
  }

  // 0..7 those of loss_row.h, 8..11 ||p_v||^2, 12..15 <p_v, z_partner(v)>. In
  // double it also looks for values that are not finite.
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
      Group<T, kWidth> p[4], z[4];
      GSG_UNROLL
      for (int v = 0; v < 4; ++v) {
        z[v] = parts.z[v].Get(k, c);
        p[v] = parts.p[v].Get(k, c);
      }
      GSG_UNROLL
      for (int e = 0; e < kWidth; ++e) {
        Real zs[4], ps[4];
        GSG_UNROLL
        for (int v = 0; v < 4; ++v) {
          zs[v] = static_cast<Real>(ToFloat(z[v][e]));
          ps[v] = static_cast<Real>(ToFloat(p[v][e]));
          if constexpr (std::is_same_v<Real, double>) {
            if (!std::isfinite(ps[v])) faults |= NonFinite(v);
            if (!std::isfinite(zs[v])) faults |= NonFinite(4 + v);
          }
        }
        AddPairSums<kProducts>(zs[0], zs[1], zs[2], zs[3], sums);
        AddSquares(zs[0], zs[1], sums + 4);
        AddSquares(zs[2], zs[3], sums + 6);
        GSG_UNROLL
        for (int v = 0; v < 4; ++v) {
          sums[8 + v] = MultiplyAdd(ps[v], ps[v], sums[8 + v]);
          sums[12 + v] = MultiplyAdd(ps[v], zs[PartnerView(v)], sums[12 + v]);
        }
      }
    });
    if (faults != 0) SetBits(args.outputs.faults, faults);
  }

  GSG_DEVICE static bool ViewsArePlain(const double* sums) {
    bool plain = true;
    for (int v = 0; v < 4; ++v) {
      plain = plain && ViewIsPlain(sums[8 + v], sums[4 + PartnerView(v)]);
    }
    return plain;
  }

  template <typename Block>
  GSG_DEVICE_CALL static void SetChoice(const Args& args, int64_t row,
                                        const double* sums, State& state) {
    Block::Lanes(
        4, [&](int k) { state.distances[k] = DistanceOf(args, sums, k); });
    Block::Lanes(1, [&](int) {
      state.choice = ChooseRow(args, state.parameters, state.distances, row);
      CountPair(args, row, state.choice.pair, state);
    });
  }

  template <typename Block>
  GSG_DEVICE_CALL static void SetGradients(const double* sums, State& state) {
    Block::Lanes(4, [&](int v) {
      const ViewResult view =
          ResultOfView(state.grad_scale, sums[8 + v], sums[4 + PartnerView(v)],
                       sums[12 + v], state.choice.weights[v]);
      state.loss[v] += view.term.loss;
      state.grads[v].is_zero = !view.is_source;
      state.grads[v].Set(0, view.term.along_p);
      state.grads[v].Set(1, view.term.along_z);
    });
  }

  template <typename Real, typename Part>
  GSG_DEVICE static void Write(const Args& args, int64_t row, int thread,
                               int threads, const Parts<Part>& parts,
                               const State& state) {
    GSG_UNROLL
    for (int v = 0; v < 4; ++v) {
      if (args.grads[v].data == nullptr) continue;
      WriteGradient<Real>(state.grads[v], args.cols, thread, threads,
                          args.streaming,
                          args.grads[v].data + row * args.grads[v].stride,
                          parts.p[v], parts.z[PartnerView(v)]);
    }
  }
};

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_FOUR_VIEW_KERNEL_H_
