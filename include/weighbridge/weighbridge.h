/* Weighbridge for C and for every language that can call C.
 *
 * Conventions
 *  1. Objects are opaque pointers: what a function named wb_..._open or wb_convert gives, the function
 *     named beside it frees. Freeing NULL is allowed.
 *  2. A function that can fail returns wb_status and takes a `wb_error**` last. It may be NULL; otherwise
 *     *error is set on failure, and freed by the caller with wb_error_free.
 *  3. Text is wb_str: UTF-8, not terminated by NUL, borrowed. It lives as long as the object it came from.
 *  4. An object may be read by several threads at once; closing it is the last call on it.
 *  5. Structs of options begin with struct_size = sizeof(the struct): older callers keep working when
 *     fields are added. Zero in any other field is the default.
 *  6. Paths are NUL-terminated, in the encoding of the file system.
 */
#ifndef WEIGHBRIDGE_WEIGHBRIDGE_H
#define WEIGHBRIDGE_WEIGHBRIDGE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define WB_API __attribute__((visibility("default")))
#else
#define WB_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The numbers are the exit codes of the command-line tool. */
typedef enum wb_status {
  WB_OK = 0,
  WB_BAD_INPUT = 1,  /* the file breaks its format's rules, or a limit */
  WB_USAGE = 2,      /* a wrong argument, or an output that exists already */
  WB_IO = 3,         /* a system call failed */
  WB_DANGEROUS = 4,  /* refused: the file names code that a loader would have run */
  WB_CANCELLED = 5,
  WB_NO_MEMORY = 6
} wb_status;

typedef struct wb_str {
  const char* data;
  size_t size;
} wb_str;

/* "0.1.0", terminated by NUL. */
WB_API const char* wb_version(void);

/* ---- errors ---- */

typedef struct wb_error wb_error;

/* Stable name of the reason, e.g. "InvalidOffset". */
WB_API wb_str wb_error_name(const wb_error* error);
/* What was found, what was needed, where. */
WB_API wb_str wb_error_message(const wb_error* error);
/* The tensor, entry or global it is about; empty when it is about the whole input. */
WB_API wb_str wb_error_subject(const wb_error* error);
/* 1 and *offset when a byte of the input is the reason, else 0. */
WB_API int wb_error_offset(const wb_error* error, uint64_t* offset);
/* errno of the failed system call, 0 when there was none. */
WB_API int wb_error_errno(const wb_error* error);
WB_API void wb_error_free(wb_error* error);

/* ---- reading a safetensors file ---- */

typedef struct wb_file wb_file;

/* A tensor in a file, or in memory for wb_save. */
typedef struct wb_tensor {
  wb_str name;
  wb_str dtype;          /* as in the header: "F32", "BF16", ... */
  const uint64_t* shape; /* `rank` sizes, outermost first */
  size_t rank;
  const void* data;      /* little-endian, row-major, contiguous; mapped, not copied */
  uint64_t bytes;
} wb_tensor;

/* Maps a file and checks its header; costs nothing for the tensors. Freed by wb_close. */
WB_API wb_status wb_open(const char* path, wb_file** file, wb_error** error);
/* Everything borrowed from the file ends with it. */
WB_API void wb_close(wb_file* file);

WB_API size_t wb_tensor_count(const wb_file* file);
/* The i-th tensor in order of its offset; WB_USAGE when there is none. */
WB_API wb_status wb_tensor_at(const wb_file* file, size_t i, wb_tensor* tensor, wb_error** error);
/* The tensor of that name; WB_BAD_INPUT (TensorNotFound) when there is none. */
WB_API wb_status wb_tensor_find(const wb_file* file, const char* name, size_t name_size, wb_tensor* tensor,
                                wb_error** error);

WB_API size_t wb_metadata_count(const wb_file* file);
/* The i-th pair of __metadata__, ordered by key. REQUIRES: i < wb_metadata_count(file). */
WB_API void wb_metadata_at(const wb_file* file, size_t i, wb_str* key, wb_str* value);

/* ---- writing ---- */

typedef struct wb_pair {
  wb_str key;
  wb_str value;
} wb_pair;

typedef struct wb_save_options {
  size_t struct_size;
  int overwrite;          /* 1: replace an existing file */
  uint32_t alignment;     /* of the data section: 0 or a power of two, 8 to 4096 */
  const wb_pair* metadata;
  size_t metadata_count;
} wb_save_options;

/* Writes a safetensors file, atomically: an old file is intact until the new one is complete. */
WB_API wb_status wb_save(const char* path, const wb_tensor* tensors, size_t count,
                         const wb_save_options* options, wb_error** error);

typedef struct wb_convert_options {
  size_t struct_size;
  int overwrite;
  int allow_dangerous;  /* 1: convert although the file names dangerous code; it never runs */
  int copy_shared;      /* 1: tied tensors get bytes of their own instead of an alias in the metadata */
  int sidecar;          /* 1: write what is no tensor to <output>.meta.json */
  int no_verify;        /* 1: do not read the output again */
  const char* key;      /* sub-tree to take, "." for all; NULL: the state dict is found */
} wb_convert_options;

/* Converts a checkpoint of any format that is known to safetensors. Nothing in it is run. */
WB_API wb_status wb_convert(const char* input, const char* output, const wb_convert_options* options,
                            wb_error** error);

#ifdef __cplusplus
}
#endif

#endif /* WEIGHBRIDGE_WEIGHBRIDGE_H */
