//! A service that is down now and then, a breaker before it, and a bus for whoever cares.
//!
//! `cargo run --example forecast`
//!
//! ```text
//! root
//! ├─ display    hears of each forecast, as an actor that subscribes for as long as it lives
//! └─ asker      asks the service through the breaker, and publishes what it learns
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::time::Duration;

use heights::breaker::{Breaker, BreakerError};
use heights::bus::{Bus, Heard, News, Topic};
use heights::prelude::*;

/// The day and its degrees.
const FORECAST: Topic<(u32, u32)> = Topic::new("forecast");

/// How long the service is left alone after two failures.
const PAUSE: Duration = Duration::from_secs(1);

/// Knows the latest forecast.
struct Display(Option<(u32, u32)>);

enum Msg {
    Forecast(News<(u32, u32)>),
    Latest(Reply<Option<(u32, u32)>>),
}

impl Server for Display {
    type Args = Bus;
    type Msg = Msg;

    async fn init(bus: Bus, cx: &mut Context<Msg>) -> Result<Self, Fault> {
        bus.notify(&FORECAST, 10, cx.owner(), cx.myself().recipient(Msg::Forecast));
        Ok(Self(None))
    }

    async fn handle(&mut self, msg: Msg, _cx: &mut Context<Msg>) -> Result<Flow, Fault> {
        match msg {
            Msg::Forecast(news) => {
                for heard in news {
                    if let Heard::Event(forecast) = heard {
                        self.0 = Some(forecast);
                    }
                }
            }
            Msg::Latest(reply) => reply.send(self.0),
        }
        Ok(Flow::Continue)
    }
}

/// The service: it is down on the second and the third day, and would be on the fourth.
async fn ask(day: u32) -> Result<u32, &'static str> {
    if (2..=4).contains(&day) { Err("no route to the service") } else { Ok(20 + day) }
}

async fn ask_each_day(bus: Bus) -> Result<(), Fault> {
    let service = Breaker::builder("service").consecutive(2).open_for(PAUSE).build();
    for day in 1..=6 {
        match service.call(ask(day)).await {
            Ok(degrees) => println!("day {day}: told {}", bus.publish(&FORECAST, (day, degrees))),
            Err(BreakerError::Failed(why)) => println!("day {day}: {why}"),
            Err(BreakerError::Open { retry_in, .. }) => {
                println!("day {day}: not even asked");
                tokio::time::sleep(retry_in).await;
            }
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let bus = Bus::new();
    let (displayed, asked) = (bus.clone(), bus.clone());
    let (spec, display) = ChildSpec::server::<Display>("display", move || displayed.clone());
    let root = Supervisor::builder("root").child(spec).start().await?;

    // It has room for two, and nobody looks until there have been three.
    let mut log = bus.stream(&FORECAST, 2);
    let asker = ChildSpec::task("asker", move |_cx| ask_each_day(asked.clone()));
    let asker = root.start_child(asker.restart(Restart::Temporary)).await?;
    asker.process.gone().await;
    println!("the log: {:?}, then {:?}", log.next().await, log.next().await);
    println!("the display: {:?}", display.call(Msg::Latest).await?);
    root.stop().await;
    Ok(())
}
