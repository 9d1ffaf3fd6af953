#include "trainers/image/folder_scan.h"

#include "gtest/gtest.h"

namespace gsg {
namespace {

TEST(FolderScanTest, SplitOf) {
  for (const char* name :
       {"train", "TRAIN", "training", "train2017", "Training_Set"}) {
    EXPECT_EQ(SplitOf(name), Split::kTrain) << name;
  }
  for (const char* name : {"val", "Valid", "VALIDATION", "dev", "val2017",
                           "validation-images", "dev_2"}) {
    EXPECT_EQ(SplitOf(name), Split::kVal) << name;
  }
  for (const char* name : {"test", "Test", "testing", "test_set", "test.2"}) {
    EXPECT_EQ(SplitOf(name), Split::kTest) << name;
  }
  for (const char* name : {"", "trains", "valley", "testament", "test_tube",
                           "device", "my_test", "contest", "2017"}) {
    EXPECT_EQ(SplitOf(name), Split::kNone) << name;
  }
}

TEST(FolderScanTest, Names) {
  for (const char* name : {"1.jpg", "a.b.JPEG", "x.Png", "y.webp", "a.TIF",
                           "b.tiff", "c.gif", "d.Bmp", "e.ppm", "f.pgm"}) {
    EXPECT_TRUE(IsImageName(name)) << name;
  }
  for (const char* name : {"jpg", "1.jpg.xcf", "1.", "", ".jpg"}) {
    EXPECT_FALSE(IsImageName(name)) << name;
  }
  for (const char* name : {".git", "@eaDir", "__MACOSX", "._1.jpg"}) {
    EXPECT_TRUE(IsIgnoredName(name)) << name;
  }
  EXPECT_FALSE(IsIgnoredName("cats"));
}

TEST(FolderScanTest, ThumbnailSheets) {
  EXPECT_EQ(TableBesideSheet("sheets/0123456789abcdef.jpg"), "neighbors.csv");
  EXPECT_EQ(TableBesideSheet("/a/sheets/ffffffffffffffff.jpg"),
            "/a/neighbors.csv");
  for (const char* path :
       {"0123456789abcdef.jpg", "a/0123456789abcdef.jpg",
        "worksheets/0123456789abcdef.jpg", "sheets/0123456789abcde.jpg",
        "sheets/0123456789abcdeg.jpg", "sheets/0123456789abcdef.png",
        "sheets/0123456789abcdefjpg", "sheets/page-of-the-album.jpg",
        "sheets/a/0123456789abcdef.jpg", "sheets/.jpg", "sheets/", "sheets",
        ".jpg", ""}) {
    EXPECT_EQ(TableBesideSheet(path), "") << path;
  }
}

}  // namespace
}  // namespace gsg
