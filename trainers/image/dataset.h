#ifndef GSG_TRAINERS_IMAGE_DATASET_H_
#define GSG_TRAINERS_IMAGE_DATASET_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/image_source.h"

namespace gsg {

struct Dataset {
  std::string name;
  std::unique_ptr<const ImageSource> train;
  // Null if there are no other images to evaluate on.
  std::unique_ptr<const ImageSource> test;
  // Class name of label 0, 1, ... of both; empty if there are no labels.
  std::vector<std::string> classes;
  ChannelStats stats;  // of the training images
  // What was passed over, and why, a line each: to be shown to the user.
  std::vector<std::string> notes;

  bool labeled() const { return !classes.empty(); }
};

// The names LoadDataset takes: cifar10, cifar100, fashion_mnist, folder, mnist.
std::vector<absl::string_view> DatasetNames();

// Where a data set's images are: the values of --data_dir and --data_list.
struct DataPlace {
  DataPlace(std::string data_dir, std::string data_list = "")
      : dir(std::move(data_dir)), list(std::move(data_list)) {}
  DataPlace(const char* data_dir) : dir(data_dir) {}

  std::string dir;
  std::string list;  // for `folder` only
};

// Reads a data set from `place.dir`:
//   fashion_mnist, mnist  IDX files train-images-idx3-ubyte,
//                         train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
//                         t10k-labels-idx1-ubyte, each plain or with ".gz"
//   cifar10               data_batch_1.bin .. data_batch_5.bin,
//                         test_batch.bin, batches.meta.txt
//   cifar100              train.bin, test.bin, fine_label_names.txt; labels
//                         are the 100 fine ones
//   folder                any folder of images, with or without labels (see
//                         folder.h), several, tar archives, or the images that
//                         `place.list` names (images.h); its stats are
//                         ImageNet's, or of bands empty (Normalize)
// CIFAR may also lie one folder below, in cifar-10-batches-bin or
// cifar-100-binary, as its archive unpacks. For fashion_mnist an empty
// `place.dir` means the copy that Bazel fetched (DefaultDataDir).
// channels: what the images of a folder are converted to, 1 or 3, or what they
// all have.
// Memory: the pixels and labels as int32; of a folder, the paths and labels.
// Errors: kInvalidArgument for an unknown name (names the nearest one);
// kNotFound for a missing folder or file (says what is expected there, and what
// to do with what is there: an archive, CIFAR's version for Python);
// kInvalidArgument for a file in place of the folder;
// kDataLoss for a file that contradicts itself or its partner (names the file
// and both values and says what to do); kInvalidArgument for a list with
// another data set; those of FindImages.
absl::StatusOr<Dataset> LoadDataset(absl::string_view name,
                                    const DataPlace& place, int channels = 3);

}  // namespace gsg

#endif  // GSG_TRAINERS_IMAGE_DATASET_H_
