#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/special_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

OpenOptions split() {
  OpenOptions options;
  options.split_complex = true;
  return options;
}

/// A tensor over storage `type` with the flags that are given.
SpecialFile flagged(std::string_view type, const std::string& content, std::int64_t elements,
                    const std::vector<std::string>& flags) {
  SpecialFile file;
  std::vector<std::pair<py::Value, py::Value>> metadata;
  for (const std::string& flag : flags) metadata.emplace_back(py::text(flag), py::boolean(true));
  const py::Value storage = file.storage(type, content, elements);
  file.add("w", py::utils("_rebuild_tensor_v2",
                          {storage, py::integer(0), py::tuple_of({elements}), py::tuple_of({1}),
                           py::boolean(false), py::dict({}), py::dict(metadata)}));
  return file;
}

/// 0+1i, 2+3i
SpecialFile complex(const std::vector<std::string>& flags) {
  return flagged("ComplexFloatStorage", floats(4), 2, flags);
}

TEST(TorchComplex, WithoutFlagsIsTheStorageItself) {
  EXPECT_THAT(floats_of(complex({}).load().tensors[0]), ElementsAre(0, 1, 2, 3));
}

TEST(TorchComplex, ConjNegatesImaginaryParts) {
  const Checkpoint checkpoint = complex({"conj"}).load();
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::C64, {2}}));
  EXPECT_THAT(floats_of(checkpoint.tensors[0]), ElementsAre(0, -1, 2, -3));
}

TEST(TorchComplex, NegNegatesEverything) {
  EXPECT_THAT(floats_of(complex({"neg"}).load().tensors[0]), ElementsAre(-0.0F, -1, -2, -3));
  EXPECT_THAT(floats_of(flagged("FloatStorage", floats(3), 3, {"neg"}).load().tensors[0]),
              ElementsAre(-0.0F, -1, -2));
  EXPECT_THAT(bytes_of(flagged("CharStorage", std::string("\0\1\x80", 3), 3, {"neg"}).load().tensors[0]),
              ElementsAre(0, 255, 128));
}

TEST(TorchComplex, NegOfAConjugateLeavesImaginaryParts) {
  EXPECT_THAT(floats_of(complex({"neg", "conj"}).load().tensors[0]), ElementsAre(-0.0F, 1, -2, 3));
}

TEST(TorchComplex, ConjOfRealNumbersChangesNothing) {
  EXPECT_THAT(floats_of(flagged("FloatStorage", floats(2), 2, {"conj"}).load().tensors[0]),
              ElementsAre(0, 1));
}

TEST(TorchComplex, NegOfBooleansIsRefused) {
  EXPECT_THAT(flagged("BoolStorage", "x", 1, {"neg"}).error().what(), HasSubstr("neg flag on bool"));
}

TEST(TorchComplex, IsSplitIntoStridedViews) {
  const Checkpoint checkpoint = complex({}).load(split());
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w.real", "w.imag"));
  EXPECT_THAT(checkpoint.tensors[0].data.strides, ElementsAre(8U));
  EXPECT_THAT(floats_of(checkpoint.tensors[0]), ElementsAre(0, 2));
  EXPECT_THAT(floats_of(checkpoint.tensors[1]), ElementsAre(1, 3));
  EXPECT_THAT(checkpoint.extras->to_json({}), HasSubstr(R"("$dtype":"complex64","$parts":["real","imag"])"));
}

TEST(TorchComplex, PartsThatInterleaveDoNotOverlap) {
  EXPECT_THAT(codes_of(share_tensors(complex({}).load(split()), SharedPolicy::Dedupe)),
              ::testing::Not(::testing::Contains("OverlappingTensors")));
}

TEST(TorchComplex, SignsAreSettledWhenItIsSplit) {
  EXPECT_THAT(floats_of(tensor_of(complex({"conj"}).load(split()), "w.imag")), ElementsAre(-1, -3));
  EXPECT_THAT(floats_of(tensor_of(complex({"neg", "conj"}).load(split()), "w.imag")), ElementsAre(1, 3));
  EXPECT_THAT(floats_of(tensor_of(complex({"neg", "conj"}).load(split()), "w.real")), ElementsAre(-0.0F, -2));
}

TEST(TorchComplex, OfDoublesMustBeSplit) {
  const SpecialFile file = flagged("ComplexDoubleStorage", floats(8), 2, {});
  EXPECT_EQ(file.error().code(), ErrorCode::Unsupported);
  EXPECT_THAT(file.error().what(), HasSubstr("tensor 'w': safetensors has no dtype for complex128"));
  const Checkpoint checkpoint = file.load(split());
  EXPECT_EQ(checkpoint.tensors[1].spec, (TensorSpec{"w.imag", DType::F64, {2}}));
  EXPECT_EQ(content_of(checkpoint.tensors[0]), floats(2) + floats(6).substr(16));
}

TEST(TorchComplex, OfHalvesBecomesC64) {
  SpecialFile file;
  const std::string one_and_two("\x00\x3c\x00\x40", 4);
  const py::Value storage = file.storage("UntypedStorage", one_and_two, 4);
  file.add("w", py::utils("_rebuild_tensor_v3",
                          {storage, py::integer(0), py::tuple_of({1}), py::tuple_of({1}), py::boolean(false),
                           py::dict({}), py::global("torch", "complex32")}));
  const Checkpoint checkpoint = file.load();
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::C64, {1}}));
  EXPECT_THAT(floats_of(checkpoint.tensors[0]), ElementsAre(1, 2));
}

}  // namespace
}  // namespace weighbridge::test
