#include "trainers/image/tar.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"
#include "tests/trainers/image/tar_bytes.h"

namespace gsg {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<Tar> List(const std::string& bytes) {
  const std::string path = TestFolder() + "/a.tar";
  Write(path, ToBytes(bytes));
  return ListTar(path);
}

// "name size begin", with " no" behind what is no plain file.
std::vector<std::string> Members(const std::string& bytes) {
  const absl::StatusOr<Tar> tar = List(bytes);
  EXPECT_TRUE(tar.ok()) << tar.status();
  std::vector<std::string> members;
  if (!tar.ok()) return members;
  for (const TarMember& member : tar->members) {
    members.push_back(absl::StrCat(member.name, " ", member.size, " ",
                                   member.begin, member.plain ? "" : " no"));
  }
  return members;
}

TEST(TarTest, Members) {
  EXPECT_THAT(
      Members(absl::StrCat(TarFile("./a/1.jpg", std::string(600, 'x')),
                           TarFile("a/", "", '5'), TarFile("2.cls", "7\n"),
                           TarFile("link", "", '2'), TarEnd(), "garbage")),
      ElementsAre("a/1.jpg 600 512", "2.cls 2 2560", "link 0 3584 no"));
  // Of before there was ustar; without its end, or what fills the last block.
  const std::string old = TarFile("1", "abc", '\0', "");
  EXPECT_THAT(Members(old), ElementsAre("1 3 512"));
  EXPECT_THAT(Members(old.substr(0, 515)), ElementsAre("1 3 512"));
  EXPECT_THAT(Members(TarEnd()), ElementsAre());
}

TEST(TarTest, SmallTextsAreKept) {
  const auto tar = List(absl::StrCat(TarFile("1.cls", "12"),
                                     TarFile("2.cls", std::string(40, '1')),
                                     TarFile("3.txt", "12"), TarEnd()));
  ASSERT_TRUE(tar.ok());
  EXPECT_EQ(tar->members[0].text, "12");
  EXPECT_EQ(tar->members[1].text, "");
  EXPECT_EQ(tar->members[2].text, "");
  EXPECT_EQ(tar->file_size, 6 * 512 + 1024);
}

TEST(TarTest, LongNames) {
  const std::string name(300, 'n');
  EXPECT_THAT(Members(absl::StrCat(TarFile("x",
                                           PaxRecord("mtime", "1") +
                                               PaxRecord("path", name + ".jpg"),
                                           'x'),
                                   TarFile("short", "abc"), TarFile("2", ""))),
              ElementsAre(name + ".jpg 3 1536", "2 0 2560"));
  const absl::string_view gnu("ustar  \0", 8);
  EXPECT_THAT(
      Members(absl::StrCat(
          TarFile("././@LongLink", name + std::string(1, '\0'), 'L', gnu),
          TarFile("short", "abc", '0', gnu))),
      ElementsAre(name + " 3 1536"));
  std::string prefixed = TarFile("1.jpg", "");
  // A name in two parts: the checksum grows by the letters' sum.
  prefixed.replace(345, 3, "dir");
  unsigned sum = 0;
  ASSERT_EQ(std::sscanf(prefixed.substr(148, 6).c_str(), "%o", &sum), 1);
  prefixed.replace(148, 6, absl::StrFormat("%06o", sum + 'd' + 'i' + 'r'));
  EXPECT_THAT(Members(prefixed), ElementsAre("dir/1.jpg 0 512"));
}

TEST(TarTest, SizeOfAnExtendedHeader) {
  EXPECT_THAT(Members(absl::StrCat(TarFile("x", PaxRecord("size", "512"), 'x'),
                                   TarFile("1", ""), std::string(512, 'c'),
                                   TarFile("2", ""))),
              ElementsAre("1 512 1536", "2 0 2560"));
  EXPECT_THAT(Members(absl::StrCat(
                  TarFile("x", PaxRecord("GNU.sparse.major", "1"), 'x'),
                  TarFile("1", "a"))),
              ElementsAre("1 1 1536 no"));
}

TEST(TarTest, Errors) {
  const auto error = [](const std::string& bytes) {
    return std::string(List(bytes).status().message());
  };
  const std::string good = TarFile("1", std::string(600, 'x'));
  EXPECT_THAT(error(""), HasSubstr("the file is empty"));
  EXPECT_THAT(error("hello"), HasSubstr("at byte 0: the archive ends here"));
  EXPECT_THAT(error(good.substr(0, 1000)),
              HasSubstr("at byte 0: a file that is longer than the archive"));
  EXPECT_THAT(error(good + "x"),
              HasSubstr("at byte 1536: the archive ends here; it is no tar "
                        "archive, corrupt or cut off"));
  std::string wrong = good;
  wrong[0] = '2';
  EXPECT_THAT(error(wrong), HasSubstr("the checksum of a header is wrong"));
  EXPECT_THAT(error(TarFile("x", "7 path=1", 'x')),
              HasSubstr("an extended header that makes no sense"));
  EXPECT_THAT(error("\x1F\x8B rest"), HasSubstr("is compressed"));
  EXPECT_THAT(error("\x1F\x8B rest"), HasSubstr("gunzip '"));
  EXPECT_THAT(error("\x28\xB5\x2F\xFD rest"), HasSubstr("zstd -d"));
  EXPECT_EQ(ListTar("/no/a.tar").status().code(), absl::StatusCode::kNotFound);
}

TEST(TarTest, NamesAreThoseOfUnpackedFiles) {
  const auto tar = List(
      absl::StrCat(TarFile("/a//b/./1", ""), TarFile("../c/2", ""),
                   TarFile("d/../e/3", ""), TarFile("./", "", '5'),
                   TarFile("./f", "", '5'), TarFile("g/h/", ""), TarEnd()));
  ASSERT_TRUE(tar.ok()) << tar.status();
  std::vector<std::string> names;
  for (const TarMember& member : tar->members) names.push_back(member.name);
  EXPECT_THAT(names, ElementsAre("a/b/1", "c/2", "e/3"));
  EXPECT_THAT(tar->folders, ElementsAre("f", "g/h"));
}

// As tar itself writes them.
TEST(TarTest, OfTheProgramTar) {
  const std::string dir = TestFolder();
  const std::string name(120, 'n');
  std::filesystem::create_directory(dir + "/d");
  Write(dir + "/d/" + name + ".jpg", Bytes(700, 1));
  Write(dir + "/d/1.cls", {'3'});
  for (const char* format : {"ustar", "pax", "gnu", "v7"}) {
    const std::string file =
        format == std::string("v7") ? "d/1.cls" : "d/1.cls d/" + name + ".jpg";
    const std::string command =
        absl::StrCat("tar --format=", format, " -C '", dir, "' -cf '", dir,
                     "/a.tar' ", file);
    if (std::system(command.c_str()) != 0) GTEST_SKIP() << "no tar here";
    const absl::StatusOr<Tar> tar = ListTar(dir + "/a.tar");
    ASSERT_TRUE(tar.ok()) << tar.status();
    EXPECT_EQ(tar->members[0].name, "d/1.cls");
    EXPECT_EQ(tar->members[0].text, "3");
    if (tar->members.size() == 2) {
      EXPECT_EQ(tar->members[1].name, "d/" + name + ".jpg") << format;
      EXPECT_EQ(tar->members[1].size, 700);
    }
  }
}

}  // namespace
}  // namespace gsg
