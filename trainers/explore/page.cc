#include "trainers/explore/page.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "trainers/base/format.h"
#include "trainers/base/json.h"
#include "trainers/explore/answers.h"
#include "trainers/explore/duplicates.h"
#include "trainers/explore/sheets.h"

namespace gsg {
namespace {

constexpr char kStyle[] =
#include "trainers/explore/page/page.css.inc"
    ;
constexpr char kScript[] =
#include "trainers/explore/page/page.js.inc"
    ;
constexpr char kBody[] =
#include "trainers/explore/page/page.html.inc"
    ;

// Outliers and suspicious labels that the page has; the tables have all.
constexpr size_t kMostListed = 2000;
// Of all images: beyond this it is the features that are wrong.
constexpr double kTooManyWrong = 0.3;
constexpr int kHistogramBins = 100;
constexpr double kHistogramDecades = 4;

// Little-endian, as every machine with LibTorch is, in base64.
template <typename T>
std::string Packed(const std::vector<T>& values) {
  return absl::Base64Escape(absl::string_view(
      reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
}

template <typename To, typename From>
std::vector<To> Cast(const std::vector<From>& values) {
  return std::vector<To>(values.begin(), values.end());
}

// low .. high to 0 .. 65535.
uint16_t Quantized(double value, double low, double high) {
  const double share = (value - low) / std::max(high - low, 1e-30);
  return static_cast<uint16_t>(std::lround(65535 * std::clamp(share, 0., 1.)));
}

std::string Count(size_t number, absl::string_view one,
                  absl::string_view many) {
  return absl::StrCat(GroupedNumber(static_cast<double>(number)), " ",
                      number == 1 ? one : many);
}

void AddMap(const Answers& answers, Json* data) {
  float low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (const std::array<float, 2>& at : answers.map) {
    for (int c = 0; c < 2; ++c) {
      low[c] = std::min(low[c], at[c]);
      high[c] = std::max(high[c], at[c]);
    }
  }
  // One scale for both axes: distances are what the map shows.
  const float extent = std::max({high[0] - low[0], high[1] - low[1], 1e-30f});
  std::vector<uint16_t> places[2];
  for (const std::array<float, 2>& at : answers.map) {
    for (int c = 0; c < 2; ++c) {
      const float middle = (low[c] + high[c]) / 2;
      places[c].push_back(Quantized((at[c] - middle) / extent, -0.5, 0.5));
    }
  }
  (*data)["x"] = Packed(places[0]);
  (*data)["y"] = Packed(places[1]);
}

Json Groups(const Answers& answers) {
  Json groups = Json::array();
  for (size_t g = 0; g < answers.duplicates.size(); ++g) {
    Json group = Json::array();
    for (size_t m = 0; m < answers.duplicates[g].members.size(); ++m) {
      const DuplicateGroup::Member& member = answers.duplicates[g].members[m];
      group.push_back({member.index, std::round(member.cosine * 1e5) / 1e5,
                       static_cast<int>(answers.copies[g][m])});
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

Json Votes(const std::vector<LabelVote>& votes) {
  Json list = Json::array();
  for (const LabelVote& vote : votes) {
    if (list.size() == kMostListed) break;
    list.push_back({vote.index, vote.suggested,
                    std::round(vote.own * 1e3) / 1e3,
                    std::round(vote.other * 1e3) / 1e3});
  }
  return list;
}

Json Data(const Answers& answers, const PageContext& context) {
  const size_t n = answers.names.size();
  Json data;
  data["title"] = context.title;
  data["note"] = context.note;
  data["summary"] = Summary(answers, context.unreadable);
  data["images"] = context.images;
  data["thumbnail"] = context.thumbnail;
  data["columns"] = kSheetColumns;
  data["sheets"] = context.sheets;
  std::vector<uint32_t> slots(context.order.empty() ? 0 : n);
  for (size_t s = 0; s < context.order.size(); ++s) {
    slots[context.order[s]] = static_cast<uint32_t>(s);
  }
  data["slots"] = Packed(slots);
  data["count"] = n;
  // One name a line; line feeds in names are already "\n" in two characters.
  data["names"] = absl::StrJoin(answers.names, "\n");
  AddMap(answers, &data);
  data["k"] = answers.neighbors.k;
  data["neighbors"] = Packed(answers.neighbors.indices);
  std::vector<uint16_t> cosines;
  cosines.reserve(answers.neighbors.cosines.size());
  for (const float cosine : answers.neighbors.cosines) {
    cosines.push_back(Quantized(cosine, -1, 1));
  }
  data["cosines"] = Packed(cosines);
  data["clusters"] = answers.clusters.k;
  data["silhouette"] = std::isnan(answers.clusters.silhouette)
                           ? Json(nullptr)
                           : Json(answers.clusters.silhouette);
  data["cluster"] = Packed(Cast<uint16_t>(answers.clusters.cluster));
  data["centerDistance"] = Packed(answers.clusters.distance);
  data["classes"] = answers.folders.names;
  data["label"] = Packed(Cast<uint16_t>(answers.folders.labels));
  data["distance"] = Packed(answers.outliers.distance);
  data["factor"] = Packed(answers.outliers.factor);
  data["outliers"] = std::vector<int32_t>(
      answers.outliers.order.begin(),
      answers.outliers.order.begin() + std::min(n, kMostListed));
  data["threshold"] = answers.threshold;
  data["groups"] = Groups(answers);
  data["histogram"] = {
      {"decades", kHistogramDecades},
      {"counts",
       NearestHistogram(answers.neighbors, kHistogramBins, kHistogramDecades)}};
  data["looked"] = !context.order.empty();
  data["wrong"] = Votes(answers.labels.wrong);
  data["border"] = Votes(answers.labels.border);
  data["wrongCount"] = answers.labels.wrong.size();
  data["borderCount"] = answers.labels.border.size();
  return data;
}

// Text in HTML's content.
std::string Escaped(absl::string_view text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

}  // namespace

std::vector<std::string> Summary(const Answers& answers, int64_t unreadable) {
  const size_t n = answers.names.size();
  size_t spare = 0, exact = 0;
  for (size_t g = 0; g < answers.duplicates.size(); ++g) {
    spare += answers.duplicates[g].members.size() - 1;
    exact += std::count(answers.copies[g].begin(), answers.copies[g].end(),
                        Copy::kExact);
  }
  std::vector<std::string> sentences;
  std::string first =
      absl::StrCat(Count(n, "image", "images"), " in ",
                   Count(answers.clusters.k, "cluster", "clusters"));
  if (unreadable > 0) {
    absl::StrAppend(&first, "; ", Count(unreadable, "file", "files"),
                    " could not be read");
  }
  sentences.push_back(first + ".");
  if (spare == 0) {
    sentences.push_back("No picture is there twice.");
  } else {
    sentences.push_back(absl::StrCat(
        Count(spare, "image is a copy", "images are copies"), " of another",
        spare == 1 ? "" : " one",
        exact == 0 ? ""
        : exact == spare
            ? ", pixel by pixel"
            : absl::StrCat(", ", GroupedNumber(static_cast<double>(exact)),
                           " of them pixel by pixel"),
        "."));
  }
  if (!answers.folders.names.empty()) {
    const size_t wrong = answers.labels.wrong.size();
    sentences.push_back(
        wrong == 0 ? "Every image looks like its folder."
                   : absl::StrCat(Count(wrong, "image looks", "images look"),
                                  " more like another folder than like ",
                                  wrong == 1 ? "its" : "their", " own."));
    if (static_cast<double>(wrong) > kTooManyWrong * static_cast<double>(n)) {
      sentences.push_back(
          "So many that the features hardly know these folders: the list of "
          "labels says little.");
    }
  }
  return sentences;
}

std::string ExplorePage(const Answers& answers, const PageContext& context) {
  const std::string data =
      absl::StrReplaceAll(JsonText(Data(answers, context)), {{"<", "\\u003c"}});
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>",
      Escaped(context.title),
      "</title>\n<link rel=\"icon\" href=\"data:,\">\n"
      "<style>\n",
      kStyle, "</style>\n</head>\n<body>\n", kBody,
      "<script type=\"application/json\" id=\"data\">", data,
      "</script>\n<script>\n", kScript, "</script>\n</body>\n</html>\n");
}

}  // namespace gsg
