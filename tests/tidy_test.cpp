// Reads the tree and fails on what review should not have to look for: includes against the order of the layers, host
// headers and host words in the machine, a third-party library away from its home, long files and lines, blanks, units
// without a test, decisions without a number. Each rule is a function from a file to its offences, and is itself
// tested on a file that breaks it.

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/catch.hpp"
#include "tests/support/paths.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLongestFile = 500;
constexpr std::size_t kLongestLine = 120;
constexpr std::array<std::string_view, 5> kLayers = {"core", "devices", "replay", "gdbstub", "cli"};

/// A source file: its path from the root of the repository, its text, and its text in lines.
struct File {
  std::string path;
  std::string text;
  std::vector<std::string> lines;
};

using Offences = std::vector<std::string>;

File make_file(std::string path, std::string text) {
  File file{std::move(path), std::move(text), {}};
  std::string line;
  for (const char c : file.text) {
    if (c == '\n') {
      file.lines.push_back(std::exchange(line, {}));
    } else {
      line += c;
    }
  }
  if (!line.empty()) file.lines.push_back(line);
  return file;
}

bool starts_with(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

/// 0 for core and upwards; main.cpp is above all; nothing for what is in no layer (tests).
std::optional<std::size_t> layer_of(std::string_view path) {
  if (path == "main.cpp") return kLayers.size();
  const auto at = std::find(kLayers.begin(), kLayers.end(), path.substr(0, path.find('/')));
  if (at == kLayers.end()) return std::nullopt;
  return static_cast<std::size_t>(at - kLayers.begin());
}

/// core/ and devices/: what is in them must be a function of the guest's state and inputs alone.
bool is_machine(const File& file) { return layer_of(file.path).value_or(kLayers.size()) <= 1; }

/// The file without comments and without the contents of literals, line by line.
std::vector<std::string> code_lines(const File& file) {
  std::vector<std::string> result(1);
  char literal = 0;  // the quote that ends the literal we are in
  bool line_comment = false;
  bool block_comment = false;
  for (std::size_t i = 0; i < file.text.size(); ++i) {
    const char c = file.text[i];
    const char next = i + 1 < file.text.size() ? file.text[i + 1] : '\0';
    if (c == '\n') {
      line_comment = false;
      literal = 0;
      result.emplace_back();
    } else if (line_comment) {
      continue;
    } else if (block_comment) {
      if (c == '*' && next == '/') block_comment = false, ++i;
    } else if (literal != 0) {
      if (c == '\\') {
        ++i;
      } else if (c == literal) {
        literal = 0;
        result.back() += c;
      }
    } else if (c == '/' && next == '/') {
      line_comment = true;
    } else if (c == '/' && next == '*') {
      block_comment = true, ++i;
    } else {
      // A quote after a digit or a letter of a number separates digits: 10'000.
      const bool separator = c == '\'' && i > 0 && std::isxdigit(static_cast<unsigned char>(file.text[i - 1])) != 0;
      if (c == '"' || (c == '\'' && !separator)) literal = c;
      result.back() += c;
    }
  }
  return result;
}

std::string at_line(const File& file, std::size_t index, std::string_view what) {
  return file.path + ":" + std::to_string(index + 1) + ": " + std::string(what);
}

struct Include {
  std::size_t line;
  std::string name;
  bool quoted;
};

std::vector<Include> includes_of(const File& file) {
  static const std::regex form(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*)");
  std::vector<Include> result;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    std::smatch match;
    if (std::regex_match(file.lines[i], match, form)) result.push_back({i, match[2], match[1] == "\""});
  }
  return result;
}

Offences against_layers(const File& file) {
  Offences result;
  const auto own = layer_of(file.path);
  for (const Include& include : includes_of(file)) {
    if (!include.quoted) continue;
    const auto theirs = layer_of(include.name);
    if (!theirs && own) {
      result.push_back(at_line(file, include.line, include.name + " is in no layer (paths start at the root)"));
    } else if (theirs && own && *theirs > *own) {
      result.push_back(at_line(file, include.line, include.name + " is in a higher layer"));
    }
  }
  return result;
}

