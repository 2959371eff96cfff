// Work for the benchmark suite in bench/suite, through the public headers alone.
//
//   weighbridge_bench measure WORK ARGUMENT...   prepares it and holds the conversation
//   weighbridge_bench count WORK ARGUMENT...     does it once inside weighbridge_counted(), for callgrind
//   weighbridge_bench about                      prints what it was built with
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <stdexcept>
#include <vector>

#include "conversation.hpp"
#include "work.hpp"

/// What callgrind is told to count.
extern "C" [[gnu::noinline]] void weighbridge_counted(bench::Work& work);
void weighbridge_counted(bench::Work& work) { work.run(); }

namespace bench {
namespace {

#ifdef __clang__
constexpr const char* kCompiler = "clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif
#ifdef NDEBUG
constexpr const char* kKind = "release";
#else
constexpr const char* kKind = "debug";
#endif

}  // namespace

WorkPtr make_work(const std::string& name, Arguments arguments) {
  static const std::map<std::string, std::function<WorkPtr(Arguments)>> known = {
      {"checkpoint", make_checkpoint},
      {"column", make_column},
      {"copy_columns", make_copy_columns},
      {"device_read", make_device_read},
      {"device_write", make_device_write},
      {"fill", make_fill},
      {"keep", make_keep},
      {"open", make_open},
      {"open_alone", make_open_alone},
      {"open_in_turn", make_open_in_turn},
      {"parse", make_parse},
      {"read", make_read},
      {"serialize", make_serialize},
  };
  const auto found = known.find(name);
  if (found == known.end() || arguments.empty()) {
    throw std::invalid_argument("there is no work '" + name + "' with these arguments");
  }
  return found->second(arguments);
}

}  // namespace bench

int main(int count, char** words) try {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.size() == 1 && arguments[0] == "about") {
    std::printf("%s, %s\n", bench::kCompiler, bench::kKind);
    return 0;
  }
  if (arguments.size() < 3 || (arguments[0] != "measure" && arguments[0] != "count")) {
    throw std::invalid_argument("usage: weighbridge_bench measure|count WORK ARGUMENT...");
  }
  const bench::WorkPtr work = bench::make_work(arguments[1], bench::Arguments(arguments).subspan(2));
  if (arguments[0] == "measure") {
    bench::converse(*work);
  } else {
    weighbridge_counted(*work);
    std::printf("%zu bytes listed\n", work->listing().size());
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "weighbridge_bench: %s\n", error.what());
  return 2;
}
