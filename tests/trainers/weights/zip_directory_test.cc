#include "trainers/weights/zip_directory.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/weights/little_endian.h"

namespace gsg {
namespace {

using ::testing::HasSubstr;

// A directory's entry for "a", with an extra field.
std::string Entry(uint64_t packed, uint64_t unpacked, int method = 0,
                  const std::string& extra = "") {
  return absl::StrCat("PK\1\2", LittleEndian(0, 6), LittleEndian(method, 2),
                      LittleEndian(0, 8), LittleEndian(packed, 4),
                      LittleEndian(unpacked, 4), LittleEndian(1, 2),
                      LittleEndian(extra.size(), 2), LittleEndian(0, 2),
                      LittleEndian(0, 12), "a", extra);
}

std::string End(uint64_t entries, uint64_t size, uint64_t begin) {
  return absl::StrCat("PK\5\6", LittleEndian(0, 4), LittleEndian(entries, 2),
                      LittleEndian(entries, 2), LittleEndian(size, 4),
                      LittleEndian(begin, 4), LittleEndian(0, 2));
}

// 100 bytes of entries, and the directory.
std::string Archive(const std::string& directory, uint64_t entries = 1) {
  return std::string(100, 'x') + directory +
         End(entries, directory.size(), 100);
}

// The same, with the directory's place in 64 bits.
std::string Archive64(const std::string& directory, uint64_t entries = 1,
                      uint64_t begin = 100) {
  const uint64_t at = 100 + directory.size();
  return absl::StrCat(std::string(100, 'x'), directory, "PK\6\6",
                      LittleEndian(44, 8), LittleEndian(0, 12),
                      LittleEndian(entries, 8), LittleEndian(entries, 8),
                      LittleEndian(directory.size(), 8), LittleEndian(begin, 8),
                      "PK\6\7", LittleEndian(0, 4), LittleEndian(at, 8),
                      LittleEndian(1, 4), End(0xffff, 0xffffffff, 0xffffffff));
}

std::string Error(const std::string& zip) {
  const absl::Status status = CheckZipDirectory(zip);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  return std::string(status.message());
}

TEST(ZipDirectoryTest, SizesWithinTheArchivePass) {
  EXPECT_TRUE(CheckZipDirectory(Archive(Entry(100, 100))).ok());
  EXPECT_TRUE(CheckZipDirectory(Archive("", 0)).ok());
  EXPECT_TRUE(CheckZipDirectory(Archive(Entry(5, 5) + Entry(7, 7), 2)).ok());
  EXPECT_TRUE(CheckZipDirectory(Archive64(Entry(100, 100))).ok());
}

TEST(ZipDirectoryTest, ASizeBeyondTheArchiveIsRefused) {
  EXPECT_EQ(Error(Archive(Entry(1000, 1000))),
            "an entry claims 1000 bytes of an archive of 169");
  EXPECT_THAT(Error(Archive(Entry(5, 5) + Entry(1000, 1000), 2)),
              HasSubstr("claims 1000 bytes"));
  EXPECT_THAT(Error(Archive64(Entry(1000, 1000))),
              HasSubstr("claims 1000 bytes"));
  EXPECT_THAT(Error(Archive(Entry(10, 1000))), HasSubstr("is compressed"));
  EXPECT_THAT(Error(Archive(Entry(10, 10, /*method=*/8))),
              HasSubstr("is compressed"));
}

TEST(ZipDirectoryTest, SizesInTheExtension) {
  const auto extension = [](uint64_t unpacked, uint64_t packed) {
    // Behind one of another kind.
    return absl::StrCat(LittleEndian(7, 2), LittleEndian(3, 2), "abc",
                        LittleEndian(1, 2), LittleEndian(16, 2),
                        LittleEndian(unpacked, 8), LittleEndian(packed, 8));
  };
  const auto entry = [&](const std::string& extra) {
    return Archive(Entry(0xffffffff, 0xffffffff, 0, extra));
  };
  EXPECT_TRUE(CheckZipDirectory(entry(extension(50, 50))).ok());
  EXPECT_THAT(Error(entry(extension(uint64_t{1} << 40, uint64_t{1} << 40))),
              HasSubstr("claims 1099511627776 bytes"));
  EXPECT_THAT(Error(entry(extension(50, 40))), HasSubstr("is compressed"));
  EXPECT_THAT(Error(entry("")), HasSubstr("not whole"));
  EXPECT_THAT(Error(entry(extension(50, 50).substr(0, 20))),
              HasSubstr("not whole"));
}

TEST(ZipDirectoryTest, ADirectoryThatIsNotWhole) {
  const auto broken = HasSubstr("not whole: the file may have been cut off");
  EXPECT_THAT(Error(""), broken);
  EXPECT_THAT(Error(std::string(30, 'x')), broken);
  EXPECT_THAT(Error(Archive(Entry(5, 5), 2)), broken);
  EXPECT_THAT(Error(Archive(Entry(5, 5).substr(0, 46))), broken);
  EXPECT_THAT(Error(std::string(10, 'x') + End(1, 50, 10)), broken);
  EXPECT_THAT(Error(std::string(10, 'x') + End(1, 0xfffffff0, 0xfffffff0)),
              broken);
  EXPECT_THAT(Error(Archive64(Entry(5, 5), 1, ~uint64_t{0})), broken);
}

}  // namespace
}  // namespace gsg
