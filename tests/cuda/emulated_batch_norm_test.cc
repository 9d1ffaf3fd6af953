// The kernels of batch normalization on a host, block by block, against their
// definition; and the errors of arguments.
#include "tests/cuda/emulated_batch_norm.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cuda/batch_norm.h"
#include "cuda/internal/batch_norm_args.h"
#include "cuda/internal/batch_norm_plan.h"
#include "gsg_core/half.h"
#include "gtest/gtest.h"
#include "tests/cuda/batch_norm_checks.h"

namespace gsg::cuda {
namespace {

using internal::EmulatedBatchNorm;

// Memory on a multiple of 16 bytes that cannot be written past unseen.
std::vector<double> Workspace(const BatchNormShape& shape) {
  return std::vector<double>((BatchNormWorkspaceBytes(shape) + 7) / 8,
                             std::numeric_limits<double>::quiet_NaN());
}

constexpr auto kInPlace = [](auto& array) { return array.data(); };

template <typename T>
void BothWays(const NormCase& c, NormData<T>& data) {
  std::vector<double> work = Workspace(c.shape);
  absl::Status status = EmulatedBatchNorm(
      c.shape, ForwardOf(c, data, work.data(), kInPlace), nullptr);
  ASSERT_TRUE(status.ok()) << status;
  work = Workspace(c.shape);
  status = EmulatedBatchNorm(
      c.shape, BackwardOf(c, data, work.data(), kInPlace), nullptr);
  ASSERT_TRUE(status.ok()) << status;
}

template <typename T>
class EmulatedBatchNormTest : public testing::Test {};
using Types = testing::Types<float, Half, BFloat16>;
TYPED_TEST_SUITE(EmulatedBatchNormTest, Types);

TYPED_TEST(EmulatedBatchNormTest, IsItsDefinition) {
  for (const NormCase& c : kNormCases) {
    SCOPED_TRACE(c.name);
    auto data = MakeNormData<TypeParam>(c);
    BothWays(c, data);
    CheckNorm(c, data);
  }
}

TYPED_TEST(EmulatedBatchNormTest, AsFewChannelsAsThereMayBe) {
  const NormCase c = {
      "", {2, 7, BatchNormChannels<TypeParam>()}, true, false, true};
  auto data = MakeNormData<TypeParam>(c);
  BothWays(c, data);
  CheckNorm(c, data);
}

TYPED_TEST(EmulatedBatchNormTest, NanIsNotHidden) {
  const NormCase c = {"", {1, 40, 16}, true, false, true};
  auto data = MakeNormData<TypeParam>(c);
  data.x[5 * 16 + 3] = TypeParam(std::numeric_limits<float>::quiet_NaN());
  BothWays(c, data);
  for (int r = 0; r < 40; ++r) {
    EXPECT_NE(data.y[r * 16 + 3], data.y[r * 16 + 3]);
    EXPECT_NE(data.dx[r * 16 + 3], data.dx[r * 16 + 3]);
    EXPECT_EQ(data.y[r * 16 + 4], data.y[r * 16 + 4]);
  }
}

// No way back, and nothing to keep.
TEST(BatchNormTest, WithoutMaskAndRunningStatistics) {
  const NormCase c = {"", {2, 40, 16}, true, true, true};
  auto want = MakeNormData<float>(c), got = want;
  BothWays(c, want);
  std::vector<double> work = Workspace(c.shape);
  BatchNormForward<float> f = ForwardOf(c, got, work.data(), kInPlace);
  f.positive = nullptr;
  f.running_mean = f.running_var = nullptr;
  ASSERT_TRUE(EmulatedBatchNorm(c.shape, f, nullptr).ok());
  EXPECT_EQ(got.y, want.y);
  EXPECT_EQ(got.running_mean, std::vector<float>(16, 0));
}

// Blocks cover each value once, whatever the shape.
TEST(BatchNormTest, GridCoversTheShape) {
  for (const BatchNormShape& shape :
       {BatchNormShape{1, 2, 8}, BatchNormShape{4, 512, 2048},
        BatchNormShape{2, 524288, 64}, BatchNormShape{2, 8192, 512},
        BatchNormShape{1, 1 << 28, 8}}) {
    for (int width : {4, 8}) {
      const internal::NormGrid grid = internal::GridOf(shape, width);
      EXPECT_GE(grid.parts * grid.part, shape.rows);
      EXPECT_LT((grid.parts - 1) * grid.part, shape.rows);
      EXPECT_GE(grid.tiles * grid.across * width, shape.channels);
      EXPECT_LT((grid.tiles - 1) * grid.across * width, shape.channels);
      EXPECT_LE(grid.across * grid.down, internal::kNormThreads);
      // Sums of float: what a thread adds up.
      EXPECT_LE(grid.part / grid.down, 512);
    }
  }
}

struct Wrong {
  const char* what;
  BatchNormShape shape;
  void (*change)(BatchNormForward<BFloat16>&);
  const char* says;
};

TEST(BatchNormTest, ForwardSaysWhatIsWrong) {
  using F = BatchNormForward<BFloat16>;
  constexpr auto kNothing = [](F&) {};
  const Wrong cases[] = {
      {"rows", {1, 1, 16}, kNothing, "1 views of 1 rows"},
      {"views", {0, 4, 16}, kNothing, "0 views"},
      {"channels",
       {1, 4, 12},
       kNothing,
       "channels is 12; it must be a multiple of 8"},
      {"size", {1, int64_t{1} << 50, 16}, kNothing, "not supported"},
      {"x", {1, 4, 16}, [](F& f) { f.x = nullptr; }, "x is null"},
      {"mean", {1, 4, 16}, [](F& f) { f.mean = nullptr; }, "mean is null"},
      {"workspace",
       {1, 4, 16},
       [](F& f) { f.workspace = nullptr; },
       "workspace is null"},
      {"running",
       {1, 4, 16},
       [](F& f) { f.running_var = nullptr; },
       "both or neither"},
      {"alignment",
       {1, 4, 16},
       [](F& f) { ++f.y; },
       "y must be on a multiple of 16 bytes"},
      {"eps", {1, 4, 16}, [](F& f) { f.eps = 0; }, "eps is 0"},
  };
  for (const Wrong& wrong : cases) {
    SCOPED_TRACE(wrong.what);
    const NormCase c = {"", {1, 4, 16}};
    auto data = MakeNormData<BFloat16>(c);
    std::vector<double> work(1024);
    F f = ForwardOf(c, data, work.data(), kInPlace);
    wrong.change(f);
    const absl::Status status = EmulatedBatchNorm(wrong.shape, f, nullptr);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(status.message().find(wrong.says), std::string::npos) << status;
  }
}

TEST(BatchNormTest, BackwardSaysWhatIsWrong) {
  const NormCase c = {"", {1, 4, 16}, true, true};
  auto data = MakeNormData<float>(c);
  std::vector<double> work(1024);
  BatchNormBackward<float> b = BackwardOf(c, data, work.data(), kInPlace);
  b.dx = nullptr;
  EXPECT_EQ(EmulatedBatchNorm(c.shape, b, nullptr).message(),
            "dx is null; it must be given");
  b = BackwardOf(c, data, work.data(), kInPlace);
  ++b.dresidual;
  EXPECT_EQ(EmulatedBatchNorm(c.shape, b, nullptr).message(),
            "dresidual must be on a multiple of 16 bytes");
}

}  // namespace
}  // namespace gsg::cuda
