// The views of a step, as the network takes them.

#ifndef GSG_TRAINERS_VIEWS_VIEW_BATCH_H_
#define GSG_TRAINERS_VIEWS_VIEW_BATCH_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace gsg {

// `count` augmented views of each of B images, all of one size, in one tensor:
// view v of image i is row v * B + i.
struct ViewBatch {
  at::Tensor pixels;  // [count * B, C, S, S] float32, channels-last;
                      // undefined if there are no views
  int64_t count = 0;

  int64_t images() const { return count == 0 ? 0 : pixels.size(0) / count; }
  // [B, C, S, S], view v.
  at::Tensor view(int64_t v) const {
    return pixels.narrow(0, v * images(), images());
  }
};

// Of the B images of a batch, or of this process's part of it.
struct StepViews {
  // Two views, x1 and x2; or four, of which the last two are used where an
  // image is the second of a pair.
  ViewBatch global;
  // Beside two views: smaller ones, which predict the others and are no targets
  // (gsg_core/loss.h, multi-crop).
  ViewBatch local;
};

}  // namespace gsg

#endif  // GSG_TRAINERS_VIEWS_VIEW_BATCH_H_
