#include "trainers/run/tensor_pickle.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/run/little_endian.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

std::string String(absl::string_view text) {
  return absl::StrCat("X", LittleEndian(text.size(), 4), text);
}

std::string Integer(int64_t value) {
  return absl::StrCat("\x8a\x08", LittleEndian(value, 8));
}

std::string Tuple(const std::vector<int64_t>& values) {
  std::string text = "(";
  for (const int64_t value : values) absl::StrAppend(&text, Integer(value));
  return text + "t";
}

std::string Global(absl::string_view module, absl::string_view name) {
  return absl::StrCat("c", module, "\n", name, "\n");
}

std::string Storage(absl::string_view record, int64_t size) {
  return absl::StrCat("(", String("storage"), Global("torch", "FloatStorage"),
                      String(record), String("cpu"), Integer(size), "tQ");
}

// `storage` is what makes one, or recalls it.
std::string Tensor(absl::string_view storage, int64_t offset,
                   const std::vector<int64_t>& sizes,
                   const std::vector<int64_t>& strides) {
  return absl::StrCat(Global("torch._utils", "_rebuild_tensor_v2"), "(",
                      storage, Integer(offset), Tuple(sizes), Tuple(strides),
                      "\x89", Global("collections", "OrderedDict"), ")RtR");
}

std::string Dict(absl::string_view items) {
  return absl::StrCat("}(", items, "u");
}

// With these items as the model's.
std::string Pickle(absl::string_view model) {
  return absl::StrCat(
      "\x80\x02",
      Dict(absl::StrCat(String("meta"), String("{}"), String("model"),
                        Dict(model), String("optimizer"), Dict(""))),
      ".");
}

std::string Error(absl::string_view pickle) {
  const absl::Status status = ParseCheckpointPickle(pickle).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  return std::string(status.message());
}

// The error for a model of this one tensor, on 10 elements.
std::string TensorError(int64_t offset, const std::vector<int64_t>& sizes,
                        const std::vector<int64_t>& strides,
                        int64_t storage_size = 10) {
  return Error(Pickle(String("w") + Tensor(Storage("0", storage_size), offset,
                                           sizes, strides)));
}

TEST(TensorPickleTest, WhatIsWrittenIsRead) {
  // The storage is remembered as number 0, and shared.
  const absl::StatusOr<CheckpointPickle> pickle = ParseCheckpointPickle(Pickle(
      String("w") +
      Tensor(Storage("7", 12) + std::string("q\0", 2), 2, {2, 3}, {1, 4}) +
      String("b") + Tensor(std::string("h\0", 2), 11, {}, {})));
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->meta, "{}");
  EXPECT_THAT(pickle->optimizer, IsEmpty());
  ASSERT_EQ(pickle->model.size(), 2u);
  const auto& [name, w] = pickle->model[0];
  EXPECT_EQ(name, "w");
  EXPECT_EQ(w.storage_type, "FloatStorage");
  EXPECT_EQ(w.record, "7");
  EXPECT_EQ(w.storage_size, 12);
  EXPECT_EQ(w.offset, 2);
  EXPECT_THAT(w.sizes, ElementsAre(2, 3));
  EXPECT_THAT(w.strides, ElementsAre(1, 4));
  const TensorEntry& b = pickle->model[1].second;
  EXPECT_EQ(b.record, "7");
  EXPECT_EQ(b.offset, 11);
  EXPECT_THAT(b.sizes, IsEmpty());
}

TEST(TensorPickleTest, IntegersOfEverySize) {
  for (const auto& [text, value] : std::vector<std::pair<std::string, int64_t>>{
           {"K\xff", 255},
           {"M\xff\xff", 65535},
           {std::string("J\0\0\0\x40", 5), int64_t{1} << 30},
           {std::string("\x8a\x05\0\0\0\0\x01", 7), int64_t{1} << 32},
           {std::string("\x8a\0", 2), 0}}) {
    const absl::StatusOr<CheckpointPickle> pickle =
        ParseCheckpointPickle(Pickle(absl::StrCat(
            String("w"), Global("torch._utils", "_rebuild_tensor_v2"), "((",
            String("storage"), Global("torch", "LongStorage"), String("0"),
            String("cpu"), text, "tQ", "K", std::string(1, '\0'), "(",
            Integer(0), "t(", Integer(1), "t\x89",
            Global("collections", "OrderedDict"), ")RtR")));
    ASSERT_TRUE(pickle.ok()) << value << ": " << pickle.status();
    EXPECT_EQ(pickle->model[0].second.storage_size, value);
  }
}

