// Takes something of every public header of gsg_core, and prints what
// cmake_test.py expects.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "Eigen/Core"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "gsg_core/eigen.h"
#include "gsg_core/gsg.h"

namespace {

// Derived where the library is used: it needs Executor's virtual table.
class Backwards final : public gsg::Executor {
 public:
  int concurrency() const override { return 1; }
  void ParallelFor(int64_t tasks,
                   absl::FunctionRef<void(int64_t)> body) override {
    while (tasks > 0) body(--tasks);
  }
};

using Matrix =
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// 3 rows of 2.
Matrix Views(float first) {
  Matrix views(3, 2);
  views << first, 0, 0, first + 1, 1, first + 2;
  return views;
}

}  // namespace

int main() {
  std::printf("version %s, %s\n", GSG_VERSION_STRING,
              GSG_VERSION >= GSG_MAKE_VERSION(0, 1, 0) ? "new" : "old");

  Matrix p1 = Views(1), p2 = Views(2), z1 = Views(3), z2 = Views(4);
  const gsg::SharedViews<float> views{gsg::AsRows(p1), gsg::AsRows(p2),
                                      gsg::AsRows(z1), gsg::AsRows(z2),
                                      *gsg::CyclicPairing(3, /*seed=*/1)};
  Matrix g1(3, 2), g2(3, 2);
  const gsg::SharedGrads<float> grads{gsg::AsRows(g1), gsg::AsRows(g2)};
  const auto pool = gsg::ThreadPool::Create(2);
  if (!pool.ok()) return 1;
  Backwards backwards;
  for (gsg::Executor* executor : {static_cast<gsg::Executor*>(&backwards),
                                  static_cast<gsg::Executor*>(pool->get())}) {
    gsg::LossOptions options;
    options.distance = *gsg::ParseDistance("cosine");
    options.executor = executor;
    const absl::StatusOr<gsg::LossResult> result =
        gsg::GuidedLoss(views, options, &grads);
    if (!result.ok()) return 1;
    std::printf("loss %.6f\n", result->loss);
  }

  const auto chosen = gsg::Select(gsg::AsRows(z1), gsg::AsRows(z2),
                                  views.pairing, gsg::LossOptions());
  std::printf("%d choices\n", static_cast<int>(chosen->size()));
  gsg::NearestOptions nearest;
  nearest.candidates = 2;
  const auto pairing =
      gsg::NearestPairing(gsg::AsRows(z1), gsg::AsRows(z2), nearest);
  std::printf("%d rows have a second image\n",
              static_cast<int>(pairing->size()));

  const gsg::Half half(0.5f);
  const gsg::Rows<const gsg::Half> halves(&half, 1, 1);
  std::printf(
      "16 bits: %s\n",
      gsg::GuidedLoss(gsg::FourViews<gsg::Half>{halves, halves, halves, halves,
                                                halves, halves, halves, halves},
                      {})
              .ok()
          ? "ok"
          : "error");
  std::printf("rank of one row %.1f\n",
              *gsg::EffectiveRank(gsg::AsRows(p1.topRows(1))));
  std::printf("%s\n", gsg::ParseSelection("best").status().ToString().c_str());
  return 0;
}
