#include "trainers/image/normalize.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/channel_stats.h"
#include "trainers/image/dataset.h"
#include "trainers/image/image.h"
#include "trainers/image/image_source.h"
#include "trainers/image/survey.h"

namespace gsg {
namespace {

absl::Status Bad(absl::string_view how, absl::string_view problem) {
  return absl::InvalidArgumentError(
      absl::StrCat("--normalize=", how, ": ", problem));
}

bool IsName(absl::string_view how) {
  return how == "auto" || how == "imagenet" || how == "measured";
}

// Numbers in 0..1; `positive`: and not 0.
bool ParseNumbers(absl::string_view text, bool positive,
                  std::vector<double>* numbers) {
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    double number;
    if (!absl::SimpleAtod(part, &number) || !(number >= 0 && number <= 1) ||
        (positive && number == 0)) {
      return false;
    }
    numbers->push_back(number);
  }
  return true;
}

// Of MEAN:STD, with as many numbers as were written.
absl::StatusOr<ChannelStats> ParseStats(absl::string_view how) {
  const std::vector<absl::string_view> halves = absl::StrSplit(how, ':');
  ChannelStats stats;
  if (halves.size() != 2 || !ParseNumbers(halves[0], false, &stats.mean) ||
      !ParseNumbers(halves[1], true, &stats.std)) {
    return Bad(how,
               "use auto, imagenet, measured, or MEAN:STD of pixels in 0..1, "
               "such as 0.5:0.25 or 0.49,0.48,0.45:0.25,0.24,0.26");
  }
  return stats;
}

absl::Status Spread(absl::string_view how, size_t channels,
                    std::vector<double>* numbers) {
  if (numbers->size() == 1) numbers->resize(channels, numbers->front());
  if (numbers->size() == channels) return absl::OkStatus();
  return Bad(how, absl::StrCat(numbers->size(), " numbers, and images have ",
                               channels, " channel", channels == 1 ? "" : "s"));
}

absl::StatusOr<ChannelStats> MeasureSample(const ImageSource& source) {
  ChannelSums sums(source.channels());
  GSG_RETURN_IF_ERROR(VisitSample(
      source, /*count=*/500, /*reduction=*/1,
      [&](const ImageSize&, const Image& image) { sums.Add(image); }));
  return sums.stats();
}

}  // namespace

absl::Status CheckNormalize(absl::string_view how) {
  return IsName(how) ? absl::OkStatus() : ParseStats(how).status();
}

absl::Status Normalize(absl::string_view how, Dataset* dataset) {
  const int channels = dataset->train->channels();
  if (how == "imagenet") {
    dataset->stats = ImageNetChannels(channels);
    if (dataset->stats.mean.empty()) {
      return Bad(how, absl::StrCat("images have ", channels,
                                   " channels, ImageNet's 3: use measured"));
    }
  } else if (how == "measured" || how == "auto") {
    // Sets in memory have been measured.
    const bool known = dataset->name != "folder" ||
                       (how == "auto" && !dataset->stats.mean.empty());
    if (known) return absl::OkStatus();
    GSG_ASSIGN_OR_RETURN(dataset->stats, MeasureSample(*dataset->train));
  } else {
    GSG_ASSIGN_OR_RETURN(ChannelStats stats, ParseStats(how));
    GSG_RETURN_IF_ERROR(Spread(how, channels, &stats.mean));
    GSG_RETURN_IF_ERROR(Spread(how, channels, &stats.std));
    dataset->stats = std::move(stats);
  }
  return absl::OkStatus();
}

}  // namespace gsg
