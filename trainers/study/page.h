#ifndef GSG_TRAINERS_STUDY_PAGE_H_
#define GSG_TRAINERS_STUDY_PAGE_H_

#include <string>
#include <utility>
#include <vector>

#include "trainers/study/study.h"
#include "trainers/study/table.h"

namespace gsg {

struct StudyPageData {
  const Study* study = nullptr;
  const StudyResults* results = nullptr;
  const StudyTable* table = nullptr;
  // As shown: runs, versions, and so on.
  std::vector<std::pair<std::string, std::string>> facts;
  std::string command;  // that repeats it
  // Every run: its name and the address of its own page, "" if it has none.
  std::vector<std::pair<std::string, std::string>> runs;
};

// One HTML page: the tables, the curves of the arms (mean over the finished
// runs, shaded from the least to the most), the settings in which they differ,
// and how to repeat it. Needs nothing else, and has no script; text is escaped.
std::string RenderStudyPage(const StudyPageData& data);

}  // namespace gsg

#endif  // GSG_TRAINERS_STUDY_PAGE_H_
