#include "trainers/explore/labels.h"

#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gsg_core/executor.h"
#include "gtest/gtest.h"
#include "tests/trainers/explore/random_rows.h"
#include "trainers/explore/features.h"
#include "trainers/explore/neighbors.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;

TEST(LabelsTest, ClassFoldersOfPaths) {
  std::vector<std::string> paths;
  for (int i = 0; i < 6; ++i) {
    paths.push_back("train/cat/" + std::to_string(i) + ".jpg");
    paths.push_back("val/dog/deep/" + std::to_string(i) + ".jpg");
  }
  const ClassFolders folders = FindClassFolders(paths);
  EXPECT_THAT(folders.names, ElementsAre("cat", "dog"));
  EXPECT_EQ(folders.labels[0], 0);
  EXPECT_EQ(folders.labels[1], 1);
  // The archives that images are in are none.
  std::vector<std::string> packed;
  for (size_t i = 0; i < paths.size(); ++i) {
    packed.push_back("train/a-" + std::to_string(i % 4) + ".tar/" + paths[i]);
  }
  EXPECT_THAT(FindClassFolders(packed).names, ElementsAre("cat", "dog"));
  // Nor is the folder that was packed.
  packed.clear();
  for (const std::string& path : paths) packed.push_back("a.tar/all/" + path);
  EXPECT_THAT(FindClassFolders(packed).names, ElementsAre("cat", "dog"));
  // An image beside the folders, or only one folder.
  paths.push_back("train/more.jpg");
  EXPECT_TRUE(FindClassFolders(paths).names.empty());
  EXPECT_TRUE(FindClassFolders({"a/1.jpg", "a/2.jpg"}, true).names.empty());
  // Folders of a few images are hardly classes.
  const std::vector<std::string> few = {"a/1.jpg", "a/2.jpg", "b/1.jpg"};
  EXPECT_TRUE(FindClassFolders(few).names.empty());
  EXPECT_THAT(FindClassFolders(few, true).names, ElementsAre("a", "b"));
}

TEST(LabelsTest, VotesAreThoseOfTheFormula) {
  // One image with three neighbors: two of class 1, one of its own.
  Neighbors neighbors;
  neighbors.n = 4;
  neighbors.k = 3;
  neighbors.indices = {1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2};
  neighbors.cosines = {0.9f, 0.8f, 0.7f, 0.9f, 0.2f, 0.1f,
                       0.8f, 0.2f, 0.1f, 0.7f, 0.1f, 0.1f};
  const std::vector<int32_t> labels = {0, 0, 1, 1};
  const std::vector<int32_t> none(4, -1);
  const absl::StatusOr<SuspiciousLabels> found =
      FindSuspiciousLabels(neighbors, labels, none);
  ASSERT_TRUE(found.ok());
  const double a = std::exp(-1), b = std::exp(-2), c = std::exp(-3);
  // own: a; other: b + c, which is more than half of it.
  ASSERT_FALSE(found->border.empty() && found->wrong.empty());
  bool seen = false;
  for (const LabelVote& vote : found->border) {
    if (vote.index != 0) continue;
    seen = true;
    EXPECT_EQ(vote.suggested, 1);
    EXPECT_NEAR(vote.own, a / (a + b + c), 1e-6);
    EXPECT_NEAR(vote.other, (b + c) / (a + b + c), 1e-6);
  }
  // b + c = 0.185 and a = 0.368: just above the half.
  EXPECT_TRUE(seen);
}

TEST(LabelsTest, AGroupOfCopiesVotesOnceAndNotForItsMembers) {
  Neighbors neighbors;
  neighbors.n = 5;
  neighbors.k = 3;
  neighbors.indices = {1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2, 0, 1, 2};
  neighbors.cosines.assign(15, 0.5f);
  const std::vector<int32_t> labels = {0, 1, 1, 0, 0};
  // 1 and 2 are copies: one vote for 1, one (image 3) for 0.
  const absl::StatusOr<SuspiciousLabels> found = FindSuspiciousLabels(
      neighbors, labels, std::vector<int32_t>{-1, 0, 0, -1, -1});
  ASSERT_TRUE(found.ok());
  for (const LabelVote& vote : found->wrong) EXPECT_NE(vote.index, 0);
  // Image 1 hears 0 and 3, but not its copy 2.
  bool seen = false;
  for (const LabelVote& vote : found->wrong) {
    if (vote.index != 1) continue;
    seen = true;
    EXPECT_EQ(vote.own, 0);
    EXPECT_NEAR(vote.other, 1, 1e-9);
  }
  EXPECT_TRUE(seen);
  EXPECT_FALSE(FindSuspiciousLabels(neighbors, {0}, {0}).ok());
}

TEST(LabelsTest, ThePlantedOnesComeFirst) {
  const UnitRows rows = RandomRows(300, 16, 3, 0.4, 15);
  SerialExecutor serial;
  const absl::StatusOr<Neighbors> neighbors =
      FindNeighbors(rows, rows, 10, true, EigenProduct, serial, NoWatch);
  std::vector<int32_t> labels(300);
  std::set<int64_t> planted;
  for (int64_t i = 0; i < 300; ++i) labels[i] = static_cast<int32_t>(i % 3);
  for (int64_t i = 7; i < 300; i += 30) {
    labels[i] = (labels[i] + 1) % 3;
    planted.insert(i);
  }
  const absl::StatusOr<SuspiciousLabels> found =
      FindSuspiciousLabels(*neighbors, labels, std::vector<int32_t>(300, -1));
  ASSERT_TRUE(found.ok());
  ASSERT_GE(found->wrong.size(), planted.size());
  for (size_t i = 0; i < planted.size(); ++i) {
    const LabelVote& vote = found->wrong[i];
    EXPECT_EQ(planted.count(vote.index), 1) << i;
    EXPECT_EQ(vote.suggested, vote.index % 3);
    if (i > 0) {
      const LabelVote& before = found->wrong[i - 1];
      EXPECT_GE((before.other + 0.02) / (before.own + 0.02),
                (vote.other + 0.02) / (vote.own + 0.02) - 1e-9);
    }
  }
}

}  // namespace
}  // namespace gsg
