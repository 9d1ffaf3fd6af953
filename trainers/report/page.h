#ifndef GSG_TRAINERS_REPORT_PAGE_H_
#define GSG_TRAINERS_REPORT_PAGE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gsg {

// What the pages share. `html`, `header`, `body` and `note` are HTML, `title`
// of a page is text.

// A whole page that needs nothing else.
std::string Page(absl::string_view title, absl::string_view header,
                 absl::string_view body);

std::string Section(absl::string_view title, absl::string_view note,
                    absl::string_view body);

// A table cell with a number and a bar, or a dash if it is not measured.
std::string ScoreCell(double percent);

// Writes beside `path` and renames, so that a reader never sees half a page.
// Errors: kNotFound, kPermissionDenied etc., naming the file.
absl::Status WritePage(const std::string& path, absl::string_view html);

}  // namespace gsg

#endif  // GSG_TRAINERS_REPORT_PAGE_H_
