#include "trainers/weights/tensor_pickle.h"

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
#include "tests/trainers/weights/little_endian.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

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

// A checkpoint with these items as the model's.
std::string Pickle(absl::string_view model) {
  return absl::StrCat(
      "\x80\x02",
      Dict(absl::StrCat(String("meta"), String("{}"), String("model"),
                        Dict(model), String("optimizer"), Dict(""))),
      ".");
}

// The names of what is read.
std::vector<std::string> Names(absl::string_view pickle) {
  const absl::StatusOr<TensorPickle> read = ParseTensorPickle(pickle);
  EXPECT_TRUE(read.ok()) << read.status();
  std::vector<std::string> names;
  if (!read.ok()) return names;
  for (const auto& [name, tensor] : read->tensors) names.push_back(name);
  return names;
}

std::string Error(absl::string_view pickle) {
  const absl::Status status = ParseTensorPickle(pickle).status();
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
  const absl::StatusOr<TensorPickle> pickle = ParseTensorPickle(Pickle(
      String("w") +
      Tensor(Storage("7", 12) + std::string("q\0", 2), 2, {2, 3}, {1, 4}) +
      String("b") + Tensor(std::string("h\0", 2), 11, {}, {})));
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_THAT(pickle->texts, ElementsAre(Pair("meta", "{}")));
  ASSERT_EQ(pickle->tensors.size(), 2u);
  const auto& [name, w] = pickle->tensors[0];
  EXPECT_EQ(name, "model.w");
  EXPECT_EQ(w.storage_type, "FloatStorage");
  EXPECT_EQ(w.record, "7");
  EXPECT_EQ(w.storage_size, 12);
  EXPECT_EQ(w.offset, 2);
  EXPECT_THAT(w.sizes, ElementsAre(2, 3));
  EXPECT_THAT(w.strides, ElementsAre(1, 4));
  const TensorEntry& b = pickle->tensors[1].second;
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
    const absl::StatusOr<TensorPickle> pickle = ParseTensorPickle(Pickle(
        absl::StrCat(String("w"), Global("torch._utils", "_rebuild_tensor_v2"),
                     "((", String("storage"), Global("torch", "LongStorage"),
                     String("0"), String("cpu"), text, "tQ", "K",
                     std::string(1, '\0'), "(", Integer(0), "t(", Integer(1),
                     "t\x89", Global("collections", "OrderedDict"), ")RtR")));
    ASSERT_TRUE(pickle.ok()) << value << ": " << pickle.status();
    EXPECT_EQ(pickle->tensors[0].second.storage_size, value);
  }
}

