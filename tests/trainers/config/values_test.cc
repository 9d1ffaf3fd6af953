#include "trainers/config/values.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"

namespace gsg {
namespace {

TEST(ParseValueTest, RejectsWhatIsNotWhollyAWholeNumber) {
  for (absl::string_view text :
       {"", "x", "12x", "1e3", "1.0", " 1", "1 ", "0x10", "--1", "-"}) {
    int64_t value = 7;
    EXPECT_EQ(ParseValue(text, &value).message(), "must be a whole number")
        << text;
    EXPECT_EQ(value, 7) << text;
  }
  int64_t value = 7;
  for (absl::string_view text :
       {"9223372036854775808", "-9223372036854775809"}) {
    EXPECT_EQ(ParseValue(text, &value).message(),
              "is too large: a whole number has at most 64 bits");
    EXPECT_EQ(value, 7) << text;
  }
  EXPECT_TRUE(ParseValue("-9223372036854775808", &value).ok());
  EXPECT_EQ(value, std::numeric_limits<int64_t>::min());
}

TEST(ParseValueTest, RejectsWhatIsNotWhollyANumber) {
  for (absl::string_view text :
       {"", "1e", "1.5x", " 1", "1\n", "inf", "nan", "1e999", "1,5"}) {
    double value = 7;
    EXPECT_EQ(ParseValue(text, &value).message(), "must be a number") << text;
    EXPECT_EQ(value, 7) << text;
  }
  double value;
  EXPECT_TRUE(ParseValue("-1.5e-3", &value).ok());
  EXPECT_EQ(value, -0.0015);
}

TEST(ParseValueTest, BooleansAreTwoWords) {
  for (absl::string_view text : {"", "1", "yes", "True"}) {
    bool value = true;
    EXPECT_EQ(ParseValue(text, &value).message(), "must be true or false")
        << text;
  }
  bool value;
  EXPECT_TRUE(ParseValue("true", &value).ok() && value);
  EXPECT_TRUE(ParseValue("false", &value).ok() && !value);
}

TEST(ValueTextTest, IsShort) {
  EXPECT_EQ(ValueText(0.1), "0.1");
  EXPECT_EQ(ValueText(5e-4), "0.0005");
  EXPECT_EQ(ValueText(1.0), "1");
  EXPECT_EQ(ValueText(4.0 / 3.0), "1.3333333333333333");
  EXPECT_EQ(ValueText(int64_t{-3}), "-3");
  EXPECT_EQ(ValueText(true), "true");
}

TEST(ValueTextTest, DoublesReadBackExactly) {
  constexpr uint64_t kSeed = 1;
  SCOPED_TRACE(kSeed);
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < 10000; ++i) {
    const double value = std::ldexp(static_cast<double>(random()),
                                    static_cast<int>(random() % 200) - 100);
    double back = 0;
    ASSERT_TRUE(ParseValue(ValueText(value), &back).ok());
    ASSERT_EQ(back, value);
  }
}

std::string ErrorOf(void (*change)(Config*)) {
  Config config;
  change(&config);
  return std::string(Validate(config).message());
}

TEST(ValidateTest, DefaultsAreValid) {
  EXPECT_TRUE(Validate(Config()).ok()) << Validate(Config());
}

TEST(ValidateTest, ChecksEachRangeAtItsEnds) {
  EXPECT_EQ(ErrorOf([](Config* c) { c->threads = -1; }),
            "--threads=-1: must be between 0 and 1024");
  EXPECT_EQ(ErrorOf([](Config* c) { c->threads = 1025; }),
            "--threads=1025: must be between 0 and 1024");
  EXPECT_EQ(ErrorOf([](Config* c) { c->threads = 1024; }), "");
  EXPECT_EQ(ErrorOf([](Config* c) { c->batch_size = 1; }),
            "--batch_size=1: must be at least 2");
  EXPECT_EQ(ErrorOf([](Config* c) { c->knn_temperature = 0; }),
            "--knn_temperature=0: must be above 0");
  EXPECT_EQ(ErrorOf([](Config* c) { c->augment.hue = 0.6; }),
            "--hue=0.6: must be between 0 and 0.5");
  EXPECT_EQ(
      ErrorOf([](Config* c) { c->optimizer.weight_decay = std::nan(""); }),
      "--weight_decay=nan: must be a finite number");
  EXPECT_EQ(ErrorOf([](Config* c) { c->views = "2"; }),
            "--views=2: unknown value; allowed: shared, four");
}

TEST(ValidateTest, ChecksWhatGoesTogether) {
  EXPECT_EQ(ErrorOf([](Config* c) {
              c->augment.crop_scale_min = 0.5;
              c->augment.crop_scale_max = 0.4;
            }),
            "--crop_scale_min=0.5 is above --crop_scale_max=0.4");
  EXPECT_EQ(ErrorOf([](Config* c) { c->augment.crop_ratio_min = 2; }),
            "--crop_ratio_min=2 is above --crop_ratio_max=1.3333333333333333");
  EXPECT_EQ(ErrorOf([](Config* c) { c->augment.blur_sigma_max = 0.05; }),
            "--blur_sigma_min=0.1 is above --blur_sigma_max=0.05");
  EXPECT_EQ(ErrorOf([](Config* c) { c->warmup_epochs = 101; }),
            "--warmup_epochs=101 is above --epochs=100");
  EXPECT_EQ(ErrorOf([](Config* c) { c->warmup_epochs = 100; }), "");
  EXPECT_EQ(ErrorOf([](Config* c) { c->knn_bank = 199; }),
            "--knn_k=200 is above --knn_bank=199");
  EXPECT_EQ(ErrorOf([](Config* c) { c->resume = true; }),
            "--resume needs --output_dir, the folder of the run to continue");
}

TEST(FieldsTest, NamesAreUnique) {
  std::set<absl::string_view> names;
  VisitFields(Config(), [&](const auto&, const Field& field) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
  });
}

// A member that VisitFields forgets has no flag and is lost in config.json. It
// shows as a hole between the addresses of those that are visited, but for what
// the program sets itself: normalization, the seed, factor and executor of a
// loss, the size of the blur's kernel.
TEST(FieldsTest, EveryMemberIsVisited) {
  const Config config;
  std::map<const char*, size_t> visited;
  const auto add = [&](const auto& value) {
    visited[reinterpret_cast<const char*>(&value)] = sizeof(value);
  };
  add(config.method);
  add(config.augment.blur_kernel);
  add(config.augment.mean);
  add(config.augment.std);
  add(config.loss.seed);
  add(config.loss.grad_scale);
  add(config.loss.executor);
  VisitFields(config, [&](const auto& value, const Field&) { add(value); });
  const char* end = reinterpret_cast<const char*>(&config);
  for (const auto& [begin, size] : visited) {
    EXPECT_GE(begin - end, 0) << "visited twice: byte " << begin - end;
    EXPECT_LT(begin - end, 8) << "a member is missing before byte "
                              << begin - reinterpret_cast<const char*>(&config);
    end = begin + size;
  }
  EXPECT_LT(reinterpret_cast<const char*>(&config + 1) - end, 8);
}

}  // namespace
}  // namespace gsg
