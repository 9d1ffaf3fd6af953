#ifndef GSG_CUDA_INTERNAL_LOSS_ROW_H_
#define GSG_CUDA_INTERNAL_LOSS_ROW_H_

#include <cmath>
#include <cstdint>
#include <limits>

#include "cuda/internal/device.h"
#include "cuda/internal/loss_args.h"
#include "gsg_core/distances/list.h"
#include "gsg_core/internal/view_term.h"
#include "gsg_core/selection.h"
#include "gsg_core/selections/list.h"

// From the sums over a row to its choice, loss and gradient: what one thread of
// a block does for all.
namespace gsg::cuda::internal {

// The sums of two images: 0..3 the pair sums of the distances (selection.h's
// order), 4..7 ||z_v||^2, which distances take only with kProducts. Views' sums
// follow where there are some.
template <bool kProducts, typename Real>
GSG_DEVICE void AddPairSums(Real z11, Real z12, Real z21, Real z22,
                            Real* sums) {
  const Real first[2] = {z11, z12}, second[2] = {z21, z22};
  GSG_UNROLL
  for (int k = 0; k < 4; ++k) {
    const Real x = first[k / 2], y = second[k % 2];
    sums[k] = kProducts ? MultiplyAdd(x, y, sums[k])
                        : MultiplyAdd(x - y, x - y, sums[k]);
  }
}

// To ||z_v||^2 of one of two images.
template <typename Real>
GSG_DEVICE void AddSquares(Real x, Real y, Real* sums) {
  sums[0] = MultiplyAdd(x, x, sums[0]);
  sums[1] = MultiplyAdd(y, y, sums[1]);
}

// The k-th of a row's distances.
GSG_DEVICE double DistanceOf(const LossArgs& args, const double* sums, int k) {
  double distance = 0;
  if (args.uses_distances) {
    distances::List::Visit(args.distance, [&](auto d) {
      distance = d.Value(sums[k], sums[4 + k / 2], sums[6 + k % 2]);
    });
  }
  return distance;
}

// Whether float was wide enough for the sums that distances are made of.
GSG_DEVICE bool PairSumsArePlain(const LossArgs& args, const double* sums) {
  if (!args.uses_distances) return true;
  const int first = args.uses_products ? 4 : 0;
  for (int k = first; k < first + 4; ++k) {
    if (!gsg::core_internal::IsPlain<float>(sums[k])) return false;
  }
  bool exact = true;
  distances::List::Visit(args.distance, [&](auto d) {
    if constexpr (decltype(d)::kExactFrom > 0) {
      for (int k = 0; k < 4; ++k) {
        exact = exact && !(DistanceOf(args, sums, k) < d.kExactFrom);
      }
    }
  });
  return exact;
}

GSG_DEVICE Choice ChooseRow(const LossArgs& args,
                            const SelectionParameters& parameters,
                            const double (&distances)[4], int64_t row) {
  Choice choice{};
  selections::List::Visit(args.selection, [&](auto s) {
    choice = s.Choose(distances, parameters, row);
  });
  return choice;
}

// Of a view, from its sums.
struct ViewResult {
  bool is_source;
  gsg::core_internal::ViewTerm term;
};

GSG_DEVICE bool ViewIsPlain(double pp, double zz) {
  return gsg::core_internal::IsPlain<float>(pp) &&
         gsg::core_internal::IsPlain<float>(zz);
}

GSG_DEVICE ViewResult ResultOfView(double grad_scale, double pp, double zz,
                                   double pz, double weight) {
  if (weight == 0) return {false, {0, 0, 0}};
  return {true,
          gsg::core_internal::ViewTermOf(
              pp, zz, pz, weight,
              gsg::core_internal::GradFactor(weight, grad_scale, /*rows=*/1))};
}

// Sums in double are finite unless a value is not.
template <int kSums>
GSG_DEVICE bool AllFinite(const double* sums) {
  double zero = 0;
  for (int k = 0; k < kSums; ++k) zero += sums[k] * 0;
  return zero == 0;
}

// What a block knows, in shared memory.
struct BlockState {
  SelectionParameters parameters;
  double grad_scale;  // of LossArgs, with the device's factor
  double loss[4];     // of the block, a part for each lane that adds to it
  double pair_count[5];
  // The row at hand has its choice. That depends on projections alone, also on
  // whether it takes double: who else makes the choice of this row comes to the
  // same.
  bool chosen;
  bool again;  // in double
};

GSG_DEVICE void Begin(const LossArgs& args, BlockState& state) {
  state.parameters = args.parameters;
  if (args.device_seed != nullptr) state.parameters.seed = *args.device_seed;
  state.grad_scale = args.grad_scale;
  if (args.device_grad_scale != nullptr) {
    state.grad_scale *= static_cast<double>(*args.device_grad_scale);
  }
  for (double& loss : state.loss) loss = 0;
  for (double& count : state.pair_count) count = 0;
}

GSG_DEVICE void SetLossNan(BlockState& state) {
  state.loss[0] = std::numeric_limits<double>::quiet_NaN();
}

GSG_DEVICE void CountPair(const LossArgs& args, int64_t row, uint8_t pair,
                          BlockState& state) {
  ++state.pair_count[pair];
  if (args.outputs.pair != nullptr) args.outputs.pair[row] = pair;
}

// The block's total goes to the workspace; the last block adds up all of them,
// in their order.
template <typename Block>
GSG_DEVICE void Finish(Block& block, const LossArgs& args, BlockState& state) {
  const auto write_total = [&] {
    BlockTotal& total = args.totals[block.index()];
    total.loss = state.loss[0] + state.loss[1] + state.loss[2] + state.loss[3];
    for (int k = 0; k < 5; ++k) total.pair_count[k] = state.pair_count[k];
  };
  if (!block.Last(&args.ticket->blocks, args.blocks, write_total)) return;
  block.template Reduce<double, 8>(
      [&](int thread, double* sums) {
        GSG_UNROLL_BY(2)
        for (int b = thread; b < args.blocks; b += block.threads()) {
          const BlockTotal& total = args.totals[b];
          sums[0] += Block::Fresh(&total.loss);
          for (int k = 0; k < 5; ++k) {
            sums[1 + k] += Block::Fresh(&total.pair_count[k]);
          }
        }
      },
      [&](const double* sums) {
        const LossOutputs& out = args.outputs;
        const double loss = sums[0] / static_cast<double>(args.rows);
        if (out.loss != nullptr) *out.loss = loss;
        if (out.loss_float != nullptr) {
          *out.loss_float = static_cast<float>(loss);
        }
        if (out.pair_count == nullptr) return;
        for (int k = 0; k < 5; ++k) {
          out.pair_count[k] = static_cast<int64_t>(sums[1 + k]);
        }
      });
}

}  // namespace gsg::cuda::internal

#endif  // GSG_CUDA_INTERNAL_LOSS_ROW_H_
