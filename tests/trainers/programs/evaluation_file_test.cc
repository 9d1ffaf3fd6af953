#include "trainers/programs/evaluation_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "trainers/base/json.h"
#include "trainers/config/config.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

class EvaluationFileTest : public ::testing::Test {
 protected:
  EvaluationFileTest()
      : folder_(
            ::testing::TempDir() +
            ::testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    run_.dataset = "folder";
    run_.data_dir = "/data/photos";
  }

  // The name of the file.
  std::string Of(const EvaluatedImages& images) const {
    const std::string path = EvaluationPath(folder_, run_, images);
    EXPECT_EQ(fs::path(path).parent_path(), folder_);
    return fs::path(path).filename();
  }

  std::string WrittenOf(const EvaluatedImages& images) const {
    Json json;
    AddImages(images, &json);
    json["epoch"] = 3;
    const std::string name = Of(images);
    std::ofstream(folder_ + "/" + name) << JsonText(json);
    return name;
  }

  const std::string folder_;
  Config run_;
};

TEST_F(EvaluationFileTest, TheRunsOwnImagesHaveThePlainName) {
  EXPECT_EQ(Of({"folder", "/data/photos"}), "evaluation.json");
  // A named data set is the same wherever it lies.
  run_.dataset = "cifar10";
  EXPECT_EQ(Of({"cifar10", "/elsewhere"}), "evaluation.json");
  EXPECT_EQ(Of({"cifar100", "/data/photos"}), "evaluation-cifar100.json");
}

TEST_F(EvaluationFileTest, TheSameFolderByAnotherPathIsTheRunsOwn) {
  run_.data_dir = folder_;
  EXPECT_EQ(Of({"folder", folder_ + "/"}), "evaluation.json");
  EXPECT_EQ(Of({"folder", {folder_, "/a/list.csv"}}),
            "evaluation-" + fs::path(folder_).filename().string() + ".json");
}

TEST_F(EvaluationFileTest, AnotherFolderIsNamedByTheEndOfItsPath) {
  EXPECT_EQ(Of({"folder", "/data/paintings"}), "evaluation-paintings.json");
  EXPECT_EQ(Of({"folder", "/data/paintings/"}), "evaluation-paintings.json");
  EXPECT_EQ(Of({"folder", "/a/\xc3\xa9t\xc3\xa9 {1..3}.tar"}),
            "evaluation-\xc3\xa9t\xc3\xa9__1..3_.tar.json");
  EXPECT_EQ(Of({"folder", "/a/one,/b/two"}), "evaluation-one.json");
  EXPECT_EQ(Of({"folder", {"", "/a/list.csv"}}), "evaluation-list.csv.json");
  EXPECT_EQ(Of({"folder", "/"}), "evaluation-folder.json");
}

TEST_F(EvaluationFileTest, ScoresOfOthersAreNotReplaced) {
  EXPECT_EQ(WrittenOf({"folder", "/a/photos"}), "evaluation-photos.json");
  EXPECT_EQ(WrittenOf({"folder", "/b/photos"}), "evaluation-photos-2.json");
  // No UTF-8, which JSON cannot have.
  EXPECT_EQ(WrittenOf({"folder", "/\xe9/photos"}), "evaluation-photos-3.json");
  EXPECT_EQ(WrittenOf({"folder", "/mnist"}), "evaluation-mnist.json");
  EXPECT_EQ(WrittenOf({"mnist", "/mnist"}), "evaluation-mnist-2.json");
  std::ofstream(folder_ + "/evaluation-notes.json") << "mine";
  EXPECT_EQ(WrittenOf({"folder", "/notes"}), "evaluation-notes-2.json");
  // Their own are.
  EXPECT_EQ(Of({"folder", "/a/photos"}), "evaluation-photos.json");
  EXPECT_EQ(Of({"folder", "/b/photos/"}), "evaluation-photos-2.json");
  EXPECT_EQ(Of({"folder", "/\xe9/photos"}), "evaluation-photos-3.json");
  EXPECT_EQ(Of({"mnist", "/elsewhere"}), "evaluation-mnist-2.json");
}

TEST(NameOfTest, SaysWhichFolder) {
  EXPECT_EQ(NameOf({"folder", "/data/photos"}), "folder /data/photos");
  EXPECT_EQ(NameOf({"folder", {"", "/a/list.csv"}}), "folder /a/list.csv");
  EXPECT_EQ(NameOf({"mnist", "/data/mnist"}), "mnist");
}

}  // namespace
}  // namespace gsg