// Tensors that reach beyond their storage, also where the reach overflows.
TEST(TensorPickleTest, TensorsLieWithinTheirStorage) {
  ASSERT_TRUE(
      ParseCheckpointPickle(
          Pickle(String("w") + Tensor(Storage("0", 10), 1, {3, 3}, {3, 1})))
          .ok());
  const auto refused = HasSubstr("a tensor within its storage");
  EXPECT_THAT(TensorError(2, {3, 3}, {3, 1}), refused);
  EXPECT_THAT(TensorError(0, {11}, {1}), refused);
  EXPECT_THAT(TensorError(10, {}, {}), refused);
  EXPECT_THAT(TensorError(11, {0}, {1}), refused);
  EXPECT_THAT(TensorError(-1, {1}, {1}), refused);
  EXPECT_THAT(TensorError(9, {2}, {-1}), refused);
  EXPECT_THAT(TensorError(0, {-1}, {1}), refused);
  EXPECT_THAT(TensorError(0, {2}, {1, 1}), refused);
  EXPECT_THAT(TensorError(0, {1}, {1}, /*storage_size=*/-1), refused);
  EXPECT_THAT(TensorError(0, {kMost}, {kMost}), refused);
  EXPECT_THAT(TensorError(0, {3, kMost}, {1, kMost}), refused);
  EXPECT_THAT(TensorError(kMost, {2}, {kMost}), refused);
  EXPECT_THAT(TensorError(1, {2}, {kMost}, kMost), refused);
  // One element, repeated without end.
  EXPECT_THAT(TensorError(0, {kMost}, {0}), refused);
  EXPECT_THAT(TensorError(0, {11}, {0}), refused);
  EXPECT_THAT(TensorError(0, {1 << 31, 1 << 31, 4}, {0, 0, 0}), refused);
}

// What makes a pickle dangerous: names of any function, and calls.
TEST(TensorPickleTest, CallsNothing) {
  EXPECT_THAT(Error("cos\nsystem\n(S'true'\ntR."), HasSubstr("a pickle"));
  const std::string call = Global("os", "system") + "(" + String("true") + "tR";
  EXPECT_THAT(Error("\x80\x02" + call + "."), HasSubstr("a dictionary"));
  EXPECT_THAT(Error(Pickle(String("w") + call)),
              HasSubstr("torch._utils _rebuild_tensor_v2 before"));
  EXPECT_THAT(Error(Pickle(String("w") + Dict(""))),
              HasSubstr("a name of PyTorch's"));
}

TEST(TensorPickleTest, WholeAndNothingMore) {
  const std::string good = Pickle("");
  ASSERT_TRUE(ParseCheckpointPickle(good).ok());
  for (size_t size = 0; size < good.size(); ++size) {
    Error(good.substr(0, size));
  }
  EXPECT_THAT(Error(good + "."), HasSubstr("nothing behind the end"));
  const std::string meta = String("meta") + String("{}");
  EXPECT_THAT(Error("\x80\x02" + Dict(meta) + "."),
              HasSubstr("meta, model and optimizer before"));
  EXPECT_THAT(Error("\x80\x02" + Dict(meta + meta) + "."),
              HasSubstr("each key once"));
}

TEST(TensorPickleTest, WhatIsRemembered) {
  // The second number is skipped.
  EXPECT_THAT(Error(Pickle(String("w") + "q\x01")),
              HasSubstr("numbers in their order"));
  EXPECT_THAT(Error(Pickle("h\x05")), HasSubstr("a number that is in use"));
  // A long text is not repeated at the cost of two bytes.
  const std::string text(2000, 'x');
  EXPECT_THAT(
      Error(Pickle(String(text) + std::string("q\0", 2) +
                   Tensor(Storage("0", 1), 0, {}, {}) + std::string("h\0", 2))),
      HasSubstr("a number that is in use"));
}

}  // namespace
}  // namespace gsg
