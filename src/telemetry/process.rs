//! What the system knows of the process: its memory, its time and its files.
//!
//! In: `/proc/self`, where there is one. Out: [`Reading`]s by the names that Prometheus' own libraries have; on a system
//! without `/proc` there are none.

use super::metrics::Reading;
use std::fs;

/// How many ticks the kernel tells a second of a process' time in: a constant of its interface.
const TICKS: f64 = 100.0;

/// All of them.
pub(super) fn readings() -> Vec<Reading> {
    let mut all = Vec::with_capacity(7);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    for (name, help, of) in [
        ("process_resident_memory_bytes", "Resident memory size in bytes.", "VmRSS:"),
        ("process_virtual_memory_bytes", "Virtual memory size in bytes.", "VmSize:"),
    ] {
        // In kibibytes, whatever the size of a page.
        all.extend(member(&status, of).map(|value| Reading::gauge(name, help).value(value * 1024.0)));
    }
    all.extend(
        member(&status, "Threads:")
            .map(|value| Reading::gauge("process_threads", "Number of OS threads in the process.").value(value)),
    );
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some((user, system, start)) = times(&stat) {
        let help = "Total user and system CPU time spent in seconds.";
        all.push(Reading::counter("process_cpu_seconds", help).value((user + system) / TICKS));
        let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
        let help = "Start time of the process since unix epoch in seconds.";
        all.extend(
            member(&boot, "btime")
                .map(|boot| Reading::gauge("process_start_time_seconds", help).value(boot + start / TICKS)),
        );
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        // One of them is the folder that is being read.
        let open = files.count().saturating_sub(1);
        all.push(Reading::gauge("process_open_fds", "Number of open file descriptors.").value(open as f64));
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    all.extend(
        member(&limits, "Max open files")
            .map(|most| Reading::gauge("process_max_fds", "Maximum number of open file descriptors.").value(most)),
    );
    all
}

/// The first number behind a name at the beginning of a line.
fn member(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The ticks in user mode, those in the kernel, and those from the system's start to the process'. The second member is
/// the program's name, which can have any character.
fn times(stat: &str) -> Option<(f64, f64, f64)> {
    let members: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    // Members are counted from 1, and the first one here is the third.
    let member = |number: usize| members.get(number - 3)?.parse().ok();
    Some((member(14)?, member(15)?, member(22)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_whatever_the_program_is_called() {
        assert_eq!(member("Name:\tx\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12.0));
        assert_eq!(member("Name:\tx\n", "VmRSS:"), None);
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 50 60 0 0 20 0 3 0 900 1000 30";
        assert_eq!(times(stat), Some((50.0, 60.0, 900.0)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_knows_this_process() {
        assert_eq!(readings().len(), 7);
    }
}
