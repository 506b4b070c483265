//! Fuzz targets for every parser that reads a client's bytes. libFuzzer makes the bytes, from the seeds in `fuzz/corpus`.
//!
//! In: the name of a target in `FUZZ_TARGET`, and libFuzzer's own arguments. Out: nothing, or the input for which something
//! panics, takes too long or too much memory. The targets are one program, since each of its own would be linked with all
//! of the library; `scripts/fuzz.sh` builds it on stable Rust, with the library's own code instrumented.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
mod server;
#[cfg(fuzzing)]
#[path = "../../tests/suite/graft/species.rs"]
mod species;
#[cfg(fuzzing)]
mod targets;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(init: targets::chosen(), |bytes: &[u8]| targets::chosen()(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    eprintln!("It is built to fuzz by scripts/fuzz.sh, or by `make fuzz`");
    std::process::ExitCode::FAILURE
}
