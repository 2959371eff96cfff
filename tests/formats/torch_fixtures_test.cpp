// Every checkpoint of the fixtures against what torch itself made of it: one row a file, and the
// count of each outcome. Skipped where the fixtures are absent.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <weighbridge/checkpoint.hpp>
#include <weighbridge/convert.hpp>
#include <weighbridge/hash.hpp>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/temp_folder.hpp"

namespace weighbridge {
namespace {

namespace fs = std::filesystem;
using test::TempFolder;
using Json = nlohmann::json;

enum class Outcome { Exact, Empty, Unchecked, Refused, Failed };

constexpr std::array<std::string_view, 5> kOutcomeNames = {
    "converted exactly", "no tensors, as the oracle says", "converted, no oracle",
    "refused for a documented reason", "failed"};

struct Row {
  std::string file;
  Outcome outcome = Outcome::Failed;
  std::string detail;
};

fs::path fixtures() { return WEIGHBRIDGE_FIXTURES; }

/// Files that are refused for a reason that docs/formats/ states, and the error that says so.
struct Refusal {
  std::string_view file;
  ErrorCode code;
  std::string_view words;
};

constexpr std::array kRefusals = {
    Refusal{"int_and_tuple_keys.pt", ErrorCode::NameCollision, "two tensors would be named"},
    Refusal{"zip_complex_unsupported.pt", ErrorCode::Unsupported, "no dtype for complex128"},
    Refusal{"zip_meta.pt", ErrorCode::Unsupported, "have no data"},
    // The bytes of an array without its shape; the pickle that they belong to is elsewhere.
    Refusal{"joblib_joblib__data_joblib_0.9.4.dev0_compressed_cache_size_pickle_py35_np19.gz_01.npy.z",
            ErrorCode::UnknownFormat, ""}};

/// The file with the same tensors, for those for which no oracle was written.
std::string oracle_name(const std::string& file) {
  if (file == "allenai_allennlp__serialization_model.tar.gz")
    return "allenai_allennlp__simple_tagger_best.th";
  return file.starts_with("raw_tensor_p") ? "zip_state_dict.pt" : file;
}

std::string dtype_of(const std::string& torch_name) {
  static const std::map<std::string, std::string> kNames = {{"float64", "F64"},
                                                            {"float32", "F32"},
                                                            {"float16", "F16"},
                                                            {"bfloat16", "BF16"},
                                                            {"int64", "I64"},
                                                            {"int32", "I32"},
                                                            {"int16", "I16"},
                                                            {"int8", "I8"},
                                                            {"uint8", "U8"},
                                                            {"uint16", "U16"},
                                                            {"uint32", "U32"},
                                                            {"uint64", "U64"},
                                                            {"bool", "BOOL"},
                                                            {"complex64", "C64"},
                                                            {"float8_e4m3fn", "F8_E4M3"},
                                                            {"float8_e5m2", "F8_E5M2"},
                                                            {"float8_e4m3fnuz", "F8_E4M3FNUZ"},
                                                            {"float8_e5m2fnuz", "F8_E5M2FNUZ"},
                                                            {"qint8", "I8"},
                                                            {"quint8", "U8"},
                                                            {"qint32", "I32"}};
  const auto found = kNames.find(torch_name);
  return found == kNames.end() ? torch_name : found->second;
}

/// What is wrong with one tensor, or nothing.
std::string difference(const TensorEntry* entry, const std::string& name, const Json& expected) {
  if (entry == nullptr) return fmt::format("'{}' is missing", name);
  const std::string dtype(dtype_name(entry->spec.dtype));
  if (dtype != dtype_of(expected.at("dtype").get<std::string>()))
    return fmt::format("'{}' is {}", name, dtype);
  if (entry->spec.shape != expected.at("shape").get<Shape>()) {
    return fmt::format("'{}' has shape {}", name, shape_text(entry->spec.shape));
  }
  if (sha256(*entry) != expected.at("sha256").get<std::string>())
    return fmt::format("'{}' has other bytes", name);
  return {};
}

Row compare(Row row, const Checkpoint& checkpoint, bool torchscript, const Json& oracle) {
  for (const auto& [key, expected] : oracle.items()) {
    const std::string name = key.empty() ? "tensor" : key;
    row.detail = difference(checkpoint.find(name), name, expected);
    if (!row.detail.empty()) return row;
  }
  // TorchScript keeps tensors that are plain attributes, which state_dict() leaves out; quantized
  // tensors have a scale and a zero point beside them.
  const std::size_t more = checkpoint.tensors.size() - oracle.size();
  const bool quantized = row.file == "zip_quant.pt" && more == 2 * oracle.size();
  row.detail = fmt::format("{} tensors", oracle.size());
  if (more > 0) row.detail += fmt::format(", {} {} more", more, quantized ? "parameters" : "attributes");
  if (more > 0 && !torchscript && !quantized) return row;
  row.outcome = oracle.empty() ? Outcome::Empty : Outcome::Exact;
  return row;
}

/// Every tensor can be read although nobody says what is in it.
Row read_all(Row row, const Checkpoint& checkpoint) {
  for (const TensorEntry& entry : checkpoint.tensors) sha256(entry);
  row.outcome = Outcome::Unchecked;
  row.detail = fmt::format("{} tensors", checkpoint.tensors.size());
  return row;
}

Row refused(Row row, const Error& error) {
  row.detail = error.what();
  for (const Refusal& refusal : kRefusals) {
    const bool worded = row.detail.find(refusal.words) != std::string::npos;
    if (refusal.file == row.file && refusal.code == error.code() && worded) row.outcome = Outcome::Refused;
  }
  return row;
}

/// Every tensor of the file under its full path, tied ones too.
ConvertOptions everything() {
  ConvertOptions options;
  options.open.key = ".";
  options.shared = SharedPolicy::Copy;
  options.allow_empty = true;
  return options;
}

/// Converts the file and compares the tensors of the output.
Row check(const fs::path& path, const Json& oracles) {
  Row row{.file = path.filename().string(), .outcome = Outcome::Failed, .detail = {}};
  try {
    const bool torchscript = open_checkpoint(path).format.starts_with("torchscript");
    const TempFolder folder;
    convert(path, folder / "out.safetensors", everything());
    const Checkpoint output = open_checkpoint(folder / "out.safetensors");
    const auto oracle = oracles.find(oracle_name(row.file));
    return oracle == oracles.end() ? read_all(std::move(row), output)
                                   : compare(std::move(row), output, torchscript, *oracle);
  } catch (const Error& error) {
    return refused(std::move(row), error);
  }
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

class TorchFixtures : public ::testing::TestWithParam<const char*> {};

TEST_P(TorchFixtures, ConvertExactlyOrAreRefusedForAStatedReason) {
  const fs::path folder = fixtures() / GetParam();
  if (fixtures().empty() || !fs::exists(folder / "oracle.json")) GTEST_SKIP() << "no fixtures at " << folder;
  std::ifstream file(folder / "oracle.json");
  const Json oracles = Json::parse(file);

  std::array<int, kOutcomeNames.size()> counts{};
  for (const fs::path& path : files_in(folder)) {
    const Row row = check(path, oracles);
    const auto index = static_cast<std::size_t>(row.outcome);
    ++counts[index];
    fmt::print("{:<75} {:<30} {}\n", row.file, kOutcomeNames[index], row.detail);
    EXPECT_NE(row.outcome, Outcome::Failed) << row.file << ": " << row.detail;
  }
  for (std::size_t i = 0; i < counts.size(); ++i) fmt::print("{:>4} {}\n", counts[i], kOutcomeNames[i]);
}

INSTANTIATE_TEST_SUITE_P(All, TorchFixtures, ::testing::Values("generated", "real"),
                         [](const auto& suite) { return std::string(suite.param); });

bool names_danger(const Checkpoint& checkpoint) {
  return std::ranges::any_of(checkpoint.findings, [](const Finding& finding) {
    return finding.severity == Severity::Danger && finding.code == "DangerousGlobal";
  });
}

/// What became of a hostile file: "danger", the name of an error, or "harmless".
std::string verdict(const fs::path& path) {
  try {
    const Checkpoint checkpoint = open_checkpoint(path);
    std::ignore = checkpoint.extras->list(100);
    std::ignore = checkpoint.extras->to_json(Limits{});
    return names_danger(checkpoint) ? "danger" : "harmless";
  } catch (const Error& error) {
    return std::string(error_code_name(error.code()));
  }
}

/// Nested containers, and a list of three texts: a burden for loaders at most.
bool names_nothing(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.find("Laughs") != std::string::npos || name.ends_with("malicious6.pkl");
}

TEST(TorchMaliciousFixtures, AreReportedOrRefused) {
  const fs::path folder = fixtures() / "malicious";
  if (fixtures().empty() || !fs::exists(folder)) GTEST_SKIP() << "no fixtures at " << folder;
  const std::set<std::string> accepted = {"danger",          "DangerousContent",    "MalformedArchive",
                                          "MalformedPickle", "MalformedCheckpoint", "Unsupported",
                                          "UnknownFormat",   "LimitExceeded"};
  for (const fs::path& path : files_in(folder)) {
    const std::string found = verdict(path);
    fmt::print("{:<75} {}\n", path.filename().string(), found);
    EXPECT_TRUE(accepted.contains(found) || (found == "harmless" && names_nothing(path)))
        << path << ": " << found;
  }
}

}  // namespace
}  // namespace weighbridge
