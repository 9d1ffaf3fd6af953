#include "trainers/loss/device_loss.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <c10/core/Device.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "cuda/guided_loss.h"
#include "cuda/stream.h"
#include "gsg_core/half.h"
#include "gsg_core/loss.h"
#include "gsg_core/selection.h"
#include "gtest/gtest.h"
#include "trainers/loss/guided_loss.h"

namespace gsg {
namespace {

// Stand for the GPU's: gsg_core, on memory that happens to be the host's.
gsg::LossOptions Of(const cuda::LossOptions& given) {
  gsg::LossOptions options;
  options.seed = given.seed;
  options.temperature = given.temperature;
  options.margin = given.margin;
  options.distance = given.distance;
  options.selection = given.selection;
  options.grad_scale = given.grad_scale;
  options.seed = *given.device_seed;
  return options;
}

absl::Status Write(const absl::StatusOr<LossResult>& result,
                   const cuda::LossOutputs& outputs) {
  if (!result.ok()) return result.status();
  // As they are demanded: room for 13 bytes, zeros at first.
  const auto* bytes = static_cast<const char*>(outputs.workspace);
  if (reinterpret_cast<uintptr_t>(bytes) % 8 != 0 ||
      std::any_of(bytes, bytes + 13, [](char byte) { return byte != 0; }) ||
      *outputs.faults != 0) {
    return absl::InternalError("workspace");
  }
  *outputs.loss = result->loss;
  std::copy(result->pair_count.begin(), result->pair_count.end(),
            outputs.pair_count);
  return absl::OkStatus();
}

template <typename T>
absl::Status Four(const FourViews<T>& views, const cuda::LossOptions& options,
                  const FourViewGrads<T>* grads,
                  const cuda::LossOutputs& outputs, cuda::Stream) {
  return Write(gsg::GuidedLoss(views, Of(options), grads), outputs);
}

template <typename T>
absl::Status Shared(const cuda::SharedViews<T>& views,
                    const cuda::LossOptions& options,
                    const SharedGrads<T>* grads,
                    const cuda::LossOutputs& outputs, cuda::Stream) {
  const auto rows = static_cast<size_t>(views.p1.rows());
  // The inverse has to be there, too.
  for (size_t i = 0; i < rows; ++i) {
    if (views.pairing.pairing[views.pairing.inverse[i]] !=
        static_cast<int64_t>(i)) {
      return absl::InternalError("inverse");
    }
  }
  return Write(
      gsg::GuidedLoss(
          gsg::SharedViews<T>{views.p1, views.p2, views.z1, views.z2,
                              absl::MakeSpan(views.pairing.pairing, rows),
                              views.local_p},
          Of(options), grads),
      outputs);
}

size_t ThirteenBytes(int64_t) { return 13; }

template <typename T>
constexpr LossKernel<T> KernelOf() {
  return {&Four<T>, &Shared<T>, &ThirteenBytes};
}

constexpr LossKernels kHostKernels = {KernelOf<float>(), KernelOf<Half>(),
                                      KernelOf<BFloat16>()};

constexpr int64_t kN = 6, kD = 5;
const std::vector<int64_t> kPairing = {3, 0, 4, 5, 1, 2};

std::vector<at::Tensor> Random(int count, at::ScalarType type) {
  std::vector<at::Tensor> tensors;
  for (int i = 0; i < count; ++i) {
    // Transposed, so that rows are not contiguous.
    tensors.push_back(at::randn({kD, kN}).to(type).t());
  }
  return tensors;
}

class DeviceLossTest
    : public testing::TestWithParam<
          std::tuple<at::ScalarType, int /*predictions*/, int /*targets*/>> {};

// Kernels get what gsg_core would: rows, options, pairing, places for results.
TEST_P(DeviceLossTest, IsTheLossOfTheCpu) {
  const auto [type, predictions, targets] = GetParam();
  at::manual_seed(1);
  const std::vector<at::Tensor> p = Random(predictions, type);
  const std::vector<at::Tensor> z = Random(targets, type);
  LossOptions options;
  options.selection = Selection::kRandom;
  options.seed = 77;
  options.grad_scale = 3;
  absl::Span<const int64_t> pairing;
  if (targets == 2) pairing = kPairing;
  const absl::StatusOr<PairingTensors> tensors =
      MakePairingTensors(pairing, options.seed, c10::Device(c10::kCPU));
  ASSERT_TRUE(tensors.ok()) << tensors.status();
  const absl::StatusOr<TensorLoss> want = GuidedLoss(p, z, pairing, options);
  ASSERT_TRUE(want.ok()) << want.status();
  options.seed = 0;  // the tensor's counts
  absl::StatusOr<TensorLoss> got =
      DeviceLoss(kHostKernels, p, z, *tensors, options);
  ASSERT_TRUE(got.ok()) << got.status();
  ASSERT_EQ(got->on_device.numel(), 6);
  ASSERT_EQ(Read(&*got), absl::OkStatus());
  EXPECT_EQ(got->loss, want->loss);
  EXPECT_EQ(got->pair_count, want->pair_count);
  ASSERT_EQ(got->gradients.size(), p.size());
  for (size_t v = 0; v < p.size(); ++v) {
    EXPECT_TRUE(at::equal(got->gradients[v], want->gradients[v])) << v;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Types, DeviceLossTest,
    testing::Values(std::tuple(at::kFloat, 2, 2), std::tuple(at::kFloat, 4, 2),
                    std::tuple(at::kFloat, 4, 4), std::tuple(at::kHalf, 2, 2),
                    std::tuple(at::kBFloat16, 2, 2),
                    std::tuple(at::kBFloat16, 4, 4)),
    [](const testing::TestParamInfo<DeviceLossTest::ParamType>& info) {
      return absl::StrCat(at::toString(std::get<0>(info.param)),
                          std::get<1>(info.param), "of",
                          std::get<2>(info.param));
    });

TEST(KernelsTakeTest, NoDoubleAndSixteenLocalCrops) {
  EXPECT_FALSE(KernelsTake(Random(2, at::kDouble)));
  EXPECT_TRUE(KernelsTake(Random(2 + 16, at::kFloat)));
  EXPECT_FALSE(KernelsTake(Random(2 + 17, at::kFloat)));
}

// The kernels themselves, against the CPU.
TEST(GpuLossTest, IsTheLossOfTheCpu) {
  if (!at::hasCUDA() || Gpu() == nullptr) {
    GTEST_SKIP() << "needs a GPU and --config=cuda";
  }
  at::manual_seed(2);
  for (const int targets : {2, 4}) {
    const std::vector<at::Tensor> p = Random(targets, at::kFloat);
    const std::vector<at::Tensor> z = Random(targets, at::kFloat);
    std::vector<at::Tensor> gpu_p, gpu_z;
    for (const at::Tensor& t : p) gpu_p.push_back(t.cuda());
    for (const at::Tensor& t : z) gpu_z.push_back(t.cuda());
    absl::Span<const int64_t> pairing;
    if (targets == 2) pairing = kPairing;
    const absl::StatusOr<TensorLoss> want = GuidedLoss(p, z, pairing, {});
    absl::StatusOr<TensorLoss> got = GuidedLoss(gpu_p, gpu_z, pairing, {});
    ASSERT_TRUE(got.ok()) << got.status();
    ASSERT_TRUE(got->on_device.is_cuda());
    ASSERT_EQ(Read(&*got), absl::OkStatus());
    EXPECT_NEAR(got->loss, want->loss, 1e-6);
    EXPECT_EQ(got->pair_count, want->pair_count);
    for (size_t v = 0; v < p.size(); ++v) {
      const double error = got->gradients[v]
                               .cpu()
                               .sub(want->gradients[v])
                               .abs()
                               .max()
                               .item<double>();
      EXPECT_LT(error, 1e-6) << v;
    }
  }
}

}  // namespace
}  // namespace gsg
