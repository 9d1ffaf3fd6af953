#include "trainers/image/dataset.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/trainers/image/files.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void WriteText(const std::string& path, int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) absl::StrAppend(&text, "class", i, "\n");
  Write(path, Bytes(text.begin(), text.end()));
}

void WriteCifar10(const std::string& folder) {
  for (int i = 1; i <= 5; ++i) {
    Write(absl::StrCat(folder, "/data_batch_", i, ".bin"),
          CifarRecord({static_cast<uint8_t>(i)}, static_cast<uint8_t>(i)));
  }
  Write(folder + "/test_batch.bin", CifarRecord({0}, 100));
  WriteText(folder + "/batches.meta.txt", 10);
}

void WriteMnist(const std::string& folder, uint32_t test_side) {
  Write(folder + "/train-images-idx3-ubyte", Idx({1, 2, 2}, {1, 2, 3, 4}));
  Write(folder + "/train-labels-idx1-ubyte", Idx({1}, {5}));
  Write(folder + "/t10k-images-idx3-ubyte",
        Idx({1, test_side, 2}, Bytes(2 * test_side)));
  Write(folder + "/t10k-labels-idx1-ubyte", Idx({1}, {6}));
}

std::vector<int> Histogram(const ImageSource& source) {
  std::vector<int> count(10);
  for (int32_t label : source.labels()) ++count.at(label);
  return count;
}

