#include <cuda_runtime_api.h>

#include <vector>

#include "gtest/gtest.h"
#include "tests/cuda/add_one.h"

namespace gsg {
namespace {

TEST(ToolchainTest, CompilesForTheRuntimeItIsLinkedTo) {
  int version = 0;
  ASSERT_EQ(cudaRuntimeGetVersion(&version), cudaSuccess);
  EXPECT_EQ(version / 1000, CUDART_VERSION / 1000);
}

TEST(ToolchainTest, KernelRunsOnTheGpu) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    GTEST_SKIP() << "needs a GPU";
  }
  // One value beyond a block, so that the last block is partly empty.
  std::vector<float> values(129, 1.5f);
  const size_t bytes = values.size() * sizeof(float);
  void* device = nullptr;
  ASSERT_EQ(cudaMalloc(&device, bytes), cudaSuccess);
  ASSERT_EQ(cudaMemcpy(device, values.data(), bytes, cudaMemcpyDefault),
            cudaSuccess);
  ASSERT_EQ(AddOne(static_cast<float*>(device), values.size(), nullptr),
            cudaSuccess);
  ASSERT_EQ(cudaMemcpy(values.data(), device, bytes, cudaMemcpyDefault),
            cudaSuccess);
  EXPECT_EQ(values, std::vector<float>(129, 2.5f));
  EXPECT_EQ(cudaFree(device), cudaSuccess);
}

}  // namespace
}  // namespace gsg
