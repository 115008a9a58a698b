//! The web server as others see it: real HTTP, a real tree, real git and real jobs; only GitHub is a fake.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

mod access;
mod accessibility;
mod artifacts;
mod audit;
mod browser;
mod busy;
mod client;
mod contract;
mod hostile;
mod life;
mod limits;
mod live;
mod logs;
mod mutations;
mod pages;
mod reports;
mod sign_in;
mod webhooks;