TEST(DatasetTest, FashionMnistComesWithTheBuild) {
  const absl::StatusOr<Dataset> dataset = LoadDataset("fashion_mnist", "");
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->name, "fashion_mnist");
  EXPECT_EQ(dataset->train->size(), 60000);
  EXPECT_EQ(dataset->test->size(), 10000);
  EXPECT_EQ(dataset->train->channels(), 1);
  EXPECT_EQ(dataset->train->fixed_size().height, 28);
  EXPECT_EQ(dataset->train->fixed_size().width, 28);
  EXPECT_THAT(Histogram(*dataset->train), Each(6000));
  EXPECT_THAT(Histogram(*dataset->test), Each(1000));
  EXPECT_THAT(dataset->classes,
              ElementsAre("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                          "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"));
  // The published mean of the train pixels.
  EXPECT_NEAR(dataset->stats.mean[0], 0.2860, 5e-5);
  EXPECT_TRUE(dataset->labeled());
  EXPECT_EQ(dataset->train->name(17), "train image 17");
}

TEST(DatasetTest, Mnist) {
  const std::string folder = TestFolder();
  WriteMnist(folder, 2);
  const absl::StatusOr<Dataset> dataset = LoadDataset("mnist", folder);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(dataset->train->labels(), ElementsAre(5));
  EXPECT_THAT(dataset->test->labels(), ElementsAre(6));
  EXPECT_EQ(dataset->classes[7], "7");
}

TEST(DatasetTest, TrainAndTestMustHaveOneSize) {
  const std::string folder = TestFolder();
  WriteMnist(folder, 3);
  const absl::Status status = LoadDataset("mnist", folder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(),
            absl::StrCat(folder,
                         ": train images are 2 x 2 pixels, test images 3 x 2. "
                         "Copy or download the files of mnist again, or give a "
                         "folder with whole ones by --data_dir"));
}

TEST(DatasetTest, OfAFileCutOffItSaysWhatToDo) {
  const std::string folder = TestFolder();
  WriteMnist(folder, 2);
  const std::string images = folder + "/t10k-images-idx3-ubyte";
  std::filesystem::resize_file(images, 17);
  EXPECT_EQ(LoadDataset("mnist", folder).status().message(),
            absl::StrCat(images,
                         ": header promises 1 x 2 x 2 bytes, the file can hold "
                         "1. Copy or download the files of mnist again, or "
                         "give a folder with whole ones by --data_dir"));

  WriteCifar10(folder);
  const std::string batch = folder + "/data_batch_2.bin";
  std::filesystem::resize_file(batch, 3000);
  EXPECT_EQ(LoadDataset("cifar10", folder).status().message(),
            absl::StrCat(batch,
                         ": 3000 bytes, expected a multiple of 3073 (one "
                         "image). Copy or download the files of cifar10 again, "
                         "or give a folder with whole ones by --data_dir"));

  WriteCifar10(folder);
  const std::string names = folder + "/batches.meta.txt";
  std::filesystem::resize_file(names, 7);
  EXPECT_EQ(LoadDataset("cifar10", folder).status().message(),
            absl::StrCat(names,
                         ": 1 class names, expected 10. Copy or download the "
                         "files of cifar10 again, or give a folder with whole "
                         "ones by --data_dir"));
}

TEST(DatasetTest, Cifar10InTheFolderOrBelow) {
  const std::string folder = TestFolder();
  const std::string below = folder + "/cifar-10-batches-bin";
  std::filesystem::create_directory(below);
  WriteCifar10(below);
  for (const std::string& data_dir : {folder, below}) {
    const absl::StatusOr<Dataset> dataset = LoadDataset("cifar10", data_dir);
    ASSERT_TRUE(dataset.ok()) << dataset.status();
    EXPECT_THAT(dataset->train->labels(), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_THAT(dataset->test->labels(), ElementsAre(0));
    const std::unique_ptr<ImageReader> reader = dataset->test->MakeReader();
    ASSERT_TRUE(reader->Open(0).ok());
    EXPECT_EQ(reader->Decode(1)->chw[0], 100);
    EXPECT_EQ(dataset->classes[3], "class3");
  }
}

TEST(DatasetTest, Cifar100) {
  const std::string folder = TestFolder();
  const std::string below = folder + "/cifar-100-binary";
  std::filesystem::create_directory(below);
  Write(below + "/train.bin", CifarRecord({4, 71}, 1));
  Write(below + "/test.bin", CifarRecord({19, 99}, 2));
  WriteText(below + "/fine_label_names.txt", 100);
  const absl::StatusOr<Dataset> dataset = LoadDataset("cifar100", folder);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(dataset->train->labels(), ElementsAre(71));
  EXPECT_THAT(dataset->test->labels(), ElementsAre(99));
  EXPECT_EQ(dataset->classes[99], "class99");
}

TEST(DatasetTest, MissingFileSaysWhatIsExpected) {
  const std::string folder = TestFolder();
  WriteCifar10(folder);
  std::filesystem::remove(folder + "/data_batch_4.bin");
  const absl::Status status = LoadDataset("cifar10", folder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(
      status.message(),
      absl::StrCat(folder,
                   "/data_batch_4.bin does not exist; cifar10 expects "
                   "data_batch_1.bin, data_batch_2.bin, data_batch_3.bin, "
                   "data_batch_4.bin, data_batch_5.bin, test_batch.bin, "
                   "batches.meta.txt"));
}

TEST(DatasetTest, MissingFolderSaysWhatIsExpected) {
  const std::string folder = TestFolder() + "/none";
  const absl::Status status = LoadDataset("mnist", folder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(
      status.message(),
      absl::StrCat("folder ", folder,
                   " does not exist; mnist expects "
                   "train-images-idx3-ubyte, train-labels-idx1-ubyte, "
                   "t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, each plain "
                   "or with .gz"));
}

TEST(DatasetTest, CifarsVersionForPython) {
  for (const std::vector<std::string>& names :
       {std::vector<std::string>{"data_batch_1", "batches.meta"},
        std::vector<std::string>{"train", "test", "meta"},
        std::vector<std::string>{"cifar-10-batches-py"},
        std::vector<std::string>{"cifar-10-python.tar.gz"}}) {
    const std::string folder = TestFolder();
    for (const std::string& name : names) Write(folder + "/" + name, {1});
    EXPECT_THAT(std::string(LoadDataset("cifar10", folder).status().message()),
                HasSubstr("CIFAR's version for Python; cifar10 is read from "
                          "its binary version: cifar-10-binary.tar.gz"));
  }
}

TEST(DatasetTest, CifarsArchiveForPythonInPlaceOfTheFolder) {
  const std::string archive = TestFolder() + "/cifar-10-python.tar.gz";
  Write(archive, {0x1F, 0x8B});
  EXPECT_EQ(LoadDataset("cifar10", archive).status().message(),
            archive +
                " is CIFAR's version for Python; cifar10 is read from its "
                "binary version: cifar-10-binary.tar.gz from the same page; "
                "give the folder that this unpacks to");
}

TEST(DatasetTest, AnArchiveThatIsStillPacked) {
  const std::string folder = TestFolder();
  Write(folder + "/cifar-100-binary.tar.gz", {0x1F, 0x8B});
  EXPECT_THAT(std::string(LoadDataset("cifar100", folder).status().message()),
              HasSubstr(absl::StrCat(
                  folder,
                  "/cifar-100-binary.tar.gz is still packed: unpack "
                  "it (tar -xf '",
                  folder, "/cifar-100-binary.tar.gz' -C '", folder, "/')")));
  const absl::Status status =
      LoadDataset("cifar100", folder + "/cifar-100-binary.tar.gz").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("is a gzip file, not a folder: unpack it"));
}

TEST(DatasetTest, MnistWithDotsInItsNames) {
  const std::string folder = TestFolder();
  Write(folder + "/train-images.idx3-ubyte", {0});
  EXPECT_THAT(std::string(LoadDataset("mnist", folder).status().message()),
              HasSubstr("rename these files"));
}

TEST(DatasetTest, NotesOfAFolder) {
  const std::string folder = TestFolder();
  Write(folder + "/1.jpg", {});
  Write(folder + "/2.xcf", {});
  const absl::StatusOr<Dataset> dataset = LoadDataset("folder", folder);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_THAT(dataset->notes,
              ElementsAre("1 file of other formats was passed over: .xcf 1"));
}

TEST(DatasetTest, NoFolderGiven) {
  EXPECT_EQ(LoadDataset("cifar10", "").status().message(),
            "cifar10: no copy comes with this program; pass "
            "--data_dir=<folder>");
}

TEST(DatasetTest, UnknownName) {
  const absl::Status status = LoadDataset("cifar-10", "").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "unknown data set \"cifar-10\"; did you mean cifar10? known: "
            "cifar10, cifar100, fashion_mnist, folder, mnist");
}

}  // namespace
}  // namespace gsg
