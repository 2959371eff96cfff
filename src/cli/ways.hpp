// How the files of an output were written, and why so: --explain.
#pragma once

#include <cstdio>
#include <vector>

#include <weighbridge/write.hpp>

#include <CLI/App.hpp>

#include "cli/json.hpp"

namespace weighbridge::cli {

CLI::Option* add_explain(CLI::App& app, bool& explain);

/// One indented line.
void print_way(std::FILE* stream, const WriteReport& report);

/// A member "way" for each of `files`, which stand in the order of `reports`.
void add_ways(Json& files, const std::vector<WriteReport>& reports);

}  // namespace weighbridge::cli
