//! What recurs in crashes.

use heights_supervisor::{Crash, Exit};

use crate::view::{millis, since_1970};
use crate::wire;

/// Describes a crash on the wire.
pub(crate) fn describe(crash: &Crash) -> wire::Crash {
    let site = match &crash.exit {
        Exit::Panic(panic) => panic.location.clone(),
        _ => None,
    };
    let exit = crash.exit.to_string();
    let label = crash.last_label.unwrap_or_default();
    let what = site.as_deref().unwrap_or(&exit);
    wire::Crash {
        fingerprint: fingerprint(&[crash.type_name, label, what]),
        path: crash.path.to_string(),
        pid: crash.pid.to_string(),
        at_ms: since_1970(crash.at),
        incarnation: crash.incarnation,
        exit,
        message: crash.last_label.map(str::to_owned),
        type_name: Some(crash.type_name.to_owned()),
        site,
        age_ms: Some(millis(crash.age)),
        handled: Some(crash.figures.handled),
        queued: crash.figures.queued,
        last_message: crash.last_message.clone(),
        earlier_process_ms: None,
    }
}

/// Condenses texts into six digits. Digits in the texts are all the same: what they count differs
/// from crash to crash. The place of a panic keeps its line, for that is what tells panics apart.
fn fingerprint(parts: &[&str]) -> String {
    const OFFSET: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    let mut hash = OFFSET;
    let mut take = |byte: u8| hash = (hash ^ u32::from(byte)).wrapping_mul(PRIME);
    for part in parts {
        let mut in_number = false;
        let is_site = part.contains(".rs:");
        for byte in part.bytes() {
            let digit = byte.is_ascii_digit() && !is_site;
            if !(digit && in_number) {
                take(if digit { b'0' } else { byte });
            }
            in_number = digit;
        }
        take(0);
    }
    format!("{:06x}", (hash >> 24) ^ (hash & 0x00ff_ffff))
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn what_recurs_has_one_fingerprint_and_what_differs_has_another() {
        let of = |exit| fingerprint(&["ci::Runner", "Step", exit]);
        assert_eq!(of("error: job 7 of 12 failed"), of("error: job 4411 of 3 failed"));
        assert_ne!(of("error: job 7 failed"), of("error: step 7 failed"));
        assert_ne!(of("src/step.rs:88:13"), of("src/step.rs:89:13"));
        assert_ne!(of("a"), fingerprint(&["ci::Runner", "Claim", "a"]));
        assert_ne!(fingerprint(&["ab", "c"]), fingerprint(&["a", "bc"]));
        assert_eq!(of("a").len(), 6);
    }
}
