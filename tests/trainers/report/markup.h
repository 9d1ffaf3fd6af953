#ifndef GSG_TESTS_TRAINERS_REPORT_MARKUP_H_
#define GSG_TESTS_TRAINERS_REPORT_MARKUP_H_

#include <cctype>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace gsg {

// The first fault of the nesting of tags in an HTML fragment, or "" if every
// tag that opens is closed in order. Attribute values are quoted and hold no
// '>'; `void_tags` need no end.
inline std::string NestingFault(absl::string_view html) {
  const std::vector<std::string> void_tags = {"!DOCTYPE", "meta", "img", "br"};
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != absl::string_view::npos;
       at = html.find('<', at)) {
    const size_t end = html.find('>', at);
    if (end == absl::string_view::npos) {
      return absl::StrCat("unfinished tag at ", at);
    }
    absl::string_view tag = html.substr(at + 1, end - at - 1);
    at = end;
    const bool closes = !tag.empty() && tag.front() == '/';
    const bool empty = !tag.empty() && tag.back() == '/';
    if (closes) tag.remove_prefix(1);
    std::string name;
    for (const char c : tag) {
      if (c != '!' && !std::isalnum(static_cast<unsigned char>(c))) break;
      name += c;
    }
    if (name.empty()) return absl::StrCat("bare '<' before ", end);
    if (closes) {
      if (open.empty() || open.back() != name) {
        return absl::StrCat("</", name, "> closes ",
                            open.empty() ? "nothing" : open.back());
      }
      open.pop_back();
      continue;
    }
    bool is_void = empty;
    for (const std::string& v : void_tags) is_void = is_void || v == name;
    if (!is_void) open.push_back(name);
  }
  return open.empty() ? "" : absl::StrCat("<", open.back(), "> stays open");
}

// How often `part` occurs in `text`.
inline int Count(absl::string_view text, absl::string_view part) {
  int count = 0;
  for (size_t at = text.find(part); at != absl::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace gsg

#endif  // GSG_TESTS_TRAINERS_REPORT_MARKUP_H_
