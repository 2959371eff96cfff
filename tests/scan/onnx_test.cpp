#include <gtest/gtest.h>

#include "scan/support.hpp"
#include "support/onnx_builder.hpp"

namespace weighbridge::scan_test {
namespace {

using test::onnx_graph;
using test::onnx_model;
using test::onnx_node;
using test::onnx_tensor;
using test::Proto;

constexpr std::uint64_t kU8 = 2;

ScanReport scan_onnx(const std::string& model) { return scan_bytes(model, "model.onnx"); }

std::string external(std::string_view location) {
  return Proto().number(1, 1).number(2, kU8).bytes(8, "w").number(14, 1).bytes(
      13, Proto().bytes(1, "location").bytes(2, location));
}

/// The finding of that code in a model that is judged so.
void expect_finding(const std::string& model, std::string_view code, Verdict verdict) {
  const ScanReport report = scan_onnx(model);
  EXPECT_EQ(report.format, "onnx");
  EXPECT_EQ(report.verdict, verdict);
  EXPECT_NE(find_finding(report, code), nullptr) << code;
}

std::string node_model(std::string_view node, std::string_view more = {}) {
  return onnx_model(Proto().bytes(1, node), more);
}

TEST(ScanOnnx, AModelOfKnownOperatorsIsClean) {
  const std::string graph = Proto()
                                .bytes(1, onnx_node("Relu", Proto().bytes(1, "a")))
                                .bytes(5, onnx_tensor("v", kU8, 1, "a"))
                                .bytes(5, external("data"));
  const ScanReport report = scan_onnx(onnx_model(graph));
  EXPECT_EQ(report.verdict, Verdict::Clean);
  EXPECT_EQ(report.format, "onnx");
  EXPECT_TRUE(report.findings.empty());
}

TEST(ScanOnnx, PathsOutOfTheFolderAreDangerousWhereverTheyStand) {
  expect_finding(onnx_model(onnx_graph(external("../../etc/passwd"))), "ExternalPath", Verdict::Dangerous);
  expect_finding(onnx_model(onnx_graph(external("*/_ORT_MEM_ADDR_/*"))), "ExternalPath", Verdict::Dangerous);
  const std::string branch = onnx_graph(external("/etc/passwd"));
  expect_finding(node_model(onnx_node("If", Proto().bytes(1, "then").bytes(6, branch))), "ExternalPath",
                 Verdict::Dangerous);
  const std::string sparse =
      Proto().bytes(1, onnx_tensor("s", kU8, 1, "a")).bytes(2, external("/etc/passwd"));
  expect_finding(onnx_model(Proto().bytes(15, sparse)), "ExternalPath", Verdict::Dangerous);
}

TEST(ScanOnnx, FilesOfContextNodesAreJudgedAlike) {
  const auto model = [](std::string_view file) {
    return node_model(onnx_node("EPContext", Proto().bytes(1, "ep_cache_context").bytes(4, file)));
  };
  expect_finding(model("../engine.bin"), "ContextFile", Verdict::Dangerous);
  EXPECT_EQ(scan_onnx(model("engine.bin")).verdict, Verdict::Clean);
}

TEST(ScanOnnx, OperatorsOfOtherDomainsNeedNativeCode) {
  const std::string node = Proto().bytes(4, "Op").bytes(7, "own");
  expect_finding(node_model(node), "CustomOperators", Verdict::Unknown);
  const std::string function = Proto().bytes(25, Proto().bytes(1, "Op").bytes(10, "own"));
  EXPECT_EQ(scan_onnx(node_model(node, function)).verdict, Verdict::Clean);
  EXPECT_EQ(scan_onnx(node_model(Proto().bytes(4, "Gelu").bytes(7, "com.microsoft"))).verdict,
            Verdict::Clean);
}

TEST(ScanOnnx, OperatorsInPythonAreDangerous) {
  expect_finding(node_model(Proto().bytes(4, "PyOp").bytes(7, "ai.onnx.contrib")), "PythonOperator",
                 Verdict::Dangerous);
  expect_finding(node_model(Proto().bytes(4, "x").bytes(7, "pyopmulti_1")), "PythonOperator",
                 Verdict::Dangerous);
}

TEST(ScanOnnx, LibrariesInTheMetadataAreNamed) {
  const std::string property = Proto().bytes(14, Proto().bytes(1, "custom_ops").bytes(2, "/lib/ops.so"));
  expect_finding(onnx_model(onnx_graph(onnx_tensor("w", kU8, 1, "a")), property), "LibraryNamed",
                 Verdict::Unknown);
}

TEST(ScanOnnx, AModelThatBreaksItsFormatIsMalformed) {
  const std::string tensor = onnx_tensor("w", kU8, 1, "a") + std::string(Proto().bytes(9, "b"));
  EXPECT_EQ(scan_onnx(onnx_model(onnx_graph(tensor))).verdict, Verdict::Malformed);
}

}  // namespace
}  // namespace weighbridge::scan_test
