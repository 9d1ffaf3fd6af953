#include "trainers/base/wait_policy.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "trainers/base/cpus.h"

// What libgomp has behind "#pragma omp parallel". Null in a program that is
// linked without it.
extern "C" __attribute__((weak)) void GOMP_parallel(void (*function)(void*),
                                                    void* data,
                                                    unsigned threads,
                                                    unsigned flags);

namespace gsg {
namespace {

constexpr absl::Duration kInterval = absl::Milliseconds(500);
// Of each second, how much of it threads wait for a core, all of them together.
// On two cores the loader's thread beside OpenMP's two made it 0.2 to 0.4, one
// busy process of somebody else 0.6 and more (docs/performance.md).
constexpr double kCrowded = 0.5;

struct Look {
  absl::Time at;
  // How long the threads of this process have waited for a core; none if the
  // system does not say.
  std::optional<absl::Duration> waited;
};

Look LookAtThreads() {
  Look look = {absl::Now(), std::nullopt};
  std::error_code error;
  for (std::filesystem::directory_iterator task("/proc/self/task", error), end;
       !error && task != end; task.increment(error)) {
    // "137277 1484865 2": nanoseconds run, nanoseconds waited, time slices. A
    // thread may have ended since.
    double run = 0, waited = 0;
    if (std::ifstream(task->path() / "schedstat") >> run >> waited) {
      look.waited = look.waited.value_or(absl::ZeroDuration()) +
                    absl::Nanoseconds(waited);
    }
  }
  return look;
}

bool Crowded(const Look& before, const Look& after) {
  return !before.waited || !after.waited ||
         *after.waited - *before.waited > kCrowded * (after.at - before.at);
}

// While it lives, libgomp has more threads than there are cores: beside the
// `threads` that compute a team, which sleeps, of a thread that waits here.
class Crowd {
 public:
  explicit Crowd(int threads)
      : leader_([this, threads] {
          // libgomp does not count the leader.
          const int others = std::max(1, ScheduledCpus() - threads + 1);
          GOMP_parallel([](void*) {}, nullptr, others + 1, /*flags=*/0);
          end_.WaitForNotification();
        }) {}
  ~Crowd() {
    end_.Notify();
    leader_.join();
  }

 private:
  absl::Notification end_;
  std::thread leader_;
};

}  // namespace

WaitPolicy::WaitPolicy(int threads) {
  if (std::getenv("OMP_WAIT_POLICY") != nullptr ||
      std::getenv("GOMP_SPINCOUNT") != nullptr || GOMP_parallel == nullptr) {
    return;
  }
  watch_ = std::thread([this, threads] { Watch(threads); });
}

WaitPolicy::~WaitPolicy() {
  end_.Notify();
  if (watch_.joinable()) watch_.join();
}

void WaitPolicy::Watch(int threads) {
  std::optional<Crowd> crowd;
  Look before = LookAtThreads();
  while (!end_.WaitForNotificationWithTimeout(kInterval)) {
    const Look now = LookAtThreads();
    if (!Crowded(before, now)) {
      crowd.reset();
    } else if (!crowd) {
      crowd.emplace(threads);
    }
    patient_ = crowd.has_value();
    before = now;
  }
}

}  // namespace gsg
