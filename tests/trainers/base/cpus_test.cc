#include "trainers/base/cpus.h"

#include <sched.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using Files = std::map<std::string, std::string>;

std::optional<double> Quota(const Files& files) {
  const std::string root = absl::StrCat(
      testing::TempDir(), "/",
      testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::remove_all(root);
  for (const auto& [name, text] : files) {
    const std::filesystem::path path = root + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  return CpuQuota(root);
}

TEST(CpuQuotaTest, OfVersion2IsTheSmallestOnTheWayUp) {
  EXPECT_EQ(Quota({{"/proc/self/cgroup", "0::/a/b\n"},
                   {"/sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                   {"/sys/fs/cgroup/a/cpu.max", "150000 100000\n"},
                   {"/sys/fs/cgroup/cpu.max", "400000 100000\n"}}),
            1.5);
}

// In a container /proc has the host's path, and the mount is the group.
TEST(CpuQuotaTest, OfAContainerIsTheMounts) {
  EXPECT_EQ(Quota({{"/proc/self/cgroup", "0::/docker/0123\n"},
                   {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}}),
            0.5);
}

TEST(CpuQuotaTest, OfVersion1) {
  EXPECT_EQ(
      Quota({{"/proc/self/cgroup",
              "9:name=systemd:/\n4:cpu,cpuacct:/a\n3:cpuset:/other\n0::/\n"},
             {"/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "300000\n"},
             {"/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n"},
             {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
             {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}),
      3.0);
}

TEST(CpuQuotaTest, IsNoneWhereNothingSaysSo) {
  EXPECT_EQ(Quota({}), std::nullopt);
  EXPECT_EQ(Quota({{"/proc/self/cgroup", "0::/\nnonsense\n"},
                   {"/sys/fs/cgroup/cpu.max", "x y z\n"}}),
            std::nullopt);
}

TEST(UsableCpusTest, AreThoseOfTheAffinity) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  EXPECT_GE(UsableCpus(), 1);
  EXPECT_LE(UsableCpus(), CPU_COUNT(&before));
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(UsableCpus(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
}

}  // namespace
}  // namespace gsg
