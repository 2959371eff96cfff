// Tensors that are made of other tensors: nested, jagged, wrapped, distributed, moved from devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/numpy_builder.hpp"
#include "support/special_builder.hpp"

namespace weighbridge::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

py::Value nested(SpecialFile& file, const std::vector<std::int64_t>& sizes,
                 const std::vector<std::int64_t>& strides, const std::vector<std::int64_t>& offsets) {
  const auto rows = static_cast<std::int64_t>(offsets.size());
  const auto table = [&](const std::vector<std::int64_t>& numbers) {
    return file.longs(numbers, {rows, static_cast<std::int64_t>(numbers.size()) / rows});
  };
  return py::utils("_rebuild_nested_tensor", {file.floats({0, 1, 2, 3, 4, 5}, {6}), table(sizes),
                                              table(strides), file.longs(offsets, {rows})});
}

Error nested_error(const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                   const std::vector<std::int64_t>& offsets) {
  SpecialFile file;
  file.add("w", nested(file, sizes, strides, offsets));
  return file.error();
}

TEST(TorchNested, IsOneTensorForEachComponent) {
  SpecialFile file;
  file.add("w", nested(file, {2, 2, 1, 2}, {1, 2, 2, 1}, {0, 4}));
  const Checkpoint checkpoint = file.load();
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w.0", "w.1"));
  EXPECT_THAT(floats_of(checkpoint.tensors[0]), ElementsAre(0, 2, 1, 3));
  EXPECT_THAT(floats_of(checkpoint.tensors[1]), ElementsAre(4, 5));
  EXPECT_THAT(checkpoint.extras->to_json({}),
              HasSubstr(R"({"$tensor":"w","$kind":"nested","$components":2})"));
}

