//! A terminal, and a program that runs in it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::app::CEILING;

/// A program on a terminal of 24 lines and 80 columns.
pub struct Terminal {
    program: Child,
    keys: File,
    shown: Receiver<Vec<u8>>,
    /// What has been shown since somebody last looked for something.
    seen: String,
}

impl Terminal {
    pub fn run(mut command: Command) -> Self {
        let control = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC);
        let control = control.unwrap();
        grantpt(&control).unwrap();
        unlockpt(&control).unwrap();
        let path = ptsname(&control, Vec::new()).unwrap().into_string().unwrap();
        let mut options = File::options();
        let flags = OFlags::NOCTTY.bits().cast_signed();
        let tty = options.read(true).write(true).custom_flags(flags).open(path).unwrap();
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&tty, size).unwrap();
        command.stdin(tty.try_clone().unwrap()).stdout(tty.try_clone().unwrap());
        let program = command.stderr(tty).env("TERM", "xterm-256color").spawn().unwrap();
        // What is left of the command keeps the terminal open.
        drop(command);
        let keys = File::from(control);
        let mut screen = keys.try_clone().unwrap();
        let (tell, shown) = mpsc::channel();
        thread::spawn(move || {
            let mut part = [0; 4096];
            // It fails when nobody has the terminal any more.
            while let Ok(length @ 1..) = screen.read(&mut part) {
                if tell.send(part[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { program, keys, shown, seen: String::new() }
    }

    /// Waits until something is shown, and returns all that was shown before and with it.
    pub fn until(&mut self, text: &str) -> String {
        let deadline = Instant::now() + CEILING;
        while !self.seen.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.shown.recv_timeout(left) {
                Ok(part) => self.seen.push_str(&String::from_utf8_lossy(&part)),
                Err(why) => panic!("waited in vain for {text}: {why}: {}", self.seen),
            }
        }
        std::mem::take(&mut self.seen)
    }

    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end, and returns the exit code and what was shown last.
    pub fn end(mut self) -> (Option<i32>, String) {
        let code = self.program.wait().unwrap().code();
        while let Ok(part) = self.shown.recv_timeout(CEILING) {
            self.seen.push_str(&String::from_utf8_lossy(&part));
        }
        (code, std::mem::take(&mut self.seen))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Of a test that failed.
        if matches!(self.program.try_wait(), Ok(None)) {
            self.program.kill().unwrap();
            self.program.wait().unwrap();
        }
    }
}