Offences host_headers(const File& file) {
  static const std::regex host(
      "chrono|ctime|time\\.h|random|thread|mutex|shared_mutex|condition_variable|future|filesystem|fstream|iostream|"
      "csignal|signal\\.h|unistd\\.h|fcntl\\.h|poll\\.h|pthread\\.h|termios\\.h|dirent\\.h|stdlib\\.h|sys/.*|arpa/.*|"
      "netinet/.*");
  Offences result;
  if (!is_machine(file)) return result;
  for (const Include& include : includes_of(file)) {
    if (!include.quoted && std::regex_match(include.name, host)) {
      result.push_back(at_line(file, include.line, "the machine knows no host: <" + include.name + ">"));
    }
  }
  return result;
}

/// A third-party header and where it may be included; several homes only where style.md's layout has several.
struct Home {
  const char* header;
  const char* path;
};
constexpr std::array kHomes = {
    Home{"capstone/.*", "core/disasm.*"},
    Home{"cereal/.*", "core/state.*"},
    Home{"(libelf|gelf|elf|dwarf|elfutils/.*)(\\.h)?", "core/elf.*"},
    Home{"(libfdt|libfdt_env|fdt)\\.h", "devices/fdt.*"},
    Home{"lz4.*", "replay/compress.*"},
    Home{"xxhash\\.h", "(core/state|core/hash|replay/compress).*"},
    Home{"readline/.*", "cli/repl.*"},
    Home{"catch2/.*", "tests/catch\\.hpp"},
};

Offences homeless_libraries(const File& file) {
  Offences result;
  for (const Include& include : includes_of(file)) {
    for (const Home& home : kHomes) {
      if (include.quoted || !std::regex_match(include.name, std::regex(home.header))) continue;
      if (!std::regex_match(file.path, std::regex(home.path))) {
        result.push_back(at_line(file, include.line, "<" + include.name + "> belongs in " + home.path));
      }
    }
  }
  return result;
}

struct Word {
  const char* pattern;
  const char* files;  // which paths the rule is for
  const char* reason;
  bool in_comments = false;
};
constexpr const char* kMachine = "(core|devices)/.*";
constexpr const char* kLayer = "(core|devices|replay|gdbstub|cli)/.*";
constexpr const char* kAnywhere = ".*";
constexpr std::array kWords = {
    Word{R"(\b(TODO|FIXME|XXX|HACK)\b)", kAnywhere, "an open end belongs in an issue", true},
    Word{R"(\b(float|double)\b)", "(core/(?!fp|isa/rv_[fd]).*|devices/.*)", "floating point lives in core/fp"},
    Word{R"(\b(s?rand|random_device|mt19937|getenv|gettimeofday|clock_gettime|system_clock|steady_clock)\b)", kMachine,
         "the machine knows no host"},
    Word{R"(\bthread_local\b)", kMachine, "the machine has no thread"},
    Word{R"(\bstd::(hash|unordered_\w+)\s*<[^<>]*\*)", kMachine, "pointers must not decide an order"},
    Word{R"(\bstd::(format|expected)\b)", kAnywhere, "g++ 12 has neither"},
    Word{R"(\b(malloc|realloc|strdup)\s*\()", kLayer, "values and unique_ptr own"},
    Word{R"(=\s*new\s+\w)", kLayer, "values and unique_ptr own"},
    Word{R"(^\s*using\s+namespace\b)", ".*\\.hpp", "a header must not open a namespace"},
    Word{R"(\bassert\s*\()", kLayer, "RV_CHECK is always on, assert is not"},
};

Offences forbidden_words(const File& file) {
  Offences result;
  const std::vector<std::string> code = code_lines(file);
  for (const Word& word : kWords) {
    if (!std::regex_match(file.path, std::regex(word.files))) continue;
    const std::regex pattern(word.pattern);
    const std::vector<std::string>& lines = word.in_comments ? file.lines : code;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      std::smatch match;
      if (!std::regex_search(lines[i], match, pattern)) continue;
      result.push_back(at_line(file, i, match.str() + ": " + word.reason));
    }
  }
  return result;
}

