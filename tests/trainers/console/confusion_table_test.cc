#include "trainers/console/confusion_table.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(ConfusionTableTest, FewClassesAreShownWhole) {
  EXPECT_EQ(ConfusionTable({90, 10, 0,  //
                            0, 200, 0,  //
                            1, 0, 3},
                           {"Shirt", "Ankle boot", "Bag"}),
            "                0   1   2  right\n"
            " 0 Shirt       90  10   .  90.0%\n"
            " 1 Ankle boot   . 200   . 100.0%\n"
            " 2 Bag          1   .   3  75.0%\n");
}

TEST(ConfusionTableTest, AClassWithoutImagesHasNoLine) {
  EXPECT_EQ(ConfusionTable({0, 0, 1, 1}, {"a", "b"}),
            "     0 1  right\n"
            " 1 b 1 1  50.0%\n");
}

TEST(ConfusionTableTest, LongNamesAreCut) {
  EXPECT_EQ(ConfusionTable({7}, {"a name of twenty-five let"}),
            "                            0  right\n"
            " 0 a name of twenty-five .. 7 100.0%\n");
}

std::vector<std::string> Names(int64_t count) {
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) names.push_back(absl::StrCat("class", i));
  return names;
}

TEST(ConfusionTableTest, TwentyClassesAreTheMostThatAreShownWhole) {
  const std::vector<int64_t> counts(21 * 21, 1);
  EXPECT_EQ(ConfusionTable({counts.data(), 400}, Names(20)).find("taken for"),
            std::string::npos);
  EXPECT_NE(ConfusionTable(counts, Names(21)).find("taken for"),
            std::string::npos);
}

TEST(ConfusionTableTest, ManyClassesAreTheirMistakesInOrder) {
  std::vector<int64_t> counts(30 * 30);
  for (int64_t c = 0; c < 30; ++c) counts[c * 31] = 2000;
  counts[3 * 30 + 4] = 500;
  counts[8 * 30 + 9] = 1500;
  counts[8 * 30 + 1] = 500;  // as often as 3 for 4: behind it
  EXPECT_EQ(ConfusionTable(counts, Names(30)),
            " images of class  class                    taken for\n"
            "  1,500    37.5%  class8                   class9\n"
            "    500    20.0%  class3                   class4\n"
            "    500    12.5%  class8                   class1\n");
}

TEST(ConfusionTableTest, NoMoreThanTwentyMistakesAreShown) {
  const std::vector<int64_t> counts(30 * 30, 1);
  const std::string table = ConfusionTable(counts, Names(30));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 21);
}

}  // namespace
}  // namespace gsg
