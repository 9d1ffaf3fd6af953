#include "models/tensor_memory.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/ScalarType.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace gsg {
namespace {

constexpr int64_t kMegabyte = int64_t{1} << 20;

at::Tensor Bytes(int64_t count) { return at::empty({count}, c10::kByte); }

// Of this process, in bytes.
int64_t Mapped() {
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return 4096 * pages;
}

class TensorMemoryTest : public testing::Test {
 protected:
  void SetUp() override { KeepTensorMemory(); }
};

TEST_F(TensorMemoryTest, TheNextTensorOfItsSizeHasTheMemory) {
  for (const int64_t size : {kMegabyte / 10, kMegabyte, 5 * kMegabyte}) {
    SCOPED_TRACE(size);
    const at::Tensor other = Bytes(size);
    void* const data = Bytes(size).mutable_data_ptr();
    const at::Tensor again = Bytes(size - 100);
    EXPECT_EQ(again.mutable_data_ptr(), data);
    EXPECT_NE(Bytes(size).mutable_data_ptr(), data) << "it is in use";
  }
}

TEST_F(TensorMemoryTest, TensorsOfAllSizesAreTheirOwn) {
  std::vector<at::Tensor> tensors;
  for (int64_t size = 1; size < 20 * kMegabyte; size = size * 3 / 2 + 1) {
    tensors.push_back(at::full({size}, static_cast<int64_t>(tensors.size()),
                               at::TensorOptions(c10::kByte)));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensors.back().const_data_ptr()) % 64,
              0);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_TRUE(tensors[i].eq(static_cast<int64_t>(i)).all().item<bool>()) << i;
  }
}

// In the same sets of the cache they would drive each other out.
TEST_F(TensorMemoryTest, TensorsBeginAtDifferentPlacesOfAPage) {
  std::vector<at::Tensor> tensors;
  std::set<uintptr_t> places;
  for (int i = 0; i < 16; ++i) {
    tensors.push_back(Bytes(3 * kMegabyte + i));
    places.insert(reinterpret_cast<uintptr_t>(tensors.back().const_data_ptr()) %
                  4096);
  }
  EXPECT_EQ(places.size(), 16);
}

TEST_F(TensorMemoryTest, WhatIsKeptIsNoMoreThanWasNeeded) {
  const int64_t before = Mapped();
  // Another size each time: nothing fits.
  for (int64_t size = 20 * kMegabyte; size < 400 * kMegabyte;
       size += size / 7) {
    const at::Tensor tensor = Bytes(size);
    EXPECT_LT(Mapped() - before, 2 * (size + size / 7) + 30 * kMegabyte)
        << size;
  }
}

TEST_F(TensorMemoryTest, MemoryOfOneThreadServesAnother) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) {
        const int64_t size = kMegabyte / 8 * (1 + (i * 7 + t) % 5);
        const at::Tensor tensor =
            at::full({size}, t, at::TensorOptions(c10::kByte));
        ASSERT_TRUE(tensor.eq(t).all().item<bool>());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(TensorMemoryTest, AsBytesOfTheAllocator) {
  c10::Allocator& allocator = *c10::GetCPUAllocator();
  for (const size_t size : {100, 3000000}) {
    void* const data = allocator.raw_allocate(size);
    std::memset(data, 1, size);
    allocator.raw_deallocate(data);
  }
}

// The last test: from then on nothing is kept.
TEST_F(TensorMemoryTest, TooMuchIsLibTorchsErrorAndAllIsReturned) {
  at::Tensor large = Bytes(100 * kMegabyte);
  const int64_t before = Mapped();
  try {
    Bytes(int64_t{1} << 46);
    FAIL() << "64 TiB";
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.what()).find("allocate memory"),
              std::string::npos)
        << error.what();
  }
  large.reset();
  EXPECT_LT(Mapped(), before - 90 * kMegabyte);
  EXPECT_EQ(Bytes(kMegabyte).fill_(1).sum().item<int64_t>(), kMegabyte);
}

}  // namespace
}  // namespace gsg
