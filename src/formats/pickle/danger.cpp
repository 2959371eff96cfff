// What a loader that executes pickles could be made to do through the names of a stream.
//
// The list only decides what is reported. It cannot be complete, and nothing here depends on that:
// a name that is missing is as inert as one that is listed.
#include <algorithm>
#include <array>

#include "formats/pickle/globals.hpp"

namespace weighbridge::pickle {
namespace {

constexpr std::string_view kShell = "runs programs";
constexpr std::string_view kCode = "runs Python code";
constexpr std::string_view kMakesCode = "builds functions from code";
constexpr std::string_view kImport = "imports any module";
constexpr std::string_view kLookup = "reaches any attribute of any object";
constexpr std::string_view kCall = "calls any function";
constexpr std::string_view kFiles = "reads or writes files";
constexpr std::string_view kNetwork = "opens network connections";
constexpr std::string_view kNative = "runs native code";
constexpr std::string_view kUnpickle = "unpickles other data, and executes it";
constexpr std::string_view kInterpreter = "changes the running interpreter";
constexpr std::string_view kInstall = "installs software";
constexpr std::string_view kInternals = "reaches into the internals of Python objects";

struct DangerousModule {
  std::string_view module;
  std::string_view reason;
};

// With all their submodules.
constexpr auto kModules = std::to_array<DangerousModule>({
    {"_aix_support", kShell},
    {"_bootsubprocess", kShell},
    {"_ctypes", kNative},
    {"_frozen_importlib", kImport},
    {"_frozen_importlib_external", kImport},
    {"_imp", kImport},
    {"_osx_support", kShell},
    {"_posixsubprocess", kShell},
    {"_pyrepl", kShell},
    {"_socket", kNetwork},
    {"_testcapi", kInterpreter},
    {"_thread", kInterpreter},
    {"_winapi", kShell},
    {"aiohttp", kNetwork},
    {"asyncio", kShell},
    {"atexit", kCall},
    {"bdb", kCode},
    {"cProfile", kCode},
    {"cffi", kNative},
    {"cloudpickle", kMakesCode},
    {"code", kCode},
    {"codeop", kCode},
    {"commands", kShell},
    {"compileall", kCode},
    {"concurrent.futures", kCall},
    {"ctypes", kNative},
    {"dbm", kFiles},
    {"distutils", kInstall},
    {"doctest", kCode},
    {"ensurepip", kInstall},
    {"faulthandler", kInterpreter},
    {"fileinput", kFiles},
    {"ftplib", kNetwork},
    {"gc", kInterpreter},
    {"glob", kFiles},
    {"http", kNetwork},
    {"httplib", kNetwork},
    {"httpx", kNetwork},
    {"idlelib", kCode},
    {"imaplib", kNetwork},
    {"imp", kImport},
    {"importlib", kImport},
    {"lib2to3", kCode},
    {"linecache", kFiles},
    {"logging.config", kCall},
    {"marshal", kMakesCode},
    {"mmap", kFiles},
    {"multiprocessing", kShell},
    {"nntplib", kNetwork},
    {"nt", kShell},
    {"numpy.f2py", kCode},
    {"os", kShell},
    {"paramiko", kNetwork},
    {"pdb", kCode},
    {"pexpect", kShell},
    {"pip", kInstall},
    {"pkg_resources", kImport},
    {"pkgutil", kImport},
    {"platform", kShell},
    {"popen2", kShell},
    {"poplib", kNetwork},
    {"posix", kShell},
    {"profile", kCode},
    {"pty", kShell},
    {"py_compile", kCode},
    {"pydoc", kImport},
    {"requests", kNetwork},
    {"rlcompleter", kCode},
    {"runpy", kCode},
    {"sched", kCall},
    {"setuptools", kInstall},
    {"shelve", kUnpickle},
    {"shutil", kFiles},
    {"signal", kInterpreter},
    {"site", kInterpreter},
    {"smtplib", kNetwork},
    {"socket", kNetwork},
    {"socketserver", kNetwork},
    {"sqlite3", kFiles},
    {"ssl", kNetwork},
    {"subprocess", kShell},
    {"sys", kInterpreter},
    {"sysconfig", kInterpreter},
    {"tarfile", kFiles},
    {"telnetlib", kNetwork},
    {"tempfile", kFiles},
    {"test.support", kCode},
    {"thread", kInterpreter},
    {"threading", kCall},
    {"timeit", kCode},
    {"torch._C._jit", kNative},
    {"torch._dynamo", kCode},
    {"torch._inductor", kCode},
    {"torch._ops", kNative},
    {"torch.distributed.rpc", kNetwork},
    {"torch.fx.graph_module", kCode},
    {"torch.hub", kImport},
    {"torch.jit.unsupported_tensor_ops", kCode},
    {"torch.multiprocessing", kShell},
    {"torch.package", kImport},
    {"torch.utils._config_module", kUnpickle},
    {"torch.utils.bottleneck", kCode},
    {"torch.utils.collect_env", kShell},
    {"torch.utils.cpp_extension", kNative},
    {"torch.utils.data.datapipes.utils.decoder", kUnpickle},
    {"torch.utils.model_zoo", kNetwork},
    {"trace", kCode},
    {"tracemalloc", kInterpreter},
    {"unittest.mock", kImport},
    {"urllib", kNetwork},
    {"urllib2", kNetwork},
    {"urllib3", kNetwork},
    {"venv", kShell},
    {"webbrowser", kShell},
    {"winreg", kInterpreter},
    {"xmlrpc", kNetwork},
    {"zipfile", kFiles},
    {"zipimport", kImport},
});

struct DangerousName {
  std::string_view module;
  std::string_view name;  // With all its attributes; one that ends in a dot means the attributes alone.
  std::string_view reason;
};

constexpr auto kNames = std::to_array<DangerousName>({
    {"_io", "FileIO", kFiles},
    {"_io", "open", kFiles},
    {"_io", "open_code", kFiles},
    {"_operator", "attrgetter", kLookup},
    {"_operator", "call", kCall},
    {"_operator", "itemgetter", kLookup},
    {"_operator", "methodcaller", kCall},
    {"_pyio", "FileIO", kFiles},
    {"_pyio", "open", kFiles},
    {"builtins", "__build_class__", kMakesCode},
    {"builtins", "__import__", kImport},
    {"builtins", "__loader__", kImport},
    {"builtins", "apply", kCall},
    {"builtins", "breakpoint", kCode},
    {"builtins", "compile", kMakesCode},
    {"builtins", "delattr", kInternals},
    {"builtins", "eval", kCode},
    {"builtins", "exec", kCode},
    {"builtins", "execfile", kCode},
    {"builtins", "file", kFiles},
    {"builtins", "filter", kCall},
    {"builtins", "getattr", kLookup},
    {"builtins", "globals", kInternals},
    {"builtins", "input", "waits for the terminal, and in Python 2 runs code"},
    {"builtins", "locals", kInternals},
    {"builtins", "map", kCall},
    {"builtins", "open", kFiles},
    {"builtins", "raw_input", "waits for the terminal"},
    {"builtins", "reduce", kCall},
    {"builtins", "reload", kImport},
    {"builtins", "setattr", kInternals},
    {"builtins", "vars", kInternals},
    {"codecs", "EncodedFile", kFiles},
    {"codecs", "open", kFiles},
    {"contextlib", "ExitStack", kCall},
    {"dill", "load", kUnpickle},
    {"dill", "loads", kUnpickle},
    {"dill._dill", "_create_code", kMakesCode},
    {"dill._dill", "_create_function", kMakesCode},
    {"dill._dill", "_eval_repr", kCode},
    {"dill._dill", "_get_attr", kLookup},
    {"dill._dill", "_getattribute", kLookup},
    {"dill._dill", "_import_module", kImport},
    {"dill._dill", "load", kUnpickle},
    {"dill._dill", "loads", kUnpickle},
    {"dill.dill", "_create_code", kMakesCode},
    {"dill.dill", "_create_function", kMakesCode},
    {"dill.dill", "_import_module", kImport},
    {"functools", "partial", kCall},
    {"functools", "partialmethod", kCall},
    {"functools", "reduce", kCall},
    {"io", "FileIO", kFiles},
    {"io", "open", kFiles},
    {"io", "open_code", kFiles},
    {"itertools", "starmap", kCall},
    {"joblib", "load", kUnpickle},
    {"joblib.numpy_pickle", "load", kUnpickle},
    {"logging", "FileHandler", kFiles},
    {"numpy", "fromfile", kFiles},
    {"numpy", "load", kUnpickle},
    {"numpy", "save", kFiles},
    {"numpy.lib.npyio", "load", kUnpickle},
    {"numpy.testing", "runstring", kCode},
    {"numpy.testing._private.utils", "runstring", kCode},
    {"operator", "attrgetter", kLookup},
    {"operator", "call", kCall},
    {"operator", "itemgetter", kLookup},
    {"operator", "methodcaller", kCall},
    {"pandas", "eval", kCode},
    {"pandas", "read_pickle", kUnpickle},
    {"pathlib", "Path.", kFiles},
    {"pathlib", "PosixPath.", kFiles},
    {"pathlib", "WindowsPath.", kFiles},
    {"pickle", "Unpickler", kUnpickle},
    {"pickle", "_Unpickler", kUnpickle},
    {"pickle", "_load", kUnpickle},
    {"pickle", "_loads", kUnpickle},
    {"pickle", "load", kUnpickle},
    {"pickle", "loads", kUnpickle},
    {"torch", "compile", kCode},
    {"torch", "load", kUnpickle},
    {"torch", "save", kFiles},
    {"torch._utils", "_import_dotted_name", kImport},
    {"torch.jit", "load", kUnpickle},
    {"torch.jit._serialization", "load", kUnpickle},
    {"torch.ops", "load_library", kNative},
    {"torch.serialization", "_legacy_load", kUnpickle},
    {"torch.serialization", "_load", kUnpickle},
    {"torch.serialization", "load", kUnpickle},
    {"torch.serialization", "save", kFiles},
    {"types", "CodeType", kMakesCode},
    {"types", "FunctionType", kMakesCode},
    {"types", "LambdaType", kMakesCode},
    {"types", "MethodType", kCall},
    {"typing", "get_type_hints", kCode},
    {"uuid", "_get_command_stdout", kShell},
    {"uuid", "_popen", kShell},
});

// Modules that other modules import: one name more and their functions are at hand.
constexpr auto kGateways = std::to_array<std::string_view>({
    "__builtins__",
    "__import__",
    "builtins",
    "ctypes",
    "importlib",
    "os",
    "pickle",
    "posix",
    "pty",
    "runpy",
    "shutil",
    "socket",
    "subprocess",
    "sys",
});

// Attributes of every object, class or function that lead on to everything else.
constexpr auto kInternalNames = std::to_array<std::string_view>({
    "__base__",
    "__bases__",
    "__builtins__",
    "__class__",
    "__closure__",
    "__code__",
    "__dict__",
    "__func__",
    "__getattribute__",
    "__globals__",
    "__import__",
    "__loader__",
    "__mro__",
    "__self__",
    "__setattr__",
    "__spec__",
    "__subclasses__",
});

static_assert(std::ranges::is_sorted(kModules, {}, &DangerousModule::module));
static_assert(std::ranges::is_sorted(kNames, {}, &DangerousName::module));

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// The module or one of the packages that hold it.
std::string_view danger_of_module(std::string_view module) {
  while (true) {
    const auto found = std::ranges::lower_bound(kModules, module, {}, &DangerousModule::module);
    if (found != kModules.end() && found->module == module) return found->reason;
    const std::size_t dot = module.rfind('.');
    if (dot == std::string_view::npos) return {};
    module = module.substr(0, dot);
  }
}

bool names_it(const DangerousName& entry, std::string_view name) {
  if (!name.starts_with(entry.name)) return false;
  return name.size() == entry.name.size() || entry.name.ends_with('.') || name[entry.name.size()] == '.';
}

std::string_view danger_of_name(std::string_view module, std::string_view name) {
  const auto entries = std::ranges::equal_range(kNames, module, {}, &DangerousName::module);
  const auto found = std::ranges::find_if(entries, [&](const auto& entry) { return names_it(entry, name); });
  return found == entries.end() ? std::string_view{} : found->reason;
}

// A dotted name walks over attributes: torch.serialization, os.system is os.system.
std::string_view danger_of_path(std::string_view name) {
  while (true) {
    const std::size_t dot = name.find('.');
    const std::string_view part = name.substr(0, dot);
    if (contains(kInternalNames, part)) return kInternals;
    if (contains(kGateways, part)) return kImport;
    if (dot == std::string_view::npos) return {};
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string_view danger_of(std::string_view module, std::string_view name) noexcept {
  if (const auto reason = danger_of_module(module); !reason.empty()) return reason;
  if (const auto reason = danger_of_name(module, name); !reason.empty()) return reason;
  return danger_of_path(name);
}

}  // namespace weighbridge::pickle
