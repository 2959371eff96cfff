#include "conversation.hpp"

#include <chrono>
#include <cstdio>
#include <iostream>

#include <unistd.h>

namespace bench {
namespace {

template <typename Action>
double seconds_of(Action action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::string next_line() {
  std::string line;
  std::getline(std::cin, line);
  return line;
}

/// As a string of JSON.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '\n') {
      result += "\\n";
    } else if (c == '"' || c == '\\') {
      (result += '\\') += c;
    } else {
      result += c;
    }
  }
  return result + '"';
}

}  // namespace

void converse(Work& work) {
  std::printf("{\"ready\": %d}\n", static_cast<int>(getpid()));
  std::fflush(stdout);
  next_line();
  const double seconds = seconds_of([&] { work.run(); });
  std::printf("{\"seconds\": %.9f}\n", seconds);
  std::fflush(stdout);
  const std::string listing = next_line() == "\"name\"" ? quoted(work.listing()) : "null";
  const double teardown = seconds_of([&] { work.drop(); });
  std::printf("{\"teardown\": %.9f, \"digest\": %s}\n", teardown, listing.c_str());
  std::fflush(stdout);
}

}  // namespace bench
