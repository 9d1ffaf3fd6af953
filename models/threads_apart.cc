#include "models/threads_apart.h"

#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/ThreadLocalState.h"

#ifndef INTRA_OP_PARALLEL
#error at::parallel_for is a loop on one thread: see openmp in bazel/cc.bzl
#endif

namespace gsg {
namespace {

using Changes = std::vector<std::function<void()>>;

// Of the item that this thread works on; null: on none.
thread_local Changes* changes_of_item = nullptr;

class ChangesScope {
 public:
  explicit ChangesScope(Changes* changes)
      : outer_(std::exchange(changes_of_item, changes)) {}
  ~ChangesScope() { changes_of_item = outer_; }
  ChangesScope(const ChangesScope&) = delete;
  ChangesScope& operator=(const ChangesScope&) = delete;

 private:
  Changes* const outer_;
};

// Says that this thread computes alone. Without it oneDNN plans for all
// threads, whose parts then wait for each other within one.
class OneThread {
 public:
  OneThread() : threads_(at::get_num_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(threads_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const int threads_;
};

}  // namespace

void ForEachApart(int64_t count, const std::function<void(int64_t)>& work) {
  std::vector<Changes> changes(static_cast<size_t>(count));
  const at::ThreadLocalState state;
  at::parallel_for(0, count, 1, [&](int64_t item, int64_t end) {
    const at::ThreadLocalStateGuard guard(state);
    const OneThread alone;
    for (; item < end; ++item) {
      const ChangesScope scope(&changes[item]);
      work(item);
    }
  });
  for (Changes& of_item : changes) {
    for (std::function<void()>& change : of_item) InOrder(std::move(change));
  }
}

bool IsApart() { return changes_of_item != nullptr; }

void InOrder(std::function<void()> change) {
  if (changes_of_item == nullptr) {
    change();
  } else {
    changes_of_item->push_back(std::move(change));
  }
}

Shares Deal(const std::vector<int64_t>& sizes) {
  const int64_t threads = at::get_num_threads();
  std::vector<size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sizes[a] > sizes[b]; });
  Shares shares;
  for (auto rest = order.begin();; ++rest) {
    // From the largest on, each to the thread that has the least.
    shares.of_thread.assign(threads, {});
    std::vector<int64_t> dealt(threads);
    for (auto item = rest; item != order.end(); ++item) {
      const size_t least =
          std::min_element(dealt.begin(), dealt.end()) - dealt.begin();
      shares.of_thread[least].push_back(*item);
      dealt[least] += sizes[*item];
    }
    // A tenth more than its share is what a thread may have.
    const int64_t sum = std::accumulate(dealt.begin(), dealt.end(), int64_t{0});
    const int64_t most = *std::max_element(dealt.begin(), dealt.end());
    if (10 * threads * most <= 11 * sum) return shares;
    shares.large.push_back(*rest);
  }
}

void ForEachShare(
    const std::vector<int64_t>& sizes,
    const std::function<void(const std::vector<size_t>& items)>& work) {
  const Shares shares = Deal(sizes);
  work(shares.large);
  ForEachApart(static_cast<int64_t>(shares.of_thread.size()),
               [&](int64_t thread) { work(shares.of_thread[thread]); });
}

}  // namespace gsg
