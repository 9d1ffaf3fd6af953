#include "trainers/config/flags.h"

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "trainers/base/did_you_mean.h"
#include "trainers/base/version.h"

namespace gsg {
namespace {

constexpr size_t kHelpColumn = 32;
constexpr size_t kHelpWidth = 80;
constexpr absl::string_view kHelp = "help";

// One flag: its name and default, then its description in a column.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) {}

  std::string make_usage(const CLI::App*, std::string) const override {
    return usage_;
  }

  std::string make_option(const CLI::Option* option, bool) const override {
    std::string line = absl::StrCat("  --", option->get_lnames().front());
    if (!option->get_default_str().empty()) {
      absl::StrAppend(&line, "=", option->get_default_str());
    }
    std::string text;
    // A long name has the first line to itself.
    if (line.size() + 2 > kHelpColumn) {
      text = absl::StrCat(line, "\n");
      line.clear();
    }
    line.resize(kHelpColumn, ' ');
    for (absl::string_view word :
         absl::StrSplit(option->get_description(), ' ')) {
      if (line.size() + word.size() > kHelpWidth) {
        line.pop_back();
        absl::StrAppend(&text, line, "\n");
        line.assign(kHelpColumn, ' ');
      }
      absl::StrAppend(&line, word, " ");
    }
    line.pop_back();
    return absl::StrCat(text, line, "\n");
  }

 private:
  const std::string usage_;
};

// How CLI11 is told a flag's spellings; "!" marks the one that means false.
std::string Spellings(const Flag& flag) {
  std::string spellings = absl::StrCat("--", flag.name);
  if (flag.kind == Flag::Kind::kBoolean) {
    absl::StrAppend(&spellings, ",!--no", flag.name);
  }
  if (flag.name == kHelp) absl::StrAppend(&spellings, ",-h");
  return spellings;
}

// A CLI11 parser of the flags, each as text.
struct Parser {
  struct Option {
    CLI::Option* option = nullptr;
    std::string text;
  };

  explicit Parser(const std::vector<Flag>& flags) {
    app.set_help_flag();
    app.allow_extras();
    for (const Flag& flag : flags) {
      Option& added = options[flag.name];
      if (flag.kind == Flag::Kind::kValue) {
        added.option = app.add_option(Spellings(flag), added.text, flag.help);
        added.option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
      } else {
        added.option = app.add_flag(Spellings(flag), added.text, flag.help);
      }
      added.option->group(flag.group)->default_str(flag.value);
    }
  }

  absl::Status Unknown(absl::string_view argument) const {
    const size_t start = argument.find_first_not_of('-');
    if (start == 0 || start == argument.npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("unexpected argument \"", argument,
                       "\"; flags are written --name=value"));
    }
    const absl::string_view flag = argument.substr(0, argument.find('='));
    std::vector<absl::string_view> names;
    for (const auto& item : options) names.push_back(item.first);
    if (flag == "--pretrained" || flag == "--weights") {
      return absl::InvalidArgumentError(absl::StrCat(
          "unknown flag ", flag,
          "; training starts from random weights, and a run's own weights are "
          "continued with --resume --output_dir=RUN"));
    }
    return absl::InvalidArgumentError(absl::StrCat(
        "unknown flag ", flag, "; ",
        DidYouMean(flag.substr(start), names, "--"), "--help lists them all"));
  }

  CLI::App app;
  std::map<std::string, Option> options;  // By name; nodes stay in place.
};

absl::Status MissingValue(absl::string_view argument) {
  return absl::InvalidArgumentError(
      absl::StrCat(argument, ": the value is missing"));
}

}  // namespace

Flag HelpFlag(absl::string_view help) {
  return {std::string(kHelp), Flag::Kind::kSwitch, "General", std::string(help),
          ""};
}

Flag VersionFlag() {
  return {"version", Flag::Kind::kSwitch, "General", "the program's version",
          ""};
}

std::string VersionText(absl::string_view program) {
  return absl::StrCat(program, " ", Version(), "\n");
}

absl::StatusOr<GivenFlags> ParseFlags(const std::vector<Flag>& flags, int argc,
                                      const char* const* argv,
                                      std::vector<std::string>* arguments) {
  for (int i = 1; i < argc; ++i) {
    // CLI11 would take the next argument as the value.
    if (absl::StartsWith(argv[i], "--") && absl::EndsWith(argv[i], "=")) {
      return MissingValue(argv[i]);
    }
  }
  Parser parser(flags);
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::ArgumentMismatch&) {
    // The only way left: the last argument is a flag that takes a value.
    return MissingValue(argv[argc - 1]);
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  for (const std::string& extra : parser.app.remaining()) {
    if (extra == "--") continue;
    if (arguments == nullptr || absl::StartsWith(extra, "-")) {
      return parser.Unknown(extra);
    }
    arguments->push_back(extra);
  }
  GivenFlags given;
  for (const auto& [name, flag] : parser.options) {
    const size_t count = flag.option->count();
    if (count > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, ": given ", count, " times; give it once"));
    }
    if (count == 1) given[name] = flag.text;
  }
  return given;
}

std::string HelpText(absl::string_view program, absl::string_view introduction,
                     const std::vector<Flag>& flags,
                     absl::string_view arguments) {
  Parser parser(flags);
  parser.app.description(std::string(introduction));
  parser.app.formatter(std::make_shared<HelpFormatter>(
      absl::StrCat("Usage: ", program, " [--flag=value ...]",
                   arguments.empty() ? "" : " ", arguments, "\n")));
  // CLI11 puts two blank lines between groups.
  return absl::StrReplaceAll(parser.app.help(), {{"\n\n\n", "\n\n"}});
}

}  // namespace gsg
