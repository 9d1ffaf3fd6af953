#include "trainers/base/wait_policy.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

// Keeps all cores busy, with three threads for each.
class Burners {
 public:
  Burners() {
    for (unsigned i = 0; i < 3 * std::thread::hardware_concurrency(); ++i) {
      threads_.emplace_back([this] {
        while (!end_) {
        }
      });
    }
  }
  ~Burners() {
    end_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  std::atomic<bool> end_{false};
  std::vector<std::thread> threads_;
};

absl::Duration CpuTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return absl::DurationFromTimespec(time);
}

// The processor time of a thread that waits 300 ms at a barrier for another
// one, which sleeps.
absl::Duration CpuTimeOfWaiting() {
  absl::Duration longest;
#pragma omp parallel num_threads(2)
  {
    const absl::Duration start = CpuTime();
#pragma omp single nowait
    absl::SleepFor(absl::Milliseconds(300));
#pragma omp barrier
    const absl::Duration used = CpuTime() - start;
#pragma omp critical
    longest = std::max(longest, used);
  }
  return longest;
}

bool BecomesPatient(const WaitPolicy& policy, absl::Duration timeout) {
  const absl::Time end = absl::Now() + timeout;
  while (!policy.patient() && absl::Now() < end) {
    absl::SleepFor(absl::Milliseconds(20));
  }
  return policy.patient();
}

// The test is started with a GOMP_SPINCOUNT that libgomp has read by now.
class WaitPolicyTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("GOMP_SPINCOUNT");
    unsetenv("OMP_WAIT_POLICY");
  }
};

TEST_F(WaitPolicyTest, WaitingThreadsSleepWhileTheMachineIsCrowded) {
  if (std::thread::hardware_concurrency() < 2) {
    GTEST_SKIP() << "libgomp never spins on one core";
  }
  EXPECT_GT(CpuTimeOfWaiting(), absl::Milliseconds(30));
  {
    WaitPolicy policy(/*threads=*/2);
    EXPECT_FALSE(policy.patient());
    {
      const Burners burners;
      ASSERT_TRUE(BecomesPatient(policy, absl::Seconds(20)));
    }
    // Before it has noticed that they are gone.
    EXPECT_LT(CpuTimeOfWaiting(), absl::Milliseconds(10));
  }
  EXPECT_GT(CpuTimeOfWaiting(), absl::Milliseconds(30));
}

TEST_F(WaitPolicyTest, TheEnvironmentDecides) {
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}) {
    setenv(name, "0", /*overwrite=*/1);
    const WaitPolicy policy(/*threads=*/2);
    const Burners burners;
    EXPECT_FALSE(BecomesPatient(policy, absl::Seconds(2))) << name;
    unsetenv(name);
  }
}

}  // namespace
}  // namespace gsg
