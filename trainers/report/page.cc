#include "trainers/report/page.h"

#include <cerrno>
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "trainers/report/html.h"
#include "trainers/report/page_style.h"

namespace gsg {

std::string Page(absl::string_view title, absl::string_view header,
                 absl::string_view body) {
  const std::string escaped = EscapeHtml(title);
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>",
      escaped, "</title>\n<style>", kPageStyle,
      "</style>\n</head>\n<body>\n<main>\n<header><h1>", escaped, "</h1>\n",
      header, "</header>\n", body, "</main>\n</body>\n</html>\n");
}

std::string Section(absl::string_view title, absl::string_view note,
                    absl::string_view body) {
  return absl::StrCat("<section><h2>", title, "</h2>\n<p>", note, "</p>\n",
                      body, "</section>\n");
}

std::string ScoreCell(double percent) {
  if (!Measured(percent)) return "<td>–</td>";
  return absl::StrCat("<td>", FormatNumber(percent, 2),
                      "<span class=\"bar\"><i style=\"width:", Svg(percent),
                      "%\"></i></span></td>");
}

absl::Status WritePage(const std::string& path, absl::string_view html) {
  const std::string partial = path + ".partial";
  std::FILE* file = std::fopen(partial.c_str(), "wb");
  if (file == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open ", partial));
  }
  bool written = std::fwrite(html.data(), 1, html.size(), file) == html.size();
  int error = errno;
  if (std::fclose(file) != 0 && written) {
    written = false;
    error = errno;
  }
  if (written && std::rename(partial.c_str(), path.c_str()) != 0) {
    written = false;
    error = errno;
  }
  if (written) return absl::OkStatus();
  std::remove(partial.c_str());
  return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", path));
}

}  // namespace gsg