// Tensors that reach beyond their storage, also where the reach overflows.
TEST(TensorPickleTest, TensorsLieWithinTheirStorage) {
  ASSERT_TRUE(ParseTensorPickle(Pickle(String("w") + Tensor(Storage("0", 10), 1,
                                                            {3, 3}, {3, 1})))
                  .ok());
  const auto refused = HasSubstr("reaches beyond its storage");
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

const std::string& One() {
  static const auto* const one =
      new std::string(Tensor(Storage("0", 1), 0, {1}, {1}));
  return *one;
}

// What makes a pickle dangerous: names of any function, and calls. Nothing is
// called, and what would have come of it is passed over.
TEST(TensorPickleTest, CallsNothing) {
  EXPECT_THAT(Error("cos\nsystem\n(S'true'\ntR."),
              HasSubstr("not a pickle of protocol 2 to 5"));
  const std::string call = Global("os", "system") + "(" + String("true") + "tR";
  EXPECT_THAT(Error("\x80\x02" + call + "."), HasSubstr("no dictionary"));
  EXPECT_THAT(Names(Pickle(String("w") + call)), IsEmpty());
  EXPECT_THAT(Names(Pickle(String("args") + call + "}b" + String("w") + One())),
              ElementsAre("model.w"));
}

// A module's state_dict() is an OrderedDict with an attribute; its parameters
// are wrapped when they were not detached. Optimizers have numbers for keys.
TEST(TensorPickleTest, WhatPythonWrites) {
  const std::string ordered = Global("collections", "OrderedDict") + ")R";
  const std::string parameter = Global("torch._utils", "_rebuild_parameter") +
                                "(" + One() + "\x88" + ordered + "tR";
  EXPECT_THAT(Names("\x80\x02" + ordered + "(" + String("conv1.weight") +
                    One() + String("fc.bias") + parameter + "u}" +
                    String("_metadata") + ordered + "sb."),
              ElementsAre("conv1.weight", "fc.bias"));
  EXPECT_THAT(
      Names("\x80\x02" +
            Dict(String("epoch") + "K\x05" + String("acc") +
                 std::string("G\0\0\0\0\0\0\0\0", 9) + String("none") + "N" +
                 String("list") + "](K\x01K\x02" + "e" + String("state_dict") +
                 Dict(String("w") + One()) + String("optimizer") +
                 Dict(String("state") +
                      Dict("K\x07" + Dict(String("exp_avg") + One())))) +
            "."),
      ElementsAre("state_dict.w", "optimizer.state.7.exp_avg"));
}

// Protocol 4: short texts, memoized, in frames.
TEST(TensorPickleTest, LaterProtocols) {
  const auto text = [](absl::string_view value) {
    return absl::StrCat("\x8c", LittleEndian(value.size(), 1), value, "\x94");
  };
  const std::string tensor =
      text("torch._utils") + text("_rebuild_tensor_v2") + "\x93" + "\x94" +
      "((" + text("storage") + text("torch") + text("FloatStorage") + "\x93" +
      "\x94" + text("0") + text("cpu") + "K\x01tQK" + std::string(1, '\0') +
      "K\x01\x85K\x01\x85\x89}tR\x94";
  EXPECT_THAT(Names("\x80\x04\x95" + LittleEndian(99, 8) + "}\x94" + text("w") +
                    tensor + "s."),
              ElementsAre("w"));
}

TEST(TensorPickleTest, WholeAndNothingMore) {
  const std::string good = Pickle(String("w") + One());
  ASSERT_TRUE(ParseTensorPickle(good).ok());
  for (size_t size = 0; size < good.size(); ++size) {
    Error(good.substr(0, size));
  }
  EXPECT_THAT(Error(good + "."), HasSubstr("something is behind the end"));
  EXPECT_THAT(Error("\x80\x02}}."), HasSubstr("more than one value"));
  EXPECT_THAT(Error("\x80\x02(u."), HasSubstr("an operand is missing"));
  EXPECT_THAT(Error("\x80\x02}u."), HasSubstr("a mark is missing"));
  EXPECT_THAT(Error("\x80\x02}(" + String("w") + "u."),
              HasSubstr("a key without a value"));
  EXPECT_THAT(Error("\x80\x02h\x05."), HasSubstr("nothing has this number"));
  EXPECT_THAT(Error("\x80\x02\xff."), HasSubstr("an unknown instruction"));
  EXPECT_THAT(Error("\x80\x02" + String("storage") + "Q."),
              HasSubstr("a storage that is not PyTorch's"));
}

// A few bytes can repeat what is large, and dictionaries can hold each other.
TEST(TensorPickleTest, TakesLittleMemory) {
  // d = {}; d["a"] = d
  EXPECT_THAT(Error("\x80\x02}" + std::string("q\0", 2) + String("a") +
                    std::string("h\0", 2) + "s."),
              HasSubstr("nested too deeply"));
  // Eight levels of a thousand times the level below.
  std::string pickle =
      "\x80\x02}" + std::string("q\0", 2) + String("w") + One() + "s0";
  for (int level = 0; level < 7; ++level) {
    const std::string below = {'h', static_cast<char>(level)};
    absl::StrAppend(&pickle, "}q", std::string(1, static_cast<char>(level + 1)),
                    "(");
    for (int i = 0; i < 1000; ++i) {
      absl::StrAppend(&pickle, String(absl::StrCat(i)), below);
    }
    absl::StrAppend(&pickle, "u", level < 6 ? "0" : "");
  }
  EXPECT_THAT(Error(pickle + "."), HasSubstr("too many values"));
}

}  // namespace
}  // namespace gsg
