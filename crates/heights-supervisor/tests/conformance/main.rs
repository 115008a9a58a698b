//! The conformance list of the runtime: what OTP promises, one test per line of the list.
//!
//! A test is named after the section and the number of its line. Time is paused throughout.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod support;

mod a_start;
mod b_specs;
mod c_restart_types;
mod d_leftovers;
mod d_strategies;
mod e_intensity;
mod f_restarting;
mod g_auto_shutdown;
mod h_panics;
mod h_shutdown;
mod h_zombies;
mod i_administration;
mod i_arguments;
mod i_partitions;
mod j_last_message;
mod j_reports;
mod j_suspension;
mod k_bonds;
mod k_groups;
mod m_async_streams;
mod m_mailboxes;
mod m_tasks_and_calls;
mod n_hub;
mod n_looking;
mod o_misuse;
