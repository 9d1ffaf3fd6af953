#include "trainers/base/memory.h"

#include <cerrno>
#include <new>
#include <stdexcept>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(MemoryErrorTest, IsNoFullDisk) {
  const absl::Status status = MemoryError("while a batch was made");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(status.message(), "memory ran out while a batch was made");
  EXPECT_TRUE(MemoryRanOut(status));
  EXPECT_TRUE(MemoryRanOut(MemoryError()));
  EXPECT_FALSE(MemoryRanOut(absl::OkStatus()));
  const absl::Status disk = absl::ErrnoToStatus(ENOSPC, "cannot write a");
  ASSERT_EQ(disk.code(), status.code());
  EXPECT_FALSE(MemoryRanOut(disk));
}

TEST(OrMemoryErrorTest, CatchesWhatMeansThat) {
  EXPECT_TRUE(OrMemoryError([] { return absl::OkStatus(); }).ok());
  EXPECT_TRUE(
      absl::IsNotFound(OrMemoryError([] { return absl::NotFoundError("a"); })));
  const absl::Status status =
      OrMemoryError([]() -> absl::Status { throw std::bad_alloc(); }, "there");
  EXPECT_EQ(status.message(), "memory ran out there");
  EXPECT_TRUE(MemoryRanOut(status));
  // c10/core/impl/alloc_cpu.cpp, c10/cuda/CUDACachingAllocator.cpp, and seen of
  // oneDNN under ulimit -v.
  for (const char* words :
       {"DefaultCPUAllocator: can't allocate memory: you tried to allocate 8",
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "could not create a primitive"}) {
    EXPECT_TRUE(MemoryRanOut(OrMemoryError(
        [&]() -> absl::Status { throw std::runtime_error(words); })));
  }
  EXPECT_THROW(OrMemoryError([]() -> absl::Status {
                 throw std::runtime_error("sizes do not match");
               }).IgnoreError(),
               std::runtime_error);
}

}  // namespace
}  // namespace gsg
