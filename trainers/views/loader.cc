#include "trainers/views/loader.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gsg_core/status_macros.h"
#include "trainers/augment/augment.h"
#include "trainers/augment/options.h"
#include "trainers/augment/params.h"
#include "trainers/augment/view_random.h"
#include "trainers/base/memory.h"
#include "trainers/image/damaged_images.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"

namespace gsg {
namespace {

// Random streams are numbered with 32 bits; the last view number is kept for
// the order of the epoch, which belongs to no image.
constexpr int64_t kStreams = int64_t{1} << 32;
constexpr uint32_t kOrderView = 0xFFFFFFFF;

absl::Status AtLeast(const char* name, int64_t value, int64_t low) {
  if (value >= low) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("loader: ", name, " = ", value,
                                                 ", expected at least ", low));
}

}  // namespace

absl::Status Validate(int64_t images, int channels,
                      const AugmentOptions& augment,
                      const LoaderOptions& options) {
  for (const absl::Status& s :
       {AtLeast("batch_size", options.batch_size, 1),
        AtLeast("views", options.views, 1),
        AtLeast("local_views", options.local_views, 0),
        AtLeast("threads", options.threads, 1),
        AtLeast("prefetch", options.prefetch, 0),
        AtLeast("parts", options.parts, 1), AtLeast("part", options.part, 0),
        Validate(augment, channels)}) {
    if (!s.ok()) return s;
  }
  if (options.local_views > 0) {
    absl::Status s = Validate(options.local_augment, channels);
    if (!s.ok()) return s;
  }
  if (options.part >= options.parts ||
      options.batch_size % options.parts != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "loader: part ", options.part, " of ", options.parts, " of a batch of ",
        options.batch_size,
        ", expected one below the number of parts, which divides the batch"));
  }
  if (images >= kStreams) {
    return absl::InvalidArgumentError(absl::StrCat(
        "loader: ", images, " images, expected fewer than ", kStreams));
  }
  if (options.batch_size > images) {
    return absl::InvalidArgumentError(absl::StrCat(
        "loader: batch_size = ", options.batch_size,
        " is larger than the data set of ", images,
        " images, so an epoch would have no batch; lower the batch size"));
  }
  return absl::OkStatus();
}

absl::Status CheckStart(int64_t epoch, int64_t first_batch, int64_t batches) {
  if (epoch < 0 || epoch >= kStreams) {
    return absl::OutOfRangeError(absl::StrCat(
        "loader: epoch ", epoch, ", expected 0 to ", kStreams - 1));
  }
  if (first_batch < 0 || first_batch > batches) {
    return absl::OutOfRangeError(absl::StrCat("loader: first batch ",
                                              first_batch, " of an epoch of ",
                                              batches, " batches"));
  }
  return absl::OkStatus();
}

std::vector<int64_t> EpochOrder(int64_t count, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  ViewRandom random(seed, static_cast<uint32_t>(epoch), /*index=*/0,
                    kOrderView);
  for (int64_t i = count - 1; i > 0; --i) {
    std::swap(order[i], order[random.Below(static_cast<uint32_t>(i + 1))]);
  }
  return order;
}

absl::StatusOr<std::unique_ptr<BatchLoader>> BatchLoader::Create(
    const ImageSource* source, const AugmentOptions& augment,
    const LoaderOptions& options, DamagedImages* damaged) {
  GSG_RETURN_IF_ERROR(
      Validate(source->size(), source->channels(), augment, options));
  return std::unique_ptr<BatchLoader>(
      new BatchLoader(source, augment, options, damaged));
}

BatchLoader::BatchLoader(const ImageSource* source,
                         const AugmentOptions& augment,
                         const LoaderOptions& options, DamagedImages* damaged)
    : source_(*source),
      augment_(augment),
      options_(options),
      batches_per_epoch_(source->size() / options.batch_size),
      damaged_(*damaged),
      epoch_status_(absl::FailedPreconditionError(
          "loader: Next before the first StartEpoch")),
      claimed_(batches_per_epoch_),
      delivered_(batches_per_epoch_),
      slots_(options.threads + options.prefetch) {
  for (int i = 0; i < options.threads; ++i) {
    threads_.emplace_back([this] { Work(); });
  }
}

BatchLoader::~BatchLoader() {
  cancelled_ = true;
  {
    absl::MutexLock lock(&mutex_);
    stop_ = true;
  }
  for (std::thread& thread : threads_) thread.join();
}

void BatchLoader::StartEpoch(int64_t epoch, int64_t first_batch) {
  cancelled_ = true;
  absl::MutexLock lock(&mutex_);
  // No new batch is claimed from here on ...
  claimed_ = delivered_ = batches_per_epoch_;
  // ... and those being made are let go after at most one image each.
  mutex_.Await(absl::Condition(this, &BatchLoader::NoOneWorks));
  cancelled_ = false;
  for (Slot& slot : slots_) slot.ready = false;

  epoch_status_ = CheckStart(epoch, first_batch, batches_per_epoch_);
  if (!epoch_status_.ok()) return;
  epoch_ = epoch;
  order_ = EpochOrder(source_.size(), options_.seed, epoch);
  claimed_ = delivered_ = first_batch;
}

