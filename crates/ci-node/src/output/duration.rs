//! Times as people read them.

use std::time::Duration;

/// `1.2s`, `1m02s`, `1h02m`.
pub(crate) fn duration_text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{:.1}s", duration.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let check = |millis: u64, expected: &str| {
            assert_eq!(duration_text(Duration::from_millis(millis)), expected);
        };
        check(0, "0.0s");
        check(1_240, "1.2s");
        check(61_999, "1m01s");
        check(3_600_000 + 125_000, "1h02m");
    }
}
