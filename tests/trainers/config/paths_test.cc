#include "trainers/config/paths.h"

#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"

namespace gsg {
namespace {

using ::testing::MatchesRegex;
using ::testing::StartsWith;

class PathsTest : public ::testing::Test {
 protected:
  PathsTest() { unsetenv("BUILD_WORKING_DIRECTORY"); }
  ~PathsTest() override { unsetenv("BUILD_WORKING_DIRECTORY"); }
};

TEST_F(PathsTest, OutsideBazelRunAPathIsItself) {
  EXPECT_EQ(UserPath("runs/a"), "runs/a");
  EXPECT_EQ(UserPath("/runs/a"), "/runs/a");
}

TEST_F(PathsTest, UnderBazelRunItIsRelativeToTheUsersFolder) {
  setenv("BUILD_WORKING_DIRECTORY", "/home/user", 1);
  EXPECT_EQ(UserPath("runs/a"), "/home/user/runs/a");
  EXPECT_EQ(UserPath("../a"), "/home/a");
  EXPECT_EQ(UserPath("./a"), "/home/user/a");
  EXPECT_EQ(UserPath("/runs/a"), "/runs/a");
  EXPECT_EQ(UserPath(""), "");
}

TEST_F(PathsTest, EachOfAListIsMeant) {
  setenv("BUILD_WORKING_DIRECTORY", "/home/user", 1);
  EXPECT_EQ(UserPath("a,/b,s-{0..1}.tar", /*list=*/true),
            "/home/user/a,/b,/home/user/s-{0..1}.tar");
  EXPECT_EQ(UserPath("a,", /*list=*/true), "/home/user/a,");
  EXPECT_EQ(UserPath("", /*list=*/true), "");
  EXPECT_EQ(AbsolutePath("/a,/b/../c", /*list=*/true), "/a,/c");
  // The name of something that exists.
  const std::string folder = testing::TempDir() + "a,b";
  std::filesystem::create_directory(folder);
  setenv("BUILD_WORKING_DIRECTORY", testing::TempDir().c_str(), 1);
  EXPECT_EQ(UserPath("a,b", /*list=*/true), folder);
}

TEST_F(PathsTest, DefaultOutputDirNamesMethodRecipeAndTime) {
  Config config;
  config.method = "simsiam_gsg";
  config.recipe = "cifar10";
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time start =
      absl::FromCivil(absl::CivilSecond(2025, 3, 4, 15, 6, 7), utc);
  EXPECT_THAT(
      DefaultOutputDir(config, start, utc),
      MatchesRegex("gsg_runs/simsiam_gsg-cifar10-20250304-150607-[0-9a-f]{8}"));
  setenv("BUILD_WORKING_DIRECTORY", "/home/user", 1);
  EXPECT_THAT(DefaultOutputDir(config, start, utc),
              StartsWith("/home/user/gsg_runs/simsiam_gsg-cifar10-"));
}

TEST_F(PathsTest, RunsOfTheSameSecondGoToDifferentFolders) {
  const absl::Time start = absl::UnixEpoch();
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_NE(DefaultOutputDir(Config(), start, utc),
            DefaultOutputDir(Config(), start, utc));
}

}  // namespace
}  // namespace gsg
