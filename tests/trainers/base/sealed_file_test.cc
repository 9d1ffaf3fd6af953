#include "trainers/base/sealed_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// The smallest zip there is: no entries, only the end record.
std::string EmptyZip() {
  return std::string("PK\5\6", 4) + std::string(18, '\0');
}

std::string Sealed(std::string zip) {
  EXPECT_TRUE(Seal(zip).ok());
  return zip;
}

// Of what is not a zip, which stays as it is.
absl::Status SealError(const std::string& bytes) {
  std::string changed = bytes;
  const absl::Status status = Seal(changed);
  EXPECT_EQ(changed, bytes);
  return status;
}

// Of what is no sealed zip, which stays as it is.
absl::Status UnsealError(const std::string& bytes,
                         const std::string& name = "f") {
  std::string changed = bytes;
  const absl::Status status = Unseal(changed, name);
  EXPECT_EQ(changed, bytes);
  return status;
}

class FileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  std::string Path(const std::string& name) const { return folder_ / name; }
  std::string Content(const std::string& name) const {
    return ReadFile(Path(name)).value_or("(missing)");
  }
  int FileCount() const {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) {
      ++count;
    }
    return count;
  }
  fs::path folder_;
};

TEST(SealTest, RoundTrip) {
  const std::string zip = "entries..." + EmptyZip();
  std::string bytes = Sealed(zip);
  EXPECT_THAT(bytes, HasSubstr("gsg-crc32c:"));
  EXPECT_EQ(bytes.size(), zip.size() + kSealSize);
  EXPECT_TRUE(Unseal(bytes, "f").ok());
  EXPECT_EQ(bytes, zip);
}

// CRC-32C of "123456789" is 0xe3069283 in every catalogue of CRCs; the seal
// must be that function and no other, or files would not outlive the library.
TEST(SealTest, ChecksumIsCrc32c) {
  const std::string zip = EmptyZip();
  // crc32c of the 22 bytes of EmptyZip(), computed bit by bit.
  uint32_t crc = 0xffffffffu;
  for (const char c : zip) {
    crc ^= static_cast<uint8_t>(c);
    for (int k = 0; k < 8; ++k) crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  EXPECT_THAT(
      Sealed(zip),
      HasSubstr(absl::StrCat("gsg-crc32c:", absl::Hex(~crc, absl::kZeroPad8))));
}

TEST(SealTest, EveryDamagedByteIsFound) {
  const std::string sealed = Sealed("some entries" + EmptyZip());
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] ^= 4;
    const bool in_comment_length =
        i == sealed.size() - 21 || i == sealed.size() - 20;
    // The comment's length is not what the checksum is over; zip readers mind
    // it, this one does not need it.
    if (in_comment_length) continue;
    EXPECT_TRUE(absl::IsDataLoss(UnsealError(damaged))) << i;
  }
}

TEST(SealTest, EveryTruncationIsFound) {
  const std::string sealed = Sealed("some entries" + EmptyZip());
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_TRUE(absl::IsDataLoss(UnsealError(sealed.substr(0, size)))) << size;
  }
}

TEST(SealTest, MessagesNameTheFile) {
  std::string sealed = Sealed("some entries" + EmptyZip());
  sealed[0] = 'S';
  EXPECT_EQ(UnsealError(sealed, "run/a.pt").message(),
            "run/a.pt is damaged: its checksum does not match");
  EXPECT_EQ(UnsealError("short", "a.pt").message(),
            "a.pt is damaged: it has only 5 bytes");
  EXPECT_EQ(UnsealError(std::string(100, 'x'), "a.pt").message(),
            "a.pt is damaged: it does not end in a checksum");
}

TEST(SealTest, RefusesWhatIsNotAZip) {
  EXPECT_TRUE(absl::IsInvalidArgument(SealError("")));
  EXPECT_TRUE(absl::IsInvalidArgument(SealError(std::string(50, 'x'))));
  // Sealed already: it has a comment.
  EXPECT_TRUE(absl::IsInvalidArgument(SealError(Sealed(EmptyZip()))));
}