Offences bad_layout(const File& file) {
  Offences result;
  const bool is_code = file.path.ends_with(".cpp") || file.path.ends_with(".hpp");
  if (is_code && file.lines.size() > kLongestFile) {
    result.push_back(file.path + ": " + std::to_string(file.lines.size()) + " lines");
  }
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    // Length in characters: bytes that continue a UTF-8 sequence do not count.
    const auto length = static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
    if (length > kLongestLine) result.push_back(at_line(file, i, std::to_string(length) + " characters"));
    if (line.find('\t') != std::string::npos && file.path != "Makefile") result.push_back(at_line(file, i, "a tab"));
    if (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
      result.push_back(at_line(file, i, "a trailing blank"));
    }
  }
  if (!file.text.empty() && file.text.back() != '\n') result.push_back(file.path + ": no newline at the end");
  if (file.path.ends_with(".hpp")) {
    if (file.lines.empty() || !starts_with(file.lines[0], "//")) {
      result.push_back(file.path + ":1: a header starts with what it is and why");
    }
    if (std::find(file.lines.begin(), file.lines.end(), "#pragma once") == file.lines.end()) {
      result.push_back(file.path + ": no #pragma once");
    }
  }
  return result;
}

/// A unit a/b/c.cpp is tested by tests/c_test.cpp, or by any test that names it: includes a/b/c.hpp, or says a/b/c.
Offences untested_units(const std::vector<File>& files) {
  Offences result;
  for (const File& unit : files) {
    if (!unit.path.ends_with(".cpp") || !layer_of(unit.path) || unit.path == "main.cpp") continue;
    const std::string stem = unit.path.substr(0, unit.path.size() - 4);
    const std::string own_test = "tests/" + fs::path(stem).filename().string() + "_test.cpp";
    const std::regex name("(^|[^a-z_/])" + stem + "([^a-z_0-9]|$)");
    const bool tested = std::any_of(files.begin(), files.end(), [&](const File& file) {
      return file.path == own_test || (file.path.ends_with("_test.cpp") && std::regex_search(file.text, name));
    });
    if (!tested) result.push_back(unit.path + ": neither " + own_test + " nor a test that names it");
  }
  return result;
}

/// Decisions are NNNN-title.md, numbered from 0001 without a gap.
Offences misnumbered_decisions(std::vector<std::string> names) {
  static const std::regex form("([0-9]{4})-[a-z0-9][a-z0-9-]*\\.md");
  Offences result;
  std::sort(names.begin(), names.end());
  int expected = 1;
  for (const std::string& name : names) {
    std::smatch match;
    if (!std::regex_match(name, match, form)) {
      result.push_back("docs/adr/" + name + ": not NNNN-title.md");
      continue;
    }
    const int number = std::stoi(match[1]);
    if (number != expected) result.push_back("docs/adr/" + name + ": expected number " + std::to_string(expected));
    expected = number + 1;
  }
  return result;
}

File read(const fs::path& root, const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(in), {});
  return make_file(fs::relative(path, root).generic_string(), std::move(text));
}

/// Every source of ours: layers, tests (guests and data in tests/ as well), main.cpp, Makefile, scripts.
const std::vector<File>& tree() {
  static const std::vector<File> files = [] {
    const fs::path root = retrov::test::source_dir();
    std::vector<File> result;
    for (const char* folder : {"core", "devices", "replay", "gdbstub", "cli", "tests", "scripts"}) {
      if (!fs::exists(root / folder)) continue;
      for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
        static const std::regex ours(R"(.*\.(cpp|hpp|S|c|h|ld|py|sh)|.*/scripts/[a-z-]+)");
        if (entry.is_regular_file() && std::regex_match(entry.path().string(), ours)) {
          result.push_back(read(root, entry.path()));
        }
      }
    }
    for (const char* name : {"main.cpp", "Makefile"}) {
      if (fs::exists(root / name)) result.push_back(read(root, root / name));
    }
    std::sort(result.begin(), result.end(), [](const File& a, const File& b) { return a.path < b.path; });
    return result;
  }();
  return files;
}

template <class Rule>
Offences in_tree(Rule rule, std::string_view but_not = {}) {
  Offences result;
  for (const File& file : tree()) {
    if (file.path == but_not) continue;
    for (std::string& offence : rule(file)) result.push_back(std::move(offence));
  }
  return result;
}

const Offences kNone;

}  // namespace

TEST_CASE("tidy: the tree is found", "[tidy]") {
  CHECK(std::any_of(tree().begin(), tree().end(), [](const File& file) { return file.path == "core/types.hpp"; }));
  CHECK(std::any_of(tree().begin(), tree().end(), [](const File& file) { return file.path == "scripts/deps"; }));
}

