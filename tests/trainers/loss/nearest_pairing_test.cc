#include "trainers/loss/nearest_pairing.h"

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cdist.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/randn.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gsg_core/nearest_pairing.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

constexpr int64_t kN = 9, kD = 5;

std::vector<at::Tensor> Random(int count, at::ScalarType type) {
  std::vector<at::Tensor> tensors;
  for (int i = 0; i < count; ++i) tensors.push_back(at::randn({kN, kD}, type));
  return tensors;
}

NearestOptions AllOthers() {
  NearestOptions options;
  options.candidates = kN - 1;
  return options;
}

TEST(NearestPairingTest, IsTheNearestOfAllOthers) {
  at::manual_seed(1);
  for (at::ScalarType type : {at::kFloat, at::kDouble, at::kBFloat16}) {
    for (int count : {2, 4}) {
      std::vector<at::Tensor> z = Random(count, type);
      const std::vector<at::Tensor> given = z;
      for (at::Tensor& t : z) t = t.to(at::kDouble);
      const at::Tensor& second = z[count - 2];
      const at::Tensor& fourth = z[count - 1];
      const at::Tensor between = at::minimum(
          at::minimum(at::cdist(z[0], second), at::cdist(z[0], fourth)),
          at::minimum(at::cdist(z[1], second), at::cdist(z[1], fourth)));
      between.fill_diagonal_(std::numeric_limits<double>::infinity());
      const at::Tensor want = between.argmin(1);
      const auto got = NearestPairing(given, AllOthers());
      ASSERT_TRUE(got.ok()) << got.status();
      for (int64_t i = 0; i < kN; ++i) {
        EXPECT_EQ((*got)[i], want[i].item<int64_t>()) << i;
      }
    }
  }
}

TEST(NearestPairingTest, Messages) {
  const auto message = [](const std::vector<at::Tensor>& z) {
    const absl::Status status = NearestPairing(z, AllOthers()).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  std::vector<at::Tensor> z = Random(2, at::kFloat);
  EXPECT_EQ(message(Random(3, at::kFloat)),
            "got 3 projections; need 2 for shared views or 4 for four views");
  EXPECT_EQ(message({z[0], z[1].to(at::kDouble)}),
            "a projection is Double; all must be one of Float, Double, Half, "
            "BFloat16");
  EXPECT_EQ(message({z[0], z[1].view({kN, kD, 1})}),
            "a tensor has 3 dimensions; it must be [N, D]");
}

}  // namespace
}  // namespace gsg
