#include "trainers/image/image_list.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gsg_core/status_macros.h"
#include "trainers/image/file_source.h"
#include "trainers/image/folder_scan.h"
#include "trainers/image/images.h"
#include "trainers/image/passed_over.h"
#include "trainers/image/tar_index.h"

namespace gsg {
namespace {

namespace fs = std::filesystem;

// The values of a line of CSV. False if quotes make no sense.
bool SplitCsv(absl::string_view line, std::vector<std::string>* values) {
  values->clear();
  for (;;) {
    std::string value;
    if (absl::ConsumePrefix(&line, "\"")) {
      for (;;) {
        const size_t quote = line.find('"');
        if (quote == line.npos) return false;
        absl::StrAppend(&value, line.substr(0, quote));
        line.remove_prefix(quote + 1);
        if (!absl::ConsumePrefix(&line, "\"")) break;
        value.push_back('"');
      }
      if (!line.empty() && line[0] != ',') return false;
    } else {
      value = std::string(line.substr(0, line.find(',')));
      line.remove_prefix(value.size());
    }
    values->push_back(std::move(value));
    if (!absl::ConsumePrefix(&line, ",")) return true;
  }
}

// The lines of a text, without what ends them.
class Lines {
 public:
  explicit Lines(absl::string_view text) : left_(text) {
    absl::ConsumePrefix(&left_, "\xEF\xBB\xBF");  // as Windows begins a text
  }

  // False at the end.
  bool Next(absl::string_view* line) {
    if (left_.empty()) return false;
    *line = left_.substr(0, left_.find('\n'));
    left_.remove_prefix(std::min(left_.size(), line->size() + 1));
    absl::ConsumeSuffix(line, "\r");
    ++number_;
    return true;
  }

  int64_t number() const { return number_; }  // of the last line, from 1

 private:
  absl::string_view left_;
  int64_t number_ = 0;
};

// Where in a line of CSV things are; -1 for what is not there.
struct Columns {
  int path = -1, label = -1, split = -1;
  size_t count = 0;
};

Columns FindColumns(absl::string_view header) {
  Columns columns;
  std::vector<std::string> names;
  if (!SplitCsv(header, &names)) return columns;
  columns.count = names.size();
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string name =
        absl::AsciiStrToLower(absl::StripAsciiWhitespace(names[i]));
    for (const auto& [wanted, place] :
         {std::pair<const char*, int*>{"path", &columns.path},
          {"label", &columns.label},
          {"split", &columns.split}}) {
      if (name == wanted && *place < 0) *place = static_cast<int>(i);
    }
  }
  return columns;
}

struct Line {
  int64_t number = 0;
  std::string path, label;
};

struct List {
  bool has_labels = false;
  std::vector<Line> train, val, test;
  Findings passed_over;
};

absl::Status BadLine(const std::string& list, int64_t number,
                     absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(list, ": line ", number, ": ", what));
}

absl::StatusOr<List> Parse(const std::string& path, absl::string_view text) {
  List list;
  Lines lines(text);
  absl::string_view line;
  Columns columns;
  if (lines.Next(&line)) columns = FindColumns(line);
  const bool csv = columns.path >= 0;
  list.has_labels = columns.label >= 0;
  if (!csv) lines = Lines(text);
  std::vector<std::string> values;
  while (lines.Next(&line)) {
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    const auto bad = [&](absl::string_view what) {
      return BadLine(path, lines.number(), what);
    };
    if (absl::StrContains(line, '\0')) return bad("it is no text");
    if (!csv) {
      values = {std::string(line)};
      columns.path = 0;
    } else if (!SplitCsv(line, &values)) {
      return bad("a quotation mark has no partner");
    } else if (values.size() != columns.count) {
      return bad(absl::StrCat(values.size(), " values for ", columns.count,
                              " columns; put values with commas in quotation "
                              "marks"));
    }
    Line entry;
    entry.number = lines.number();
    entry.path = values[columns.path];
    if (entry.path.empty()) return bad("the path is missing");
    if (!IsImageName(entry.path)) {
      ++list.passed_over.formats[SuffixOf(entry.path)];
      list.passed_over.other = entry.path;
      continue;
    }
    if (columns.label >= 0) entry.label = values[columns.label];
    Split split = Split::kTrain;
    if (columns.split >= 0) {
      const std::string& name = values[columns.split];
      split = name.empty() ? Split::kTrain : SplitOf(name);
      if (split == Split::kNone) {
        return bad(absl::StrCat("split \"", name,
                                "\"; train, val and test are known"));
      }
    }
    (split == Split::kTrain ? list.train
     : split == Split::kVal ? list.val
                            : list.test)
        .push_back(std::move(entry));
  }
  return list;
}

// Whether all labels are numbers, so that 10 comes after 9.
bool AreNumbers(const std::map<std::string, int32_t>& labels) {
  int64_t value = 0;
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    return absl::SimpleAtoi(label.first, &value);
  });
}

