//! Figures of the operating system process, from `/proc`.

use super::family::{Exposition, Kind};

/// Adds what the system tells of this process; what it does not tell is left out.
pub(super) fn figures(page: &mut Exposition) {
    let page_bytes = rustix::param::page_size() as u64;
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    if let Some(pages) = field(&statm, 1) {
        page.family("process_resident_memory_bytes", Kind::Gauge, "Resident memory.");
        page.sample("", &[], pages * page_bytes);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        page.family("process_open_fds", Kind::Gauge, "Open file descriptors.");
        page.sample("", &[], open.count());
    }
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    if let Some(ticks) = cpu_ticks(&stat) {
        let per_second = rustix::param::clock_ticks_per_second();
        page.family("process_cpu_seconds", Kind::Counter, "Processor time.");
        page.sample("_total", &[], ticks as f64 / per_second as f64);
    }
}

/// User and system time: fields 14 and 15, counted after the name, which may hold anything.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    Some(field(after_name, 11)? + field(after_name, 12)?)
}

fn field(text: &str, index: usize) -> Option<u64> {
    text.split_whitespace().nth(index)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::cpu_ticks;

    #[test]
    fn a_name_with_spaces_and_brackets_does_not_mislead() {
        let stat = "42 (a) b) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20";
        assert_eq!(cpu_ticks(stat), Some(100));
    }
}
