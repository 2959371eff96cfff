/* The C interface, compiled as C99: writes a file, reads it back, and meets every kind of status. */
#include <weighbridge/weighbridge.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define CHECK(condition)                                                    \
  do {                                                                      \
    if (!(condition)) {                                                     \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                           \
    }                                                                       \
  } while (0)

static int equals(wb_str text, const char* expected) {
  return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

static wb_str str(const char* text) {
  wb_str result = {text, strlen(text)};
  return result;
}

static void save_file(const char* path) {
  static const float weights[6] = {0, 1, 2, 3, 4, 5};
  static const uint64_t shape[2] = {2, 3};
  wb_tensor tensor = {str("w"), str("F32"), shape, 2, weights, sizeof weights};
  wb_pair pair = {str("format"), str("pt")};
  wb_save_options options = {sizeof options, 1, 64, &pair, 1};
  wb_error* error = NULL;
  CHECK(wb_save(path, &tensor, 1, &options, &error) == WB_OK);
  CHECK(error == NULL);

  CHECK(wb_save(path, &tensor, 1, NULL, &error) == WB_USAGE); /* it exists by now */
  CHECK(equals(wb_error_name(error), "OutputExists"));
  wb_error_free(error);

  tensor.dtype = str("F31");
  CHECK(wb_save(path, &tensor, 1, &options, NULL) == WB_USAGE);
}

static void read_file(const char* path) {
  wb_file* file = NULL;
  wb_error* error = NULL;
  wb_tensor tensor;
  wb_str key;
  wb_str value;
  CHECK(wb_open(path, &file, &error) == WB_OK);
  if (file == NULL) return;
  CHECK(wb_tensor_count(file) == 1);
  CHECK(wb_tensor_at(file, 0, &tensor, &error) == WB_OK);
  CHECK(equals(tensor.name, "w") && equals(tensor.dtype, "F32"));
  CHECK(tensor.rank == 2 && tensor.shape[0] == 2 && tensor.shape[1] == 3);
  CHECK(tensor.bytes == 24 && ((const float*)tensor.data)[5] == 5.0F);
  CHECK(wb_tensor_at(file, 1, &tensor, NULL) == WB_USAGE);
  CHECK(wb_tensor_find(file, "nope", 4, &tensor, &error) == WB_BAD_INPUT);
  CHECK(equals(wb_error_name(error), "TensorNotFound"));
  wb_error_free(error);
  CHECK(wb_metadata_count(file) == 1);
  wb_metadata_at(file, 0, &key, &value);
  CHECK(equals(key, "format") && equals(value, "pt"));
  wb_close(file);
}

static void convert_file(const char* path, const char* output) {
  wb_convert_options options = {sizeof options, 1, 0, 0, 0, 0, NULL};
  wb_error* error = NULL;
  CHECK(wb_convert(path, output, &options, &error) == WB_OK);
  CHECK(wb_convert("no such file", output, &options, &error) == WB_IO);
  CHECK(wb_error_errno(error) != 0);
  wb_error_free(error);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  CHECK(strlen(wb_version()) >= 5);
  save_file(argv[1]);
  read_file(argv[1]);
  convert_file(argv[1], argv[2]);
  wb_close(NULL);
  wb_error_free(NULL);
  printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
