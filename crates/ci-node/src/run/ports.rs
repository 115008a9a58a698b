//! Ports for jobs: twenty of its own for each.

use std::net::{Ipv4Addr, TcpListener};

/// How many ports a job has.
const PORTS_EACH: u16 = 20;
/// The first port that is handed out: above what is well known, below what the kernel picks from.
const FIRST: u16 = 20_000;
/// How many ranges there are.
const RANGES: u16 = 600;

/// Hands out ranges of ports, none twice.
#[derive(Debug)]
pub(super) struct Ports {
    next: u16,
    left: u16,
}

impl Ports {
    /// Begins somewhere else in each process, so that two sessions rarely meet.
    pub(super) fn of_process(pid: u32) -> Self {
        let next = u16::try_from(pid % u32::from(RANGES)).expect("less than the number of ranges");
        Self { next, left: RANGES }
    }

    /// The first port of a range in which nobody listens now; `None` where all are taken.
    pub(super) fn take(&mut self) -> Option<u16> {
        while self.left > 0 {
            let base = FIRST + self.next * PORTS_EACH;
            self.next = (self.next + 1) % RANGES;
            self.left -= 1;
            let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
            if (base..base + PORTS_EACH).all(is_free) {
                return Some(base);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_do_not_overlap_and_avoid_who_listens() {
        let pid = std::process::id();
        let first = Ports::of_process(pid).take().unwrap();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, first + 3)).unwrap();
        let mut ports = Ports::of_process(pid);
        let (one, two) = (ports.take().unwrap(), ports.take().unwrap());
        assert!(one != first && two.abs_diff(one) >= PORTS_EACH, "{first} {one} {two}");
    }
}
