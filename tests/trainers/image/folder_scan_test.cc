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

}  // namespace
}  // namespace gsg
