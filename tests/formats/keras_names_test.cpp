#include <gtest/gtest.h>

#include "formats/keras/config.hpp"
#include "formats/keras/names.hpp"

namespace weighbridge::keras {
namespace {

constexpr std::string_view kModel = R"({"class_name": "Functional", "config": {"layers": [
  {"class_name": "InputLayer", "config": {"name": "in"}},
  {"class_name": "Dense", "config": {"name": "first", "use_bias": true}},
  {"class_name": "Dense", "config": {"name": "second", "use_bias": false}},
  {"class_name": "BatchNormalization", "config": {"name": "bn", "scale": false, "center": true}},
  {"class_name": "LSTM", "config": {"name": "rnn"}},
  {"class_name": "Bidirectional", "config": {"name": "both", "layer": {"class_name": "GRU", "config": {"name": "gru"}}}},
  {"class_name": "MultiHeadAttention", "config": {"name": "mha"}},
  {"class_name": "Attention", "config": {"name": "scaled", "use_scale": true}},
  {"class_name": "Attention", "config": {"name": "joined", "use_scale": false}},
  {"class_name": "ConvLSTM3D", "config": {"name": "film"}},
  {"class_name": "RNN", "config": {"name": "cells", "cell": {"class_name": "GRUCell", "config": {"use_bias": false}}}},
  {"class_name": "Mine", "config": {"name": "own"}},
  {"class_name": "Sequential", "config": {"name": "inner", "layers": [
    {"class_name": "Conv2D", "config": {"name": "conv"}}]}}]}})";

std::string name(std::string_view path) {
  const json::Document config = parse_config(kModel, "config", {});
  return VariableNames(config).name(path);
}

TEST(KerasNames, AreTheLayersAndTheirVariables) {
  EXPECT_EQ(name("layers/dense/vars/0"), "first.kernel");
  EXPECT_EQ(name("layers/dense/vars/1"), "first.bias");
  EXPECT_EQ(name("layers/dense_1/vars/0"), "second.kernel");
  EXPECT_EQ(name("_layer_checkpoint_dependencies\\dense/vars/0"), "first.kernel");
}

TEST(KerasNames, CountOnlyVariablesThatAreOn) {
  EXPECT_EQ(name("layers/batch_normalization/vars/0"), "bn.beta");
  EXPECT_EQ(name("layers/batch_normalization/vars/2"), "bn.moving_variance");
  EXPECT_EQ(name("layers/dense_1/vars/1"), "second.1");
  EXPECT_EQ(name("layers/attention/vars/1"), "scaled.concat_score_weight");
  EXPECT_EQ(name("layers/attention_1/vars/0"), "joined.concat_score_weight");
}

TEST(KerasNames, GoIntoPartsOfLayersAndNestedModels) {
  EXPECT_EQ(name("layers/lstm/cell/vars/1"), "rnn.cell.recurrent_kernel");
  EXPECT_EQ(name("layers/bidirectional/backward_layer/cell/vars/2"), "both.backward_layer.cell.2");
  EXPECT_EQ(name("layers/bidirectional/forward_layer/cell/vars/2"), "both.forward_layer.cell.bias");
  EXPECT_EQ(name("layers/multi_head_attention/query_dense/vars/1"), "mha.query_dense.bias");
  EXPECT_EQ(name("layers/conv_lstm3d/cell/vars/2"), "film.cell.bias");
  EXPECT_EQ(name("layers/rnn/cell/vars/1"), "cells.cell.recurrent_kernel");
  EXPECT_EQ(name("layers/rnn/cell/vars/2"), "cells.cell.2");
  EXPECT_EQ(name("layers/sequential/layers/conv2d/vars/0"), "inner.conv.kernel");
}

TEST(KerasNames, KeepWhatIsNotKnown) {
  EXPECT_EQ(name("layers/mine/vars/0"), "own.0");
  EXPECT_EQ(name("layers/nothing/vars/3"), "nothing.3");
  EXPECT_EQ(name("layers/dense/vars/18446744073709551616"), "first.18446744073709551616");
  EXPECT_EQ(name("vars/0"), "0");
  EXPECT_EQ(name("encoder/vars/0"), "encoder.0");
}

TEST(KerasNames, AreOfAnyDescriptionOrNone) {
  for (const char* text : {"{}", "[]", "3", R"({"config": []})", R"({"config": {"layers": {"a": 1}}})",
                           R"({"class_name": 3, "config": {"layers": [1, null, {"config": "x"}]}})"}) {
    const json::Document config = parse_config(text, "config", {});
    EXPECT_EQ(VariableNames(config).name("layers/dense/vars/0"), "dense.0") << text;
  }
}

TEST(KerasNames, SnakeCaseIsThatOfKeras) {
  EXPECT_EQ(to_snake_case("Dense"), "dense");
  EXPECT_EQ(to_snake_case("Conv2DTranspose"), "conv2d_transpose");
  EXPECT_EQ(to_snake_case("MultiHeadAttention"), "multi_head_attention");
  EXPECT_EQ(to_snake_case("LSTM"), "lstm");
  EXPECT_EQ(to_snake_case("PReLU"), "p_re_lu");
  EXPECT_EQ(to_snake_case("BatchNormalization"), "batch_normalization");
  EXPECT_EQ(to_snake_case("My>Layer X"), "my_layer_x");
  EXPECT_EQ(to_snake_case(""), "");
}

TEST(KerasNames, LegacyWeightsLoseTheirLayersTwice) {
  EXPECT_EQ(pretty_legacy_name("model_weights/dense_1/dense_1/kernel:0", Layout::LegacyModel),
            "dense_1.kernel");
  EXPECT_EQ(pretty_legacy_name("dense_1/dense_1/kernel:0", Layout::LegacyWeights), "dense_1.kernel");
  EXPECT_EQ(pretty_legacy_name("dense_1/dense_1_W", Layout::LegacyWeights), "dense_1.dense_1_W");
  EXPECT_EQ(pretty_legacy_name("model_1/dense/bias:0", Layout::LegacyWeights), "model_1.dense.bias");
  EXPECT_EQ(pretty_legacy_name("a:b", Layout::LegacyWeights), "a:b");
}

}  // namespace
}  // namespace weighbridge::keras
