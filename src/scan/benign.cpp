#include "scan/benign.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "formats/pickle/globals.hpp"

namespace weighbridge::scanning {
namespace {

struct Names {
  std::string_view module;
  std::string_view names;  // Each between two spaces.
};

// By exact name. Ordered by module.
constexpr auto kNames = std::to_array<Names>({
    {"_io", " BytesIO StringIO "},
    {"argparse", " Namespace "},
    {"builtins",
     " ArithmeticError AttributeError BaseException Ellipsis Exception IndexError KeyError "
     "NotImplementedError OverflowError RuntimeError StopIteration TypeError ValueError ZeroDivisionError "
     "bool float int memoryview object str "},
    {"collections", " UserDict UserList UserString "},
    {"copyreg", " __newobj__ __newobj_ex__ "},
    {"datetime", " date datetime time timedelta timezone "},
    {"decimal", " Decimal "},
    {"detectron2.config.config", " CfgNode "},
    {"easydict", " EasyDict "},
    {"fractions", " Fraction "},
    {"fvcore.common.config", " CfgNode "},
    {"io", " BytesIO StringIO "},
    {"logging", " Logger RootLogger getLogger "},
    {"ml_collections.config_dict.config_dict", " ConfigDict FieldReference "},
    {"ml_dtypes",
     " bfloat16 float8_e3m4 float8_e4m3 float8_e4m3b11fnuz float8_e4m3fn float8_e4m3fnuz float8_e5m2 "
     "float8_e5m2fnuz float8_e8m0fnu int2 int4 uint2 uint4 "},
    {"numpy",
     " bool bool_ bytes_ complex128 complex64 datetime64 float16 float32 float64 generic int16 int32 int64 "
     "int8 longdouble object_ str_ timedelta64 ufunc uint16 uint32 uint64 uint8 void "},
    {"numpy.ma", " MaskedArray "},
    {"numpy.ma.core", " MaskedArray MaskedConstant _mareconstruct "},
    {"numpy.random._mt19937", " MT19937 "},
    {"numpy.random._pcg64", " PCG64 PCG64DXSM "},
    {"numpy.random._philox", " Philox "},
    {"numpy.random._pickle", " __bit_generator_ctor __generator_ctor __randomstate_ctor "},
    {"numpy.random._sfc64", " SFC64 "},
    {"numpy.random.bit_generator", " SeedSequence __pyx_unpickle_SeedSequence "},
    {"numpy.random.mtrand", " RandomState "},
    {"pandas", " DataFrame Index MultiIndex RangeIndex Series Timedelta Timestamp "},
    {"pandas._libs.internals", " _unpickle_block "},
    {"pandas.core.frame", " DataFrame "},
    {"pandas.core.indexes.base", " Index _new_Index "},
    {"pandas.core.indexes.datetimes", " DatetimeIndex _new_DatetimeIndex "},
    {"pandas.core.indexes.multi", " MultiIndex "},
    {"pandas.core.indexes.numeric", " Float64Index Int64Index UInt64Index "},
    {"pandas.core.indexes.range", " RangeIndex "},
    {"pandas.core.internals.managers", " BlockManager SingleBlockManager "},
    {"pandas.core.series", " Series "},
    {"pyannote.audio.core.task", " Problem Resolution Specifications "},
    {"random", " Random "},
    {"sklearn.neighbors._dist_metrics", " newObj "},
    {"tokenizers", " AddedToken Tokenizer "},
    {"tokenizers.models", " Model "},
    {"torch",
     " Generator Tensor channels_last channels_last_3d contiguous_format memory_format per_channel_affine "
     "per_channel_affine_float_qparams per_channel_symmetric per_tensor_affine per_tensor_symmetric "
     "preserve_format "},
    {"torch._utils",
     " torch torch.channels_last torch.channels_last_3d torch.contiguous_format torch.preserve_format "},
    {"torch.autograd.variable", " Variable "},
    {"torch.distributed.remote_device", " _remote_device "},
    {"torch.nn.backends.thnn", " THNNFunctionBackend _get_thnn_function_backend "},
    {"torch.nn.functional",
     " celu cross_entropy elu gelu glu hardsigmoid hardswish hardtanh leaky_relu log_softmax logsigmoid mish "
     "mse_loss normalize relu relu6 rrelu selu sigmoid silu softmax softmin softplus softshrink softsign "
     "tanh tanhshrink threshold "},
    {"torch.nn.init",
     " constant_ dirac_ eye_ kaiming_normal_ kaiming_uniform_ normal_ ones_ orthogonal_ sparse_ "
     "trunc_normal_ uniform_ xavier_normal_ xavier_uniform_ zeros_ "},
    {"torch.nn.parameter", " UninitializedBuffer UninitializedParameter "},
    {"types", " SimpleNamespace "},
    {"typing", " Any Callable Dict List Optional Tuple Union "},
    {"ultralytics.utils", " IterableSimpleNamespace "},
    {"uuid", " SafeUUID UUID "},
    {"yacs.config", " CfgNode "},
});

// Packages of whose classes each builds a layer, an estimator, a configuration or an enumerator. Only
// classes count, by their capital letter: functions stand in the table above or nowhere.
constexpr auto kPackages = std::to_array<std::string_view>({
    "__torch__",
    "accelerate.state",
    "accelerate.utils.dataclasses",
    "accelerate.utils.deepspeed",
    "catboost",
    "deepspeed.runtime",
    "deepspeed.utils",
    "fastai.layers",
    "gym.spaces",
    "gymnasium.spaces",
    "lightgbm",
    "lightning.fabric.utilities",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.utilities",
    "lightning_fabric.utilities",
    "numpy.dtypes",
    "omegaconf",
    "peft.tuners",
    "peft.utils",
    "pytorch_lightning.callbacks",
    "pytorch_lightning.utilities",
    "scipy.sparse",
    "sentence_transformers.SentenceTransformer",
    "sentence_transformers.models",
    "sentence_transformers.training_args",
    "sklearn",
    "stable_baselines3.common",
    "stable_baselines3.dqn",
    "stable_baselines3.ppo",
    "stable_baselines3.sac",
    "timm.layers",
    "timm.models",
    "torch.amp.grad_scaler",
    "torch.ao.nn",
    "torch.ao.quantization",
    "torch.cuda.amp.grad_scaler",
    "torch.distributed._shard",
    "torch.distributed.checkpoint.filesystem",
    "torch.distributed.checkpoint.metadata",
    "torch.distributed.device_mesh",
    "torch.distributed.fsdp",
    "torch.distributed.tensor",
    "torch.nn.attention",
    "torch.nn.intrinsic",
    "torch.nn.modules",
    "torch.nn.parallel",
    "torch.nn.qat",
    "torch.nn.quantizable",
    "torch.nn.quantized",
    "torch.nn.utils",
    "torch.optim",
    "torchaudio.models",
    "torchaudio.transforms",
    "torchvision.models",
    "torchvision.ops",
    "torchvision.transforms",
    "transformers.activations",
    "transformers.configuration_utils",
    "transformers.deepspeed",
    "transformers.generation",
    "transformers.integrations.deepspeed",
    "transformers.modeling_outputs",
    "transformers.modeling_utils",
    "transformers.models",
    "transformers.tokenization_utils",
    "transformers.tokenization_utils_base",
    "transformers.tokenization_utils_fast",
    "transformers.trainer_pt_utils",
    "transformers.trainer_utils",
    "transformers.training_args",
    "transformers.training_args_seq2seq",
    "trl.trainer",
    "ultralytics.nn",
    "ultralytics.utils.loss",
    "ultralytics.utils.tal",
    "xgboost",
});

static_assert(std::ranges::is_sorted(kNames, {}, &Names::module));
static_assert(std::ranges::is_sorted(kPackages));

bool is_listed(std::string_view module, std::string_view name) {
  const auto found = std::ranges::lower_bound(kNames, module, {}, &Names::module);
  if (found == kNames.end() || found->module != module) return false;
  if (name.find(' ') != std::string_view::npos) return false;
  return found->names.find(" " + std::string(name) + " ") != std::string_view::npos;
}

bool in_package(std::string_view module) {
  while (true) {
    if (std::ranges::binary_search(kPackages, module)) return true;
    const std::size_t dot = module.rfind('.');
    if (dot == std::string_view::npos) return false;
    module = module.substr(0, dot);
  }
}

// "Linear", "Outer.Inner", "_LRScheduler"; Cython's "__pyx_unpickle_Tree" builds a class as well.
bool is_class_name(std::string_view name) {
  constexpr std::string_view kCython = "__pyx_unpickle_";
  if (name.starts_with(kCython)) name.remove_prefix(kCython.size());
  while (true) {
    const std::size_t dot = name.find('.');
    std::string_view part = name.substr(0, dot);
    if (part.starts_with('_')) part.remove_prefix(1);
    if (part.empty() || part.front() < 'A' || part.front() > 'Z') return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_benign(std::string_view module, std::string_view name) noexcept {
  if (!pickle::danger_of(module, name).empty()) return false;
  return is_listed(module, name) || (in_package(module) && is_class_name(name));
}

}  // namespace weighbridge::scanning
