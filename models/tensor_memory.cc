#include "models/tensor_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "c10/core/Allocator.h"
#include "c10/core/CPUAllocator.h"
#include "c10/core/Device.h"
#include "c10/core/DeviceType.h"

namespace gsg {
namespace {

constexpr size_t kSmall = size_t{64} << 10;  // malloc's business
constexpr size_t kPage = 4096;
constexpr size_t kLargePage = size_t{2} << 20;

// To a multiple of an eighth of the power of two below.
size_t RoundedUp(size_t bytes) {
  size_t step = kSmall / 8;
  while (16 * step <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

struct Block {
  char* start;
  size_t mapped;  // from there on
  size_t bytes;   // what a tensor may have, RoundedUp
};

class KeepingAllocator final : public c10::Allocator {
 public:
  explicit KeepingAllocator(c10::Allocator* usual) : usual_(*usual) {}

  c10::DataPtr allocate(size_t bytes) override {
    void* data = bytes < kSmall ? nullptr : Take(RoundedUp(bytes));
    // The usual one says what is wrong if there is no memory.
    if (data == nullptr) data = usual_.raw_allocate(bytes);
    return {data, data, &Free, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &Free; }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }

  static KeepingAllocator* instance;

 private:
  static void Free(void* data) { instance->Return(data); }

  // Null if there is no memory, and from then on.
  void* Take(size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!keeps_) return nullptr;
    const size_t in_use = in_use_ + bytes;
    const size_t most = std::max(most_in_use_, in_use);
    std::vector<void*>& free = free_[bytes];
    void* data;
    if (!free.empty()) {
      data = free.back();
      free.pop_back();
    } else {
      Release(/*until=*/2 * most - bytes);
      data = Map(bytes);
      if (data == nullptr) {
        // From now on nothing is kept: what handles the error needs memory,
        // too.
        keeps_ = false;
        Release(/*until=*/0);
        data = Map(bytes);
      }
      if (data == nullptr) return nullptr;
    }
    in_use_ = in_use;
    most_in_use_ = most;
    return data;
  }

  void Return(void* data) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      const auto block = blocks_.find(data);
      if (block != blocks_.end()) {
        free_[block->second.bytes].push_back(data);
        in_use_ -= block->second.bytes;
        if (!keeps_) Release(/*until=*/in_use_);
        return;
      }
    }
    usual_.raw_deallocate(data);
  }

  // Gives back to the system what is free, the largest first, until no more
  // than that is mapped.
  void Release(size_t until) {
    for (auto size = free_.rbegin(); size != free_.rend(); ++size) {
      for (std::vector<void*>& free = size->second; !free.empty();) {
        if (mapped_ <= until) return;
        const auto block = blocks_.find(free.back());
        munmap(block->second.start, block->second.mapped);
        mapped_ -= block->second.bytes;
        blocks_.erase(block);
        free.pop_back();
      }
    }
  }

  // Null if there is no memory.
  void* Map(size_t bytes) {
    const bool large = bytes >= kLargePage;
    const size_t align = large ? kLargePage : kPage;
    const size_t needed = (bytes + 2 * kPage - 1) / kPage * kPage;
    const size_t asked = needed + (large ? align : 0);
    void* const mapped = mmap(nullptr, asked, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    char* start = static_cast<char*>(mapped);
    const size_t before =
        (align - reinterpret_cast<uintptr_t>(start) % align) % align;
    if (large) {
      if (before > 0) munmap(start, before);
      start += before;
      if (asked > before + needed) {
        munmap(start + needed, asked - before - needed);
      }
      madvise(start, needed, MADV_HUGEPAGE);
    }
    // Tensors that begin at the same place of a page would meet in the same
    // sets of the cache.
    color_ = (color_ + 5 * 64) % kPage;
    void* const data = start + color_;
    blocks_[data] = {start, needed, bytes};
    mapped_ += bytes;
    return data;
  }

  c10::Allocator& usual_;
  std::mutex mutex_;
  std::unordered_map<void*, Block> blocks_;    // all that are mapped
  std::map<size_t, std::vector<void*>> free_;  // by size
  // Of the sizes of blocks.
  size_t mapped_ = 0, in_use_ = 0, most_in_use_ = 0;
  size_t color_ = 0;
  bool keeps_ = true;  // until memory runs out
};

KeepingAllocator* KeepingAllocator::instance = nullptr;

}  // namespace

void KeepTensorMemory() {
  if (KeepingAllocator::instance != nullptr) return;
  KeepingAllocator::instance = new KeepingAllocator(c10::GetCPUAllocator());
  c10::SetCPUAllocator(KeepingAllocator::instance, /*priority=*/100);
}

}  // namespace gsg
