// The loss of a batch of two images and its gradient: docs/using_gsg_core.md.
#include <cstdio>

#include "absl/status/statusor.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "gsg_core/thread_pool.h"

int main() {
  // One row, two dimensions. zVW: projection of view W of image V.
  const float z11[] = {1, 0}, z12[] = {0, 3}, z21[] = {1, 1}, z22[] = {4, 0};
  const float p11[] = {0, 1}, p12[] = {1, 0}, p21[] = {1, 1}, p22[] = {3, 4};
  float grad[4][2];

  const auto rows = [](const float* data) {
    return gsg::Rows<const float>(data, /*rows=*/1, /*cols=*/2);
  };
  const auto writable = [](float* data) {
    return gsg::Rows<float>(data, /*rows=*/1, /*cols=*/2);
  };
  const gsg::FourViews<float> views = {rows(p11), rows(p12), rows(p21),
                                       rows(p22), rows(z11), rows(z12),
                                       rows(z21), rows(z22)};
  const gsg::FourViewGrads<float> grads = {writable(grad[0]), writable(grad[1]),
                                           writable(grad[2]),
                                           writable(grad[3])};

  gsg::ThreadPool pool(2);
  gsg::LossOptions options;
  options.executor = &pool;
  const absl::StatusOr<gsg::LossResult> result =
      gsg::GuidedLoss(views, options, &grads);
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
    return 1;
  }
  std::printf("loss %.6f, pair %d\n", result->loss, result->pair[0]);
  std::printf("dloss/dp21 = (%.6f, %.6f)\n", grad[2][0], grad[2][1]);
  return 0;
}
