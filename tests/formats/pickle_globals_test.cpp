#include <array>

#include <gtest/gtest.h>

#include "formats/pickle/aliases.hpp"
#include "formats/pickle/globals.hpp"
#include "support/pickle_builder.hpp"

namespace weighbridge::pickle {
namespace {

TEST(PickleGlobals, KnownNamesHaveConstructors) {
  EXPECT_EQ(find_constructor("collections", "OrderedDict"), Constructor::OrderedDict);
  EXPECT_EQ(find_constructor("torch._utils", "_rebuild_tensor_v2"), Constructor::RebuildTensorV2);
  EXPECT_EQ(find_constructor("torch", "BFloat16Storage"), Constructor::TorchStorage);
  EXPECT_EQ(find_constructor("torch.cuda", "FloatStorage"), Constructor::TorchStorage);
  EXPECT_EQ(find_constructor("torch.cuda.sparse", "FloatTensor"), Constructor::TorchTensorClass);
  EXPECT_EQ(find_constructor("torch", "float8_e4m3fn"), Constructor::TorchDType);
  EXPECT_EQ(find_constructor("torch", "strided"), Constructor::TorchLayout);
}

TEST(PickleGlobals, NamesMatchByExactBytes) {
  EXPECT_EQ(find_constructor("torch._utils\u200b", "_rebuild_tensor"), Constructor::None);
  EXPECT_EQ(find_constructor("torch . _utils", "_rebuild_tensor"), Constructor::None);
  EXPECT_EQ(find_constructor("ｔｏｒｃｈ", "FloatStorage"), Constructor::None);
  EXPECT_EQ(find_constructor("torch", "floatstorage"), Constructor::None);
  EXPECT_EQ(find_constructor("torch.cuda", "float32"), Constructor::None);
  EXPECT_EQ(find_constructor("", ""), Constructor::None);
}

TEST(PickleGlobals, OldNamesBecomeThoseOfToday) {
  const auto joined = [](std::string_view module, std::string_view name) {
    const QualifiedName known = normalise(module, name);
    return known.module + " " + known.name;
  };
  EXPECT_EQ(joined("__builtin__", "xrange"), "builtins range");
  EXPECT_EQ(joined("__builtin__", "unicode"), "builtins str");
  EXPECT_EQ(joined("copy_reg", "_reconstructor"), "copyreg _reconstructor");
  EXPECT_EQ(joined("numpy.core.multiarray", "scalar"), "numpy._core.multiarray scalar");
  EXPECT_EQ(joined("numpy.corelike", "x"), "numpy.corelike x");
  EXPECT_EQ(joined("torch.tensor", "_rebuild_from_type"), "torch._tensor _rebuild_from_type");
  EXPECT_EQ(joined("mine", "xrange"), "mine xrange");
}

TEST(PickleGlobals, DangerousModulesCoverTheirSubmodules) {
  EXPECT_EQ(classify("os", "system"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("os.path", "join"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("idlelib.pyshell", "ModifiedInterpreter.runcode"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("osmosis", "flow"), GlobalClass::Inert);
}

TEST(PickleGlobals, DangerousNamesCoverTheirAttributes) {
  EXPECT_EQ(classify("builtins", "eval"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("builtins", "eval.__call__"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("builtins", "evaluate"), GlobalClass::Inert);
  EXPECT_EQ(classify("torch", "load"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("pathlib", "PosixPath"), GlobalClass::Constructor);
  EXPECT_EQ(classify("pathlib", "PosixPath.write_text"), GlobalClass::Dangerous);
}

TEST(PickleGlobals, DottedNamesThatLeadElsewhereAreDangerous) {
  EXPECT_EQ(classify("torch.serialization", "os.system"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("torch.serialization", "os"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("mine", "Model.forward.__globals__"), GlobalClass::Dangerous);
  EXPECT_EQ(classify("mine", "Outer.Inner"), GlobalClass::Inert);
}

// Names that were used against scanners, by the advisory or the paper that tells of them.
TEST(PickleGlobals, EveryGadgetThatWasPublishedIsDangerous) {
  struct Gadget {
    std::string_view module;
    std::string_view name;
  };
  constexpr auto kGadgets = std::to_array<Gadget>({
      {"pip", "main"},                                             // CVE-2025-1716
      {"asyncio.unix_events", "_UnixSubprocessTransport._start"},  // CVE-2025-10157
      {"uuid", "_get_command_stdout"},                             // CVE-2026-56315
      {"imaplib", "IMAP4_stream"},
      {"_osx_support", "_read_output"},
      {"_aix_support", "_read_cmd_output"},
      {"_pyrepl.pager", "pipe_pager"},
      {"cProfile", "runctx"},
      {"profile", "Profile.run"},
      {"trace", "Trace.runctx"},
      {"timeit", "timeit"},
      {"doctest", "debug_script"},
      {"bdb", "Bdb.run"},
      {"pdb", "run"},
      {"ctypes", "CDLL"},
      {"pty", "spawn"},
      {"numpy.f2py.crackfortran", "getlincoef"},
      {"numpy.testing._private.utils", "runstring"},
      {"torch._inductor.codecache", "compile_file"},
      {"torch._dynamo.guards", "GuardBuilder.get"},
      {"torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression"},
      {"torch.utils._config_module", "ConfigModule.load_config"},
      {"torch.utils.bottleneck.__main__", "run_cprofile"},
      {"torch.utils.collect_env", "run"},
      {"torch.utils.data.datapipes.utils.decoder", "basichandlers"},
      {"torch.jit.unsupported_tensor_ops", "execWrapper"},
      {"torch.hub", "load"},
      {"cloudpickle.cloudpickle", "_make_function"},
      {"dill._dill", "_create_code"},
      {"marshal", "loads"},
      {"types", "CodeType"},
      {"code", "InteractiveInterpreter.runcode"},
      {"idlelib.run", "Executive.runcode"},
      {"lib2to3.pgen2.grammar", "Grammar.loads"},
      {"pydoc", "locate"},
      {"pkgutil", "resolve_name"},
      {"runpy", "run_path"},
      {"distutils.file_util", "write_file"},
      {"ensurepip", "_run_pip"},
      {"venv", "create"},
      {"ssl", "get_server_certificate"},
      {"logging.config", "fileConfig"},
      {"_io", "FileIO"},
      {"operator", "methodcaller"},
      {"functools", "partial"},
      {"pandas", "read_pickle"},
      {"joblib", "load"},
      {"sqlite3", "connect"},
  });
  for (const auto& [module, name] : kGadgets) {
    EXPECT_NE(danger_of(module, name), "") << module << "." << name;
  }
}

// Packages of people are not those of Python.
TEST(PickleGlobals, NamesThatBeginLikeDangerousOnesAreNot) {
  EXPECT_EQ(danger_of("codes", "Encoder"), "");
  EXPECT_EQ(danger_of("site_model", "Net"), "");
  EXPECT_EQ(danger_of("torch.nn.modules.container", "Sequential"), "");
  EXPECT_EQ(danger_of("sklearn.tree", "DecisionTreeClassifier"), "");
}

TEST(PickleGlobals, DangerSaysWhy) {
  EXPECT_EQ(danger_of("subprocess", "Popen"), "runs programs");
  EXPECT_EQ(danger_of("torch", "FloatStorage"), "");
}

TEST(PickleGlobals, EveryUseIsKeptInOrder) {
  using pickle_test::Stream;
  const auto outcome = Stream()
                           .global("__builtin__", "set")
                           .global("mine", "Net")
                           .global("os", "system")
                           .tuple3()
                           .stop()
                           .run();
  const auto& uses = outcome.graph.globals();
  ASSERT_EQ(uses.size(), 3U);
  EXPECT_EQ(uses[0].module, "builtins");
  EXPECT_EQ(uses[0].verdict, GlobalClass::Constructor);
  EXPECT_EQ(uses[1].name, "Net");
  EXPECT_EQ(uses[1].verdict, GlobalClass::Inert);
  EXPECT_EQ(uses[1].offset, 17U);
  EXPECT_EQ(uses[2].verdict, GlobalClass::Dangerous);
}

TEST(PickleGlobals, NamesOutliveAMoveOfTheGraph) {
  auto outcome = pickle_test::Stream().global("m", "n").stop().run();
  const Graph graph = std::move(outcome.graph);
  EXPECT_EQ(graph.globals()[0].module, "m");
  EXPECT_EQ(graph.name(0), "n");
}

}  // namespace
}  // namespace weighbridge::pickle