TEST_F(FileTest, WritesAndReplaces) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "one").ok());
  EXPECT_EQ(Content("f"), "one");
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "two").ok());
  EXPECT_EQ(Content("f"), "two");
  EXPECT_EQ(FileCount(), 1);
}

TEST_F(FileTest, KeepsThePreviousOne) {
  const std::vector<std::string> older = {Path("p")};
  ASSERT_TRUE(ReplaceKeepingOlder(Path("f"), older, "one").ok());
  EXPECT_EQ(Content("p"), "(missing)");
  ASSERT_TRUE(ReplaceKeepingOlder(Path("f"), older, "two").ok());
  EXPECT_EQ(Content("f"), "two");
  EXPECT_EQ(Content("p"), "one");
  ASSERT_TRUE(ReplaceKeepingOlder(Path("f"), older, "three").ok());
  EXPECT_EQ(Content("f"), "three");
  EXPECT_EQ(Content("p"), "two");
  EXPECT_EQ(FileCount(), 2);
}

TEST_F(FileTest, KeepsAsManyAsAskedFor) {
  const std::vector<std::string> older = {Path("p"), Path("p2"), Path("p3")};
  for (const char* content : {"1", "2", "3", "4", "5", "6"}) {
    ASSERT_TRUE(ReplaceKeepingOlder(Path("f"), older, content).ok());
  }
  EXPECT_EQ(Content("f"), "6");
  EXPECT_EQ(Content("p"), "5");
  EXPECT_EQ(Content("p2"), "4");
  EXPECT_EQ(Content("p3"), "3");
  EXPECT_EQ(FileCount(), 4);
  ASSERT_TRUE(ReplaceKeepingOlder(Path("f"), {}, "7").ok());
  EXPECT_EQ(Content("f"), "7");
  EXPECT_EQ(Content("p"), "5");
}

TEST_F(FileTest, KeptForGood) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "one").ok());
  ASSERT_TRUE(KeepAs(Path("f"), Path("kept")).ok());
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "two").ok());
  EXPECT_EQ(Content("kept"), "one");
  ASSERT_TRUE(KeepAs(Path("f"), Path("kept")).ok());
  EXPECT_EQ(Content("kept"), "two");
  EXPECT_EQ(FileCount(), 2);
  ASSERT_TRUE(KeepAs(Path("f"), Path("kept")).ok());
  EXPECT_EQ(Content("kept"), "two");
  EXPECT_EQ(FileCount(), 2);
  EXPECT_TRUE(absl::IsNotFound(KeepAs(Path("nothing"), Path("kept"))));
  EXPECT_EQ(Content("kept"), "two");
}

// What a process killed in mid-write leaves must not be in the way.
TEST_F(FileTest, LeftoversOfAKilledWriterDoNotMatter) {
  std::ofstream(Path("f.partial")) << "half";
  std::ofstream(Path("p.partial")) << "half";
  const std::vector<std::string> older = {Path("p")};
  ASSERT_TRUE(ReplaceKeepingOlder(Path("f"), older, "one").ok());
  ASSERT_TRUE(ReplaceKeepingOlder(Path("f"), older, "two").ok());
  EXPECT_EQ(Content("f"), "two");
  EXPECT_EQ(Content("p"), "one");
  EXPECT_EQ(FileCount(), 2);
}

TEST_F(FileTest, AFailedWriteLeavesTheOldFile) {
  ASSERT_TRUE(WriteFileAtomically(Path("f"), "old").ok());
  // A folder in the way of the file beside it: also root cannot write there.
  fs::create_directories(Path("f.partial"));
  const absl::Status status = WriteFileAtomically(Path("f"), "new");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr("f.partial"));
  EXPECT_EQ(Content("f"), "old");
}

TEST_F(FileTest, FullDiskIsReportedAndLeavesNothing) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  ASSERT_EQ(symlink("/dev/full", Path("f.partial").c_str()), 0);
  const absl::Status status = WriteFileAtomically(Path("f"), "new");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(FileCount(), 0);
}

TEST_F(FileTest, MissingFileIsNotFound) {
  const absl::Status status = ReadFile(Path("nothing")).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("nothing"));
}

}  // namespace
}  // namespace gsg