TEST_CASE("tidy: no layer includes a higher one", "[tidy]") {
  CHECK(in_tree(against_layers) == kNone);
  CHECK(against_layers(make_file("core/a.cpp", "#include \"devices/uart.hpp\"\n")).size() == 1);
  CHECK(against_layers(make_file("core/a.cpp", "#include \"types.hpp\"\n")).size() == 1);
  CHECK(against_layers(make_file("replay/a.cpp", "#include \"core/types.hpp\"\n")).empty());
}

TEST_CASE("tidy: the machine includes no host header", "[tidy]") {
  CHECK(in_tree(host_headers) == kNone);
  CHECK(host_headers(make_file("devices/a.cpp", "#include <sys/types.h>\n#include <chrono>\n")).size() == 2);
  CHECK(host_headers(make_file("cli/a.cpp", "#include <chrono>\n")).empty());
}

TEST_CASE("tidy: each third-party library has one home", "[tidy]") {
  CHECK(in_tree(homeless_libraries) == kNone);
  CHECK(homeless_libraries(make_file("core/a.cpp", "#include <capstone/capstone.h>\n")).size() == 1);
  CHECK(homeless_libraries(make_file("core/disasm.cpp", "#include <capstone/capstone.h>\n")).empty());
}

TEST_CASE("tidy: words stay out of where they do harm", "[tidy]") {
  CHECK(in_tree(forbidden_words, "tests/tidy_test.cpp") == kNone);
  CHECK(forbidden_words(make_file("core/a.cpp", "int x; // TODO: later\n")).size() == 1);
  CHECK(forbidden_words(make_file("core/a.cpp", "double x = 1'000;\n")).size() == 1);
  CHECK(forbidden_words(make_file("core/fp_host.cpp", "double x;\n")).empty());
  CHECK(forbidden_words(make_file("core/a.cpp", "// a double\nauto s = \"double\"; /* float\n float */\n")).empty());
  CHECK(forbidden_words(make_file("devices/a.cpp", "int x = rand();\nstd::unordered_map<P*, int> m;\n")).size() == 2);
  CHECK(forbidden_words(make_file("cli/a.hpp", "using namespace std;\n")).size() == 1);
}

TEST_CASE("tidy: files and lines are short and clean", "[tidy]") {
  CHECK(in_tree(bad_layout) == kNone);
  CHECK(bad_layout(make_file("core/a.cpp", std::string(121, 'x') + "\n")).size() == 1);
  CHECK(bad_layout(make_file("core/a.cpp", "\tx\ny \nz")).size() == 3);
  CHECK(bad_layout(make_file("core/a.hpp", "int x;\n")).size() == 2);
  std::string long_file;
  for (std::size_t i = 0; i <= kLongestFile; ++i) long_file += "x\n";
  CHECK(bad_layout(make_file("core/a.cpp", long_file)).size() == 1);
}

TEST_CASE("tidy: each unit has a test", "[tidy]") {
  CHECK(untested_units(tree()) == kNone);
  const File unit = make_file("core/isa/rv_x.cpp", "\n");
  CHECK(untested_units({unit, make_file("tests/other_test.cpp", "// covers core/isa/rv_xy and rv_x\n")}).size() == 1);
  CHECK(untested_units({unit, make_file("tests/other_test.cpp", "// covers core/isa/rv_x\n")}).empty());
  CHECK(untested_units({unit, make_file("tests/rv_x_test.cpp", "\n")}).empty());
}

TEST_CASE("tidy: decisions are numbered without a gap", "[tidy]") {
  std::vector<std::string> names;
  const fs::path folder = fs::path(retrov::test::source_dir()) / "docs/adr";
  if (fs::exists(folder)) {
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  }
  CHECK(misnumbered_decisions(names) == kNone);
  CHECK(misnumbered_decisions({"0001-a.md", "0003-b.md"}).size() == 1);
  CHECK(misnumbered_decisions({"0001-a.md", "0001-b.md"}).size() == 1);
  CHECK(misnumbered_decisions({"0001-a.md", "two.md"}).size() == 1);
  CHECK(misnumbered_decisions({"0002-b.md", "0001-a.md"}).empty());
}
