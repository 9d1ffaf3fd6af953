#include "trainers/image/dataset.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/cifar.h"
#include "trainers/image/data_path.h"
#include "trainers/image/default_data_dir.h"
#include "trainers/image/idx.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"
#include "trainers/image/images.h"

namespace gsg {
namespace {

constexpr absl::string_view kFolder = "folder";

// How a data set in memory lies on disk.
struct Layout {
  absl::string_view name;
  absl::string_view folder;        // below data_dir, if the archive made one
  absl::string_view archive;       // that makes it
  std::vector<std::string> train;  // IDX: images, labels
  std::vector<std::string> test;
  std::string class_names;           // a file, for CIFAR
  std::vector<std::string> classes;  // themselves, for IDX
  std::vector<int> label_ranges;     // of CIFAR's label bytes

  bool is_idx() const { return class_names.empty(); }
};

const std::vector<Layout>& Layouts() {
  static const auto* layouts = [] {
    Layout mnist;
    mnist.name = "mnist";
    mnist.train = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"};
    mnist.test = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
    mnist.classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

    Layout fashion_mnist = mnist;
    fashion_mnist.name = "fashion_mnist";
    fashion_mnist.classes = {"T-shirt/top", "Trouser",   "Pullover", "Dress",
                             "Coat",        "Sandal",    "Shirt",    "Sneaker",
                             "Bag",         "Ankle boot"};

    Layout cifar10;
    cifar10.name = "cifar10";
    cifar10.folder = "cifar-10-batches-bin";
    cifar10.archive = "cifar-10-binary.tar.gz";
    for (int i = 1; i <= 5; ++i) {
      cifar10.train.push_back(absl::StrCat("data_batch_", i, ".bin"));
    }
    cifar10.test = {"test_batch.bin"};
    cifar10.class_names = "batches.meta.txt";
    cifar10.label_ranges = {10};

    Layout cifar100;
    cifar100.name = "cifar100";
    cifar100.folder = "cifar-100-binary";
    cifar100.archive = "cifar-100-binary.tar.gz";
    cifar100.train = {"train.bin"};
    cifar100.test = {"test.bin"};
    cifar100.class_names = "fine_label_names.txt";
    cifar100.label_ranges = {20, 100};

    return new std::vector<Layout>{cifar10, cifar100, fashion_mnist, mnist};
  }();
  return *layouts;
}

bool Exists(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

// "<name> expects ...", for errors.
std::string Expectation(const Layout& layout) {
  std::vector<std::string> files = layout.train;
  files.insert(files.end(), layout.test.begin(), layout.test.end());
  if (!layout.is_idx()) files.push_back(layout.class_names);
  return absl::StrCat(layout.name, " expects ", absl::StrJoin(files, ", "),
                      layout.is_idx() ? ", each plain or with .gz" : "");
}

// What to say of CIFAR's other versions.
std::string BinaryVersion(const Layout& layout) {
  return absl::StrCat(" is CIFAR's version for Python; ", layout.name,
                      " is read from its binary version: ", layout.archive,
                      " from the same page");
}

// What to do if there are pictures in `dir` or a folder in it; else "".
std::string PicturesAdvice(const std::string& dir) {
  namespace fs = std::filesystem;
  const auto has_picture = [](const fs::path& folder) {
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
      if (it->is_regular_file(error) && IsImageFile(it->path())) return true;
    }
    return false;
  };
  bool found = has_picture(dir);
  std::error_code error;
  for (fs::directory_iterator it(dir, error), end;
       !found && !error && it != end; it.increment(error)) {
    found = it->is_directory(error) && has_picture(it->path());
  }
  return found ? ". There are pictures: to learn from them, add "
                 "--dataset=folder --recipe=photos"
               : "";
}

// Of a folder that lacks a file: what it has in its place, and what to do.
// Empty if that is not known.
std::string WhatIsThere(const Layout& layout, const std::string& dir) {
  const auto has = [&](absl::string_view file) {
    return Exists(absl::StrCat(dir, "/", file));
  };
  if (!layout.is_idx() &&
      (has("data_batch_1") || has("cifar-10-batches-py") ||
       has("cifar-100-python") || (has("train") && has("meta")))) {
    return absl::StrCat(". What is there", BinaryVersion(layout));
  }
  if (layout.is_idx() && has("train-images.idx3-ubyte")) {
    return ". What is there is called train-images.idx3-ubyte, ...: rename "
           "these files, with a \"-\" before idx";
  }
  std::error_code error;
  std::vector<std::string> archives;
  for (std::filesystem::directory_iterator it(dir, error), end;
       !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (absl::EndsWith(name, ".tar.gz") || absl::EndsWith(name, ".tgz") ||
        absl::EndsWith(name, ".tar") || absl::EndsWith(name, ".zip")) {
      archives.push_back(it->path().string());
    }
  }
  if (archives.empty()) return PicturesAdvice(dir);
  const std::string& archive =
      *std::min_element(archives.begin(), archives.end());
  if (absl::StrContains(archive, "-python")) {
    return absl::StrCat(". ", archive, BinaryVersion(layout));
  }
  return absl::StrCat(". ", archive,
                      " is still packed: ", HowToUnpack(archive));
}

// The path of a file of the data set, plain or (IDX) compressed.
absl::StatusOr<std::string> Find(const Layout& layout, const std::string& dir,
                                 const std::string& file) {
  const std::string path = absl::StrCat(dir, "/", file);
  if (Exists(path)) return path;
  if (layout.is_idx() && Exists(path + ".gz")) return path + ".gz";
  return absl::NotFoundError(absl::StrCat(path, " does not exist; ",
                                          Expectation(layout),
                                          WhatIsThere(layout, dir)));
}

// Of a file that is there and is not what it should be: what to do.
absl::Status WithAdvice(const Layout& layout, const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(absl::StrCat(
      status.message(), ". Copy or download the files of ", layout.name,
      " again, or give a folder with whole ones by --data_dir"));
}

absl::StatusOr<ImageSet> ReadSet(const Layout& layout, const std::string& dir,
                                 const std::vector<std::string>& files) {
  std::vector<std::string> paths;
  for (const std::string& file : files) {
    absl::StatusOr<std::string> path = Find(layout, dir, file);
    if (!path.ok()) return path.status();
    paths.push_back(*std::move(path));
  }
  if (!layout.is_idx()) return ReadCifar(paths, layout.label_ranges);
  return ReadIdx(paths[0], paths[1], static_cast<int>(layout.classes.size()));
}

absl::StatusOr<std::vector<std::string>> ReadClasses(const Layout& layout,
                                                     const std::string& dir) {
  if (layout.is_idx()) return layout.classes;
  const absl::StatusOr<std::string> path =
      Find(layout, dir, layout.class_names);
  if (!path.ok()) return path.status();
  return ReadClassNames(*path, layout.label_ranges.back());
}

absl::StatusOr<std::string> FindFolder(const Layout& layout,
                                       absl::string_view data_dir) {
  if (data_dir.empty()) return DefaultDataDir(layout.name);
  const std::string dir(data_dir);
  const absl::Status status = CheckIsFolder(dir, Expectation(layout));
  if (absl::IsInvalidArgument(status) && absl::StrContains(dir, "-python.")) {
    return absl::InvalidArgumentError(
        absl::StrCat(dir, BinaryVersion(layout),
                     "; give the folder that this "
                     "unpacks to"));
  }
  if (!status.ok()) return status;
  const std::string below = absl::StrCat(dir, "/", layout.folder);
  return !layout.folder.empty() && Exists(below) ? below : dir;
}

absl::StatusOr<Dataset> LoadFolder(const DataPlace& place, int channels) {
  GSG_ASSIGN_OR_RETURN(Images images,
                       FindImages(place.dir, place.list, channels));
  Dataset dataset;
  dataset.name = std::string(kFolder);
  dataset.train = std::move(images.train);
  dataset.test = std::move(images.test);
  dataset.classes = std::move(images.classes);
  dataset.notes = std::move(images.notes);
  dataset.stats = ImageNetChannels(channels);
  return dataset;
}

absl::StatusOr<Layout> FindLayout(absl::string_view name) {
  for (const Layout& layout : Layouts()) {
    if (layout.name == name) return layout;
  }
  const std::vector<absl::string_view> names = DatasetNames();
  return absl::InvalidArgumentError(
      absl::StrCat("unknown data set \"", name, "\"; ", DidYouMean(name, names),
                   "known: ", absl::StrJoin(names, ", ")));
}

}  // namespace

std::vector<absl::string_view> DatasetNames() {
  std::vector<absl::string_view> names;
  for (const Layout& layout : Layouts()) names.push_back(layout.name);
  names.push_back(kFolder);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Dataset> LoadDataset(absl::string_view name,
                                    const DataPlace& place, int channels) {
  if (name == kFolder) return LoadFolder(place, channels);
  const absl::StatusOr<Layout> layout = FindLayout(name);
  if (!layout.ok()) return layout.status();
  if (!place.list.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--data_list=", place.list,
                     ": of use with --dataset=folder only, not ", name));
  }
  const absl::StatusOr<std::string> dir = FindFolder(*layout, place.dir);
  if (!dir.ok()) return dir.status();

  absl::StatusOr<std::vector<std::string>> classes = ReadClasses(*layout, *dir);
  if (!classes.ok()) return WithAdvice(*layout, classes.status());
  absl::StatusOr<ImageSet> train = ReadSet(*layout, *dir, layout->train);
  if (!train.ok()) return WithAdvice(*layout, train.status());
  absl::StatusOr<ImageSet> test = ReadSet(*layout, *dir, layout->test);
  if (!test.ok()) return WithAdvice(*layout, test.status());
  if (train->height != test->height || train->width != test->width) {
    return WithAdvice(*layout, absl::DataLossError(absl::StrCat(
                                   *dir, ": train images are ", train->height,
                                   " x ", train->width, " pixels, test images ",
                                   test->height, " x ", test->width)));
  }
  Dataset dataset;
  dataset.name = std::string(name);
  dataset.stats = MeasureChannels(*train);
  dataset.train = std::make_unique<ImageSetSource>(*std::move(train), "train");
  dataset.test = std::make_unique<ImageSetSource>(*std::move(test), "test");
  dataset.classes = *std::move(classes);
  return dataset;
}

}  // namespace gsg
