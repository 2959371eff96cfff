// Opens files with the reference's crate, in the conversation that bench/suite/zygote.py describes.
//
//   upstream_bench open REPEAT WARM_FILE FILE...          keeps all that was opened
//   upstream_bench open_in_turn REPEAT WARM_FILE FILE...  lets go of it before it begins again
//
// As the Python package of the reference does it, the file is mapped and its header read from there.
use std::ffi::c_void;
use std::fs::File;
use std::io::{stdin, stdout, Write};
use std::os::fd::AsRawFd;
use std::time::Instant;

use safetensors::tensor::{Metadata, SafeTensors};

extern "C" {
    fn mmap(address: *mut c_void, length: usize, protection: i32, flags: i32, file: i32, offset: i64) -> *mut c_void;
    fn munmap(address: *mut c_void, length: usize) -> i32;
}
const PROT_READ: i32 = 1;
const MAP_PRIVATE: i32 = 2;

struct Mapping {
    address: *mut c_void,
    length: usize,
}

impl Mapping {
    fn of(path: &str) -> Mapping {
        let file = File::open(path).expect("the file opens");
        let length = file.metadata().expect("the file has a size").len() as usize;
        let address =
            unsafe { mmap(std::ptr::null_mut(), length, PROT_READ, MAP_PRIVATE, file.as_raw_fd(), 0) };
        assert!(address as isize != -1, "the file can be mapped");
        Mapping { address, length }
    }

    fn bytes(&self) -> &[u8] {
        unsafe { std::slice::from_raw_parts(self.address as *const u8, self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        unsafe { munmap(self.address, self.length) };
    }
}

type Opened = Option<(Mapping, Metadata)>;

fn open(path: &str) -> Opened {
    let mapping = Mapping::of(path);
    let (_, metadata) = SafeTensors::read_metadata(mapping.bytes()).ok()?;
    Some((mapping, metadata))
}

/// Names, dtypes and shapes, in order of their offsets.
fn listing(opened: &[Opened]) -> String {
    let mut lines = String::new();
    for file in opened {
        let Some((_, metadata)) = file else {
            return "refused\n".to_string();
        };
        let tensors = metadata.tensors();
        for name in metadata.offset_keys() {
            let tensor = tensors[&name];
            lines += &format!("{} {:?}", name, tensor.dtype);
            for extent in &tensor.shape {
                lines += &format!(" {}", extent);
            }
            lines.push('\n');
        }
    }
    lines
}

/// As a string of JSON.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn say(line: String) {
    println!("{line}");
    stdout().flush().expect("the suite listens");
}

fn next_line() -> String {
    let mut line = String::new();
    stdin().read_line(&mut line).expect("the suite speaks");
    line
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let keep = arguments[1] != "open_in_turn";
    let repeat: usize = arguments[2].parse().expect("a number");
    let files = &arguments[4..];
    open(&arguments[3]);
    let mut opened: Vec<Opened> = Vec::with_capacity(repeat * files.len());
    say(format!("{{\"ready\": {}}}", std::process::id()));
    next_line();
    let start = Instant::now();
    for _ in 0..repeat {
        if !keep {
            opened.clear();
        }
        opened.extend(files.iter().map(|file| open(file)));
    }
    say(format!("{{\"seconds\": {:.9}}}", start.elapsed().as_secs_f64()));
    let digest = match next_line().trim() {
        "\"name\"" => quoted(&listing(&opened[..files.len()])),
        _ => "null".to_string(),
    };
    let start = Instant::now();
    drop(opened);
    say(format!("{{\"teardown\": {:.9}, \"digest\": {}}}", start.elapsed().as_secs_f64(), digest));
}
