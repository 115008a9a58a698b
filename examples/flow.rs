//! A log that is read no faster than its reports can be written, by page and in windows of three.
//!
//! `cargo run --example flow`
//!
//! ```text
//! traffic          whatever fails, the flow starts over
//! ├─ sink          slow, and so is everything before it
//! ├─ stage-1, 2    the hits of a page always go through the same one
//! └─ source        draws a line only when it is asked for one
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use heights::flow::{Flow, Window};
use heights::prelude::*;

struct Hit {
    page: &'static str,
    bytes: usize,
}

const PAGES: [&str; 3] = ["/", "/news", "/owls"];

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let drawn = Arc::new(AtomicUsize::new(0));
    let (draws, reported) = (Arc::clone(&drawn), Arc::new(AtomicUsize::new(0)));
    let log = move || {
        let draws = Arc::clone(&draws);
        stream::iter(0..30).map(move |line| {
            draws.fetch_add(1, Ordering::Relaxed);
            Hit { page: PAGES[line % 3], bytes: line }
        })
    };
    let report = move |window: Window<&'static str, usize>| {
        let (drawn, reported) = (Arc::clone(&drawn), Arc::clone(&reported));
        async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let ahead = drawn.load(Ordering::Relaxed) - reported.load(Ordering::Relaxed);
            reported.fetch_add(window.items, Ordering::Relaxed);
            let Window { key, number, items, value } = window;
            println!("{key} #{number}: {value} bytes in {items} hits, {ahead} lines ahead");
            Ok(())
        }
    };
    let (traffic, done) = Flow::from(log)
        .demand(4)
        .filter(|hit| hit.bytes > 0)
        .partition(2, |hit| hit.page)
        .window(3, || 0, |sum, hit| *sum += hit.bytes)
        .sink(report)
        .child_spec("traffic");
    let root = Supervisor::builder("root").child(traffic).start().await?;
    done.finished().await;
    println!("all is reported");
    root.stop().await;
    Ok(())
}
