// What is decided before a launch of the loss: errors, sizes, kernels.
#include "cuda/internal/loss_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "cuda/guided_loss.h"
#include "cuda/internal/loss_args.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/rows.h"
#include "gtest/gtest.h"

namespace gsg::cuda::internal {
namespace {

// Matrices that nothing looks into, each at an address of its own.
template <typename T>
class FakeBatch {
 public:
  FakeBatch(int64_t n, int64_t d, int64_t stride = 0, size_t offset = 0)
      : n_(n), d_(d), stride_(stride > 0 ? stride : d), offset_(offset) {
    outputs.faults = reinterpret_cast<uint32_t*>(uintptr_t{1} << 60);
    outputs.workspace = reinterpret_cast<void*>(uintptr_t{1} << 59);
    const auto* indices = reinterpret_cast<int64_t*>(uintptr_t{1} << 58);
    views = {In(0), In(1), In(2), In(3)};
    views.pairing.pairing = indices;
    views.pairing.inverse = indices;
    grads.p1 = Out(4);
    grads.p2 = Out(5);
  }

  Rows<const T> In(int k) const { return Out(k); }
  Rows<T> Out(int k) const {
    return Rows<T>(
        reinterpret_cast<T*>((uintptr_t{1} << 40) * (k + 1)) + offset_, n_, d_,
        stride_);
  }

  std::string Error() const {
    return std::string(
        PlanLoss(views, options, &grads, outputs).status().message());
  }
  SharedViewArgs<T> Plan() const {
    const auto args = PlanLoss(views, options, &grads, outputs);
    EXPECT_TRUE(args.ok()) << args.status();
    return *args;
  }

  SharedViews<T> views;
  SharedGrads<T> grads;
  LossOptions options;
  LossOutputs outputs;

 private:
  int64_t n_, d_, stride_;
  size_t offset_;
};

TEST(LossPlanTest, NamesTheArgument) {
  FakeBatch<float> good(8, 4);
  EXPECT_EQ(good.Error(), "");
  FakeBatch<float> batch = good;
  batch.views.z2 = Rows<const float>(batch.views.z2.data(), 8, 3);
  EXPECT_EQ(batch.Error(),
            "z2 is 8 x 3; p1 is 8 x 4; their shapes must be equal");
  batch = good;
  batch.grads.p2 = batch.Out(3);
  EXPECT_EQ(batch.Error(),
            "grads.p2 overlaps z2; gradients need memory of their own");
  batch = good;
  batch.options.temperature = 0;
  EXPECT_EQ(batch.Error(), "temperature is 0; it must be finite and above 0");
  batch = good;
  batch.outputs.faults = nullptr;
  EXPECT_EQ(batch.Error(), "outputs.faults is null; it must be given");
  batch = good;
  batch.outputs.workspace = nullptr;
  EXPECT_EQ(batch.Error(),
            "outputs.workspace is null; it must have LossWorkspaceBytes(N)");
  batch = good;
  batch.outputs.workspace = reinterpret_cast<void*>(uintptr_t{12});
  EXPECT_EQ(batch.Error(),
            "outputs.workspace must lie on a multiple of 8 bytes");
  batch = good;
  batch.views.pairing.inverse = nullptr;
  EXPECT_EQ(batch.Error(), "pairing.inverse is null; shared views need both");
  batch = good;
  const std::vector<Rows<const float>> locals(kMaxLocalViews + 1, batch.In(6));
  batch.views.local_p = locals;
  EXPECT_EQ(batch.Error(), "local_p has 17 matrices; there may be up to 16");
  batch.views.local_p = absl::MakeSpan(locals).first(2);
  EXPECT_EQ(batch.Error(),
            "grads.local_p has 0 matrices; local_p has 2, and each needs one");
}

TEST(LossPlanTest, RefusesWhatItsIntegersDoNotHold) {
  EXPECT_EQ((FakeBatch<float>(1, (int64_t{1} << 30) + 1).Error()),
            "p1 is 1 x 1073741825; neither may be above 1073741824");
}

// Of a workspace for up to m rows, each of fewer has enough.
TEST(LossPlanTest, WorkspacesAreLargeEnough) {
  size_t most = 0;
  for (int64_t n = 1; n < 70000; n = n < 5000 ? n + 1 : n + 97) {
    const SharedViewArgs<float> args = FakeBatch<float>(n, 4).Plan();
    const size_t bytes = sizeof(Ticket) + args.blocks * sizeof(BlockTotal);
    EXPECT_LE(args.rows_per_block, kMaxRowsPerBlock);
    EXPECT_GE(int64_t{args.blocks} * args.rows_per_block, n);
    EXPECT_LT(int64_t{args.blocks - 1} * args.rows_per_block, n);
    most = std::max(most, bytes);
    ASSERT_GE(LossWorkspaceBytes(n), most) << n;
  }
}

TEST(LossPlanTest, TakesTheKernelThatFits) {
  const auto shape = [](const auto& batch) { return ShapeOf(batch.Plan()); };
  EXPECT_EQ(shape(FakeBatch<float>(4, 2048)).access, Access::kRegisters);
  EXPECT_EQ(shape(FakeBatch<float>(4, 2048)).threads, 256);
  EXPECT_EQ(shape(FakeBatch<Half>(4, 2048)).access, Access::kRegisters);
  EXPECT_EQ(shape(FakeBatch<Half>(4, 2048)).threads, 256);
  EXPECT_EQ(shape(FakeBatch<float>(4, 4096)).access, Access::kRegisters);
  EXPECT_EQ(shape(FakeBatch<float>(4, 4100)).access, Access::kVectors);
  EXPECT_EQ(shape(FakeBatch<float>(4, 4)).threads, 32);
  // A row length, a stride and an address that are no multiple of 16 bytes.
  EXPECT_EQ(shape(FakeBatch<float>(4, 2047)).access, Access::kElements);
  EXPECT_EQ(shape(FakeBatch<Half>(4, 2044)).access, Access::kElements);
  EXPECT_EQ(shape(FakeBatch<float>(4, 2048, 2049)).access, Access::kElements);
  EXPECT_EQ(shape(FakeBatch<float>(4, 2048, 2048, 1)).access,
            Access::kElements);
}

TEST(LossPlanTest, LargeGradientsGoAroundTheCache) {
  EXPECT_FALSE(FakeBatch<float>(512, 2048).Plan().streaming);
  EXPECT_TRUE(FakeBatch<float>(32768, 2048).Plan().streaming);
}

}  // namespace
}  // namespace gsg::cuda::internal
