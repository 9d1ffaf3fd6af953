#include "trainers/base/side_by_side.h"

#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "trainers/base/memory.h"

namespace gsg {

absl::Status SideBySide(size_t count,
                        absl::FunctionRef<absl::Status(size_t)> work) {
  std::vector<absl::Status> status(count);
  const auto call = [&](size_t number) {
    status[number] = OrMemoryError([&] { return work(number); });
  };
  std::vector<std::thread> threads;
  threads.reserve(count);
  try {
    while (threads.size() + 1 < count) {
      threads.emplace_back(call, threads.size() + 1);
    }
  } catch (const std::system_error&) {
    // Those that there are will do.
  }
  if (count > 0) call(0);
  for (size_t number = threads.size() + 1; number < count; ++number) {
    call(number);
  }
  for (std::thread& thread : threads) thread.join();
  absl::Status first;
  for (const absl::Status& one : status) first.Update(one);
  return first;
}

}  // namespace gsg