TEST(TorchNested, ComponentsOutsideTheBufferAreRefused) {
  EXPECT_EQ(nested_error({2, 2}, {1, 1}, {0, 5}).code(), ErrorCode::TensorOutOfBounds);
  EXPECT_EQ(nested_error({2, -1}, {1, 1}, {0, 2}).code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(nested_error({2, 2}, {1, 1}, {0, -1}).code(), ErrorCode::MalformedCheckpoint);
  EXPECT_EQ(nested_error({2, 2}, {1, INT64_MAX}, {0, 1}).code(), ErrorCode::TensorOutOfBounds);
}

TEST(TorchNested, TablesOfDifferentShapesAreRefused) {
  EXPECT_THAT(nested_error({2, 2}, {1, 1, 1, 1}, {0, 2}).what(), HasSubstr("its strides have shape [2, 2]"));
  SpecialFile file;
  file.add("w", py::utils("_rebuild_nested_tensor", {py::none(), py::none(), py::none(), py::none()}));
  EXPECT_EQ(file.error().code(), ErrorCode::MalformedCheckpoint);
}

py::Value jagged(const py::Value& values, const py::Value& offsets, const py::Value& lengths) {
  return py::call(py::global("torch.nested._internal.nested_tensor", "_rebuild_njt"),
                  {py::dict({{py::text("values"), values},
                             {py::text("offsets"), offsets},
                             {py::text("lengths"), lengths},
                             {py::text("_ragged_idx"), py::integer(1)}})});
}

TEST(TorchJagged, IsItsValuesAndOffsets) {
  SpecialFile file;
  const py::Value values = file.floats({1, 2, 3}, {3, 1});
  const py::Value offsets = file.longs({0, 1, 3}, {3});
  file.add("a", jagged(values, offsets, py::none()))
      .add("b", jagged(values, offsets, file.longs({1, 1}, {2})));
  const Checkpoint checkpoint = file.load();
  EXPECT_THAT(names_of(checkpoint),
              ElementsAre("a.values", "a.offsets", "b.values", "b.offsets", "b.lengths"));
  EXPECT_THAT(checkpoint.extras->to_json({}),
              HasSubstr(R"({"$tensor":"a","$kind":"jagged","$parts":["values","offsets"],"$ragged_dim":1})"));
}

TEST(TorchJagged, WithoutOffsetsIsRefused) {
  SpecialFile file;
  file.add("w", jagged(file.floats({1}, {1}), py::none(), py::none()));
  EXPECT_EQ(file.error().code(), ErrorCode::MalformedCheckpoint);
}

const py::Value kScaled = py::global("torchao.dtypes", "Scaled");

TEST(TorchSubclass, ThatWrapsTensorsIsItsAttributes) {
  SpecialFile file;
  const py::Value state =
      py::dict({{py::text("raw"), file.longs({1, 2}, {2})},
                {py::text("scales"), py::list({file.floats({1}, {1}), file.floats({2}, {1})})},
                {py::text("group"), py::integer(32)}});
  file.add("w", py::wrapper(kScaled, {2}, state));
  const Checkpoint checkpoint = file.load();
  EXPECT_THAT(names_of(checkpoint), ElementsAre("w.raw", "w.scales.0", "w.scales.1"));
  EXPECT_THAT(checkpoint.extras->to_json({}),
              HasSubstr(R"({"$tensor":"w","$kind":"subclass","$dtype":"float32","$shape":[2],)"
                        R"("$class":"torchao.dtypes.Scaled","$state":{"raw":{"$tensor":"w.raw"},)"
                        R"("scales":[{"$tensor":"w.scales.0"},{"$tensor":"w.scales.1"}],"group":32}})"));
}

TEST(TorchSubclass, MayHaveSlotsAndWrapAnother) {
  SpecialFile file;
  const py::Value inner = py::wrapper(kScaled, {1}, py::dict({{py::text("x"), file.floats({1}, {1})}}));
  file.add("w", py::wrapper(kScaled, {1},
                            py::tuple({py::dict({{py::text("a"), inner}}),
                                       py::dict({{py::text("b"), file.floats({2}, {1})}})})));
  EXPECT_THAT(names_of(file.load()), ElementsAre("w.a.x", "w.b"));
}

TEST(TorchSubclass, ThatWrapsNoTensorsIsRefused) {
  SpecialFile file;
  file.add("w", py::wrapper(kScaled, {1}, py::none()));
  EXPECT_EQ(file.error().code(), ErrorCode::Unsupported);
  EXPECT_THAT(file.error().what(), HasSubstr("an instance of torchao.dtypes.Scaled, which wraps no tensors"));
}

TEST(TorchSubclass, ThatWrapsItselfIsRefused) {
  SpecialFile file;
  file.add("w",
           py::wrapper(kScaled, {1},
                       py::keep("}", 9) + py::text("x") + py::wrapper(kScaled, {1}, py::again(9)) + "s"));
  EXPECT_EQ(file.error().code(), ErrorCode::LimitExceeded);
}

TEST(TorchSubclass, ThatDoublesAtEveryStepIsBounded) {
  SpecialFile file;
  py::Value value = file.floats({1}, {1});
  for (std::uint8_t i = 0; i < 40; ++i) {
    value = py::wrapper(kScaled, {1},
                        py::dict({{py::text("a"), py::keep(value, i)}, {py::text("b"), py::again(i)}}));
  }
  OpenOptions options;
  options.limits.tensors = 1000;
  EXPECT_EQ(file.add("w", value).error(options).code(), ErrorCode::LimitExceeded);
}

TEST(TorchParts, ThatHaveTheNameOfAnotherTensorAreRefused) {
  SpecialFile file;
  file.add("w", py::wrapper(kScaled, {1}, py::dict({{py::text("scale"), file.floats({1}, {1})}})));
  file.add("w.scale", file.floats({2}, {1}));
  EXPECT_EQ(file.error().code(), ErrorCode::NameCollision);
  EXPECT_THAT(file.error().what(), HasSubstr("two tensors would be named 'w.scale'"));

  OpenOptions split;
  split.split_complex = true;
  SpecialFile complex;
  complex.add("z", complex.tensor("ComplexFloatStorage", floats(2), 1, {1}));
  complex.add("z.real", complex.floats({1}, {1}));
  EXPECT_STREQ(complex.error(split).what(),
               "two tensors would be named 'z.real': a part of 'z' and 'z.real'");
}

// --- Distributed tensors

py::Value placement(std::string_view name) {
  return py::build(py::object(py::global("torch.distributed.tensor.placement_types", name)), py::dict({}));
}

SpecialFile dtensor(const py::Numbers& global_shape, std::string_view placement_name, bool alone) {
  SpecialFile file;
  const py::Value ranks = alone ? file.longs({0}, {1}) : file.longs({0, 1}, {2});
  const py::Value mesh = py::build(py::object(py::global("torch.distributed.device_mesh", "DeviceMesh")),
                                   py::dict({{py::text("mesh"), ranks}}));
  const py::Value spec = py::build(
      py::object(py::global("torch.distributed.tensor._dtensor_spec", "DTensorSpec")),
      py::dict({{py::text("mesh"), mesh}, {py::text("placements"), py::tuple({placement(placement_name)})}}));
  const py::Value state = py::tuple(
      {py::none(),
       py::dict({{py::text("_local_tensor"), file.floats({1, 2}, {2})}, {py::text("_spec"), spec}})});
  file.add("w", py::wrapper(py::global("torch.distributed.tensor", "DTensor"), global_shape, state));
  return file;
}

TEST(TorchDTensor, ThatIsWholeIsItsLocalTensor) {
  EXPECT_THAT(floats_of(tensor_of(dtensor({2}, "Replicate", false).load(), "w")), ElementsAre(1, 2));
  EXPECT_THAT(floats_of(tensor_of(dtensor({2}, "Shard", false).load(), "w")), ElementsAre(1, 2));
  EXPECT_THAT(floats_of(tensor_of(dtensor({2}, "Partial", true).load(), "w")), ElementsAre(1, 2));
}

TEST(TorchDTensor, ThatIsAPartIsRefusedNamingWhatIsMissing) {
  EXPECT_THAT(dtensor({4}, "Shard", false).error().what(),
              HasSubstr("this file holds [2] of a DTensor of shape [4] placed as Shard"));
  EXPECT_THAT(dtensor({2}, "Partial", false).error().what(), HasSubstr("one term of a sum"));
  EXPECT_EQ(dtensor({4}, "Shard", true).error().code(), ErrorCode::Unsupported);
}

struct ShardOf {
  py::Value tensor;
  py::Numbers offsets;
  py::Numbers sizes;
};

py::Value sharded(const py::Numbers& whole, const std::vector<ShardOf>& shards) {
  const auto slots = [](const py::Value& type, const std::vector<std::pair<py::Value, py::Value>>& entries) {
    return py::build(py::object(type), py::tuple({py::none(), py::dict(entries)}));
  };
  py::Values list;
  for (const ShardOf& shard : shards) {
    const py::Value metadata = slots(py::global("torch.distributed._shard.metadata", "ShardMetadata"),
                                     {{py::text("shard_offsets"), py::tuple_of(shard.offsets)},
                                      {py::text("shard_sizes"), py::tuple_of(shard.sizes)}});
    list.push_back(slots(py::global("torch.distributed._shard.sharded_tensor.shard", "Shard"),
                         {{py::text("tensor"), shard.tensor}, {py::text("metadata"), metadata}}));
  }
  const py::Value metadata = py::build(
      py::object(py::global("torch.distributed._shard.sharded_tensor.metadata", "ShardedTensorMetadata")),
      py::dict({{py::text("size"), py::size(whole)}}));
  return py::wrapper(py::global("torch.distributed._shard.sharded_tensor.api", "ShardedTensor"), whole,
                     py::tuple({py::list(list), metadata}));
}

TEST(TorchShardedTensor, IsPutTogetherFromItsShards) {
  SpecialFile file;
  file.add("w", sharded({2, 3}, {{file.floats({1, 4}, {2, 1}), {0, 0}, {2, 1}},
                                 {file.floats({2, 3}, {1, 2}), {0, 1}, {1, 2}},
                                 {file.floats({5, 6}, {1, 2}), {1, 1}, {1, 2}}}));
  const TensorEntry entry = tensor_of(file.load(), "w");
  EXPECT_EQ(entry.spec, (TensorSpec{"w", DType::F32, {2, 3}}));
  const std::string whole = content_of(entry);
  EXPECT_THAT(floats_of(entry), ElementsAre(1, 2, 3, 4, 5, 6));
  for (std::size_t begin = 0; begin < whole.size(); ++begin) {
    for (std::size_t end = begin; end <= whole.size(); ++end) {
      std::string piece(end - begin, 'x');
      entry.data.source->read_at(begin, std::as_writable_bytes(std::span(piece)));
      EXPECT_EQ(piece, whole.substr(begin, end - begin));
    }
  }
}

TEST(TorchShardedTensor, OfOneWholeShardIsThatShard) {
  SpecialFile file;
  file.add("w", sharded({2}, {{file.floats({1, 2}, {2}), {0}, {2}}}));
  EXPECT_THAT(floats_of(tensor_of(file.load(), "w")), ElementsAre(1, 2));
}

TEST(TorchShardedTensor, WithMissingShardsIsRefused) {
  SpecialFile file;
  file.add("w", sharded({4}, {{file.floats({1, 2}, {2}), {0}, {2}}}));
  EXPECT_EQ(file.error().code(), ErrorCode::Unsupported);
  EXPECT_THAT(file.error().what(), HasSubstr("holds 2 of the 4 elements"));
}

TEST(TorchShardedTensor, WithShardsThatDoNotFitIsRefused) {
  const auto code = [](const py::Numbers& whole, const py::Numbers& offsets, const py::Numbers& sizes) {
    SpecialFile file;
    const py::Value two = file.floats({1, 2}, {2});
    file.add("w", sharded(whole, {{two, {0}, {2}}, {two, offsets, sizes}}));
    return file.error().code();
  };
  EXPECT_EQ(code({4}, {1}, {2}), ErrorCode::MalformedCheckpoint);          // overlap
  EXPECT_EQ(code({4}, {3}, {2}), ErrorCode::MalformedCheckpoint);          // outside
  EXPECT_EQ(code({4}, {2}, {1}), ErrorCode::MalformedCheckpoint);          // not the tensor's shape
  EXPECT_EQ(code({4}, {2, 0}, {2, 1}), ErrorCode::MalformedCheckpoint);    // other dimensions
  EXPECT_EQ(code({4}, {INT64_MAX}, {2}), ErrorCode::MalformedCheckpoint);  // overflow
  SpecialFile mixed;
  mixed.add("w", sharded({4}, {{mixed.floats({1, 2}, {2}), {0}, {2}}, {mixed.ints({1, 2}, {2}), {2}, {2}}}));
  EXPECT_THAT(mixed.error().what(), HasSubstr("its shards differ in dtype"));
}

// --- Devices, meta tensors, raw integers

TEST(TorchDeviceTensor, IsCastToItsDType) {
  SpecialFile file;
  const auto device = [&](const char* dtype) {
    return py::utils(
        "_rebuild_device_tensor_from_cpu_tensor",
        {file.floats({1, 2}, {2}), py::global("torch", dtype), py::text("xla"), py::boolean(false)});
  };
  file.add("a", device("bfloat16")).add("b", device("float16")).add("c", device("float32"));
  const Checkpoint checkpoint = file.load();
  EXPECT_THAT(bytes_of(tensor_of(checkpoint, "a")), ElementsAre(0x80, 0x3F, 0x00, 0x40));
  EXPECT_THAT(bytes_of(tensor_of(checkpoint, "b")), ElementsAre(0x00, 0x3C, 0x00, 0x40));
  EXPECT_THAT(floats_of(tensor_of(checkpoint, "c")), ElementsAre(1, 2));
}

TEST(TorchDeviceTensor, OfAnotherDTypeIsNamed) {
  SpecialFile file;
  file.add("w", py::utils("_rebuild_device_tensor_from_cpu_tensor",
                          {file.floats({1}, {1}), py::global("torch", "int64"), py::text("xla")}));
  EXPECT_THAT(file.error().what(), HasSubstr("not yet supported: int64 tensors that were saved as float32"));
}

py::Value from_numpy(const py::Value& array, const char* dtype,
                     const char* function = "_rebuild_device_tensor_from_numpy") {
  return py::utils(function, {array, py::global("torch", dtype), py::text("xla:0"), py::boolean(false)});
}

TEST(TorchDeviceTensor, OfAnArrayHasItsDType) {
  SpecialFile file;
  const py::Value numbers = py::float_array({2}, 2);
  file.add("a", from_numpy(numbers, "float32"))
      .add("b", from_numpy(numbers, "bfloat16"))
      .add("c", from_numpy(numbers, "float16", "_rebuild_xla_tensor"))
      .add("d", from_numpy(py::array({3}, py::dtype("b1", "|"), py::bytes("\x01\x01\x01")), "bool"));
  const Checkpoint checkpoint = file.load();
  EXPECT_THAT(names_of(checkpoint), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(floats_of(tensor_of(checkpoint, "a")), ElementsAre(0, 1));
  EXPECT_THAT(bytes_of(tensor_of(checkpoint, "b")), ElementsAre(0x00, 0x00, 0x80, 0x3F));
  EXPECT_THAT(bytes_of(tensor_of(checkpoint, "c")), ElementsAre(0x00, 0x00, 0x00, 0x3C));
  EXPECT_EQ(tensor_of(checkpoint, "d").spec.dtype, DType::BOOL);
}

TEST(TorchDeviceTensor, OfAnArrayMayHaveAnyOrder) {
  SpecialFile file;
  const std::string numbers = floats(6);
  file.add("w", from_numpy(py::array({2, 3}, py::dtype("f4"), py::bytes(numbers), true), "bfloat16"))
      .add("swapped",
           from_numpy(py::array({1}, py::dtype("f4", ">"), py::bytes({"\x3F\x80\x00\x00", 4})), "float16"));
  const Checkpoint checkpoint = file.load();
  EXPECT_EQ(tensor_of(checkpoint, "w").spec.shape, Shape({2, 3}));
  EXPECT_THAT(bytes_of(tensor_of(checkpoint, "w")),
              ElementsAre(0x00, 0x00, 0x00, 0x40, 0x80, 0x40, 0x80, 0x3F, 0x40, 0x40, 0xA0, 0x40));
  EXPECT_THAT(bytes_of(tensor_of(checkpoint, "swapped")), ElementsAre(0x00, 0x3C));
}

Error numpy_error(const py::Value& array, const char* dtype) {
  SpecialFile file;
  file.add("w", from_numpy(array, dtype));
  return file.error();
}

TEST(TorchDeviceTensor, OfAnArrayThatTorchCannotTakeIsRefused) {
  const py::Value times = py::array({1}, py::dtype("M8"), py::bytes(std::string(8, 'x')));
  EXPECT_THAT(numpy_error(times, "int64").what(), HasSubstr("device tensors saved as array <M8 [1]"));
  const py::Value text = py::array({1}, py::dtype("S4", "|"), py::bytes("abcd"));
  EXPECT_EQ(numpy_error(text, "float32").code(), ErrorCode::Unsupported);
  const py::Value pair = py::structure(8, {{"x", py::dtype("f4"), 0}, {"y", py::dtype("f4"), 4}});
  EXPECT_EQ(numpy_error(py::array({1}, pair, py::bytes(std::string(8, 'x'))), "float32").code(),
            ErrorCode::Unsupported);
  EXPECT_EQ(numpy_error(py::float_array({1}, 1), "int64").code(), ErrorCode::Unsupported);
}

TEST(TorchDeviceTensor, OfABrokenArrayIsRefused) {
  const py::Value broken = py::array({9}, py::dtype("f4"), py::bytes("1234"));
  EXPECT_EQ(numpy_error(broken, "float32").code(), ErrorCode::MalformedCheckpoint);
  EXPECT_THAT(numpy_error(broken, "bfloat16").what(), HasSubstr("tensor 'w'"));
}

py::Value meta() {
  return py::utils("_rebuild_meta_tensor_no_storage", {py::global("torch", "float32"), py::tuple_of({2, 3}),
                                                       py::tuple_of({3, 1}), py::boolean(false)});
}

TEST(TorchMeta, TensorsAreAllNamedInTheError) {
  SpecialFile file;
  file.add("a", meta()).add("b", file.floats({1}, {1})).add("c", meta());
  EXPECT_EQ(file.error().code(), ErrorCode::Unsupported);
  EXPECT_STREQ(file.error().what(), "2 meta tensors have no data (--skip-meta leaves them out): 'a', 'c'");
}

TEST(TorchMeta, TensorsAreLeftOutOnRequest) {
  SpecialFile file;
  file.add("a", meta()).add("b", file.floats({1}, {1}));
  OpenOptions options;
  options.skip_meta = true;
  const Checkpoint checkpoint = file.load(options);
  EXPECT_THAT(names_of(checkpoint), ElementsAre("b"));
  EXPECT_THAT(codes_of(checkpoint), ::testing::Contains("MetaTensors"));
  EXPECT_THAT(checkpoint.extras->to_json({}),
              HasSubstr(R"({"$tensor":null,"$summary":"tensor meta float32 [2, 3]","$kind":"meta",)"
                        R"("$dtype":"float32","$shape":[2,3]})"));
}

TEST(TorchRawIntegers, AreNoted) {
  SpecialFile file;
  const py::Value storage = file.storage("UntypedStorage", "ab", 2);
  file.add("w",
           py::utils("_rebuild_tensor_v3", {storage, py::integer(0), py::tuple_of({2}), py::tuple_of({1}),
                                            py::boolean(false), py::dict({}), py::global("torch", "int4")}));
  const Checkpoint checkpoint = file.load();
  EXPECT_EQ(checkpoint.tensors[0].spec, (TensorSpec{"w", DType::U8, {2}}));
  EXPECT_THAT(codes_of(checkpoint), ::testing::Contains("RawIntegers"));
  EXPECT_THAT(checkpoint.extras->to_json({}), HasSubstr(R"({"$tensor":"w","$dtype":"int4"})"));
}

}  // namespace
}  // namespace weighbridge::test
