#include "trainers/programs/npy_reader.h"

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "trainers/programs/names_file.h"
#include "trainers/programs/npy_writer.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Path(const std::string& name) {
  return absl::StrCat(::testing::TempDir(), "/", name);
}

std::string Write(const std::string& bytes) {
  const std::string path = Path("array.npy");
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// A file of version 1 or 2 with this header and two float32 values, 1 and 2.
std::string Npy(int version, const std::string& header) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  bytes += static_cast<char>(header.size());
  bytes += std::string(version == 1 ? 1 : 3, '\0');
  return bytes + header + std::string("\0\0\x80\x3f\0\0\0\x40", 8);
}

std::string MessageOf(const std::string& bytes, absl::StatusCode code) {
  const absl::StatusOr<NpyRows> rows = ReadNpy(Write(bytes));
  EXPECT_EQ(rows.status().code(), code) << rows.status();
  EXPECT_THAT(rows.status().message(), HasSubstr("array.npy"));
  return std::string(rows.status().message());
}

TEST(NpyReaderTest, ReadsWhatTheWriterWrites) {
  const std::string path = Path("written.npy");
  absl::StatusOr<std::unique_ptr<NpyWriter>> writer =
      NpyWriter::Create(path, NpyWriter::Type::kFloat32, 3);
  ASSERT_TRUE(writer.ok());
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  ASSERT_TRUE((*writer)->Append(values).ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  const absl::StatusOr<NpyRows> rows = ReadNpy(path);
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_EQ(rows->rows, 2);
  EXPECT_EQ(rows->columns, 3);
  EXPECT_EQ(rows->values, values);
}

TEST(NpyReaderTest, OtherVersionsAndKeyOrders) {
  for (const int version : {1, 2, 3}) {
    const absl::StatusOr<NpyRows> rows = ReadNpy(Write(
        Npy(version,
            "{'shape': (1, 2), 'fortran_order': False, 'descr': '<f4'}\n")));
    ASSERT_TRUE(rows.ok()) << rows.status();
    EXPECT_THAT(rows->values, ElementsAre(1, 2));
  }
}

TEST(NpyReaderTest, WhatItDoesNotTakeIsSaid) {
  const auto header = [](const std::string& type, const std::string& order,
                         const std::string& shape) {
    return Npy(1, absl::StrCat("{'descr': '", type, "', 'fortran_order': ",
                               order, ", 'shape': (", shape, ")}\n"));
  };
  constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;
  constexpr absl::StatusCode kLoss = absl::StatusCode::kDataLoss;
  EXPECT_THAT(MessageOf(header("<f8", "False", "1, 1"), kInvalid),
              HasSubstr("'<f8'"));
  EXPECT_THAT(MessageOf(header("<f4", "True", "1, 2"), kInvalid),
              HasSubstr("fortran_order"));
  EXPECT_THAT(MessageOf(header("<f4", "False", "2,"), kInvalid),
              HasSubstr("(2,)"));
  EXPECT_THAT(MessageOf(header("<f4", "False", "0, 2"), kInvalid),
              HasSubstr("empty"));
  EXPECT_THAT(MessageOf(header("<f4", "False", "3, 2"), kLoss),
              HasSubstr("(3, 2)"));
  EXPECT_THAT(MessageOf(header("<f4", "False", "1, 1"), kLoss),
              HasSubstr("8 bytes"));
  // 2^62 rows of 4 values: no overflow.
  MessageOf(header("<f4", "False", "4611686018427387904, 4"), kLoss);
  EXPECT_THAT(MessageOf("PK something else", kLoss),
              HasSubstr("not a .npy file"));
  MessageOf("", kLoss);
  MessageOf(Npy(1, "{'descr': ").substr(0, 15), kLoss);
  EXPECT_EQ(ReadNpy(Path("nowhere.npy")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(ReadNpy(::testing::TempDir()).ok());
}

TEST(NamesFileTest, AnyNameIsOneLine) {
  for (const std::string& name :
       {std::string("a/b.jpg"), std::string("a\nb\r\\n\\"),
        std::string("\\")}) {
    EXPECT_EQ(NameLine(name).find_first_of("\n\r"), std::string::npos);
    EXPECT_EQ(LineName(NameLine(name)), name);
  }
  EXPECT_EQ(BesideNpy("a.npy/b.npy", ".txt"), "a.npy/b.txt");
  const std::string path = Path("names.txt");
  std::ofstream(path) << "a\\nb\nc\n";
  EXPECT_THAT(*ReadNames(path, 2), ElementsAre("a\nb", "c"));
  const absl::StatusOr<std::vector<std::string>> wrong = ReadNames(path, 3);
  EXPECT_THAT(wrong.status().message(), HasSubstr("has 2 names; there are 3"));
}

}  // namespace
}  // namespace gsg
