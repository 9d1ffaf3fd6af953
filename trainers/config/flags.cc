#include "trainers/config/flags.h"

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "trainers/config/config.h"
#include "trainers/config/field.h"
#include "trainers/config/nearest.h"
#include "trainers/config/values.h"

namespace gsg {
namespace {

constexpr size_t kHelpColumn = 32;
constexpr size_t kHelpWidth = 80;
constexpr absl::string_view kGeneral = "General";

// One flag: its name and default, then its description in a column.
class HelpFormatter : public CLI::Formatter {
 public:
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
};

std::string Introduction(absl::string_view method, absl::string_view recipe) {
  return absl::StrCat(
      method,
      " learns image features without labels, measures them by k-NN\n"
      "classification, and keeps its config, metrics and checkpoints in a "
      "folder.\n\nExample:\n  ",
      method, " --recipe=", recipe,
      " --epochs=2 --output_dir=first_run\n\n"
      "Values below are those of --recipe=",
      recipe,
      ". Flags override --config,\nand --config overrides the recipe.\n");
}

// A CLI11 parser of every flag, each as text.
struct Parser {
  struct Flag {
    CLI::Option* option = nullptr;
    std::string text;
  };

  Parser() {
    app.formatter(std::make_shared<HelpFormatter>());
    app.set_help_flag();
    app.allow_extras();
    AddFlag("help", "--help,-h", "this text, for the chosen recipe", kGeneral);
    AddFlag("list_recipes", "--list_recipes", "what recipes there are",
            kGeneral);
    AddFlag("print_config", "--print_config",
            "the config that would run, as JSON", kGeneral);
    AddOption("config", "JSON file with values, as a run's config.json",
              kGeneral);
    VisitFields(Config(), [this](const auto& value, const Field& field) {
      const std::string allowed = AllowedText(field);
      const std::string description =
          allowed.empty() ? std::string(field.help)
                          : absl::StrCat(field.help, " [", allowed, "]");
      if constexpr (std::is_same_v<decltype(value), const bool&>) {
        AddFlag(field.name,
                absl::StrCat("--", field.name, ",!--no", field.name),
                description, field.group);
      } else {
        AddOption(field.name, description, field.group);
      }
    });
  }

  // `spellings` as CLI11 wants them; "!" marks the one that means false.
  void AddFlag(absl::string_view name, const std::string& spellings,
               const std::string& description, absl::string_view group) {
    Flag& flag = flags[std::string(name)];
    flag.option = app.add_flag(spellings, flag.text, description);
    flag.option->group(std::string(group));
  }

  void AddOption(absl::string_view name, const std::string& description,
                 absl::string_view group) {
    Flag& flag = flags[std::string(name)];
    flag.option =
        app.add_option(absl::StrCat("--", name), flag.text, description);
    flag.option->group(std::string(group))
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
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
    for (const auto& item : flags) names.push_back(item.first);
    return absl::InvalidArgumentError(absl::StrCat(
        "unknown flag ", flag, "; ",
        DidYouMean(flag.substr(start), names, "--"), "--help lists them all"));
  }

  CLI::App app;
  std::map<std::string, Flag> flags;  // By name; nodes stay in place.
};

absl::Status MissingValue(absl::string_view argument) {
  return absl::InvalidArgumentError(
      absl::StrCat(argument, ": the value is missing"));
}

}  // namespace

absl::StatusOr<GivenFlags> ParseFlags(int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    // CLI11 would take the next argument as the value.
    if (absl::StartsWith(argv[i], "--") && absl::EndsWith(argv[i], "=")) {
      return MissingValue(argv[i]);
    }
  }
  Parser parser;
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::ArgumentMismatch&) {
    // The only way left: the last argument is a flag that takes a value.
    return MissingValue(argv[argc - 1]);
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  for (const std::string& extra : parser.app.remaining()) {
    if (extra != "--") return parser.Unknown(extra);
  }
  GivenFlags given;
  for (const auto& [name, flag] : parser.flags) {
    const size_t count = flag.option->count();
    if (count > 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", name, ": given ", count, " times; give it once"));
    }
    if (count == 1) given[name] = flag.text;
  }
  return given;
}

std::string HelpText(absl::string_view method, const Config& values) {
  Parser parser;
  parser.flags["config"].option->default_str("FILE");
  VisitFields(values, [&](const auto& value, const Field& field) {
    parser.flags[std::string(field.name)].option->default_str(ValueText(value));
  });
  parser.app.description(Introduction(method, values.recipe));
  parser.app.name(std::string(method));
  // CLI11 puts two blank lines between groups.
  return absl::StrReplaceAll(parser.app.help(), {{"\n\n\n", "\n\n"}});
}

}  // namespace gsg
