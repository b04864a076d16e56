/// Results as a JUnit report.
#include <fmt/format.h>

#include <algorithm>

#include "harness/results.hpp"

namespace forkproof::harness {

namespace {

/// Text for an attribute or an element. XML 1.0 has no way to write most control characters, and
/// bytes that are not ASCII may be no UTF-8: both become `?`.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out += c >= ' ' && c <= '~' ? c : '?';
    }
  }
  return out;
}

std::string test_case(const Case& c) {
  std::string out =
      fmt::format("    <testcase classname=\"forkproof.{}\" name=\"{}\" time=\"{:.6f}\"",
                  escaped(c.system), escaped(c.name), c.seconds);
  if (c.violation)
    out +=
        fmt::format(">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>\n",
                    escaped(c.violation->id), escaped(c.violation->says),
                    escaped(report(*c.violation, c.reproduce)));
  else if (!c.error.empty())
    out += fmt::format(">\n      <error message=\"{}\"/>\n    </testcase>\n", escaped(c.error));
  else if (!c.skipped.empty())
    out += fmt::format(">\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(c.skipped));
  else
    out += "/>\n";
  return out;
}

}  // namespace

std::string to_junit(const Results& r) {
  std::vector<std::string> engines;
  for (const Case& c : r.cases)
    if (std::ranges::find(engines, c.engine) == engines.end()) engines.push_back(c.engine);

  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"forkproof\">\n";
  for (const std::string& engine : engines) {
    Results suite;
    std::string cases;
    for (const Case& c : r.cases) {
      if (c.engine != engine) continue;
      cases += test_case(c);
      suite.seconds += c.seconds;
      suite.cases.push_back(c);
    }
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
        "time=\"{:.6f}\">\n{}  </testsuite>\n",
        escaped(engine), suite.cases.size(), suite.violations(), suite.errors(), suite.skipped(),
        suite.seconds, cases);
  }
  return out + "</testsuites>\n";
}

}  // namespace forkproof::harness
