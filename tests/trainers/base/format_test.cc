#include "trainers/base/format.h"

#include <cmath>
#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(GroupedNumberTest, GroupsByThousands) {
  EXPECT_EQ(GroupedNumber(0), "0");
  EXPECT_EQ(GroupedNumber(999.4), "999");
  EXPECT_EQ(GroupedNumber(999.5), "1,000");
  EXPECT_EQ(GroupedNumber(123456), "123,456");
  EXPECT_EQ(GroupedNumber(1234567), "1,234,567");
  EXPECT_EQ(GroupedNumber(-123), "-123");
  EXPECT_EQ(GroupedNumber(-1234), "-1,234");
}

TEST(GroupedNumberTest, NotFiniteIsADash) {
  EXPECT_EQ(GroupedNumber(std::nan("")), "-");
  EXPECT_EQ(GroupedNumber(std::numeric_limits<double>::infinity()), "-");
}

TEST(HumanDurationTest, HasTheTwoUnitsThatMatter) {
  EXPECT_EQ(HumanDuration(absl::ZeroDuration()), "0.0 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(444)), "0.4 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(12)), "12 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(252)), "4 min 12 s");
  EXPECT_EQ(HumanDuration(absl::Minutes(125)), "2 h 05 min");
  EXPECT_EQ(HumanDuration(absl::Hours(76)), "3 d 04 h");
  EXPECT_EQ(HumanDuration(absl::InfiniteDuration()), "-");
}

// Each rounds up into the next unit; none may say "60 s" or "60 min".
TEST(HumanDurationTest, RoundsBeforeItSplits) {
  EXPECT_EQ(HumanDuration(absl::Milliseconds(9940)), "9.9 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(9960)), "10 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(59600)), "1 min 00 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(119600)), "2 min 00 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(3599600)), "1 h 00 min");
  EXPECT_EQ(HumanDuration(absl::Seconds(7190)), "2 h 00 min");
  EXPECT_EQ(HumanDuration(absl::Seconds(86399)), "1 d 00 h");
}

TEST(WrappedTest, BreaksAtBlanks) {
  EXPECT_EQ(Wrapped("", 10), "");
  EXPECT_EQ(Wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(Wrapped("one two three", 6), "one\ntwo\nthree");
  EXPECT_EQ(Wrapped("immeasurable x", 4), "immeasurable\nx");
}

}  // namespace
}  // namespace gsg
