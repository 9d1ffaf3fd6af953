#include "trainers/image/hold_out.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image_set.h"
#include "trainers/image/image_set_source.h"

namespace gsg {
namespace {

void Append(const ImageSet& from, int64_t index, ImageSet* to) {
  const int64_t bytes = from.channels * from.height * from.width;
  const auto begin = from.pixels.begin() + index * bytes;
  to->pixels.insert(to->pixels.end(), begin, begin + bytes);
  to->labels.push_back(from.labels[index]);
  ++to->count;
}

}  // namespace

absl::Status HoldOut(int64_t count, Dataset* dataset) {
  const auto* source =
      dynamic_cast<const ImageSetSource*>(dataset->train.get());
  const auto bad = [count](const auto&... why) {
    return absl::InvalidArgumentError(
        absl::StrCat("--validation=", count, ": ", why...));
  };
  if (source == nullptr || source->labels().empty()) {
    return bad(
        "is for data sets in memory with labels; give a folder its own "
        "train/<class>/ and val/<class>/");
  }
  const ImageSet& all = source->images();
  const int64_t classes = dataset->classes.size();
  if (count % classes != 0) {
    return bad("must be a multiple of the ", classes, " classes");
  }
  std::vector<int64_t> left(classes);  // of a class, still to be held out
  std::vector<int64_t> size(classes);
  for (const int32_t label : all.labels) ++size[label];
  for (int64_t c = 0; c < classes; ++c) {
    left[c] = count / classes;
    if (size[c] <= left[c]) {
      return bad("class ", dataset->classes[c], " has ", size[c],
                 " training images, and must have more than ", left[c]);
    }
  }
  std::vector<bool> held_out(all.count);
  for (int64_t i = all.count - 1; i >= 0; --i) {
    held_out[i] = left[all.labels[i]]-- > 0;
  }
  ImageSet train, validation;
  for (ImageSet* set : {&train, &validation}) {
    set->channels = all.channels;
    set->height = all.height;
    set->width = all.width;
  }
  for (int64_t i = 0; i < all.count; ++i) {
    Append(all, i, held_out[i] ? &validation : &train);
  }
  dataset->train = std::make_unique<ImageSetSource>(std::move(train), "train");
  dataset->test =
      std::make_unique<ImageSetSource>(std::move(validation), "validation");
  return absl::OkStatus();
}

}  // namespace gsg