absl::StatusOr<std::vector<std::string>> ClassesOf(
    const std::string& path, const std::vector<Line>& lines) {
  std::map<std::string, int32_t> labels;
  for (const Line& line : lines) {
    if (line.label.empty()) {
      return BadLine(path, line.number, "the label is missing");
    }
    labels.insert({line.label, 0});
  }
  std::vector<std::string> classes;
  for (const auto& [label, number] : labels) classes.push_back(label);
  if (AreNumbers(labels)) {
    const auto value = [](const std::string& label) {
      int64_t number = 0;
      return absl::SimpleAtoi(label, &number) ? number : 0;
    };
    std::stable_sort(classes.begin(), classes.end(),
                     [&](const std::string& a, const std::string& b) {
                       return value(a) < value(b);
                     });
  }
  return classes;
}

// classes: empty for no labels.
absl::StatusOr<std::unique_ptr<ImageSource>> Source(
    const std::string& path, const std::vector<Line>& lines,
    const std::vector<std::string>& classes, int channels) {
  std::map<std::string, int32_t> numbers;
  for (size_t i = 0; i < classes.size(); ++i) {
    numbers[classes[i]] = static_cast<int32_t>(i);
  }
  const std::string parent = fs::path(path).parent_path().string();
  const std::string folder = parent.empty() ? "." : parent;
  const bool absolute = std::any_of(
      lines.begin(), lines.end(),
      [](const Line& line) { return absl::StartsWith(line.path, "/"); });
  std::vector<std::string> paths;
  std::vector<int32_t> labels;
  std::vector<FileInTar> in_tar;
  TarIndex index;
  for (const Line& line : lines) {
    const std::string whole = absl::StartsWith(line.path, "/")
                                  ? line.path
                                  : absl::StrCat(folder, "/", line.path);
    paths.push_back(absolute ? whole : line.path);
    const absl::StatusOr<FileInTar> place = index.Find(whole);
    if (!place.ok()) {
      return absl::Status(
          place.status().code(),
          BadLine(path, line.number, place.status().message()).message());
    }
    in_tar.push_back(*place);
    if (classes.empty()) continue;
    const auto number = numbers.find(line.label);
    if (number == numbers.end()) {
      return BadLine(path, line.number,
                     absl::StrCat("label \"", line.label,
                                  "\" is that of no training image"));
    }
    labels.push_back(number->second);
  }
  const bool any =
      std::any_of(in_tar.begin(), in_tar.end(),
                  [](const FileInTar& place) { return place.archive > 0; });
  if (!any) in_tar.clear();
  return std::make_unique<FileSource>(absolute ? "" : folder, paths,
                                      std::move(labels), channels,
                                      std::move(in_tar));
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--data_list=", path,
        " is a folder, not a list of images; pass --data_dir=", path));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::NotFoundError(
        absl::StrCat("--data_list=", path, " cannot be opened"));
  }
  const auto bytes = fs::file_size(path, error);
  constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
  if (error || bytes > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--data_list=", path, ": no regular file, or larger than 1 GiB"));
  }
  std::string text(bytes, '\0');
  file.read(&text[0], static_cast<std::streamsize>(bytes));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace

absl::StatusOr<Images> ReadImageList(const std::string& path, int channels) {
  GSG_RETURN_IF_ERROR(CheckChannels(channels));
  GSG_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  GSG_ASSIGN_OR_RETURN(const List list, Parse(path, text));
  if (list.train.empty()) {
    return absl::NotFoundError(absl::StrCat(
        path,
        " names no image to train on; expected is a path a line, or CSV "
        "whose header has the column path, and label and split if there are "
        "any",
        list.passed_over.others() > 0
            ? absl::StrCat(". Other files: ", FormatsIn(list.passed_over),
                           HeifAdvice(list.passed_over))
            : ""));
  }
  Images images;
  const std::vector<Line>& test = list.val.empty() ? list.test : list.val;
  const bool scored = list.has_labels && !test.empty();
  if (scored) {
    GSG_ASSIGN_OR_RETURN(images.classes, ClassesOf(path, list.train));
    GSG_ASSIGN_OR_RETURN(images.test,
                         Source(path, test, images.classes, channels));
    if (!list.val.empty() && !list.test.empty()) {
      images.notes.push_back(absl::StrCat(Plural(list.test.size(), "image"),
                                          " of split test not used: val is "
                                          "scored"));
    }
  } else if (list.has_labels) {
    images.notes.push_back(
        "the labels are not used: nothing is scored without a column split "
        "with some val");
  } else if (!test.empty()) {
    images.notes.push_back(absl::StrCat(
        Plural(test.size(), "image"),
        " of another split than train not used: there is no column label"));
  }
  GSG_ASSIGN_OR_RETURN(std::unique_ptr<ImageSource> train,
                       Source(path, list.train, images.classes, channels));
  const auto& files = static_cast<const FileSource&>(*train);
  if (files.Stamp(0).empty()) {
    return absl::NotFoundError(absl::StrCat(
        path, ": line ", list.train.front().number, ": ", files.path(0),
        " does not exist; paths are relative to the folder of the list"));
  }
  images.train = std::move(train);
  for (std::string& note : NotesOn(list.passed_over)) {
    images.notes.push_back(std::move(note));
  }
  return images;
}

}  // namespace gsg
