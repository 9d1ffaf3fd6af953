#ifndef GSG_CUDA_GUIDED_LOSS_H_
#define GSG_CUDA_GUIDED_LOSS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "cuda/stream.h"
#include "gsg_core/distance.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "gsg_core/selection.h"

// GuidedLoss of gsg_core/loss.h, whose formulas these are, on a GPU: choice,
// loss and gradients in one launch. Pointers (also those in Rows) are to memory
// that the current device can reach; nothing is allocated, nothing waits for
// the device, and a call can be captured in a CUDA graph (after one that was
// not: CUDA loads a kernel when it is first launched). What may differ between
// replays of a graph is read from device memory: the rows, the pairing, the
// seed and the factor of the gradients.
//
// The result does not depend on scheduling: the same call gives the same bits.
namespace gsg::cuda {

struct LossOptions : SelectionParameters {
  Distance distance = Distance::kEuclidean;
  Selection selection = Selection::kMin;
  double grad_scale = 1.0;  // factor of the gradients, not of the loss

  // On the device, read by the kernel in the place of `seed` and as a further
  // factor of the gradients; null: neither.
  const uint64_t* device_seed = nullptr;
  const float* device_grad_scale = nullptr;
};

// The pairing of shared views, on the device. pairing_plan.h makes all of it
// from a pairing on the host.
struct Pairing {
  // [N]: row i's second image is the first of row pairing[i].
  const int64_t* pairing = nullptr;
  // [N]: the rows in which an image is the second one. For a permutation
  // inverse[pairing[i]] = i, and inverse_begin is null. For any map these are
  // inverse[inverse_begin[i] .. inverse_begin[i + 1] - 1] for image i, and
  // inverse_begin is [N + 1].
  const int64_t* inverse = nullptr;
  const int64_t* inverse_begin = nullptr;
  // [N], or null: each image once, in the order in which they are visited. Does
  // not change the gradients, and the loss by its last bits; but where the next
  // image is the second of this one's row, projections are read once, not three
  // times, which counts when they are larger than the cache.
  const int64_t* order = nullptr;
};

// gsg::SharedViews with the pairing on the device. At most kMaxLocalViews.
template <typename T>
struct SharedViews {
  Rows<const T> p1, p2;
  Rows<const T> z1, z2;
  Pairing pairing = {};
  absl::Span<const Rows<const T>> local_p = {};  // the span is on the host
};
inline constexpr int kMaxLocalViews = 16;

// Where the results go, on the device. What is null is not written, but for
// faults and workspace, which must be given.
struct LossOutputs {
  double* loss = nullptr;         // [1]
  float* loss_float = nullptr;    // [1], the same rounded
  uint8_t* pair = nullptr;        // [N], Choice::pair of each row
  int64_t* pair_count = nullptr;  // [5], how often each value is in `pair`

  // [1]. Bits are set where the device finds an error, and never cleared, so
  // that one look after many calls will do: FourViewFaults, SharedViewFaults.
  // After such a call the loss is NaN, and gradients are unspecified.
  uint32_t* faults = nullptr;

  // LossWorkspaceBytes(N), on a multiple of 8 bytes, and all zero before its
  // first use; each call leaves it ready for the next, of no more rows. Calls
  // that may run at the same time need one each.
  void* workspace = nullptr;
};

// For up to this many rows.
size_t LossWorkspaceBytes(int64_t rows);

// The loss and, where grads is given, grad_scale * dloss/dp, written in full:
// exactly 0 for a view that is not a source. T is float, Half or BFloat16
// (gsg_core/half.h; the layout of __half and __nv_bfloat16). Sums over a row
// are taken in float, and again in double where they leave the middle of
// float's range, so that any finite input gives the right result.
//
// Rows whose data and stride are multiples of 16 bytes, with D a multiple of as
// many elements, are read 16 bytes at a time; others one element at a time,
// which takes longer.
//
// InvalidArgument, naming the argument: shapes differ; N or D is 0; a stride is
// below D; data is null; grads overlap the inputs or each other; an option is
// not of its enum or out of its range; there are too many local views, or
// gradients for another number; faults, workspace or a part of the pairing is
// null. Internal, with CUDA's words, if the launch fails. What only the device
// can see goes to LossOutputs::faults.
template <typename T>
absl::Status GuidedLoss(const FourViews<T>& views, const LossOptions& options,
                        const FourViewGrads<T>* grads,
                        const LossOutputs& outputs, Stream stream);
template <typename T>
absl::Status GuidedLoss(const SharedViews<T>& views, const LossOptions& options,
                        const SharedGrads<T>* grads, const LossOutputs& outputs,
                        Stream stream);

// What a word of faults, copied to the host, says: Ok, or InvalidArgument that
// names the first argument with a value that is not finite, or the pairing if
// an entry is no row (it was taken for the row itself).
absl::Status FourViewFaults(uint32_t faults);
absl::Status SharedViewFaults(uint32_t faults);

}  // namespace gsg::cuda

#endif  // GSG_CUDA_GUIDED_LOSS_H_
