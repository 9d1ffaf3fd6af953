#ifndef GSG_TESTS_CUDA_HOST_BLOCK_H_
#define GSG_TESTS_CUDA_HOST_BLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gsg::cuda::internal {

// DeviceBlock of cuda/internal/device_block.h on a host: each step of a kernel
// is done for one thread after the other, and sums are added in the same order.
class HostBlock {
 public:
  template <typename V>
  class PerThread {
   public:
    explicit PerThread(HostBlock& block) : values_(block.threads()) {}
    V& operator[](int thread) { return values_[thread]; }

   private:
    std::vector<V> values_;
  };

  // threads: a multiple of 32.
  HostBlock(int index, int threads) : index_(index), threads_(threads) {}

  int index() const { return index_; }
  int threads() const { return threads_; }

  template <typename F>
  void Each(F&& f) {
    for (int t = 0; t < threads_; ++t) f(t);
  }

  void Meet() {}

  template <typename F>
  void One(F&& f) {
    f();
  }

  template <typename Real, int kFirst, int kSums, typename Add>
  void Sum(Add&& add) {
    using Lanes = std::array<std::array<Real, kSums>, 32>;
    for (int k = 0; k < kSums; ++k) totals_[kFirst + k] = 0;
    for (int warp = 0; warp < threads_ / 32; ++warp) {
      Lanes lanes = {};
      for (int lane = 0; lane < 32; ++lane) {
        Real sums[kSums] = {};
        add(32 * warp + lane, sums);
        for (int k = 0; k < kSums; ++k) lanes[lane][k] = sums[k];
      }
      for (int distance = 16; distance > 0; distance /= 2) {
        for (int lane = 0; lane < distance; ++lane) {
          for (int k = 0; k < kSums; ++k) {
            lanes[lane][k] += lanes[lane + distance][k];
          }
        }
      }
      for (int k = 0; k < kSums; ++k) totals_[kFirst + k] += lanes[0][k];
    }
  }

  template <typename F>
  void Decide(int /*count*/, F&& decide) {
    const std::array<double, kMaxSums> totals = totals_;
    decide(totals.data());
  }

  template <typename F>
  static void Lanes(int count, F&& f) {
    for (int k = 0; k < count; ++k) f(k);
  }

  template <typename Real, int kSums, typename Add, typename Take>
  void Reduce(Add&& add, Take&& take) {
    Sum<Real, 0, kSums>(add);
    Decide(kSums, take);
  }

  template <typename F>
  bool Last(uint32_t* ticket, uint32_t blocks, F&& write) {
    write();
    if (++*ticket != blocks) return false;
    *ticket = 0;
    return true;
  }

  static double Fresh(const double* from) { return *from; }

 private:
  static constexpr int kMaxSums = 24;

  int index_;
  int threads_;
  std::array<double, kMaxSums> totals_ = {};
};

}  // namespace gsg::cuda::internal

#endif  // GSG_TESTS_CUDA_HOST_BLOCK_H_