absl::StatusOr<bool> BatchLoader::Next(Batch* batch) {
  absl::MutexLock lock(&mutex_);
  if (!epoch_status_.ok()) return epoch_status_;
  if (delivered_ == batches_per_epoch_) return false;
  mutex_.Await(absl::Condition(this, &BatchLoader::SlotIsReady));
  Slot& slot = slots_[delivered_ % slots_.size()];
  for (const auto& [index, reason] : slot.damage) {
    epoch_status_.Update(damaged_.Add(source_, index, reason));
  }
  epoch_status_.Update(slot.status);
  if (!epoch_status_.ok()) return epoch_status_;
  std::swap(*batch, slot.batch);
  slot.ready = false;
  ++delivered_;
  return true;
}

bool BatchLoader::WorkOrStop() const {
  return stop_ || (claimed_ < batches_per_epoch_ &&
                   claimed_ < delivered_ + static_cast<int64_t>(slots_.size()));
}

bool BatchLoader::SlotIsReady() const {
  return slots_[delivered_ % slots_.size()].ready;
}

bool BatchLoader::NoOneWorks() const { return working_ == 0; }

void BatchLoader::Work() {
  Tools tools{Augmenter(augment_),
              Augmenter(options_.local_augment),
              source_.MakeReader(),
              {}};
  absl::MutexLock lock(&mutex_);
  while (true) {
    mutex_.Await(absl::Condition(this, &BatchLoader::WorkOrStop));
    if (stop_) return;
    const int64_t n = claimed_++;
    Slot& slot = slots_[n % slots_.size()];
    ++working_;
    mutex_.Unlock();
    const absl::Status made = OrMemoryError(
        [&] {
          Make(n, &tools, &slot);
          return absl::OkStatus();
        },
        "while a batch was made");
    if (!made.ok()) slot.status = made;
    mutex_.Lock();
    --working_;
    slot.ready = true;
  }
}

absl::StatusOr<Image> BatchLoader::Decode(int64_t index, int64_t stands_for,
                                          Tools* tools) const {
  GSG_ASSIGN_OR_RETURN(const ImageSize size, tools->reader->Open(index));
  tools->params.clear();
  int reduction = 8;
  const auto add_view = [&](const AugmentOptions& augment) {
    tools->params.push_back(SampleParams(
        augment, options_.seed, epoch_, stands_for,
        static_cast<uint32_t>(tools->params.size()), size.height, size.width));
    const int smallest =
        std::min({tools->params.back().crop_height,
                  tools->params.back().crop_width, size.height, size.width});
    while (reduction > 1 && smallest < reduction * augment.size) {
      reduction /= 2;
    }
  };
  for (int v = 0; v < options_.views; ++v) add_view(augment_);
  for (int v = 0; v < options_.local_views; ++v) {
    add_view(options_.local_augment);
  }
  return tools->reader->Decode(reduction);
}

void BatchLoader::Make(int64_t n, Tools* tools, Slot* slot) const {
  Batch& batch = slot->batch;
  const int64_t view_floats =
      source_.channels() * augment_.size * augment_.size;
  batch.size = options_.batch_size / options_.parts;
  batch.channels = source_.channels();
  batch.side = augment_.size;
  batch.views = options_.views;
  batch.local_side = options_.local_augment.size;
  batch.local_views = options_.local_views;
  const int64_t local_floats =
      source_.channels() * batch.local_side * batch.local_side;
  const auto begin =
      order_.begin() + n * options_.batch_size + options_.part * batch.size;
  batch.indices.assign(begin, begin + batch.size);
  batch.pixels.resize(batch.views * batch.size * view_floats);
  batch.local_pixels.resize(batch.local_views * batch.size * local_floats);
  slot->damage.clear();
  slot->status = absl::OkStatus();
  for (int64_t b = 0; b < batch.size; ++b) {
    const int64_t stands_for = batch.indices[b];
    absl::StatusOr<Image> image = absl::UnknownError("not read yet");
    while (true) {
      if (cancelled_) return;
      const int64_t index = batch.indices[b];
      image = Decode(index, stands_for, tools);
      if (image.ok()) break;
      slot->damage.emplace(index, image.status());
      if (damaged_.TooMany(source_,
                           static_cast<int64_t>(slot->damage.size()))) {
        return;
      }
      batch.indices[b] = (index + 1) % source_.size();
    }
    for (int v = 0; v < batch.views; ++v) {
      tools->augmenter.Apply(
          *image, tools->params[v],
          batch.pixels.data() + (v * batch.size + b) * view_floats);
    }
    for (int v = 0; v < batch.local_views; ++v) {
      tools->local_augmenter.Apply(
          *image, tools->params[batch.views + v],
          batch.local_pixels.data() + (v * batch.size + b) * local_floats);
    }
  }
}

}  // namespace gsg
