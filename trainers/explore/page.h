#ifndef GSG_TRAINERS_EXPLORE_PAGE_H_
#define GSG_TRAINERS_EXPLORE_PAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "trainers/explore/answers.h"

namespace gsg {

// What the page shows besides the answers.
struct PageContext {
  std::string title;  // e.g. the folder's name
  std::string note;   // where the features are from, when; one line
  // Where the page finds the images themselves, with "/" at its end: relative
  // to it, or absolute. Empty: it shows thumbnails only.
  std::string images;
  int thumbnail = 96;               // side in pixels
  std::vector<int32_t> order;       // SheetOrder; empty: no thumbnails
  std::vector<std::string> sheets;  // paths of their files, relative
  int64_t unreadable = 0;           // files that are left out
};

// In plain words, what is in the folder: three sentences or so.
std::vector<std::string> Summary(const Answers& answers, int64_t unreadable);

// One HTML page: the map, galleries and what they show, with its script, style
// and all data. It makes no request but for the sheets and, where an image is
// opened, for that image. Text is escaped; what is not UTF-8 in names is
// replaced.
std::string ExplorePage(const Answers& answers, const PageContext& context);

}  // namespace gsg

#endif  // GSG_TRAINERS_EXPLORE_PAGE_H_
