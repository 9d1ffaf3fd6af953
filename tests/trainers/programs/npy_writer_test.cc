#include "trainers/programs/npy_writer.h"

#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

using Type = NpyWriter::Type;

std::string Path(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Byte by byte as NEP 1 has it: magic, version 1.0, 118 as two bytes, and a
// dictionary of 118 bytes that ends in a line feed. (numpy itself reads a file
// in programs_test.py.)
TEST(NpyWriterTest, WritesTheFormat) {
  const std::string path = Path("format.npy");
  auto writer = *NpyWriter::Create(path, Type::kFloat32, 2);
  ASSERT_TRUE(writer->Append(std::vector<float>{1, 2}).ok());
  ASSERT_TRUE(writer->Append(std::vector<float>{3, 4, 5, -6}).ok());
  EXPECT_EQ(writer->rows(), 3);
  ASSERT_TRUE(writer->Finish().ok());

  const std::string bytes = Read(path);
  ASSERT_EQ(bytes.size(), 128 + 6 * 4);
  std::string dictionary =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }";
  dictionary.resize(117, ' ');
  EXPECT_EQ(bytes.substr(0, 128),
            std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dictionary + "\n");
  EXPECT_EQ(bytes.substr(128, 4), std::string("\0\0\x80\x3f", 4));  // 1
  EXPECT_EQ(bytes.substr(148, 4), std::string("\0\0\xc0\xc0", 4));  // -6
}

TEST(NpyWriterTest, OneDimensionHasAComma) {
  const std::string path = Path("labels.npy");
  auto writer = *NpyWriter::Create(path, Type::kInt64, 0);
  ASSERT_TRUE(writer->Append(std::vector<int64_t>{7, -1}).ok());
  ASSERT_TRUE(writer->Finish().ok());
  const std::string bytes = Read(path);
  EXPECT_EQ(bytes.substr(10, 59),
            "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }  ");
  EXPECT_EQ(
      bytes.substr(128),
      std::string("\7\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16));
}

TEST(NpyWriterTest, TheLargestShapeFits) {
  auto writer = *NpyWriter::Create(Path("wide.npy"), Type::kFloat32,
                                   int64_t{9223372036854775807});
  EXPECT_TRUE(writer->Finish().ok());
}

TEST(NpyWriterTest, NothingRemainsOfAnUnfinishedFile) {
  const std::string path = Path("unfinished.npy");
  std::ofstream(path) << "old";
  {
    auto writer = *NpyWriter::Create(path, Type::kFloat32, 1);
    ASSERT_TRUE(writer->Append(std::vector<float>{1}).ok());
  }
  EXPECT_EQ(Read(path), "old");
  EXPECT_FALSE(std::ifstream(path + ".partial").good());
}

TEST(NpyWriterTest, NamesTheFileThatCannotBeMade) {
  const std::string path = Path("no/such/folder.npy");
  const absl::Status status =
      NpyWriter::Create(path, Type::kFloat32, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("cannot create " + path), std::string::npos);
}

// /dev/full takes no byte.
TEST(NpyWriterTest, SaysThatTheDiskIsFull) {
  const std::string path = Path("full.npy");
  ASSERT_EQ(symlink("/dev/full", (path + ".partial").c_str()), 0);
  auto writer = NpyWriter::Create(path, Type::kFloat32, 1);
  absl::Status status = writer.status();
  if (writer.ok()) status = (*writer)->Finish();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

}  // namespace
}  // namespace gsg
