// Threads that do not wait for each other.

#ifndef GSG_MODELS_THREADS_APART_H_
#define GSG_MODELS_THREADS_APART_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace gsg {

// Calls work(i) for 0..count-1 on LibTorch's threads, which share out the items
// and compute each alone: what would be parallel within `work` is not. So they
// wait for each other once, and not after each layer. `work` sees the caller's
// thread-local state of torch (gradients on or off, autocast). Throws what one
// of them throws.
void ForEachApart(int64_t count, const std::function<void(int64_t)>& work);

// Does this thread do the work of a ForEachApart?
bool IsApart();

// For what each item changes and the others change, too, as running statistics:
// within ForEachApart called when all are done, item after item, and not at all
// if one has thrown; elsewhere called at once.
void InOrder(std::function<void()> change);

// Tensors of these sizes dealt to LibTorch's threads.
struct Shares {
  // Those that are too large for one thread's share: all threads had better
  // work on one after the other.
  std::vector<size_t> large;
  // The others, about as much for each thread.
  std::vector<std::vector<size_t>> of_thread;
};
Shares Deal(const std::vector<int64_t>& sizes);

// Calls work(items) for the large ones of Deal(sizes), then on each thread,
// apart (ForEachApart), for those that it was dealt.
void ForEachShare(
    const std::vector<int64_t>& sizes,
    const std::function<void(const std::vector<size_t>& items)>& work);

}  // namespace gsg

#endif  // GSG_MODELS_THREADS_APART_H_
